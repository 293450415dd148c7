/* SPDX-License-Identifier: ISC */
/* keeper/guard_watch.c - what others changed comes into memory; what is over goes. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/guard_priv.h"

enum {
	TICK_MS = 5000,
	SWEEP_TICKS = 12,   /* every minute */
	SWEEP_BUCKETS = 64, /* so that all have their turn within 64 minutes */
	STEP_S = 2,         /* so far may the two clocks part within a tick */
};

static void follow(void *arg)
{
	struct guard *g = arg;
	struct signal *s = watch_signal(g->watch);
	uint64_t count = 0; /* as it was when the watch began, before anything was read */

	while (signal_wait(s, count, NEVER) == OK) {
		struct changed changed = { 0 };
		count = s->count;
		enum err e = guard_changed(g, &g->seen, &changed);

		for (size_t i = 0; !e && i < changed.n; i++)
			e = guard_load(g, changed.bucket[i], changed.bucket[i] + 1u);
		for (unsigned b = 0; !e && changed.all && b < GUARD_BUCKETS; b += SWEEP_BUCKETS)
			e = guard_load(g, b, b + SWEEP_BUCKETS);
		if (e)
			log_event(LOG_ERROR, "lockout.unread", KVE(e));
	}
}

/* Where the wall clock was set back, times ahead are made now, in the store too: else they
 * would be forgiven only when the clock has come there again. */
static void sweep_some(struct guard *g, unsigned buckets)
{
	enum err e = OK;

	for (unsigned n = 0; !e && n < buckets; n += SWEEP_BUCKETS) {
		e = guard_sweep(g, g->swept, g->swept + SWEEP_BUCKETS);
		g->swept = (g->swept + SWEEP_BUCKETS) % GUARD_BUCKETS;
	}
	if (e)
		log_event(LOG_WARN, "lockout.sweep", KVE(e));
}

static void tick(void *arg)
{
	struct guard *g = arg;
	int64_t wall = clock_wall(), mono = clock_ms();

	for (unsigned n = 1; fiber_sleep(clock_in(TICK_MS)) == OK; n++) {
		int64_t passed = (clock_ms() - mono) / 1000;

		if (clock_wall() + STEP_S < wall + passed) {
			log_event(LOG_WARN, "clock.back",
				  KVN("seconds", wall + passed - clock_wall()));
			sweep_some(g, GUARD_BUCKETS);
		} else if (n % SWEEP_TICKS == 0) {
			guard_refresh(g);
			sweep_some(g, SWEEP_BUCKETS);
		}
		wall = clock_wall();
		mono = clock_ms();
	}
}

enum err guard_start(struct guard *g)
{
	enum err e = group_spawn(g->group, "lockout-watch", follow, g);

	return e ? e : group_spawn(g->group, "lockout-sweep", tick, g);
}
