/* SPDX-License-Identifier: ISC */
/* keeper/day.c - days: read, compared, written. */
#include "keeper/day.h"

static uint32_t number(unsigned y, unsigned m, unsigned d)
{
	return y * 10000 + m * 100 + d;
}

static unsigned days_in(unsigned y, unsigned m)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return days[m - 1] + (m == 2 && leap);
}

static unsigned digits(struct scan *in, size_t n)
{
	struct scan part = scan(scan_take(in, n));
	unsigned value = (unsigned)scan_num(&part, 9999);

	if (!scan_end(&part))
		scan_fail(in);
	return value;
}

enum err day_parse(struct str text, uint32_t *out)
{
	struct scan in = scan(text);
	unsigned y, m, d;

	if (text.n > 2 && text.p[2] == '.') {
		d = digits(&in, 2);
		scan_lit(&in, ".");
		m = digits(&in, 2);
		scan_lit(&in, ".");
		y = digits(&in, 4);
	} else {
		y = digits(&in, 4);
		scan_lit(&in, "-");
		m = digits(&in, 2);
		scan_lit(&in, "-");
		d = digits(&in, 2);
	}
	if (!scan_end(&in) || y < 2000 || m < 1 || m > 12 || d < 1 || d > days_in(y, m))
		return E_SYNTAX;
	*out = number(y, m, d);
	return OK;
}

uint32_t day_of(int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm at;

	localtime_r(&t, &at);
	return number((unsigned)at.tm_year + 1900, (unsigned)at.tm_mon + 1, (unsigned)at.tm_mday);
}

bool day_over(uint32_t day, int64_t now)
{
	return day && day_of(now) > day;
}

struct str day_de(struct arena *a, uint32_t day)
{
	return str_fmt(a, "%02u.%02u.%04u", day % 100, day / 100 % 100, day / 10000);
}

struct str day_en(struct arena *a, uint32_t day)
{
	return str_fmt(a, "%04u-%02u-%02u", day / 10000, day / 100 % 100, day % 100);
}
