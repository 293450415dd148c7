/* SPDX-License-Identifier: ISC */
#include "base/encode.h"

#define BASE64_62 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"

static const char base64_alphabet[] = BASE64_62 "/";
static const char utf7_alphabet[] = BASE64_62 ","; /* RFC 3501 5.1.3: "/" is a separator */

/* The value of a base64 digit, or 64; the 63rd is what the alphabets differ in. */
static uint32_t sextet(char c, char last)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (ascii_digit(c))
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == last ? 63 : 64;
}

struct str base64_encode(struct arena *a, struct str in)
{
	size_t n = in.n / 3 * 4 + (in.n % 3 ? 4 : 0);
	char *out = arena_alloc(a, n), *p = out;

	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)(unsigned char)in.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)(unsigned char)in.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)in.p[i + 2];
		*p++ = base64_alphabet[v >> 18];
		*p++ = base64_alphabet[v >> 12 & 63];
		*p++ = left > 1 ? base64_alphabet[v >> 6 & 63] : '=';
		*p++ = left > 2 ? base64_alphabet[v & 63] : '=';
	}
	return STR(out, n);
}

bool base64_decode(struct arena *a, struct str in, struct str *out)
{
	*out = S_NONE;
	if (in.n % 4)
		return false;
	size_t pad = str_ends(in, S("==")) ? 2 : str_ends(in, S("=")) ? 1 : 0;
	size_t digits = in.n - pad, n = 0;
	char *p = arena_alloc(a, in.n / 4 * 3 - pad);
	uint32_t bits = 0;

	for (size_t i = 0; i < digits; i++) {
		uint32_t v = sextet(in.p[i], '/');

		if (v > 63)
			return false;
		bits = bits << 6 | v;
		if (i % 4)
			p[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	/* One text, one encoding: the bits that the padding cuts off are zero (RFC 4648 3.5). */
	if (pad && bits & (pad == 2 ? 0xf : 0x3))
		return false;
	*out = STR(p, n);
	return true;
}

struct str hex_encode(struct arena *a, struct str in)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(a, in.n * 2);

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		out[2 * i] = digits[c >> 4];
		out[2 * i + 1] = digits[c & 15];
	}
	return STR(out, in.n * 2);
}

bool hex_decode(struct arena *a, struct str in, struct str *out)
{
	*out = S_NONE;
	if (in.n % 2)
		return false;
	char *p = arena_alloc(a, in.n / 2);
	struct scan digits = scan(in);

	for (size_t i = 0; i < in.n / 2; i++)
		p[i] = (char)(scan_hex(&digits, 2) & 0xff);
	if (!scan_end(&digits))
		return false;
	*out = STR(p, in.n / 2);
	return true;
}

/* The length that the first octet announces, and its share of the character; 0: wrong. */
static size_t utf8_head(unsigned char c, uint32_t *bits)
{
	if (c < 0x80)
		return *bits = c, 1;
	if (c >= 0xc2 && c <= 0xdf)
		return *bits = c & 0x1f, 2;
	if (c >= 0xe0 && c <= 0xef)
		return *bits = c & 0x0f, 3;
	if (c >= 0xf0 && c <= 0xf4)
		return *bits = c & 0x07, 4;
	return *bits = 0, 0;
}

static bool surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

uint32_t utf8_next(struct str *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* by length */
	uint32_t c;

	if (s->n == 0)
		return 0;
	size_t n = utf8_head((unsigned char)*s->p, &c);
	bool ok = n > 0 && n <= s->n;

	for (size_t i = 1; ok && i < n; i++) {
		unsigned char more = (unsigned char)s->p[i];

		ok = (more & 0xc0) == 0x80;
		c = c << 6 | (more & 0x3f);
	}
	ok = ok && c >= least[n] && c <= 0x10ffff && !surrogate(c);
	*s = str_from(*s, ok ? n : 1);
	return ok ? c : UINT32_MAX;
}

struct str utf8_part(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_part(s, 0, n);
}

bool utf8_ok(struct str s)
{
	while (s.n) {
		uint64_t eight;

		/* Most text is ASCII: eight octets at a time. */
		while (s.n >= sizeof eight) {
			memcpy(&eight, s.p, sizeof eight);
			if (eight & UINT64_C(0x8080808080808080))
				break;
			s = str_from(s, sizeof eight);
		}
		if (s.n && utf8_next(&s) == UINT32_MAX)
			return false;
	}
	return true;
}

bool utf8_harmless(uint32_t c)
{
	bool control = c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
	bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

	return c <= 0x10ffff && !control && !turns;
}

size_t utf8_put(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	BUG_IF(c > 0x10ffff);
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool str_ascii(struct str s)
{
	unsigned bad = 0;

	/* No way out of the loop: so the compiler looks at many octets at once. */
	for (size_t i = 0; i < s.n; i++)
		bad |= (unsigned char)s.p[i] == 0 || (unsigned char)s.p[i] > 126;
	return !bad;
}

static const char *spelling(uint32_t c)
{
	static const struct {
		uint32_t c;
		const char *text;
	} table[] = {
		{ 0xa0, " " },    { 0xc4, "Ae" },   { 0xd6, "Oe" },    { 0xdc, "Ue" },
		{ 0xdf, "ss" },   { 0xe4, "ae" },   { 0xe8, "e" },     { 0xe9, "e" },
		{ 0xf6, "oe" },   { 0xfc, "ue" },   { 0x1e9e, "SS" },  { 0x2013, "-" },
		{ 0x2014, "-" },  { 0x2018, "'" },  { 0x2019, "'" },   { 0x201c, "\"" },
		{ 0x201d, "\"" }, { 0x201e, "\"" }, { 0x2026, "..." }, { 0x20ac, "EUR" },
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		if (table[i].c == c)
			return table[i].text;
	return c < ' ' || (c >= 0x7f && c < 0xa0) ? " " : "?";
}

struct str ascii_spell(struct arena *a, struct str utf8)
{
	char *out = arena_alloc(a, 3 * utf8.n + 1), *p = out; /* no spelling is longer */

	for (struct str rest = utf8; rest.n;) {
		bool nul = *rest.p == 0; /* which reads like the end */
		uint32_t c = nul ? 0 : utf8_next(&rest);

		if (nul)
			rest = str_from(rest, 1);
		if (c >= ' ' && c < 0x7f)
			*p++ = (char)c;
		else
			p = stpcpy(p, spelling(c));
	}
	return STR(out, (size_t)(p - out));
}

/* What stands for itself in modified UTF-7 (RFC 3501 5.1.3); "&" does not, it shifts. */
static bool printable(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static bool utf7_plain(char c)
{
	return printable((unsigned char)c) && c != '&';
}

/*
 * The encoder writes to p, or without p only counts and compares: what a peer sends must not
 * cost an arena several times its length.
 */
struct utf7 {
	char *p;
	struct str like;
	size_t n;
	bool differs; /* from like */
	bool shifted;
	unsigned pending; /* how many of the bits wait for the next digit */
	uint32_t bits;
};

static void utf7_octet(struct utf7 *u, char c)
{
	if (u->p)
		u->p[u->n] = c;
	else if (u->n >= u->like.n || u->like.p[u->n] != c)
		u->differs = true;
	u->n++;
}

static void utf7_unit(struct utf7 *u, uint32_t unit)
{
	if (!u->shifted)
		utf7_octet(u, '&');
	u->shifted = true;
	u->bits = u->bits << 16 | unit;
	for (u->pending += 16; u->pending >= 6; u->pending -= 6)
		utf7_octet(u, utf7_alphabet[u->bits >> (u->pending - 6) & 63]);
}

static void utf7_unshift(struct utf7 *u)
{
	if (!u->shifted)
		return;
	if (u->pending)
		utf7_octet(u, utf7_alphabet[u->bits << (6 - u->pending) & 63]);
	utf7_octet(u, '-');
	u->pending = 0;
	u->shifted = false;
}

static void utf7_text(struct utf7 *u, struct str utf8)
{
	while (utf8.n) {
		uint32_t c = utf8_next(&utf8);

		if (c == UINT32_MAX)
			c = 0xfffd;
		if (printable(c)) {
			utf7_unshift(u);
			utf7_octet(u, (char)c);
			if (c == '&')
				utf7_octet(u, '-');
		} else if (c > 0xffff) {
			utf7_unit(u, 0xd800 + ((c - 0x10000) >> 10));
			utf7_unit(u, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			utf7_unit(u, c);
		}
	}
	utf7_unshift(u);
}

struct str utf7_encode(struct arena *a, struct str utf8)
{
	struct scan all = scan(utf8);

	scan_span(&all, utf7_plain);
	if (scan_end(&all))
		return str_dup(a, utf8);

	struct utf7 count = { .n = 0 };

	utf7_text(&count, utf8);
	struct utf7 u = { .p = arena_alloc(a, count.n) };

	utf7_text(&u, utf8);
	return STR(u.p, u.n);
}

/* What stands between "&" and "-", as UTF-8 at *n of out; the caller checks the left-over bits. */
static bool utf7_run(struct str run, char *out, size_t *n)
{
	uint32_t bits = 0, high = 0;
	unsigned pending = 0;

	for (size_t i = 0; i < run.n; i++) {
		uint32_t v = sextet(run.p[i], ',');

		if (v > 63)
			return false;
		bits = bits << 6 | v;
		pending += 6;
		if (pending < 16)
			continue;
		pending -= 16;

		uint32_t unit = bits >> pending & 0xffff;
		bool low = unit >= 0xdc00 && unit <= 0xdfff;

		if (low != (high != 0))
			return false;
		if (low) {
			*n += utf8_put(out + *n,
				       0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
			high = 0;
		} else if (surrogate(unit)) {
			high = unit;
		} else {
			*n += utf8_put(out + *n, unit);
		}
	}
	return high == 0;
}

bool utf7_decode(struct arena *a, struct str utf7, struct str *utf8)
{
	/* Eight digits give at most nine octets. */
	char *out = arena_alloc(a, utf7.n + utf7.n / 8 + 1);
	size_t n = 0;
	bool shifted = false;
	struct scan in = scan(utf7);

	*utf8 = S_NONE;
	while (scan_more(&in)) {
		struct str plain = scan_span(&in, utf7_plain);

		if (plain.n)
			memcpy(out + n, plain.p, plain.n);
		n += plain.n;
		if (!scan_more(&in))
			break;
		scan_lit(&in, "&");
		struct str run = scan_until(&in, '-');

		if (in.bad)
			return false;
		if (run.n == 0)
			out[n++] = '&';
		else if (!utf7_run(run, out, &n))
			return false;
		shifted = true;
	}
	/*
	 * A name has one form on the wire (RFC 3501 5.1.3: no printable ASCII in base64, no shift
	 * that is not needed, zero bits at the end): it is what we would have sent.
	 */
	if (shifted) {
		struct utf7 again = { .like = utf7 };

		utf7_text(&again, STR(out, n));
		if (again.differs || again.n != utf7.n)
			return false;
	}
	*utf8 = STR(out, n);
	return true;
}
