/* SPDX-License-Identifier: ISC */
#include "smtp/wire.h"

enum err wire_some(struct smtp *s, size_t max, struct str *out)
{
	if (s->last.p && s->last.p == s->ahead.p)
		buf_drop(&s->ahead, s->last.n);
	if (s->ahead.n == 0) {
		buf_free(&s->ahead);
		enum err e = io_some(s->io, max, out);

		s->last = e ? S_NONE : *out;
		return e;
	}
	*out = s->last = str_part(buf_str(&s->ahead), 0, max);
	return OK;
}

void wire_back(struct smtp *s, size_t n)
{
	BUG_IF(n > s->last.n);
	if (s->last.p && s->last.p == s->ahead.p)
		buf_drop(&s->ahead, s->last.n - n);
	else
		buf_put(&s->ahead, str_from(s->last, s->last.n - n));
	BUG_IF(s->ahead.full);
	s->last = S_NONE;
}

void wire_drop(struct smtp *s)
{
	buf_free(&s->ahead);
	s->last = S_NONE;
}

/* Both may hold NUL. */
static struct str joined(struct arena *a, struct str head, struct str tail)
{
	char *p = arena_alloc(a, head.n + tail.n);

	if (head.n)
		memcpy(p, head.p, head.n);
	if (tail.n)
		memcpy(p + head.n, tail.p, tail.n);
	return STR(p, head.n + tail.n);
}

/* The line begins in what was given back, and may end on the wire. */
static enum err line_ahead(struct smtp *s, struct arena *a, size_t max, struct str *out)
{
	size_t n = str_find(buf_str(&s->ahead), '\n');
	bool whole = n < s->ahead.n, fits = n <= max + 1;
	struct str head = str_dup(a, STR(s->ahead.p, fits ? n : 0)), tail = S("");

	buf_drop(&s->ahead, whole ? n + 1 : n);
	if (!whole) {
		enum err e = io_line(s->io, a, max, &tail);

		if (e)
			return e;
	}
	*out = joined(a, head, tail);
	if (str_ends(*out, S("\r")))
		out->n--;
	return fits && out->n <= max ? OK : E_LIMIT;
}

enum err wire_line(struct smtp *s, struct arena *a, size_t max, struct str *out)
{
	if (s->last.p && s->last.p == s->ahead.p)
		buf_drop(&s->ahead, s->last.n);
	s->last = S_NONE;
	if (s->ahead.n)
		return line_ahead(s, a, max, out);
	buf_free(&s->ahead);
	return io_line(s->io, a, max, out);
}
