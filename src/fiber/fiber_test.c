/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "fiber/fiber.h"

static unsigned turns;

static void turn(void *arg)
{
	for (int i = 0; i < 10; i++) {
		turns += *(unsigned *)arg;
		fiber_yield();
	}
}

static void switching(void *arg)
{
	struct group *g = group_new();
	unsigned one = 1, ten = 10;

	(void)arg;
	CHECK_NUM(group_spawn(g, "one", turn, &one), OK);
	CHECK_NUM(group_spawn(g, "ten", turn, &ten), OK);
	CHECK_NUM(group_size(g), 2);
	CHECK_NUM(turns, 0);
	CHECK_NUM(group_wait(g, NEVER), OK);
	CHECK_NUM(turns, 110);
	group_close(&g);
	CHECK(!g);
}

int main(void)
{
	fiber_main(switching, NULL);
	return check_done();
}
