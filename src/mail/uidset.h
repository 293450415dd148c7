/* SPDX-License-Identifier: ISC */
#ifndef MAIL_UIDSET_H
#define MAIL_UIDSET_H
/*
 * uidset.h - sets of UIDs or message numbers: sorted ranges that neither overlap nor touch.
 * RFC 3501 9 "sequence-set". Results live in the arena. Never suspends.
 */
#include "base/base.h"
#include "base/buf.h"

struct uid_range {
	uint32_t first, last; /* 1 <= first <= last */
};
struct uidset {
	const struct uid_range *range;
	size_t n;
};

enum { UIDSET_RANGES_MAX = 100000 };

/* Reads a sequence-set off the scanner; `star` is the largest number in use, which "*" means
 * (0: the mailbox is empty, then "*" is 0 and gives nothing). "5:*" with star 3 is 3:5.
 * Unsorted, overlapping input is put in order. Fails the scanner where it is not in the grammar. */
struct uidset uidset_scan(struct scan *in, struct arena *a, uint32_t star);
void uidset_put(struct buf *b, struct uidset s); /* "1:3,7"; nothing for the empty set */
bool uidset_has(struct uidset s, uint32_t uid);
uint64_t uidset_count(struct uidset s);
struct uidset uidset_minus(struct arena *a, struct uidset from, struct uidset what);
struct uidset uidset_both(struct arena *a, struct uidset x, struct uidset y);
struct uidset uidset_union(struct arena *a, struct uidset x, struct uidset y);
struct uidset uidset_one(struct arena *a, uint32_t first, uint32_t last);

/* Building one in ascending order of uid. */
struct uidset_builder {
	struct arena *a;
	struct uid_range *range;
	size_t n, cap;
};
void uidset_add(struct uidset_builder *b, uint32_t uid); /* uid is above all before it */
void uidset_add_range(struct uidset_builder *b, uint32_t first, uint32_t last);
struct uidset uidset_done(const struct uidset_builder *b);

/* Walking: for (uint32_t u = uidset_first(s); u; u = uidset_next(s, u)); 0 is the end. */
uint32_t uidset_first(struct uidset s);
uint32_t uidset_next(struct uidset s, uint32_t after);

#endif
