/* SPDX-License-Identifier: ISC */
#include "courier/courier_priv.h"
#include "courier/downgrade.h"
#include "courier/line_priv.h"
#include "queue/why.h"

/* A line may end before anything is sent; so often in a row it is no chance any more. */
enum { BARREN_MAX = 3 };

struct sending {
	struct turn *t;
	struct queue_job *j;
	struct line_want want;
	struct client_mail mail; /* rcpt: those of whom nothing is decided yet */
	struct queue_recipient **whose;
	struct queue_reply facts; /* of the line, in t->once */
	struct downgraded *seven; /* owned; sent in the place of the mail, where it is not NULL */
	int64_t began;            /* ms */
};

/* --- the line --- */

static bool same_want(const struct line_want *a, const struct line_want *b)
{
	return a->guard == b->guard && a->requiretls == b->requiretls &&
	       a->tls_optional == b->tls_optional;
}

static bool have_line(struct sending *s)
{
	struct turn *t = s->t;
	struct courier *c = t->c;

	if (t->line && line_serves(t->line, &s->want))
		return true;
	pool_put(c->pool, &t->line);
	if (t->has_failed && same_want(&t->failed, &s->want))
		return false;
	const struct line_relay *relay = line_relay_of(c->net, s->want.destination);

	s->want.deadline = clock_in(OPEN_MS);
	if (!pool_get(c->pool, &s->want, relay, c->conf.per_destination, s->want.deadline,
		      &t->line))
		return false;
	if (t->line)
		return true;
	t->heard = true;
	if (line_open(c->net, &s->want, t->arena, &t->line, &t->failure))
		return true;
	pool_leave(c->pool, relay);
	t->has_failed = !fiber_canceled();
	t->failed = s->want;
	return false;
}

/* The line may be gone when the result is written. */
static void keep_facts(struct sending *s)
{
	const struct queue_reply *f = &s->t->line->facts;
	struct arena *a = s->t->once;

	s->facts = *f;
	s->facts.host = str_dup(a, f->host);
	s->facts.ip = str_dup(a, f->ip);
	s->facts.tls = str_dup(a, f->tls);
	s->facts.cipher = str_dup(a, f->cipher);
	s->facts.group = str_dup(a, f->group);
}

/* --- the octets --- */

static enum err read_mail(void *arg, uint64_t off, size_t max, struct str *out)
{
	struct sending *s = arg;

	arena_reset(s->t->block);
	return queue_read(s->t->c->store, &s->j->m, off, max, s->t->block, out);
}

/* RFC 8689 5: a report about a mail with REQUIRETLS has it too, but goes without it where the
 * other side does not know it. */
static bool is_report(const struct queue_message *m)
{
	return m->requiretls && !m->sender.n;
}

static bool requires_tls(const struct sending *s)
{
	struct client_info info = smtp_client_info(s->t->line->client);

	return s->j->m.requiretls &&
	       (!is_report(&s->j->m) || (info.offer.requiretls && info.tls.proof != TLS_UNPROVEN));
}

/* --- who --- */

/* One whose address makes no sense any more says so at its RCPT: WHY_ADDRESS. */
static struct path address(struct arena *a, struct str text)
{
	struct path p = { 0 };

	if (text.n && path_parse(a, text, &p))
		return (struct path){ 0 };
	return p;
}

static void choose(struct sending *s, int64_t now)
{
	const struct queue_part *p = &s->j->p;
	struct arena *a = s->t->once;

	s->mail.rcpt = ARENA_ARRAY(a, struct client_rcpt, p->n);
	s->whose = ARENA_ARRAY(a, struct queue_recipient *, p->n);
	for (size_t i = 0; i < p->n; i++) {
		struct queue_recipient *r = &p->rcpt[i];

		if (r->state != QUEUE_WAITING || r->next > now)
			continue;
		s->whose[s->mail.nrcpt] = r;
		s->mail.rcpt[s->mail.nrcpt++] = (struct client_rcpt){ .to = address(a, r->address),
								      .notify = r->notify,
								      .orcpt = r->orcpt };
	}
}

static void prepare(struct sending *s, int64_t now)
{
	const struct queue_message *m = &s->j->m;

	_Static_assert((int)QUEUE_BINARYMIME == (int)BODY_BINARYMIME &&
			       (int)QUEUE_RET_HDRS == (int)RET_HDRS &&
			       (int)QUEUE_ON_DELAY == (int)NOTIFY_DELAY,
		       "the queue keeps what the client says");
	s->want = (struct line_want){ .destination = s->t->slot.name,
				      .guard = line_guard(s->t->c->net, s->j->p.domain, m->guard),
				      .requiretls = m->requiretls && !is_report(m),
				      .tls_optional = m->tls_optional };
	s->mail = (struct client_mail){ .from = address(s->t->once, m->sender),
					.body = (enum body)m->body,
					.utf8 = m->utf8,
					.ret = (enum ret)m->ret,
					.envid = m->envid,
					.priority = m->priority,
					.by = m->deliver_by != 0,
					.by_time = m->deliver_by - now,
					.by_return = m->by_return,
					.size = m->size,
					.read = read_mail,
					.arg = s };
	choose(s, now);
}

/* --- results --- */

static void settle(struct sending *s, size_t i, enum queue_outcome what, int64_t now)
{
	struct turn *t = s->t;
	struct queue_recipient *r = s->whose[i];

	schedule_after(&t->c->conf.plan, &s->j->m, r, what, now);
	log_recipient(t, s->j, r, clock_ms() - s->began);
}

/* There is no line: it counts for all who are left. */
static void fail(struct sending *s, enum queue_outcome what, const struct queue_reply *why)
{
	int64_t now = clock_wall();

	for (size_t i = 0; i < s->mail.nrcpt; i++) {
		s->whose[i]->last = *why;
		s->whose[i]->last.when = now;
		settle(s, i, what, now);
	}
	s->mail.nrcpt = 0;
}

/* A kept connection that ended just now: nothing of this mail was heard by anybody. */
static bool was_stale(const struct sending *s, const struct outcome *o)
{
	return o->verdict == TEMPORARY && o->stage <= AT_MAIL &&
	       (o->why == WHY_GONE || o->said.code == 421) &&
	       smtp_client_info(s->t->line->client).messages > 1;
}

/* The server takes no such octets: the mail gets another encoding, once. OK: it is to be sent
 * again; E_DENIED: it cannot. */
static enum err downgrade(struct sending *s)
{
	struct courier *c = s->t->c;
	enum err e = s->mail.body == BODY_7BIT
			     ? E_DENIED
			     : downgrade_make(c->store, c->keeper, s->j->m.blob, s->j->m.skip,
					      c->conf.spool, &s->seven);

	if (e && e != E_EXISTS)
		return e;
	s->mail.body = BODY_7BIT;
	if (s->seven) {
		s->mail.size = downgrade_size(s->seven);
		s->mail.read = downgrade_read;
		s->mail.arg = s->seven;
	}
	log_event(LOG_INFO, "mail.downgraded", KV("id", queue_id_text(s->t->once, s->j->m.id)),
		  KV("host", s->facts.host), KVN("size", s->mail.size));
	return OK;
}

/* Whoever was refused for the octets alone is to be tried again, if these can be changed. */
static void make_seven(struct sending *s)
{
	enum err e = E_EXISTS; /* not asked yet */

	for (size_t i = 0; i < s->mail.nrcpt; i++) {
		struct outcome *o = &s->mail.rcpt[i].out;

		if (o->verdict != PERMANENT || (o->why != WHY_8BITMIME && o->why != WHY_BINARYMIME))
			continue;
		if (e == E_EXISTS)
			e = downgrade(s);
		if (!e)
			o->verdict = NOT_TRIED;
		else if (e != E_DENIED)
			*o = (struct outcome){ .verdict = TEMPORARY, .why = WHY_OURS, .err = e };
	}
}

/* Writes down who is decided; the others stay in the list. True: there was one. */
static bool take_results(struct sending *s)
{
	int64_t now = clock_wall();
	size_t left = 0, taken = 0, put_off = 0;

	for (size_t i = 0; i < s->mail.nrcpt; i++) {
		const struct client_rcpt *c = &s->mail.rcpt[i];
		struct queue_recipient *r = s->whose[i];

		if (c->out.verdict == NOT_TRIED || was_stale(s, &c->out) ||
		    (c->out.why == WHY_CANCELED && !c->out.maybe)) {
			s->whose[left] = r;
			s->mail.rcpt[left++] = *c;
			continue;
		}
		if (c->out.why == WHY_OURS)
			log_mail(LOG_ERROR, "mail.unread", s->j->m.id, c->out.err);
		enum queue_outcome what = reply_take(&c->out, c->to.utf8, now, &s->facts, &r->last);

		r->passed = what == QUEUE_TOOK && s->mail.dsn_told;
		taken += what == QUEUE_TOOK || what == QUEUE_REFUSED;
		put_off += what == QUEUE_LATER || what == QUEUE_UNREACHED;
		settle(s, i, what, now);
	}
	s->mail.nrcpt = left;
	s->t->taken += taken > 0;
	s->t->later += put_off > 0 && !taken;
	return taken + put_off > 0;
}

static void put_off(struct sending *s)
{
	struct queue_reply why = s->facts;

	why.text = queue_why_text(QUEUE_WHY_GONE);
	why.status[0] = 4;
	why.status[1] = 4;
	why.status[2] = 2;
	s->t->later++;
	fail(s, QUEUE_UNREACHED, &why);
}

/* Over the line that there is. True: somebody's result is known. */
static bool send(struct sending *s)
{
	struct turn *t = s->t;

	keep_facts(s);
	s->mail.require_tls = requires_tls(s);
	smtp_client_send(t->line->client, &s->mail, t->once);
	make_seven(s);
	return take_results(s);
}

void try_part(struct turn *t, struct queue_job *j)
{
	struct sending s = { .t = t, .j = j, .began = clock_ms() };
	unsigned barren = 0;

	prepare(&s, clock_wall());
	while (s.mail.nrcpt && turn_goes_on(t)) {
		if (!have_line(&s)) {
			if (!t->has_failed)
				break;
			fail(&s, t->failure.outcome, &t->failure.facts);
		} else if (send(&s)) {
			barren = 0;
			if (s.mail.nrcpt)
				note_part(t, j);
		} else if (++barren == BARREN_MAX) {
			put_off(&s);
		}
		if (t->line && !smtp_client_ready(t->line->client))
			pool_drop(t->c->pool, &t->line);
	}
	downgrade_close(&s.seven);
}
