/* SPDX-License-Identifier: ISC */
#include "mail/recode.h"

#include "mail/header.h"

/* What was seen in a body. */
enum { HIGH = 1, ZERO = 2, BARE = 4 };

enum { QP_LINE = 75, BASE64_LINE = 76 }; /* octets; QP without its last "=": RFC 2045 6.7, 6.8 */

enum change { KEEP, TO_7BIT, TO_QP, TO_BASE64 };
static const char *const words[] = {
	[TO_7BIT] = "7bit", [TO_QP] = "quoted-printable", [TO_BASE64] = "base64"
};

/* A header or the body of a leaf; what is between them are preambles and boundaries. */
struct stretch {
	uint64_t off, size;
	const struct mime_part *part;
	size_t around; /* of a header: that of the part in which it is; the root's is its own */
	bool header;
	unsigned seen;
	enum change change;
};

struct recoder {
	struct stretch *stretch; /* ascending */
	size_t n, at;            /* at: the one that the next octet is in, or before */
	uint64_t off;            /* of the next octet */
	char last;               /* octet of the stretch under way; 0: none */
	/* of a body that is being encoded */
	unsigned col;
	char held; /* quoted-printable: a blank or CR whose fate the next octet decides; 0: none */
	uint8_t carry[3];
	unsigned ncarry;
	struct buf header; /* in part; in space */
	char *space;
};

/* --- the stretches --- */

static size_t count(const struct mime_part *p)
{
	size_t n = 2;

	for (const struct mime_part *c = p->first; c; c = c->next)
		n += count(c);
	return n;
}

static void collect(struct recoder *r, const struct mime_part *p, size_t around)
{
	size_t own = r->n;

	r->stretch[r->n++] = (struct stretch){ .off = p->header_off,
					       .size = p->header_size,
					       .part = p,
					       .around = around,
					       .header = true };
	if (p->kind == MIME_LEAF)
		r->stretch[r->n++] =
			(struct stretch){ .off = p->body_off, .size = p->body_size, .part = p };
	for (const struct mime_part *c = p->first; c; c = c->next)
		collect(r, c, own);
}

struct recoder *recoder_new(struct arena *a, const struct mime_part *root)
{
	struct recoder *r = ARENA_NEW(a, struct recoder);

	r->stretch = ARENA_ARRAY(a, struct stretch, count(root));
	collect(r, root, 0);
	r->space = arena_alloc(a, MIME_HEADER_MAX);
	return r;
}

/* A CR alone at its end is bare, too. */
static void end_of_stretch(struct recoder *r)
{
	if (r->last == '\r')
		r->stretch[r->at].seen |= BARE;
	r->last = 0;
}

/* The beginning of octets that lies in one stretch, *s, or in none. What is empty is passed over.
 */
static struct str next_run(struct recoder *r, struct str *octets, struct stretch **s)
{
	uint64_t n = octets->n;

	while (r->at < r->n && r->off >= r->stretch[r->at].off + r->stretch[r->at].size) {
		end_of_stretch(r);
		r->at++;
	}
	*s = NULL;
	if (r->at < r->n) {
		struct stretch *next = &r->stretch[r->at];
		uint64_t end = r->off < next->off ? next->off : next->off + next->size;

		*s = r->off < next->off ? NULL : next;
		if (end - r->off < n)
			n = end - r->off;
	}
	struct str run = str_part(*octets, 0, (size_t)n);

	*octets = str_from(*octets, run.n);
	r->off += run.n;
	return run;
}

/* --- looking --- */

static unsigned seen_in(struct str run, char *last)
{
	unsigned seen = 0;

	for (size_t i = 0; i < run.n; i++) {
		char c = run.p[i];

		seen |= (unsigned char)c > 127 ? HIGH : c == '\0' ? ZERO : 0;
		if ((c == '\n') != (*last == '\r'))
			seen |= BARE;
		*last = c;
	}
	return seen;
}

void recode_look(struct recoder *r, struct str octets)
{
	while (octets.n) {
		struct stretch *s;
		struct str run = next_run(r, &octets, &s);

		if (s && !s->header)
			s->seen |= seen_in(run, &r->last);
	}
}

static bool is_encoded(const struct mime_part *p)
{
	return str_is(p->encoding, "BASE64") || str_is(p->encoding, "QUOTED-PRINTABLE");
}

/* Its octets are fixed by what is around it, or by what it is. */
static bool is_fixed(const struct mime_part *p)
{
	if (str_is(p->type, "MESSAGE"))
		return true;
	for (p = p->parent; p; p = p->parent)
		if (str_is(p->type, "MULTIPART") && str_is(p->subtype, "SIGNED"))
			return true;
	return false;
}

/* What is made of parts says how they are encoded at the worst: RFC 2045 6.4. */
static void relabel_around(struct recoder *r, struct stretch *s)
{
	while (s != &r->stretch[s->around]) {
		s = &r->stretch[s->around];
		if ((str_is(s->part->encoding, "8BIT") || str_is(s->part->encoding, "BINARY")) &&
		    s->size <= MIME_HEADER_MAX)
			s->change = TO_7BIT;
	}
}

enum err recode_begin(struct recoder *r)
{
	bool some = false;

	if (r->at < r->n)
		end_of_stretch(r);
	for (size_t i = 0; i < r->n; i++) {
		struct stretch *s = &r->stretch[i];

		if (s->header || !s->seen || is_encoded(s->part))
			continue;
		if (is_fixed(s->part) || s[-1].size > MIME_HEADER_MAX)
			return E_DENIED;
		s->change = str_is(s->part->type, "TEXT") && !(s->seen & (ZERO | BARE)) ? TO_QP
											: TO_BASE64;
		s[-1].change = s->change;
		relabel_around(r, &s[-1]);
		some = true;
	}
	r->at = 0;
	r->off = 0;
	return some ? OK : E_EXISTS;
}

/* --- quoted-printable --- */

static void qp_emit(struct recoder *r, struct str s, struct buf *out)
{
	if (r->col + s.n > QP_LINE) {
		buf_put(out, S("=\r\n"));
		r->col = 0;
	}
	buf_put(out, s);
	r->col += (unsigned)s.n;
}

static void qp_escape(struct recoder *r, char c, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	char s[3] = { '=', hex[(unsigned char)c >> 4], hex[c & 15] };

	qp_emit(r, STR(s, 3), out);
}

/* What was held, now that c follows; '\r' at the end of all. */
static void qp_release(struct recoder *r, char c, struct buf *out)
{
	char held = r->held;

	r->held = 0;
	if (held == '\r' && c == '\n')
		return;
	if (held == '\r' || (held && (c == '\r' || c == '\n')))
		qp_escape(r, held, out);
	else if (held)
		qp_emit(r, STR(&held, 1), out);
}

static void qp_put(struct recoder *r, char c, struct buf *out)
{
	bool line_end = r->held == '\r' && c == '\n';

	qp_release(r, c, out);
	if (line_end) {
		buf_put(out, S("\r\n"));
		r->col = 0;
	} else if (c == ' ' || c == '\t' || c == '\r') {
		r->held = c;
	} else if (c > ' ' && c < 127 && c != '=') {
		qp_emit(r, STR(&c, 1), out);
	} else {
		qp_escape(r, c, out);
	}
}

/* --- base64 --- */

static void base64_flush(struct recoder *r, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = (uint32_t)r->carry[0] << 16 | (uint32_t)r->carry[1] << 8 | r->carry[2];
	char four[4] = { digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63],
			 digits[v & 63] };

	if (r->ncarry == 0)
		return;
	for (unsigned i = r->ncarry + 1; i < 4; i++)
		four[i] = '=';
	if (r->col == BASE64_LINE) {
		buf_put(out, S("\r\n"));
		r->col = 0;
	}
	buf_put(out, STR(four, 4));
	r->col += 4;
	r->ncarry = 0;
	memset(r->carry, 0, sizeof r->carry);
}

static void base64_put(struct recoder *r, char c, struct buf *out)
{
	r->carry[r->ncarry++] = (uint8_t)c;
	if (r->ncarry == 3)
		base64_flush(r, out);
}

/* --- writing --- */

/* The header of a part with another encoding. */
static void put_header(const struct stretch *s, struct str header, struct buf *out)
{
	struct str rest = header;
	struct field f;
	const char *copied = header.p;

	while (field_next(&rest, &f)) {
		if (!str_iis(f.name, "Content-Transfer-Encoding"))
			continue;
		buf_put(out, STR(copied, (size_t)(f.whole.p - copied)));
		copied = f.whole.p + f.whole.n;
	}
	struct str left = STR(copied, (size_t)(header.p + header.n - copied));
	size_t empty = str_ends(left, S("\r\n")) ? 2 : 1; /* the line at its end */

	buf_put(out, str_part(left, 0, left.n - empty));
	buf_fmt(out, "Content-Transfer-Encoding: %s\r\n", words[s->change]);
	buf_put(out, str_from(left, left.n - empty));
}

static void end_body(struct recoder *r, const struct stretch *s, struct buf *out)
{
	if (s->change == TO_QP)
		qp_release(r, '\r', out);
	base64_flush(r, out);
	/* The whole message ends in a line end: RFC 5321 4.1.1.4 */
	if (s->change == TO_BASE64 && !s->part->parent)
		buf_put(out, S("\r\n"));
	r->col = 0;
}

static void put_run(struct recoder *r, struct stretch *s, struct str run, struct buf *out)
{
	if (s && s->header && s->change) {
		memcpy(r->space + (r->off - run.n - s->off), run.p, run.n);
		if (r->off == s->off + s->size)
			put_header(s, STR(r->space, (size_t)s->size), out);
	} else if (s && s->header) {
		buf_put(out, run);
	} else if (s && s->change) {
		for (size_t i = 0; i < run.n; i++)
			(s->change == TO_QP ? qp_put : base64_put)(r, run.p[i], out);
		if (r->off == s->off + s->size)
			end_body(r, s, out);
	} else {
		for (size_t i = 0; i < run.n; i++)
			buf_c(out, (unsigned char)run.p[i] > 127 ? '?' : run.p[i]);
	}
}

void recode_write(struct recoder *r, struct str octets, struct buf *out)
{
	buf_clear(out);
	while (octets.n) {
		struct stretch *s;
		struct str run = next_run(r, &octets, &s);

		put_run(r, s, run, out);
	}
	BUG_IF(out->full);
}
