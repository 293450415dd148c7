/* SPDX-License-Identifier: ISC */
/*
 * Dates: what was read is written and read again as the same instant.
 */
#include "mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct arena *a, struct date d, bool rfc5322)
{
	struct date again;
	int64_t day = date_day(d);

	BUG_IF(day % 86400);
	BUG_IF(day > d.utc + d.zone * 60 || day + 86400 <= d.utc + d.zone * 60);
	BUG_IF(date_imap_parse(date_imap(a, d), &again));
	BUG_IF(again.utc != d.utc || again.zone != d.zone);
	if (!rfc5322)
		return;
	BUG_IF(date_parse(date_rfc5322(a, d), &again));
	BUG_IF(again.utc != d.utc || again.zone != d.zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first and the last day are cut by their zones. */
	const int64_t least = INT64_C(-62167219200) + 90000, most = INT64_C(253402300799) - 90000;
	struct str text = STR((const char *)data, size);
	struct arena *a = arena_new(64 * 1024);
	struct date d;
	int64_t day;

	if (date_parse(text, &d) == OK && d.utc > least && d.utc < most)
		same(a, d, true);
	if (date_imap_parse(text, &d) == OK && d.utc > least && d.utc < most)
		same(a, d, false);
	if (date_imap_day(text, &day) == OK)
		BUG_IF(day % 86400);
	if (date_iso_parse(text, &day) == OK) {
		int64_t again;

		BUG_IF(day > least && day < most &&
		       (date_iso_parse(date_iso(a, day), &again) || again != day));
	}
	if (size >= sizeof d) {
		memcpy(&d, data, sizeof d);
		date_rfc5322(a, d);
		date_imap(a, d);
		date_iso(a, d.utc);
		BUG_IF(date_day(d) % 86400);
	}
	arena_free(&a);
	return 0;
}
