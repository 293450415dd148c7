/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Opening and closing, what there is, and the table that makes it an engine.
 */

/* LMDB's locks are the process's: opening an environment twice would lose them at the first
 * close. So this process's are remembered. */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lmdb *open_list;

static bool remember(struct lmdb *lm)
{
	bool twice = false;

	pthread_mutex_lock(&open_lock);
	for (const struct lmdb *x = open_list; x; x = x->next)
		twice = twice || (x->dev == lm->dev && x->ino == lm->ino);
	if (!twice) {
		lm->next = open_list;
		open_list = lm;
	}
	pthread_mutex_unlock(&open_lock);
	return !twice;
}

static void forget(struct lmdb *lm)
{
	pthread_mutex_lock(&open_lock);
	for (struct lmdb **at = &open_list; *at; at = &(*at)->next) {
		if (*at == lm) {
			*at = lm->next;
			break;
		}
	}
	pthread_mutex_unlock(&open_lock);
}

static enum err make_dir(int at, const char *path, int *out)
{
	bool made = mkdirat(at, path, 0700) == 0;

	if (!made && errno != EEXIST)
		return errno_err(errno);
	*out = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		return errno_err(errno);
	return OK;
}

/* The names of what was just made are on the disk, too. */
static enum err sync_dirs(struct lmdb *lm)
{
	int up = openat(lm->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fsync(lm->segments_dir) == 0 && fsync(lm->dir) == 0 && up >= 0 && fsync(up) == 0;

	if (up >= 0)
		close(up);
	atomic_fetch_add(&lm->syncs, 3);
	return ok ? OK : errno_err(errno);
}

static void locks_init(struct lmdb *lm)
{
	pthread_mutex_init(&lm->roll_lock, NULL);
	pthread_mutex_init(&lm->own_lock, NULL);
	pthread_mutex_init(&lm->cache_lock, NULL);
	pthread_mutex_init(&lm->blob_lock, NULL);
	pthread_mutex_init(&lm->queue_lock, NULL);
	lm->pending_end = &lm->pending;
}

static void lmdb_free(struct lmdb *lm)
{
	if (lm->watching)
		watching_close(lm);
	if (lm->map.env)
		map_close(&lm->map);
	if (lm->segments_dir >= 0)
		close(lm->segments_dir);
	if (lm->dir >= 0)
		close(lm->dir);
	forget(lm);
	pthread_mutex_destroy(&lm->roll_lock);
	pthread_mutex_destroy(&lm->own_lock);
	pthread_mutex_destroy(&lm->cache_lock);
	pthread_mutex_destroy(&lm->blob_lock);
	pthread_mutex_destroy(&lm->queue_lock);
	free(lm);
}

/* Those who open at the same time wait here for each other. */
static enum err open_locked(struct lmdb *lm, const char *dir, struct arena *a, struct str *why)
{
	enum err e = map_open(&lm->map, dir, a, why);

	if (!e)
		e = watching_open(lm, a, why);
	if (!e) {
		e = sync_dirs(lm);
		if (e)
			*why = str_fmt(a, "%s cannot be written to: %s", dir, err_text(e));
	}
	return e;
}

static enum err open_dirs(struct lmdb *lm, const char *dir, struct arena *a, struct str *why)
{
	struct stat st;
	enum err e = make_dir(AT_FDCWD, dir, &lm->dir);

	if (!e)
		e = make_dir(lm->dir, "segments", &lm->segments_dir);
	if (!e && fstat(lm->dir, &st) < 0)
		e = errno_err(errno);
	if (e) {
		*why = str_fmt(a, "the directory %s cannot be opened or made: %s", dir,
			       err_text(e));
		return e;
	}
	lm->dev = st.st_dev;
	lm->ino = st.st_ino;
	if (!remember(lm)) {
		*why = str_fmt(a, "%s is open in this process already", dir);
		return E_DENIED;
	}
	while (flock(lm->dir, LOCK_EX) < 0)
		if (errno != EINTR)
			return errno_err(errno);
	return OK;
}

static enum err lmdb_open(struct str rest, struct arena *a, struct store **out, struct str *why)
{
	struct lmdb *lm = NEW(struct lmdb);
	const char *dir = str_c(a, rest);
	uint64_t freed = 0;

	lm->dir = lm->segments_dir = -1;
	locks_init(lm);

	enum err e = open_dirs(lm, dir, a, why);

	if (!e)
		e = open_locked(lm, dir, a, why);
	if (!e) {
		segments_sweep(lm, &freed);
		flock(lm->dir, LOCK_UN);
		commit_start(lm);
		*out = &lm->store;
	} else {
		lmdb_free(lm);
	}
	return e;
}

static void lmdb_close(struct store *st)
{
	struct lmdb *lm = lmdb(st);

	commit_stop(lm);
	segments_close(lm);
	cache_trim(lm, true);
	lmdb_free(lm);
}

/* --- what there is --- */

/* The first partition at or behind from, by its name; E_NOTFOUND. */
static enum err next_partition(MDB_cursor *c, struct str from, struct str *name)
{
	struct str key, value;
	enum err e = walk_from(c, from, &key, &value);

	if (!e)
		*name = str_part(key, 0, str_find(key, '\0'));
	return e;
}

/* What comes behind all keys of a partition: its name and an octet of 1, where the keys have 0. */
static struct str behind(char out[PARTITION_MAX + 1], struct str name)
{
	memcpy(out, name.p, name.n);
	out[name.n] = 1;
	return STR(out, name.n + 1);
}

static enum err count_partitions(struct lmdb *lm, MDB_txn *txn, uint64_t *n)
{
	char from[PARTITION_MAX + 1];
	struct str name;
	MDB_cursor *c;
	enum err e = walk_begin(txn, lm->map.data, &c);

	if (e)
		return e;
	for (e = next_partition(c, S_NONE, &name); !e && name.n <= PARTITION_MAX; ++*n)
		e = next_partition(c, behind(from, name), &name);
	mdb_cursor_close(c);
	return e == E_NOTFOUND ? OK : E_CORRUPT;
}

static enum err count_segments(struct lmdb *lm, MDB_txn *txn, struct store_stats *out)
{
	struct str key, value;
	MDB_cursor *c;
	enum err e = walk_begin(txn, lm->map.segments, &c);

	if (e)
		return e;
	for (e = walk_from(c, S_NONE, &key, &value); !e; e = walk_next(c, &key, &value)) {
		struct segment_row r;
		uint32_t number;

		e = segment_row_parse(key, value, &number, &r);
		if (e || r.total < r.live)
			break;
		out->segments++;
		out->live_octets += r.live;
		out->dead_octets += r.total - r.live;
	}
	mdb_cursor_close(c);
	return e == E_NOTFOUND ? OK : E_CORRUPT;
}

static enum err count_all(struct lmdb *lm, MDB_txn *txn, struct store_stats *out)
{
	struct totals t;
	MDB_stat stat;
	enum err e = map_err(mdb_stat(txn, lm->map.data, &stat));

	if (!e)
		e = totals_get(&lm->map, txn, &t);
	if (e)
		return e;
	out->keys = stat.ms_entries;
	out->blobs = t.blobs;
	out->blob_octets = t.blob_octets;
	out->updates = t.updates;
	out->commits = t.commits;
	out->syncs = t.syncs;
	out->octets_written = t.octets;
	e = count_segments(lm, txn, out);
	return e ? e : count_partitions(lm, txn, &out->partitions);
}

struct counting {
	struct lmdb *lm;
	struct store_stats *out;
	enum err err;
};

static void count(void *arg)
{
	struct counting *c = arg;
	MDB_txn *txn;

	c->err = map_read_begin(&c->lm->map, &txn);
	if (c->err)
		return;
	c->err = count_all(c->lm, txn, c->out);
	map_read_end(&c->lm->map, txn);
}

static enum err lmdb_stats(struct store *st, struct store_stats *out)
{
	struct counting c = { .lm = lmdb(st), .out = out };

	work_run(count, &c);
	return c.err;
}

static enum err lmdb_partitions(struct store *st, struct str prefix,
				enum err (*fn)(void *arg, struct str name), void *arg)
{
	struct map *m = &lmdb(st)->map;
	char from[PARTITION_MAX + 1], name_octets[PARTITION_MAX];
	struct str at = prefix;
	enum err e = OK;

	/* One transaction for each name: fn may suspend, a transaction may not. */
	for (;;) {
		struct str name;
		MDB_cursor *c;
		MDB_txn *txn;

		e = map_read_begin(m, &txn);
		if (e)
			return e;
		e = walk_begin(txn, m->data, &c);
		if (!e) {
			e = next_partition(c, at, &name);
			if (!e && name.n <= PARTITION_MAX) {
				memcpy(name_octets, name.p, name.n);
				name.p = name_octets;
			}
			mdb_cursor_close(c);
		}
		map_read_end(m, txn);
		if (e)
			return e == E_NOTFOUND ? OK : e;
		if (name.n > PARTITION_MAX)
			return E_CORRUPT;
		if (!str_starts(name, prefix))
			return OK;
		e = fn(arg, name);
		if (e)
			return e;
		at = behind(from, name);
	}
}

const struct engine engine_lmdb = {
	.name = "lmdb",
	.open = lmdb_open,
	.close = lmdb_close,
	.read = lmdb_read,
	.update_all = lmdb_update_all,
	.blob_new = lmdb_blob_new,
	.blob_write = lmdb_blob_write,
	.blob_finish = lmdb_blob_finish,
	.blob_close = lmdb_blob_close,
	.blob_stat = lmdb_blob_stat,
	.blob_summary = lmdb_blob_summary,
	.blob_read = lmdb_blob_read,
	.watch = lmdb_watch,
	.watch_close = lmdb_watch_close,
	.stats = lmdb_stats,
	.verify = lmdb_verify,
	.reclaim = lmdb_reclaim,
	.wipe = lmdb_wipe,
	.seal = lmdb_seal,
	.partitions = lmdb_partitions,
};
