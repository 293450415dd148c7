/* SPDX-License-Identifier: ISC */
/* route.c - the hosts of a destination, RFC 5321 5.1, and its policy. */
#include "courier/line_priv.h"

enum { SUBMISSIONS = 465 }; /* RFC 8314 3.3 */

int64_t line_until(const struct opening *o, int64_t ms)
{
	int64_t until = clock_in(ms);

	return until < o->want->deadline ? until : o->want->deadline;
}

struct dns_answer line_ask(struct opening *o, struct arena *a, struct str name, enum dns_type type)
{
	struct dns_answer got = { 0 };
	enum err e = dns_ask(o->net->dns, name, type, line_until(o, LINE_ASK_MS), a, &got);

	if (e == E_SYNTAX) /* nobody can have such a name */
		return (struct dns_answer){ .status = DNS_NXDOMAIN, .name = name };
	if (e)
		return (struct dns_answer){ .status = DNS_SERVFAIL,
					    .name = name,
					    .why = str_of(err_text(e)) };
	return got;
}

static void one_host(struct opening *o, struct str name)
{
	o->route = (struct mx_route){ .secure = true, .n = 1 };
	o->route.host = ARENA_NEW(o->arena, struct mx_host);
	o->route.host->name = str_lower(o->arena, name);
}

static bool refuse(struct opening *o, enum queue_outcome outcome, enum queue_why why,
		   struct str detail, uint16_t subject, uint16_t number)
{
	line_fail(o, outcome, line_because(o, S_NONE, why, detail, subject, number));
	return false;
}

static bool by_mx(struct opening *o)
{
	const struct line_conf *c = &o->net->conf;
	struct str *own = ARENA_ARRAY(o->arena, struct str, c->nown + 1);

	for (size_t i = 0; i < c->nown; i++)
		own[i] = c->own[i];
	own[c->nown] = c->name;
	o->mx = line_ask(o, o->arena, o->want->destination, DNS_MX);
	o->route =
		mx_route(o->arena, o->want->destination, &o->mx, own, c->nown + 1, o->net->seed++);
	switch (o->route.status) {
	case MX_OK: return true;
	case MX_LATER:
		if (o->mx.status == DNS_BOGUS)
			return refuse(o, QUEUE_LATER, QUEUE_WHY_BOGUS, o->mx.why, 7, 5);
		return refuse(o, QUEUE_LATER, QUEUE_WHY_DNS, o->mx.why, 4, 3);
	case MX_NODOMAIN: return refuse(o, QUEUE_REFUSED, QUEUE_WHY_NO_DOMAIN, S_NONE, 1, 2);
	case MX_NULL: return refuse(o, QUEUE_REFUSED, QUEUE_WHY_NULL_MX, S_NONE, 1, 10);
	case MX_LOOP: return refuse(o, QUEUE_REFUSED, QUEUE_WHY_LOOP, S_NONE, 4, 6);
	}
	BUG_IF(true);
	return false;
}

/* RFC 8461 5: a policy that cannot be had is none; but who wants a proof waits for it. */
static void ask_policy(struct opening *o, struct str domain)
{
	struct dns_address address;

	if (!o->net->sts || dns_address_parse(domain, &address))
		return;
	enum err e =
		sts_policy(o->net->sts, domain, line_until(o, LINE_ASK_MS), o->arena, &o->policy);

	o->has_policy = !e;
	o->policy_unknown = e && e != E_NOTFOUND;
}

bool line_route(struct opening *o)
{
	struct str host;

	o->port = o->net->conf.port;
	o->given = line_literal(o->want->destination, &host, &o->port);
	o->at_once = o->given && o->port == SUBMISSIONS;
	if (o->relay) {
		o->given = true;
		host = o->relay->host;
		o->port = o->relay->port;
		o->at_once = o->relay->at_once;
	}
	if (o->given) {
		one_host(o, host);
		if (o->relay && !o->relay->user.n) /* else it proves itself anyway */
			ask_policy(o, host);       /* RFC 8461 3.4 */
		return true;
	}
	if (!by_mx(o))
		return false;
	ask_policy(o, o->want->destination);
	return true;
}
