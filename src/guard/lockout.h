/* SPDX-License-Identifier: ISC */
#ifndef GUARD_LOCKOUT_H
#define GUARD_LOCKOUT_H
/*
 * lockout.h - the policy, pure: what wrong passwords do to the address they came from.
 *
 * What was promised: up to 4 wrong passwords within 20 minutes are tolerated; after the 5th the
 * server is closed to the address for 20 minutes; after the 3rd such block within 24 hours the
 * whole machine is closed to it for 24 hours. The numbers are lockout_rules.
 *
 * The edges, all times in whole seconds:
 *   - An error at t counts until t + window_s, which is not in it any more: the fifth exactly
 *     20:00 after the first finds four.
 *   - A block ends at `until`, and the first attempt is heard in that second.
 *   - A block counts from its start for the day, with the same edge.
 *   - A block takes the errors that led to it along: the count begins anew behind it.
 *   - While it is closed to an address nothing from there is counted: it is not heard.
 *   - A right password changes nothing.
 *   - Times that lie ahead (the clock was set back) are taken for now: nothing is forgiven
 *     early, and nothing lasts longer than its length from now.
 *
 * Never suspends, reads no clock.
 */
#include "base/buf.h"
#include "guard/net.h"

enum { ERRORS_MAX = 20, BLOCKS_MAX = 10 };

struct lockout_rules {
	unsigned errors; /* 1..ERRORS_MAX: so many within the window close */
	unsigned blocks; /* 1..BLOCKS_MAX: so many within the day ban */
	int64_t window_s, block_s, day_s, ban_s;
	unsigned prefix6;   /* bits of an IPv6 address that make a stranger: 1..128 */
	bool count_repeats; /* the same wrong password for the same user counts each time */
};
struct lockout_rules lockout_rules_default(void);

/* Who is counted as one: an IPv4 address, or the network of an IPv6 address. */
struct net lockout_key(struct net address, const struct lockout_rules *r);

enum lockout_state { LOCKOUT_OPEN, LOCKOUT_BLOCKED, LOCKOUT_BANNED };

/* What is known of one address. Times are seconds since 1970, until 2106. */
struct lockout {
	struct net who;
	uint8_t state;   /* enum lockout_state */
	uint8_t by_hand; /* an operator's, not a count's */
	uint8_t nfails, nblocks;
	uint32_t until;    /* of state, the first second it is open again */
	uint32_t length_s; /* that the state was given for */
	uint32_t fails[ERRORS_MAX];
	uint32_t what[ERRORS_MAX];   /* keyed hash of user and password, 0 where repeats count */
	uint32_t blocks[BLOCKS_MAX]; /* when they began */
};

/* Forgets what is over as of now; every other call does so first. */
void lockout_settle(struct lockout *l, const struct lockout_rules *r, int64_t now);
/* Nothing is left to know. */
bool lockout_is_blank(const struct lockout *l);
/* When the last thing happened that is kept; for what to forget first where room is short. */
uint32_t lockout_latest(const struct lockout *l);

enum lockout_effect {
	LOCKOUT_UNHEARD,  /* closed already: not counted */
	LOCKOUT_REPEATED, /* the same mistake: not counted */
	LOCKOUT_COUNTED,
	LOCKOUT_CLOSED, /* this one closed it: see state */
};
/* A wrong password; what: hash of user and password if repeats do not count, else 0. */
enum lockout_effect lockout_fail(struct lockout *l, const struct lockout_rules *r, int64_t now,
				 uint32_t what);
/* By the operator's hand; a block of his is none of the three. */
void lockout_close(struct lockout *l, const struct lockout_rules *r, int64_t now,
		   enum lockout_state state, uint32_t length_s);
void lockout_release(struct lockout *l); /* all is forgotten */

/* The record's octets: for 4 errors and 2 blocks 44. */
void lockout_put(struct buf *out, const struct lockout *l);
bool lockout_take(struct scan *in, struct lockout *l); /* false: not understood */

#endif
