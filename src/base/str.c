/* SPDX-License-Identifier: ISC */
#include <stdarg.h>

#include "base/base.h"

/* memcmp and friends may not be given NULL, not even with length 0: hence the tests of n. */

struct str str_of(const char *cstring)
{
	return cstring ? STR(cstring, strlen(cstring)) : S_NONE;
}

static bool same(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

static bool isame(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && same(a.p, b.p, a.n);
}

bool str_ieq(struct str a, struct str b)
{
	return a.n == b.n && isame(a.p, b.p, a.n);
}

bool str_is(struct str a, const char *word)
{
	return str_eq(a, str_of(word));
}

bool str_iis(struct str a, const char *word)
{
	return str_ieq(a, str_of(word));
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str head)
{
	return s.n >= head.n && same(s.p, head.p, head.n);
}

bool str_istarts(struct str s, struct str head)
{
	return s.n >= head.n && isame(s.p, head.p, head.n);
}

bool str_ends(struct str s, struct str tail)
{
	return s.n >= tail.n && str_eq(str_from(s, s.n - tail.n), tail);
}

struct str str_from(struct str s, size_t off)
{
	if (off == 0 || s.n == 0)
		return s;
	if (off > s.n)
		off = s.n;
	return STR(s.p + off, s.n - off);
}

struct str str_part(struct str s, size_t off, size_t n)
{
	s = str_from(s, off);
	return STR(s.p, n < s.n ? n : s.n);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	while (s.n && blank(*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

size_t str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t str_rfind(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t str_find_str(struct str s, struct str what)
{
	if (what.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

bool str_has(struct str s, char c)
{
	return s.n && memchr(s.p, c, s.n);
}

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t hashed(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * FNV_PRIME;
}

uint64_t str_hash(struct str s)
{
	uint64_t h = FNV_START;

	for (size_t i = 0; i < s.n; i++)
		h = hashed(h, s.p[i]);
	return h;
}

uint64_t str_ihash(struct str s)
{
	uint64_t h = FNV_START;

	for (size_t i = 0; i < s.n; i++)
		h = hashed(h, ascii_lower(s.p[i]));
	return h;
}

struct str str_dup(struct arena *a, struct str s)
{
	if (!s.p)
		return S_NONE;
	char *p = arena_alloc(a, s.n);

	memcpy(p, s.p, s.n);
	return STR(p, s.n);
}

struct str str_lower(struct arena *a, struct str s)
{
	if (!s.p)
		return S_NONE;
	char *p = arena_alloc(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return STR(p, s.n);
}

char *str_c(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
	char brief[256]; /* most results fit: they are formatted once, not twice */
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(brief, sizeof brief, fmt, args);
	va_end(args);
	BUG_IF(n < 0);

	size_t len = (size_t)n;
	char *p = arena_alloc(a, len + 1);

	if (len < sizeof brief) {
		memcpy(p, brief, len);
	} else {
		va_start(args, fmt);
		(void)vsnprintf(p, len + 1, fmt, args);
		va_end(args);
	}
	return STR(p, len);
}
