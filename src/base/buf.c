/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <stdarg.h>

#include "base/buf.h"

#define CAP_FIRST ((size_t)64)

void buf_free(struct buf *b)
{
	free(b->p);
	*b = buf_new(b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->full = false;
}

char *buf_space(struct buf *b, size_t n)
{
	if (b->full || n > b->max - b->n) {
		b->full = true;
		return NULL;
	}
	if (!b->p || n > b->cap - b->n) {
		size_t cap = b->cap < b->max / 2 ? b->cap * 2 : b->max;

		if (cap < CAP_FIRST)
			cap = CAP_FIRST < b->max ? CAP_FIRST : b->max;
		if (cap < b->n + n)
			cap = b->n + n;
		/* One octet more than counted: vsnprintf wants to write a NUL. */
		b->p = mem_grow(b->p, b->p ? b->cap + 1 : 0, cap + 1);
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_put(struct buf *b, struct str s)
{
	char *at = buf_space(b, s.n);

	if (at && s.n) {
		memcpy(at, s.p, s.n);
		b->n += s.n;
	}
}

void buf_c(struct buf *b, char c)
{
	char *at = buf_space(b, 1);

	if (at) {
		*at = c;
		b->n++;
	}
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	char *at = buf_space(b, 0);
	va_list args;

	if (!at)
		return;
	size_t room = b->cap - b->n;

	va_start(args, fmt);
	int n = vsnprintf(at, room + 1, fmt, args);
	va_end(args);
	BUG_IF(n < 0);

	size_t len = (size_t)n;

	if (len > room) {
		at = buf_space(b, len);
		if (!at)
			return;
		va_start(args, fmt);
		(void)vsnprintf(at, len + 1, fmt, args);
		va_end(args);
	}
	b->n += len;
}

static void put(struct buf *b, const void *p, size_t n)
{
	buf_put(b, STR(p, n));
}

void buf_u8(struct buf *b, uint8_t v)
{
	put(b, &v, sizeof v);
}

void buf_u16(struct buf *b, uint16_t v)
{
	v = htole16(v);
	put(b, &v, sizeof v);
}

void buf_u32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	put(b, &v, sizeof v);
}

void buf_u64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	put(b, &v, sizeof v);
}

void buf_blob(struct buf *b, struct str s)
{
	/* Asked for at once: a length without its octets would be no blob. */
	if (s.n > UINT32_MAX || !buf_space(b, sizeof(uint32_t) + s.n)) {
		b->full = true;
		return;
	}
	buf_u32(b, (uint32_t)s.n);
	buf_put(b, s);
}

void buf_drop(struct buf *b, size_t n)
{
	BUG_IF(n > b->n);
	b->n -= n;
	if (n && b->n)
		memmove(b->p, b->p + n, b->n);
}

static void get(struct scan *in, void *out, size_t n)
{
	struct str s = scan_take(in, n);

	if (s.n)
		memcpy(out, s.p, n);
}

uint8_t scan_u8(struct scan *in)
{
	uint8_t v = 0;

	get(in, &v, sizeof v);
	return v;
}

uint16_t scan_u16(struct scan *in)
{
	uint16_t v = 0;

	get(in, &v, sizeof v);
	return le16toh(v);
}

uint32_t scan_u32(struct scan *in)
{
	uint32_t v = 0;

	get(in, &v, sizeof v);
	return le32toh(v);
}

uint64_t scan_u64(struct scan *in)
{
	uint64_t v = 0;

	get(in, &v, sizeof v);
	return le64toh(v);
}

struct str scan_blob(struct scan *in)
{
	return scan_take(in, scan_u32(in));
}

unsigned scan_below(struct scan *in, unsigned limit)
{
	unsigned n = scan_u8(in);

	if (n >= limit)
		scan_fail(in);
	return in->bad ? 0 : n;
}

enum err scan_version(struct scan *in, uint8_t known)
{
	unsigned v = scan_u8(in);

	if (in->bad)
		return E_CORRUPT;
	return v == known ? OK : E_VERSION;
}
