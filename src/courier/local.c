/* SPDX-License-Identifier: ISC */
/*
 * courier/local.c - mail for a domain of ours: it was held until its time came (RFC 4865), or the
 * domain came here while it waited. It goes where it would go if it came in just now: into
 * mailboxes, and back into the queue where an alias leads to another server.
 *
 * Where some of an alias's mailboxes take it and others not, the next try is for the others:
 * smtp/partly.h. A courier that dies before that is noted brings it twice.
 */
#include <openssl/evp.h>

#include "box/box.h"
#include "courier/courier_priv.h"
#include "smtp/partly.h"

enum { PIECE = 256 * 1024 };

struct verdict {
	enum queue_outcome what;
	uint16_t code, status[3];
	const char *text;
};

static struct verdict verdict_of(enum err e)
{
	switch (e) {
	case OK: return (struct verdict){ QUEUE_TOOK, 250, { 2, 1, 5 }, "delivered" };
	case E_NOTFOUND:
		return (struct verdict){ QUEUE_REFUSED, 550, { 5, 1, 1 }, "no such mailbox here" };
	case E_EXISTS:
		return (struct verdict){
			QUEUE_REFUSED, 550, { 5, 2, 1 }, "this mailbox takes no mail any more"
		};
	case E_LIMIT:
		return (struct verdict){
			QUEUE_REFUSED, 550, { 5, 2, 4 }, "this address expands to too many"
		};
	case E_QUOTA:
		return (struct verdict){ QUEUE_LATER, 452, { 4, 2, 2 }, "the mailbox is full" };
	default: return (struct verdict){ QUEUE_LATER, 451, { 4, 3, 0 }, "not possible just now" };
	}
}

/* The mail as it came, under a Return-Path of its own. */
static enum err copy(struct turn *t, const struct queue_message *m, struct incoming *in)
{
	struct str top = str_fmt(t->once, "Return-Path: <%.*s>\r\n", FMT(m->sender));
	enum err e = incoming_write(in, top);

	for (uint64_t off = 0; off < m->size && !e;) {
		struct str s;

		arena_reset(t->block);
		e = queue_read(t->c->store, m, off, PIECE, t->block, &s);
		if (!e)
			e = s.n ? incoming_write(in, s) : E_CORRUPT;
		off += s.n;
	}
	return e ? e : incoming_finish(in);
}

/* --- where it goes --- */

struct ways {
	struct delivery *to;
	size_t nto;
	struct queue_put put; /* n: of those elsewhere */
	struct str *to_key, *put_key;
};

/* Of each of the ways of this recipient of this mail. */
static struct str *keys(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
			const struct route *way, size_t n)
{
	struct partly_to *to = ARENA_ARRAY(t->once, struct partly_to, n);
	void *digest = partly_digest();
	struct path nobody = { 0 };

	partly_digest_add(digest, queue_id_text(t->once, j->m.id));
	partly_digest_add(digest, r->address);
	for (size_t i = 0; i < n; i++)
		to[i] = (struct partly_to){ way[i].account,
					    way[i].account ? way[i].mailbox : way[i].address };
	struct str *key = partly_keys(t->once, digest, nobody, to, n);

	EVP_MD_CTX_free(digest);
	return key;
}

static enum err add_away(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
			 struct path to, const struct route *way, bool alone, struct ways *w)
{
	struct queue_recipient *all = (struct queue_recipient *)w->put.rcpt;
	struct path sender = { 0 };
	enum err e = OK;

	if (!w->put.n) {
		w->put.m = j->m;
		w->put.m.submitted = clock_wall();
		w->put.m.hold_until = 0;
		if (j->m.sender.n)
			e = path_parse(t->once, j->m.sender, &sender);
		if (!e && j->m.sender.n)
			e = keeper_rewrite(t->c->keeper, sender, to.domain, t->once,
					   &w->put.m.sender);
	}
	all[w->put.n] = (struct queue_recipient){ .address = way->address,
						  .orcpt = r->orcpt,
						  .notify = r->notify };
	if (!alone && r->notify & QUEUE_ON_SUCCESS) { /* RFC 3461 5.2.7.3 (c) */
		all[w->put.n].notify &= ~(unsigned)QUEUE_ON_SUCCESS;
		if (!all[w->put.n].notify)
			all[w->put.n].notify = QUEUE_NEVER_TELL;
	}
	w->put.n++;
	return e;
}

static enum err find(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
		     struct ways *w)
{
	struct route *way;
	struct path to;
	size_t n;

	if (path_parse(t->once, r->address, &to))
		return E_NOTFOUND;
	enum err e = keeper_route(t->c->keeper, to, t->once, &way, &n);

	if (e)
		return e;
	if (way->expired)
		return E_EXISTS;
	struct str *key = keys(t, j, r, way, n);
	bool *had = ARENA_ARRAY(t->once, bool, n);

	if (r->tries && n > 1)
		e = partly_had(t->c->store, key, n, had);
	*w = (struct ways){ .to = ARENA_ARRAY(t->once, struct delivery, n),
			    .to_key = ARENA_ARRAY(t->once, struct str, n),
			    .put.rcpt = ARENA_ARRAY(t->once, struct queue_recipient, n),
			    .put_key = ARENA_ARRAY(t->once, struct str, n) };
	for (size_t i = 0; i < n && !e; i++) {
		if (had[i])
			continue;
		(way[i].account ? &w->to_key[w->nto] : &w->put_key[w->put.n])[0] = key[i];
		if (way[i].account)
			w->to[w->nto++] = (struct delivery){ .account = way[i].account,
							     .mailbox = way[i].mailbox,
							     .quota = n == 1 ? way[i].quota : 0 };
		else
			e = add_away(t, j, r, to, &way[i], n == 1, w);
	}
	return e;
}

/* Who has it while others have not: they are left out the next time. False: nobody has. */
static bool note_partly(struct turn *t, const struct ways *w, bool away)
{
	size_t n = 0, max = w->nto + w->put.n;
	struct str *key = ARENA_ARRAY(t->once, struct str, max);
	bool *which = ARENA_ARRAY(t->once, bool, max);

	for (size_t i = 0; i < w->nto; i++)
		if (!w->to[i].result)
			key[n++] = w->to_key[i];
	for (size_t i = 0; away && i < w->put.n; i++)
		key[n++] = w->put_key[i];
	memset(which, true, n);
	enum err e = n ? partly_note(t->c->store, key, n, which) : OK;

	if (e) /* twice is better than never */
		log_event(LOG_WARN, "mail.not.noted", KVE(e));
	return n > 0;
}

static enum err deliver(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
			struct incoming *in)
{
	struct update u[1];
	struct ways w;
	enum err e = find(t, j, r, &w);

	if (!e && w.put.n)
		e = queue_prepare(t->once, &w.put, &u[0]);
	if (e)
		return e;
	box_deliver_also(t->c->store, in, w.to, w.nto, u, w.put.n > 0);
	if (w.put.n)
		e = u[0].result;
	for (size_t i = 0; i < w.nto; i++)
		if (w.to[i].result && (!e || err_temporary(w.to[i].result)))
			e = w.to[i].result;
	if (e && note_partly(t, &w, w.put.n && !u[0].result) && !err_temporary(e))
		e = E_AGAIN;
	return e;
}

/* --- what became of it --- */

static void decide(struct turn *t, const struct queue_job *j, struct queue_recipient *r, enum err e,
		   int64_t began)
{
	struct verdict v = verdict_of(e);
	int64_t now = clock_wall();

	r->last = (struct queue_reply){ .when = now,
					.code = v.code,
					.status = { v.status[0], v.status[1], v.status[2] },
					.text = str_of(v.text),
					.host = t->c->conf.hostname };
	t->taken += v.what != QUEUE_LATER;
	t->later += v.what == QUEUE_LATER;
	schedule_after(&t->c->conf.plan, &j->m, r, v.what, now);
	log_recipient(t, j, r, clock_ms() - began);
}

enum err local_domain(struct turn *t)
{
	if (t->slot.name.n && *t->slot.name.p == '[') /* an operator says the way */
		return E_NOTFOUND;
	return keeper_domain(t->c->keeper, t->slot.name);
}

void local_part(struct turn *t, struct queue_job *j)
{
	struct incoming *in = incoming_new(t->c->store);
	int64_t now = clock_wall(), began = clock_ms();
	enum err e = t->local ? t->local : copy(t, &j->m, in);

	for (size_t i = 0; i < j->p.n && turn_goes_on(t); i++) {
		struct queue_recipient *r = &j->p.rcpt[i];

		if (r->state != QUEUE_WAITING || r->next > now)
			continue;
		arena_reset(t->once); /* an alias takes much of it */
		decide(t, j, r, e ? E_AGAIN : deliver(t, j, r, in), began);
	}
	incoming_close(&in);
}
