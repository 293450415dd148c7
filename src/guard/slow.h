/* SPDX-License-Identifier: ISC */
#ifndef GUARD_SLOW_H
#define GUARD_SLOW_H
/*
 * slow.h - the policy, pure: how long strangers wait for an answer about an account that is
 * guessed at from many addresses.
 *
 * The lockout counts what one address does; a botnet has thousands and stays below it with each.
 * So for each name it is remembered which strangers (addresses that never logged in to it) were
 * refused within the window. From `after` different ones on every stranger waits, a second at
 * first, twice as long with each further address, max_ms at most; whoever came in before does
 * not: docs/lockout.md.
 *
 * Names are keyed hashes, and one that nobody has is treated like any other, so the delay does
 * not tell who exists. Bounded: SLOW_NAMES names in sets of SLOW_WAYS, each with the latest
 * SLOW_ADDRESSES; in a full set the name goes that fewest addresses were refused for, of those
 * the one that was quiet for the longest time. Kept in memory only: 1.2 MB.
 */
#include "base/base.h"

enum { SLOW_NAMES = 4096, SLOW_WAYS = 8, SLOW_ADDRESSES = 32, SLOW_FIRST_MS = 1000 };
enum { SLOW_AFTER_MAX = 24, SLOW_MOST_MS = 15000 };

struct slow_rules {
	unsigned after;   /* different addresses; 0: nobody is slowed. At most SLOW_AFTER_MAX */
	int64_t max_ms;   /* 0: nobody is slowed. At most SLOW_MOST_MS */
	int64_t window_s; /* so long a refusal counts */
};
struct slow_rules slow_rules_default(void);

struct slow;
struct slow *slow_new(void);
void slow_free(struct slow **s);

/* A stranger was refused. name, address: keyed hashes. now: seconds of a clock that never goes
 * back. */
void slow_refused(struct slow *s, const struct slow_rules *r, uint64_t name, uint32_t address,
		  int64_t now);
/* How long a stranger waits for an answer about this name, right or wrong: milliseconds. */
int64_t slow_wait_ms(const struct slow *s, const struct slow_rules *r, uint64_t name, int64_t now);

#endif
