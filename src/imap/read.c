/* SPDX-License-Identifier: ISC */
/*
 * imap/read.c - a command off the connection: lines with literals between them, within limits.
 * RFC 3501 2.2.1, 4.3, 7.5; RFC 7888.
 */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"

enum { SKIP_PIECE = 1 << 20 };

static size_t line_max(const struct imap *s)
{
	return s->state == GUEST ? LINE_MAX_GUEST : LINE_MAX_USER;
}

/* A client that sends without asking must be followed, but not for ever: RFC 7888 4. */
static bool endless(const struct imap *s, uint64_t n)
{
	return n > 2 * s->srv->conf->message_max + (64 << 20) ||
	       (s->state == GUEST && n > LINE_MAX_USER);
}

static enum err skip_octets(struct imap *s, uint64_t n)
{
	enum err e = OK;

	while (n && !e) {
		uint64_t piece = n < SKIP_PIECE ? n : SKIP_PIECE;

		if (s->state != GUEST)
			io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
		e = io_skip(s->io, piece);
		n -= piece;
	}
	return e;
}

struct done imap_skip(struct imap *s, uint64_t n)
{
	struct imap_literal lit = { n, false };
	struct str line, head;
	unsigned literals = 0;
	enum err e;

	do {
		if (endless(s, lit.n) || ++literals > LITERALS_MAX)
			return (struct done){ DONE_BYE, S_NONE,
					      "[TOOBIG] the literal is too large" };
		e = skip_octets(s, lit.n);
		if (!e)
			e = io_line(s->io, s->cmd, line_max(s), &line);
		if (e)
			return done_io(e);
	} while (imap_literal_tail(line, &head, &lit) && !lit.sync);
	return done_ok("skipped");
}

/* The tag that a reply needs, whatever else the line holds. False: none that could be one. */
static bool take_tag(struct imap *s, struct str line)
{
	struct scan in = scan(line);
	struct str tag = imap_tag(&in);

	s->tag_n = 0;
	if (in.bad || tag.n > TAG_MAX || (in.rest.n && *in.rest.p != ' '))
		return false;
	memcpy(s->tag, tag.p, tag.n);
	s->tag_n = tag.n;
	return true;
}

/* Is it APPEND up to its message? Then the literal is the command's to read: append.c */
static bool append_waits(const struct imap *s, struct str text)
{
	struct imap_append ap;
	struct scan in = scan(text);

	if (s->state == GUEST)
		return false;
	imap_tag(&in);
	scan_lit(&in, " APPEND ");
	if (in.bad)
		return false;
	imap_append_head(&in, s->cmd, &ap);
	return scan_end(&in);
}

/* Refuses a command for its literal, and gets past it if it comes all the same. */
static struct done refuse(struct imap *s, const struct imap_literal *lit, struct done why)
{
	if (lit->sync)
		return why;
	struct done skipped = imap_skip(s, lit->n);

	return skipped.how == DONE_OK ? why : skipped;
}

static struct done read_literal(struct imap *s, struct buf *text, const struct imap_literal *lit)
{
	struct str octets;

	if (lit->sync)
		io_put(s->io, S("+ go on\r\n"));
	buf_fmt(text, "{%u%s}\r\n", (unsigned)lit->n, lit->sync ? "" : "+");
	enum err e = io_take(s->io, s->cmd, (size_t)lit->n, &octets);

	if (e)
		return done_io(e);
	buf_put(text, octets);
	return done_ok("read");
}

/* The rest of a command whose first line announces a literal. */
static struct done read_on(struct imap *s, struct str line, struct buf *text)
{
	struct imap_literal lit;
	struct str head;
	unsigned literals = 0;

	while (imap_literal_tail(line, &head, &lit)) {
		buf_put(text, head);
		if (s->tag_n == 0)
			return refuse(s, &lit, done_bad("a command begins with a tag"));
		if (append_waits(s, buf_str(text))) {
			s->waits = true;
			s->literal = lit;
			return done_ok("all but the message");
		}
		/* One that comes unasked has been sent in clear already: LOGIN counts it. */
		if (lit.sync && imap_refuses_literal(s, buf_str(text)))
			return refuse(s, &lit,
				      done_no("PRIVACYREQUIRED",
					      "passwords only under TLS: STARTTLS first"));
		if (lit.n > line_max(s) || ++literals > LITERALS_MAX ||
		    text->n + lit.n > 2 * line_max(s))
			return refuse(
				s, &lit,
				(struct done){
					DONE_BAD, S("TOOBIG"),
					"too large a literal, or wrong arguments before it" });
		struct done d = read_literal(s, text, &lit);

		if (d.how != DONE_OK)
			return d;
		enum err e = io_line(s->io, s->cmd, line_max(s), &line);

		if (e)
			return done_io(e);
	}
	buf_put(text, line);
	return text->full ? (struct done){ DONE_BAD, S("TOOBIG"), "the command is too long" }
			  : done_ok("read");
}

struct done imap_read(struct imap *s, struct str *text)
{
	struct str line, head;
	struct imap_literal lit;

	s->tag_n = 0;
	s->waits = false;
	*text = S_NONE;
	if (s->state != GUEST)
		io_deadline(s->io, clock_in(s->srv->conf->idle_ms));
	enum err e = io_line(s->io, s->cmd, line_max(s), &line);

	if (e)
		return done_io(e);
	take_tag(s, line);
	*text = line;
	if (imap_literal_tail(line, &head, &lit)) {
		struct buf whole = buf_new(4 * line_max(s));
		struct done d = read_on(s, line, &whole);

		*text = str_dup(s->cmd, buf_str(&whole));
		buf_free(&whole);
		if (d.how != DONE_OK)
			return d;
	}
	if (s->tag_n == 0)
		return done_bad("a command begins with a tag");
	return done_ok("read");
}
