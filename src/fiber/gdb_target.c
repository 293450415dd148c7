/* SPDX-License-Identifier: ISC */
/* A process with one fiber of each kind of wait, that dies: gdb_test.sh looks at it. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fiber/fiber.h"

static struct signal never_raised;
static int pair[2];

static void reads(void *arg)
{
	(void)arg;
	_exit((int)fiber_wait_fd(pair[0], FD_READ, clock_in(60 * 1000)));
}

__attribute__((noinline)) static void level(unsigned n)
{
	if (n && n < 10)
		level(n - 1);
	else if (signal_wait(&never_raised, 0, NEVER) == OK)
		_exit(3);
	__asm__ volatile("" : : : "memory"); /* so that no call here is the last one */
}

static void waits(void *arg)
{
	(void)arg;
	level(3);
}

static void die(void *arg)
{
	struct group *g = group_new();

	(void)arg;
	if (group_spawn(g, "reader", reads, NULL) != OK ||
	    group_spawn(g, "waiter", waits, NULL) != OK)
		_exit(1);
	fiber_yield();
	(void)raise(SIGTRAP);
	_exit(2);
}

int main(void)
{
	static const struct rlimit no_core;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return 1;
	fiber_main(die, NULL);
	return 0;
}
