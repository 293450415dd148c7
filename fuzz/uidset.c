/* SPDX-License-Identifier: ISC */
/*
 * Sequence sets: "star SP set SP set"; the sets are in order, and their algebra holds.
 */
#include "mail/uidset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ordered(struct uidset s)
{
	for (size_t i = 0; i < s.n; i++) {
		BUG_IF(s.range[i].first == 0 || s.range[i].first > s.range[i].last);
		BUG_IF(i && s.range[i].first <= s.range[i - 1].last);
		BUG_IF(i && s.range[i].first == s.range[i - 1].last + 1);
	}
}

static void algebra(struct arena *a, struct uidset x, struct uidset y)
{
	struct uidset minus = uidset_minus(a, x, y), both = uidset_both(a, x, y);
	struct uidset all = uidset_union(a, x, y), again = uidset_union(a, minus, both);

	ordered(minus);
	ordered(both);
	ordered(all);
	ordered(again);
	BUG_IF(uidset_count(minus) + uidset_count(both) != uidset_count(x));
	BUG_IF(uidset_count(all) + uidset_count(both) != uidset_count(x) + uidset_count(y));
	BUG_IF(again.n != x.n || (x.n && memcmp(again.range, x.range, x.n * sizeof *x.range)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan in = scan(STR((const char *)data, size));
	struct arena *a = arena_new(256 * size + 1024 * 1024);
	struct buf b = buf_new(64 * size + 1024);
	uint32_t star = (uint32_t)scan_num(&in, UINT32_MAX);

	scan_lit(&in, " ");
	struct uidset x = uidset_scan(&in, a, star);

	ordered(x);
	if (x.n) {
		uidset_put(&b, x);
		struct scan again = scan(buf_str(&b));
		struct uidset same = uidset_scan(&again, a, star);

		BUG_IF(!scan_end(&again) || same.n != x.n);
		BUG_IF(memcmp(same.range, x.range, x.n * sizeof *x.range));
		uint32_t u = uidset_first(x);

		for (int i = 0; u && i < 100; i++, u = uidset_next(x, u))
			BUG_IF(!uidset_has(x, u));
	}
	scan_lit(&in, " ");
	struct uidset y = uidset_scan(&in, a, star);

	algebra(a, x, y);
	buf_free(&b);
	arena_free(&a);
	return 0;
}
