/* SPDX-License-Identifier: ISC */
#include "pop3/stuff.h"

struct str stuff_take(struct stuff *st, struct str *in, struct str *insert)
{
	struct str out = STR(in->p, 0);

	*insert = S("");
	if (*in->p == '.' && !st->inside)
		*insert = S(".");
	else if (*in->p == '\n' && !st->cr)
		*insert = S("\r");
	while (out.n < in->n) {
		char c = in->p[out.n];

		if (out.n && c == '.' && !st->inside) /* the next call's */
			break;
		if (out.n && c == '\n' && !st->cr)
			break;
		out.n++;
		st->inside = c != '\n';
		st->cr = c == '\r';
		if (!st->inside || st->cr)
			continue;
		/* to the next octet that matters */
		const char *from = in->p + out.n, *end = in->p + in->n;
		const char *lf = memchr(from, '\n', (size_t)(end - from));
		const char *stop = lf ? lf : end;

		if (stop > from) {
			out.n = (size_t)(stop - in->p);
			st->cr = stop[-1] == '\r';
		}
	}
	*in = str_from(*in, out.n);
	return out;
}

struct str stuff_end(const struct stuff *st)
{
	if (!st->inside)
		return S(".\r\n");
	return st->cr ? S("\n.\r\n") : S("\r\n.\r\n");
}

size_t top_take(struct top *t, struct str octets)
{
	size_t i = 0;

	t->done |= t->body && t->lines == 0;
	while (i < octets.n && !t->done) {
		char c = octets.p[i++];

		if (c != '\n') {
			t->inside |= c != '\r';
			continue;
		}
		if (t->body)
			t->lines--;
		else
			t->body = !t->inside;
		t->inside = false;
		t->done = t->body && t->lines == 0;
	}
	return i;
}
