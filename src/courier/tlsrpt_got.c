/* SPDX-License-Identifier: ISC */
#include "courier/tlsrpt_got.h"

#include "base/buf.h"

enum {
	ROW_OCTETS_MAX = 64 << 10,
	DAY_S = 86400,
	DAY_DIGITS = 5,
	SWEPT = 20, /* old rows that go with each new one */
	EVICTED = 500
};

#define ROWS  S("r/")
#define COUNT S("m")

struct str tlsrpt_got_encode(struct arena *a, const struct tlsrpt_got_row *r)
{
	struct buf b = buf_new(ROW_OCTETS_MAX);

	buf_u8(&b, TLSRPT_VERSION);
	buf_u64(&b, (uint64_t)r->received);
	buf_blob(&b, r->reporter);
	buf_blob(&b, r->organization);
	buf_blob(&b, r->id);
	buf_blob(&b, r->p.domain);
	buf_u64(&b, r->p.good);
	buf_u64(&b, r->p.bad);
	buf_u16(&b, (uint16_t)r->p.n);
	for (size_t i = 0; i < r->p.n; i++) {
		buf_blob(&b, r->p.failure[i].word);
		buf_blob(&b, r->p.failure[i].mx);
		buf_u64(&b, r->p.failure[i].sessions);
	}
	BUG_IF(b.full);
	struct str out = str_dup(a, buf_str(&b));
	buf_free(&b);
	return out;
}

enum err tlsrpt_got_decode(struct str value, struct arena *a, struct tlsrpt_got_row *out)
{
	struct scan in = scan(value);

	*out = (struct tlsrpt_got_row){ 0 };
	if (scan_u8(&in) != TLSRPT_VERSION)
		return value.n ? E_VERSION : E_CORRUPT;
	out->received = (int64_t)scan_u64(&in);
	out->reporter = scan_blob(&in);
	out->organization = scan_blob(&in);
	out->id = scan_blob(&in);
	out->p.domain = scan_blob(&in);
	out->p.good = scan_u64(&in);
	out->p.bad = scan_u64(&in);
	size_t n = scan_u16(&in);
	if (in.bad || n > TLSRPT_GOT_FAILURES_MAX)
		return E_CORRUPT;
	out->p.failure = ARENA_ARRAY(a, struct tlsrpt_failure, n);
	for (; out->p.n < n; out->p.n++) {
		struct tlsrpt_failure *f = &out->p.failure[out->p.n];

		f->word = scan_blob(&in);
		f->mx = scan_blob(&in);
		f->sessions = scan_u64(&in);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* --- writing --- */

struct putting {
	const struct tlsrpt_got_row *row;
	struct str value;
};

static struct str head_of(struct arena *a, const struct tlsrpt_got_row *r)
{
	struct str who = str_fmt(a, "%.*s %.*s", FMT(r->p.domain), FMT(r->reporter));

	return str_fmt(a, "r/%05u/%016llx/", r->day, (unsigned long long)str_hash(who));
}

static bool is_older(struct str key, uint32_t day)
{
	struct scan in = scan(str_part(key, ROWS.n, DAY_DIGITS));

	return scan_num(&in, 99999) < day;
}

/* The oldest rows: those of days before `day`, or, all, any of them. Gives how many went. */
static uint32_t drop(struct tx *tx, uint32_t most, bool all, uint32_t day)
{
	struct str key = ROWS, value;
	uint32_t gone = 0;

	for (; gone < most && !tx_next(tx, ROWS, key, &key, &value); gone++) {
		if (!all && !is_older(key, day))
			break;
		key = str_dup(tx_arena(tx), key);
		tx_del(tx, key);
	}
	return gone;
}

static size_t rows_below(struct tx *tx, struct str head)
{
	struct str key = head, value;
	size_t n = 0;

	for (; n < TLSRPT_GOT_A_DAY && !tx_next(tx, head, key, &key, &value); n++)
		key = str_dup(tx_arena(tx), key);
	return n;
}

static enum err put(struct tx *tx, void *arg)
{
	struct putting *p = arg;
	struct arena *a = tx_arena(tx);
	struct str head = head_of(a, p->row), value;
	struct str key =
		str_fmt(a, "%.*s%016llx", FMT(head), (unsigned long long)str_hash(p->row->id));
	enum err e = tx_get(tx, key, &value);

	if (e && e != E_NOTFOUND)
		return e;
	if (e) {
		uint32_t n = tx_number(tx, COUNT), today = (uint32_t)(p->row->received / DAY_S);

		if (rows_below(tx, head) == TLSRPT_GOT_A_DAY)
			return E_LIMIT;
		uint32_t gone = drop(tx, SWEPT, false, today - TLSRPT_GOT_DAYS);
		if (n >= TLSRPT_GOT_MAX + gone)
			gone += drop(tx, EVICTED, true, 0);
		tx_number_put(tx, COUNT, (n > gone ? n - gone : 0) + 1);
	}
	tx_put(tx, key, p->value);
	return OK;
}

enum err tlsrpt_got_put(struct store *st, const struct tlsrpt_got_row *r)
{
	struct arena *a = arena_new(2 * ROW_OCTETS_MAX);
	struct putting p = { r, tlsrpt_got_encode(a, r) };
	enum err e = store_update(st, TLSRPT_PARTITION, put, &p);

	arena_free(&a);
	return e;
}

/* --- reading --- */

struct listing {
	struct str domain;
	uint32_t day;
	size_t max, n;
	struct tlsrpt_got_row *row;
	struct arena *a;
};

static enum err list(struct tx *tx, void *arg)
{
	struct listing *l = arg;
	struct str all = str_fmt(tx_arena(tx), "r/%05u/", l->day), key = all, value;

	l->n = 0;
	while (l->n < l->max && !tx_next(tx, all, key, &key, &value)) {
		struct tlsrpt_got_row *r = &l->row[l->n];

		key = str_dup(tx_arena(tx), key);
		if (tlsrpt_got_decode(str_dup(l->a, value), l->a, r))
			continue;
		r->day = l->day;
		l->n += !l->domain.n || str_ieq(l->domain, r->p.domain);
	}
	return OK;
}

enum err tlsrpt_got_list(struct store *st, uint32_t day, struct str domain, size_t max,
			 struct arena *a, struct tlsrpt_got_row **out, size_t *n)
{
	struct listing l = { .domain = domain, .day = day, .max = max, .a = a };

	l.row = ARENA_ARRAY(a, struct tlsrpt_got_row, max);
	enum err e = store_read(st, TLSRPT_PARTITION, list, &l);
	*out = l.row;
	*n = l.n;
	return e;
}
