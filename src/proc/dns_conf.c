/* SPDX-License-Identifier: ISC */
#include "proc/dns_conf.h"

static bool stub_of(struct str text, struct dns_stub *out)
{
	size_t n = str_find(text, '=');
	struct dns_address address;

	out->zone = str_part(text, 0, n);
	return (str_is(out->zone, ".") || dns_name_ok(out->zone)) &&
	       address_split(str_from(text, n + 1), &out->server.ip, &out->server.port) &&
	       dns_address_parse(out->server.ip, &address);
}

bool value_is_stub(struct str text)
{
	struct dns_stub stub;

	return stub_of(text, &stub);
}

struct dns_conf config_dns(const struct config *c, struct arena *a)
{
	size_t n = c->dns.forward.n;
	struct dns_server *forward = ARENA_ARRAY(a, struct dns_server, n);

	for (size_t i = 0; i < n; i++)
		BUG_IF(!address_split(c->dns.forward.item[i], &forward[i].ip, &forward[i].port));
	size_t nstub = c->dns.stub.n;
	struct dns_stub *stub = ARENA_ARRAY(a, struct dns_stub, nstub);

	for (size_t i = 0; i < nstub; i++)
		BUG_IF(!stub_of(c->dns.stub.item[i], &stub[i]));
	return (struct dns_conf){ .anchor_file = c->dns.anchor,
				  .forward = forward,
				  .nforward = n,
				  .stubs = stub,
				  .nstubs = nstub,
				  .cache_max = (size_t)c->dns.cache };
}
