/* SPDX-License-Identifier: ISC */
/*
 * web/receipt.c - what became of mail that a user sent, and what mail to a domain may expect; for
 * the webmail, docs/webapi.md.
 *
 * Both belong to reading and writing mail, so whoever may come in by IMAP may ask, with an app
 * password too. Nothing here waits for other servers: a domain that is not known is looked up by a
 * courier meanwhile, and whoever asks again a second later hears of it. How many look-ups an
 * account may start is bounded, so that nobody makes a scanner of us.
 */
#include "keeper/guarantee.h"
#include "mail/address.h"
#include "queue/expect.h"
#include "queue/receipt.h"
#include "web/internal.h"

enum {
	ROWS_MAX = 100, /* of one answer; those that are no good news come first */
	DOMAINS_MAX = 20,
	LOOKUPS_AT_ONCE = 40,
	LOOKUP_REFILL_MS = 3000,
};

/* Who asks. False: *out is the answer. */
static bool who(struct request *q, const char *const *names, struct login *l, struct reply *out)
{
	struct login_try t;

	if (!internal_proof(q, names, &t)) {
		*out = internal_bad(q);
		return false;
	}
	t.proto = "imap"; /* by which it counts, and as whose login its owner sees it */
	t.program = S("Roundcube");
	enum err e = keeper_login(q->web->keeper, &t, q->a, l);
	if (e)
		*out = internal_failed(q, e);
	return !e;
}

/* --- receipts --- */

static json_t *json_row(struct request *q, const struct receipt_row *r)
{
	const uint16_t *s = r->status;
	json_t *row = json_pack(
		"{s:o, s:s, s:s, s:I, s:I, s:I, s:i, s:o}", "address", internal_text(r->address),
		"state", receipt_state_word(r->state), "way", receipt_way_word(r->way), "when",
		(json_int_t)r->when, "next", (json_int_t)r->next, "tries", (json_int_t)r->tries,
		"code", (int)r->code, "status",
		internal_text(s[0] ? str_fmt(q->a, "%u.%u.%u", s[0], s[1], s[2]) : S("")));

	json_object_set_new(row, "text", internal_text(r->text));
	json_object_set_new(row, "host", internal_text(r->host));
	json_object_set_new(row, "ip", internal_text(r->ip));
	json_object_set_new(row, "tls", internal_text(r->tls));
	json_object_set_new(row, "cipher", internal_text(r->cipher));
	json_object_set_new(row, "group", internal_text(r->group));
	json_object_set_new(row, "said",
			    internal_both(queue_receipt_said(q->a, QUEUE_DE, r),
					  queue_receipt_said(q->a, QUEUE_EN, r)));
	return row;
}

static void put_rows(struct request *q, const struct receipt *r, bool delivered, json_t *out)
{
	for (size_t i = 0; i < r->n && json_array_size(out) < ROWS_MAX; i++)
		if ((r->row[i].state == RECEIPT_DELIVERED) == delivered)
			json_array_append_new(out, json_row(q, &r->row[i]));
}

struct reply internal_receipt(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", "id", NULL };
	struct receipt r = { 0 };
	struct login l = { 0 };
	struct reply out;

	if (!who(q, names, &l, &out))
		return out;
	enum err e = receipt_get(q->web->store, l.account, form_get(&q->form, "id"), q->a, &r);
	if (e && e != E_NOTFOUND)
		return internal_failed(q, E_AGAIN);
	json_t *rows = json_array();
	put_rows(q, &r, false, rows);
	put_rows(q, &r, true, rows);
	return internal_answer(
		q, 200, "ok",
		json_pack("{s:b, s:o}", "more", r.more || r.n > ROWS_MAX, "recipients", rows));
}

/* --- expectations --- */

/* Has the account a look-up left? Those whose numbers are alike share. */
static bool spend(struct web *w, uint32_t account)
{
	int64_t *full_at = &w->lookups[account % LENGTH(w->lookups)], now = clock_ms();
	int64_t after = (*full_at > now ? *full_at : now) + LOOKUP_REFILL_MS;

	if (after - now > LOOKUPS_AT_ONCE * LOOKUP_REFILL_MS)
		return false;
	*full_at = after;
	return true;
}

struct asked_domain {
	struct str name;  /* as it was asked for */
	struct str ascii; /* "": it can be none */
	bool here, pending;
	struct expect known;
};

/* What nobody has asked for in this while, and nobody knows, is looked up. */
static enum err look_up(struct request *q, uint32_t account, struct asked_domain *d, size_t n)
{
	struct str ask[DOMAINS_MAX], want[DOMAINS_MAX];
	struct expect known[DOMAINS_MAX];
	int64_t now = clock_wall();
	size_t nwant = 0;

	for (size_t i = 0; i < n; i++)
		ask[i] = d[i].ascii;
	enum err e = expect_get(q->web->store, q->a, ask, n, now, known);
	for (size_t i = 0; i < n && !e; i++) {
		d[i].known = known[i];
		if (!d[i].ascii.n || d[i].here || !expect_stale(&known[i], now))
			continue;
		d[i].pending = known[i].wanted || spend(q->web, account);
		if (d[i].pending && !known[i].wanted)
			want[nwant++] = d[i].ascii;
	}
	return e ? e : expect_want(q->web->store, q->a, want, nwant, now);
}

static size_t take_domains(struct request *q, struct asked_domain *d)
{
	struct str list = form_get(&q->form, "domains");
	size_t n = 0;

	while (list.n && n < DOMAINS_MAX) {
		size_t end = str_find(list, ',');

		d[n].name = str_part(list, 0, end);
		if (domain_ascii(q->a, d[n].name, &d[n].ascii))
			d[n].ascii = S("");
		d[n].here = d[n].ascii.n && !keeper_domain(q->web->keeper, d[n].ascii);
		n++;
		list = str_from(list, end + 1);
	}
	return n;
}

static json_t *json_domain(const struct asked_domain *d)
{
	const struct expect *e = &d->known;
	const char *level = expect_level_word(expect_level(e, clock_wall()));

	return json_pack("{s:o, s:s, s:s, s:o, s:I, s:b}", "domain", internal_text(d->name),
			 "level",
			 d->here      ? "here"
			 : d->ascii.n ? level
				      : "nowhere",
			 "proof", expect_proof_word(e->proof), "tls", internal_text(e->tls), "seen",
			 (json_int_t)e->seen, "pending", d->pending);
}

struct reply internal_expect(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", "domains", NULL };
	struct asked_domain d[DOMAINS_MAX] = { 0 };
	enum guarantee least = GUARANTEE_NONE;
	struct login l = { 0 };
	struct reply out;
	struct str why;

	if (!who(q, names, &l, &out))
		return out;
	size_t n = take_domains(q, d);
	if (look_up(q, l.account, d, n))
		return internal_failed(q, E_AGAIN);
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_domain(&d[i]));
	if (keeper_may_send(q->web->keeper, l.account, (struct path){ 0 }, q->a, &why, &least))
		least = GUARANTEE_NONE; /* he may not send: there is nothing to promise */
	return internal_answer(
		q, 200, "ok",
		json_pack("{s:o, s:s}", "domains", list, "sending", guarantee_word(least)));
}
