/* SPDX-License-Identifier: ISC */
#include "smtp/away.h"

static const char not_yours[] = "this sender address is not yours\n"
				"diese Absenderadresse gehoert nicht zu Ihrem Konto";
static const char no_relay[] = "not relaying: no mailbox of this server";
static const char only_reports[] = "this address takes reports about mail that it sent on, only";

static struct path keep_path(struct arena *a, struct path p)
{
	return (struct path){ str_dup(a, p.local), str_dup(a, p.domain), p.utf8 };
}

/* A user must have logged in, over TLS: RFC 6409 4.3, RFC 8314 3.3. */
static struct reply entitled(const struct smtp *s)
{
	if (is_submission(s) && !is_private(s))
		return reply(530, "5.7.0", "say STARTTLS first");
	if (is_submission(s) && !s->authenticated)
		return reply(530, "5.7.0", "log in first");
	return (struct reply){ 0 };
}

/* The null path is nobody's and anybody's: a receipt is sent with it, RFC 8098 2.1. Whose it is
 * stands in From, which is checked in any case. */
struct reply envelope_permitted(struct smtp *s)
{
	struct str why;
	enum err e = keeper_may_send(s->srv->keeper, s->login.account, s->mail.from, s->cmd, &why,
				     &s->least);

	if (e == E_DENIED && why.n)
		return reply(550, "5.7.1", str_c(s->cmd, why));
	if (e == E_DENIED)
		return reply(553, "5.7.1", not_yours);
	return e ? reply_err(e) : (struct reply){ 0 };
}

/* When it may go and how long that may take, which counts from then on: RFC 4865 4, RFC 2852 4. */
static struct reply times(struct smtp *s)
{
	const struct mail_args *m = &s->mail;
	int64_t now = clock_wall(), soonest = (clock_wall_ms() + 999) / 1000;
	int64_t most = soonest + s->conf->hold_max;

	if (m->hold)
		s->hold_until = m->hold_until ? m->hold_until : soonest + m->hold_for;
	if (m->hold && (s->hold_until < now || s->hold_until > most))
		return reply(501, "5.5.4", "mail cannot be released in the past or so late");
	if (m->by)
		s->deliver_by = (s->hold_until ? s->hold_until : now) + m->by_time;
	return (struct reply){ 0 };
}

/* MAIL FROM:<path> [SP param]...                    RFC 5321 4.1.1.2, 4.1.1.11 */
struct reply smtp_cmd_mail(struct smtp *s, struct scan *in)
{
	struct reply r = entitled(s);

	if (!r.code)
		r = mail_args(in, s->cmd, params_offered(s), &s->mail);
	if (r.code)
		return r;
	if (s->mail.size > s->conf->message_max) /* RFC 1870 6.1 */
		return reply(552, "5.3.4", "message too large");
	if (is_submission(s))
		r = envelope_permitted(s);
	if (!r.code)
		r = times(s);
	if (r.code)
		return r;
	s->mail.from = keep_path(s->tx, s->mail.from);
	s->mail.envid = str_dup(s->tx, s->mail.envid);
	s->state = MAIL;
	return reply(250, "2.1.0", "sender accepted");
}

/*
 * Would a message of the size that was told pass the quota? Asked before it is taken: RCPT has
 * an answer for each recipient, the end of DATA has not. RFC 3463 3.3 wants it temporary.
 */
static enum err room(struct smtp *s, const struct route *r)
{
	struct box_usage usage;

	if (!r->quota)
		return OK;
	enum err e = box_usage(s->srv->store, r->account, &usage);

	if (e == E_NOTFOUND) /* nothing there yet */
		return OK;
	if (!e && (usage.octets >= r->quota || s->mail.size > r->quota - usage.octets))
		return E_QUOTA;
	return e;
}

/* A detail that names no mailbox means the inbox; known so early, 1,000 details that somebody
 * thought up bring a message once. */
static void settle(struct smtp *s, struct route *r)
{
	struct mailbox_info info;

	if (!r->mailbox.n)
		return;
	enum err e = box_status(s->srv->store, r->account, r->mailbox, s->cmd, &info);

	if (e == E_NOTFOUND || (!e && (!info.exists || str_is(info.name, "INBOX"))))
		r->mailbox = S("");
	else if (!e)
		r->mailbox = info.name;
}

/* Where a recipient leads to. */
struct found {
	struct route *routes;
	size_t n;
	struct str sender; /* of the copies to other servers */
};

/* A recipient elsewhere is one route. */
static struct reply elsewhere(struct smtp *s, struct path to, struct found *f)
{
	f->routes = ARENA_NEW(s->cmd, struct route);
	f->n = 1;
	f->sender = away_text(s->cmd, s->mail.from);
	return away_address(s->cmd, to, &f->routes->address);
}

/* Of an alias, what can be no address is left out like whoever does not exist. */
static void keep_possible(struct smtp *s, struct found *f)
{
	struct route *r = f->routes;
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct path to;

		if (!r[i].account && (path_parse(s->cmd, r[i].address, &to) ||
				      away_address(s->cmd, to, &r[i].address).code))
			continue;
		r[kept++] = r[i];
	}
	f->n = kept;
}

/* Mail that an alias sends on: with a sender of ours, so that SPF holds at the next server. A
 * user's is of ours already. */
static struct reply forwarded(struct smtp *s, struct path to, struct found *f)
{
	size_t away = 0;
	enum err e = OK;

	for (size_t i = 0; i < f->n; i++)
		away += !f->routes[i].account;
	f->sender = away_text(s->cmd, s->mail.from);
	if (!away)
		return (struct reply){ 0 };
	if (f->routes->back && f->sender.n)
		return reply(550, "5.7.1", only_reports);
	if (f->sender.n && !is_submission(s))
		e = keeper_rewrite(s->srv->keeper, s->mail.from, to.domain, s->cmd, &f->sender);
	return e ? reply_err(e) : (struct reply){ 0 };
}

/* Mail that is held goes into the queue as it is: when its time comes the courier looks where the
 * recipient leads to then. RFC 4865 */
static void held(struct smtp *s, struct path to, struct found *f)
{
	struct route *r = ARENA_NEW(s->cmd, struct route);

	r->address = to.domain.n ? away_text(s->cmd, to) : f->routes->address;
	*f = (struct found){ .routes = r, .n = 1, .sender = away_text(s->cmd, s->mail.from) };
}

/* Where the recipient leads to; what is here must have room. */
static struct reply find(struct smtp *s, struct path to, struct found *f)
{
	enum err e = keeper_route(s->srv->keeper, to, s->cmd, &f->routes, &f->n);

	if (e == E_DENIED && is_submission(s))
		return elsewhere(s, to, f);
	if (e == E_DENIED)
		return reply(550, "5.7.1", no_relay);
	if (e == E_LIMIT)
		return reply(550, "5.2.4", "this address expands to too many");
	if (e)
		return reply_err(e);
	if (f->n == 1 && f->routes->expired) /* RFC 3463 3.3 */
		return reply(550, "5.2.1",
			     "this mailbox takes no mail any more\n"
			     "dieses Postfach nimmt keine Mail mehr an");
	struct reply r = guarantee_rcpt(s, to, f->routes, &f->n);
	if (r.code)
		return r;
	keep_possible(s, f);
	if (!f->n)
		return reply_err(E_NOTFOUND);
	for (size_t i = 0; i < f->n; i++)
		settle(s, f->routes + i);
	if (f->n == 1)
		e = room(s, f->routes);
	if (e)
		return reply_err(e);
	r = forwarded(s, to, f);
	if (!r.code && s->hold_until)
		held(s, to, f);
	return r;
}

/* Which delivery of the transaction a route is; a new one if there is none yet. */
static size_t delivery_of(struct smtp *s, const struct route *r, bool alone)
{
	for (size_t i = 0; i < s->nto; i++)
		if (s->to[i].account == r->account && str_eq(s->to[i].mailbox, r->mailbox))
			return i;
	if (s->nto == s->cap_to) {
		size_t cap = s->cap_to ? s->cap_to * 2 : 4;
		struct delivery *to = ARENA_ARRAY(s->tx, struct delivery, cap);

		if (s->nto)
			memcpy(to, s->to, s->nto * sizeof *to);
		s->to = to;
		s->cap_to = cap;
	}
	/*
	 * Who was found to have room gets the message even if it turns out larger than told, by
	 * at most one message; members of an alias get it anyway, since one full mailbox must
	 * not hold up the others. LMTP can answer for each.
	 */
	uint64_t grace = s->kind == SMTP_LMTP ? 0 : s->conf->message_max;

	s->to[s->nto] = (struct delivery){
		.account = r->account,
		.mailbox = str_dup(s->tx, r->mailbox),
		.quota = r->quota && alone ? r->quota + grace : 0,
		.warning = { r->quota, s->conf->quota_warning, str_dup(s->tx, r->address) },
	};
	return s->nto++;
}

/* What was said of the recipient goes along with the mail to him: RFC 3461 5.2.1, 5.2.7.2. Of an
 * alias of several, success is not reported for each: 5.2.7.3 (c). */
static size_t leaving_of(struct smtp *s, const struct rcpt *r, const struct found *f, size_t i)
{
	struct leaving l = { .sender = f->sender,
			     .to = { .address = f->routes[i].address,
				     .orcpt = r->args.orcpt,
				     .notify = r->args.notify } };

	if (f->n > 1 && l.to.notify & NOTIFY_SUCCESS) {
		l.to.notify &= ~(unsigned)NOTIFY_SUCCESS;
		if (!l.to.notify)
			l.to.notify = NOTIFY_NEVER;
	}
	return away_add(s, &l);
}

static struct rcpt *add(struct smtp *s, const struct rcpt_args *args, const struct found *f)
{
	struct rcpt *r = ARENA_NEW(s->tx, struct rcpt);

	r->args = *args;
	r->args.to = keep_path(s->tx, args->to);
	r->args.orcpt = str_dup(s->tx, args->orcpt);
	for (size_t i = 0; i < f->n; i++) {
		struct target *t = ARENA_NEW(s->tx, struct target);

		t->away = !f->routes[i].account;
		t->index =
			t->away ? leaving_of(s, r, f, i) : delivery_of(s, &f->routes[i], f->n == 1);
		t->next = r->targets;
		r->targets = t;
	}
	*s->last_rcpt = r;
	s->last_rcpt = &r->next;
	s->nrcpt++;
	s->ntargets += f->n;
	return r;
}

static struct reply rcpt(struct smtp *s, struct scan *in)
{
	struct rcpt_args args;
	struct found f = { 0 };
	uint32_t hash = 0;
	bool stranger = false;
	struct reply r;

	if (s->nrcpt >= recipients_max(s)) /* RFC 5321 4.5.3.1.10 */
		return reply(452, "4.5.3", "too many recipients");
	r = rcpt_args(in, s->cmd, params_offered(s), &args);
	if (r.code)
		return r;
	if (args.to.utf8 && !s->mail.utf8) /* RFC 6531 3.5 */
		return reply(553, "5.6.7", "this address needs SMTPUTF8");
	r = find(s, args.to, &f);
	if (r.code)
		return r;
	if (f.n > TARGETS_MAX - s->ntargets)
		return reply(452, "4.5.3", "too many recipients");
	if (is_submission(s))
		r = sending_rcpt(s, args.to, &hash, &stranger);
	if (r.code)
		return r;
	add(s, &args, &f)->hash = hash;
	s->strangers += stranger;
	s->state = RCPT;
	return reply(250, "2.1.5", "recipient accepted");
}

/* RCPT TO:<path> [SP param]...                      RFC 5321 4.1.1.3, 4.1.1.11 */
struct reply smtp_cmd_rcpt(struct smtp *s, struct scan *in)
{
	struct str asked = in->rest;
	struct reply r = rcpt(s, in);

	if (r.code != 250 && s->told < TOLD_MAX) {
		s->told++;
		log_event(LOG_INFO, "rcpt.refused", KV("rcpt", asked),
			  KV("from", path_text(s->cmd, s->mail.from)), KVN("code", r.code),
			  KVC("reason", r.text));
	}
	return r;
}
