/* SPDX-License-Identifier: ISC */
#include <sodium.h>

#include "base/log.h"
#include "queue/queue_priv.h"

enum { KEYS_A_READ = 2000, PARTS_A_GIVING = 500 };

/* --- which destinations there are --- */

struct scout {
	struct arena *a;
	struct queue_destination *out;
	size_t n, cap, max;
	struct str after; /* the arena's */
	bool end;
};

static void note_destination(struct scout *s, struct str name, int64_t due)
{
	if (s->n == s->cap) {
		struct queue_destination *old = s->out;

		s->cap = s->cap ? 2 * s->cap : 32;
		s->out = ARENA_ARRAY(s->a, struct queue_destination, s->cap);
		if (old)
			memcpy(s->out, old, s->n * sizeof *old);
	}
	s->out[s->n++] = (struct queue_destination){ str_dup(s->a, name), due };
}

/* One step for each destination: the first w key of it says when it is due, and the search goes
 * on behind all that begin with its hash. */
static enum err look_around(struct tx *tx, void *arg)
{
	struct scout *s = arg;
	struct str key, value, after = s->after;
	struct queue_place place;
	int64_t due;

	for (unsigned i = 0; i < KEYS_A_READ; i++) {
		enum err e = tx_next(tx, S("w/"), after, &key, &value);

		if (e == E_NOTFOUND)
			s->end = true;
		if (e)
			return e == E_NOTFOUND ? OK : e;
		if (!key_wait_take(key, &due, &place))
			return E_CORRUPT;
		if (s->n == s->max)
			return E_LIMIT;
		note_destination(s, value, due);
		after = str_fmt(s->a, "%.*sg", (int)str_rfind(str_part(key, 0, 36), '/') + 1,
				key.p); /* behind every hex digit */
		s->after = after;
	}
	return OK;
}

enum err queue_destinations(struct store *st, unsigned shard, size_t max, struct arena *a,
			    struct queue_destination **out, size_t *n)
{
	struct scout s = { .a = a, .max = max, .after = S("") };
	enum err e = OK;

	while (!s.end && !e) {
		struct scout part = s; /* a run that is repeated begins anew */

		e = store_read(st, queue_partition(a, shard), look_around, &part);
		s = part;
	}
	*out = s.out;
	*n = e && e != E_LIMIT ? 0 : s.n;
	return e;
}

/* --- leases --- */

struct leasing {
	const struct queue_lease *l;
	struct arena *a;
	struct queue_job *out;
	size_t n, unread;
	uint64_t token[QUEUE_LEASE_MAX];
};

/* Of a later version, or damaged: it stays where it is, and what is behind it goes on. */
static bool unreadable(enum err e)
{
	return e == E_VERSION || e == E_CORRUPT;
}

static enum err lease_one(struct tx *tx, struct leasing *g, struct queue_place which)
{
	struct queue_job *j = &g->out[g->n];
	struct queue_part before, p;
	struct queue_message m;
	struct str message, part;
	enum err e = get_part(tx, which, &before);

	if (!e)
		e = get_message(tx, which.id, &m);
	if (!e)
		e = tx_get(tx, key_message(tx_arena(tx), which.id), &message);
	if (e)
		return e == E_NOTFOUND ? E_CORRUPT : e;
	p = before;
	p.lease = g->token[g->n];
	p.lease_until = g->l->now + g->l->lease_s;
	p.holder = str_part(g->l->holder, 0, QUEUE_HOLDER_MAX);
	e = put_part(tx, &before, &p);
	if (!e)
		e = queue_part_encode(tx_arena(tx), &p, &part);
	if (e)
		return e;
	*j = (struct queue_job){ .m.id = which.id, .p = { .id = which.id, .number = which.part } };
	e = copy_job(g->a, message, part, j);
	if (!e)
		g->n++;
	return e;
}

static enum err lease(struct tx *tx, void *arg)
{
	struct leasing *g = arg;
	struct str prefix = key_waits(tx_arena(tx), g->l->destination), after = S("");
	struct queue_place which;
	struct str key, value;
	int64_t due;

	g->n = g->unread = 0;
	while (g->n < g->l->max && g->unread < KEYS_A_READ) {
		enum err e = tx_next(tx, prefix, after, &key, &value);

		if (e)
			return e == E_NOTFOUND ? OK : e;
		if (!key_wait_take(key, &due, &which))
			return E_CORRUPT;
		if (due > g->l->now)
			return OK;
		after = str_dup(tx_arena(tx), key);
		e = lease_one(tx, g, which);
		if (unreadable(e))
			g->unread++;
		else if (e)
			return e;
	}
	return OK;
}

enum err queue_lease(struct store *st, const struct queue_lease *l, struct arena *a,
		     struct queue_job *out, size_t *n)
{
	struct leasing g = { .l = l, .a = a, .out = out };

	BUG_IF(l->max > QUEUE_LEASE_MAX || l->lease_s == 0);
	for (size_t i = 0; i < l->max; i++)
		do
			randombytes_buf(&g.token[i], sizeof g.token[i]);
		while (!g.token[i]);
	enum err e = store_update(st, queue_partition(a, l->shard), lease, &g);

	if (!e && g.unread)
		log_event(LOG_ERROR, "queue.unreadable", KV("destination", l->destination),
			  KVN("shard", l->shard), KVN("parts", g.unread));
	*n = e ? 0 : g.n;
	return e;
}

struct changing {
	struct queue_job *j;
	int64_t until;
	bool done, renew;
};

static enum err change(struct tx *tx, void *arg)
{
	struct changing *c = arg;
	const struct queue_part *mine = &c->j->p;
	struct queue_part before, p;
	enum err e = get_part(tx, (struct queue_place){ mine->id, mine->number }, &before);

	if (e)
		return e;
	if (before.lease != mine->lease)
		return E_DENIED;
	p = before;
	if (c->renew) {
		p.lease_until = c->until;
		return put_part(tx, &before, &p);
	}
	p.n = mine->n;
	p.rcpt = mine->rcpt;
	if (c->done) {
		if (queue_part_over(&p))
			return remove_part(tx, &before);
		p.lease = 0;
		p.lease_until = 0;
		p.holder = S("");
	}
	return put_part(tx, &before, &p);
}

static enum err run_change(struct store *st, struct changing *c)
{
	struct arena *a = arena_new(4096);
	enum err e = store_update(st, queue_partition(a, queue_shard(c->j->p.id)), change, c);

	arena_free(&a);
	return e;
}

enum err queue_renew(struct store *st, struct queue_job *j, int64_t until)
{
	struct changing c = { .j = j, .until = until, .renew = true };
	enum err e = run_change(st, &c);

	if (!e)
		j->p.lease_until = until;
	return e;
}

void queue_result_prepare(struct arena *a, struct queue_job *j, bool done, struct update *out)
{
	struct changing *c = ARENA_NEW(a, struct changing);

	*c = (struct changing){ .j = j, .done = done };
	*out = (struct update){ .partition = queue_partition(a, queue_shard(j->p.id)),
				.fn = change,
				.arg = c };
}

enum err queue_result(struct store *st, struct queue_job *j, bool done)
{
	struct changing c = { .j = j, .done = done };

	return run_change(st, &c);
}

/* --- an earlier life's leases --- */

struct giving {
	struct str holder, after, next; /* next: the arena's */
	struct arena *a;
	size_t n;
	bool end;
};

static enum err give_back_some(struct tx *tx, void *arg)
{
	struct giving *g = arg;
	struct str after = g->after, key, value;

	g->n = 0;
	g->end = false;
	for (unsigned i = 0; i < PARTS_A_GIVING; i++) {
		struct queue_place which;
		struct queue_part before, p;
		enum err e = tx_next(tx, S("p/"), after, &key, &value);

		g->end = e == E_NOTFOUND;
		if (e)
			return g->end ? OK : e;
		if (!key_part_take(key, &which))
			return E_CORRUPT;
		after = str_dup(tx_arena(tx), key);
		e = get_part(tx, which, &before);
		if (unreadable(e))
			continue;
		if (e)
			return e;
		if (!before.lease || !str_eq(before.holder, g->holder))
			continue;
		p = before;
		p.lease = 0;
		p.lease_until = 0;
		p.holder = S("");
		e = put_part(tx, &before, &p);
		if (e)
			return e;
		g->n++;
	}
	g->next = str_dup(g->a, after);
	return OK;
}

enum err queue_give_back(struct store *st, unsigned shard, struct str holder, size_t *n)
{
	struct arena *a = arena_new(64 << 20), *once = arena_new(4096);
	struct giving g = { .holder = str_part(holder, 0, QUEUE_HOLDER_MAX), .after = S("") };
	enum err e = OK;

	g.a = a;
	*n = 0;
	while (!g.end && !e) {
		e = store_update(st, queue_partition(once, shard), give_back_some, &g);
		arena_reset(once);
		*n += e ? 0 : g.n;
		g.after = g.next;
	}
	arena_free(&once);
	arena_free(&a);
	return e;
}

enum err queue_read(struct store *st, const struct queue_message *m, uint64_t off, size_t max,
		    struct arena *a, struct str *out)
{
	uint64_t left = off < m->size ? m->size - off : 0;

	*out = S("");
	if (!left)
		return OK;
	return blob_read(st, m->blob, m->skip + off, left < max ? (size_t)left : max, a, out);
}
