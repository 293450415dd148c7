/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_EXPECT_RECORD_H
#define QUEUE_EXPECT_RECORD_H
/*
 * expect_record.h - expectations as octets; for expect.c, its tests and the fuzzers. A value begins
 * with its format version. Never suspends.
 *
 *   partition "expect", keys:
 *   d/%03x   hash of a domain: a bucket, up to EXPECT_WAYS records
 *   w        the domains that are wanted, the first first
 */
#include "queue/expect.h"

struct expect_bucket {
	size_t n;
	struct expect e[EXPECT_WAYS];
};
/* Texts point into value. E_CORRUPT, E_VERSION. */
MUST enum err expect_bucket_decode(struct str value, struct expect_bucket *out);
struct str expect_bucket_encode(struct arena *a, const struct expect_bucket *b);

struct expect_wish {
	struct str domain;
	int64_t asked;
};
MUST enum err expect_wishes_decode(struct str value, struct arena *a, struct expect_wish **out,
				   size_t *n);
struct str expect_wishes_encode(struct arena *a, const struct expect_wish *w, size_t n);

#endif
