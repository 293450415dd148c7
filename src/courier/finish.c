/* SPDX-License-Identifier: ISC */
/*
 * courier/finish.c - the result of a part, in one commit with what its sender is told of it.
 *
 * Reports are owed for recipients that are over and not `told`. Where one cannot be made just now,
 * the lease is kept and ends: whoever takes the part then makes it. So a report may come twice,
 * and is never lost (docs/adr/0025-queue.md).
 */
#include "courier/courier_priv.h"
#include "courier/sign.h"
#include "queue/expect.h"
#include "queue/notice.h"
#include "queue/receipt.h"

enum { NOTE_ARENA = 1 << 20 };

void log_mail(enum log_level level, const char *event, uint64_t id, enum err e)
{
	struct arena *a = arena_new(256);

	log_event(level, event, KV("id", queue_id_text(a, id)), KVE(e));
	arena_free(&a);
}

static void log_lost(const struct queue_job *j, enum err e)
{
	if (e)
		log_mail(LOG_WARN, "queue.result.lost", j->p.id, e);
}

/* What a new line, or none, tells of the domain. */
static bool learn(struct turn *t, const struct queue_job *j, int64_t now, struct arena *a,
		  struct update *out)
{
	struct expect *news = ARENA_NEW(a, struct expect);
	bool known = false;

	for (size_t i = 0; i < j->p.n && !known && !j->p.via.n; i++)
		known = expect_of(j->p.domain, &j->p.rcpt[i].last, now, news);
	if (known)
		expect_prepare(a, news, 1, now, out);
	t->heard = false;
	return known;
}

/* The result, the receipt of who sent it, and what was learnt: u has room for them. */
enum { UPDATES = 3 };
static size_t prepare(struct turn *t, struct queue_job *j, bool done, int64_t now, struct arena *a,
		      struct update *u)
{
	struct str id;
	size_t n = 1;

	queue_result_prepare(a, j, done, &u[0]);
	if (j->m.account && !queue_message_id(t->c->store, &j->m, a, &id) &&
	    queue_receipt_prepare(a, j, id, now, &u[n]))
		n++;
	if (t->heard && learn(t, j, now, a, &u[n]))
		n++;
	return n;
}

/* A server that takes one recipient at a time has it done for each: in memory of its own. */
static void note(struct turn *t, struct queue_job *j, int64_t now)
{
	struct arena *a = arena_new(NOTE_ARENA);
	struct update u[UPDATES];
	size_t n = prepare(t, j, false, now, a, u);

	store_update_all(t->c->store, u, n);
	log_lost(j, u[0].result);
	arena_free(&a);
}

void note_part(struct turn *t, struct queue_job *j)
{
	note(t, j, clock_wall());
}

static void tell_all(const struct turn *t, struct queue_job *j, int64_t now)
{
	for (size_t i = 0; i < j->p.n; i++)
		schedule_told(&t->c->conf.plan, &j->m, &j->p.rcpt[i], now);
}

/* Those that are due; how many. */
static size_t reports_due(const struct turn *t, const struct queue_job *j, int64_t now,
			  enum queue_report out[3])
{
	bool due[4] = { false };
	size_t n = 0;

	for (size_t i = 0; i < j->p.n; i++)
		due[schedule_report(&t->c->conf.plan, &j->m, &j->p.rcpt[i], now)] = true;
	for (enum queue_report k = QUEUE_DELAY; k <= QUEUE_SUCCESS; k++)
		if (due[k])
			out[n++] = k;
	return n;
}

/* --- reports are signed where they leave the house --- */

struct noticed {
	struct str header; /* in a */
	struct arena *a;
	struct dkim_body *body; /* owned */
};

static enum err take(void *arg, struct str octets)
{
	struct noticed *n = arg;

	if (!n->header.n) {
		size_t end = str_find_str(octets, S("\r\n\r\n")) + 4;

		if (end > octets.n)
			return E_SYNTAX;
		n->header = str_dup(n->a, str_part(octets, 0, end));
		octets = str_from(octets, end);
	}
	dkim_body_add(n->body, octets);
	return OK;
}

/* A domain that is none of ours has no keys. */
static enum err sign(void *arg, struct path from, const struct queue_notice_octets *o,
		     struct arena *a, struct str *out)
{
	struct noticed n = { .a = a, .body = dkim_body_new(true, UINT64_MAX) };
	enum err e = queue_notice_each(o, take, &n);
	uint8_t digest[DKIM_DIGEST];

	*out = S("");
	(void)dkim_body_end(n.body, digest);
	dkim_body_free(&n.body);
	if (!e)
		e = own_sign_body(arg, from, n.header, digest, a, out);
	return e == E_DENIED ? OK : e;
}

void finish_part(struct turn *t, struct queue_job *j)
{
	struct courier *c = t->c;
	enum queue_report kind[3];
	int64_t now = clock_wall();
	size_t n = reports_due(t, j, now, kind);
	struct queue_notice mail[3] = { 0 };
	struct queue_notice_of of = { .store = c->store,
				      .keeper = c->keeper,
				      .plan = &c->conf.plan,
				      .hostname = c->conf.hostname,
				      .job = j,
				      .now = now,
				      .sign = sign,
				      .arg = c->keeper };
	enum err e = OK;

	for (size_t i = 0; i < n && !e; i++)
		e = queue_notice_write(&of, kind[i], t->once, &mail[i]);
	if (e) {
		log_mail(LOG_WARN, "mail.report.later", j->m.id, e);
		note(t, j, now);
	} else {
		struct update u[UPDATES];

		tell_all(t, j, now);
		queue_notice_send(&of, mail, n, u, prepare(t, j, true, now, t->once, u), t->once);
		log_lost(j, u[0].result);
	}
	for (size_t i = 0; i < n; i++)
		queue_notice_drop(&mail[i]);
}

/* --- the log --- */

static struct str status_text(struct arena *a, const uint16_t s[3])
{
	return s[0] ? str_fmt(a, "%u.%u.%u", s[0], s[1], s[2]) : S("");
}

void log_recipient(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
		   int64_t ms)
{
	static const char *const states[QUEUE_STATES] = { "later", "delivered", "failed", "expired",
							  "held" };
	static const char *const auths[QUEUE_AUTHS] = { "plain", "opportunistic", "dane", "mta-sts",
							"name" };
	const struct queue_reply *l = &r->last;
	struct arena *a = arena_new(4096);

	(void)t;
	log_event(LOG_INFO, "mail.out", KV("id", queue_id_text(a, j->m.id)), KV("to", r->address),
		  KVC("result", states[r->state]), KV("host", l->host), KV("ip", l->ip),
		  KVN("code", l->code), KV("status", status_text(a, l->status)),
		  KV("tls", l->tls.n ? l->tls : S("none")), KVC("auth", auths[l->auth]),
		  KVN("ms", ms), KVN("tries", r->tries),
		  KV("reason", r->state == QUEUE_DELIVERED ? S("") : l->text));
	arena_free(&a);
}
