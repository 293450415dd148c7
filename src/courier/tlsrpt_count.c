/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_count.h"

enum { RECORD_OCTETS_MAX = 512 << 10, DAY_DIGITS = 5, LOOKED_AT = 500 };

#define COUNTS S("c/")

static struct str cut(struct str s)
{
	return str_part(s, 0, TLSRPT_TEXT_MAX);
}

static bool same(const struct tlsrpt_row *a, const struct tlsrpt_row *b)
{
	return a->policy == b->policy && a->result == b->result && str_eq(a->mx, b->mx) &&
	       str_eq(a->ip, b->ip);
}

void tlsrpt_counts_add(struct tlsrpt_counts *c, const struct tlsrpt_row *r)
{
	struct tlsrpt_row add = *r;

	add.mx = cut(r->mx);
	add.ip = cut(r->ip);
	add.detail = cut(r->detail);
	for (unsigned i = 0; i < 2; i++) {
		for (size_t k = 0; k < c->n; k++) {
			if (!same(&c->row[k], &add))
				continue;
			c->row[k].sessions += add.sessions;
			return;
		}
		if (c->n < TLSRPT_ROWS_MAX)
			break;
		add.mx = add.ip = add.detail = S("");
	}
	BUG_IF(c->n >= TLSRPT_ROWS_FULL);
	c->row[c->n++] = add;
}

struct str tlsrpt_counts_encode(struct arena *a, const struct tlsrpt_counts *c)
{
	struct buf b = buf_new(RECORD_OCTETS_MAX);

	buf_u8(&b, TLSRPT_VERSION);
	buf_u64(&b, (uint64_t)c->claimed);
	buf_u16(&b, (uint16_t)c->n);
	for (size_t i = 0; i < c->n; i++) {
		const struct tlsrpt_row *r = &c->row[i];

		buf_u8(&b, (uint8_t)r->policy);
		buf_u8(&b, (uint8_t)r->result);
		buf_blob(&b, r->mx);
		buf_blob(&b, r->ip);
		buf_blob(&b, r->detail);
		buf_u64(&b, r->sessions);
	}
	BUG_IF(b.full);
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}

static bool take_row(struct scan *in, struct tlsrpt_row *r)
{
	uint8_t policy = scan_u8(in), result = scan_u8(in);

	r->policy = (enum tlsrpt_policy)policy;
	r->result = (enum tlsrpt_result)result;
	r->mx = scan_blob(in);
	r->ip = scan_blob(in);
	r->detail = scan_blob(in);
	r->sessions = scan_u64(in);
	return !in->bad && policy < TLSRPT_POLICIES && result < TLSRPT_RESULTS &&
	       r->mx.n <= TLSRPT_TEXT_MAX && r->ip.n <= TLSRPT_TEXT_MAX &&
	       r->detail.n <= TLSRPT_TEXT_MAX;
}

enum err tlsrpt_counts_decode(struct str value, struct arena *a, struct tlsrpt_counts *out)
{
	struct scan in = scan(value);

	*out = (struct tlsrpt_counts){ 0 };
	if (scan_u8(&in) != TLSRPT_VERSION)
		return value.n ? E_VERSION : E_CORRUPT;
	out->claimed = (int64_t)scan_u64(&in);
	size_t n = scan_u16(&in);
	if (in.bad || n > TLSRPT_ROWS_FULL)
		return E_CORRUPT;
	out->row = ARENA_ARRAY(a, struct tlsrpt_row, TLSRPT_ROWS_FULL);
	for (; out->n < n; out->n++)
		if (!take_row(&in, &out->row[out->n]))
			return E_CORRUPT;
	return scan_end(&in) ? OK : E_CORRUPT;
}

static struct str key_of(struct arena *a, uint32_t day, struct str domain)
{
	return str_fmt(a, "c/%05u/%.*s", day, FMT(domain));
}

/* --- adding --- */

struct merging {
	const struct tlsrpt_batch *b;
	size_t n, *left_out;
};

/* Is there room for one domain more on this day? Then it is counted. */
static bool room(struct tx *tx, uint32_t day)
{
	struct str key = str_fmt(tx_arena(tx), "n/%05u", day), value;
	struct buf b = buf_new(4);
	uint32_t n = 0;

	if (!tx_get(tx, key, &value)) {
		struct scan in = scan(value);
		n = scan_u32(&in);
	}
	if (n >= TLSRPT_DOMAINS_MAX)
		return false;
	buf_u32(&b, n + 1);
	tx_put(tx, key, buf_str(&b));
	buf_free(&b);
	return true;
}

static enum err merge_one(struct tx *tx, struct arena *scratch, const struct tlsrpt_batch *b,
			  size_t *left_out)
{
	struct tlsrpt_counts c = { 0 };
	struct str key = key_of(scratch, b->day, b->domain), value;
	enum err e = key.n > KEY_MAX ? E_LIMIT : tx_get(tx, key, &value);

	if (!e)
		e = tlsrpt_counts_decode(str_dup(scratch, value), scratch, &c);
	else if (e == E_NOTFOUND && room(tx, b->day))
		e = E_CORRUPT; /* a new one, as in the place of what cannot be read */
	if (e == E_LIMIT || e == E_NOTFOUND) {
		(*left_out)++;
		return OK;
	}
	if (e == E_CORRUPT)
		c = (struct tlsrpt_counts){ .row = ARENA_ARRAY(scratch, struct tlsrpt_row,
							       TLSRPT_ROWS_FULL) };
	else if (e)
		return e;
	for (size_t i = 0; i < b->n; i++)
		tlsrpt_counts_add(&c, &b->row[i]);
	tx_put(tx, key, tlsrpt_counts_encode(scratch, &c));
	return OK;
}

static enum err merge(struct tx *tx, void *arg)
{
	struct arena *scratch = arena_new(4 * RECORD_OCTETS_MAX);
	struct merging *m = arg;
	enum err e = OK;

	*m->left_out = 0;
	for (size_t i = 0; i < m->n && !e; i++) {
		arena_reset(scratch);
		e = merge_one(tx, scratch, &m->b[i], m->left_out);
	}
	arena_free(&scratch);
	return e;
}

enum err tlsrpt_counts_merge(struct store *st, const struct tlsrpt_batch *b, size_t n,
			     size_t *left_out)
{
	struct merging m = { b, n, left_out };

	return store_update(st, TLSRPT_PARTITION, merge, &m);
}

/* --- reporting --- */

struct claiming {
	struct tlsrpt_claim *c;
	struct str from;
	struct arena *a;
};

/* "c/12345/domain" */
static bool key_read(struct str key, uint32_t *day, struct str *domain)
{
	struct scan in = scan(key);

	scan_lit(&in, "c/");
	struct scan digits = scan(scan_take(&in, DAY_DIGITS));
	*day = (uint32_t)scan_num(&digits, 99999);
	scan_lit(&in, "/");
	*domain = in.rest;
	return !in.bad && scan_end(&digits) && domain->n;
}

/* Is it to be reported now? Then it is claimed. What cannot be read goes. */
static bool claim_this(struct tx *tx, struct claiming *g, struct str key, struct str value)
{
	struct tlsrpt_claim *c = g->c;
	struct arena *scratch = tx_arena(tx);

	if (c->accept && !c->accept(c->arg, c->day, c->domain))
		return false;
	if (tlsrpt_counts_decode(str_dup(scratch, value), scratch, &c->counts)) {
		tx_del(tx, key);
		return false;
	}
	if (c->counts.claimed > c->now)
		return false;
	c->counts.claimed = c->until;
	struct str octets = tlsrpt_counts_encode(g->a, &c->counts);
	tx_put(tx, key, octets);
	c->key = str_dup(g->a, key);
	c->domain = str_dup(g->a, c->domain);
	return tlsrpt_counts_decode(octets, g->a, &c->counts) == OK;
}

static enum err claim(struct tx *tx, void *arg)
{
	struct claiming *g = arg;
	struct str key = str_dup(tx_arena(tx), g->from.n ? g->from : COUNTS), value;
	enum err e = OK;

	g->c->found = false;
	for (size_t i = 0; i < LOOKED_AT; i++) {
		e = tx_next(tx, COUNTS, key, &key, &value);
		if (e)
			return e;
		key = str_dup(tx_arena(tx), key);
		if (!key_read(key, &g->c->day, &g->c->domain))
			tx_del(tx, key);
		else if (g->c->day >= g->c->before)
			return E_NOTFOUND;
		else if ((g->c->found = claim_this(tx, g, key, value)))
			return OK;
	}
	g->c->key = str_dup(g->a, key);
	return OK;
}

enum err tlsrpt_counts_claim(struct store *st, struct str from, struct arena *a,
			     struct tlsrpt_claim *c)
{
	struct claiming g = { c, from, a };

	return store_update(st, TLSRPT_PARTITION, claim, &g);
}

static enum err done(struct tx *tx, void *arg)
{
	struct str key = *(struct str *)arg, domain, value, next;
	uint32_t day;

	tx_del(tx, key);
	if (!key_read(key, &day, &domain))
		return OK;
	struct str all = str_fmt(tx_arena(tx), "c/%05u/", day);
	if (tx_next(tx, all, all, &next, &value) == E_NOTFOUND)
		tx_del(tx, str_fmt(tx_arena(tx), "n/%05u", day));
	return OK;
}

struct update tlsrpt_counts_done(struct str *key)
{
	return (struct update){ .partition = TLSRPT_PARTITION, .fn = done, .arg = key };
}
