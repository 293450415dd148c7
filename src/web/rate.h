/* SPDX-License-Identifier: ISC */
#ifndef WEB_RATE_H
#define WEB_RATE_H
/*
 * rate.h - how much an address may ask, in a table of fixed size: who has asked least for a
 * while makes room for others. An IPv6 network of 64 bits is one address. Never suspends.
 */
#include "base/base.h"
#include "guard/net.h"

enum {
	RATE_SETS = 1024,
	RATE_WAYS = 4,
	RATE_BUDGET = 600,    /* units that may be spent at once */
	RATE_REFILL_MS = 100, /* for each unit */
	RATE_READ = 1,        /* units: a page */
	RATE_WRITE = 20,      /* a form that was sent */
};

struct rate {
	struct net who;
	int64_t full_at; /* clock_ms at which all has come back */
};
struct rates {
	struct rate rate[RATE_SETS][RATE_WAYS];
};

/* Spends so many units of an address; false: it has not got them just now. */
bool rate_spend(struct rates *r, struct str ip, unsigned units, int64_t now_ms);

#endif
