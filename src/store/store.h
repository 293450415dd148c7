/* SPDX-License-Identifier: ISC */
#ifndef STORE_STORE_H
#define STORE_STORE_H
/*
 * store.h - the seam between what we keep and who keeps it.
 *
 * Two kinds of data. A partition (an account, the directory, the queue, ...) is an ordered map
 * from keys to values. A blob is an immutable run of octets with a summary in front.
 *
 * For:      box, keeper, queue. Engines: store/mem, store/lmdb, store/rados.
 * Below:    base/, fiber/.
 * Suspends: every call may suspend the calling fiber, unless marked (quick).
 * Durable:  when store_update returns OK, all of its writes and all blobs it refers to survive
 *           power loss; at any other result but E_AGAIN none of its writes was made.
 * Limits:   keys 1..KEY_MAX octets without NUL, ordered as unsigned octets; values up to
 *           VALUE_MAX; partition names 1..PARTITION_MAX octets without NUL; a partition should
 *           stay under 100,000 keys and an update under 1,000 writes.
 *           A write beyond them makes the whole update fail with E_LIMIT.
 * Errors:   any call may return E_AGAIN (engine out of reach: the update may or may not have
 *           been made), E_NOSPACE, E_IO or E_CORRUPT. Each call names its others.
 */
#include "base/base.h"
#include "fiber/fiber.h"

struct store;
struct tx;

enum {
	KEY_MAX = 256,
	VALUE_MAX = 1 << 20,
	PARTITION_MAX = 64,
	BLOB_SUMMARY_MAX = 4 << 20,
	BLOB_READ_MAX = 1 << 20, /* octets of one blob_read */
};

/*
 * Opens what where names: "mem:" (gone at close; shared by nobody), or "lmdb:DIR" (made with
 * its directory if it does not exist; several processes may have it open).
 * E_VERSION: made by a version of the format that this program does not know; E_DENIED: no
 * access. why: a sentence for the operator in the arena, at every error. Owner: caller.
 * Engines start their threads here: call it inside fiber_main.
 */
MUST enum err store_open(struct str where, struct arena *a, struct store **out, struct str *why);
void store_close(struct store **st);

/* --- partitions --- */

/*
 * Runs fn over a consistent snapshot. fn must not suspend; what tx_get and tx_next give is gone
 * when fn returns. Its result is the result. A partition that was never written is empty.
 */
MUST enum err store_read(struct store *st, struct str partition,
			 enum err (*fn)(struct tx *tx, void *arg), void *arg);

/*
 * Runs fn, which reads and writes through tx. If fn returns OK all of its writes become durable,
 * at once and together; else none is made and its error is the result. fn may run more than
 * once, and on another thread: it must depend on nothing but tx and arg, must not suspend, and
 * sets its results anew in each run. Updates that wait share one commit. Not canceled.
 */
MUST enum err store_update(struct store *st, struct str partition,
			   enum err (*fn)(struct tx *tx, void *arg), void *arg);

/* Several updates handed in at once, each with its own result: each is whole by itself, and
 * they share a commit where the engine can. Two of the same partition run in order. */
struct update {
	struct str partition;
	enum err (*fn)(struct tx *tx, void *arg);
	void *arg;
	enum err result;
};
void store_update_all(struct store *st, struct update *u, size_t n);

/* Inside fn only, all (quick). */
MUST enum err tx_get(struct tx *tx, struct str key, struct str *value); /* E_NOTFOUND */
/* The first entry after `after` (exclusive; "" is before all) whose key starts with prefix.
 * E_NOTFOUND: none. key and value live until fn returns. */
MUST enum err tx_next(struct tx *tx, struct str prefix, struct str after, struct str *key,
		      struct str *value);
void tx_put(struct tx *tx, struct str key, struct str value); /* copies both */
void tx_del(struct tx *tx, struct str key);                   /* fine if there is none */
/* A number kept under a key, as of rows that are bounded; 0 where there is none. */
uint32_t tx_number(struct tx *tx, struct str key);
void tx_number_put(struct tx *tx, struct str key, uint32_t n);
/* Memory of this run of fn. */
struct arena *tx_arena(struct tx *tx);

/* --- blobs --- */

struct blob_id {
	uint8_t octets[16]; /* unique for ever; ascending in time, roughly */
};
struct blob_info {
	uint64_t size;         /* of the octets */
	uint32_t summary_size; /* of the summary */
};
struct blob; /* one being written, then held until its updates are through */

/* A new blob. Small ones stay in memory until the commit that refers to them. Owner: caller. */
struct blob *blob_new(struct store *st);
MUST enum err blob_write(struct blob *b, struct str octets);
/* No more writes; gives the id to refer to. */
MUST enum err blob_finish(struct blob *b, struct str summary, struct blob_id *id);
/* (quick) After the last update that refers to it, or to give it up; sets NULL.
 * A blob that no update refers to is gone. */
void blob_close(struct blob **b);

/* Counts one more or one less reference from this partition, with the update; the blob is kept
 * while there is one. tx_blob_ref: E_NOTFOUND if there is no such blob, E_NOSPACE or E_IO if it
 * could not be written. tx_blob_unref: fine if this partition has none. Inside fn only, (quick). */
MUST enum err tx_blob_ref(struct tx *tx, struct blob_id id);
void tx_blob_unref(struct tx *tx, struct blob_id id);

MUST enum err blob_stat(struct store *st, struct blob_id id,
			struct blob_info *out); /* E_NOTFOUND */
/* The summary; E_NOTFOUND. */
MUST enum err blob_summary(struct store *st, struct blob_id id, struct arena *a, struct str *out);
/* Octets [off, off+n), fewer at the end. n at most BLOB_READ_MAX. E_NOTFOUND. */
MUST enum err blob_read(struct store *st, struct blob_id id, uint64_t off, size_t n,
			struct arena *a, struct str *out);

/* --- watching --- */

struct watch;
/* (quick) From now on the signal is raised soon after each commit that changed the partition,
 * whichever process made it (a false alarm is possible, a missed change is not). */
struct watch *store_watch(struct store *st, struct str partition);
struct signal *watch_signal(struct watch *w); /* (quick) lives as long as w */
void watch_close(struct watch **w);           /* (quick) */

/* --- looking after it --- */

struct store_stats {
	const char *engine;
	uint64_t partitions, keys, blobs, blob_octets, live_octets, dead_octets, segments;
	uint64_t updates, commits, syncs,
		octets_written; /* since the store was made, all processes */
};
MUST enum err store_stats(struct store *st, struct store_stats *out);

/* Checks everything: each record, each reference count, each blob's checksum. tell is called
 * with a sentence for each fault and, now and then, with progress. E_CORRUPT: faults found. */
struct store_report {
	void (*fault)(void *arg, struct str sentence);
	void (*progress)(void *arg, uint64_t done, uint64_t of);
	void *arg;
};
MUST enum err store_verify(struct store *st, const struct store_report *r);

/* Rewrites segments that are mostly dead and removes them. Runs beside everything else. */
MUST enum err store_reclaim(struct store *st, uint64_t *octets_freed);

/*
 * Octets of blobs that are gone stay in the files of the store until their room is needed, or until
 * this makes zeros of them, for whoever must be sure. Runs beside everything else and reads the
 * table of all blobs. E_AGAIN: some are in files that a process writes to just now; all others
 * are done. store_seal in each process lets go of these.
 */
MUST enum err store_wipe(struct store *st, uint64_t *octets);
/* The next blob of this process goes to a new file. */
void store_seal(struct store *st);

/* Calls fn for each partition whose name starts with prefix; fn may suspend. */
MUST enum err store_partitions(struct store *st, struct str prefix,
			       enum err (*fn)(void *arg, struct str name), void *arg);

#endif
