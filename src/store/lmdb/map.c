/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/lmdb/lmdb_priv.h"
#include "store/lmdb/map.h"

/*
 * The environment and its transactions. What is in the tables: rows.c.
 */

size_t map_first_size = (size_t)64 << 30;

#define MAP_LARGEST ((size_t)1 << 44)

enum { READERS_MAX = 1024 };

enum err errno_err(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return E_NOSPACE;
	case ENOENT: return E_NOTFOUND;
	case EACCES:
	case EPERM:
	case EROFS: return E_DENIED;
	default: return E_IO;
	}
}

enum err map_err(int rc)
{
	enum err e;

	switch (rc) {
	case MDB_SUCCESS: return OK;
	case MDB_NOTFOUND: return E_NOTFOUND;
	case MDB_MAP_FULL: return E_NOSPACE;
	case MDB_TXN_FULL: e = E_LIMIT; break;
	case MDB_READERS_FULL: e = E_LIMIT; break;
	case MDB_VERSION_MISMATCH: return E_VERSION;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_INVALID: e = E_CORRUPT; break;
	default: e = rc > 0 ? errno_err(rc) : E_IO; break;
	}
	log_event(LOG_ERROR, "store.map", KVE(e), KVC("reason", mdb_strerror(rc)));
	return e;
}

/* --- transactions --- */

/* Another process has made the map larger: take over its size, with no transaction open. */
static enum err resized(struct map *m)
{
	pthread_rwlock_wrlock(&m->size_lock);

	int rc = mdb_env_set_mapsize(m->env, 0);

	pthread_rwlock_unlock(&m->size_lock);
	return map_err(rc);
}

bool map_grow(struct map *m)
{
	MDB_envinfo info;
	int rc = -1;

	pthread_rwlock_wrlock(&m->size_lock);
	mdb_env_info(m->env, &info);
	if (m->full && info.me_mapsize < MAP_LARGEST)
		rc = mdb_env_set_mapsize(m->env, info.me_mapsize * 2);
	m->full = false;
	pthread_rwlock_unlock(&m->size_lock);
	if (rc == 0)
		log_event(LOG_INFO, "store.grow", KVN("octets", info.me_mapsize * 2));
	return rc == 0;
}

static int reader(struct map *m, MDB_txn **out)
{
	*out = NULL;
	pthread_mutex_lock(&m->pool_lock);
	if (m->pooled)
		*out = m->pool[--m->pooled];
	pthread_mutex_unlock(&m->pool_lock);
	if (!*out)
		return mdb_txn_begin(m->env, NULL, MDB_RDONLY, out);

	int rc = mdb_txn_renew(*out);

	if (rc)
		mdb_txn_abort(*out);
	return rc;
}

enum err map_read_begin(struct map *m, MDB_txn **out)
{
	for (unsigned tries = 0;; tries++) {
		pthread_rwlock_rdlock(&m->size_lock);

		int rc = reader(m, out);

		if (!rc)
			return OK;
		pthread_rwlock_unlock(&m->size_lock);
		*out = NULL;
		if (rc == MDB_MAP_RESIZED && tries < 10) {
			enum err e = resized(m);

			if (e)
				return e;
		} else if (rc == MDB_READERS_FULL && tries == 0) {
			map_check_readers(m);
		} else {
			return map_err(rc);
		}
	}
}

void map_read_end(struct map *m, MDB_txn *txn)
{
	mdb_txn_reset(txn);
	pthread_mutex_lock(&m->pool_lock);
	if (m->pooled < LENGTH(m->pool)) {
		m->pool[m->pooled++] = txn;
		txn = NULL;
	}
	pthread_mutex_unlock(&m->pool_lock);
	if (txn)
		mdb_txn_abort(txn);
	pthread_rwlock_unlock(&m->size_lock);
}

enum err map_write_begin(struct map *m, MDB_txn **out)
{
	for (unsigned tries = 0;; tries++) {
		pthread_rwlock_rdlock(&m->size_lock);

		int rc = mdb_txn_begin(m->env, NULL, 0, out);

		if (!rc)
			return OK;
		pthread_rwlock_unlock(&m->size_lock);
		*out = NULL;
		if (rc != MDB_MAP_RESIZED || tries == 10)
			return map_err(rc);

		enum err e = resized(m);

		if (e)
			return e;
	}
}

/*
 * A write that ends short says EIO, even where the disk is full. And where LMDB could not write
 * the page that makes the commit, it refuses all further work, and nobody can say which of the
 * two states will be found: this process ends, its successor reads it from the disk.
 */
static enum err commit_failed(struct map *m, int rc)
{
	const char *path = NULL;
	struct statvfs fs;
	MDB_txn *txn;

	if (rc == MDB_MAP_FULL)
		m->full = true;
	if (mdb_txn_begin(m->env, NULL, MDB_RDONLY, &txn) == 0)
		mdb_txn_abort(txn);
	else
		bug(__FILE__, __LINE__, "the map's head could not be written");
	if (rc == EIO && mdb_env_get_path(m->env, &path) == 0 && statvfs(path, &fs) == 0 &&
	    fs.f_bavail * fs.f_frsize < 1 << 20)
		rc = ENOSPC;
	return map_err(rc);
}

enum err map_commit(struct map *m, MDB_txn *txn)
{
	int rc = mdb_txn_commit(txn);
	enum err e = rc ? commit_failed(m, rc) : OK;

	pthread_rwlock_unlock(&m->size_lock);
	return e;
}

void map_abort(struct map *m, MDB_txn *txn)
{
	mdb_txn_abort(txn);
	pthread_rwlock_unlock(&m->size_lock);
}

void map_check_readers(struct map *m)
{
	int dead = 0;

	if (mdb_reader_check(m->env, &dead) == 0 && dead > 0)
		log_event(LOG_INFO, "store.dead.readers", KVN("count", dead));
}

/* --- opening --- */

/* In a write transaction: makes the tables of a new map, or finds those of one of ours. */
static int tables(struct map *m, MDB_txn *txn, uint32_t *format)
{
	MDB_stat stat;
	MDB_dbi main;
	int rc = mdb_dbi_open(txn, NULL, 0, &main);

	if (!rc)
		rc = mdb_stat(txn, main, &stat);
	if (rc)
		return rc;

	unsigned make = stat.ms_entries == 0 ? MDB_CREATE : 0;
	char name[] = "format", v[4] = { FORMAT_VERSION };
	MDB_val key = { sizeof name - 1, name }, value;

	*format = 0;
	rc = mdb_dbi_open(txn, "meta", make, &m->meta);
	if (!rc && make)
		rc = mdb_put(txn, m->meta, &key, &(MDB_val){ sizeof v, v }, 0);
	if (!rc)
		rc = mdb_get(txn, m->meta, &key, &value);
	if (rc == MDB_NOTFOUND)
		return 0; /* an environment of somebody else's: format 0 */
	if (rc)
		return rc;

	struct scan in = scan(STR(value.mv_data, value.mv_size));

	*format = scan_u32(&in);
	if (*format != FORMAT_VERSION)
		return 0;
	rc = mdb_dbi_open(txn, "data", make, &m->data);
	if (!rc)
		rc = mdb_dbi_open(txn, "blobs", make, &m->blobs);
	if (!rc)
		rc = mdb_dbi_open(txn, "segments", make, &m->segments);
	return rc;
}

static int env_open(struct map *m, const char *path)
{
	int rc = mdb_env_create(&m->env);

	if (!rc)
		rc = mdb_env_set_userctx(m->env, m);
	if (!rc)
		rc = mdb_env_set_maxdbs(m->env, 8);
	if (!rc)
		rc = mdb_env_set_maxreaders(m->env, READERS_MAX);
	if (!rc)
		rc = mdb_env_set_mapsize(m->env, map_first_size);
	if (!rc)
		rc = mdb_env_open(m->env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return rc;
}

static enum err check_open(struct map *m, const char *path, struct arena *a, struct str *why)
{
	uint32_t format = 0;
	MDB_txn *txn;
	enum err e = map_write_begin(m, &txn);
	int rc = e ? 0 : tables(m, txn, &format);

	if (!e && rc) {
		map_abort(m, txn);
		e = map_err(rc);
	} else if (!e && format != FORMAT_VERSION) {
		map_abort(m, txn);
		*why = str_fmt(a,
			       "%s has format version %u, this program knows version %d: it was "
			       "made by another version, or not by tecsmail",
			       path, format, FORMAT_VERSION);
		return E_VERSION;
	} else if (!e) {
		e = map_commit(m, txn);
	}
	if (e)
		*why = str_fmt(a, "%s cannot be opened: %s", path, err_text(e));
	return e;
}

enum err map_open(struct map *m, const char *dir, struct arena *a, struct str *why)
{
	const char *path = str_c(a, str_fmt(a, "%s/map", dir));
	pthread_rwlockattr_t attr;

	*m = (struct map){ 0 };
	pthread_mutex_init(&m->pool_lock, NULL);
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&m->size_lock, &attr);
	pthread_rwlockattr_destroy(&attr);

	int rc = env_open(m, path);
	enum err e = OK;

	if (rc) {
		*why = str_fmt(a, "%s cannot be opened: %s", path, mdb_strerror(rc));
		e = map_err(rc);
	} else {
		map_check_readers(m);
		e = check_open(m, path, a, why);
	}
	if (e)
		map_close(m);
	return e;
}

void map_close(struct map *m)
{
	while (m->pooled)
		mdb_txn_abort(m->pool[--m->pooled]);
	if (m->env)
		mdb_env_close(m->env);
	m->env = NULL;
	pthread_rwlock_destroy(&m->size_lock);
	pthread_mutex_destroy(&m->pool_lock);
}
