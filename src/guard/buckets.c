/* SPDX-License-Identifier: ISC */
/* guard/buckets.c - the buckets in the store, and what of them is in memory. */
#include <sodium.h>

#include "base/clock.h"
#include "guard/guard_priv.h"

enum { RECORD_LEAST = 20, RECORD_OCTETS = 28 + 8 * ERRORS_MAX + 4 * BLOCKS_MAX };
enum { BUCKET_OCTETS = 8 + BUCKET_RECORDS * RECORD_OCTETS, LOG_LENGTH = 512 };
_Static_assert((int)BUCKET_OCTETS < (int)VALUE_MAX, "a full bucket is a value");
_Static_assert(sizeof(((struct guard *)0)->secret) == crypto_shorthash_KEYBYTES, "one key");

#define LOG_KEY    S("l")
#define SECRET_KEY S("k")

unsigned guard_bucket(const struct guard *g, const struct net *who)
{
	uint64_t h;

	crypto_shorthash((uint8_t *)&h, who->octets, sizeof who->octets, g->secret);
	return (unsigned)(h % GUARD_BUCKETS);
}

static struct str key_bucket(struct arena *a, unsigned bucket)
{
	return str_fmt(a, "b/%03x", bucket);
}

static enum err take_records(struct str value, struct arena *a, struct records *out)
{
	struct scan in = scan(value);
	unsigned version = scan_u8(&in);

	if (version != GUARD_VERSION)
		return in.bad ? E_CORRUPT : E_VERSION;
	*out = (struct records){ .changes = scan_u32(&in) };
	/* Room for one more. */
	out->item = ARENA_ARRAY(a, struct lockout, value.n / RECORD_LEAST + 1);
	while (scan_more(&in) && out->n < BUCKET_RECORDS)
		if (!lockout_take(&in, &out->item[out->n++]))
			return E_CORRUPT;
	return scan_end(&in) ? OK : E_CORRUPT;
}

static enum err get_records(struct tx *tx, unsigned bucket, struct records *out)
{
	struct str value;
	enum err e = tx_get(tx, key_bucket(tx_arena(tx), bucket), &value);

	if (e == E_NOTFOUND) {
		*out = (struct records){ .item = ARENA_NEW(tx_arena(tx), struct lockout) };
		return OK;
	}
	return e ? e : take_records(value, tx_arena(tx), out);
}

static void put_records(struct tx *tx, unsigned bucket, struct records *r)
{
	struct buf b = buf_new(BUCKET_OCTETS);

	buf_u8(&b, GUARD_VERSION);
	buf_u32(&b, ++r->changes);
	for (size_t i = 0; i < r->n; i++)
		lockout_put(&b, &r->item[i]);
	BUG_IF(b.full);
	tx_put(tx, key_bucket(tx_arena(tx), bucket), buf_str(&b));
	buf_free(&b);
}

/* --- the log of what is closed: which buckets changed last --- */

static enum err get_log(struct tx *tx, uint64_t *changes, struct str *buckets)
{
	struct str value;
	enum err e = tx_get(tx, LOG_KEY, &value);

	*changes = 0;
	*buckets = S("");
	if (e)
		return e == E_NOTFOUND ? OK : e;
	struct scan in = scan(value);
	unsigned version = scan_u8(&in);

	*changes = scan_u64(&in);
	*buckets = in.rest;
	if (in.bad || in.rest.n % 2 || in.rest.n > 2 * LOG_LENGTH)
		return E_CORRUPT;
	return version == GUARD_VERSION ? OK : E_VERSION;
}

static enum err log_change(struct tx *tx, unsigned bucket)
{
	struct buf b = buf_new(16 + 2 * LOG_LENGTH);
	struct str old;
	uint64_t changes;
	enum err e = get_log(tx, &changes, &old);

	if (e)
		return e;
	buf_u8(&b, GUARD_VERSION);
	buf_u64(&b, changes + 1);
	buf_put(&b, str_from(old, old.n == 2 * LOG_LENGTH ? 2 : 0));
	buf_u16(&b, (uint16_t)bucket);
	tx_put(tx, LOG_KEY, buf_str(&b));
	buf_free(&b);
	return OK;
}

struct look {
	uint64_t seen, now;
	struct changed *out;
};

static enum err look_log(struct tx *tx, void *arg)
{
	struct look *l = arg;
	struct str buckets;
	enum err e = get_log(tx, &l->now, &buckets);

	if (e)
		return e;
	uint64_t known = buckets.n / 2, missed = l->now - l->seen;
	struct scan in = scan(buckets);

	*l->out = (struct changed){ .all = l->now < l->seen || missed > known };
	if (l->out->all)
		return OK;
	(void)scan_take(&in, (size_t)(known - missed) * 2);
	while (scan_more(&in))
		l->out->bucket[l->out->n++] = (uint16_t)(scan_u16(&in) % GUARD_BUCKETS);
	return OK;
}

enum err guard_changed(struct guard *g, uint64_t *seen, struct changed *out)
{
	struct look l = { .seen = *seen, .out = out };
	enum err e = store_read(g->store, S(GUARD_PARTITION), look_log, &l);

	if (!e)
		*seen = l.now;
	return e;
}

/* --- one record --- */

/* The place of who; where there is none and the bucket is full, of the one to be given up. */
static struct lockout *place(struct records *r, const struct net *who)
{
	struct lockout *oldest = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct lockout *l = &r->item[i];
		if (net_same(&l->who, who))
			return l;
		if (!oldest || l->state < oldest->state ||
		    (l->state == oldest->state &&
		     (l->state == LOCKOUT_OPEN ? lockout_latest(l) < lockout_latest(oldest)
					       : l->until < oldest->until)))
			oldest = l;
	}
	if (r->n < BUCKET_RECORDS)
		oldest = &r->item[r->n++];
	*oldest = (struct lockout){ .who = *who };
	return oldest;
}

static void settle(const struct lockout_rules *rules, struct records *r, int64_t now)
{
	size_t left = 0;

	for (size_t i = 0; i < r->n; i++) {
		lockout_settle(&r->item[i], rules, now);
		if (!lockout_is_blank(&r->item[i]))
			r->item[left++] = r->item[i];
	}
	r->n = left;
}

static void gather(const struct records *r, struct shuts *out)
{
	free(out->item);
	*out = (struct shuts){ .changes = r->changes };
	for (size_t i = 0; i < r->n; i++)
		out->n += r->item[i].state != LOCKOUT_OPEN;
	if (out->n)
		out->item = mem_new(out->n * sizeof *out->item);
	for (size_t i = 0, n = 0; i < r->n; i++) {
		const struct lockout *l = &r->item[i];
		if (l->state == LOCKOUT_OPEN)
			continue;
		struct shut *s = &out->item[n++];
		memcpy(s->octets, l->who.octets, sizeof s->octets);
		s->bits = l->who.bits;
		s->state = l->state;
		s->by_hand = l->by_hand;
		s->until = l->until;
	}
}

static enum err change(struct tx *tx, void *arg)
{
	struct guard_update *c = arg;
	struct records r;
	enum err e = get_records(tx, c->bucket, &r);

	if (e)
		return e;
	settle(&c->rules, &r, c->now);
	struct lockout *l = place(&r, &c->who);
	struct lockout before = *l;

	e = c->apply(c, l);
	if (e)
		return e;
	c->after = *l;
	bool shut = before.state != l->state || before.until != l->until;

	if (lockout_is_blank(l))
		*l = r.item[--r.n];
	put_records(tx, c->bucket, &r);
	gather(&r, &c->shuts);
	return shut ? log_change(tx, c->bucket) : OK;
}

enum err guard_change(struct guard_update *c)
{
	c->bucket = guard_bucket(c->g, &c->who);
	c->now = clock_wall();
	c->rules = c->g->conf.rules; /* another thread reads them */
	c->shuts = (struct shuts){ 0 };
	enum err e = store_update(c->g->store, S(GUARD_PARTITION), change, c);

	if (e)
		free(c->shuts.item);
	else
		guard_take(c->g, c->bucket, &c->shuts);
	return e;
}

struct find {
	struct lockout_rules rules;
	const struct net *who;
	struct lockout *out;
	unsigned bucket;
	int64_t now;
};

static enum err find(struct tx *tx, void *arg)
{
	struct find *f = arg;
	struct records r;
	enum err e = get_records(tx, f->bucket, &r);

	if (e)
		return e;
	settle(&f->rules, &r, f->now);
	for (size_t i = 0; i < r.n; i++) {
		if (!net_same(&r.item[i].who, f->who))
			continue;
		*f->out = r.item[i];
		return OK;
	}
	return E_NOTFOUND;
}

enum err guard_record(struct guard *g, const struct net *who, struct lockout *out)
{
	struct find f = { g->conf.rules, who, out, guard_bucket(g, who), clock_wall() };

	return store_read(g->store, S(GUARD_PARTITION), find, &f);
}

/* --- many --- */

struct span {
	struct lockout_rules rules;
	unsigned from, to;
	int64_t now;
	struct shuts *shuts; /* of each bucket of the span that was looked at: changes is not 0 */
};

static enum err load(struct tx *tx, void *arg)
{
	struct span *s = arg;

	for (unsigned i = s->from; i < s->to; i++) {
		struct records r;
		enum err e = get_records(tx, i, &r);

		if (e)
			return e;
		settle(&s->rules, &r, s->now);
		gather(&r, &s->shuts[i - s->from]);
	}
	return OK;
}

/* What differs between a bucket as it was and as it is now. */
static bool differ(const struct records *old, const struct records *r, bool *shut)
{
	bool other = r->n != old->n;

	*shut = false;
	for (size_t i = 0, j = 0; i < r->n; i++, j++) {
		const struct lockout *now = &r->item[i], *was;

		while (!net_same(&old->item[j].who, &now->who)) /* the order is the same */
			j++;
		was = &old->item[j];
		*shut |= now->until && now->until != was->until;
		other |=
			now->until != was->until || now->nfails != was->nfails ||
			now->nblocks != was->nblocks || now->state != was->state ||
			memcmp(now->fails, was->fails, sizeof now->fails[0] * now->nfails) != 0 ||
			memcmp(now->blocks, was->blocks, sizeof now->blocks[0] * now->nblocks) != 0;
	}
	return other;
}

static enum err sweep(struct tx *tx, void *arg)
{
	struct span *s = arg;

	for (unsigned i = s->from; i < s->to; i++) {
		struct records r, old;
		bool shut;
		enum err e = get_records(tx, i, &r);

		if (!e)
			e = get_records(tx, i, &old);
		if (e)
			return e;
		settle(&s->rules, &r, s->now);
		if (!differ(&old, &r, &shut))
			continue;
		put_records(tx, i, &r);
		gather(&r, &s->shuts[i - s->from]);
		if (shut)
			e = log_change(tx, i);
		if (e)
			return e;
	}
	return OK;
}

static enum err take_span(struct guard *g, unsigned from, unsigned to, bool write)
{
	struct span s = { g->conf.rules, from, to, clock_wall(), NULL };

	s.shuts = mem_new((to - from) * sizeof *s.shuts);
	enum err e = write ? store_update(g->store, S(GUARD_PARTITION), sweep, &s)
			   : store_read(g->store, S(GUARD_PARTITION), load, &s);

	for (unsigned i = from; i < to; i++) {
		struct shuts *fresh = &s.shuts[i - from];
		if (e || !fresh->changes)
			free(fresh->item);
		else
			guard_take(g, i, fresh);
	}
	free(s.shuts);
	return e;
}

enum err guard_load(struct guard *g, unsigned from, unsigned to)
{
	return take_span(g, from, to, false);
}

enum err guard_sweep(struct guard *g, unsigned from, unsigned to)
{
	return take_span(g, from, to, true);
}

struct each {
	struct lockout_rules rules;
	unsigned bucket;
	int64_t now;
	void (*row)(void *arg, const struct lockout *l);
	void *arg;
};

static enum err each(struct tx *tx, void *arg)
{
	struct each *s = arg;
	struct records r;
	enum err e = get_records(tx, s->bucket, &r);

	if (e)
		return e;
	settle(&s->rules, &r, s->now);
	for (size_t i = 0; i < r.n; i++)
		s->row(s->arg, &r.item[i]);
	return OK;
}

enum err guard_each(struct guard *g, unsigned bucket,
		    void (*row)(void *arg, const struct lockout *l), void *arg)
{
	struct each s = { g->conf.rules, bucket, clock_wall(), row, arg };

	return store_read(g->store, S(GUARD_PARTITION), each, &s);
}

static enum err secret(struct tx *tx, void *arg)
{
	struct guard *g = arg;
	struct str value;
	enum err e = tx_get(tx, SECRET_KEY, &value);

	if (e == E_NOTFOUND) {
		randombytes_buf(g->secret, sizeof g->secret);
		tx_put(tx, SECRET_KEY, STR((const char *)g->secret, sizeof g->secret));
		return OK;
	}
	if (e)
		return e;
	if (value.n != sizeof g->secret)
		return E_CORRUPT;
	memcpy(g->secret, value.p, value.n);
	return OK;
}

enum err guard_secret(struct guard *g)
{
	return store_update(g->store, S(GUARD_PARTITION), secret, g);
}
