/* SPDX-License-Identifier: ISC */
/*
 * imap/fetch_binary.c - parts without their transfer encoding: RFC 3516 4.2, 4.3.
 *
 * A part is read twice: its size is told before its octets. In pieces, so that one of any size
 * costs the same memory.
 */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/header.h"

struct source {
	struct imap *s;
	const struct msg *m;
	struct str encoding;
	uint64_t off, size;  /* encoded */
	uint64_t at;         /* how much of it is read */
	struct arena *piece; /* emptied for each piece */
};

/* The next piece, decoded; only before the end. */
static enum err next_piece(struct source *x, struct str *out)
{
	struct imap *s = x->s;
	uint64_t left = x->size - x->at;
	struct str raw = S_NONE;

	arena_reset(x->piece);
	io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
	enum err e = box_read(s->box, x->m, x->off + x->at, left < PIECE ? (size_t)left : PIECE,
			      x->piece, &raw);

	if (!e && raw.n == 0)
		e = E_CORRUPT;
	if (e)
		return e;
	if (raw.n < left)
		raw.n = cte_whole(x->encoding, raw);
	x->at += raw.n;
	*out = cte_decode(x->piece, x->encoding, raw, raw.n);
	fiber_yield();
	return fiber_canceled() ? E_CANCELED : io_failed(s->io);
}

struct measured {
	uint64_t n; /* octets, decoded */
	bool nul;   /* one of them is NUL: no string can hold it */
};

static enum err measure(struct source *x, struct measured *out)
{
	enum err e = OK;

	*out = (struct measured){ 0 };
	for (x->at = 0; !e && x->at < x->size;) {
		struct str piece;

		e = next_piece(x, &piece);
		if (e)
			break;
		out->n += piece.n;
		out->nul = out->nul || str_has(piece, '\0');
	}
	return e;
}

/* Octets [off, off + n) of what is decoded. */
static enum err send_part(struct source *x, uint64_t off, uint64_t n)
{
	enum err e = OK;

	for (x->at = 0; !e && n && x->at < x->size;) {
		struct str piece;

		e = next_piece(x, &piece);
		if (e)
			break;
		size_t skip = off < piece.n ? (size_t)off : piece.n;

		off -= skip;
		piece = str_part(piece, skip, n < piece.n ? (size_t)n : piece.n);
		n -= piece.n;
		io_put(x->s->io, piece);
	}
	return e ? e : n ? E_CORRUPT : io_failed(x->s->io);
}

static bool known_encoding(struct str encoding)
{
	static const char *const known[] = { "7BIT", "8BIT", "BINARY", "BASE64",
					     "QUOTED-PRINTABLE" };

	for (size_t i = 0; i < LENGTH(known); i++)
		if (str_is(encoding, known[i]))
			return true;
	return false;
}

/* E_NOTFOUND: there is no such part; E_SYNTAX: its encoding is not known. */
static enum err find(struct source *x, const struct summary *sum, const struct imap_section *sec)
{
	struct part_info p;

	x->encoding = S("BINARY");
	x->size = x->m->size;
	if (sec->depth == 0)
		return OK;
	enum err e = summary_part(sum, sec->path, sec->depth, &p);

	if (e)
		return e;
	x->off = p.body_off;
	x->size = p.body_size;
	/* What is made of parts has no encoding of its own: RFC 2045 6.4 */
	if (p.kind == MIME_LEAF)
		x->encoding = p.encoding;
	return known_encoding(x->encoding) ? OK : E_SYNTAX;
}

enum err imap_binary_send(struct imap *s, const struct msg *m, const struct summary *sum,
			  const struct imap_item *item, struct arena *piece, enum err *lost)
{
	const struct imap_section *sec = &item->sec;
	struct source x = { .s = s, .m = m, .piece = piece };
	struct measured all = { 0 };
	enum err e = find(&x, sum, sec);
	bool size = item->kind == ITEM_BINARY_SIZE, none = e == E_NOTFOUND;

	if (!e)
		e = measure(&x, &all);
	if (e) {
		io_put(s->io, size ? S("0") : S("NIL"));
		*lost = none ? OK : e;
		return OK;
	}
	if (size) {
		io_fmt(s->io, "%llu", (unsigned long long)all.n);
		return OK;
	}
	uint64_t off = sec->partial && sec->off < all.n ? sec->off : sec->partial ? all.n : 0;
	uint64_t n = all.n - off;

	if (sec->partial && n > sec->n)
		n = sec->n;
	io_fmt(s->io, "%s{%llu}\r\n", all.nul ? "~" : "", (unsigned long long)n);
	return send_part(&x, off, n);
}
