/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "queue/expect_record.h"

enum { VERSION = 1, TLS_MAX = 64 };

static void put(struct buf *b, struct str s, size_t max)
{
	s = str_part(s, 0, max);
	buf_u8(b, (uint8_t)s.n);
	buf_put(b, s);
}

static struct str take(struct scan *in, size_t max)
{
	size_t n = scan_u8(in);

	if (n > max)
		scan_fail(in);
	return scan_take(in, n);
}

static struct buf begin(void)
{
	struct buf b = buf_new(VALUE_MAX);

	buf_u8(&b, VERSION);
	return b;
}

static struct str finish(struct arena *a, struct buf *b)
{
	BUG_IF(b->full); /* both are bounded far below */
	struct str value = str_dup(a, buf_str(b));

	buf_free(b);
	return value;
}

enum err expect_bucket_decode(struct str value, struct expect_bucket *out)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, VERSION);

	if (e)
		return e;
	*out = (struct expect_bucket){ .n = scan_below(&in, EXPECT_WAYS + 1) };
	for (size_t i = 0; i < out->n; i++) {
		struct expect *x = &out->e[i];

		x->domain = take(&in, EXPECT_DOMAIN_MAX);
		x->looked = (int64_t)scan_u64(&in);
		x->until = (int64_t)scan_u64(&in);
		x->proof = scan_below(&in, EXPECT_PROOFS);
		x->seen = (int64_t)scan_u64(&in);
		x->line = scan_below(&in, EXPECT_LINES);
		x->tls = take(&in, TLS_MAX);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

struct str expect_bucket_encode(struct arena *a, const struct expect_bucket *bucket)
{
	struct buf b = begin();

	BUG_IF(bucket->n > EXPECT_WAYS);
	buf_u8(&b, (uint8_t)bucket->n);
	for (size_t i = 0; i < bucket->n; i++) {
		const struct expect *x = &bucket->e[i];

		put(&b, x->domain, EXPECT_DOMAIN_MAX);
		buf_u64(&b, (uint64_t)x->looked);
		buf_u64(&b, (uint64_t)x->until);
		buf_u8(&b, (uint8_t)x->proof);
		buf_u64(&b, (uint64_t)x->seen);
		buf_u8(&b, (uint8_t)x->line);
		put(&b, x->tls, TLS_MAX);
	}
	return finish(a, &b);
}

enum err expect_wishes_decode(struct str value, struct arena *a, struct expect_wish **out,
			      size_t *n)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, VERSION);

	if (e)
		return e;
	*n = scan_below(&in, EXPECT_WANTED_MAX + 1);
	*out = ARENA_ARRAY(a, struct expect_wish, *n + 1);
	for (size_t i = 0; i < *n; i++) {
		(*out)[i].domain = take(&in, EXPECT_DOMAIN_MAX);
		(*out)[i].asked = (int64_t)scan_u64(&in);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

struct str expect_wishes_encode(struct arena *a, const struct expect_wish *w, size_t n)
{
	struct buf b = begin();

	BUG_IF(n > EXPECT_WANTED_MAX);
	buf_u8(&b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		put(&b, w[i].domain, EXPECT_DOMAIN_MAX);
		buf_u64(&b, (uint64_t)w[i].asked);
	}
	return finish(a, &b);
}
