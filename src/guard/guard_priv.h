/* SPDX-License-Identifier: ISC */
#ifndef GUARD_PRIV_H
#define GUARD_PRIV_H
/* guard_priv.h - what guard.c (decisions), buckets.c (in the store) and watch.c share. */
#include "fiber/fiber.h"
#include "guard/guard.h"

struct shut { /* one closed address in memory: 24 octets */
	uint8_t octets[16];
	uint32_t until;
	uint8_t bits, state, by_hand;
};
struct shuts {             /* those of one bucket */
	struct shut *item; /* owned */
	uint32_t n;
	uint32_t changes; /* the bucket's, as of which this is */
};

struct guard {
	struct store *store; /* borrowed */
	struct guard_conf conf;
	struct guard_news news;
	uint8_t secret[16];
	struct shuts bucket[GUARD_BUCKETS];
	struct net machine[64];
	size_t nmachine;
	struct watch *watch;
	uint64_t seen; /* of the log of changes */
	struct group *group;
	unsigned swept; /* the next bucket to be swept */
};

/* A bucket's records, in an arena. */
struct records {
	struct lockout *item;
	size_t n;
	uint32_t changes;
};

/* What is done to one bucket in an update. */
struct guard_update {
	struct guard *g;
	unsigned bucket;
	int64_t now;
	struct lockout_rules rules;
	struct net who;
	uint32_t what;
	enum lockout_state state;
	uint32_t length_s;
	/* Applied to the record of who; anything but OK: nothing is written. */
	enum err (*apply)(struct guard_update *c, struct lockout *l);
	/* results, set anew in each run */
	enum lockout_effect effect;
	struct lockout after;
	struct shuts shuts; /* item: owned by whoever runs the update */
};

unsigned guard_bucket(const struct guard *g, const struct net *who);
bool guard_exempt(const struct guard *g, const struct net *address);
MUST enum err guard_secret(struct guard *g); /* makes or reads it */
/* Changes the record of c->who, durably, and takes what is closed now into memory. */
MUST enum err guard_change(struct guard_update *c);
/* Reads the record of who. E_NOTFOUND. */
MUST enum err guard_record(struct guard *g, const struct net *who, struct lockout *out);
/* Reads buckets [from, to) anew; all that exist. */
MUST enum err guard_load(struct guard *g, unsigned from, unsigned to);
/* Takes the closed ones of a bucket into memory (and frees item) unless memory is newer. */
void guard_take(struct guard *g, unsigned bucket, struct shuts *fresh);
/* Writes buckets [from, to) without what is over. */
MUST enum err guard_sweep(struct guard *g, unsigned from, unsigned to);
/* Which buckets changed after *seen; all: more than the log knows. Moves *seen. */
struct changed {
	uint16_t bucket[512];
	size_t n;
	bool all;
};
MUST enum err guard_changed(struct guard *g, uint64_t *seen, struct changed *out);
/* A row for each record of a bucket. */
MUST enum err guard_each(struct guard *g, unsigned bucket,
			 void (*row)(void *arg, const struct lockout *l), void *arg);
void guard_refresh(struct guard *g);        /* the addresses of the machine */
MUST enum err guard_start(struct guard *g); /* the fibers of watch.c */

#endif
