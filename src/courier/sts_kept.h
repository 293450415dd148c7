/* SPDX-License-Identifier: ISC */
#ifndef COURIER_STS_KEPT_H
#define COURIER_STS_KEPT_H
/*
 * sts_kept.h - policies in the store: partition "sts", p/<domain> each, and n, how many they are.
 *
 * For:      sts.c alone. Suspends: sts_kept_*.
 * Bounded:  STS_KEPT_MAX policies; then those that are over go, or the ones fetched longest ago.
 */
#include "store/store.h"
#include "trust/mta_sts.h"

enum { STS_VERSION = 1, STS_KEPT_MAX = 20000, STS_EVICTED = 500 };

struct sts_kept {
	struct str id;   /* of the TXT record that it came with */
	int64_t fetched; /* UTC seconds; max_age counts from here */
	int64_t tried;   /* when a refresh was begun last */
	struct mta_sts policy;
};
/* (quick) The record. Texts of what is decoded point into value. E_CORRUPT, E_VERSION. */
struct str sts_encode(struct arena *a, const struct sts_kept *k);
MUST enum err sts_decode(struct str value, struct arena *a, struct sts_kept *out);
static inline bool sts_over(const struct sts_kept *k, int64_t now)
{
	return now >= k->fetched + (int64_t)k->policy.max_age;
}

MUST enum err sts_kept_get(struct store *st, struct str domain, struct arena *a,
			   struct sts_kept *out); /* E_NOTFOUND */
MUST enum err sts_kept_put(struct store *st, struct str domain, const struct sts_kept *k);
/*
 * Domains after `after` whose policy is to be fetched anew, at most max: `every` seconds after the
 * last time, but in good time before it is over, and once it failed, four times as often. From now
 * on they count as tried, so that no other courier takes them. Those that are over are removed.
 * *last: where to go on; *n == 0 and *more false: there are no more.
 */
struct sts_due {
	struct str after;
	int64_t now, every;
	size_t max;
	struct str *domain; /* max of them; results in a */
	size_t n;
	struct str last;
	bool more;
};
MUST enum err sts_kept_due(struct store *st, struct arena *a, struct sts_due *d);

#endif
