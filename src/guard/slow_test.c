/* SPDX-License-Identifier: ISC */
/* The policy of the delay on a clock of its own, and the bounds of its table. */
#include "check.h"
#include "guard/slow.h"

enum { MIN = 60, T0 = 5000 };

static void test_steps(void)
{
	static const struct {
		unsigned after;
		int64_t max_ms;
		unsigned addresses;
		int64_t wait_ms;
	} table[] = {
		{ 5, 8000, 0, 0 },
		{ 5, 8000, 4, 0 },
		{ 5, 8000, 5, 1000 },
		{ 5, 8000, 6, 2000 },
		{ 5, 8000, 7, 4000 },
		{ 5, 8000, 8, 8000 },
		{ 5, 8000, 9, 8000 },
		{ 5, 8000, 1000, 8000 },
		{ 1, 8000, 1, 1000 },
		{ 5, 3000, 7, 3000 },
		{ 5, 300, 5, 300 },
		{ SLOW_AFTER_MAX, SLOW_MOST_MS, SLOW_AFTER_MAX - 1, 0 },
		{ SLOW_AFTER_MAX, SLOW_MOST_MS, SLOW_AFTER_MAX, 1000 },
		{ SLOW_AFTER_MAX, SLOW_MOST_MS, 1000, SLOW_MOST_MS },
		{ 0, 8000, 100, 0 }, /* switched off */
		{ 5, 0, 100, 0 },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct slow_rules r = { table[i].after, table[i].max_ms, 20 * MIN };
		struct slow *s = slow_new();
		for (unsigned n = 0; n < table[i].addresses; n++)
			slow_refused(s, &r, 77, n + 1, T0);
		CHECK_NUM(slow_wait_ms(s, &r, 77, T0), table[i].wait_ms);
		CHECK_NUM(slow_wait_ms(s, &r, 78, T0), 0);
		slow_free(&s);
	}
}

/* One address is one, however often; each counts for the window, anew with each refusal. */
static void test_window(void)
{
	struct slow_rules r = slow_rules_default();
	struct slow *s = slow_new();

	for (int i = 0; i < 100; i++)
		slow_refused(s, &r, 1, 9, T0);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0), 0);
	for (uint32_t i = 0; i < 4; i++)
		slow_refused(s, &r, 1, i, T0 + 10 * MIN);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 10 * MIN), 1000);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 20 * MIN - 1), 1000);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 20 * MIN), 0);
	slow_refused(s, &r, 1, 9, T0 + 20 * MIN);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 20 * MIN), 1000);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 30 * MIN - 1), 1000);
	CHECK_NUM(slow_wait_ms(s, &r, 1, T0 + 30 * MIN), 0);
	slow_free(&s);
}

/* Many other names, each refused to a few, do not make an attacked one forgotten; quiet ones
 * make room. */
static void test_room(void)
{
	struct slow_rules r = slow_rules_default();
	struct slow *s = slow_new();

	for (uint32_t i = 0; i < 6; i++)
		slow_refused(s, &r, 42, i, T0);
	for (uint64_t name = 1000; name < 1000 + 10 * SLOW_NAMES; name++)
		for (uint32_t i = 0; i < 3; i++)
			slow_refused(s, &r, name, i, T0 + 1);
	CHECK_NUM(slow_wait_ms(s, &r, 42, T0 + 1), 2000);
	/* All of its set is attacked: the one with the fewest addresses goes. */
	const uint64_t step = SLOW_NAMES / SLOW_WAYS;
	for (uint64_t k = 1; k < SLOW_WAYS; k++)
		for (uint32_t i = 0; i < 7; i++)
			slow_refused(s, &r, 42 + k * step, i, T0 + 2);
	slow_refused(s, &r, 42 + SLOW_WAYS * step, 1, T0 + 3);
	CHECK_NUM(slow_wait_ms(s, &r, 42, T0 + 3), 0);
	CHECK_NUM(slow_wait_ms(s, &r, 42 + step, T0 + 3), 4000);
	/* What is over makes room before what is not. */
	int64_t later = T0 + 40 * MIN;
	for (uint32_t i = 0; i < 5; i++)
		slow_refused(s, &r, 42, i, later);
	for (uint64_t k = 20; k < 20 + SLOW_WAYS - 1; k++)
		slow_refused(s, &r, 42 + k * step, 1, later);
	CHECK_NUM(slow_wait_ms(s, &r, 42, later), 1000);
	slow_free(&s);
}

int main(void)
{
	test_steps();
	test_window();
	test_room();
	return check_done();
}
