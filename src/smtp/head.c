/* SPDX-License-Identifier: ISC */
#include "smtp/head.h"

static const char received[] = "received:";

static void next_line(struct head *h)
{
	h->inside = h->cr = false;
	h->matched = 0;
}

/* One octet at the start of a line, while it may still become one that matters. */
static void start(struct head *h, char c)
{
	if (c == '\n') { /* LF alone too: so the mail room ends headers */
		h->ended = h->matched == 0;
		next_line(h);
	} else if (h->cr) {
		h->inside = true;
	} else if (c == '\r' && h->matched == 0) {
		h->cr = true;
	} else if (ascii_lower(c) != received[h->matched]) {
		h->inside = true;
	} else if (received[++h->matched] == '\0') {
		h->received++;
		h->inside = true;
	}
}

size_t head_feed(struct head *h, struct str octets)
{
	size_t i = 0;

	while (i < octets.n && !h->ended) {
		if (!h->inside) {
			start(h, octets.p[i++]);
			continue;
		}
		const char *lf = memchr(octets.p + i, '\n', octets.n - i);

		if (!lf)
			return octets.n;
		i = (size_t)(lf - octets.p) + 1;
		next_line(h);
	}
	return i;
}
