/* SPDX-License-Identifier: ISC */
/* Tests of days. */
#include "check.h"
#include "keeper/day.h"

static void test_parse(struct arena *a)
{
	static const struct {
		const char *text;
		uint32_t day;
	} rows[] = {
		{ "2026-12-31", 20261231 },
		{ "31.12.2026", 20261231 },
		{ "2028-02-29", 20280229 },
		{ "29.02.2000", 20000229 },
		{ "2026-02-29", 0 },
		{ "2100-02-29", 0 },
		{ "2026-13-01", 0 },
		{ "2026-00-01", 0 },
		{ "2026-01-00", 0 },
		{ "2026-04-31", 0 },
		{ "1999-12-31", 0 },
		{ "2026-1-1", 0 },
		{ "1.1.2026", 0 },
		{ "2026-12-31 ", 0 },
		{ "2026/12/31", 0 },
		{ "+026-12-31", 0 },
		{ "", 0 },
		{ "never", 0 },
		{ "31.12.26", 0 },
		{ "2026-12-3x", 0 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint32_t day = 0;
		enum err e = day_parse(str_of(rows[i].text), &day);

		if (!CHECK_NUM(e, rows[i].day ? OK : E_SYNTAX) || !CHECK_NUM(day, rows[i].day))
			fprintf(stderr, "  row %zu: %s\n", i, rows[i].text);
	}
	CHECK_STR(day_de(a, 20260105), "05.01.2026");
	CHECK_STR(day_en(a, 20260105), "2026-01-05");
}

/* The day lasts until the midnight of the machine's zone, not of UTC. */
static void test_over(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	CHECK_NUM(day_of(1798757999), 20261231); /* 2026-12-31 22:59:59 UTC */
	CHECK(!day_over(20261231, 1798757999));
	CHECK_NUM(day_of(1798758000), 20270101);
	CHECK(day_over(20261231, 1798758000));
	CHECK(!day_over(0, 1798758000));
	setenv("TZ", "UTC0", 1);
	tzset();
	CHECK(!day_over(20261231, 1798758000));
}

int main(void)
{
	struct arena *a = arena_new(1 << 16);

	test_parse(a);
	test_over();
	arena_free(&a);
	return check_done();
}
