/* SPDX-License-Identifier: ISC */
/* guard/watch.c - what others changed comes into memory; what is over goes. */
#include "base/clock.h"
#include "base/log.h"
#include "guard/guard_priv.h"

enum {
	TICK_MS = 5000,
	RETRY_MS = 30000,
	SWEEP_TICKS = 12,   /* every minute */
	SWEEP_BUCKETS = 64, /* so that all have their turn within 64 minutes */
	STEP_S = 2,         /* so far may the two clocks part within a tick */
};

/* One that cannot be read keeps nobody from the others. Gives the first error. */
static enum err load(struct guard *g, unsigned from, unsigned to, enum err before)
{
	enum err e = guard_load(g, from, to);

	return before ? before : e;
}

/* What others closed or opened since; g->seen moves only where all of it was read. */
static enum err catch_up(struct guard *g)
{
	struct changed changed = { 0 };
	uint64_t seen = g->seen;
	enum err e = guard_changed(g, &seen, &changed);

	for (size_t i = 0; i < changed.n; i++)
		e = load(g, changed.bucket[i], changed.bucket[i] + 1u, e);
	for (unsigned b = 0; changed.all && b < GUARD_BUCKETS; b += SWEEP_BUCKETS)
		e = load(g, b, b + SWEEP_BUCKETS, e);
	if (e)
		log_event(LOG_ERROR, "lockout.unread", KVE(e));
	else
		g->seen = seen;
	return e;
}

static void follow(void *arg)
{
	struct guard *g = arg;
	struct signal *s = watch_signal(g->watch);
	uint64_t count = 0; /* as it was when the watch began, before anything was read */
	int64_t again = NEVER;
	enum err e;

	while ((e = signal_wait(s, count, again)) == OK || e == E_TIMEOUT) {
		count = s->count;
		again = catch_up(g) ? clock_in(RETRY_MS) : NEVER;
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
