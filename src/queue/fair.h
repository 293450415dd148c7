/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_FAIR_H
#define QUEUE_FAIR_H
/*
 * fair.h - whose turn it is: the order among destinations, and how many tries each may have at the
 * same time. Never suspends.
 *
 * Destinations with something due take turns. Each has a window of tries: one before it has ever
 * answered, then window_first; it grows by one with each full window of successes and is halved by
 * a 4yz. One that cannot be reached gets one try at a time and a pause that doubles.
 *
 * There are two kinds of slots. A try begins in a quick one; a try that has lasted longer than
 * slow_ms, and each of a destination that could not be reached last time, is in a slow one. So a
 * dead destination costs a quick slot for slow_ms, once, while a slow one is free. Destinations
 * that have not answered yet never have more than half of the quick slots, however many are dead.
 *
 * Memory: a little over 100 octets and the name for each destination that is not idle, whatever
 * is queued for it. Times are milliseconds of one clock.
 */
#include "base/base.h"

struct fair;
struct fair_dest; /* lives until its last slot is given back and nothing is due */

struct fair_conf {
	unsigned quick, slow; /* slots in all */
	unsigned window_first, window_max;
	unsigned slow_ms;
	unsigned pause_ms, pause_max_ms; /* of a destination that cannot be reached */
	size_t dests_max;
};

struct fair *fair_new(const struct fair_conf *conf);
void fair_free(struct fair **f);

/* Something is due for it at this time, at the latest. E_LIMIT: too many destinations. */
MUST enum err fair_due(struct fair *f, struct str name, int64_t at);

/* It rests no longer: somebody knows that it can be reached again, or wants to know. */
void fair_wake(struct fair *f, struct str name);

/* A slot for whoever has its turn; to be given back with fair_done. E_NOTFOUND: nobody now. */
struct fair_slot {
	struct fair_dest *dest;
	struct str name; /* the destination's; lives as long as it has the slot */
	uint32_t number;
	uint32_t news; /* what was known of it when the slot was given */
};
MUST enum err fair_next(struct fair *f, int64_t now, struct fair_slot *out);

enum fair_answer {
	FAIR_NOTHING, /* there was nothing to do: no try was made */
	FAIR_TAKEN,
	FAIR_LATER,     /* it answers, and wants less */
	FAIR_UNREACHED, /* no connection, or it broke */
};
/* more: when the next of its mails is due, as the store said since the slot was given; INT64_MAX:
 * none. What was heard meanwhile by fair_due or from another try is not forgotten for it. */
void fair_done(struct fair *f, struct fair_slot *slot, enum fair_answer answer, int64_t more,
	       int64_t now);

/* When fair_next is to be asked again if nothing else happens; INT64_MAX: never. */
int64_t fair_wait(struct fair *f, int64_t now);

struct fair_stats {
	size_t dests, quick, slow; /* slots that are taken */
};
struct fair_stats fair_stats(const struct fair *f);
/* How many tries it may have at the same time; 0: nothing is known of it. */
unsigned fair_window(const struct fair *f, struct str name);

#endif
