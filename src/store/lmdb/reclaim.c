/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Giving back the room of dead blobs. A segment nothing refers to is removed; one that is mostly
 * dead is emptied first: its live records are copied, as they are, behind others, synced, and
 * their rows changed to the new place. All under the segment's lock, so its owner is gone for
 * good. A reader who looked a blob up before finds the old file open or looks again.
 */

enum {
	VICTIMS_MAX = 256, /* segments of one run */
	MOVE_MAX = 256,    /* records of one transaction */
	MOVE_OCTETS = 8 << 20,
	ROWS_MAX = 8192, /* rows looked at in one reading transaction */
};

struct victim {
	uint32_t number;
	int fd; /* locked */
	bool keep;
};

struct reclaim {
	struct lmdb *lm;
	struct victim victims[VICTIMS_MAX]; /* ascending */
	size_t n;
	uint64_t freed;
	enum err err;
};

/* Removes row and file of a locked segment that has nothing live. */
static enum err remove_segment(struct lmdb *lm, uint32_t number, int fd, uint64_t *freed)
{
	struct segment_row r;
	struct stat st;
	char name[16];
	MDB_txn *txn;
	enum err e = map_write_begin(&lm->map, &txn);

	if (e)
		return e;

	enum err found = segment_row_get(&lm->map, txn, number, &r);

	if (found == OK && r.live == 0)
		e = segment_row_del(&lm->map, txn, number);
	else if (found != E_NOTFOUND)
		e = found ? found : E_AGAIN;
	if (e || found == E_NOTFOUND) {
		map_abort(&lm->map, txn);
	} else {
		e = map_commit(&lm->map, txn);
		atomic_fetch_add(&lm->syncs, 2);
	}
	if (!e && fstat(fd, &st) == 0 &&
	    unlinkat(lm->segments_dir, segment_name(name, number), 0) == 0)
		*freed += (uint64_t)st.st_size;
	return e;
}

static enum err segment_row_now(struct lmdb *lm, uint32_t number, struct segment_row *r)
{
	MDB_txn *txn;
	enum err e = map_read_begin(&lm->map, &txn);

	if (e)
		return e;
	e = segment_row_get(&lm->map, txn, number, r);
	map_read_end(&lm->map, txn);
	return e;
}

void segments_sweep(struct lmdb *lm, uint64_t *octets_freed)
{
	int fd = openat(lm->segments_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct segment_row r;
		uint32_t number;
		int segment;

		if (str_starts(str_of(entry->d_name), S(SPILL)))
			unlinkat(lm->segments_dir, entry->d_name, 0);
		if (!segment_number(entry->d_name, &number) || segment_owned(lm, number))
			continue;

		enum err e = segment_row_now(lm, number, &r);

		if ((e && e != E_NOTFOUND) || (!e && r.live) || segment_lock(lm, number, &segment))
			continue;
		/* Only now nobody can come to refer to it: remove_segment looks again. */
		e = remove_segment(lm, number, segment, octets_freed);
		if (!e)
			log_event(LOG_INFO, "store.removed", KVN("segment", number));
		close(segment);
	}
	if (d)
		closedir(d);
}

/* --- emptying --- */

/* Those more than half dead that nobody writes to. */
static enum err find_victims(struct reclaim *rc)
{
	struct lmdb *lm = rc->lm;
	struct str key, value;
	MDB_cursor *c;
	MDB_txn *txn;
	enum err e = map_read_begin(&lm->map, &txn);

	if (e)
		return e;
	e = walk_begin(txn, lm->map.segments, &c);
	if (!e) {
		e = walk_from(c, S_NONE, &key, &value);
		for (; !e && rc->n < VICTIMS_MAX; e = walk_next(c, &key, &value)) {
			struct victim *v = &rc->victims[rc->n];
			struct segment_row r;

			if (segment_row_parse(key, value, &v->number, &r) == OK && r.live > 0 &&
			    r.live < r.total / 2 && !segment_owned(lm, v->number) &&
			    segment_lock(lm, v->number, &v->fd) == OK)
				rc->n++;
		}
		mdb_cursor_close(c);
	}
	map_read_end(&lm->map, txn);
	return e == E_NOTFOUND ? OK : e;
}

static struct victim *victim(struct reclaim *rc, uint32_t number)
{
	size_t low = 0, high = rc->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rc->victims[mid].number == number)
			return &rc->victims[mid];
		if (rc->victims[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct move {
	struct blob_id id;
	struct blob_row row;
	struct victim *from;
	struct segment *to;
	uint64_t at;
	bool failed;
};

struct moves {
	struct move move[MOVE_MAX];
	size_t n;
	uint64_t octets;
	struct blob_id from; /* the first id not looked at */
	bool end;            /* of the table */
};

/* The next blobs that lie in victims. */
static enum err find_moves(struct reclaim *rc, struct moves *ms)
{
	struct map *m = &rc->lm->map;
	struct str key, value;
	struct blob_row r;
	MDB_cursor *c;
	MDB_txn *txn;
	enum err e = map_read_begin(m, &txn);

	ms->n = 0;
	ms->octets = 0;
	if (e)
		return e;
	e = walk_begin(txn, m->blobs, &c);
	if (e) {
		map_read_end(m, txn);
		return e;
	}
	e = walk_from(c, blob_id_str(&ms->from), &key, &value);
	for (unsigned rows = 0; !e && rows < ROWS_MAX; rows++) {
		if (ms->n == MOVE_MAX || ms->octets >= MOVE_OCTETS)
			break;
		if (key.n == sizeof ms->from && blob_row_parse(value, &r) == OK) {
			struct victim *v = victim(rc, r.segment);

			memcpy(&ms->from, key.p, sizeof ms->from);
			if (v) {
				ms->move[ms->n++] = (struct move){ ms->from, r, v, NULL, 0, false };
				ms->octets += r.stored;
			}
			blob_id_step(&ms->from);
		}
		e = walk_next(c, &key, &value);
	}
	mdb_cursor_close(c);
	map_read_end(m, txn);
	ms->end = e == E_NOTFOUND;
	return ms->end ? OK : e;
}

/* Copies one record. A damaged one stays where it is, and its segment with it. */
static enum err copy(struct reclaim *rc, struct move *mv)
{
	struct lmdb *lm = rc->lm;
	size_t n = (size_t)mv->row.stored;
	char *p;
	enum err e = segment_record(mv->from->fd, mv->row.at, n, &p);

	if (!e)
		e = record_check(STR(p, n), mv->id);
	if (e) {
		log_event(LOG_ERROR, "store.blob", KVE(e), KVN("segment", mv->row.segment),
			  KVN("at", mv->row.at));
		mv->failed = mv->from->keep = true;
		free(p);
		return OK;
	}
	e = segment_reserve(lm, n, &mv->to, &mv->at);
	if (!e)
		e = write_all(mv->to->fd, STR(p, n), mv->at);
	if (!e) {
		segment_written(lm, mv->to);
		atomic_fetch_add(&lm->octets, n);
	} else if (mv->to) {
		segment_unreserve(lm, mv->to, n, mv->at);
	}
	free(p);
	return e;
}

/* Changes the row of one that is still where it was. */
static enum err move_row(struct lmdb *lm, MDB_txn *txn, const struct move *mv)
{
	struct blob_row r;
	enum err e = blob_row_get(&lm->map, txn, mv->id, &r);

	if (e || r.segment != mv->row.segment || r.at != mv->row.at)
		return e == E_NOTFOUND ? OK : e;
	r.segment = mv->to->number;
	r.at = mv->at;
	e = blob_row_put(&lm->map, txn, mv->id, &r);
	if (!e)
		e = segment_row_add(&lm->map, txn, mv->row.segment, -(int64_t)r.stored, 0);
	if (!e)
		e = segment_row_add(&lm->map, txn, r.segment, (int64_t)r.stored, r.at + r.stored);
	return e;
}

static enum err move_rows(struct lmdb *lm, const struct moves *ms)
{
	enum err e;

	do {
		MDB_txn *txn;

		e = map_write_begin(&lm->map, &txn);
		if (e)
			return e;
		for (size_t i = 0; i < ms->n && !e; i++)
			if (!ms->move[i].failed)
				e = move_row(lm, txn, &ms->move[i]);
		if (e)
			map_abort(&lm->map, txn);
		else
			e = map_commit(&lm->map, txn);
		atomic_fetch_add(&lm->syncs, 2);
	} while (e == E_NOSPACE && map_grow(&lm->map));
	return e;
}

static enum err move(struct reclaim *rc, struct moves *ms)
{
	enum err e = OK;

	for (size_t i = 0; i < ms->n && !e; i++)
		e = copy(rc, &ms->move[i]);
	for (size_t i = 0; i < ms->n && !e; i++)
		if (ms->move[i].to)
			e = segment_sync(rc->lm, ms->move[i].to);
	if (!e)
		e = move_rows(rc->lm, ms);
	for (size_t i = 0; i < ms->n; i++)
		if (ms->move[i].to)
			segment_release(rc->lm, ms->move[i].to);
	return e;
}

static enum err empty_victims(struct reclaim *rc)
{
	struct moves *ms = NEW(struct moves);
	enum err e = OK;

	while (!e && !ms->end) {
		e = find_moves(rc, ms);
		if (!e && ms->n)
			e = move(rc, ms);
	}
	free(ms);
	return e;
}

static void reclaim(void *arg)
{
	struct reclaim *rc = arg;

	segments_sweep(rc->lm, &rc->freed);
	rc->err = find_victims(rc);
	if (!rc->err && rc->n)
		rc->err = empty_victims(rc);
	for (size_t i = 0; i < rc->n; i++) {
		struct victim *v = &rc->victims[i];

		if (!rc->err && !v->keep)
			rc->err = remove_segment(rc->lm, v->number, v->fd, &rc->freed);
		close(v->fd);
	}
	cache_trim(rc->lm, false);
}

enum err lmdb_reclaim(struct store *st, uint64_t *octets_freed)
{
	struct reclaim *rc = NEW(struct reclaim);

	rc->lm = lmdb(st);
	work_run(reclaim, rc);
	*octets_freed = rc->freed;

	enum err e = rc->err;

	free(rc);
	return e;
}
