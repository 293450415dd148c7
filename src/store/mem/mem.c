/* SPDX-License-Identifier: ISC */
#include "store/engine.h"
#include "store/tx.h"

/*
 * The engine that keeps everything in memory: the reference, for tests and for reading. It runs
 * each update at once on the caller's fiber, after giving way: nobody shall come to rely on a
 * store call that does not suspend.
 */

struct entry {
	struct str key, value; /* octets behind the struct */
};

struct part {
	struct str name;
	struct entry **entries; /* ascending by key */
	size_t n, cap;
};

struct held {
	struct part *part;
	uint32_t count; /* references from it */
};

struct mem_blob {
	struct blob blob;
	struct blob_id id;
	char *octets, *summary;
	size_t n, cap, summary_n;
	bool open;         /* its writer has not closed it */
	struct held *held; /* by which partitions; kept while there is one */
	size_t nheld, cap_held;
};

struct mem_watch {
	struct watch watch;
	struct part *part;
	struct mem_watch *next;
};

struct mem {
	struct store store;
	struct part **parts; /* ascending by name; they stay when empty */
	size_t nparts, cap_parts;
	struct mem_blob **blobs; /* finished ones, ascending by id */
	size_t nblobs, cap_blobs;
	struct mem_watch *watches;
	struct store_stats stats;
};

static struct mem *mem(struct store *st)
{
	return (struct mem *)st;
}

/* --- sorted arrays of pointers --- */

static void *insert(void *array, size_t *n, size_t *cap, size_t at, void *p)
{
	void **a = array;

	if (*n == *cap) {
		a = mem_grow(a, *cap * sizeof *a, (*cap * 2 + 8) * sizeof *a);
		*cap = *cap * 2 + 8;
	}
	memmove(a + at + 1, a + at, (*n - at) * sizeof *a);
	a[at] = p;
	(*n)++;
	return a;
}

static void take_out(void *array, size_t *n, size_t at)
{
	void **a = array;

	(*n)--;
	memmove(a + at, a + at + 1, (*n - at) * sizeof *a);
}

static struct str part_key(const void *array, size_t i)
{
	return ((struct part *const *)array)[i]->name;
}

static struct str entry_key(const void *array, size_t i)
{
	return ((struct entry *const *)array)[i]->key;
}

static struct str blob_key(const void *array, size_t i)
{
	return blob_id_str(&((struct mem_blob *const *)array)[i]->id);
}

static struct part *part_find(struct mem *m, struct str name)
{
	bool found;
	size_t i = sorted_find(m->parts, m->nparts, part_key, name, &found);

	if (found)
		return m->parts[i];

	struct part *p = mem_new(sizeof *p + name.n);

	memcpy(p + 1, name.p, name.n);
	p->name = STR((char *)(p + 1), name.n);
	m->parts = insert(m->parts, &m->nparts, &m->cap_parts, i, p);
	return p;
}

/* --- the snapshot under a tx --- */

struct under {
	struct mem *mem;
	struct part *part;
};

static enum err under_get(void *under, struct str key, struct str *value)
{
	const struct part *p = ((struct under *)under)->part;
	bool found;
	size_t i = sorted_find(p->entries, p->n, entry_key, key, &found);

	if (!found)
		return E_NOTFOUND;
	*value = p->entries[i]->value;
	return OK;
}

static enum err under_next(void *under, struct str prefix, struct str after, struct str *key,
			   struct str *value)
{
	const struct part *p = ((struct under *)under)->part;
	bool found, from_prefix = str_cmp(after, prefix) < 0;
	size_t i = sorted_find(p->entries, p->n, entry_key, from_prefix ? prefix : after, &found);

	if (found && !from_prefix)
		i++;
	if (i == p->n || !str_starts(p->entries[i]->key, prefix))
		return E_NOTFOUND;
	*key = p->entries[i]->key;
	*value = p->entries[i]->value;
	return OK;
}

static struct mem_blob *blob_find(struct mem *m, struct blob_id id)
{
	bool found;
	size_t i = sorted_find(m->blobs, m->nblobs, blob_key, blob_id_str(&id), &found);

	return found ? m->blobs[i] : NULL;
}

static enum err under_blob(void *under, struct blob_id id)
{
	return blob_find(((struct under *)under)->mem, id) ? OK : E_NOTFOUND;
}

static const struct snapshot snapshot = { under_get, under_next, under_blob };

static enum err mem_read(struct store *st, struct str partition,
			 enum err (*fn)(struct tx *tx, void *arg), void *arg)
{
	fiber_yield();

	struct under under = { mem(st), part_find(mem(st), partition) };
	struct tx tx;
	enum err e = tx_run(&tx, &snapshot, &under, true, fn, arg);

	tx_end(&tx);
	return e;
}

/* --- updates --- */

static void put(struct part *p, struct str key, struct str value)
{
	struct entry *entry = mem_new(sizeof *entry + key.n + value.n);
	char *octets = (char *)(entry + 1);
	bool found;
	size_t i = sorted_find(p->entries, p->n, entry_key, key, &found);

	memcpy(octets, key.p, key.n);
	if (value.n)
		memcpy(octets + key.n, value.p, value.n);
	*entry = (struct entry){ STR(octets, key.n), STR(octets + key.n, value.n) };
	if (found) {
		free(p->entries[i]);
		p->entries[i] = entry;
	} else {
		p->entries = insert(p->entries, &p->n, &p->cap, i, entry);
	}
}

static void del(struct part *p, struct str key)
{
	bool found;
	size_t i = sorted_find(p->entries, p->n, entry_key, key, &found);

	if (!found)
		return;
	free(p->entries[i]);
	take_out(p->entries, &p->n, i);
}

static void blob_free(struct mem_blob *b)
{
	free(b->octets);
	free(b->summary);
	free(b->held);
	free(b);
}

/* Forgets a blob that nobody refers to or is about to refer to. */
static void blob_drop(struct mem *m, struct mem_blob *b)
{
	bool found;
	size_t i = sorted_find(m->blobs, m->nblobs, blob_key, blob_id_str(&b->id), &found);

	if (b->nheld || b->open)
		return;
	if (found)
		take_out(m->blobs, &m->nblobs, i);
	blob_free(b);
}

static void blob_count(struct mem *m, struct part *p, const struct blob_change *c)
{
	struct mem_blob *b = blob_find(m, c->id);
	size_t i = 0;

	if (!b || !c->by)
		return;
	while (i < b->nheld && b->held[i].part != p)
		i++;
	if (i == b->nheld) {
		if (c->by < 0)
			return;
		if (b->nheld == b->cap_held) {
			b->held = mem_grow(b->held, b->nheld * sizeof *b->held,
					   (b->nheld * 2 + 1) * sizeof *b->held);
			b->cap_held = b->nheld * 2 + 1;
		}
		b->held[b->nheld++] = (struct held){ p, 0 };
	}

	int64_t count = (int64_t)b->held[i].count + c->by;

	b->held[i].count = count > 0 ? (uint32_t)count : 0;
	if (!b->held[i].count)
		b->held[i] = b->held[--b->nheld];
	blob_drop(m, b);
}

static void update(struct mem *m, struct update *u)
{
	struct under under = { m, part_find(m, u->partition) };
	struct part *p = under.part;
	struct tx tx;

	u->result = tx_run(&tx, &snapshot, &under, false, u->fn, u->arg);
	if (!u->result && tx.nwrites + tx.nchanges) {
		for (size_t i = 0; i < tx.nwrites; i++) {
			if (tx.writes[i].del)
				del(p, tx.writes[i].key);
			else
				put(p, tx.writes[i].key, tx.writes[i].value);
		}
		for (size_t i = 0; i < tx.nchanges; i++)
			blob_count(m, p, &tx.changes[i]);
		for (struct mem_watch *w = m->watches; w; w = w->next)
			if (w->part == p)
				signal_raise(&w->watch.signal);
		m->stats.updates++;
		m->stats.octets_written += tx.octets;
	}
	tx_end(&tx);
}

static void mem_update_all(struct store *st, struct update *u, size_t n)
{
	fiber_yield();
	for (size_t i = 0; i < n; i++)
		update(mem(st), &u[i]);
	mem(st)->stats.commits++;
}

/* --- blobs --- */

static struct blob *mem_blob_new(struct store *st)
{
	struct mem_blob *b = NEW(struct mem_blob);

	(void)st;
	b->open = true;
	b->id = blob_id_new();
	return &b->blob;
}

static enum err mem_blob_write(struct blob *blob, struct str octets)
{
	struct mem_blob *b = (struct mem_blob *)blob;

	if (octets.n > b->cap - b->n) {
		size_t cap = b->cap * 2 > b->n + octets.n ? b->cap * 2 : b->n + octets.n;

		b->octets = mem_grow(b->octets, b->cap, cap);
		b->cap = cap;
	}
	memcpy(b->octets + b->n, octets.p, octets.n);
	b->n += octets.n;
	return OK;
}

static enum err mem_blob_finish(struct blob *blob, struct str summary, struct blob_id *id)
{
	struct mem_blob *b = (struct mem_blob *)blob;
	struct mem *m = mem(blob->store);
	bool found;
	size_t i = sorted_find(m->blobs, m->nblobs, blob_key, blob_id_str(&b->id), &found);

	b->summary = mem_new(summary.n);
	if (summary.n)
		memcpy(b->summary, summary.p, summary.n);
	b->summary_n = summary.n;
	m->blobs = insert(m->blobs, &m->nblobs, &m->cap_blobs, i, b);
	*id = b->id;
	return OK;
}

static void mem_blob_close(struct blob *blob)
{
	struct mem_blob *b = (struct mem_blob *)blob;

	b->open = false;
	blob_drop(mem(blob->store), b);
}

/* One that an update has referred to. */
static struct mem_blob *blob_kept(struct store *st, struct blob_id id)
{
	fiber_yield();

	struct mem_blob *b = blob_find(mem(st), id);

	return b && b->nheld ? b : NULL;
}

static enum err mem_blob_stat(struct store *st, struct blob_id id, struct blob_info *out)
{
	const struct mem_blob *b = blob_kept(st, id);

	if (!b)
		return E_NOTFOUND;
	*out = (struct blob_info){ b->n, (uint32_t)b->summary_n };
	return OK;
}

static enum err mem_blob_summary(struct store *st, struct blob_id id, struct arena *a,
				 struct str *out)
{
	const struct mem_blob *b = blob_kept(st, id);

	if (!b)
		return E_NOTFOUND;
	*out = str_dup(a, STR(b->summary, b->summary_n));
	return OK;
}

static enum err mem_blob_read(struct store *st, struct blob_id id, uint64_t off, size_t n,
			      struct arena *a, struct str *out)
{
	const struct mem_blob *b = blob_kept(st, id);

	if (!b)
		return E_NOTFOUND;
	*out = str_dup(a, str_part(STR(b->octets, b->n), off, n));
	return OK;
}

/* --- watching --- */

static struct watch *mem_watch(struct store *st, struct str partition)
{
	struct mem_watch *w = NEW(struct mem_watch);

	w->part = part_find(mem(st), partition);
	w->next = mem(st)->watches;
	mem(st)->watches = w;
	return &w->watch;
}

static void mem_watch_close(struct watch *watch)
{
	struct mem_watch **at = &mem(watch->store)->watches;

	while (&(*at)->watch != watch)
		at = &(*at)->next;
	*at = (*at)->next;
	free(watch);
}

/* --- looking after it --- */

static enum err mem_stats(struct store *st, struct store_stats *out)
{
	const struct mem *m = mem(st);
	const char *engine = out->engine;

	*out = m->stats;
	out->engine = engine;
	for (size_t i = 0; i < m->nparts; i++) {
		out->partitions += m->parts[i]->n > 0;
		out->keys += m->parts[i]->n;
	}
	for (size_t i = 0; i < m->nblobs; i++) {
		if (!m->blobs[i]->nheld)
			continue;
		out->blobs++;
		out->blob_octets += m->blobs[i]->n;
		out->live_octets += m->blobs[i]->n + m->blobs[i]->summary_n;
	}
	return OK;
}

/* There is nothing here that could differ from itself. */
static enum err mem_verify(struct store *st, const struct store_report *r)
{
	uint64_t n = mem(st)->nblobs;

	r->progress(r->arg, n, n);
	return OK;
}

static enum err mem_reclaim(struct store *st, uint64_t *octets_freed)
{
	(void)st;
	*octets_freed = 0;
	return OK;
}

/* What is gone was freed. */
static enum err mem_wipe(struct store *st, uint64_t *octets)
{
	(void)st, (void)octets;
	return OK;
}

static void mem_seal(struct store *st)
{
	(void)st;
}

/* fn may suspend and the array move meanwhile: goes on from the name, not the place. */
static enum err mem_partitions(struct store *st, struct str prefix,
			       enum err (*fn)(void *arg, struct str name), void *arg)
{
	struct mem *m = mem(st);
	bool found;
	size_t i = sorted_find(m->parts, m->nparts, part_key, prefix, &found);
	enum err e = OK;

	while (!e && i < m->nparts && str_starts(m->parts[i]->name, prefix)) {
		struct str name = m->parts[i]->name;

		if (m->parts[i]->n)
			e = fn(arg, name);
		i = sorted_find(m->parts, m->nparts, part_key, name, &found) + 1;
	}
	return e;
}

static enum err mem_open(struct str rest, struct arena *a, struct store **out, struct str *why)
{
	if (rest.n) {
		*why = str_fmt(a, "\"mem:\" takes nothing behind it, not \"%.*s\"", FMT(rest));
		return E_SYNTAX;
	}
	*out = &NEW(struct mem)->store;
	return OK;
}

static void mem_close(struct store *st)
{
	struct mem *m = mem(st);

	for (size_t i = 0; i < m->nblobs; i++)
		blob_free(m->blobs[i]);
	for (size_t i = 0; i < m->nparts; i++) {
		for (size_t j = 0; j < m->parts[i]->n; j++)
			free(m->parts[i]->entries[j]);
		free(m->parts[i]->entries);
		free(m->parts[i]);
	}
	free(m->blobs);
	free(m->parts);
	free(m);
}

const struct engine engine_mem = {
	.name = "mem",
	.open = mem_open,
	.close = mem_close,
	.read = mem_read,
	.update_all = mem_update_all,
	.blob_new = mem_blob_new,
	.blob_write = mem_blob_write,
	.blob_finish = mem_blob_finish,
	.blob_close = mem_blob_close,
	.blob_stat = mem_blob_stat,
	.blob_summary = mem_blob_summary,
	.blob_read = mem_blob_read,
	.watch = mem_watch,
	.watch_close = mem_watch_close,
	.stats = mem_stats,
	.verify = mem_verify,
	.reclaim = mem_reclaim,
	.wipe = mem_wipe,
	.seal = mem_seal,
	.partitions = mem_partitions,
};
