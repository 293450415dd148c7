/* SPDX-License-Identifier: ISC */
/*
 * box/receipt.c - receipts in an account's partition: a value for each mail, found by the hash of
 * its Message-ID, and a list of the mails by age, so that the oldest can go. Of two mails with the
 * same hash the later takes the place of the other.
 */
#include "base/log.h"
#include "box/layout.h"
#include "box/receipt_record.h"

enum {
	EVICT_MAX = 100, /* by one update: more go with the next */
	WALK_ARENA = 4 << 20,
};

const char *receipt_state_word(enum receipt_state s)
{
	static const char *const words[RECEIPT_STATES] = { "waiting", "delivered", "failed",
							   "expired" };

	return words[s];
}

const char *receipt_way_word(enum receipt_way w)
{
	static const char *const words[RECEIPT_WAYS] = { "none", "plain",   "encrypted",
							 "dane", "mta-sts", "smart-host",
							 "here" };

	return words[w];
}

/* --- one mail's update --- */

struct writing {
	uint32_t account;
	int64_t now;
	struct str id;
	const struct receipt *r;
	struct key key, partition;
};

/* One run of it. */
struct run {
	struct tx *tx;
	struct receipt_tally tally;
	struct receipt r;
	uint64_t number;
	struct str was; /* the value that is there, or none */
};

static enum err load_tally(struct tx *tx, struct receipt_tally *t)
{
	struct str value;
	enum err e = tx_get(tx, KEY_RECEIPT_TALLY, &value);

	*t = (struct receipt_tally){ 0 };
	return e == E_NOTFOUND ? OK
	       : e             ? e
			       : layout_broken(receipt_tally_decode(value, t), KEY_RECEIPT_TALLY);
}

/* What is there of the mail, or a new one. What cannot be read is replaced. */
static enum err load(struct run *u, const struct writing *w)
{
	struct str value;
	enum err e = tx_get(u->tx, key_str(&w->key), &value);

	if (!e) {
		u->was = value;
		e = layout_broken(receipt_decode(value, tx_arena(u->tx), &u->r, &u->number),
				  key_str(&w->key));
		if (!e && str_eq(u->r.id, w->id))
			return OK;
	}
	if (e && e != E_NOTFOUND && e != E_CORRUPT)
		return e;
	if (!u->was.n) {
		u->number = ++u->tally.last;
		u->tally.mails++;
	} else if (e == E_CORRUPT) { /* its place in the order is not known: a new one */
		u->number = ++u->tally.last;
	}
	u->r = (struct receipt){ .id = w->id, .first = w->now };
	return OK;
}

static void merge(struct run *u, const struct receipt *new)
{
	struct receipt *r = &u->r;
	struct receipt_row *all =
		ARENA_ARRAY(tx_arena(u->tx), struct receipt_row, RECEIPT_ROWS_MAX);

	if (r->n)
		memcpy(all, r->row, r->n * sizeof *all);
	r->row = all;
	for (size_t i = 0; i < new->n; i++) {
		struct str address = str_part(new->row[i].address, 0, RECEIPT_ADDRESS_MAX);
		size_t at = 0;

		while (at < r->n && !str_eq(all[at].address, address))
			at++;
		if (at == RECEIPT_ROWS_MAX) {
			r->more = true;
			continue;
		}
		all[at] = new->row[i];
		all[at].address = address;
		if (at == r->n)
			r->n++;
	}
}

/* The oldest go, but not the one that is written now. */
static enum err evict(struct run *u)
{
	struct receipt_tally *t = &u->tally;
	struct str place, value, key;

	for (unsigned i = 0; i < EVICT_MAX; i++) {
		if (t->mails <= RECEIPTS_MAX && t->octets <= RECEIPTS_OCTETS_MAX)
			return OK;
		enum err e = tx_next(u->tx, KEY_RECEIPT_ORDER, S(""), &place, &value);
		if (!e)
			e = layout_broken(receipt_order_decode(value, &key), place);
		if (e == E_VERSION)
			return e;
		struct key mine = key_receipt_order(u->number);
		if (e == E_NOTFOUND || str_eq(place, key_str(&mine)))
			return OK;
		place = str_dup(tx_arena(u->tx), place);
		if (!e) {
			key = str_dup(tx_arena(u->tx), key);
			e = tx_get(u->tx, key, &value);
		}
		if (!e) {
			t->mails -= t->mails > 0;
			t->octets -= value.n < t->octets ? value.n : t->octets;
			tx_del(u->tx, key);
		}
		tx_del(u->tx, place);
	}
	return OK;
}

static enum err write(struct tx *tx, void *arg)
{
	const struct writing *w = arg;
	struct arena *a = tx_arena(tx);
	struct run u = { .tx = tx };
	struct str value;
	enum err e = tx_get(tx, KEY_ACCOUNT, &value);

	if (e) /* it has gone: whoever delivers goes on */
		return e == E_NOTFOUND ? OK : e;
	e = load_tally(tx, &u.tally);
	if (!e)
		e = load(&u, w);
	if (e)
		return e;
	merge(&u, w->r);
	value = receipt_encode(a, &u.r, u.number);
	if (str_eq(value, u.was))
		return OK;
	struct key place = key_receipt_order(u.number);
	tx_put(tx, key_str(&w->key), value);
	tx_put(tx, key_str(&place), receipt_order_encode(a, key_str(&w->key)));
	u.tally.octets -= u.was.n < u.tally.octets ? u.was.n : u.tally.octets;
	u.tally.octets += value.n;
	e = evict(&u);
	if (!e)
		tx_put(tx, KEY_RECEIPT_TALLY, receipt_tally_encode(a, &u.tally));
	return e;
}

bool receipt_prepare(struct arena *a, uint32_t account, const struct receipt *r, int64_t now,
		     struct update *out)
{
	struct str id = receipt_id_clean(r->id);

	if (!account || !id.n || !r->n)
		return false;
	struct writing *w = ARENA_NEW(a, struct writing);
	*w = (struct writing){ .account = account,
			       .now = now,
			       .id = id,
			       .r = r,
			       .key = key_receipt(id),
			       .partition = key_partition(account) };
	*out = (struct update){ .partition = key_str(&w->partition), .fn = write, .arg = w };
	return true;
}

enum err receipt_write(struct store *st, uint32_t account, const struct receipt *r, int64_t now)
{
	struct arena *a = arena_new(4096);
	struct update u = { 0 };

	if (receipt_prepare(a, account, r, now, &u))
		store_update_all(st, &u, 1);
	arena_free(&a);
	return u.result;
}

/* --- looking --- */

struct looking {
	struct arena *a;
	struct str id;  /* of receipt_get */
	uint64_t after; /* of receipt_each: the number before; 0: from the first on */
	struct receipt *out;
};

/* The value as the arena's own. */
static enum err take(struct str value, struct looking *l)
{
	uint64_t number;

	return receipt_decode(str_dup(l->a, value), l->a, l->out, &number);
}

static enum err get(struct tx *tx, void *arg)
{
	struct looking *l = arg;
	struct key key = key_receipt(l->id);
	struct str value;
	enum err e = tx_get(tx, key_str(&key), &value);

	if (!e)
		e = layout_broken(take(value, l), key_str(&key));
	return e ? e : str_eq(l->out->id, l->id) ? OK : E_NOTFOUND;
}

enum err receipt_get(struct store *st, uint32_t account, struct str id, struct arena *a,
		     struct receipt *out)
{
	struct key partition = key_partition(account);
	struct looking l = { .a = a, .id = receipt_id_clean(id), .out = out };

	return store_read(st, key_str(&partition), get, &l);
}

static enum err next(struct tx *tx, void *arg)
{
	struct looking *l = arg;
	struct key from = key_receipt_order(l->after), prefix = { "q/", 2 };
	struct str after = l->after ? key_str(&from) : S(""), place, value, key;
	enum err e = tx_next(tx, KEY_RECEIPT_ORDER, after, &place, &value);

	if (e)
		return e;
	if (!key_number(place, &prefix, 16, &l->after))
		return layout_broken(E_CORRUPT, place);
	e = layout_broken(receipt_order_decode(value, &key), place);
	if (!e)
		e = tx_get(tx, key, &value);
	if (!e)
		e = layout_broken(take(value, l), key);
	return e == E_NOTFOUND ? layout_broken(E_CORRUPT, place) : e;
}

enum err receipt_each(struct store *st, uint32_t account,
		      enum err (*fn)(void *arg, const struct receipt *r), void *arg)
{
	struct key partition = key_partition(account);
	struct arena *a = arena_new(WALK_ARENA);
	struct receipt r;
	struct looking l = { .a = a, .out = &r };
	bool end = false;
	enum err e = OK;

	while (!e && !end) {
		arena_reset(a);
		e = store_read(st, key_str(&partition), next, &l);
		end = e == E_NOTFOUND;
		e = end ? OK : e;
		if (!e && !end)
			e = fn(arg, &r);
	}
	arena_free(&a);
	return e;
}
