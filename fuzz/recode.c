/* SPDX-License-Identifier: ISC */
/*
 * A message made into one of 7 bits: whole and in pieces it comes out the same, its bodies have no
 * octet above 127 any more, and what comes out needs no more of it.
 */
#include "mail/recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mime_part *parsed(struct arena *a, struct str text)
{
	struct mime_parser *p = mime_parser_new(a);

	mime_feed(p, text);
	return mime_end(p);
}

static enum err recoded(struct arena *a, struct str text, size_t piece, struct buf *all)
{
	struct recoder *r = recoder_new(a, parsed(a, text));
	struct buf out = buf_new(RECODE_OUT);

	for (size_t i = 0; i < text.n; i += piece)
		recode_look(r, str_part(text, i, piece));
	enum err e = recode_begin(r);

	for (size_t i = 0; i < text.n && !e; i += piece) {
		recode_write(r, str_part(text, i, piece), &out);
		buf_put(all, buf_str(&out));
	}
	buf_free(&out);
	return e;
}

static void bodies(struct str text, const struct mime_part *p)
{
	struct str body = str_part(text, (size_t)p->body_off, (size_t)p->body_size);

	for (size_t i = 0; p->kind == MIME_LEAF && i < body.n; i++)
		BUG_IF((unsigned char)body.p[i] > 127);
	for (p = p->first; p; p = p->next)
		bodies(text, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size < RECODE_PIECE ? size : RECODE_PIECE);
	struct arena *a = arena_new(8 * (size_t)MIME_ARENA_MAX);
	struct buf whole = buf_new(1 << 20), pieces = buf_new(1 << 20);
	enum err e = recoded(a, text, RECODE_PIECE, &whole);

	BUG_IF(recoded(a, text, 3, &pieces) != e);
	BUG_IF(!str_eq(buf_str(&whole), buf_str(&pieces)));
	if (!e)
		bodies(buf_str(&whole), parsed(a, buf_str(&whole)));
	buf_free(&whole);
	buf_free(&pieces);
	arena_free(&a);
	return 0;
}
