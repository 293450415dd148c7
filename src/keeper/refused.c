/* SPDX-License-Identifier: ISC */
/* keeper/refused.c - refusals in memory, the fiber that writes them, and that tells the owners. */
#include "keeper/refused.h"

#include "base/clock.h"
#include "base/log.h"
#include "box/box.h"
#include "fiber/fiber.h"
#include "keeper/record.h"

enum {
	BATCH = 32,             /* accounts of one commit */
	TEXTS = 1 << 20,        /* octets: those of REFUSED_MAX rows */
	SCRATCH = 32 << 10,     /* octets: two addresses, and more */
	TURN_MEMORY = 1 << 20,  /* octets: a list, its record and its mail */
	LOCAL_OCTETS_MAX = 320, /* of either part of an address: more is cut before anything else */
};

/* What has come since the last time it was written. */
struct heap {
	struct arena *texts; /* owned */
	struct {
		uint32_t account;
		struct refusal_row row;
	} at[REFUSED_MAX];
	size_t n;
};

struct refused {
	struct store *store; /* borrowed */
	int64_t tell_s;
	struct heap *heap;     /* owned */
	struct arena *scratch; /* owned */
	unsigned lost;         /* since it was logged */
	struct signal come;
	struct group *group;
};

static const struct str partition = { REFUSED_PARTITION, sizeof(REFUSED_PARTITION) - 1 };

static struct heap *heap_new(void)
{
	struct heap *h = NEW(struct heap);

	h->texts = arena_new(TEXTS);
	return h;
}

static void heap_free(struct heap *h)
{
	arena_free(&h->texts);
	free(h);
}

/* --- noting --- */

static void add(struct refused *r, uint32_t account, const struct refusal_row *row)
{
	struct heap *h = r->heap;
	size_t i = 0;

	while (i < h->n && !(h->at[i].account == account && refusal_same(&h->at[i].row, row)))
		i++;
	if (i == REFUSED_MAX) {
		r->lost++;
		return;
	}
	if (i < h->n) {
		h->at[i].row.count += row->count;
		h->at[i].row.last = row->last;
		return;
	}
	h->at[h->n].account = account;
	h->at[h->n].row = *row;
	struct refusal_row *to = &h->at[h->n++].row;
	to->sender = str_dup(h->texts, row->sender);
	to->to = str_dup(h->texts, row->to);
	to->host = str_dup(h->texts, row->host);
	to->ip = str_dup(h->texts, row->ip);
	signal_raise(&r->come);
}

static struct str address(struct arena *a, struct path p)
{
	p.local = str_part(p.local, 0, LOCAL_OCTETS_MAX);
	p.domain = str_part(p.domain, 0, LOCAL_OCTETS_MAX);
	return refusal_text(a, path_text(a, p));
}

void refused_note(struct refused *r, const struct keeper_refusal *what)
{
	int64_t now = clock_wall();
	struct arena *a = r->scratch;
	struct refusal_row row = { .first = now, .last = now, .count = 1 };

	arena_reset(a);
	row.sender = address(a, what->from);
	row.to = address(a, what->to);
	row.host = refusal_text(a, what->host);
	row.ip = refusal_text(a, what->ip);
	for (size_t i = 0; i < what->n; i++)
		add(r, what->account[i], &row);
}

/* --- writing --- */

static struct str key_list(struct arena *a, uint32_t account)
{
	return key_account(a, 'r', account);
}

static struct str key_turn(struct arena *a, int64_t since, uint32_t account)
{
	return str_fmt(a, "q/%016llx/%08x", (unsigned long long)since, account);
}

struct put {
	uint32_t account;
	const struct heap *heap;
};

static enum err put(struct tx *tx, void *arg)
{
	const struct put *p = arg;
	struct arena *a = tx_arena(tx);
	struct refusals *l = ARENA_NEW(a, struct refusals);
	struct str key = key_list(a, p->account), value;
	enum err e = tx_get(tx, key, &value);
	bool first = e == E_NOTFOUND;

	if (!e)
		e = refusals_read(value, l);
	if (e && !first)
		return e;
	for (size_t i = 0; i < p->heap->n; i++)
		if (p->heap->at[i].account == p->account)
			refusals_add(l, &p->heap->at[i].row);
	tx_put(tx, key, refusals_record(a, l));
	if (first)
		tx_put(tx, key_turn(a, l->since, p->account), S("\x01"));
	return OK;
}

/* Some accounts of the heap, from *next on, which have not been among those before. */
static size_t collect(const struct heap *h, size_t *next, struct put *out)
{
	size_t n = 0;

	for (; *next < h->n && n < BATCH; ++*next) {
		size_t i = 0;

		while (h->at[i].account != h->at[*next].account)
			i++;
		if (i == *next)
			out[n++] = (struct put){ h->at[i].account, h };
	}
	return n;
}

/* The store would not have them now: once more. */
static void put_back(struct refused *r, const struct put *p, enum err e)
{
	log_event(LOG_WARN, "refused.unwritten", KVN("account", p->account), KVE(e));
	if (e == E_CORRUPT || e == E_VERSION)
		return;
	for (size_t i = 0; i < p->heap->n; i++)
		if (p->heap->at[i].account == p->account)
			add(r, p->account, &p->heap->at[i].row);
}

static void write_all(struct refused *r)
{
	struct heap *h = r->heap;
	struct put p[BATCH];
	struct update u[BATCH];
	size_t next = 0, n;

	if (!h->n)
		return;
	r->heap = heap_new();
	while ((n = collect(h, &next, p))) {
		for (size_t i = 0; i < n; i++)
			u[i] = (struct update){ .partition = partition, .fn = put, .arg = &p[i] };
		store_update_all(r->store, u, n);
		for (size_t i = 0; i < n; i++)
			if (u[i].result)
				put_back(r, &p[i], u[i].result);
	}
	heap_free(h);
	if (r->lost)
		log_event(LOG_WARN, "refused.lost", KVN("n", r->lost),
			  KVC("reason", "more at once than can be written"));
	r->lost = 0;
}

/* --- telling --- */

/* Whose turn is next. */
struct turn {
	struct arena *a;
	uint32_t account;
	int64_t since;
	struct str value;      /* the list's record */
	struct refusals *list; /* its texts are in value */
	enum err result;       /* of reading it */
};

static enum err find_turn(struct tx *tx, void *arg)
{
	struct turn *t = arg;
	struct str key, value;
	enum err e = tx_next(tx, S("q/"), S(""), &key, &value);

	if (e)
		return e;
	struct scan in = scan(str_from(key, 2));
	t->since = (int64_t)scan_hex(&in, 16);
	scan_lit(&in, "/");
	t->account = (uint32_t)scan_hex(&in, 8);
	if (!scan_end(&in))
		return E_CORRUPT;
	e = tx_get(tx, key_list(tx_arena(tx), t->account), &value);
	t->value = e ? S("") : str_dup(t->a, value);
	t->result = e ? e : refusals_read(t->value, t->list);
	return OK;
}

static enum err end_turn(struct tx *tx, void *arg)
{
	const struct turn *t = arg;
	struct arena *a = tx_arena(tx);
	struct str key = key_list(a, t->account), value;
	enum err e = tx_get(tx, key, &value);

	if (!e && !str_eq(value, t->value)) /* another keeper of the same store has added some */
		return E_AGAIN;
	if (e && e != E_NOTFOUND)
		return e;
	tx_del(tx, key);
	tx_del(tx, key_turn(a, t->since, t->account));
	return OK;
}

/* Nobody, where the account is gone. */
static enum err tell(struct refused *r, const struct turn *t)
{
	struct user u = { 0 };
	enum err e = directory_account(r->store, t->account, t->a, &u);

	if (e)
		return e == E_NOTFOUND ? OK : e;
	struct notice n = refusals_notice(t->a, name_text(t->a, u.name), t->list);
	e = box_tell(r->store, t->account, &n);
	if (!e)
		log_event(LOG_INFO, "refused.told", KVN("account", t->account),
			  KVN("rows", t->list->n));
	return e == E_NOTFOUND ? OK : e;
}

/* One owner, if it is time. E_NOTFOUND: it is not. */
static enum err tell_next(struct refused *r)
{
	struct turn t = { .a = arena_new(TURN_MEMORY) };

	t.list = ARENA_NEW(t.a, struct refusals);
	enum err e = store_read(r->store, partition, find_turn, &t);
	if (!e && t.since + r->tell_s > clock_wall())
		e = E_NOTFOUND;
	else if (!e && t.result)
		log_event(LOG_WARN, "refused.unread", KVN("account", t.account), KVE(t.result));
	else if (!e)
		e = tell(r, &t);
	if (!e)
		e = store_update(r->store, partition, end_turn, &t);
	arena_free(&t.a);
	return e;
}

static int64_t look_ms(const struct refused *r)
{
	return r->tell_s < REFUSED_LOOK_MS / 1000 ? r->tell_s * 1000 : REFUSED_LOOK_MS;
}

static void work(void *arg)
{
	struct refused *r = arg;

	for (;;) {
		enum err e = OK;

		if (!r->heap->n)
			e = signal_wait(&r->come, r->come.count, clock_in(look_ms(r)));
		if (e == E_CANCELED || fiber_sleep(clock_in(REFUSED_WRITE_MS)))
			return;
		write_all(r);
		while (!(e = tell_next(r)) && !fiber_canceled())
			;
		if (e && e != E_NOTFOUND)
			log_event(LOG_WARN, "refused.untold", KVE(e));
	}
}

/* --- the rest --- */

static enum err read_list(struct tx *tx, void *arg)
{
	struct turn *t = arg;
	struct str value;
	enum err e = tx_get(tx, key_list(tx_arena(tx), t->account), &value);

	*t->list = (struct refusals){ 0 };
	return e == E_NOTFOUND ? OK : e ? e : refusals_read(str_dup(t->a, value), t->list);
}

enum err refused_list(struct store *st, uint32_t account, struct arena *a, struct refusals *out)
{
	struct turn t = { .a = a, .account = account, .list = out };

	return store_read(st, partition, read_list, &t);
}

static enum err del_list(struct tx *tx, void *arg)
{
	struct refusals *l = ARENA_NEW(tx_arena(tx), struct refusals);
	struct str key = key_list(tx_arena(tx), *(uint32_t *)arg), value;
	enum err e = tx_get(tx, key, &value);

	if (e)
		return e == E_NOTFOUND ? OK : e;
	if (!refusals_read(value, l))
		tx_del(tx, key_turn(tx_arena(tx), l->since, *(uint32_t *)arg));
	tx_del(tx, key);
	return OK;
}

enum err refused_delete(struct store *st, uint32_t account)
{
	return store_update(st, partition, del_list, &account);
}

enum err refused_new(struct store *st, int64_t tell_s, struct refused **out)
{
	struct refused *r = *out = NEW(struct refused);

	r->store = st;
	r->tell_s = tell_s;
	r->heap = heap_new();
	r->scratch = arena_new(SCRATCH);
	r->group = group_new();
	enum err e = group_spawn(r->group, "refused", work, r);
	if (e)
		refused_close(out);
	return e;
}

void refused_configure(struct refused *r, int64_t tell_s)
{
	r->tell_s = tell_s;
	signal_raise(&r->come);
}

void refused_close(struct refused **at)
{
	struct refused *r = *at;

	if (!r)
		return;
	group_close(&r->group);
	write_all(r);
	heap_free(r->heap);
	arena_free(&r->scratch);
	free(r);
	*at = NULL;
}
