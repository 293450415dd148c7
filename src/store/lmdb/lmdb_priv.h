/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_LMDB_PRIV_H
#define STORE_LMDB_LMDB_PRIV_H
/*
 * lmdb_priv.h - the embedded engine: one LMDB environment and append-only segment files.
 *
 *   DIR/map, map-lock      the LMDB environment: tables data, blobs, segments, meta (map.h)
 *   DIR/segments/N.seg     blobs (record.h); written by one process each, which locks it
 *   DIR/watch              shared memory: which partitions have changed (watch.c)
 *
 * Threads of a process: the loop (fibers), a few workers, one committer, and one that waits for
 * changes as soon as there is a watch. What each lock covers stands at the lock; where two are
 * held, they are taken in this order: roll_lock, LMDB's write lock, own_lock. The others are
 * held alone and never while waiting for the disk.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "store/engine.h"
#include "store/lmdb/map.h"
#include "store/lmdb/record.h"
#include "store/tx.h"

enum {
	FORMAT_VERSION = 1,
	SEGMENT_ROLL = 64 << 20, /* a segment takes no more records from here on */
	SEGMENT_CACHE = 64,      /* segments kept open for reading */
	BLOB_BUCKETS = 256,
};

/* Where a blob lies. */
struct place {
	uint32_t segment;
	uint64_t at, stored; /* of the whole record */
};

/* A segment that this process may write to, and has locked. */
struct segment {
	struct segment *next;
	uint32_t number;
	int fd;
	uint64_t end;             /* where the next record goes */
	uint64_t written, synced; /* writes finished, and those of them that are on the disk */
	unsigned holds;           /* blobs and writers in it, and one for being the active one */
	bool bad;                 /* a sync failed: what is in it and not committed is lost */
};

struct open_segment {
	uint32_t number; /* 0: free */
	int fd;
	unsigned users;
	uint64_t used; /* when, by the cache's own count */
};

struct request;
struct watching;

struct lmdb {
	struct store store;
	struct lmdb *next; /* of those open in this process */
	dev_t dev;
	ino_t ino;
	struct map map;
	int dir, segments_dir;

	pthread_mutex_t roll_lock; /* held while a new active segment is made */
	pthread_mutex_t own_lock;  /* own, active and what is in them */
	struct segment *own, *active;
	bool sealed; /* the next active one is to be new */

	pthread_mutex_t cache_lock;
	struct open_segment cache[SEGMENT_CACHE];
	uint64_t cache_used;

	pthread_mutex_t blob_lock; /* the blobs being written, and their state */
	struct lmdb_blob *blobs[BLOB_BUCKETS];
	struct lmdb_blob *pending, **pending_end;

	pthread_mutex_t queue_lock;
	pthread_cond_t queue_filled;
	struct request *queue, **queue_end;
	size_t queued;            /* requests in it */
	atomic_size_t open_blobs; /* between blob_new and blob_close */
	bool stop;
	pthread_t committer;

	atomic_uint_fast64_t syncs, octets; /* not yet added to the totals in the map */

	struct watching *watching;
};

static inline struct lmdb *lmdb(struct store *st)
{
	return (struct lmdb *)st;
}

/* --- segment.c: files --- */

/* Blobs leave so many octets of the disk alone: the map needs a little room even to remove, and
 * a full disk must not keep people from that. Tests make it small. */
extern uint64_t disk_reserve;
/* E_NOSPACE: n octets more would not. */
MUST enum err disk_room(struct lmdb *lm, uint64_t n);

/* Room for n octets (a multiple of 8) in the active segment; a new one is made if need be. The
 * caller holds *out until segment_release. */
MUST enum err segment_reserve(struct lmdb *lm, uint64_t n, struct segment **out, uint64_t *at);
/* It could not be written: gives the room back, and the disk's, if it is still the last. */
void segment_unreserve(struct lmdb *lm, struct segment *s, uint64_t n, uint64_t at);
/* Says that what was reserved has been written. */
void segment_written(struct lmdb *lm, struct segment *s);
/* All that was written is on the disk when it returns OK. E_IO: s is bad from now on. */
MUST enum err segment_sync(struct lmdb *lm, struct segment *s);
void segment_hold(struct lmdb *lm, struct segment *s);
void segment_release(struct lmdb *lm, struct segment *s);
bool segment_owned(struct lmdb *lm, uint32_t number); /* by this process */
/* The active segment takes no more; blobs that are in it and held still hold it. Blocks. */
void segments_seal(struct lmdb *lm);
/* Gives up the active segment, at the end. */
void segments_close(struct lmdb *lm);

/* A descriptor to read from until segment_close. E_NOTFOUND: there is no such segment (any
 * more); E_CORRUPT, E_VERSION: its head is wrong. */
MUST enum err segment_open(struct lmdb *lm, uint32_t number, int *fd);
void segment_close(struct lmdb *lm, uint32_t number, int fd);
void cache_trim(struct lmdb *lm, bool all); /* closes those that are removed, or all */

/* Locks a segment for its removal: nobody writes to it and nobody can start to. E_AGAIN: in use.
 * Closing *fd gives it up. */
MUST enum err segment_lock(struct lmdb *lm, uint32_t number, int *fd);
#define SPILL "spill-" /* how the other files in the segments' directory start */
/* A whole record of n octets. E_CORRUPT: the file has not so many. Owner: caller, who frees. */
MUST enum err segment_record(int fd, uint64_t at, uint64_t n, char **out);
char *segment_name(char out[16], uint32_t number);
bool segment_number(const char *name, uint32_t *number);
enum err write_all(int fd, struct str s, uint64_t at);
enum err read_all(int fd, char *p, size_t n, uint64_t at); /* E_CORRUPT: the file is shorter */
enum err errno_err(int error);

/* --- blob.c, read.c --- */

struct blob *lmdb_blob_new(struct store *st);
MUST enum err lmdb_blob_write(struct blob *b, struct str octets);
MUST enum err lmdb_blob_finish(struct blob *b, struct str summary, struct blob_id *id);
void lmdb_blob_close(struct blob *b);
MUST enum err lmdb_blob_stat(struct store *st, struct blob_id id, struct blob_info *out);
MUST enum err lmdb_blob_summary(struct store *st, struct blob_id id, struct arena *a,
				struct str *out);
MUST enum err lmdb_blob_read(struct store *st, struct blob_id id, uint64_t off, size_t n,
			     struct arena *a, struct str *out);

/* The committer's: writes and syncs all finished blobs. A failure shows in blobs_find. */
void blobs_flush(struct lmdb *lm);
/* Of this process's open blobs. OK: row is what the table shall say, refs 0. */
MUST enum err blobs_find(struct lmdb *lm, struct blob_id id, struct blob_row *row);

/* --- commit.c --- */

void commit_start(struct lmdb *lm);
void commit_stop(struct lmdb *lm);
void lmdb_update_all(struct store *st, struct update *u, size_t n);
MUST enum err lmdb_read(struct store *st, struct str partition,
			enum err (*fn)(struct tx *tx, void *arg), void *arg);

/* --- watch.c --- */

MUST enum err watching_open(struct lmdb *lm, struct arena *a, struct str *why);
void watching_close(struct lmdb *lm);
struct watch *lmdb_watch(struct store *st, struct str partition);
void lmdb_watch_close(struct watch *w);
/* Around each commit, so that one who dies in between is noticed: see watch.c. */
void watching_begin(struct lmdb *lm);
void watching_tell(struct lmdb *lm, struct str partition);
void watching_end(struct lmdb *lm);

/* --- reclaim.c, wipe.c, verify.c --- */

/* Removes segments that nothing refers to. Blocks. */
void segments_sweep(struct lmdb *lm, uint64_t *octets_freed);
MUST enum err lmdb_reclaim(struct store *st, uint64_t *octets_freed);
MUST enum err lmdb_wipe(struct store *st, uint64_t *octets);
void lmdb_seal(struct store *st);
MUST enum err lmdb_verify(struct store *st, const struct store_report *r);

#endif
