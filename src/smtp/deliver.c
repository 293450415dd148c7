/* SPDX-License-Identifier: ISC */
#include "smtp/away.h"
#include "smtp/here.h"
#include "smtp/partly.h"
#include "smtp/told.h"

struct reply reply_err(enum err e)
{
	switch (e) {
	case E_NOTFOUND: return reply(550, "5.1.1", "no such mailbox here");
	case E_QUOTA: return reply(452, "4.2.2", "the mailbox is full");
	case E_READONLY:
		return reply(450, "4.3.2",
			     "no mail is taken at present\n"
			     "zurzeit wird keine Mail angenommen");
	case E_NOSPACE: return reply(452, "4.3.1", "no space left here just now");
	case E_LIMIT: return reply(552, "5.3.4", "too large");
	default: return reply(451, "4.3.0", "not possible just now, try again later");
	}
}

/* Those of the deliveries that are still to be made, and whence they come. */
static void deliver_rest(struct smtp *s, struct intake *it, const bool *had)
{
	struct delivery *d = ARENA_ARRAY(s->tx, struct delivery, s->nto);
	size_t *from = ARENA_ARRAY(s->tx, size_t, s->nto), n = 0;

	for (size_t i = 0; i < s->nto; i++) {
		if (had && had[i])
			continue;
		from[n] = i;
		d[n++] = s->to[i];
	}
	struct away_puts also = away_prepare(s, it, had ? had + s->nto : NULL);
	size_t nalso = also.n + here_prepare(s, it, &also.update[also.n]);

	if (n + also.n) /* suspends */
		box_deliver_also(s->srv->store, it->in, d, n, also.update, nalso);
	for (size_t i = 0; i < n; i++)
		s->to[from[i]] = d[i];
	away_done(s, it, &also);
	here_done(s, it);
}

/* Mailboxes here and recipients elsewhere, in this order. */
static size_t count(const struct smtp *s)
{
	return s->nto + s->naway;
}

static enum err *result(struct smtp *s, size_t i)
{
	return i < s->nto ? &s->to[i].result : &s->away[i - s->nto].result;
}

/* The error that says most about what to do next: one that may pass comes before the others. */
static enum err worse(enum err a, enum err b)
{
	return !a || (b && !err_temporary(a) && err_temporary(b)) ? b : a;
}

static enum err worst(struct smtp *s, bool *some)
{
	enum err e = OK;

	*some = false;
	for (size_t i = 0; i < count(s); i++) {
		e = worse(e, *result(s, i));
		*some |= *result(s, i) == OK;
	}
	return e;
}

/* All that have it are noted, so that the next try leaves them out. */
static void note(struct smtp *s, const struct str *key)
{
	bool *ok = ARENA_ARRAY(s->tx, bool, count(s));

	for (size_t i = 0; i < count(s); i++)
		ok[i] = *result(s, i) == OK;
	enum err e = partly_note(s->srv->store, key, count(s), ok);

	if (e) /* the next try may bring it twice, which is better than never */
		log_event(LOG_WARN, "mail.not.noted", KVE(e));
}

static struct str *keys(struct smtp *s, struct intake *it)
{
	struct partly_to *to = ARENA_ARRAY(s->tx, struct partly_to, count(s));

	for (size_t i = 0; i < s->nto; i++)
		to[i] = (struct partly_to){ s->to[i].account, s->to[i].mailbox };
	for (size_t i = 0; i < s->naway; i++)
		to[s->nto + i].name = s->away[i].to.address;
	return partly_keys(s->tx, it->digest, s->mail.from, to, count(s));
}

static enum err target_result(struct smtp *s, const struct target *t)
{
	return *result(s, t->away ? s->nto + t->index : t->index);
}

enum err rcpt_result(struct smtp *s, const struct rcpt *r)
{
	enum err e = OK;

	for (const struct target *t = r->targets; t; t = t->next)
		e = worse(e, target_result(s, t));
	return e;
}

/* Does one recipient of LMTP have some of its targets served and others not? */
static bool split(struct smtp *s)
{
	for (const struct rcpt *r = s->first; r; r = r->next) {
		bool ok = false;

		for (const struct target *t = r->targets; t; t = t->next)
			ok |= target_result(s, t) == OK;
		if (ok && rcpt_result(s, r))
			return true;
	}
	return false;
}

/* Code 0 never comes out; the deliveries have their results. */
static struct reply deliver(struct smtp *s, struct intake *it)
{
	struct str *key = NULL;
	bool *had = NULL, some;
	enum err e = OK;

	if (it->digest) {
		key = keys(s, it);
		had = ARENA_ARRAY(s->tx, bool, count(s));
		e = partly_had(s->srv->store, key, count(s), had);
	}
	for (size_t i = 0; i < count(s); i++)
		*result(s, i) = e;
	if (e)
		return reply_err(e);
	deliver_rest(s, it, had);
	e = worst(s, &some);
	if (!e)
		return reply(250, "2.0.0",
			     str_c(s->cmd, str_fmt(s->cmd, "taken as %.*s", FMT(it->id))));
	if (!some)
		return reply_err(e);
	if (key && (s->kind != SMTP_LMTP || split(s)))
		note(s, key);
	return reply_err(err_temporary(e) ? e : E_AGAIN);
}

/* RFC 2033 4.2: an answer for each recipient. */
static struct reply each(struct smtp *s, struct reply r, bool tried)
{
	struct reply *list = ARENA_ARRAY(s->cmd, struct reply, s->nrcpt);
	size_t n = 0;

	for (const struct rcpt *p = s->first; p; p = p->next) {
		enum err e = tried ? rcpt_result(s, p) : OK;

		list[n] = r;
		if (tried)
			list[n] = e ? reply_err(e) : reply(250, "2.0.0", "taken");
		n++;
	}
	return (struct reply){ .each = list, .n = n };
}

static void log_message(struct smtp *s, struct intake *it, struct reply r)
{
	struct tls_info tls = io_tls(s->io);
	struct str to = s->nrcpt == 1 ? path_text(s->cmd, s->first->args.to) : S("");
	struct str from = path_text(s->cmd, s->mail.from);

	if (r.code == 250)
		log_event(LOG_INFO, "mail.in", KV("id", it->id), KV("from", from), KV("to", to),
			  KVN("recipients", s->nrcpt), KVN("mailboxes", s->nto),
			  KVN("away", s->naway), KVN("size", it->size),
			  KVN("uid", s->nto == 1 ? s->to[0].uid : 0),
			  KVC("tls", tls.on ? tls.version : "none"),
			  KV("message_id", incoming_summary(it->in)->message_id));
	else
		log_event(LOG_INFO, "mail.refused", KV("id", it->id), KV("from", from),
			  KV("to", to), KVN("recipients", s->nrcpt), KVN("size", it->size),
			  KVN("code", r.code), KVC("reason", r.text));
}

struct reply message_end(struct smtp *s, struct intake *it)
{
	struct reply r = intake_finish(it);

	if (!r.code && is_submission(s))
		r = sending_message(s);
	bool tried = !r.code;

	if (tried)
		r = deliver(s, it);
	log_message(s, it, r);
	if (tried && (r.code == 250 || s->kind == SMTP_LMTP))
		told_success(s, it);
	if (r.code == 250) {
		s->errors = 0;
		s->idle_until = clock_in(s->conf->idle_ms);
	}
	if (s->kind == SMTP_LMTP)
		r = each(s, r, tried);
	smtp_reset(s);
	return r;
}
