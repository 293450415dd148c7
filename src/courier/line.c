/* SPDX-License-Identifier: ISC */
/* line.c - the hosts of a destination one after another, until one has greeted us. */
#include "courier/line_priv.h"

/* --- why it did not greet us --- */

/* TLS was begun and came to nothing: RFC 7435 4 then lets opportunistic TLS go without. */
static bool tls_failed(const struct outcome *said)
{
	return (said->stage == AT_TLS && said->why != WHY_UNPROVEN && said->why != WHY_CANCELED) ||
	       (said->stage == AT_STARTTLS && said->why == WHY_GONE);
}

static enum queue_outcome outcome_of(const struct outcome *said)
{
	if (said->why != WHY_SAID)
		return QUEUE_UNREACHED;
	/* A wrong password of ours, or TLS that is offered and then refused, is no reason to give
	 * up somebody's mail. */
	bool ours = said->stage == AT_LOGIN || said->stage == AT_STARTTLS;

	return said->verdict == PERMANENT && !ours ? QUEUE_REFUSED : QUEUE_LATER;
}

static void status_of(const struct answer *said, uint16_t status[3])
{
	struct scan in = scan(str_of(said->esc));

	for (unsigned i = 0; i < 3; i++) {
		status[i] = (uint16_t)scan_num(&in, 999);
		if (i < 2)
			scan_lit(&in, ".");
	}
	if (!scan_end(&in))
		status[0] = status[1] = status[2] = 0;
}

static const struct reason {
	enum queue_why why;
	uint16_t subject, number; /* RFC 3463 */
} reasons[WHY_COUNT] = {
	[WHY_SAID] = { QUEUE_WHYS, 0, 0 },
	[WHY_GONE] = { QUEUE_WHY_GONE, 4, 2 },
	[WHY_SLOW] = { QUEUE_WHY_SLOW, 4, 2 },
	[WHY_BROKEN] = { QUEUE_WHY_BROKEN, 5, 0 },
	[WHY_CANCELED] = { QUEUE_WHY_GONE, 4, 2 },
	[WHY_NO_TLS] = { QUEUE_WHY_NO_TLS, 7, 10 },
	[WHY_TLS_FAILED] = { QUEUE_WHY_TLS_FAILED, 7, 10 },
	[WHY_UNPROVEN] = { QUEUE_WHY_UNPROVEN, 7, 5 },
	[WHY_NO_LOGIN] = { QUEUE_WHY_LOGIN, 7, 0 },
};

/* A guarantee of the sender's that the server has not even the means for is kept by sending the
 * mail back; what the domain itself promised and does not keep now, it may keep later. */
static bool is_refusal(const struct opening *o, const struct host *h, const struct outcome *said)
{
	return said->why == WHY_NO_TLS && h->dane.status == DANE_NONE &&
	       h->decision.why != DECIDE_MTA_STS && !(o->relay && o->relay->user.n);
}

static void not_greeted(struct opening *o, const struct host *h, struct queue_reply facts,
			const struct outcome *said, const char *invalid)
{
	const struct reason *r = &reasons[said->why];
	enum queue_outcome outcome = outcome_of(said);
	struct queue_reply ours;

	if (said->why == WHY_SAID) {
		facts.code = (uint16_t)said->said.code;
		facts.text = said->said.text;
		status_of(&said->said, facts.status);
		line_fail(o, outcome, facts);
		return;
	}
	ours = line_because(o, h->name, r->why,
			    said->why == WHY_UNPROVEN ? str_of(invalid) : S_NONE, r->subject,
			    r->number);
	facts.text = ours.text;
	memcpy(facts.status, ours.status, sizeof facts.status);
	line_fail(o, is_refusal(o, h, said) ? QUEUE_REFUSED : outcome, facts);
}

/* --- one connection --- */

static struct client_conf conf_of(const struct opening *o, const struct host *h, bool clear)
{
	const struct line_net *net = o->net;
	struct client_conf c = { .name = net->conf.name,
				 .secure = clear                   ? TLS_NEVER
					   : h->decision.plaintext ? TLS_IF_SO
								   : TLS_ALWAYS,
				 .tls = net->tls,
				 .wish = h->decision.wish,
				 .times = net->conf.times };
	int64_t left = o->want->deadline - clock_ms();

	if (o->at_once)
		c.secure = TLS_AT_ONCE;
	if (o->relay) {
		c.user = o->relay->user;
		c.password = o->relay->password;
	}
	if (left < c.times.login_ms)
		c.times.login_ms = left > 0 ? left : 0;
	return c;
}

static enum queue_auth auth_of(const struct opening *o, const struct tls_info *tls)
{
	if (!tls->on)
		return QUEUE_PLAIN;
	switch (tls->proof) {
	case TLS_UNPROVEN: return QUEUE_OPPORTUNISTIC;
	case TLS_BY_NAME: return o->relay ? QUEUE_BY_NAME : QUEUE_MTA_STS;
	case TLS_BY_DANE: return QUEUE_DANE;
	}
	BUG_IF(true);
	return QUEUE_PLAIN;
}

static bool keeps(enum queue_guard guard, enum queue_auth auth)
{
	return guard == QUEUE_ANY || (guard == QUEUE_ENCRYPTED && auth != QUEUE_PLAIN) ||
	       auth >= QUEUE_DANE;
}

static void set_tls(struct queue_reply *facts, const struct opening *o, const struct tls_info *tls)
{
	facts->auth = auth_of(o, tls);
	if (!tls->on)
		return;
	facts->tls = str_of(tls->version);
	facts->cipher = str_of(tls->cipher);
	facts->group = str_of(tls->group);
}

/* The line takes over the host's arena. */
static struct line *line_of(struct opening *o, struct host *h, struct smtp_client *c, struct io *io,
			    struct queue_reply facts)
{
	struct line *l = NEW(struct line);

	*l = (struct line){ .net = o->net,
			    .client = c,
			    .io = io,
			    .arena = h->arena,
			    .destination = str_dup(h->arena, o->want->destination),
			    .relay = o->relay,
			    .facts = facts,
			    .opened = clock_ms(),
			    .loose = o->want->tls_optional && o->guard == QUEUE_ANY };
	h->arena = NULL;
	return l;
}

/* What comes out is looked at once more, whatever led to it: no mail goes over less than was
 * decided on and asked for. */
static bool as_decided(const struct opening *o, const struct host *h, enum queue_auth auth)
{
	return keeps(o->guard, auth) &&
	       (h->decision.wish.proof == TLS_UNPROVEN || auth >= QUEUE_DANE);
}

/* Greets over io, which is closed where that fails; *said tells why. */
static struct line *greet(struct opening *o, struct host *h, struct io *io, bool clear,
			  struct outcome *said)
{
	struct client_conf conf = conf_of(o, h, clear);
	struct smtp_client *c = smtp_client_new(&conf, io);
	struct queue_reply facts = { .host = h->name, .ip = str_dup(h->arena, io_peer(io).ip) };

	bool good = smtp_client_greet(c, said);
	struct client_info info = smtp_client_info(c);

	set_tls(&facts, o, &info.tls);
	if (good && !as_decided(o, h, facts.auth)) {
		*said = (struct outcome){ TEMPORARY, AT_TLS, WHY_UNPROVEN, .err = OK };
		good = false;
	}
	if (!clear)
		line_note_session(o, h, facts.ip, &info.tls, said);
	if (good && o->want->requiretls && !info.offer.requiretls) {
		struct queue_reply ours =
			line_because(o, h->name, QUEUE_WHY_REQUIRETLS, S_NONE, 7, 30);

		facts.text = ours.text;
		memcpy(facts.status, ours.status, sizeof facts.status);
		line_fail(o, QUEUE_REFUSED, facts);
		good = false;
	} else if (!good) {
		not_greeted(o, h, facts, said, info.tls.invalid);
	}
	if (good)
		return line_of(o, h, c, io, facts);
	smtp_client_quit(&c);
	io_close(&io);
	return NULL;
}

/* --- one host --- */

/* In clear to the same address, where that is allowed: RFC 7435 4. */
static struct line *once_more(struct opening *o, struct host *h, const struct dns_address *x,
			      struct outcome *said)
{
	struct dial d = { .address = x,
			  .n = 1,
			  .port = o->port,
			  .each_ms = o->net->conf.connect_ms,
			  .deadline = o->want->deadline };
	struct io *io;
	size_t at;

	log_event(LOG_INFO, "line.clear", KV("host", h->name),
		  KVC("why", client_why_text(said->why)));
	return line_dial(&d, &io, &at) ? greet(o, h, io, true, said) : NULL;
}

static void no_connection(struct opening *o, const struct host *h, const struct dns_address *x)
{
	struct queue_reply facts = line_because(o, h->name, QUEUE_WHY_NO_CONNECTION, S_NONE, 4, 1);

	facts.ip = dns_address_text(o->arena, x);
	line_fail(o, QUEUE_UNREACHED, facts);
}

static struct line *try_addresses(struct opening *o, struct host *h)
{
	size_t left = LINE_TRIES_MAX - o->tries;
	struct dial d = { .address = h->to.address,
			  .n = h->to.n < left ? h->to.n : left,
			  .port = o->port,
			  .each_ms = o->net->conf.connect_ms,
			  .deadline = o->want->deadline };
	struct line *l = NULL;
	struct outcome said = { 0 };
	struct io *io;
	size_t at;
	bool any = false;

	/* One that said something speaks for the host; one that said nothing may have a twin. */
	while (!l && !said.said.code && line_dial(&d, &io, &at)) {
		any = true;
		l = greet(o, h, io, false, &said);
		if (!l && h->decision.plaintext && tls_failed(&said))
			l = once_more(o, h, &h->to.address[at], &said);
	}
	for (size_t i = 0; i < d.n; i++)
		o->tries += d.tried[i];
	if (!any)
		no_connection(o, h, &h->to.address[d.n - 1]);
	return l;
}

static struct line *try_host(struct opening *o, const struct mx_host *m)
{
	struct host h = { .preference = m->preference, .arena = arena_new(HOST_MEMORY) };
	struct line *l = NULL;

	h.name = str_dup(h.arena, m->name);
	if (line_host(o, &h))
		l = try_addresses(o, &h);
	else if (h.decision.what == DECIDE_SKIP)
		line_note(o, &h, S_NONE, TLSRPT_VALIDATION_FAILURE, "not a host of the policy");
	else if (h.decision.what == DECIDE_LATER)
		line_note(o, &h, S_NONE, TLSRPT_DNSSEC_INVALID, NULL);
	if (!l)
		arena_free(&h.arena);
	return l;
}

/* --- all of it --- */

static enum queue_guard guard_of(const struct line_net *net, const struct line_want *want)
{
	enum queue_guard least = line_least(net, want->destination);
	enum queue_guard mail = want->requiretls ? QUEUE_AUTHENTICATED : want->guard;

	return least > mail ? least : mail;
}

void line_begin(struct opening *o)
{
	o->relay = line_relay_of(o->net, o->want->destination);
	o->guard = guard_of(o->net, o->want);
}

static struct queue_reply copy(struct arena *a, struct queue_reply r)
{
	r.text = str_dup(a, r.text);
	r.host = str_dup(a, r.host);
	r.ip = str_dup(a, r.ip);
	r.tls = str_dup(a, r.tls);
	r.cipher = str_dup(a, r.cipher);
	r.group = str_dup(a, r.group);
	return r;
}

bool line_open(struct line_net *net, const struct line_want *want, struct arena *a,
	       struct line **out, struct line_failure *why)
{
	struct opening o = { .net = net, .want = want, .arena = arena_new(OPENING_MEMORY) };

	*out = NULL;
	line_begin(&o);
	bool routed = line_route(&o);
	line_note_policy(&o);
	if (routed)
		for (size_t i = 0; i < o.route.n && !*out && !fiber_canceled() &&
				   clock_ms() < want->deadline && o.tries < LINE_TRIES_MAX;
		     i++)
			*out = try_host(&o, &o.route.host[i]);
	if (!*out && !o.failed)
		line_fail(&o, QUEUE_UNREACHED,
			  line_because(&o, S_NONE, QUEUE_WHY_NO_CONNECTION, S_NONE, 4, 1));
	if (!*out)
		*why = (struct line_failure){ o.why.outcome, copy(a, o.why.facts) };
	arena_free(&o.arena);
	return *out != NULL;
}

static bool leads(const struct line *l, struct str destination)
{
	const struct line_relay *a = l->relay, *b = line_relay_of(l->net, destination);

	if (!a || !b)
		return !a && !b && str_eq(l->destination, destination);
	return str_ieq(a->host, b->host) && a->port == b->port && str_eq(a->user, b->user);
}

bool line_lives(const struct line *l)
{
	return smtp_client_ready(l->client) && clock_ms() < l->opened + LINE_LIFE_MS;
}

bool line_serves(const struct line *l, const struct line_want *want)
{
	enum queue_guard guard = guard_of(l->net, want);

	if (!line_lives(l) || !leads(l, want->destination))
		return false;
	if (l->loose && !(want->tls_optional && guard == QUEUE_ANY))
		return false;
	if (want->requiretls && !smtp_client_info(l->client).offer.requiretls)
		return false;
	return keeps(guard, l->facts.auth);
}

void line_close(struct line **at)
{
	struct line *l = *at;

	if (!l)
		return;
	smtp_client_quit(&l->client);
	io_close(&l->io);
	arena_free(&l->arena);
	free(l);
	*at = NULL;
}
