/* SPDX-License-Identifier: ISC */
#include "courier/sts_kept.h"

#include <stdlib.h>

#include "base/buf.h"

enum {
	DOMAIN_OCTETS_MAX = KEY_MAX - 2,
	RECORD_OCTETS_MAX = 128 << 10,
	LOOKED_AT = 500 /* policies of one look for those that are due */
};

#define PARTITION S("sts")
#define COUNT     S("n")
#define POLICIES  S("p/")

struct str sts_encode(struct arena *a, const struct sts_kept *k)
{
	struct buf b = buf_new(RECORD_OCTETS_MAX);

	buf_u8(&b, STS_VERSION);
	buf_u8(&b, (uint8_t)k->policy.mode);
	buf_u32(&b, k->policy.max_age);
	buf_u64(&b, (uint64_t)k->fetched);
	buf_u64(&b, (uint64_t)k->tried);
	buf_blob(&b, k->id);
	buf_u16(&b, (uint16_t)k->policy.nmx);
	for (size_t i = 0; i < k->policy.nmx; i++)
		buf_blob(&b, k->policy.mx[i]);
	BUG_IF(b.full); /* its octets come from a file of MTA_STS_FILE_MAX */
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}

enum err sts_decode(struct str value, struct arena *a, struct sts_kept *out)
{
	struct scan in = scan(value);
	struct mta_sts *p = &out->policy;

	*out = (struct sts_kept){ 0 };
	if (scan_u8(&in) != STS_VERSION)
		return value.n ? E_VERSION : E_CORRUPT;
	uint8_t mode = scan_u8(&in);
	p->mode = (enum mta_sts_mode)mode;
	p->max_age = scan_u32(&in);
	out->fetched = (int64_t)scan_u64(&in);
	out->tried = (int64_t)scan_u64(&in);
	out->id = scan_blob(&in);
	size_t n = scan_u16(&in);
	if (in.bad || mode > MTA_STS_ENFORCE || n > MTA_STS_MX_MAX ||
	    p->max_age > MTA_STS_AGE_MAX || out->fetched < 0 ||
	    out->fetched > INT32_MAX * (int64_t)100)
		return E_CORRUPT;
	p->mx = ARENA_ARRAY(a, struct str, n);
	for (; p->nmx < n; p->nmx++)
		p->mx[p->nmx] = scan_blob(&in);
	return scan_end(&in) ? OK : E_CORRUPT;
}

static struct str key_of(struct arena *a, struct str domain)
{
	return str_fmt(a, "p/%.*s", FMT(domain));
}

/* --- one --- */

struct access {
	struct str domain;
	const struct sts_kept *put;
	struct arena *a;
	struct str value; /* result */
};

static enum err get(struct tx *tx, void *arg)
{
	struct access *x = arg;
	struct str value;
	enum err e = tx_get(tx, key_of(tx_arena(tx), x->domain), &value);

	if (!e)
		x->value = str_dup(x->a, value);
	return e;
}

enum err sts_kept_get(struct store *st, struct str domain, struct arena *a, struct sts_kept *out)
{
	struct access x = { .domain = domain, .a = a };

	*out = (struct sts_kept){ 0 };
	if (domain.n > DOMAIN_OCTETS_MAX)
		return E_NOTFOUND;
	enum err e = store_read(st, PARTITION, get, &x);
	return e ? e : sts_decode(x.value, a, out);
}

struct old {
	int64_t at;
	struct str key;
};

static int by_age(const void *x, const void *y)
{
	const struct old *a = x, *b = y;

	return (a->at > b->at) - (a->at < b->at);
}

/* What cannot be read, or is over, counts as the oldest. Gives how many went. */
static uint32_t evict(struct tx *tx, uint32_t n, int64_t now)
{
	struct arena *a = tx_arena(tx), *scratch = arena_new(RECORD_OCTETS_MAX);
	struct old *all = ARENA_ARRAY(a, struct old, n);
	struct str key = POLICIES, value;
	uint32_t found = 0, gone = 0;

	while (found < n && !tx_next(tx, POLICIES, key, &key, &value)) {
		struct sts_kept k;

		arena_reset(scratch);
		bool bad = sts_decode(value, scratch, &k) != OK || sts_over(&k, now);
		key = str_dup(a, key);
		all[found++] = (struct old){ bad ? 0 : k.fetched, key };
	}
	arena_free(&scratch);
	qsort(all, found, sizeof *all, by_age);
	for (; gone < found && gone < STS_EVICTED; gone++)
		tx_del(tx, all[gone].key);
	return gone;
}

static enum err put(struct tx *tx, void *arg)
{
	struct access *x = arg;
	struct str key = key_of(tx_arena(tx), x->domain), value;
	enum err e = tx_get(tx, key, &value);
	uint32_t n = tx_number(tx, COUNT);

	if (e == E_NOTFOUND) {
		if (n >= STS_KEPT_MAX)
			n -= evict(tx, n, x->put->fetched);
		tx_number_put(tx, COUNT, n + 1);
	} else if (e) {
		return e;
	}
	tx_put(tx, key, x->value);
	return OK;
}

enum err sts_kept_put(struct store *st, struct str domain, const struct sts_kept *k)
{
	struct arena *a = arena_new(2 * RECORD_OCTETS_MAX);
	struct access x = { .domain = domain, .put = k, .value = sts_encode(a, k) };
	enum err e = domain.n && domain.n <= DOMAIN_OCTETS_MAX
			     ? store_update(st, PARTITION, put, &x)
			     : E_LIMIT;

	arena_free(&a);
	return e;
}

/* --- all --- */

struct looking {
	struct sts_due *d;
	struct arena *a;
};

/* Many a policy lives for no longer than a day (RFC 8461 3.3: refreshed before it expires). */
static bool is_due(const struct sts_due *d, const struct sts_kept *k)
{
	int64_t half = k->policy.max_age / 2, age = d->every < half ? d->every : half;

	return d->now >= k->fetched + age && d->now >= k->tried + age / 4;
}

/* Is it due? Then it counts as tried from now on; removed, if it is over. */
static void look(struct tx *tx, struct looking *l, struct arena *scratch, struct str key,
		 struct str value, uint32_t *removed)
{
	struct sts_due *d = l->d;
	struct sts_kept k;

	if (sts_decode(value, scratch, &k) || sts_over(&k, d->now)) {
		tx_del(tx, key);
		(*removed)++;
		return;
	}
	if (!is_due(d, &k))
		return;
	k.tried = d->now;
	d->domain[d->n++] = str_dup(l->a, str_from(key, POLICIES.n));
	tx_put(tx, key, sts_encode(scratch, &k));
}

static enum err due(struct tx *tx, void *arg)
{
	struct looking *l = arg;
	struct sts_due *d = l->d;
	struct arena *scratch = arena_new(4 * RECORD_OCTETS_MAX);
	struct str key = key_of(tx_arena(tx), d->after), value;
	uint32_t removed = 0;
	enum err e = OK;

	d->n = 0;
	d->more = false;
	for (size_t i = 0; i < LOOKED_AT && d->n < d->max && !e; i++) {
		e = tx_next(tx, POLICIES, key, &key, &value);
		if (e)
			break;
		arena_reset(scratch);
		key = str_dup(tx_arena(tx), key);
		look(tx, l, scratch, key, str_dup(scratch, value), &removed);
		d->more = true;
	}
	arena_free(&scratch);
	if (removed) {
		uint32_t n = tx_number(tx, COUNT);

		tx_number_put(tx, COUNT, n > removed ? n - removed : 0);
	}
	d->last = str_dup(l->a, str_from(key, POLICIES.n));
	return e == E_NOTFOUND ? OK : e;
}

enum err sts_kept_due(struct store *st, struct arena *a, struct sts_due *d)
{
	struct looking l = { d, a };

	d->domain = ARENA_ARRAY(a, struct str, d->max);
	return store_update(st, PARTITION, due, &l);
}
