/* SPDX-License-Identifier: ISC */
/*
 * switch - what it costs to go from one fiber to another and back. Run from a build without
 * sanitizers: build/bench/switch
 */
#include <stdio.h>

#include "base/base.h"
#include "fiber/fiber.h"

enum { YIELDS = 4 * 1000 * 1000, MANY = 10000 };

static int64_t now_ns(void)
{
	struct timespec t;

	BUG_IF(clock_gettime(CLOCK_MONOTONIC, &t) != 0);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void yields(void *arg)
{
	for (unsigned n = *(unsigned *)arg; n; n--)
		fiber_yield();
}

static void measure(unsigned fibers)
{
	struct group *g = group_new();
	unsigned each = YIELDS / fibers;
	int64_t start = now_ns();

	for (unsigned i = 0; i < fibers; i++)
		BUG_IF(group_spawn(g, "yields", yields, &each) != OK);
	BUG_IF(group_wait(g, NEVER) != OK);
	printf("%6u fibers: %6.1f ns a turn (suspend, loop, resume)\n", fibers,
	       (double)(now_ns() - start) / (each * fibers));
	group_close(&g);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void births(void)
{
	struct group *g = group_new();
	int64_t start = now_ns();

	for (unsigned i = 0; i < YIELDS / 8; i++) {
		BUG_IF(group_spawn(g, "nothing", nothing, NULL) != OK);
		fiber_yield();
	}
	printf("%6.1f ns for a fiber from spawn to end\n",
	       (double)(now_ns() - start) / (YIELDS / 8));
	group_close(&g);
}

static void run(void *arg)
{
	(void)arg;
	measure(1);
	measure(2);
	measure(100);
	measure(MANY);
	births();
}

int main(void)
{
	fiber_main(run, NULL);
	return 0;
}
