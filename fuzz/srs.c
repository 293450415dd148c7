/* SPDX-License-Identifier: ISC */
/*
 * Rewritten senders: none is taken that was not made here, and what is made is read again. The
 * first octet is the day.
 */
#include "keeper/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[SRS_KEY] = "a key of thirty-two octets, here";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size), local;
	struct arena *a = arena_new(1 << 20);
	int64_t day = 20000 + (size ? data[0] : 0);
	struct path p;
	struct srs s;

	if (size < 4096 && !srs_parse(a, key, day, text, &s))
		BUG_IF(s.id.n ? s.sender.local.n : !s.sender.local.n || !s.sender.domain.n);
	if (size && !path_parse(a, str_from(text, 1), &p) && p.domain.n) {
		if (srs_encode(a, key, day, p, &local))
			local = srs_kept(a, key, day, srs_id(a, key, day, p));
		BUG_IF(local.n > SRS_LOCAL_MAX || srs_parse(a, key, day + SRS_DAYS, local, &s));
		BUG_IF(!s.id.n && !str_eq(s.sender.local, p.local));
		BUG_IF(s.day != day || !srs_parse(a, key, day + SRS_DAYS + 1, local, &s));
	}
	arena_free(&a);
	return 0;
}
