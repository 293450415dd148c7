/* SPDX-License-Identifier: ISC */
/* A pattern, LF, a name: the matcher against the obvious one that tries everything. */
#include "imap/parse_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small inputs only: its time is exponential. */
static bool slow(struct str p, struct str name)
{
	if (p.n == 0)
		return name.n == 0;
	if (*p.p == '*' || *p.p == '%') {
		if (slow(str_from(p, 1), name))
			return true;
		return name.n && (*p.p == '*' || *name.p != '/') && slow(p, str_from(name, 1));
	}
	return name.n && *name.p == *p.p && slow(str_from(p, 1), str_from(name, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size);
	size_t lf = str_find(text, '\n');

	if (size > 2048)
		return 0;
	struct arena *a = arena_new(1 << 20);
	struct str pattern = str_part(text, 0, lf), name = str_from(text, lf + 1);
	struct imap_pattern *p = imap_pattern_new(a, pattern);
	bool yes = imap_pattern_match(p, name, false);

	if (size < 16)
		BUG_IF(yes != slow(pattern, name));
	imap_pattern_match(p, name, true);
	arena_free(&a);
	return 0;
}
