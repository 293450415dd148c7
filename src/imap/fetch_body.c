/* SPDX-License-Identifier: ISC */
/* imap/fetch_body.c - octets of messages by section: RFC 3501 6.4.5 "BODY[<section>]<<partial>>".
 */
#include "imap/imap_priv.h"
#include "mail/header.h"

enum { NUL_SHOWN = 0x80 }; /* CHAR8 has no NUL: RFC 3501 9 */

enum err imap_header_read(struct box *b, const struct msg *m, uint64_t off, uint64_t n,
			  struct arena *a, struct str *out)
{
	enum err e = box_read(b, m, off, n < HEADER_READ_MAX ? (size_t)n : HEADER_READ_MAX, a, out);

	/* A field that is cut is left out. */
	if (!e && n > HEADER_READ_MAX)
		*out = str_part(*out, 0, str_rfind(*out, '\n') + 1);
	return e;
}

static bool chosen(const struct imap_section *sec, struct str name)
{
	for (size_t i = 0; i < sec->nfields; i++)
		if (str_ieq(sec->fields[i], name))
			return sec->what == SEC_FIELDS;
	return sec->what == SEC_FIELDS_NOT;
}

/* The fields that are asked for, as they stand, and the empty line. */
static enum err choose_fields(struct box *b, const struct msg *m, const struct imap_section *sec,
			      struct arena *a, struct span *span)
{
	struct str header;
	struct field f;
	enum err e = imap_header_read(b, m, span->off, span->n, a, &header);

	if (e)
		return e;
	char *out = arena_alloc(a, header.n + 4);
	size_t n = 0;

	for (struct str rest = header; field_next(&rest, &f);) {
		if (!chosen(sec, f.name))
			continue;
		memcpy(out + n, f.whole.p, f.whole.n);
		n += f.whole.n;
		if (n && out[n - 1] != '\n') { /* the message ends within its header */
			memcpy(out + n, "\r\n", 2);
			n += 2;
		}
	}
	memcpy(out + n, "\r\n", 2);
	*span = (struct span){ .n = n + 2, .made = true, .text = STR(out, n + 2) };
	return OK;
}

/* Where it is, without the partial. False: there is no such thing in this message. */
static bool locate(const struct part_info *p, const struct imap_section *sec, struct span *span)
{
	bool top = sec->depth == 0;

	switch (sec->what) {
	case SEC_ALL:
		span->off = p->body_off;
		span->n = p->body_size;
		return true;
	case SEC_MIME:
		span->off = p->header_off;
		span->n = p->header_size;
		return true;
	case SEC_TEXT:
		span->off = top ? p->body_off : p->msg_body_off;
		span->n = top ? p->body_size : p->msg_body_size;
		return top || p->message;
	case SEC_HEADER:
	case SEC_FIELDS:
	case SEC_FIELDS_NOT:
		span->off = top ? p->header_off : p->msg_header_off;
		span->n = top ? p->header_size : p->msg_header_size;
		return top || p->message;
	}
	return false;
}

static void cut(struct span *span, const struct imap_section *sec)
{
	uint64_t off = sec->off < span->n ? sec->off : span->n;

	if (!sec->partial)
		return;
	span->n -= off;
	if (span->n > sec->n)
		span->n = sec->n;
	span->off += off;
	if (span->made)
		span->text = str_part(span->text, (size_t)off, (size_t)span->n);
}

enum err imap_section_find(struct box *b, const struct msg *m, const struct summary *sum,
			   const struct imap_section *sec, struct arena *a, struct span *out)
{
	struct part_info p;
	enum err e = OK;

	*out = (struct span){ 0 };
	if (sec->depth == 0 && sec->what == SEC_ALL) {
		out->n = m->size;
		cut(out, sec);
		return OK;
	}
	e = summary_part(sum, sec->path, sec->depth, &p);
	if (e == E_NOTFOUND || (!e && !locate(&p, sec, out))) {
		*out = (struct span){ .nil = true };
		return OK;
	}
	if (!e && (sec->what == SEC_FIELDS || sec->what == SEC_FIELDS_NOT))
		e = choose_fields(b, m, sec, a, out);
	if (!e)
		cut(out, sec);
	return e;
}

static void put_octets(struct imap *s, struct str text, struct arena *piece)
{
	if (str_has(text, '\0')) {
		char *shown = arena_alloc(piece, text.n);

		for (size_t i = 0; i < text.n; i++)
			shown[i] = text.p[i] ? text.p[i] : (char)NUL_SHOWN;
		text.p = shown;
	}
	io_put(s->io, text);
}

static enum err send_pieces(struct imap *s, const struct msg *m, const struct span *span,
			    struct arena *piece, uint64_t *done)
{
	enum err e = OK;

	while (!e && *done < span->n) {
		struct str text = S_NONE;
		uint64_t left = span->n - *done;

		arena_reset(piece);
		io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
		e = box_read(s->box, m, span->off + *done, left < PIECE ? (size_t)left : PIECE,
			     piece, &text);
		if (!e && text.n == 0)
			e = E_CORRUPT;
		if (e)
			break;
		if (*done == 0) /* only now it is sure that there is anything to announce */
			io_fmt(s->io, "{%llu}\r\n", (unsigned long long)span->n);
		put_octets(s, text, piece);
		*done += text.n;
		e = io_failed(s->io);
	}
	return e;
}

enum err imap_section_send(struct imap *s, const struct msg *m, const struct span *span,
			   struct arena *piece, enum err *lost)
{
	uint64_t done = 0;

	if (span->nil) {
		io_put(s->io, S("NIL"));
		return OK;
	}
	if (span->made || span->n == 0) {
		io_fmt(s->io, "{%llu}\r\n", (unsigned long long)span->n);
		put_octets(s, span->text, piece);
		return OK;
	}
	enum err e = send_pieces(s, m, span, piece, &done);

	if (!e || done)
		return e;
	io_put(s->io, S("NIL"));
	*lost = e;
	return OK;
}
