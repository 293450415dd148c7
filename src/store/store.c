/* SPDX-License-Identifier: ISC */
#include "store/engine.h"

/*
 * The seam's thin side: finds the engine, holds the callers to the limits of store.h, and hands
 * on. A partition's name is made by our own rooms: a wrong one is our mistake.
 */

static const struct engine *const engines[] = { &engine_mem, &engine_lmdb };

enum err store_open(struct str where, struct arena *a, struct store **out, struct str *why)
{
	size_t colon = str_find(where, ':');

	*out = NULL;
	*why = S_NONE;
	for (size_t i = 0; colon < where.n && i < LENGTH(engines); i++) {
		if (!str_is(str_part(where, 0, colon), engines[i]->name))
			continue;

		enum err e = engines[i]->open(str_from(where, colon + 1), a, out, why);

		if (!e)
			(*out)->engine = engines[i];
		return e;
	}
	*why = str_fmt(a, "the store \"%.*s\" is neither \"mem:\" nor \"lmdb:DIRECTORY\"",
		       FMT(where));
	return E_SYNTAX;
}

void store_close(struct store **st)
{
	if (!*st)
		return;
	BUG_IF((*st)->blobs || (*st)->watches);
	(*st)->engine->close(*st);
	*st = NULL;
}

/* --- partitions --- */

static void check_partition(struct str name)
{
	BUG_IF(name.n < 1 || name.n > PARTITION_MAX || str_has(name, '\0'));
}

enum err store_read(struct store *st, struct str partition,
		    enum err (*fn)(struct tx *tx, void *arg), void *arg)
{
	check_partition(partition);
	return st->engine->read(st, partition, fn, arg);
}

enum err store_update(struct store *st, struct str partition,
		      enum err (*fn)(struct tx *tx, void *arg), void *arg)
{
	struct update u = { .partition = partition, .fn = fn, .arg = arg };

	store_update_all(st, &u, 1);
	return u.result;
}

void store_update_all(struct store *st, struct update *u, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_partition(u[i].partition);
	if (n)
		st->engine->update_all(st, u, n);
}

enum err store_partitions(struct store *st, struct str prefix,
			  enum err (*fn)(void *arg, struct str name), void *arg)
{
	if (prefix.n > PARTITION_MAX)
		return OK;
	return st->engine->partitions(st, prefix, fn, arg);
}

/* --- blobs --- */

struct blob *blob_new(struct store *st)
{
	struct blob *b = st->engine->blob_new(st);

	b->store = st;
	st->blobs++;
	return b;
}

enum err blob_write(struct blob *b, struct str octets)
{
	BUG_IF(b->finished);
	return octets.n ? b->store->engine->blob_write(b, octets) : OK;
}

enum err blob_finish(struct blob *b, struct str summary, struct blob_id *id)
{
	BUG_IF(b->finished);
	b->finished = true;
	if (summary.n > BLOB_SUMMARY_MAX)
		return E_LIMIT;
	return b->store->engine->blob_finish(b, summary, id);
}

void blob_close(struct blob **b)
{
	if (!*b)
		return;
	(*b)->store->blobs--;
	(*b)->store->engine->blob_close(*b);
	*b = NULL;
}

enum err blob_stat(struct store *st, struct blob_id id, struct blob_info *out)
{
	*out = (struct blob_info){ 0 };
	return st->engine->blob_stat(st, id, out);
}

enum err blob_summary(struct store *st, struct blob_id id, struct arena *a, struct str *out)
{
	*out = S_NONE;
	return st->engine->blob_summary(st, id, a, out);
}

enum err blob_read(struct store *st, struct blob_id id, uint64_t off, size_t n, struct arena *a,
		   struct str *out)
{
	BUG_IF(n > BLOB_READ_MAX);
	*out = S_NONE;
	return st->engine->blob_read(st, id, off, n, a, out);
}

/* --- watching --- */

struct watch *store_watch(struct store *st, struct str partition)
{
	check_partition(partition);

	struct watch *w = st->engine->watch(st, partition);

	w->store = st;
	st->watches++;
	return w;
}

struct signal *watch_signal(struct watch *w)
{
	return &w->signal;
}

void watch_close(struct watch **w)
{
	if (!*w)
		return;
	(*w)->store->watches--;
	(*w)->store->engine->watch_close(*w);
	*w = NULL;
}

/* --- looking after it --- */

enum err store_stats(struct store *st, struct store_stats *out)
{
	*out = (struct store_stats){ .engine = st->engine->name };
	return st->engine->stats(st, out);
}

enum err store_verify(struct store *st, const struct store_report *r)
{
	return st->engine->verify(st, r);
}

enum err store_reclaim(struct store *st, uint64_t *octets_freed)
{
	*octets_freed = 0;
	return st->engine->reclaim(st, octets_freed);
}

enum err store_wipe(struct store *st, uint64_t *octets)
{
	*octets = 0;
	return st->engine->wipe(st, octets);
}

void store_seal(struct store *st)
{
	st->engine->seal(st);
}
