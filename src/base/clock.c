/* SPDX-License-Identifier: ISC */
#include <stdatomic.h>

#include "base/base.h"
#include "base/clock.h"

/*
 * The fake clocks are what the true ones said at the first step, plus all steps since: one sum
 * for both, so that another thread never sees one clock ahead of the other.
 */
static int64_t frozen_ms, frozen_wall_ms; /* written once, before faked is set */
static _Atomic int64_t stepped_ms, set_ms;
static _Atomic bool faked;

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	BUG_IF(clock_gettime(id, &t) != 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_faked(void)
{
	return atomic_load_explicit(&faked, memory_order_acquire);
}

int64_t clock_ms(void)
{
	return is_faked() ? frozen_ms + atomic_load(&stepped_ms) : read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return is_faked() ? frozen_wall_ms + atomic_load(&stepped_ms) + atomic_load(&set_ms)
			  : read_ms(CLOCK_REALTIME);
}

int64_t clock_wall(void)
{
	return clock_wall_ms() / 1000;
}

int64_t clock_in(int64_t ms)
{
	int64_t at;

	if (__builtin_add_overflow(clock_ms(), ms, &at))
		return ms > 0 ? NEVER : INT64_MIN;
	return at;
}

void clock_fake_step(int64_t ms)
{
	if (!is_faked()) {
		frozen_ms = read_ms(CLOCK_MONOTONIC);
		frozen_wall_ms = read_ms(CLOCK_REALTIME);
		atomic_store_explicit(&faked, true, memory_order_release);
	}
	atomic_fetch_add(&stepped_ms, ms);
}

void clock_fake_set(int64_t ms)
{
	clock_fake_step(0);
	atomic_fetch_add(&set_ms, ms);
}
