/* SPDX-License-Identifier: ISC */
#include "mail/header.h"
#include "mail/lex.h"
#include "base/buf.h"

/* The length of the first line with its end. */
static size_t line_length(struct str s)
{
	size_t n = str_find(s, '\n');

	return n < s.n ? n + 1 : n;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without the line end, CRLF or LF. */
static struct str chomp(struct str s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

bool field_next(struct str *rest, struct field *out)
{
	while (rest->n) {
		struct str line = str_part(*rest, 0, line_length(*rest));
		struct str text = chomp(line);
		size_t colon = str_find(text, ':'), n = line.n;

		*rest = str_from(*rest, n);
		if (!text.n)
			return false;
		while (rest->n && blank(*rest->p)) {
			size_t more = line_length(*rest);

			n += more;
			*rest = str_from(*rest, more);
		}
		struct str name = str_trim(str_part(text, 0, colon)); /* "To : x", RFC 5322 4.5 */

		/* field-name: RFC 5322 3.6.8; "From " of a mailbox file is none, nor is a fold. */
		if (colon == text.n || !name.n || blank(*line.p) || str_has(name, ' '))
			continue;
		out->name = name;
		out->whole = STR(line.p, n);
		out->body = chomp(str_from(out->whole, colon + 1));
		return true;
	}
	return false;
}

bool field_find(struct str header, const char *name, struct field *out)
{
	while (field_next(&header, out))
		if (str_iis(out->name, name))
			return true;
	*out = (struct field){ 0 };
	return false;
}

/* Unfolding takes the line ends away and leaves the blanks: RFC 5322 2.2.3. */
struct str header_unfold(struct arena *a, struct str body)
{
	struct str s = str_trim(body);

	if (!s.n)
		return S("");
	if (!str_has(s, '\n'))
		return s;
	char *out = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool end = s.p[i] == '\n' || (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');

		if (!end)
			out[n++] = s.p[i];
	}
	return STR(out, n);
}

static bool id_char(char c)
{
	return (unsigned char)c > ' ' && c != '<';
}

/* One msg-id without its brackets and without blanks, which folding by force leaves inside. */
static struct str msgid(struct arena *a, struct str inside)
{
	size_t n = 0, at = 0;

	for (size_t i = 0; i < inside.n; i++)
		n += id_char(inside.p[i]);
	char *out = arena_alloc(a, n);

	for (size_t i = 0; i < inside.n; i++)
		if (id_char(inside.p[i]))
			out[at++] = inside.p[i];
	return STR(out, n);
}

struct str *header_msgids(struct arena *a, struct str body, size_t max, size_t *n)
{
	size_t opened = 0;

	for (size_t i = 0; i < body.n; i++)
		opened += body.p[i] == '<';
	struct str *ids = ARENA_ARRAY(a, struct str, opened < max ? opened : max);

	*n = 0;
	while (*n < max) {
		body = str_from(body, str_find(body, '<'));
		size_t end = str_find(body, '>');

		if (end == body.n)
			break;
		struct str id = msgid(a, str_part(body, 1, end - 1));

		if (id.n)
			ids[(*n)++] = id;
		body = str_from(body, end + 1);
	}
	return ids;
}

/* --- encoded words: RFC 2047 --- */

struct word {
	struct str charset, text;
	char encoding; /* 'b' or 'q' */
};

static bool charset_char(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || (c && strchr("-_.:+()*'", c));
}

/* encoded-word: RFC 2047 2, with a language: RFC 2231 5. */
static struct word encoded_word(struct scan *in)
{
	struct word w = { 0 };

	scan_lit(in, "=?");
	w.charset = scan_span(in, charset_char);
	scan_lit(in, "?");
	w.encoding = ascii_lower(scan_char(in));
	scan_lit(in, "?");
	/* Blanks inside are wrong, but many write them. */
	w.text = scan_until(in, '?');
	scan_lit(in, "=");
	w.charset = str_part(w.charset, 0, str_find(w.charset, '*'));
	if (!w.charset.n || (w.encoding != 'b' && w.encoding != 'q'))
		scan_fail(in);
	return w;
}

/* The "Q" encoding is quoted-printable but for "_": RFC 2047 4.2. */
static void word_decode(struct arena *a, const struct word *w, struct buf *raw)
{
	if (w->encoding == 'b') {
		buf_put(raw, cte_decode(a, S("BASE64"), w->text, w->text.n));
		return;
	}
	char *q = arena_alloc(a, w->text.n);

	for (size_t i = 0; i < w->text.n; i++)
		q[i] = w->text.p[i] == '_' ? ' ' : w->text.p[i];
	/* A blank at the end would be cut off as padding: a soft break keeps it. */
	size_t n = w->text.n;

	while (n && q[n - 1] == ' ')
		n--;
	buf_put(raw, cte_decode(a, S("QUOTED-PRINTABLE"), STR(q, n), n));
	buf_put(raw, STR(q + n, w->text.n - n));
}

/*
 * A run of words in one charset, with nothing but blanks between (they do not count: RFC 2047
 * 6.2), is converted as a whole: characters split between two words are common.
 */
static bool run_decode(struct arena *a, struct scan *in, struct buf *out)
{
	struct scan at = *in;
	struct word first = encoded_word(&at);

	if (at.bad)
		return false;
	struct buf raw = buf_new(in->rest.n);
	struct word w = first;
	struct str utf8;

	do {
		word_decode(a, &w, &raw);
		*in = at;
		scan_span(&at, lex_white);
		w = encoded_word(&at);
	} while (!at.bad && str_ieq(w.charset, first.charset));
	enum err e = text_to_utf8(a, first.charset, buf_str(&raw), 4 * raw.n, &utf8);

	if (!e)
		buf_put(out, utf8); /* which may point into raw */
	buf_free(&raw);
	return !e;
}

struct str header_decode(struct arena *a, struct str body)
{
	struct str s = header_unfold(a, body);

	if (str_find_str(s, S("=?")) == s.n)
		return s;
	struct buf out = buf_new(4 * s.n);
	struct scan in = scan(s);
	struct str gap = S_NONE; /* blanks behind a word: they count unless another word follows */

	while (scan_more(&in)) {
		size_t next = str_find_str(in.rest, S("=?"));
		struct str plain = scan_take(&in, next);

		if (gap.p && str_trim(plain).n) {
			buf_put(&out, plain);
			gap = S_NONE;
		} else if (gap.p) {
			gap = plain;
		} else {
			buf_put(&out, plain);
		}
		if (!scan_more(&in)) {
			buf_put(&out, gap);
			break;
		}
		struct scan before = in;

		if (run_decode(a, &in, &out)) {
			gap = S("");
			continue;
		}
		/* Not a word, or in no charset we know: it stays. */
		buf_put(&out, gap);
		gap = S_NONE;
		size_t n = before.rest.n - in.rest.n;

		if (!n)
			scan_take(&in, n = 2);
		buf_put(&out, str_part(before.rest, 0, n));
	}
	struct str got = str_dup(a, buf_str(&out));

	buf_free(&out);
	return got;
}
