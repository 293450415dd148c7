/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "mail/charset.h"
#include "mail/header.h"
#include "mail/lex.h"
#include "base/buf.h"
#include "base/encode.h"

#define REPLACEMENT S("\xef\xbf\xbd") /* U+FFFD */

/* Nothing is cut inside a character. */
static struct str utf8_cut(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return STR(s.p, max);
}

static struct str utf8_repair(struct arena *a, struct str in, size_t max)
{
	if (utf8_ok(in))
		return utf8_cut(in, max);
	struct buf out = buf_new(max);

	while (in.n && !out.full) {
		struct str before = in;

		if (utf8_next(&in) == UINT32_MAX)
			buf_put(&out, REPLACEMENT);
		else
			buf_put(&out, STR(before.p, before.n - in.n));
	}
	struct str got = str_dup(a, buf_str(&out));

	buf_free(&out);
	return got;
}

static struct str latin1(struct arena *a, struct str in, size_t max)
{
	size_t wide = 0, n = 0;

	for (size_t i = 0; i < in.n; i++)
		wide += (unsigned char)in.p[i] > 127;
	size_t room = in.n + wide < max ? in.n + wide : max;
	char *out = arena_alloc(a, room);

	for (size_t i = 0; i < in.n; i++) {
		char c[4];
		size_t len = utf8_put(c, (unsigned char)in.p[i]);

		if (len > room - n)
			break;
		memcpy(out + n, c, len);
		n += len;
	}
	return STR(out, n);
}

/* Converts until the input or the room ends; what makes no sense becomes U+FFFD. */
static void converted(iconv_t cd, struct str in, struct buf *out)
{
	char *from = (char *)in.p; /* iconv does not write there */
	size_t left = in.n;

	while (left && !out->full) {
		size_t want = left < 4096 ? 2 * left + 16 : 8192;
		size_t room = out->max - out->n < want ? out->max - out->n : want;
		char *to = buf_space(out, room), *end = to;

		size_t rc = iconv(cd, &from, &left, &end, &room);
		int why = errno;

		out->n += (size_t)(end - to);
		if (rc != (size_t)-1)
			continue;
		if (why == E2BIG && out->max - out->n <= 16)
			return;
		if (why == E2BIG)
			continue;
		/* EILSEQ in the middle, EINVAL at the end of the input. */
		buf_put(out, REPLACEMENT);
		from++;
		left--;
	}
}

/* "utf8", "UTF-8": names are compared without case and dashes by people who write mail. */
static bool is_utf8(struct str charset)
{
	return str_iis(charset, "utf-8") || str_iis(charset, "utf8") ||
	       str_iis(charset, "us-ascii") || str_iis(charset, "ascii");
}

enum err text_to_utf8(struct arena *a, struct str charset, struct str in, size_t max,
		      struct str *out)
{
	iconv_t cd;

	*out = S_NONE;
	/* ASCII with the high bit set is not ASCII, and most often UTF-8. */
	if (!charset.n || is_utf8(charset)) {
		*out = utf8_repair(a, in, max);
		return OK;
	}
	if (str_iis(charset, "iso-8859-1") || str_iis(charset, "latin1")) {
		*out = latin1(a, in, max);
		return OK;
	}
	if (!charset_converter(charset, &cd))
		return E_NOTFOUND;
	struct buf text = buf_new(max);

	converted(cd, in, &text);
	*out = str_dup(a, buf_str(&text));
	buf_free(&text);
	return OK;
}

/* --- Content-Transfer-Encodings --- */

static uint32_t sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (ascii_digit(c))
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/*
 * What is not in the alphabet does not count (RFC 2045 6.8). Padding ends a quantum, and another
 * may follow: some programs glue texts together.
 */
static size_t base64(struct str in, char *out, size_t max)
{
	uint32_t bits = 0;
	unsigned pending = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.n && n < max; i++) {
		uint32_t v = sextet(in.p[i]);

		if (in.p[i] == '=')
			pending = 0;
		if (v > 63)
			continue;
		bits = bits << 6 | v;
		pending += 6;
		if (pending >= 8) {
			pending -= 8;
			out[n++] = (char)(bits >> pending & 0xff);
		}
	}
	return n;
}

/* "=" at the end of a line joins it with the next: RFC 2045 6.7 (5). Gives the line's end. */
static size_t soft_break(struct str s)
{
	size_t n = 1;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	if (n < s.n && s.p[n] == '\r')
		n++;
	if (n == s.n)
		return n;
	return s.p[n] == '\n' ? n + 1 : 0;
}

static size_t quoted_printable(struct str in, char *out, size_t max)
{
	size_t n = 0, solid = 0; /* solid: behind the last octet that is no padding */

	while (in.n && n < max) {
		char c = *in.p;

		if (c == '=') {
			size_t eaten = 1;
			int high = in.n > 2 ? lex_hex(in.p[1]) : -1;
			int low = in.n > 2 ? lex_hex(in.p[2]) : -1;

			if (high >= 0 && low >= 0) {
				out[n++] = (char)(high << 4 | low);
				eaten = 3;
			} else if (soft_break(in)) {
				eaten = soft_break(in);
			} else {
				out[n++] = '='; /* not ours to judge: it stands for itself */
			}
			solid = n;
			in = str_from(in, eaten);
			continue;
		}
		/* Blanks at the end of a line were added on the way: RFC 2045 6.7 (3). */
		if (c == '\n' || (c == '\r' && in.n > 1 && in.p[1] == '\n'))
			n = solid;
		out[n++] = c;
		if (c != ' ' && c != '\t')
			solid = n;
		in = str_from(in, 1);
	}
	return in.n ? n : solid;
}

struct str cte_decode(struct arena *a, struct str encoding, struct str in, size_t max)
{
	bool b64 = str_iis(encoding, "BASE64");

	if (!b64 && !str_iis(encoding, "QUOTED-PRINTABLE"))
		return str_part(in, 0, max);
	size_t room = b64 ? in.n / 4 * 3 + 3 : in.n;

	room = room < max ? room : max;
	char *out = arena_alloc(a, room);

	return STR(out, b64 ? base64(in, out, room) : quoted_printable(in, out, room));
}

/* Behind the last quantum of four. */
static size_t base64_whole(struct str s)
{
	size_t whole = 0;
	unsigned pending = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '=')
			pending = 0;
		else if (sextet(s.p[i]) <= 63)
			pending = (pending + 1) % 4;
		if (pending == 0)
			whole = i + 1;
	}
	return whole ? whole : s.n;
}

/* Behind the last line; of one without end, before what its next octets may belong to. */
static size_t quoted_printable_whole(struct str s)
{
	size_t n = str_rfind(s, '\n') + 1;

	if (n <= s.n)
		return n;
	n = s.n;
	for (size_t back = 1; back <= 2 && back <= s.n; back++)
		if (s.p[s.n - back] == '=')
			n = s.n - back;
	while (n && (s.p[n - 1] == ' ' || s.p[n - 1] == '\t' || s.p[n - 1] == '\r'))
		n--;
	return n ? n : s.n;
}

size_t cte_whole(struct str encoding, struct str piece)
{
	if (str_iis(encoding, "BASE64"))
		return base64_whole(piece);
	return str_iis(encoding, "QUOTED-PRINTABLE") ? quoted_printable_whole(piece) : piece.n;
}
