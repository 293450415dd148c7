/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/uidset.h"

static struct arena *a;

static struct str text(struct uidset s)
{
	struct buf b = buf_new(1024 * 1024);

	uidset_put(&b, s);
	struct str out = b.n ? str_dup(a, buf_str(&b)) : S("");

	buf_free(&b);
	return out;
}

static struct uidset set(const char *s)
{
	struct scan in = scan(str_of(s));

	return *s ? uidset_scan(&in, a, 10) : (struct uidset){ 0 };
}

static const struct {
	const char *in;
	uint32_t star;
	const char *out; /* NULL: not in the grammar */
	const char *rest;
} scans[] = {
	{ "1", 9, "1", "" },
	{ "1:*", 9, "1:9", "" },
	{ "*", 9, "9", "" },
	{ "*", 0, "", "" },
	{ "1:*", 0, "", "" },
	{ "*:*,3", 0, "3", "" },
	{ "5:*", 3, "3:5", "" },
	{ "5:3", 9, "3:5", "" },
	{ "3,1,2", 9, "1:3", "" },
	{ "1:5,3:9,20", 9, "1:9,20", "" },
	{ "1:2,4:5,3", 9, "1:5", "" },
	{ "7,7,7", 9, "7", "" },
	{ "1:4294967295,5", 9, "1:4294967295", "" },
	{ "4294967295,1:4294967294", 9, "1:4294967295", "" },
	{ "2 (FLAGS)", 9, "2", " (FLAGS)" },
	{ "1:3) x", 9, "1:3", ") x" },
	{ "", 9, NULL, "" },
	{ "0", 9, NULL, "" },
	{ "1:0", 9, NULL, "" },
	{ "1,", 9, NULL, "" },
	{ ",1", 9, NULL, "" },
	{ "1:", 9, NULL, "" },
	{ "1:2:3", 9, "1:2", ":3" },
	{ "4294967296", 9, NULL, "" },
	{ "a", 9, NULL, "" },
	{ "**", 9, "9", "*" },
};

static const struct {
	const char *x, *y, *minus, *both, *all;
} sums[] = {
	{ "", "", "", "", "" },
	{ "1:9", "", "1:9", "", "1:9" },
	{ "", "1:9", "", "", "1:9" },
	{ "1:9", "5", "1:4,6:9", "5", "1:9" },
	{ "1:9", "1:9", "", "1:9", "1:9" },
	{ "1:9", "9:20", "1:8", "9", "1:20" },
	{ "5:9", "1:5", "6:9", "5", "1:9" },
	{ "1:3,7:9", "2:8", "1,9", "2:3,7:8", "1:9" },
	{ "1:3", "4:6", "1:3", "", "1:6" },
	{ "1,3,5,7", "2:6", "1,7", "3,5", "1:7" },
	{ "1:4294967295", "4294967295", "1:4294967294", "4294967295", "1:4294967295" },
};

static void test_limits(void)
{
	struct buf b = buf_new(1024 * 1024);

	for (unsigned i = 0; i < UIDSET_RANGES_MAX; i++)
		buf_fmt(&b, "%s%u", i ? "," : "", 2 * i + 1);
	struct scan in = scan(buf_str(&b));
	struct uidset s = uidset_scan(&in, a, 1);

	CHECK(scan_end(&in));
	CHECK_NUM(uidset_count(s), UIDSET_RANGES_MAX);
	CHECK(uidset_has(s, 100001) && !uidset_has(s, 100002));
	buf_put(&b, S(",1"));
	in = scan(buf_str(&b));
	CHECK_NUM(uidset_scan(&in, a, 1).n, 0);
	CHECK(in.bad);
	buf_free(&b);
}

static void test_walk(void)
{
	struct uidset_builder b = { .a = a };
	struct uidset s = set("2:3,5,4294967295");
	uint32_t seen[5] = { 0 }, n = 0;

	for (uint32_t u = uidset_first(s); u && n < 5; u = uidset_next(s, u))
		seen[n++] = u;
	CHECK_NUM(n, 4);
	CHECK(seen[0] == 2 && seen[1] == 3 && seen[2] == 5 && seen[3] == UINT32_MAX);
	CHECK_NUM(uidset_first((struct uidset){ 0 }), 0);
	CHECK_NUM(uidset_next(s, 3), 5);
	CHECK_NUM(uidset_next(s, 1), 2);
	CHECK_NUM(uidset_count(set("1:4294967295")), UINT32_MAX);
	CHECK_STR(text(uidset_one(a, 4, 6)), "4:6");
	for (uint32_t u = 1; u < 100; u += 3)
		uidset_add(&b, u);
	uidset_add_range(&b, 101, 110);
	uidset_add(&b, 111);
	s = uidset_done(&b);
	CHECK_NUM(s.n, 33 + 1);
	CHECK_NUM(uidset_count(s), 33 + 11);
	CHECK(uidset_has(s, 111) && uidset_has(s, 1) && !uidset_has(s, 112) && !uidset_has(s, 0));
}

int main(void)
{
	a = arena_new(64 * 1024 * 1024);
	for (size_t i = 0; i < LENGTH(scans); i++) {
		struct scan in = scan(str_of(scans[i].in));
		struct uidset s = uidset_scan(&in, a, scans[i].star);

		CHECK(in.bad == !scans[i].out);
		CHECK_STR(text(s), scans[i].out ? scans[i].out : "");
		if (!in.bad)
			CHECK_STR(in.rest, scans[i].rest);
	}
	for (size_t i = 0; i < LENGTH(sums); i++) {
		struct uidset x = set(sums[i].x), y = set(sums[i].y);

		CHECK_STR(text(uidset_minus(a, x, y)), sums[i].minus);
		CHECK_STR(text(uidset_both(a, x, y)), sums[i].both);
		CHECK_STR(text(uidset_union(a, x, y)), sums[i].all);
	}
	test_limits();
	test_walk();
	arena_free(&a);
	return check_done();
}
