/* SPDX-License-Identifier: ISC */
#include "check.h"

static void numbers(void)
{
	static const struct {
		const char *text;
		uint64_t max, want;
		bool ok;
		const char *rest;
	} rows[] = {
		{ "0", 0, 0, true, "" },
		{ "1", 0, 0, false, NULL },
		{ "", 9, 0, false, NULL },
		{ "-1", 9, 0, false, NULL },
		{ "+1", 9, 0, false, NULL },
		{ "007x", 9, 7, true, "x" },
		{ "10", 9, 0, false, NULL },
		{ "4294967295 ", UINT32_MAX, UINT32_MAX, true, " " },
		{ "4294967296", UINT32_MAX, 0, false, NULL },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX, true, "" },
		{ "18446744073709551616", UINT64_MAX, 0, false, NULL },
		{ "99999999999999999999999", UINT64_MAX, 0, false, NULL },
		{ "00000000000000000000000000001", 1, 1, true, "" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct scan in = scan(str_of(rows[i].text));

		CHECK(scan_num(&in, rows[i].max) == rows[i].want);
		CHECK_NUM(!in.bad, rows[i].ok);
		if (rows[i].ok)
			CHECK_STR(in.rest, rows[i].rest);
	}
}

static void hexes(void)
{
	static const struct {
		const char *text;
		size_t digits;
		uint64_t want;
		bool ok;
	} rows[] = {
		{ "", 0, 0, true },     { "aF0", 3, 0xaf0, true },
		{ "af", 3, 0, false },  { "ag", 2, 0, false },
		{ "0x1", 3, 0, false }, { "ffffFFFFffffFFFF", 16, UINT64_MAX, true },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct scan in = scan(str_of(rows[i].text));

		CHECK(scan_hex(&in, rows[i].digits) == rows[i].want);
		CHECK_NUM(scan_end(&in), rows[i].ok);
	}
}

static void words(void)
{
	struct scan in = scan(S("a1 UID  (FLAGS)x<y>"));

	CHECK_STR(scan_word(&in), "a1");
	CHECK(!scan_opt(&in, "uidx"));
	scan_lit(&in, "uid ");
	CHECK_STR(scan_word(&in), "");
	CHECK(scan_at(&in, '('));
	CHECK_NUM(scan_char(&in), '(');
	CHECK_STR(scan_span(&in, ascii_digit), "");
	CHECK_STR(scan_span(&in, ascii_alpha), "FLAGS");
	CHECK_STR(scan_take(&in, 2), ")x");
	CHECK(scan_opt(&in, "<"));
	CHECK_STR(scan_until(&in, '>'), "y");
	CHECK(scan_end(&in));
	CHECK(!scan_more(&in));
	CHECK_STR(scan_word(&in), "");
	CHECK_STR(scan_take(&in, 0), "");
	CHECK(scan_opt(&in, ""));
	CHECK(scan_end(&in));
}

/* Whatever comes after a failure gives nothing and moves nothing. */
static void failures_stick(void)
{
	struct scan in = scan(S("abc 1"));

	scan_lit(&in, "x");
	CHECK(in.bad);
	scan_lit(&in, "a");
	CHECK(!scan_opt(&in, "a"));
	CHECK(!scan_opt(&in, ""));
	CHECK_STR(scan_word(&in), "");
	CHECK_STR(scan_until(&in, ' '), "");
	CHECK_STR(scan_span(&in, ascii_alpha), "");
	CHECK_STR(scan_take(&in, 1), "");
	CHECK_NUM(scan_char(&in), 0);
	CHECK_NUM(scan_num(&in, 9), 0);
	CHECK_NUM(scan_hex(&in, 1), 0);
	CHECK(!scan_more(&in));
	CHECK(!scan_at(&in, 'a'));
	CHECK(!scan_end(&in));
	CHECK_STR(in.rest, "abc 1");
}

static void each_fails(void)
{
	struct scan in = scan(S("ab"));

	scan_until(&in, 'c');
	CHECK(in.bad);
	in = scan(S("ab"));
	scan_take(&in, 3);
	CHECK(in.bad);
	in = scan(S_NONE);
	scan_char(&in);
	CHECK(in.bad);
	in = scan(S_NONE);
	CHECK(scan_end(&in));
	scan_until(&in, 'c');
	CHECK(in.bad);
	in = scan(S("ab"));
	scan_fail(&in);
	CHECK(in.bad);
}

int main(void)
{
	numbers();
	hexes();
	words();
	failures_stick();
	each_fails();
	return check_done();
}
