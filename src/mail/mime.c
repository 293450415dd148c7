/* SPDX-License-Identifier: ISC */
#include "mail/mime_priv.h"

/*
 * A line can begin or end a part only if it begins with "--" and a boundary that is open. So
 * bodies are run through from line end to line end, and only such lines are looked at. Of a line
 * that comes in pieces its first LINE_KEPT octets are kept: a boundary fits in.
 */
enum { LINE_KEPT = MIME_BOUNDARY_MAX + 4 };

/* A part whose end has not been seen. Those below it in the stack are around it. */
struct open {
	struct mime_part *part, *last; /* last: the newest child */
	struct str boundary;           /* what begins the next child; empty: nothing does */
	uint32_t header_line, body_line;
};

struct mime_parser {
	struct arena *a;
	struct mime_part *root;
	struct open open[MIME_DEPTH_MAX];
	size_t depth;
	bool in_header;    /* of the part on top */
	struct buf header; /* its octets so far, as many as are looked at */
	size_t parts, budget;
	uint64_t off; /* of the next octet */

	/* The line that the next octet is in. */
	uint64_t line_off;
	uint32_t line;      /* how many ended before it */
	unsigned eol;       /* octets of the line end before it */
	size_t line_header; /* length of `header` at its beginning */
	char kept[LINE_KEPT];
	size_t kept_n;
	bool after_cr; /* the octet before the next one is a CR of this line */
};

static void drop_header(void *arg)
{
	buf_free(arg);
}

static struct open *top(struct mime_parser *p)
{
	return &p->open[p->depth - 1];
}

/* A new part begins at off, in the one on top of the stack. */
static struct mime_part *part_open(struct mime_parser *p, uint64_t off, uint32_t line)
{
	struct mime_part *part = ARENA_NEW(p->a, struct mime_part);

	part->header_off = off;
	if (p->depth) {
		struct open *around = top(p);

		part->parent = around->part;
		*(around->last ? &around->last->next : &around->part->first) = part;
		around->last = part;
	}
	p->open[p->depth++] = (struct open){ .part = part, .header_line = line };
	p->parts++;
	p->in_header = true;
	buf_clear(&p->header);
	return part;
}

struct mime_parser *mime_parser_new(struct arena *a)
{
	struct mime_parser *p = ARENA_NEW(a, struct mime_parser);

	p->a = a;
	p->header = buf_new(MIME_HEADER_MAX);
	p->budget = MIME_TEXT_MAX;
	arena_cleanup(a, drop_header, &p->header);
	p->root = part_open(p, 0, 0);
	return p;
}

/* Encoded, a message cannot be looked into: RFC 2046 5.2.1 forbids it. */
static bool identity(struct str encoding)
{
	return str_is(encoding, "7BIT") || str_is(encoding, "8BIT") || str_is(encoding, "BINARY");
}

/* As its octets stand: it is compared with lines. */
static struct str boundary_of(const struct mime_part *part)
{
	for (const struct param *p = part->params; p; p = p->next)
		if (str_is(p->name, "boundary")) {
			struct str b = p->extended ? p->value : p->raw;

			return b.n <= MIME_BOUNDARY_MAX ? str_trim(b) : S("");
		}
	return S("");
}

static enum mime_kind kind_of(const struct mime_part *part)
{
	if (str_is(part->type, "MULTIPART"))
		return MIME_MULTIPART;
	if (str_is(part->type, "MESSAGE") &&
	    (str_is(part->subtype, "RFC822") || str_is(part->subtype, "GLOBAL")))
		return MIME_MESSAGE;
	return MIME_LEAF;
}

/* The header of the part on top ends before `end`; decides what its body is. */
static void header_end(struct mime_parser *p, uint64_t end, uint32_t line)
{
	struct open *o = top(p);
	struct mime_part *part = o->part, *around = part->parent;
	bool as_message = !around || around->kind == MIME_MESSAGE;
	bool digest = around && around->kind == MIME_MULTIPART && str_is(around->subtype, "DIGEST");

	part->header_size = end - part->header_off;
	part->header_lines = line - o->header_line;
	part->body_off = end;
	o->body_line = line;
	part_header(p->a, part, buf_str(&p->header), as_message, digest, &p->budget);
	p->in_header = false;
	part->kind = kind_of(part);
	if (part->kind == MIME_LEAF)
		return;
	if (p->depth == MIME_DEPTH_MAX || p->parts >= MIME_PARTS_MAX ||
	    (part->kind == MIME_MESSAGE && !identity(part->encoding))) {
		/* One leaf, of the type that says nothing about what is inside. */
		part->kind = MIME_LEAF;
		part->type = S("APPLICATION");
		part->subtype = S("OCTET-STREAM");
		part->params = NULL;
	} else if (part->kind == MIME_MULTIPART) {
		o->boundary = boundary_of(part);
	} else {
		part_open(p, end, line);
	}
}

/* The part on top ends before `end`, where so many lines have ended. */
static void part_close(struct mime_parser *p, uint64_t end, uint32_t line)
{
	while (p->in_header) /* twice, if what ends is the header of a message/rfc822 */
		header_end(p, end, line);
	struct mime_part *part = top(p)->part;

	part->body_size = end - part->body_off;
	part->body_lines = line - top(p)->body_line;
	if (part->kind == MIME_MULTIPART && !part->first) {
		/* IMAP knows no multipart without parts: let people read what is there. */
		part->kind = MIME_LEAF;
		part->type = S("TEXT");
		part->subtype = S("PLAIN");
		part->params = NULL;
	}
	p->depth--;
}

/*
 * The multipart whose boundary this line begins with (that is enough: RFC 2046 5.1.1), by its
 * place in the stack; the longest wins, then the innermost. -1: none.
 */
static int boundary_find(const struct mime_parser *p, struct str line)
{
	int best = -1;
	size_t longest = 1;

	if (!str_starts(line, S("--")) || p->parts >= MIME_PARTS_MAX)
		return -1;
	line = str_from(line, 2);
	for (size_t i = 0; i < p->depth; i++) {
		struct str b = p->open[i].boundary;

		if (b.n >= longest && str_starts(line, b)) {
			best = (int)i;
			longest = b.n;
		}
	}
	return best;
}

/* Carries out a whole line; `next` is the number of the one that follows. */
static void line_end(struct mime_parser *p, uint32_t next)
{
	struct str line = STR(p->kept, p->kept_n);
	int at = boundary_find(p, line);

	if (at < 0) {
		if (p->in_header && (str_is(line, "\r\n") || str_is(line, "\n")))
			header_end(p, p->off, next);
		return;
	}
	if (p->in_header)
		p->header.n = p->line_header;
	/*
	 * The line end before the boundary belongs to it (RFC 2046 5.1.1), unless the last part
	 * began behind it, or its body did: the line end of a header stays with the header.
	 */
	const struct mime_part *last = top(p)->part;
	bool ours = p->line_off > (p->in_header ? last->header_off : last->body_off);

	while (p->depth > (size_t)at + 1)
		part_close(p, p->line_off - (ours ? p->eol : 0), p->line - (ours ? 1 : 0));
	struct str *boundary = &top(p)->boundary;

	if (str_starts(str_from(line, 2 + boundary->n), S("--")))
		*boundary = S(""); /* what follows is the epilogue */
	else
		part_open(p, p->off, next);
}

/* Some octets of one line; `ended`: the last of them is its LF. */
static void line_piece(struct mime_parser *p, struct str s, bool ended)
{
	struct str keep = str_part(s, 0, LINE_KEPT - p->kept_n);

	memcpy(p->kept + p->kept_n, keep.p, keep.n);
	p->kept_n += keep.n;
	p->off += s.n;
	if (p->in_header)
		buf_put(&p->header, str_part(s, 0, MIME_HEADER_MAX - p->header.n));
	bool cr = s.n > 1 ? s.p[s.n - 2] == '\r' : p->after_cr;

	p->after_cr = !ended && s.p[s.n - 1] == '\r';
	if (!ended)
		return;
	line_end(p, p->line + 1);
	p->line++;
	p->line_off = p->off;
	p->line_header = p->header.n;
	p->eol = cr ? 2 : 1;
	p->kept_n = 0;
}

/* Runs through the lines of a body that no boundary can be in; gives what is left. */
static struct str body_lines(struct mime_parser *p, struct str s)
{
	const char *at = s.p, *end = s.p + s.n;

	while (at < end && *at != '-') {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (!lf)
			break;
		p->line++;
		p->eol = lf > at && lf[-1] == '\r' ? 2 : 1;
		at = lf + 1;
	}
	p->off += (uint64_t)(at - s.p);
	p->line_off = p->off;
	return str_from(s, (size_t)(at - s.p));
}

void mime_feed(struct mime_parser *p, struct str octets)
{
	while (octets.n) {
		if (!p->in_header && p->off == p->line_off)
			octets = body_lines(p, octets);
		size_t n = str_find(octets, '\n');
		bool ended = n < octets.n;

		if (ended)
			n++;
		if (n)
			line_piece(p, str_part(octets, 0, n), ended);
		octets = str_from(octets, n);
	}
}

struct mime_part *mime_end(struct mime_parser *p)
{
	/* The last boundary often has no line end. */
	if (p->kept_n)
		line_end(p, p->line);
	while (p->depth)
		part_close(p, p->off, p->line);
	buf_free(&p->header);
	return p->root;
}
