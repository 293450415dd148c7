/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/lmdb/lmdb_priv.h"

/*
 * Which partitions have changed, told between processes by shared memory: DIR/watch, version 1.
 *
 * A partition's name falls on one of SLOTS counters. A committer, after its commit, counts up the
 * slot, then the slot's group, then the sequence, and wakes all who sleep on that (a futex). In
 * each process with watches one thread sleeps on it, finds the groups and slots that differ from
 * what it saw, and raises the signals of their watches. It reads in the other order (sequence,
 * group, slot), so a change it does not see yet wakes it once more. Two names on one slot make a
 * false alarm.
 *
 * A process may die between its commit and the telling. So it says before the commit that one is
 * under way (committing); whoever opens the store next and finds that still said counts up every
 * slot. Nothing here needs to survive: the file is made anew by the first to open it.
 */

enum { WATCH_VERSION = 1, SLOTS = 16384, GROUP = 128, GROUPS = SLOTS / GROUP };

struct shared {
	char magic[8];
	uint32_t version;
	_Atomic uint32_t sequence;
	_Atomic uint32_t committing;
	_Atomic uint32_t group[GROUPS];
	_Atomic uint32_t slot[SLOTS];
};

struct lmdb_watch {
	struct watch watch;
	struct signal_post *post;
	uint32_t slot;
	struct lmdb_watch *next;
};

struct watching {
	int fd; /* locked (shared) as long as the store is open */
	struct shared *shared;
	pthread_mutex_t lock; /* all below */
	bool running, stop;
	pthread_t thread;
	struct lmdb_watch *watches[SLOTS];
	uint32_t group[GROUPS], slot[SLOTS]; /* as last seen */
};

static long futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void count_up(struct shared *s, uint32_t slot)
{
	atomic_fetch_add(&s->slot[slot], 1);
	atomic_fetch_add(&s->group[slot / GROUP], 1);
}

static void wake_all(struct shared *s)
{
	atomic_fetch_add(&s->sequence, 1);
	futex(&s->sequence, FUTEX_WAKE, INT_MAX);
}

static uint32_t slot_of(struct str partition)
{
	uint64_t h = str_hash(partition);

	return (uint32_t)(h ^ h >> 32) % SLOTS;
}

/* --- telling: the committer --- */

void watching_begin(struct lmdb *lm)
{
	atomic_fetch_add(&lm->watching->shared->committing, 1);
}

void watching_tell(struct lmdb *lm, struct str partition)
{
	count_up(lm->watching->shared, slot_of(partition));
}

void watching_end(struct lmdb *lm)
{
	wake_all(lm->watching->shared);
	atomic_fetch_sub(&lm->watching->shared->committing, 1);
}

/* --- being told: the thread --- */

static void raise_group(struct watching *w, uint32_t g)
{
	for (uint32_t i = g * GROUP; i < (g + 1) * GROUP; i++) {
		uint32_t now = atomic_load(&w->shared->slot[i]);

		if (now == w->slot[i])
			continue;
		w->slot[i] = now;
		for (struct lmdb_watch *x = w->watches[i]; x; x = x->next)
			signal_post_raise(x->post);
	}
}

static void *watcher(void *arg)
{
	struct watching *w = arg;

	for (;;) {
		uint32_t seen = atomic_load(&w->shared->sequence);

		pthread_mutex_lock(&w->lock);
		if (w->stop) {
			pthread_mutex_unlock(&w->lock);
			return NULL;
		}
		for (uint32_t g = 0; g < GROUPS; g++) {
			uint32_t now = atomic_load(&w->shared->group[g]);

			if (now != w->group[g]) {
				w->group[g] = now;
				raise_group(w, g);
			}
		}
		pthread_mutex_unlock(&w->lock);
		futex(&w->shared->sequence, FUTEX_WAIT, seen);
	}
}

static void start(struct watching *w)
{
	sigset_t all, before;

	/* What is so now counts as seen; the groups first, as they are told last. */
	for (uint32_t g = 0; g < GROUPS; g++)
		w->group[g] = atomic_load(&w->shared->group[g]);
	for (uint32_t i = 0; i < SLOTS; i++)
		w->slot[i] = atomic_load(&w->shared->slot[i]);
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	BUG_IF(pthread_create(&w->thread, NULL, watcher, w) != 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->running = true;
}

struct watch *lmdb_watch(struct store *st, struct str partition)
{
	struct watching *w = lmdb(st)->watching;
	struct lmdb_watch *x = NEW(struct lmdb_watch);

	x->post = signal_post_new(&x->watch.signal);
	x->slot = slot_of(partition);
	pthread_mutex_lock(&w->lock);
	x->next = w->watches[x->slot];
	w->watches[x->slot] = x;
	if (!w->running)
		start(w);
	pthread_mutex_unlock(&w->lock);
	return &x->watch;
}

void lmdb_watch_close(struct watch *watch)
{
	struct watching *w = lmdb(watch->store)->watching;
	struct lmdb_watch *x = (struct lmdb_watch *)watch, **at;

	pthread_mutex_lock(&w->lock);
	for (at = &w->watches[x->slot]; *at != x; at = &(*at)->next)
		;
	*at = x->next;
	pthread_mutex_unlock(&w->lock);
	signal_post_free(&x->post);
	free(x);
}

/* --- opening --- */

/* Written out, not only made long: a page of a hole that finds the disk full kills the process. */
static enum err make(int fd)
{
	struct shared *s = NEW(struct shared);

	memcpy(s->magic, "tecsmail", sizeof s->magic);
	s->version = WATCH_VERSION;

	enum err e = write_all(fd, STR((char *)s, sizeof *s), 0);

	free(s);
	return e;
}

/* Makes the file if it is new or we are the only ones to have it. */
static enum err prepare(struct watching *w, bool alone, uint32_t *version)
{
	struct stat st;
	char head[12];

	if (fstat(w->fd, &st) < 0)
		return errno_err(errno);

	enum err e = st.st_size == 0 ? make(w->fd) : OK;

	if (!e)
		e = read_all(w->fd, head, sizeof head, 0);
	if (e)
		return e;

	struct scan in = scan(STR(head, sizeof head));

	if (!str_is(scan_take(&in, 8), "tecsmail"))
		return E_CORRUPT;
	memcpy(version, head + 8, sizeof *version);
	if (*version != WATCH_VERSION)
		return E_VERSION;
	if (fstat(w->fd, &st) < 0 || (size_t)st.st_size < sizeof(struct shared) || alone)
		e = make(w->fd);
	if (e)
		return e;

	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);

	if (p == MAP_FAILED)
		return errno_err(errno);
	w->shared = p;
	if (!alone && atomic_load(&w->shared->committing)) {
		for (uint32_t i = 0; i < SLOTS; i++)
			count_up(w->shared, i);
		wake_all(w->shared);
	}
	return OK;
}

static enum err open_file(struct lmdb *lm, struct watching *w, uint32_t *version)
{
	w->fd = openat(lm->dir, "watch", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return errno_err(errno);

	/* Those who have it open share its lock: who gets it whole is alone. Others who open at
	 * the same time wait for us before: lmdb_open. */
	bool alone = flock(w->fd, LOCK_EX | LOCK_NB) == 0;
	enum err e = prepare(w, alone, version);

	if (!e && flock(w->fd, LOCK_SH) < 0)
		e = errno_err(errno);
	return e;
}

enum err watching_open(struct lmdb *lm, struct arena *a, struct str *why)
{
	struct watching *w = NEW(struct watching);
	uint32_t version = 0;

	pthread_mutex_init(&w->lock, NULL);
	w->fd = -1;
	lm->watching = w;

	enum err e = open_file(lm, w, &version);

	if (e == E_VERSION)
		*why = str_fmt(
			a, "the file watch has format version %u, this program knows version %d",
			version, WATCH_VERSION);
	else if (e)
		*why = str_fmt(a, "the file watch cannot be opened: %s", err_text(e));
	return e;
}

void watching_close(struct lmdb *lm)
{
	struct watching *w = lm->watching;

	if (w->running) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_mutex_unlock(&w->lock);
		wake_all(w->shared);
		pthread_join(w->thread, NULL);
	}
	if (w->shared)
		munmap(w->shared, sizeof *w->shared);
	if (w->fd >= 0)
		close(w->fd);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
