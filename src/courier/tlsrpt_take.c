/* SPDX-License-Identifier: ISC */
/*
 * courier/tlsrpt_take.c - reports that came as mail, to an account that nobody logs in to: each is
 * read, kept as rows if its signature holds, and removed.
 */
#include "box/box.h"
#include "courier/reporter.h"
#include "courier/tlsrpt_got.h"
#include "courier/tlsrpt_priv.h"

enum {
	WAIT_MS = 600000,   /* at most, between two looks */
	PATIENCE_S = 86400, /* with a signature whose key cannot be had */
	UNCLEAR_MAX = 20,   /* of such letters that are kept: each look costs a wait for the DNS */
	OLDEST_DAYS = 60,   /* a report of earlier days is not believed */
	LETTER_MEMORY = TLSRPT_READ_MEMORY + REPORTER_MEMORY + TLSRPT_MAIL_MAX + (1 << 20)
};

struct taking {
	struct tlsrpt *t;
	struct box *box;
	struct arena *a;  /* of one letter */
	unsigned unclear; /* letters that stay, in this look at all of them */
};

static enum err read_whole(struct taking *g, const struct msg *m, struct str *out)
{
	char *p = arena_alloc(g->a, TLSRPT_MAIL_MAX);
	struct arena *piece = arena_new(BLOB_READ_MAX + 4096);
	enum err e = OK;
	struct str got;

	*out = STR(p, 0);
	while (!e && out->n < m->size) {
		size_t n = (size_t)m->size - out->n;

		arena_reset(piece);
		e = box_read(g->box, m, out->n, n < BLOB_READ_MAX ? n : BLOB_READ_MAX, piece, &got);
		if (e || !got.n)
			break;
		memcpy(p + out->n, got.p, got.n);
		out->n += got.n;
	}
	arena_free(&piece);
	return e;
}

static bool is_recent(const struct tlsrpt_got *r)
{
	uint32_t today = (uint32_t)(clock_wall() / DAY_S);

	return r->day <= today + 1 && r->day + OLDEST_DAYS >= today;
}

/* One row for each policy of a domain of ours. */
static enum err keep(struct taking *g, const struct tlsrpt_got *r, struct str reporter)
{
	enum err e = OK;
	size_t kept = 0;

	if (!is_recent(r))
		return E_DENIED;
	for (size_t i = 0; i < r->n && !e; i++) {
		struct tlsrpt_got_row row = { .day = r->day,
					      .received = clock_wall(),
					      .reporter = reporter,
					      .organization = r->organization,
					      .id = r->id,
					      .p = r->policy[i] };

		e = keeper_domain(g->t->conf.keeper, row.p.domain);
		if (!e)
			e = tlsrpt_got_put(g->t->conf.store, &row);
		kept += !e;
		if (e == E_NOTFOUND)
			e = OK;
	}
	return e ? e : kept ? OK : E_DENIED;
}

/* OK: it is read, or not worth it, and goes; else it stays for later. */
static enum err take(struct taking *g, const struct msg *m)
{
	struct str mail, json, reporter = S("");
	struct tlsrpt_got r = { 0 };

	if (m->size > TLSRPT_MAIL_MAX) {
		log_event(LOG_INFO, "tlsrpt.dropped", KVC("why", "too long"));
		return OK;
	}
	enum err e = read_whole(g, m, &mail);
	if (!e)
		e = reporter_of(g->t->conf.dns, mail, g->a, &reporter);
	if (!e)
		e = tlsrpt_read_mail(g->a, mail, &json);
	if (!e)
		e = tlsrpt_read_json(g->a, json, &r);
	if (!e)
		e = keep(g, &r, reporter);
	if (e && err_temporary(e) && clock_wall() < m->arrived + PATIENCE_S &&
	    g->unclear < UNCLEAR_MAX) {
		g->unclear++;
		return e;
	}
	if (e)
		log_event(LOG_INFO, "tlsrpt.dropped", KV("reporter", reporter), KVE(e));
	else
		log_event(LOG_INFO, "tlsrpt.got", KV("reporter", reporter), KVN("day", r.day),
			  KVN("policies", r.n));
	return OK;
}

static void remove_mail(struct taking *g, uint32_t uid)
{
	struct uidset one = uidset_one(g->a, uid, uid), gone;
	enum err e = box_expunge(g->box, one, true, g->a, &gone);

	if (e)
		log_event(LOG_WARN, "tlsrpt.not.removed", KVE(e));
}

static enum err take_all(struct taking *g)
{
	enum err e = box_sync(g->box, true, NULL);

	if (e)
		return e;
	g->unclear = 0;
	for (uint32_t n = box_view(g->box).exists; n && !fiber_canceled(); n--) {
		uint32_t uid = box_uid(g->box, n);
		struct msg m;

		arena_reset(g->a);
		e = box_get(g->box, uid, &m);
		if (!e && !take(g, &m) && !fiber_canceled())
			remove_mail(g, uid);
	}
	return OK;
}

/* Until it is canceled, or something is wrong with the store. */
static enum err attend(struct taking *g)
{
	enum err e = OK;

	while (!e) {
		struct signal *s = box_signal(g->box);
		uint64_t seen = s->count;

		e = take_all(g);
		if (!e)
			e = signal_wait(s, seen, clock_in(WAIT_MS));
		if (e == E_TIMEOUT)
			e = OK;
	}
	return e;
}

void tlsrpt_take_arriving(void *arg)
{
	struct taking g = { .t = arg, .a = arena_new(LETTER_MEMORY) };
	enum err e = OK;

	while (e != E_CANCELED) {
		e = box_account_create(g.t->conf.store, KEEPER_REPORTS_ACCOUNT);
		if (!e)
			e = box_open(g.t->conf.store, KEEPER_REPORTS_ACCOUNT, S("INBOX"), &g.box);
		if (!e)
			e = attend(&g);
		if (g.box)
			box_close(&g.box);
		if (e && e != E_CANCELED) {
			log_event(LOG_WARN, "tlsrpt.inbox", KVE(e));
			e = fiber_sleep(clock_in(WAIT_MS));
		}
	}
	arena_free(&g.a);
}
