/* SPDX-License-Identifier: ISC */
/* keeper/dkim_keys.c - the record of a domain's keys, and how they come and go. */
#include "base/buf.h"
#include "base/clock.h"
#include "keeper/directory.h"
#include "keeper/dkim.h"
#include "keeper/dkim_make.h"

enum { DKIM_VERSION = 1, DKIM_RECORD_MAX = 64 * 1024 };

static const struct str secrets = { SECRET_PARTITION, sizeof(SECRET_PARTITION) - 1 };

/* --- the record --- */

struct str dkim_record(struct arena *a, const struct dkim_keys *k)
{
	struct buf b = buf_new(DKIM_RECORD_MAX);

	buf_u8(&b, DKIM_VERSION);
	buf_u32(&b, (uint32_t)k->n);
	for (size_t i = 0; i < k->n; i++) {
		const struct dkim_pair_key *p = &k->key[i];

		buf_blob(&b, p->selector);
		buf_u8(&b, p->kind);
		buf_u8(&b, p->state);
		buf_u64(&b, (uint64_t)p->created);
		buf_u64(&b, (uint64_t)p->changed);
		buf_blob(&b, p->secret);
		buf_blob(&b, p->open);
	}
	BUG_IF(b.full);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

enum err dkim_read(struct str value, struct arena *a, struct dkim_keys *out)
{
	struct scan in = scan(value);

	*out = (struct dkim_keys){ 0 };
	if (!value.n)
		return E_CORRUPT;
	if (scan_u8(&in) != DKIM_VERSION)
		return E_VERSION;
	size_t n = scan_u32(&in);
	if (in.bad || n > DKIM_KEYS_MAX)
		return E_CORRUPT;
	for (size_t i = 0; i < n; i++) {
		struct dkim_pair_key *p = &out->key[i];

		p->selector = str_dup(a, scan_blob(&in));
		p->kind = scan_u8(&in);
		p->state = scan_u8(&in);
		p->created = (int64_t)scan_u64(&in);
		p->changed = (int64_t)scan_u64(&in);
		p->secret = str_dup(a, scan_blob(&in));
		p->open = str_dup(a, scan_blob(&in));
		if (p->kind < KIND_RSA || p->kind > KIND_ED25519 || p->state < DKIM_NEXT ||
		    p->state > DKIM_RETIRED)
			return E_CORRUPT;
	}
	out->n = n;
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* --- reading and changing --- */

struct key_change {
	struct str domain;
	struct arena *a; /* of the results */
	struct dkim_keys *out;
	const struct dkim_pair_key *pair; /* two */
	int64_t now;
	bool force;
};

static struct str key_of(struct tx *tx, struct str domain)
{
	return str_fmt(tx_arena(tx), "d/%.*s", FMT(domain));
}

static enum err get(struct tx *tx, struct str domain, struct arena *a, struct dkim_keys *out)
{
	struct str value;
	enum err e = tx_get(tx, key_of(tx, domain), &value);

	*out = (struct dkim_keys){ 0 };
	return e == E_NOTFOUND ? OK : e ? e : dkim_read(value, a, out);
}

static void put(struct tx *tx, struct str domain, const struct dkim_keys *k)
{
	if (k->n)
		tx_put(tx, key_of(tx, domain), dkim_record(tx_arena(tx), k));
	else
		tx_del(tx, key_of(tx, domain));
}

static enum err get_keys(struct tx *tx, void *arg)
{
	const struct key_change *c = arg;

	return get(tx, c->domain, c->a, c->out);
}

enum err dkim_keys(struct store *st, struct str domain, struct arena *a, struct dkim_keys *out)
{
	struct key_change c = { .domain = domain, .a = a, .out = out };

	return store_read(st, secrets, get_keys, &c);
}

static bool any(const struct dkim_keys *k, enum dkim_state state)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->key[i].state == state)
			return true;
	return false;
}

/* The pair's second key has the same age. */
static int64_t since(const struct dkim_keys *k, enum dkim_state state)
{
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < k->n; i++)
		if (k->key[i].state == state && k->key[i].changed > latest)
			latest = k->key[i].changed;
	return latest;
}

/* What selectors of a new pair have behind their letter: the second, or one after it that is free.
 */
static struct str fresh(struct arena *a, const struct dkim_keys *k, int64_t now)
{
	struct str digits = str_fmt(a, "%llx", (unsigned long long)now);

	for (size_t i = 0; i < k->n; i++)
		if (str_eq(str_from(k->key[i].selector, 1), digits))
			return fresh(a, k, now + 1);
	return digits;
}

static enum err add(struct tx *tx, void *arg)
{
	const struct key_change *c = arg;
	struct dkim_keys k;
	enum err e = get(tx, c->domain, tx_arena(tx), &k);

	if (e)
		return e;
	if (any(&k, DKIM_NEXT))
		return E_EXISTS;
	if (k.n + 2 > DKIM_KEYS_MAX)
		return E_LIMIT;
	uint8_t state = any(&k, DKIM_ACTIVE) ? DKIM_NEXT : DKIM_ACTIVE;
	struct str digits = fresh(tx_arena(tx), &k, c->now);
	for (size_t i = 0; i < 2; i++) {
		struct dkim_pair_key *p = &k.key[k.n++];

		*p = c->pair[i];
		p->selector = str_fmt(tx_arena(tx), "%c%.*s", i ? 'e' : 'r', FMT(digits));
		p->state = state;
	}
	put(tx, c->domain, &k);
	return OK;
}

enum err dkim_add(struct store *st, struct str domain, struct arena *a)
{
	struct dkim_pair_key pair[2];
	struct key_change c = { .domain = domain, .pair = pair, .now = clock_wall() };
	enum err e = dkim_make(pair, c.now, a);

	return e ? e : store_update(st, secrets, add, &c);
}

static enum err rotate(struct tx *tx, void *arg)
{
	const struct key_change *c = arg;
	struct dkim_keys k;
	enum err e = get(tx, c->domain, tx_arena(tx), &k);

	if (e)
		return e;
	if (!any(&k, DKIM_NEXT))
		return E_NOTFOUND;
	if (!c->force && since(&k, DKIM_NEXT) > c->now - DKIM_KNOWN_S)
		return E_DENIED;
	for (size_t i = 0; i < k.n; i++) {
		struct dkim_pair_key *p = &k.key[i];

		if (p->state == DKIM_RETIRED)
			continue;
		p->state = p->state == DKIM_NEXT ? DKIM_ACTIVE : DKIM_RETIRED;
		p->changed = c->now;
		if (p->state == DKIM_RETIRED)
			p->secret = S("");
	}
	put(tx, c->domain, &k);
	return OK;
}

enum err dkim_rotate(struct store *st, struct str domain, bool force)
{
	struct key_change c = { .domain = domain, .now = clock_wall(), .force = force };

	return store_update(st, secrets, rotate, &c);
}

static enum err retire(struct tx *tx, void *arg)
{
	const struct key_change *c = arg;
	struct dkim_keys k;
	enum err e = get(tx, c->domain, tx_arena(tx), &k);
	size_t n = 0;

	if (e)
		return e;
	if (!any(&k, DKIM_RETIRED))
		return E_NOTFOUND;
	if (!c->force && since(&k, DKIM_RETIRED) > c->now - DKIM_UNDER_WAY_S)
		return E_DENIED;
	for (size_t i = 0; i < k.n; i++)
		if (k.key[i].state != DKIM_RETIRED)
			k.key[n++] = k.key[i];
	k.n = n;
	put(tx, c->domain, &k);
	return OK;
}

enum err dkim_retire(struct store *st, struct str domain, bool force)
{
	struct key_change c = { .domain = domain, .now = clock_wall(), .force = force };

	return store_update(st, secrets, retire, &c);
}

static enum err forget(struct tx *tx, void *arg)
{
	tx_del(tx, key_of(tx, *(struct str *)arg));
	return OK;
}

enum err dkim_forget(struct store *st, struct str domain)
{
	return store_update(st, secrets, forget, &domain);
}
