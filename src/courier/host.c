/* SPDX-License-Identifier: ISC */
/* host.c - one host of a route: its addresses, what its TLSA records want, and the decision. */
#include "courier/line_priv.h"

/* --- addresses, both families at a time --- */

struct asking {
	struct opening *o;
	struct host *h;
};

static void ask_v6(void *arg)
{
	struct asking *k = arg;

	k->h->v6 = line_ask(k->o, k->h->arena, k->h->name, DNS_AAAA);
}

static void ask_both(struct opening *o, struct host *h)
{
	struct asking k = { o, h };
	struct group *g = group_new();

	if (group_spawn(g, "aaaa", ask_v6, &k))
		ask_v6(&k);
	h->v4 = line_ask(o, h->arena, h->name, DNS_A);
	(void)!group_wait(g, NEVER);
	group_close(&g);
}

/* A host of digits is an address; only somebody here can have given it. */
static bool numeric(const struct opening *o, struct host *h)
{
	struct dns_address *x = ARENA_NEW(h->arena, struct dns_address);

	if (!o->given || !dns_address_parse(h->name, x))
		return false;
	h->v6 = h->v4 = (struct dns_answer){ .status = DNS_NODATA, .name = h->name };
	*(dns_address_v4(x) ? &h->v4 : &h->v6) =
		(struct dns_answer){ .status = DNS_FOUND, .name = h->name, .n = 1, .address = x };
	return true;
}

static bool no(struct opening *o, const struct host *h, enum queue_outcome outcome,
	       enum queue_why why, uint16_t subject, uint16_t number)
{
	struct str detail = h->v4.why.n ? h->v4.why : h->v6.why;

	line_fail(o, outcome, line_because(o, h->name, why, detail, subject, number));
	return false;
}

/* No address at all: whose fault is it? */
static bool nowhere(struct opening *o, const struct host *h)
{
	bool bogus = h->v6.status == DNS_BOGUS || h->v4.status == DNS_BOGUS;
	bool silent = h->v6.status == DNS_SERVFAIL || h->v4.status == DNS_SERVFAIL;

	if (bogus)
		return no(o, h, QUEUE_LATER, QUEUE_WHY_BOGUS, 7, 5);
	if (silent)
		return no(o, h, QUEUE_LATER, QUEUE_WHY_DNS, 4, 3);
	if (h->v6.status == DNS_FOUND || h->v4.status == DNS_FOUND)
		return no(o, h, QUEUE_UNREACHED, QUEUE_WHY_NO_WAY, 4, 4);
	return no(o, h, QUEUE_REFUSED, QUEUE_WHY_NO_ADDRESS, o->route.implicit ? 1 : 4,
		  o->route.implicit ? 2 : 4);
}

static bool find_addresses(struct opening *o, struct host *h)
{
	struct mx_machine m = *line_machine(o->net);

	/* A smart host may be on this machine. All else that leads here does not go there: an
	 * address in brackets comes from a user, too. */
	if (o->relay) {
		m.loopback = true;
		m.n = 0;
	}
	if (!numeric(o, h))
		ask_both(o, h);
	h->to = mx_addresses(h->arena, &h->v6, &h->v4, &m, o->net->seed++);
	if (h->to.own) {
		/* Another host that is better has been tried before: its failure stands. */
		mx_cut(&o->route, h->preference);
		return o->failed ? false : no(o, h, QUEUE_REFUSED, QUEUE_WHY_LOOP, 4, 6);
	}
	return h->to.n ? true : nowhere(o, h);
}

/* --- DANE --- */

/* RFC 7672 2.2: a host that the operator named is as good as one of a proven list. */
static void ask_dane(struct opening *o, struct host *h)
{
	bool secure = o->given || o->route.secure;
	struct dns_answer cname, tlsa[DANE_BASES_MAX];
	bool alias = dane_wants_cname(secure, &h->v6, &h->v4);
	size_t n = 0;

	if (alias)
		cname = line_ask(o, h->arena, h->name, DNS_CNAME);
	h->bogus = h->v6.status == DNS_BOGUS || h->v4.status == DNS_BOGUS ||
		   (alias && cname.status == DNS_BOGUS);
	struct dane_bases bases =
		dane_bases(h->name, secure, &h->v6, &h->v4, alias ? &cname : NULL);

	for (bool found = false; n < bases.n && !found; n++) {
		struct str question = dane_question(h->arena, bases.name[n], o->port);

		tlsa[n] = line_ask(o, h->arena, question, DNS_TLSA);
		found = tlsa[n].status == DNS_FOUND && tlsa[n].secure;
		h->bogus |= tlsa[n].status == DNS_BOGUS;
	}
	h->dane = dane_judge(h->arena, &bases, tlsa, n, o->given ? h->name : o->want->destination,
			     o->given ? NULL : &o->mx);
}

/* --- the decision --- */

/* A smart host of the configuration proves itself by the name that stands there. */
static bool by_name(const struct opening *o, const struct host *h)
{
	return o->relay && h->dane.status != DANE_PROVE && h->dane.status != DANE_LATER &&
	       (o->relay->user.n || o->guard == QUEUE_AUTHENTICATED);
}

static bool refused(struct opening *o, struct host *h)
{
	switch (h->decision.what) {
	case DECIDE_SEND: return true;
	case DECIDE_SKIP: return no(o, h, QUEUE_LATER, QUEUE_WHY_POLICY, 7, 5);
	case DECIDE_LATER:
		return no(o, h, QUEUE_LATER, h->bogus ? QUEUE_WHY_BOGUS : QUEUE_WHY_DNS,
			  h->bogus ? 7 : 4, h->bogus ? 5 : 3);
	case DECIDE_REFUSE:
		if (o->policy_unknown)
			return no(o, h, QUEUE_LATER, QUEUE_WHY_POLICY_UNKNOWN, 7, 4);
		return no(o, h, QUEUE_REFUSED, QUEUE_WHY_NO_PROOF, 7, 4);
	}
	BUG_IF(true);
	return false;
}

bool line_host(struct opening *o, struct host *h)
{
	if (!find_addresses(o, h))
		return false;
	ask_dane(o, h);
	if (by_name(o, h)) {
		h->decision = (struct decision){
			.wish = { .name = h->name, .proof = TLS_BY_NAME },
		};
		return true;
	}
	struct decide_in in = { .host = h->name,
				.dane = &h->dane,
				.mta_sts = o->has_policy ? &o->policy : NULL,
				.guarantee = (enum guarantee)o->guard,
				.tls_optional = o->want->tls_optional };

	h->decision = decide(&in);
	if (o->at_once || (o->relay && o->relay->user.n))
		h->decision.plaintext = false;
	return refused(o, h);
}
