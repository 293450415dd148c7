/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/log.h"
#include "queue/expect_record.h"
#include "queue/why.h"

enum { SAME_S = 3600, PROVEN_S = 86400, NO_MAIL_S = 3600 };
#define KEY_WISHES S("w")

/* --- what it means --- */

enum expect_level expect_level(const struct expect *e, int64_t now)
{
	bool counts = e->looked && e->until > now;

	if (counts && e->proof == EXPECT_NO_MAIL)
		return EXPECT_NOWHERE;
	if (counts && e->proof == EXPECT_BY_NAME)
		return EXPECT_RELAYED;
	if (counts && e->proof != EXPECT_NO_PROOF)
		return EXPECT_AUTHENTICATED;
	if (!e->seen || e->seen + EXPECT_SEEN_S < now)
		return EXPECT_UNKNOWN;
	return e->line == EXPECT_SEEN_TLS     ? EXPECT_ENCRYPTED
	       : e->line == EXPECT_SEEN_PLAIN ? EXPECT_PLAIN
					      : EXPECT_UNKNOWN;
}

const char *expect_level_word(enum expect_level l)
{
	static const char *const words[EXPECT_LEVELS] = { "unknown",       "plain",   "encrypted",
							  "authenticated", "relayed", "nowhere" };

	return words[l];
}

const char *expect_proof_word(enum expect_proof p)
{
	static const char *const words[EXPECT_PROOFS] = { "none", "dane", "mta-sts", "smart-host",
							  "no-mail" };

	return words[p];
}

bool expect_stale(const struct expect *e, int64_t now)
{
	return !e->looked || e->until <= now || e->looked > now;
}

static bool is_why(struct str text, enum queue_why why)
{
	return str_starts(text, queue_why_text(why));
}

bool expect_of(struct str domain, const struct queue_reply *f, int64_t now, struct expect *out)
{
	static const enum expect_proof proofs[QUEUE_AUTHS] = { [QUEUE_DANE] = EXPECT_DANE,
							       [QUEUE_MTA_STS] = EXPECT_MTA_STS,
							       [QUEUE_BY_NAME] = EXPECT_BY_NAME };

	*out = (struct expect){ .domain = domain };
	if (!f->code && !f->tls.n &&
	    (is_why(f->text, QUEUE_WHY_NULL_MX) || is_why(f->text, QUEUE_WHY_NO_DOMAIN))) {
		out->proof = EXPECT_NO_MAIL;
		out->looked = now;
		out->until = now + NO_MAIL_S;
		return true;
	}
	if (f->code || f->tls.n) {
		out->seen = now;
		out->line = f->tls.n ? EXPECT_SEEN_TLS : EXPECT_SEEN_PLAIN;
		out->tls = f->tls;
	}
	if (f->tls.n && proofs[f->auth]) {
		out->proof = proofs[f->auth];
		out->looked = now;
		out->until = now + PROVEN_S;
	}
	return out->seen || out->looked;
}

/* --- buckets --- */

static struct str bucket_key(struct arena *a, struct str domain)
{
	return str_fmt(a, "d/%03x", (unsigned)(str_hash(domain) % EXPECT_BUCKETS));
}

/* What cannot be read is forgotten: it is a hint, and is learnt again. */
static enum err load(struct tx *tx, struct str key, struct expect_bucket *b)
{
	struct str value;
	enum err e = tx_get(tx, key, &value);

	*b = (struct expect_bucket){ 0 };
	if (!e)
		e = expect_bucket_decode(value, b);
	if (e != E_CORRUPT)
		return e == E_NOTFOUND ? OK : e;
	log_event(LOG_ERROR, "expect.broken", KV("key", key));
	*b = (struct expect_bucket){ 0 };
	return OK;
}

static struct expect *find(struct expect_bucket *b, struct str domain)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_eq(b->e[i].domain, domain))
			return &b->e[i];
	return NULL;
}

static int64_t age(const struct expect *e)
{
	return e->looked > e->seen ? e->looked : e->seen;
}

/* The place of a domain that is new: a free one, or of what was learnt longest ago. */
static struct expect *make_room(struct expect_bucket *b)
{
	struct expect *oldest = &b->e[0];

	if (b->n < EXPECT_WAYS)
		return &b->e[b->n++];
	for (size_t i = 1; i < b->n; i++)
		if (age(&b->e[i]) < age(oldest))
			oldest = &b->e[i];
	return oldest;
}

static bool fresh(int64_t then, int64_t now)
{
	return then && then <= now && now - then < SAME_S;
}

/* Nothing that is worth a write. */
static bool known(const struct expect *old, const struct expect *new, int64_t now)
{
	if (new->looked && (!fresh(old->looked, now) || old->proof != new->proof))
		return false;
	return !new->seen ||
	       (fresh(old->seen, now) && old->line == new->line &&str_eq(old->tls, new->tls));
}

static enum err learn(struct tx *tx, const struct expect *new, int64_t now)
{
	struct arena *a = tx_arena(tx);
	struct str key = bucket_key(a, new->domain);
	struct expect_bucket *b = ARENA_NEW(a, struct expect_bucket);
	enum err e = load(tx, key, b);

	if (e || new->domain.n > EXPECT_DOMAIN_MAX)
		return e;
	struct expect *there = find(b, new->domain);
	if (there && known(there, new, now))
		return OK;
	if (!there) {
		there = make_room(b);
		*there = (struct expect){ .domain = new->domain };
	}
	if (new->looked) {
		there->looked = new->looked;
		there->until = new->until;
		there->proof = new->proof;
	}
	if (new->seen) {
		there->seen = new->seen;
		there->line = new->line;
		there->tls = new->tls;
	}
	tx_put(tx, key, expect_bucket_encode(a, b));
	return OK;
}

/* --- wishes --- */

/* Those that somebody still waits for. */
static enum err load_wishes(struct tx *tx, int64_t now, struct expect_wish **out, size_t *n)
{
	struct expect_wish *w = NULL;
	size_t all = 0;
	struct str value;
	enum err e = tx_get(tx, KEY_WISHES, &value);

	if (!e)
		e = expect_wishes_decode(value, tx_arena(tx), &w, &all);
	if (e == E_CORRUPT)
		log_event(LOG_ERROR, "expect.broken", KV("key", KEY_WISHES));
	*out = w;
	*n = 0;
	for (size_t i = 0; !e && i < all; i++)
		if (w[i].asked <= now && now - w[i].asked < EXPECT_WANTED_S)
			w[(*n)++] = w[i];
	return e == E_NOTFOUND || e == E_CORRUPT ? OK : e;
}

/* Its place, or n. */
static size_t find_wish(const struct expect_wish *w, size_t n, struct str domain)
{
	size_t i = 0;

	while (i < n && !str_eq(w[i].domain, domain))
		i++;
	return i;
}

struct asking {
	struct arena *a;
	const struct str *domain;
	size_t n;
	int64_t now;
	struct expect *out; /* of get */
	struct str *wanted; /* of wanted, with max */
	size_t max, nwanted;
};

static enum err want(struct tx *tx, void *arg)
{
	struct asking *q = arg;
	struct arena *a = tx_arena(tx);
	struct expect_wish *old, *all = ARENA_ARRAY(a, struct expect_wish, EXPECT_WANTED_MAX);
	size_t n, before;
	enum err e = load_wishes(tx, q->now, &old, &before);

	if (e)
		return e;
	if (before)
		memcpy(all, old, before * sizeof *all);
	n = before;
	for (size_t i = 0; i < q->n && n < EXPECT_WANTED_MAX; i++)
		if (q->domain[i].n && q->domain[i].n <= EXPECT_DOMAIN_MAX &&
		    find_wish(all, n, q->domain[i]) == n)
			all[n++] = (struct expect_wish){ q->domain[i], q->now };
	if (n > before)
		tx_put(tx, KEY_WISHES, expect_wishes_encode(a, all, n));
	return OK;
}

enum err expect_want(struct store *st, struct arena *a, const struct str *domain, size_t n,
		     int64_t now)
{
	struct asking q = { .a = a, .domain = domain, .n = n, .now = now };

	return n ? store_update(st, S(EXPECT_PARTITION), want, &q) : OK;
}

static enum err wanted(struct tx *tx, void *arg)
{
	struct asking *q = arg;
	struct expect_wish *w;
	size_t n;
	enum err e = load_wishes(tx, q->now, &w, &n);

	q->nwanted = 0;
	for (size_t i = 0; !e && i < n && q->nwanted < q->max; i++)
		q->wanted[q->nwanted++] = str_dup(q->a, w[i].domain);
	return e;
}

enum err expect_wanted(struct store *st, struct arena *a, int64_t now, struct str *out, size_t max,
		       size_t *n)
{
	struct asking q = { .a = a, .now = now, .wanted = out, .max = max };
	enum err e = store_read(st, S(EXPECT_PARTITION), wanted, &q);

	*n = e ? 0 : q.nwanted;
	return e;
}

/* --- learning and telling --- */

struct learning {
	const struct expect *news;
	size_t n;
	int64_t now;
};

static enum err write(struct tx *tx, void *arg)
{
	const struct learning *l = arg;
	struct expect_wish *w;
	size_t n, before;
	enum err e = load_wishes(tx, l->now, &w, &before);

	n = before;
	for (size_t i = 0; !e && i < l->n; i++) {
		e = learn(tx, &l->news[i], l->now);
		size_t at = l->news[i].looked ? find_wish(w, n, l->news[i].domain) : n;
		if (at < n)
			memmove(&w[at], &w[at + 1], (--n - at) * sizeof *w);
	}
	if (!e && n < before)
		tx_put(tx, KEY_WISHES, expect_wishes_encode(tx_arena(tx), w, n));
	return e;
}

void expect_prepare(struct arena *a, const struct expect *news, size_t n, int64_t now,
		    struct update *out)
{
	struct learning *l = ARENA_NEW(a, struct learning);

	*l = (struct learning){ news, n, now };
	*out = (struct update){ .partition = S(EXPECT_PARTITION), .fn = write, .arg = l };
}

enum err expect_write(struct store *st, const struct expect *news, size_t n, int64_t now)
{
	struct learning l = { news, n, now };

	return store_update(st, S(EXPECT_PARTITION), write, &l);
}

static enum err get(struct tx *tx, void *arg)
{
	struct asking *q = arg;
	struct expect_bucket *b = ARENA_NEW(tx_arena(tx), struct expect_bucket);
	struct expect_wish *w;
	size_t nwishes;
	enum err e = load_wishes(tx, q->now, &w, &nwishes);

	for (size_t i = 0; !e && i < q->n; i++) {
		e = load(tx, bucket_key(tx_arena(tx), q->domain[i]), b);
		const struct expect *there = e ? NULL : find(b, q->domain[i]);

		if (e)
			return e;
		q->out[i] = there ? *there : (struct expect){ 0 };
		q->out[i].domain = q->domain[i];
		q->out[i].tls = str_dup(q->a, q->out[i].tls);
		q->out[i].wanted = find_wish(w, nwishes, q->domain[i]) < nwishes;
	}
	return e;
}

enum err expect_get(struct store *st, struct arena *a, const struct str *domain, size_t n,
		    int64_t now, struct expect *out)
{
	struct asking q = { .a = a, .domain = domain, .n = n, .now = now, .out = out };

	return store_read(st, S(EXPECT_PARTITION), get, &q);
}
