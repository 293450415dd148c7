/* SPDX-License-Identifier: ISC */
/*
 * imap/search_text.c - does a message hold a text? RFC 3501 6.4.4.
 *
 * Fields and texts are decoded to UTF-8 and folded, then compared as octets. Texts of parts are
 * read in pieces that overlap, so a message of any size costs the same memory.
 */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/header.h"

enum {
	TEXT_PIECE = 256 * 1024, /* octets of a part at a time */
	OVERLAP = 8 * 1024,      /* octets read twice: a text may lie across the seam */
	MIME_HEADER_READ = 64 * 1024,
	YIELD_PARTS = 64,
	YIELD_OCTETS = 256 * 1024, /* of headers */
};

static bool holds(struct arena *a, struct str utf8, struct str text)
{
	if (text.n == 0)
		return true;
	struct str folded = imap_fold(a, utf8);

	return str_find_str(folded, text) < folded.n;
}

enum err imap_looked_summary(struct looked *l)
{
	if (l->has_summary)
		return OK;
	enum err e = box_summary(l->box, l->m, l->a, &l->sum);

	l->has_summary = !e;
	l->cost++;
	return e;
}

static enum err read_header(struct looked *l)
{
	struct part_info p;

	if (l->has_header)
		return OK;
	enum err e = imap_looked_summary(l);

	if (!e)
		e = summary_part(&l->sum, NULL, 0, &p);
	if (!e)
		e = imap_header_read(l->box, l->m, p.header_off, p.header_size, l->a, &l->header);
	l->has_header = !e;
	l->cost += 4;
	return e;
}

/* A search has many keys and each runs through the header: the others get their turn. */
static void give_way(struct looked *l, size_t octets)
{
	l->passed += octets;
	if (l->passed < YIELD_OCTETS)
		return;
	l->passed = 0;
	fiber_yield();
}

static bool header_holds(struct looked *l, struct str header, struct str field, struct str text)
{
	struct arena *piece = l->piece;
	struct field f;
	bool yes = false;

	give_way(l, header.n);
	for (struct str rest = header; !yes && field_next(&rest, &f);) {
		if (field.n && !str_ieq(f.name, field))
			continue;
		struct str body = header_decode(piece, f.body);

		/* TEXT looks at the field names as well. */
		if (field.n == 0)
			body = str_fmt(piece, "%.*s: %.*s", FMT(f.name), FMT(body));
		yes = holds(piece, body, text);
		arena_reset(piece);
	}
	return yes;
}

enum err imap_looked_header(struct looked *l, struct str field, struct str text, bool *yes)
{
	enum err e = read_header(l);

	*yes = !e && header_holds(l, l->header, field, text);
	return !e && fiber_canceled() ? E_CANCELED : e;
}

struct text_part {
	struct str encoding, charset;
	uint64_t off, size;
};

/* One piece, decoded. What is not known of is looked at as it is. */
static bool piece_holds(struct arena *a, const struct text_part *t, struct str raw, struct str text)
{
	struct str octets = cte_decode(a, t->encoding, raw, 2 * TEXT_PIECE), utf8;

	if (text_to_utf8(a, t->charset, octets, 8 * TEXT_PIECE, &utf8))
		utf8 = octets;
	return holds(a, utf8, text);
}

static enum err text_holds(struct looked *l, const struct text_part *t, struct str text, bool *yes)
{
	uint64_t at = 0;
	enum err e = OK;

	while (!e && !*yes && at < t->size) {
		uint64_t left = t->size - at;
		struct str raw;

		e = box_read(l->box, l->m, t->off + at,
			     left < TEXT_PIECE ? (size_t)left : TEXT_PIECE, l->piece, &raw);
		if (e || raw.n == 0)
			break;
		bool last = raw.n == left;
		size_t end = str_rfind(raw, '\n') + 1;

		/* Whole lines: no encoding has anything that goes across them. */
		if (!last && end > OVERLAP && end <= raw.n)
			raw = str_part(raw, 0, end);
		*yes = piece_holds(l->piece, t, raw, text);
		size_t back = raw.n > 2 * OVERLAP ? OVERLAP : 0;
		size_t line = str_find(str_from(raw, raw.n - back), '\n');

		at += raw.n;
		if (!last && line < back)
			at -= back - line - 1;
		l->cost += 8;
		arena_reset(l->piece);
		fiber_yield();
		if (fiber_canceled())
			e = E_CANCELED;
	}
	arena_reset(l->piece);
	return e;
}

/* What a part is, by its own header. False: no text. */
static bool is_text(struct arena *a, struct str header, struct text_part *t)
{
	struct field f;
	struct content c = { .type = S("text") };

	if (field_find(header, "Content-Type", &f) && !content_type_parse(a, f.body, &c))
		c = (struct content){ .type = S("text") };
	t->charset = param_get(c.params, "charset");
	if (!t->charset.n)
		t->charset = S("us-ascii");
	return str_iis(c.type, "text");
}

struct walk {
	uint32_t path[MIME_DEPTH_MAX];
	size_t depth;
	unsigned parts;
};

static enum err part_holds(struct looked *l, const struct part_info *p, struct str text, bool *yes)
{
	struct text_part t = { .encoding = p->encoding, .off = p->body_off, .size = p->body_size };
	struct str header;
	uint64_t n = p->header_size < MIME_HEADER_READ ? p->header_size : MIME_HEADER_READ;
	enum err e = OK;
	struct arena *a = arena_new(4 * HEADER_READ_MAX); /* of this part */

	if (p->kind == MIME_LEAF) {
		e = box_read(l->box, l->m, p->header_off, (size_t)n, a, &header);
		if (!e && is_text(a, header, &t))
			e = text_holds(l, &t, text, yes);
	} else if (p->kind == MIME_MESSAGE && p->message) {
		e = imap_header_read(l->box, l->m, p->msg_header_off, p->msg_header_size, a,
				     &header);
		if (!e)
			*yes = header_holds(l, header, S_NONE, text);
	}
	arena_free(&a);
	return e;
}

/* The parts one after the other, those inside before those behind. */
static enum err parts_hold(struct looked *l, struct str text, bool *yes)
{
	struct walk w = { .path = { 1 }, .depth = 1 };
	enum err e = OK;

	while (!e && !*yes && w.depth && w.parts < MIME_PARTS_MAX) {
		struct part_info p = { 0 };

		e = summary_part(&l->sum, w.path, w.depth, &p);
		if (e == E_NOTFOUND) { /* no further one at this level */
			e = OK;
			if (--w.depth)
				w.path[w.depth - 1]++;
			continue;
		}
		if (!e)
			e = part_holds(l, &p, text, yes);
		if (++w.parts % YIELD_PARTS == 0)
			fiber_yield();
		if (p.kind != MIME_LEAF && w.depth < MIME_DEPTH_MAX)
			w.path[w.depth++] = 1;
		else
			w.path[w.depth - 1]++;
	}
	return e;
}

enum err imap_looked_message(struct looked *l, struct str text, bool header_too, bool *yes)
{
	enum err e = read_header(l);

	*yes = !e && (text.n == 0 || (header_too && header_holds(l, l->header, S_NONE, text)));
	return e || *yes ? e : parts_hold(l, text, yes);
}
