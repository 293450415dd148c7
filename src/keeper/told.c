/* SPDX-License-Identifier: ISC */
/* keeper/told.c - a notice to an account, once an hour in each protocol. */
#include "keeper/told.h"

bool told_due(struct told *t, uint32_t account, const char *proto, struct str notice, int64_t now)
{
	char head[64];

	snprintf(head, sizeof head, "%u %.40s", account, proto);
	uint64_t what = str_hash(notice) * 31 + str_hash(str_of(head));
	size_t i = (size_t)(what % TOLD_SLOTS);
	bool lately = now >= t->slot[i].when && now - t->slot[i].when < TOLD_EVERY_S;

	if (t->slot[i].what == what && lately)
		return false;
	t->slot[i].what = what;
	t->slot[i].when = now;
	return true;
}
