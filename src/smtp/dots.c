/* SPDX-License-Identifier: ISC */
#include "smtp/dots.h"

/*
 * Reads on within a line, from its first octet that is no dot of transparency; stops behind its
 * CR LF or at the end of what there is. Gives the number of octets.
 */
static size_t line(struct dots *d, struct str in)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;
	const char *cr = memchr(in.p, '\r', n);

	if (!lf) {
		/* a CR at the very end may yet be half of a CR LF */
		d->bare |= cr && cr + 1 < in.p + n;
		d->state = in.p[n - 1] == '\r' ? DOTS_CR : DOTS_TEXT;
		return n;
	}
	bool crlf = cr && cr + 1 == lf;

	d->bare |= !crlf;
	d->state = n > 0 && lf[-1] == '\r' ? DOTS_LINE : DOTS_TEXT;
	return n + 1;
}

/* The octet behind a CR that ended the last piece. */
static size_t after_cr(struct dots *d, char c)
{
	d->bare |= c != '\n';
	d->state = c == '\n' ? DOTS_LINE : c == '\r' ? DOTS_CR : DOTS_TEXT;
	return 1;
}

/* One octet behind a dot that began a line; the dot itself is not of the message. */
static void after_dot(struct dots *d, char c)
{
	d->state = c == '\r' ? DOTS_DOT_CR : DOTS_TEXT;
}

static void after_dot_cr(struct dots *d, char c)
{
	d->ended = c == '\n';
	d->bare |= c != '\n';
	d->state = c == '\r' ? DOTS_CR : DOTS_TEXT;
}

/* Eats the dot of transparency, or the end; false where the octet belongs to the message. */
static bool eaten(struct dots *d, char c)
{
	switch (d->state) {
	case DOTS_LINE:
		if (c != '.')
			return false;
		d->state = DOTS_DOT;
		return true;
	case DOTS_DOT:
		after_dot(d, c);
		return d->state == DOTS_DOT_CR; /* else it is the line's first octet */
	case DOTS_DOT_CR: after_dot_cr(d, c); return true;
	default: return false;
	}
}

struct str dots_take(struct dots *d, struct str *in)
{
	while (in->n && !d->ended && eaten(d, *in->p))
		*in = str_from(*in, 1);

	struct str out = STR(in->p, 0);

	while (in->n && !d->ended) {
		if (d->state == DOTS_LINE && *in->p == '.')
			break;
		size_t n = d->state == DOTS_CR ? after_cr(d, *in->p) : line(d, *in);

		out.n += n;
		*in = str_from(*in, n);
	}
	return out;
}

void dots_watch(struct dots *d, struct str octets)
{
	while (octets.n) {
		size_t n = d->state == DOTS_CR ? after_cr(d, *octets.p) : line(d, octets);

		octets = str_from(octets, n);
	}
}

bool dots_bare(const struct dots *d)
{
	return d->bare || d->state == DOTS_CR;
}
