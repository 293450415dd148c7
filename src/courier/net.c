/* SPDX-License-Identifier: ISC */
/* net.c - what all lines of a process share. */
#include <sys/random.h>

#include "courier/line_priv.h"
#include "guard/net.h"

enum { MACHINE_MS = 60 * 1000 };

static void add_own(struct line_net *net, const uint8_t octets[16])
{
	struct dns_address x;

	memcpy(x.octets, octets, 16);
	enum dns_scope scope = dns_address_scope(&x);
	/* With loopback set, those are where the others are: only what a test names is ours. */
	if (scope == DNS_LOOPBACK && net->conf.loopback)
		return;
	if (net->machine.n < MACHINE_MAX)
		net->address[net->machine.n++] = x;
	if (scope != DNS_LOOPBACK && scope != DNS_LINK) /* these lead to no other server */
		*(dns_address_v4(&x) ? &net->machine.v4 : &net->machine.v6) = true;
}

const struct mx_machine *line_machine(struct line_net *net)
{
	const struct line_conf *c = &net->conf;
	struct net found[MACHINE_MAX];
	struct dns_address named;

	if (clock_ms() < net->machine_until)
		return &net->machine;
	net->machine = (struct mx_machine){ .v4 = c->loopback,
					    .v6 = c->loopback,
					    .loopback = c->loopback,
					    .address = net->address };
	size_t n = net_machine(found, MACHINE_MAX);

	for (size_t i = 0; i < n; i++)
		add_own(net, found[i].octets);
	for (size_t i = 0; i < c->nown; i++)
		if (dns_address_parse(c->own[i], &named) && net->machine.n < MACHINE_MAX)
			net->address[net->machine.n++] = named;
	net->machine_until = clock_in(MACHINE_MS);
	return &net->machine;
}

enum err line_net_new(const struct line_conf *conf, struct arena *a, struct line_net **out,
		      struct str *why)
{
	struct line_net *net = NEW(struct line_net);
	enum err e;

	*out = NULL;
	net->conf = *conf;
	net->tls = tls_client_new();
	BUG_IF(getrandom(&net->seed, sizeof net->seed, 0) != sizeof net->seed);
	*why = S("what is trusted beside the system's authorities is no certificate");
	e = conf->trust.n ? tls_client_trust(net->tls, conf->trust) : OK;
	if (!e)
		e = dns_new(&conf->dns, a, &net->dns, why);
	if (e)
		line_net_close(&net);
	*out = net;
	return e;
}

void line_net_close(struct line_net **at)
{
	struct line_net *net = *at;

	if (!net)
		return;
	dns_close(&net->dns);
	tls_release(&net->tls);
	free(net);
	*at = NULL;
}

struct dns *line_net_dns(struct line_net *net)
{
	return net->dns;
}

void line_net_join(struct line_net *net, struct sts *sts, struct tlsrpt *tlsrpt)
{
	net->sts = sts;
	net->tlsrpt = tlsrpt;
}
