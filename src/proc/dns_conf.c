/* SPDX-License-Identifier: ISC */
#include "proc/dns_conf.h"

struct dns_conf config_dns(const struct config *c, struct arena *a)
{
	size_t n = c->dns.forward.n;
	struct dns_server *forward = ARENA_ARRAY(a, struct dns_server, n);

	for (size_t i = 0; i < n; i++)
		BUG_IF(!address_split(c->dns.forward.item[i], &forward[i].ip, &forward[i].port));
	return (struct dns_conf){ .anchor_file = c->dns.anchor, .forward = forward, .nforward = n };
}
