/* SPDX-License-Identifier: ISC */
/* Configurations of any octets: an error has its sentence with file and line, nothing breaks. */
#include "guard/net.h"
#include "proc/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct config c;
	struct str why = S_NONE;

	enum err e = config_parse(S("/f"), STR((const char *)data, size), a, &c, &why);
	BUG_IF(e && !str_starts(why, S("/f:")));
	BUG_IF(!e && (!c.workers_mx || !c.store.n));
	for (size_t i = 0; !e && i < c.lockout.exempt.n; i++) {
		struct net n;
		BUG_IF(!net_parse(c.lockout.exempt.item[i], &n) || n.bits > 128);
	}
	arena_free(&a);
	return 0;
}
