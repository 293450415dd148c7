/* SPDX-License-Identifier: ISC */
#ifndef GUARD_H
#define GUARD_H
/*
 * guard.h - the lockout as it is kept: the policy of guard/lockout.h applied to records in the
 * store, and in memory those addresses that are closed just now.
 *
 *   lockout:  k        the secret under which addresses are spread and passwords hashed
 *             b/<hex>  one of GUARD_BUCKETS: u8 version, u32 changes, records (lockout_put)
 *             l        u8 version, u64 changes of what is closed, the last buckets it was in
 *
 * Each counted error is one update of one bucket, durable when the login is answered; so
 * several keepers over one store count together. Who is closed is looked up in memory; a watch
 * on the partition brings what others changed.
 *
 * Bounded: a bucket holds BUCKET_RECORDS addresses; then the one goes whose last error is the
 * longest ago, and one that is closed only if all are. Never closed are the machine's own
 * addresses (127.0.0.1, ::1, those of its interfaces) and the networks of the configuration;
 * the rest of 127.0.0.0/8 counts as strangers.
 */
#include "guard/lockout.h"
#include "store/store.h"

#define GUARD_PARTITION "lockout"
enum { GUARD_BUCKETS = 4096, BUCKET_RECORDS = 512, GUARD_VERSION = 1 };

struct guard;

struct guard_conf {
	struct lockout_rules rules;
	struct nets exempt; /* never closed; borrowed until guard_configure */
};

/* Who is banned and who no longer; called in any fiber of the keeper, must not suspend. Also
 * for each ban that is in force at the start. */
struct guard_news {
	void (*banned)(void *arg, const struct net *who, int64_t until);
	void (*free)(void *arg, const struct net *who);
	void *arg;
};

/* (suspends) Reads who is closed, starts watching and sweeping. The store's errors. */
MUST enum err guard_new(struct store *st, const struct guard_conf *conf, struct guard_news news,
			struct guard **out);
void guard_configure(struct guard *g, const struct guard_conf *conf); /* news of each ban, too */
void guard_tell_banned(struct guard *g); /* news of each ban in force, once more */
void guard_close(struct guard **g);      /* (suspends) */
const struct lockout_rules *guard_rules(const struct guard *g);

/* (quick) Who is counted for errors from this address. False: nobody, it is exempt or none. */
bool guard_counts(const struct guard *g, struct str ip, struct net *who);

/* Why an address is not heard. */
struct closed {
	enum lockout_state state;
	bool by_hand;
	int64_t until; /* UTC seconds */
};
/* (quick) Is it closed to this address just now? False for what is no address. */
bool guard_closed(const struct guard *g, struct str ip, struct closed *out);
/* (quick) How many addresses are closed just now. */
size_t guard_count(const struct guard *g);
/* One line for the client, German and English, ASCII: until when, and why. */
struct str guard_sentence(const struct guard *g, const struct closed *c, struct arena *a);

/* (suspends) Counts a wrong password; logs a block or ban. Exempt addresses are not counted.
 * failures: so many are within the window now. Where the store does not take it, the address is
 * closed for a minute, in memory only: guessing is not free while a disk is full. */
struct wrong {
	struct str ip, user, password;
};
enum lockout_effect guard_failed(struct guard *g, const struct wrong *w, unsigned *failures);

/* --- the operator's; suspend --- */
/* "ADDRESS" as an address counts, or an IPv6 network as the list shows it. False: neither. */
bool guard_who(const struct guard *g, struct str text, struct net *out);
/* E_NOTFOUND: nothing is known of it. */
MUST enum err guard_show(struct guard *g, const struct net *who, struct lockout *out);
MUST enum err guard_release(struct guard *g, const struct net *who); /* E_NOTFOUND */
/* E_DENIED: it may never be closed; E_EXISTS: it is closed for as long already. A ban stays one. */
MUST enum err guard_block(struct guard *g, const struct net *who, uint32_t length_s);
/* (quick) Why n is never closed: it is, or lies in, one of these; or one of these lies in n. */
enum guard_exempt { GUARD_COUNTS, GUARD_MACHINE, GUARD_NETWORK, GUARD_AROUND };
enum guard_exempt guard_exempt_why(const struct guard *g, const struct net *n);
/* Those that are closed, from bucket *at on; *at is where to go on, GUARD_BUCKETS at the end.
 * row's record lives for the call. Stops behind the bucket in which max rows were reached. */
MUST enum err guard_list(struct guard *g, unsigned *at, size_t max,
			 void (*row)(void *arg, const struct lockout *l), void *arg);

#endif
