/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/buf.h"
#include "store/lmdb/lmdb_priv.h"

/*
 * The committer: one thread a process, through which every update goes. All that wait become one
 * write to the segment, one sync of it, one LMDB transaction. While it commits, the next gather.
 *
 *   lmdb_update_all --> queue --> gather, take --> blobs_flush --> map_write_begin --> run_all
 *                                                                                        |
 *   wake_post <-- answer <-- watching_tell <-- map_commit <-- write_totals <-------------+
 *
 * What must hold, whatever instant the power goes or a process dies:
 *
 *  1. A blob's record is on the disk (its segment synced, and the segment's name in its directory
 *     too) before a transaction begins whose updates may refer to it.
 *  2. A row in blobs exists if and only if there is a reference; row, references, and the live
 *     octets of its segment change in the transaction of the update that changes one of them.
 *  3. An update is told OK only after map_commit has returned OK, which is after LMDB has synced
 *     its pages and then, with a write of its own that waits for the disk, the page that makes
 *     them the state (two syncs).
 *  4. An update is in a transaction with all of its writes or none: fn writes to an overlay, which
 *     is carried out only if fn returned OK; if carrying out fails, the whole transaction is
 *     given up, and every update in it is told so.
 *  5. Updates of one process run in the order they were handed in; each sees those before it.
 *  6. No record is ever written over in a segment: it is written once, behind all others, and the
 *     room of a dead one is given back only by removing the file (reclaim.c). Under the file's
 *     lock, dead octets may become zeros (wipe.c): nobody refers to them, and nobody will.
 *  7. Segments of a process that died have no lock and, beyond what a transaction refers to, only
 *     dead octets: whatever it had written and not committed counts for nothing.
 *  8. A number of a segment is taken from the map in a transaction of its own before the file is
 *     made, so none is given twice: a row can only mean the file it was made for.
 *  9. After a failed sync nothing more is put into that segment, and what was not committed is
 *     told failed: the kernel reports a lost page only once.
 */

enum {
	BATCH_MAX = 512,         /* updates of one transaction */
	BATCH_OCTETS = 32 << 20, /* of their writes */
	GATHER_STEP_US = 400,    /* a batch waits so long for one more, while more come */
	GATHER_MAX_US = 4000,    /* and never longer */
	IDLE_MS = 10000,         /* between two looks at dead readers and removed segments */
};

/* What one call of lmdb_update_all waits for; on its stack. */
struct request {
	struct request *next;
	struct update *u;
	size_t n, taken, answered;
	struct wake wake;
	struct loop *loop;
};

struct batch {
	struct lmdb *lm;
	MDB_txn *txn;
	struct request *owner[BATCH_MAX];
	struct update *update[BATCH_MAX];
	bool wrote[BATCH_MAX]; /* its partition has changed */
	size_t n, from, to;    /* the transaction is of those from from up to to */
	bool changed;          /* anything at all */
	uint64_t octets;
	struct totals totals;
};

void lmdb_update_all(struct store *st, struct update *u, size_t n)
{
	struct lmdb *lm = lmdb(st);
	struct request r = { .u = u, .n = n, .loop = loop_this() };

	pthread_mutex_lock(&lm->queue_lock);
	*lm->queue_end = &r;
	lm->queue_end = &r.next;
	lm->queued++;
	pthread_cond_signal(&lm->queue_filled);
	pthread_mutex_unlock(&lm->queue_lock);
	wake_wait(&r.wake);
}

/* --- one update --- */

/* A blob that a process still holds: only its own updates may refer to it. */
static enum err held_blob(void *arg, struct blob_id id)
{
	struct blob_row r;

	return blobs_find(arg, id, &r);
}

static struct str ref_key(char *out, struct blob_id id, struct str partition)
{
	memcpy(out, &id, sizeof id);
	memcpy(out + sizeof id, partition.p, partition.n);
	return STR(out, sizeof id + partition.n);
}

static enum err ref_get(struct batch *b, struct str key, uint32_t *count)
{
	struct str v;
	enum err e = row_get(b->txn, b->lm->map.blobs, key, &v);

	*count = 0;
	if (e)
		return e == E_NOTFOUND ? OK : e;

	struct scan in = scan(v);

	*count = scan_u32(&in);
	return scan_end(&in) ? OK : E_CORRUPT;
}

static enum err ref_put(struct batch *b, struct str key, uint32_t count)
{
	char v[4] = { (char)count, (char)(count >> 8), (char)(count >> 16), (char)(count >> 24) };

	if (!count)
		return row_del(b->txn, b->lm->map.blobs, key);
	return row_put(b->txn, b->lm->map.blobs, key, STR(v, sizeof v));
}

/* The blob's own row after so many references more or less (not 0); invariant 2. */
static enum err row_change(struct batch *b, struct blob_id id, int64_t by)
{
	struct map *m = &b->lm->map;
	struct blob_row r;
	enum err e = blob_row_get(m, b->txn, id, &r);
	int64_t live = 0;

	if (e == E_NOTFOUND) {
		e = blobs_find(b->lm, id, &r);
		live = (int64_t)r.stored;
	}
	if (!e && by < 0 && r.refs < (uint64_t)-by)
		e = E_CORRUPT;
	if (e)
		return e;
	r.refs += (uint64_t)by;
	if (!r.refs)
		live -= (int64_t)r.stored;
	if (live > 0) {
		b->totals.blobs++;
		b->totals.blob_octets += r.size;
	} else if (live < 0) {
		b->totals.blobs--;
		b->totals.blob_octets -= r.size;
	}
	if (live)
		e = segment_row_add(m, b->txn, r.segment, live, r.at + r.stored);
	if (!e && r.refs)
		e = blob_row_put(m, b->txn, id, &r);
	else if (!e)
		e = row_del(b->txn, m->blobs, blob_id_str(&id));
	return e;
}

static enum err apply_change(struct batch *b, struct str partition, const struct blob_change *c)
{
	char octets[sizeof c->id + PARTITION_MAX];
	struct str key = ref_key(octets, c->id, partition);
	uint32_t before;
	enum err e = ref_get(b, key, &before);

	if (e)
		return e;

	int64_t after = (int64_t)before + c->by;

	if (after < 0)
		after = 0;
	if (after == before)
		return OK;
	e = row_change(b, c->id, after - before);
	return e ? e : ref_put(b, key, (uint32_t)after);
}

static enum err apply(struct batch *b, struct part *p, struct str partition, const struct tx *tx)
{
	enum err e = OK;

	for (size_t i = 0; i < tx->nwrites && !e; i++) {
		const struct write *w = &tx->writes[i];

		e = w->del ? part_del(p, w->key) : part_put(p, w->key, w->value);
	}
	for (size_t i = 0; i < tx->nchanges && !e; i++)
		e = apply_change(b, partition, &tx->changes[i]);
	return e;
}

/* Gives an error only if the whole transaction is spoilt; invariant 4. */
static enum err run(struct batch *b, size_t i)
{
	struct update *u = b->update[i];
	struct part part = { .open_blob = held_blob, .arg = b->lm };
	struct tx tx;
	enum err e = OK;

	part_init(&part, &b->lm->map, b->txn, u->partition);
	u->result = tx_run(&tx, &part_snapshot, &part, false, u->fn, u->arg);
	part_end(&part);
	b->wrote[i] = !u->result && tx.nwrites + tx.nchanges > 0;
	if (b->wrote[i]) {
		e = apply(b, &part, u->partition, &tx);
		b->octets += tx.octets;
		b->changed = true;
		b->totals.updates++;
	}
	tx_end(&tx);
	return e;
}

/* --- one batch --- */

/* Takes the updates that wait, in their order. */
static void take(struct batch *b)
{
	struct lmdb *lm = b->lm;

	pthread_mutex_lock(&lm->queue_lock);
	while (lm->queue && b->n < BATCH_MAX) {
		struct request *r = lm->queue;

		b->owner[b->n] = r;
		b->update[b->n++] = &r->u[r->taken++];
		if (r->taken == r->n) {
			lm->queue = r->next;
			lm->queued--;
		}
	}
	if (!lm->queue)
		lm->queue_end = &lm->queue;
	pthread_mutex_unlock(&lm->queue_lock);
}

/* Those that make the transaction too large are left to the next. */
static enum err run_all(struct batch *b)
{
	enum err e = OK;

	for (size_t i = b->from; !e && i < b->to; i++) {
		e = run(b, i);
		if (b->octets >= BATCH_OCTETS)
			b->to = i + 1;
	}
	return e;
}

static enum err write_totals(struct batch *b)
{
	uint64_t syncs = atomic_exchange(&b->lm->syncs, 0);
	uint64_t octets = atomic_exchange(&b->lm->octets, 0);

	b->totals.commits++;
	b->totals.syncs += syncs + 2; /* invariant 3 */
	b->totals.octets += octets + b->octets;

	enum err e = totals_put(&b->lm->map, b->txn, &b->totals);

	if (e) {
		atomic_fetch_add(&b->lm->syncs, syncs);
		atomic_fetch_add(&b->lm->octets, octets);
	}
	return e;
}

/* One try at a transaction. */
static enum err commit(struct batch *b)
{
	struct lmdb *lm = b->lm;
	enum err e = map_write_begin(&lm->map, &b->txn);

	if (e)
		return e;
	b->changed = false;
	b->octets = 0;
	e = totals_get(&lm->map, b->txn, &b->totals);
	if (!e)
		e = run_all(b);
	if (!e && b->changed)
		e = write_totals(b);
	if (e || !b->changed) {
		map_abort(&lm->map, b->txn);
		return e;
	}
	watching_begin(lm);
	e = map_commit(&lm->map, b->txn);
	for (size_t i = b->from; i < b->to && !e; i++)
		if (b->wrote[i])
			watching_tell(lm, b->update[i]->partition);
	watching_end(lm);
	return e;
}

static void answer(struct batch *b, enum err e)
{
	for (size_t i = b->from; i < b->to; i++) {
		struct request *r = b->owner[i];

		/* What an update found may be what another in this transaction wrote: none of it
		 * has come to be, so no result stands. */
		if (e)
			b->update[i]->result = e;
		if (++r->answered == r->n)
			wake_post(&r->wake, r->loop);
	}
}

/*
 * Commits all of a batch. Where that fails for a reason that one of them may have brought in (too
 * large for the disk, a damaged row), each is tried by itself: the others shall not suffer.
 */
static void commit_all(struct batch *b)
{
	size_t most = BATCH_MAX;

	for (b->from = 0; b->from < b->n;) {
		b->to = b->n - b->from < most ? b->n : b->from + most;

		enum err e = commit(b);

		if (e == E_NOSPACE && map_grow(&b->lm->map))
			continue;
		if (e && e != E_IO && b->to - b->from > 1) {
			most = 1;
			continue;
		}
		answer(b, e);
		b->from = b->to;
	}
}

/* --- the thread --- */

/* Until there is something to do, or it is time to look round; false: to stop. */
static bool wait_filled(struct lmdb *lm, int64_t until)
{
	struct timespec at = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
	int rc = 0;

	pthread_mutex_lock(&lm->queue_lock);
	while (!lm->queue && !lm->stop && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&lm->queue_filled, &lm->queue_lock, &at);

	bool go = lm->queue || !lm->stop;

	pthread_mutex_unlock(&lm->queue_lock);
	return go;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* the condition's clock, whatever tests do to ours */
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t queued(struct lmdb *lm)
{
	pthread_mutex_lock(&lm->queue_lock);

	size_t n = lm->queued;

	pthread_mutex_unlock(&lm->queue_lock);
	return n;
}

/*
 * While other messages are on their way in and updates keep coming, a moment's patience makes one
 * commit of many. Whoever is alone never waits: its own blob is the only one that is open.
 */
static void gather(struct lmdb *lm)
{
	const struct timespec step = { .tv_nsec = GATHER_STEP_US * 1000 };
	size_t before = 0, now = queued(lm);

	for (int waited = 0; waited < GATHER_MAX_US && now > before; waited += GATHER_STEP_US) {
		if (!now || now >= BATCH_MAX || now >= atomic_load(&lm->open_blobs))
			return;
		before = now;
		nanosleep(&step, NULL);
		now = queued(lm);
	}
}

static void *committer(void *arg)
{
	struct lmdb *lm = arg;
	int64_t look = now_ms() + IDLE_MS;

	while (wait_filled(lm, look)) {
		struct batch b = { .lm = lm };

		gather(lm);
		take(&b);
		blobs_flush(lm);
		commit_all(&b);
		if (now_ms() >= look) {
			map_check_readers(&lm->map);
			cache_trim(lm, false);
			look = now_ms() + IDLE_MS;
		}
	}
	return NULL;
}

void commit_start(struct lmdb *lm)
{
	pthread_condattr_t attr;
	sigset_t all, before;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&lm->queue_filled, &attr);
	pthread_condattr_destroy(&attr);
	lm->queue_end = &lm->queue;
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	BUG_IF(pthread_create(&lm->committer, NULL, committer, lm) != 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void commit_stop(struct lmdb *lm)
{
	pthread_mutex_lock(&lm->queue_lock);
	lm->stop = true;
	pthread_cond_signal(&lm->queue_filled);
	pthread_mutex_unlock(&lm->queue_lock);
	pthread_join(lm->committer, NULL);
	pthread_cond_destroy(&lm->queue_filled);
}
