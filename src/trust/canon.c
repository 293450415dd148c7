/* SPDX-License-Identifier: ISC */
#include "trust/canon.h"

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* --- body --- */

static void flush(struct canon *c)
{
	if (c->n)
		c->put(c->arg, STR(c->out, c->n));
	c->n = 0;
}

static void put(struct canon *c, char octet)
{
	if (c->n == sizeof c->out)
		flush(c);
	c->out[c->n++] = octet;
	c->octets++;
}

static void put_line_end(struct canon *c)
{
	put(c, '\r');
	put(c, '\n');
}

static void character(struct canon *c, char octet)
{
	for (; c->blank; c->blank--)
		put_line_end(c);
	if (c->wsp)
		put(c, ' ');
	c->wsp = false;
	c->any = true;
	put(c, octet);
}

static void line_end(struct canon *c)
{
	c->cr = c->wsp = false;
	if (c->any)
		put_line_end(c);
	else
		c->blank++;
	c->any = false;
}

void canon_feed(struct canon *c, struct str octets)
{
	for (size_t i = 0; i < octets.n; i++) {
		char octet = octets.p[i];

		if (c->cr && octet == '\n') {
			line_end(c);
			continue;
		}
		if (c->cr)
			character(c, '\r');
		c->cr = octet == '\r';
		if (c->cr)
			continue;
		if (c->relaxed && is_wsp(octet))
			c->wsp = true;
		else
			character(c, octet);
	}
}

void canon_end(struct canon *c)
{
	if (c->cr)
		character(c, '\r');
	if (c->any || (!c->relaxed && c->octets == 0))
		put_line_end(c);
	flush(c);
}

/* --- header --- */

void canon_field(struct buf *out, bool relaxed, struct str whole)
{
	size_t colon = str_find(whole, ':');
	bool ended = str_ends(whole, S("\r\n"));
	bool wsp = false;

	if (!relaxed) {
		buf_put(out, whole);
		return;
	}
	struct str name = str_trim(str_part(whole, 0, colon));
	for (size_t i = 0; i < name.n; i++)
		buf_c(out, ascii_lower(name.p[i]));
	buf_c(out, ':');
	struct str value = str_trim(str_from(whole, colon + 1));
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\r' || c == '\n')
			continue;
		if (is_wsp(c)) {
			wsp = true;
			continue;
		}
		if (wsp)
			buf_c(out, ' ');
		wsp = false;
		buf_c(out, c);
	}
	if (ended)
		buf_put(out, S("\r\n"));
}
