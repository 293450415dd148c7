/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/date.h"

static struct arena *a;

/* The same instant and zone, written again; NULL: refused. */
static const struct {
	const char *in, *out;
} dates[] = {
	{ "Tue, 24 Nov 2026 06:41:51 +0000", "Tue, 24 Nov 2026 06:41:51 +0000" },
	{ "24 Nov 2026 06:41 +0100", "Tue, 24 Nov 2026 06:41:00 +0100" },
	{ "Tue, 24 Nov 2026 06:41:51 -0730 (MST)", "Tue, 24 Nov 2026 06:41:51 -0730" },
	{ "Thu, 1 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 +0000" },
	{ "Thu, 29 Feb 2024 23:59:60 +0000", "Fri, 01 Mar 2024 00:00:00 +0000" },
	/* RFC 5322 A.5, A.6.2 */
	{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
	  "               -0330 (Newfoundland Time)",
	  "Thu, 13 Feb 1969 23:32:00 -0330" },
	{ "21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000" },
	{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600" },
	/* RFC 5322 4.3 */
	{ "1 Jan 49 00:00 EST", "Fri, 01 Jan 2049 00:00:00 -0500" },
	{ "1 Jan 50 00:00 PDT", "Sun, 01 Jan 1950 00:00:00 -0700" },
	{ "1 Jan 102 00:00 A", "Tue, 01 Jan 2002 00:00:00 +0000" },
	{ "1 Jan 2000 00:00 UT", "Sat, 01 Jan 2000 00:00:00 +0000" },
	{ "1 Jan 2000 00:00", "Sat, 01 Jan 2000 00:00:00 +0000" },
	{ "1 Jan 2000 00:00 -0000", "Sat, 01 Jan 2000 00:00:00 +0000" },
	/* what people write */
	{ "Tue Nov 24 06:41:51 2026", "Tue, 24 Nov 2026 06:41:51 +0000" },
	{ "Tue Nov 24 06:41:51 EST 2026", "Tue, 24 Nov 2026 06:41:51 -0500" },
	{ "Tuesday, 24-Nov-26 06:41:51 GMT+0200", "Tue, 24 Nov 2026 06:41:51 +0200" },
	{ "tue 24 nov 2026 6:41:51 +02:00", "Tue, 24 Nov 2026 06:41:51 +0200" },
	{ "24 November 2026 06:41:51.123 CEST", "Tue, 24 Nov 2026 06:41:51 +0000" },
	{ "24 Nov 2026 06:41:51 +9999", "Tue, 24 Nov 2026 06:41:51 +0000" },
	{ "(c (n) \\) ) 24 Nov 2026 06:41 Z trailing", "Tue, 24 Nov 2026 06:41:00 +0000" },
	{ "", NULL },
	{ "(never ends \\", NULL },
	{ "yesterday", NULL },
	{ "24 Nov 2026", NULL },
	{ "29 Feb 2023 00:00 +0000", NULL },
	{ "32 Jan 2026 00:00 +0000", NULL },
	{ "0 Jan 2026 00:00 +0000", NULL },
	{ "1 Foo 2026 00:00 +0000", NULL },
	{ "1 Jan 1899 00:00 +0000", NULL },
	{ "1 Jan 20260 00:00 +0000", NULL },
	{ "1 Jan 2026 24:00 +0000", NULL },
	{ "1 Jan 2026 00:60 +0000", NULL },
	{ "1 Jan 2026 00:00:61 +0000", NULL },
	{ "99999999999999999999 Jan 2026 00:00 +0000", NULL },
};

static const struct {
	const char *in, *out;
} imap[] = {
	{ "17-Jul-1996 02:44:25 -0700", "17-Jul-1996 02:44:25 -0700" },
	{ " 7-Jul-1996 02:44:25 +0000", " 7-Jul-1996 02:44:25 +0000" },
	{ "7-jul-1996 02:44:25 +0545", " 7-Jul-1996 02:44:25 +0545" },
	{ "17-Jul-1996 02:44:25", NULL },
	{ "17-Jul-1996 2:44:25 +0000", NULL },
	{ "17-Jul-96 02:44:25 +0000", NULL },
	{ "17-Jul-1996 02:44:25 +0060", NULL },
	{ "17-July-1996 02:44:25 +0000", NULL },
	{ "31-Jun-1996 02:44:25 +0000", NULL },
	{ "17-Jul-1996 02:44:25 +0000x", NULL },
	{ "", NULL },
};

/* RFC 3339 5.8, and what is none. */
static void test_iso(void)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} table[] = {
		{ "2026-11-24T06:41:51Z", "2026-11-24T06:41:51Z" },
		{ "2026-11-24t06:41:51z", "2026-11-24T06:41:51Z" },
		{ "1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50Z" },
		{ "1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z" },
		{ "2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z" },
		{ "1990-12-31T23:59:60Z", "1991-01-01T00:00:00Z" },
		{ "", NULL },
		{ "2026-11-24", NULL },
		{ "2026-11-24T06:41:51", NULL },
		{ "2026-11-24 06:41:51Z", NULL },
		{ "2026-11-24T06:41Z", NULL },
		{ "2026-11-24T06:41:51.Z", NULL },
		{ "2026-11-24T06:41:51+0100", NULL },
		{ "2026-11-24T06:41:51+24:00", NULL },
		{ "2026-11-24T06:41:51Zx", NULL },
		{ "2026-02-30T06:41:51Z", NULL },
		{ "2026-13-01T06:41:51Z", NULL },
		{ "2026-1-01T06:41:51Z", NULL },
		{ "12026-01-01T06:41:51Z", NULL },
		{ "2026-01-01T24:00:00Z", NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		int64_t utc;
		enum err e = date_iso_parse(str_of(table[i].in), &utc);

		if (!CHECK(e == (table[i].out ? OK : E_SYNTAX)))
			fprintf(stderr, "  %s\n", table[i].in);
		if (!e && table[i].out)
			CHECK_STR(date_iso(a, utc), table[i].out);
	}
}

static void test_days(void)
{
	struct date d = { .utc = -719528 * INT64_C(86400) }; /* 1 January 0 */
	int64_t day;

	/* Each day of 10,000 years follows the one before, there and back. */
	for (int64_t n = 0; n < 3652425; n += 97, d.utc += 97 * 86400) {
		struct date again;

		if (!CHECK(date_imap_parse(date_imap(a, d), &again) == OK && again.utc == d.utc))
			break;
		if (n % 1000 == 0)
			arena_reset(a);
	}
	CHECK(date_imap_day(S("1-Feb-1994"), &day) == OK);
	CHECK_NUM(day, 760060800);
	CHECK(date_imap_day(S("01-Feb-1994"), &day) == OK);
	CHECK(date_imap_day(S("1-Feb-94"), &day) == E_SYNTAX);
	CHECK(date_imap_day(S("30-Feb-1994"), &day) == E_SYNTAX);
	CHECK(date_imap_day(S("1-Feb-1994 "), &day) == E_SYNTAX);
	CHECK_NUM(date_day((struct date){ .utc = 86400 - 1800, .zone = 60 }), 86400);
	CHECK_NUM(date_day((struct date){ .utc = 86400 - 1800, .zone = 0 }), 0);
	CHECK_NUM(date_day((struct date){ .utc = -1 }), -86400);
	test_iso();
	CHECK_STR(date_iso(a, 1795502511), "2026-11-24T06:41:51Z");
	CHECK_STR(date_iso(a, INT64_MAX), "9999-12-31T23:59:59Z");
	CHECK_STR(date_iso(a, INT64_MIN), "0000-01-01T00:00:00Z");
}

int main(void)
{
	a = arena_new(64 * 1024 * 1024);
	for (size_t i = 0; i < LENGTH(dates); i++) {
		struct date d;
		enum err e = date_parse(str_of(dates[i].in), &d);

		CHECK(e == (dates[i].out ? OK : E_SYNTAX));
		if (!e && dates[i].out)
			CHECK_STR(date_rfc5322(a, d), dates[i].out);
		else if (!!e == !!dates[i].out)
			fprintf(stderr, "  %s\n", dates[i].in);
	}
	for (size_t i = 0; i < LENGTH(imap); i++) {
		struct date d;
		enum err e = date_imap_parse(str_of(imap[i].in), &d);

		CHECK(e == (imap[i].out ? OK : E_SYNTAX));
		if (!e && imap[i].out)
			CHECK_STR(date_imap(a, d), imap[i].out);
	}
	test_days();
	arena_free(&a);
	return check_done();
}
