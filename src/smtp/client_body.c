/* SPDX-License-Identifier: ISC */
/* client_body.c - the octets of a message on their way out, and the reply to them. */
#include "smtp/client_priv.h"
#include "smtp/dots.h"

enum { PIECE_MAX = 64 * 1024 };

/* RFC 5321 4.5.2: a dot before each that begins a line. */
static void put_stuffed(struct io *io, bool *line_begins, struct str s)
{
	size_t n;

	if (*line_begins && *s.p == '.')
		io_put(io, S("."));
	*line_begins = s.p[s.n - 1] == '\n';
	while ((n = str_find_str(s, S("\n."))) < s.n) {
		io_put(io, str_part(s, 0, n + 1));
		io_put(io, S("."));
		s = str_from(s, n + 1);
	}
	io_put(io, s);
}

/* All that comes to light before the server has the whole: it must never see the end. */
static bool give_up(struct smtp_client *c, enum client_verdict v, enum client_why why, enum err e,
		    struct outcome *o)
{
	c->dead = true;
	*o = (struct outcome){ .verdict = v, .stage = AT_BODY, .why = why, .err = e };
	return false;
}

/* A CR or LF alone is seen before it leaves us: to some servers LF.LF is an end. */
static bool pour(struct smtp_client *c, const struct client_mail *m, bool bdat, struct arena *a,
		 bool *line_begins, struct outcome *o)
{
	bool binary = m->body == BODY_BINARYMIME;
	struct dots watch = { 0 };

	for (uint64_t off = 0; off < m->size;) {
		uint64_t left = m->size - off;
		size_t max = left < PIECE_MAX ? (size_t)left : PIECE_MAX;
		struct str piece = S_NONE;
		enum err e = m->read(m->arg, off, max, &piece);

		if (e || piece.n == 0 || piece.n > max)
			return give_up(c, TEMPORARY, WHY_OURS, e ? e : E_CORRUPT, o);
		off += piece.n;
		dots_watch(&watch, piece);
		if (!binary && (watch.bare || (off == m->size && dots_bare(&watch))))
			return give_up(c, PERMANENT, WHY_LINE_ENDS, OK, o);
		if (!client_unanswered(c, AT_BODY, a, o))
			return false;
		client_deadline(c, c->conf.times.block);
		if (bdat)
			io_put(c->io, piece);
		else
			put_stuffed(c->io, line_begins, piece);
		e = io_failed(c->io);
		if (e) {
			client_lost(c, AT_BODY, e, o);
			return false;
		}
	}
	return client_unanswered(c, AT_BODY, a, o);
}

void client_body(struct smtp_client *c, const struct client_mail *m, bool bdat, struct arena *a,
		 struct outcome *o)
{
	bool line_begins = true;

	if (bdat)
		io_fmt(c->io, "BDAT %llu LAST\r\n", (unsigned long long)m->size);
	if (!pour(c, m, bdat, a, &line_begins, o))
		return;
	if (!bdat)
		io_put(c->io, line_begins ? S(".\r\n") : S("\r\n.\r\n"));
	bool good = client_expect(c, AT_BODY, a, 2, o);

	/* 4xx and 5xx are a clear no; all else leaves it open: RFC 5321 6.1 */
	o->maybe = !good && o->why != WHY_SAID;
	c->dirty = false;
}
