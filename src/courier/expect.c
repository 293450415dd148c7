/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "base/log.h"
#include "courier/expect.h"
#include "courier/line_priv.h"

enum {
	HOSTS_MAX = 4, /* that are asked about: others are seldom tried */
	AT_ONCE = 8,
	LOOK_MS = 2500,
	EVERY_MS = 400, /* so no more than 20 domains a second, whoever asks for them */
	PATIENCE_MS = 30 * 1000,
	PROVEN_S = 86400,
	NOTHING_S = 6 * 3600,
	NO_MAIL_S = 3600,
	RELAY_S = 3600, /* the operator may change it */
	UNKNOWN_S = 300,
};

/* --- one domain --- */

static bool says(const struct opening *o, enum queue_why why)
{
	return o->failed && str_starts(o->why.facts.text, queue_why_text(why));
}

static bool no_mail(const struct opening *o)
{
	return says(o, QUEUE_WHY_NO_DOMAIN) || says(o, QUEUE_WHY_NULL_MX) ||
	       says(o, QUEUE_WHY_NO_ADDRESS);
}

static enum expect_proof proof_of(const struct opening *o, const struct host *h)
{
	switch (h->decision.wish.proof) {
	case TLS_BY_DANE: return EXPECT_DANE;
	case TLS_BY_NAME: return o->relay ? EXPECT_BY_NAME : EXPECT_MTA_STS;
	default: return EXPECT_NO_PROOF;
	}
}

/* Hosts that mail does not go to do not count: another than the policy names, one whose answers are
 * forged. False: no host is left that does. It is mail that asks for nothing: a policy under test
 * is no promise. */
static bool look_at_hosts(struct opening *o, enum expect_proof *out)
{
	bool any = false;

	for (size_t i = 0; i < o->route.n && i < HOSTS_MAX && clock_ms() < o->want->deadline; i++) {
		struct host h = { .preference = o->route.host[i].preference,
				  .arena = arena_new(HOST_MEMORY),
				  .name = o->route.host[i].name };
		bool goes = line_host(o, &h), unproven = h.decision.what == DECIDE_REFUSE;
		enum expect_proof proof = goes ? proof_of(o, &h) : EXPECT_NO_PROOF;

		arena_free(&h.arena);
		if (!goes && !unproven)
			continue;
		if (!any || proof == EXPECT_NO_PROOF)
			*out = proof;
		any = true;
		if (proof == EXPECT_NO_PROOF)
			break;
	}
	return any;
}

struct expect line_expect(struct line_net *net, struct str domain, int64_t deadline)
{
	struct line_want want = { .destination = domain, .deadline = deadline };
	struct opening o = { .net = net, .want = &want, .arena = arena_new(OPENING_MEMORY) };
	struct expect e = { .domain = domain, .looked = clock_wall() };
	int64_t counts = UNKNOWN_S;

	line_begin(&o);
	bool any = line_route(&o) && look_at_hosts(&o, &e.proof);
	if (any && e.proof == EXPECT_BY_NAME)
		counts = RELAY_S;
	else if (any && e.proof != EXPECT_NO_PROOF)
		counts = PROVEN_S;
	else if (any && !o.policy_unknown)
		counts = NOTHING_S;
	else if (!any && no_mail(&o)) {
		e.proof = EXPECT_NO_MAIL;
		counts = NO_MAIL_S;
	}
	e.until = e.looked + counts;
	arena_free(&o.arena);
	return e;
}

/* --- all that are wanted --- */

struct look {
	struct line_net *net;
	struct str domain;
	int64_t deadline;
	struct expect result;
	bool done;
};

static void look(void *arg)
{
	struct look *l = arg;

	l->result = line_expect(l->net, l->domain, l->deadline);
	l->done = !fiber_canceled();
}

/* Some of them side by side; *n: how many there were. */
static enum err answer_some(const struct courier_expect *c, struct arena *a, size_t *n)
{
	struct str domain[AT_ONCE];
	struct look looks[AT_ONCE] = { 0 };
	struct expect news[AT_ONCE];
	size_t known = 0;
	enum err e = expect_wanted(c->store, a, clock_wall(), domain, AT_ONCE, n);

	if (e || !*n)
		return e;
	struct group *g = group_new();
	for (size_t i = 0; i < *n; i++) {
		looks[i] = (struct look){ .net = c->net,
					  .domain = domain[i],
					  .deadline = clock_in(LOOK_MS) };
		if (group_spawn(g, "expect", look, &looks[i]))
			look(&looks[i]);
	}
	e = group_wait(g, NEVER);
	group_close(&g);
	for (size_t i = 0; i < *n; i++)
		if (looks[i].done)
			news[known++] = looks[i].result;
	return e ? e : expect_write(c->store, news, known, clock_wall());
}

void courier_expect(void *arg)
{
	const struct courier_expect *c = arg;
	struct watch *w = store_watch(c->store, S(EXPECT_PARTITION));
	struct arena *a = arena_new(64 << 10);

	while (!fiber_canceled()) {
		uint64_t seen = watch_signal(w)->count;
		int64_t next = clock_in(EVERY_MS);
		size_t n;

		arena_reset(a);
		enum err e = answer_some(c, a, &n);
		if (e && e != E_CANCELED)
			log_event(LOG_WARN, "expect.failed", KVE(e));
		if (!e && n)
			e = fiber_sleep(next);
		else
			e = signal_wait(watch_signal(w), seen, clock_in(PATIENCE_MS));
		if (e == E_CANCELED)
			break;
	}
	arena_free(&a);
	watch_close(&w);
}
