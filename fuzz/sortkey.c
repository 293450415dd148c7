/* SPDX-License-Identifier: ISC */
/*
 * A subject, LF, and the octets of a stored sort key: the base of a base subject is itself, and a
 * key that is accepted is written again as the same octets.
 */
#include "mail/sortkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size);
	size_t lf = str_find(text, '\n');
	bool reply, again;

	if (size > 64 * 1024)
		return 0;
	struct arena *a = arena_new(16 << 20);
	struct str base = subject_base(a, str_part(text, 0, lf), &reply);

	BUG_IF(!str_eq(subject_base(a, base, &again), base) || again);
	BUG_IF(sort_text(a, base, SORT_TEXT_MAX).n > SORT_TEXT_MAX);
	sort_msgid(a, base);
	struct scan in = scan(str_from(text, lf + 1));
	struct str all = in.rest;
	struct sortkey k;

	sortkey_scan(&in, &k);
	if (!in.bad) {
		struct buf b = buf_new(SORT_KEY_MAX);

		sortkey_put(&b, &k);
		BUG_IF(!str_eq(buf_str(&b), str_part(all, 0, all.n - in.rest.n)));
		buf_free(&b);
	}
	arena_free(&a);
	return 0;
}
