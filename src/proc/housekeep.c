/* SPDX-License-Identifier: ISC */
/* proc/housekeep.c - what somebody has to do now and then: the first session process does it. */
#include "proc/child.h"

enum { HOUSEKEEP_MS = 10 * 60 * 1000 };

/* Segments that are mostly dead are rewritten and their room is given back. */
static void reclaim(struct store *store)
{
	uint64_t octets = 0;
	enum err e = store_reclaim(store, &octets);

	if (e)
		log_event(LOG_WARN, "reclaim.failed", KVE(e));
	else if (octets)
		log_event(LOG_INFO, "reclaim", KVN("octets", octets));
}

static void housekeep(void *arg)
{
	struct child *c = arg;

	while (fiber_sleep(clock_in(HOUSEKEEP_MS)) == OK)
		reclaim(c->store);
}

enum err housekeep_start(struct child *c)
{
	return group_spawn(c->accepting, "housekeep", housekeep, c);
}
