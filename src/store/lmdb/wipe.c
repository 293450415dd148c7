/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Making zeros of what is dead: of some segments at a time, each under its lock, the live records
 * are gathered from the table of blobs, and what lies between them is punched out of the file.
 * With the lock held no row can come to refer to the segment; a row that goes meanwhile leaves
 * its octets to the next wipe.
 */

enum {
	SEGMENTS = 64,   /* of one walk over the table */
	ROWS_MAX = 8192, /* looked at in one reading transaction */
	ZEROS = 8 << 10,
};

struct live {
	uint32_t segment;
	uint64_t at, n;
};

struct wipe {
	struct lmdb *lm;
	struct {
		uint32_t number;
		int fd;      /* locked */
	} segment[SEGMENTS]; /* ascending */
	size_t n;
	struct live *live; /* owned */
	size_t nlive, cap;
	uint32_t next; /* segments below it have been looked at */
	uint64_t octets;
	bool busy; /* some could not be locked */
	enum err err;
};

/* The next ones that nobody writes to. */
static enum err find_segments(struct wipe *w)
{
	uint32_t numbers[SEGMENTS];
	struct str key, value;
	MDB_cursor *c;
	MDB_txn *txn;
	size_t n = 0;
	enum err e = map_read_begin(&w->lm->map, &txn);

	w->n = w->nlive = 0;
	if (e)
		return e;
	e = walk_begin(txn, w->lm->map.segments, &c);
	if (!e) {
		struct segment_row r;

		for (e = walk_from(c, S_NONE, &key, &value); !e && n < SEGMENTS;
		     e = walk_next(c, &key, &value))
			if (segment_row_parse(key, value, &numbers[n], &r) == OK &&
			    numbers[n] >= w->next)
				n++;
		mdb_cursor_close(c);
	}
	map_read_end(&w->lm->map, txn);
	for (size_t i = 0; i < n; i++) {
		int fd;

		w->next = numbers[i] + 1;
		if (segment_owned(w->lm, numbers[i])) {
			w->busy = true;
			continue;
		}
		enum err locked = segment_lock(w->lm, numbers[i], &fd);
		if (locked) {
			w->busy |= locked == E_AGAIN;
			continue;
		}
		w->segment[w->n].number = numbers[i];
		w->segment[w->n++].fd = fd;
	}
	return e == E_NOTFOUND ? (n ? OK : E_NOTFOUND) : e;
}

static bool concerned(const struct wipe *w, uint32_t number)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->segment[i].number == number)
			return true;
	return false;
}

static void note(struct wipe *w, const struct blob_row *r)
{
	if (w->nlive == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 4096;
		w->live = realloc(w->live, w->cap * sizeof *w->live);
		BUG_IF(!w->live);
	}
	w->live[w->nlive++] = (struct live){ r->segment, r->at, r->stored };
}

/* Some rows from *from on. E_NOTFOUND: that was the end. */
static enum err gather_some(struct wipe *w, struct blob_id *from)
{
	struct map *m = &w->lm->map;
	struct str key, value;
	MDB_cursor *c;
	MDB_txn *txn;
	enum err e = map_read_begin(m, &txn);

	if (e)
		return e;
	e = walk_begin(txn, m->blobs, &c);
	if (!e) {
		e = walk_from(c, blob_id_str(from), &key, &value);
		for (unsigned rows = 0; !e && rows < ROWS_MAX; rows++) {
			struct blob_row r;

			if (key.n == sizeof *from) { /* the others are references */
				if (blob_row_parse(value, &r)) {
					e = E_CORRUPT; /* whose octets are these? */
					break;
				}
				memcpy(from, key.p, sizeof *from);
				blob_id_step(from);
				if (concerned(w, r.segment))
					note(w, &r);
			}
			e = walk_next(c, &key, &value);
		}
		mdb_cursor_close(c);
	}
	map_read_end(m, txn);
	return e;
}

static int in_order(const void *a, const void *b)
{
	const struct live *x = a, *y = b;

	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* --- octets --- */

static bool is_zero(const char *p, size_t n)
{
	return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Of the range, those that are not zeros already: a hole is not written to. */
static enum err zero(struct wipe *w, int fd, uint64_t at, uint64_t end)
{
	static const char zeros[ZEROS];
	char piece[ZEROS];
	uint64_t n = end - at, dirty = 0;
	enum err e = OK;

	for (uint64_t pos = at; !e && pos < end; pos += sizeof piece) {
		size_t part = end - pos < sizeof piece ? (size_t)(end - pos) : sizeof piece;

		e = read_all(fd, piece, part, pos);
		dirty += !e && !is_zero(piece, part) ? part : 0;
	}
	w->octets += dirty;
	if (e || !dirty)
		return e;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n) == 0)
		return OK;
	if (errno != EOPNOTSUPP)
		return errno_err(errno);
	for (; !e && at < end; at += sizeof zeros)
		e = write_all(fd, STR(zeros, end - at < ZEROS ? (size_t)(end - at) : ZEROS), at);
	return e;
}

static enum err wipe_segment(struct wipe *w, uint32_t number, int fd, const struct live *l)
{
	const struct live *last = w->live + w->nlive;
	uint64_t at = SEGMENT_HEAD;
	struct stat st;
	enum err e = OK;

	if (fstat(fd, &st) < 0)
		return errno_err(errno);
	for (; !e && l && l < last && l->segment == number; l++) {
		if (l->at < at)
			return E_CORRUPT;
		e = zero(w, fd, at, l->at);
		at = l->at + l->n;
	}
	if (!e && at < (uint64_t)st.st_size)
		e = zero(w, fd, at, (uint64_t)st.st_size);
	if (!e && fdatasync(fd) < 0)
		e = errno_err(errno);
	return e;
}

static const struct live *first_of(const struct wipe *w, uint32_t number)
{
	for (size_t i = 0; i < w->nlive; i++)
		if (w->live[i].segment == number)
			return &w->live[i];
	return NULL;
}

static void wipe_some(struct wipe *w)
{
	struct blob_id from = { 0 };
	enum err e = OK;

	while (!e && w->n)
		e = gather_some(w, &from);
	w->err = e == E_NOTFOUND ? OK : e;
	if (!w->err && w->nlive)
		qsort(w->live, w->nlive, sizeof *w->live, in_order);
	for (size_t i = 0; i < w->n; i++) {
		uint32_t number = w->segment[i].number;

		if (!w->err)
			w->err = wipe_segment(w, number, w->segment[i].fd, first_of(w, number));
		close(w->segment[i].fd);
	}
}

static void wipe(void *arg)
{
	struct wipe *w = arg;

	segments_sweep(w->lm, &w->octets);
	while (!w->err) {
		w->err = find_segments(w);
		if (!w->err)
			wipe_some(w);
	}
	if (w->err == E_NOTFOUND)
		w->err = w->busy ? E_AGAIN : OK;
	free(w->live);
}

enum err lmdb_wipe(struct store *st, uint64_t *octets)
{
	struct wipe *w = NEW(struct wipe);

	w->lm = lmdb(st);
	work_run(wipe, w);
	*octets = w->octets;

	enum err e = w->err;

	free(w);
	return e;
}

static void seal(void *arg)
{
	segments_seal(arg);
}

void lmdb_seal(struct store *st)
{
	work_run(seal, lmdb(st));
}
