/* SPDX-License-Identifier: ISC */
/* keeper/sent.c - the records of who sends just now, and their way to the store. */
#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "keeper/sent.h"

enum { WRITE_MAX = 64 }; /* records of one commit */

#define KEY_RECORD S("r")

struct entry {
	uint32_t account;
	bool dirty, writing;
	uint64_t used; /* when, by the count of uses */
	struct sending_record r;
};

struct sent {
	struct store *store; /* borrowed */
	struct sending_counts conf;
	struct entry *entry[SENT_ACCOUNTS]; /* owned */
	size_t n;
	uint64_t uses;
	struct signal changed, written;
	struct group *group;
};

static struct str partition(struct arena *a, uint32_t account)
{
	return str_fmt(a, "sent/%08x", account);
}

/* --- reading --- */

struct loading {
	struct sending_record *out;
};

static enum err load(struct tx *tx, void *arg)
{
	struct loading *l = arg;
	struct str value;
	enum err e = tx_get(tx, KEY_RECORD, &value);

	if (!e)
		e = sending_decode(value, l->out);
	else if (e == E_NOTFOUND)
		sending_fresh(l->out);
	return e == E_NOTFOUND ? OK : e;
}

static struct entry *find(struct sent *s, uint32_t account)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->entry[i]->account != account)
			continue;
		s->entry[i]->used = ++s->uses;
		return s->entry[i];
	}
	return NULL;
}

static void drop(struct sent *s, size_t i)
{
	free(s->entry[i]);
	s->entry[i] = s->entry[--s->n];
}

/* A place for one more; if all are about to be written, that is waited for. */
static enum err make_room(struct sent *s)
{
	while (s->n == SENT_ACCOUNTS) {
		size_t oldest = SENT_ACCOUNTS;
		uint64_t seen = s->written.count;

		for (size_t i = 0; i < s->n; i++) {
			const struct entry *x = s->entry[i];
			if (!x->dirty && !x->writing &&
			    (oldest == SENT_ACCOUNTS || x->used < s->entry[oldest]->used))
				oldest = i;
		}
		if (oldest < SENT_ACCOUNTS) {
			drop(s, oldest);
			return OK;
		}
		enum err e = signal_wait(&s->written, seen, clock_in(4 * SENT_WRITE_MS));
		if (e)
			return e == E_TIMEOUT ? E_AGAIN : e;
	}
	return OK;
}

/* Good until the caller suspends. */
static enum err get(struct sent *s, uint32_t account, struct entry **out)
{
	struct arena *a = arena_new(4096);
	enum err e = OK;

	*out = find(s, account);
	if (!*out) {
		struct entry *fresh = NEW(struct entry);
		struct loading l = { &fresh->r };

		fresh->account = account;
		e = store_read(s->store, partition(a, account), load, &l);
		if (!e)
			e = make_room(s);
		*out = e ? NULL : find(s, account); /* another may have been faster */
		if (e || *out) {
			free(fresh);
		} else {
			fresh->used = ++s->uses;
			*out = s->entry[s->n++] = fresh;
		}
	}
	arena_free(&a);
	return e;
}

/* --- writing --- */

struct writing {
	struct str value;
};

static enum err put(struct tx *tx, void *arg)
{
	const struct writing *w = arg;

	tx_put(tx, KEY_RECORD, w->value);
	return OK;
}

/* Some of those that have changed; full: there may be more. */
static enum err write_some(struct sent *s, bool *full)
{
	struct arena *a = arena_new(WRITE_MAX * (SENDING_OCTETS + 4096));
	struct entry *entry[WRITE_MAX];
	struct update u[WRITE_MAX];
	struct writing w[WRITE_MAX];
	size_t n = 0;
	enum err e = OK;

	for (size_t i = 0; i < s->n && n < WRITE_MAX; i++) {
		struct buf b = buf_new(SENDING_OCTETS);

		if (!s->entry[i]->dirty || s->entry[i]->writing)
			continue;
		entry[n] = s->entry[i];
		entry[n]->dirty = false;
		entry[n]->writing = true;
		sending_encode(&b, &entry[n]->r);
		BUG_IF(b.full);
		w[n].value = str_dup(a, buf_str(&b));
		u[n] = (struct update){ partition(a, entry[n]->account), put, &w[n], OK };
		buf_free(&b);
		n++;
	}
	store_update_all(s->store, u, n);
	for (size_t i = 0; i < n; i++) {
		entry[i]->writing = false;
		entry[i]->dirty |= u[i].result != OK;
		e = u[i].result ? u[i].result : e;
	}
	signal_raise(&s->written);
	arena_free(&a);
	*full = n == WRITE_MAX;
	return e;
}

static void write_all(struct sent *s)
{
	bool more;
	enum err e;

	do
		e = write_some(s, &more);
	while (!e && more);
	if (!e)
		return;
	log_event(LOG_WARN, "sending.unwritten", KVE(e));
	signal_raise(&s->changed); /* once more, soon */
}

static void write_loop(void *arg)
{
	struct sent *s = arg;
	uint64_t seen = 0;

	while (signal_wait(&s->changed, seen, NEVER) == OK &&
	       fiber_sleep(clock_in(SENT_WRITE_MS)) == OK) {
		seen = s->changed.count;
		write_all(s);
	}
}

static void change(struct sent *s, struct entry *x)
{
	x->dirty = true;
	signal_raise(&s->changed);
}

/* --- deciding --- */

static uint32_t limit_of(struct sending_counts limits, enum sending_what what)
{
	switch (what) {
	case SENDING_MESSAGES: return limits.messages;
	case SENDING_RECIPIENTS: return limits.recipients;
	case SENDING_STRANGERS: return limits.strangers;
	default: return 0;
	}
}

static void judge(struct sent *s, struct entry *x, struct sending_counts more,
		  struct sending_verdict *out)
{
	int64_t now = clock_wall();
	struct sending_counts limits = sending_limits(&x->r, s->conf);

	out->what = sending_check(limits, sending_used(&x->r, now), more);
	out->limit = limit_of(limits, out->what);
	out->tell = out->what && sending_tell(&x->r, now);
	if (out->tell)
		change(s, x);
}

enum err sent_ask(struct sent *s, uint32_t account, struct str address,
		  struct sending_counts already, struct sending_verdict *out)
{
	struct entry *x;
	enum err e = get(s, account, &x);

	*out = (struct sending_verdict){ 0 };
	if (e)
		return e;
	out->hash = sending_hash(&x->r, address);
	out->stranger = !sending_knows(&x->r, out->hash);
	struct sending_counts more = { 1, already.recipients + 1,
				       out->stranger ? already.strangers + 1 : 0 };
	judge(s, x, more, out);
	return OK;
}

enum err sent_count(struct sent *s, uint32_t account, uint32_t *hash, size_t n,
		    struct sending_verdict *out)
{
	struct entry *x;
	enum err e = get(s, account, &x);

	*out = (struct sending_verdict){ 0 };
	if (e)
		return e;
	struct sending_counts more = { 1, (uint32_t)n, sending_strangers(&x->r, hash, n) };
	judge(s, x, more, out);
	if (out->what)
		return OK;
	sending_add(&x->r, clock_wall(), hash, n);
	change(s, x);
	return OK;
}

enum err sent_show(struct sent *s, uint32_t account, struct sent_state *out)
{
	struct entry *x;
	enum err e = get(s, account, &x);

	if (e)
		return e;
	out->own = x->r.own;
	out->limits = sending_limits(&x->r, s->conf);
	out->used = sending_used(&x->r, clock_wall());
	return OK;
}

static void set(uint32_t *limit, uint32_t to)
{
	if (to != SENDING_KEEP)
		*limit = to;
}

enum err sent_limit(struct sent *s, uint32_t account, struct sending_counts own)
{
	struct entry *x;
	enum err e = get(s, account, &x);

	if (e)
		return e;
	set(&x->r.own.messages, own.messages);
	set(&x->r.own.recipients, own.recipients);
	set(&x->r.own.strangers, own.strangers);
	x->r.told = 0; /* the next time that he reaches them is news again */
	change(s, x);
	while ((x = find(s, account)) && (x->dirty || x->writing) && !e) {
		uint64_t seen = s->written.count;
		e = signal_wait(&s->written, seen, clock_in(10 * SENT_WRITE_MS));
	}
	return e == E_TIMEOUT ? E_AGAIN : e;
}

/* --- going --- */

static enum err del(struct tx *tx, void *arg)
{
	(void)arg;
	tx_del(tx, KEY_RECORD);
	return OK;
}

enum err sent_delete(struct store *st, uint32_t account)
{
	struct arena *a = arena_new(4096);
	enum err e = store_update(st, partition(a, account), del, NULL);

	arena_free(&a);
	return e;
}

enum err sent_forget(struct sent *s, uint32_t account)
{
	for (size_t i = 0; i < s->n;) {
		struct entry *x = s->entry[i];
		uint64_t seen = s->written.count;

		if (x->account != account) {
			i++;
		} else if (!x->writing) {
			drop(s, i);
		} else {
			enum err e = signal_wait(&s->written, seen, NEVER);
			if (e)
				return e;
			i = 0;
		}
	}
	return sent_delete(s->store, account);
}

enum err sent_new(struct store *st, struct sending_counts conf, struct sent **out)
{
	struct sent *s = *out = NEW(struct sent);

	s->store = st;
	s->conf = conf;
	s->group = group_new();
	return group_spawn(s->group, "sent", write_loop, s);
}

void sent_configure(struct sent *s, struct sending_counts conf)
{
	s->conf = conf;
}

void sent_close(struct sent **sp)
{
	struct sent *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	group_close(&s->group);
	write_all(s);
	while (s->n)
		drop(s, s->n - 1);
	free(s);
}
