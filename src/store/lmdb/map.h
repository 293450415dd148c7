/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_MAP_H
#define STORE_LMDB_MAP_H
/*
 * map.h - the LMDB environment: its transactions, its tables and their rows. Format version 1.
 *
 *   data      partition NUL key                -> value
 *   blobs     id (16)                          -> blob_row
 *             id partition                     -> u32 references from that partition
 *   segments  number (u32, big-endian)         -> segment_row
 *   meta      "format" -> u32; "next" -> u32, the next segment's number (none is given twice);
 *             "totals" -> totals
 *
 * Numbers are little-endian but for keys. A transaction belongs to the thread that began it.
 * Suspends: never; blocks while other writers commit.
 */
#include <lmdb.h>
#include <pthread.h>

#include "store/tx.h"

struct map {
	MDB_env *env;
	MDB_dbi data, blobs, segments, meta;
	pthread_rwlock_t size_lock; /* shared: a transaction is open; alone: the map is resized */
	pthread_mutex_t pool_lock;
	MDB_txn *pool[16]; /* reset readers, for reuse */
	unsigned pooled;
	bool full; /* the last writer found no room; under LMDB's write lock */
};

struct blob_row {
	uint32_t segment;
	uint64_t at, stored;
	uint64_t size;
	uint32_t summary_size, summary_stored;
	uint64_t refs;
};

struct segment_row {
	uint64_t live;  /* octets of records that are referred to */
	uint64_t total; /* where the last of all that ever were ends */
};

struct totals {
	uint64_t updates, commits, syncs, octets, blobs, blob_octets;
};

/* The first size of the map, address space only; it doubles when full. Tests make it small. */
extern size_t map_first_size;

/* Opens DIR/map, which may be new. why: at an error. */
MUST enum err map_open(struct map *m, const char *dir, struct arena *a, struct str *why);
void map_close(struct map *m);
enum err map_err(int rc); /* logs what is not expected in daily life */

MUST enum err map_read_begin(struct map *m, MDB_txn **out);
void map_read_end(struct map *m, MDB_txn *txn);
MUST enum err map_write_begin(struct map *m, MDB_txn **out);
/* Ends the transaction in any case. E_AGAIN: it may or may not have been made. */
MUST enum err map_commit(struct map *m, MDB_txn *txn);
void map_abort(struct map *m, MDB_txn *txn);
/* After E_NOSPACE: doubles the map if that was the reason; false if not, or it cannot. */
bool map_grow(struct map *m);
void map_check_readers(struct map *m); /* frees the places of readers that died */

/* --- rows; E_NOTFOUND, E_CORRUPT --- */

MUST enum err row_get(MDB_txn *txn, MDB_dbi dbi, struct str key, struct str *value);
MUST enum err row_put(MDB_txn *txn, MDB_dbi dbi, struct str key, struct str value);
MUST enum err row_del(MDB_txn *txn, MDB_dbi dbi, struct str key); /* fine if there is none */

MUST enum err blob_row_get(struct map *m, MDB_txn *txn, struct blob_id id, struct blob_row *out);
MUST enum err blob_row_put(struct map *m, MDB_txn *txn, struct blob_id id,
			   const struct blob_row *r);
MUST enum err blob_row_parse(struct str value, struct blob_row *out);
void blob_id_step(struct blob_id *id); /* to the next higher one: for walks in pieces */
MUST enum err segment_row_get(struct map *m, MDB_txn *txn, uint32_t number,
			      struct segment_row *out);
MUST enum err segment_row_put(struct map *m, MDB_txn *txn, uint32_t number,
			      const struct segment_row *r);
MUST enum err segment_row_del(struct map *m, MDB_txn *txn, uint32_t number);
MUST enum err segment_row_parse(struct str key, struct str value, uint32_t *number,
				struct segment_row *out);
/* Changes a segment's live octets by so many, and makes its total at least end. */
MUST enum err segment_row_add(struct map *m, MDB_txn *txn, uint32_t number, int64_t live,
			      uint64_t end);
MUST enum err totals_get(struct map *m, MDB_txn *txn, struct totals *out);
MUST enum err totals_put(struct map *m, MDB_txn *txn, const struct totals *t);
/* A number for a new segment, in a transaction of its own. */
MUST enum err map_next_segment(struct map *m, uint32_t *out);

/* --- walking a table: row by row --- */

MUST enum err walk_begin(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **out);
/* The first row at or behind key. */
MUST enum err walk_from(MDB_cursor *c, struct str from, struct str *key, struct str *value);
MUST enum err walk_next(MDB_cursor *c, struct str *key, struct str *value);

/* --- one partition of a transaction, as tx.h wants it --- */

struct part {
	struct map *map;
	MDB_txn *txn;
	MDB_cursor *cursor; /* opened when first needed */
	size_t head;        /* octets of partition and NUL in key */
	char key[PARTITION_MAX + 1 + KEY_MAX];
	enum err (*open_blob)(void *arg, struct blob_id id); /* asked if the table knows it not */
	void *arg;
};
void part_init(struct part *p, struct map *m, MDB_txn *txn, struct str name);
void part_end(struct part *p);
extern const struct snapshot part_snapshot;
MUST enum err part_put(struct part *p, struct str key, struct str value);
MUST enum err part_del(struct part *p, struct str key);

#endif
