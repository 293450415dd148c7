/* SPDX-License-Identifier: ISC */
#include "base/base.h"

/* The first n octets of the rest, which moves on. */
static struct str eaten(struct scan *in, size_t n)
{
	struct str got = STR(in->rest.p, n);

	in->rest = str_from(in->rest, n);
	return got;
}

void scan_fail(struct scan *in)
{
	in->bad = true;
}

bool scan_opt(struct scan *in, const char *word)
{
	struct str want = str_of(word);

	if (in->bad || !str_istarts(in->rest, want))
		return false;
	eaten(in, want.n);
	return true;
}

void scan_lit(struct scan *in, const char *word)
{
	if (!scan_opt(in, word))
		scan_fail(in);
}

struct str scan_word(struct scan *in)
{
	if (in->bad)
		return S_NONE;
	struct str word = eaten(in, str_find(in->rest, ' '));

	in->rest = str_from(in->rest, 1);
	return word;
}

struct str scan_until(struct scan *in, char stop)
{
	size_t n = str_find(in->rest, stop);

	if (in->bad || n == in->rest.n) {
		scan_fail(in);
		return S_NONE;
	}
	struct str got = eaten(in, n);

	in->rest = str_from(in->rest, 1);
	return got;
}

struct str scan_span(struct scan *in, bool (*is)(char c))
{
	size_t n = 0;

	if (in->bad)
		return S_NONE;
	while (n < in->rest.n && is(in->rest.p[n]))
		n++;
	return eaten(in, n);
}

uint64_t scan_num(struct scan *in, uint64_t max)
{
	struct str digits = scan_span(in, ascii_digit);
	uint64_t v = 0;

	if (digits.n == 0) {
		scan_fail(in);
		return 0;
	}
	for (size_t i = 0; i < digits.n; i++) {
		uint64_t d = (uint64_t)(digits.p[i] - '0');

		if (d > max || v > (max - d) / 10) {
			scan_fail(in);
			return 0;
		}
		v = v * 10 + d;
	}
	return v;
}

uint64_t scan_hex(struct scan *in, size_t digits)
{
	BUG_IF(digits > 16);
	struct str s = scan_take(in, digits);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (ascii_digit(c)) {
			v = v << 4 | (uint64_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		} else {
			scan_fail(in);
			return 0;
		}
	}
	return v;
}

char scan_char(struct scan *in)
{
	struct str s = scan_take(in, 1);

	return s.n ? *s.p : '\0';
}

struct str scan_take(struct scan *in, size_t n)
{
	if (in->bad || n > in->rest.n) {
		scan_fail(in);
		return S_NONE;
	}
	return eaten(in, n);
}
