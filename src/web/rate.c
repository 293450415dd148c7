/* SPDX-License-Identifier: ISC */
/* web/rate.c - each address has a bucket that fills again with time. */
#include "web/rate.h"

static struct rate *place(struct rates *r, const struct net *who)
{
	struct str octets = STR((const char *)who->octets, sizeof who->octets);
	struct rate *set = r->rate[str_hash(octets) % RATE_SETS], *oldest = set;

	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (net_same(&set[i].who, who))
			return &set[i];
		if (set[i].full_at < oldest->full_at)
			oldest = &set[i];
	}
	*oldest = (struct rate){ .who = *who };
	return oldest;
}

bool rate_spend(struct rates *r, struct str ip, unsigned units, int64_t now_ms)
{
	struct net who;

	if (!net_address(ip, &who))
		return false;
	if (!net_is_v4(&who))
		who = net_cut(who, 64);
	struct rate *rate = place(r, &who);
	int64_t from = rate->full_at > now_ms ? rate->full_at : now_ms;
	int64_t full_at = from + (int64_t)units * RATE_REFILL_MS;

	if (full_at - now_ms > RATE_BUDGET * RATE_REFILL_MS)
		return false;
	rate->full_at = full_at;
	return true;
}
