/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

/*
 * Durable deliveries a second: each fiber, again and again, stores a blob of 10 KB and one page
 * of its account in one update.
 *
 *   bench-store DIR [--seconds N] [--slow-sync MS] [--think MS] [--work US]
 *
 * DIR must not exist; the store in it stays. --slow-sync lets each sync take so many milliseconds
 * more, to see what a disk with slower flushes would do; --think lets each fiber wait up to so
 * many between two deliveries, as a network would; --work keeps the processor busy so many
 * microseconds for each, as a protocol would. Syncs are counted here at the system calls,
 * beside the store's own count.
 */

static atomic_uint_fast64_t syncs;
static unsigned slow_ms, think_ms, work_us;

static void synced(void)
{
	struct timespec t = { slow_ms / 1000, slow_ms % 1000 * 1000000L };

	atomic_fetch_add(&syncs, 1);
	if (slow_ms)
		nanosleep(&t, NULL);
}

/* In place of libc's, for LMDB too: it syncs its pages with the first and writes its head, which
 * waits for the disk by its descriptor's O_DSYNC, with the second. */
int fdatasync(int fd)
{
	int rc = (int)syscall(SYS_fdatasync, fd);

	synced();
	return rc;
}

int fsync(int fd)
{
	int rc = (int)syscall(SYS_fsync, fd);

	synced();
	return rc;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t rc = syscall(SYS_pwrite64, fd, p, n, at);

	if (fcntl(fd, F_GETFL) & O_DSYNC)
		synced();
	return rc;
}

/* --- the work --- */

enum { MESSAGE = 10000, PAGE = 5000 };

static struct store *st;
static char message[MESSAGE], page[PAGE];
static bool stop;
static unsigned fibers_started;

struct delivery {
	unsigned account, n;
	struct blob_id id;
};

static enum err deliver(struct tx *tx, void *arg)
{
	struct delivery *d = arg;
	struct str key = str_fmt(tx_arena(tx), "m/%08x", d->n / 64), before;
	enum err e = tx_get(tx, key, &before);

	if (e && e != E_NOTFOUND)
		return e;
	tx_put(tx, key, STR(page, PAGE / 64 * (d->n % 64 + 1)));
	return tx_blob_ref(tx, d->id);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void work(void)
{
	for (double until = now() + work_us / 1e6; now() < until;)
		;
	fiber_yield();
}

static void deliverer(void *arg)
{
	struct delivery d = { .account = fibers_started++ };
	struct arena *a = arena_new(4096);
	struct str partition = str_fmt(a, "a/%08x", d.account);

	for (; !stop; d.n++) {
		if (work_us)
			work();

		struct blob *b = blob_new(st);
		enum err e = blob_write(b, STR(message, MESSAGE));

		if (!e)
			e = blob_finish(b, STR(page, 600), &d.id);
		if (!e)
			e = store_update(st, partition, deliver, &d);
		blob_close(&b);
		BUG_IF(e);
		++*(uint64_t *)arg;
		if (think_ms)
			BUG_IF(fiber_sleep(clock_in(random() % (think_ms + 1))));
	}
	arena_free(&a);
}

static void measure(unsigned fibers, unsigned seconds)
{
	struct group *g = group_new();
	struct store_stats before, after;
	uint64_t done = 0, counted = atomic_load(&syncs);
	double start = now();

	stop = false;
	fibers_started = 0;
	BUG_IF(store_stats(st, &before));
	for (unsigned i = 0; i < fibers; i++)
		BUG_IF(group_spawn(g, "deliverer", deliverer, &done));
	BUG_IF(fiber_sleep(clock_in(seconds * 1000)));
	stop = true;
	BUG_IF(group_wait(g, clock_in(60000)));
	group_close(&g);

	double took = now() - start;

	BUG_IF(store_stats(st, &after));
	counted = atomic_load(&syncs) - counted;
	printf("%4u fibers: %8.0f updates/s, %6.1f updates/commit, %6.4f syncs/update (counted "
	       "%.4f)\n",
	       fibers, (double)done / took, (double)done / (double)(after.commits - before.commits),
	       (double)(after.syncs - before.syncs) / (double)done, (double)counted / (double)done);
}

struct options {
	const char *dir;
	unsigned seconds;
};

static void run(void *arg)
{
	const struct options *o = arg;
	struct arena *a = arena_new(1 << 20);
	uint64_t x = 88172645463325252U;
	struct str why;

	/* About as compressible as mail: half of it text, half base64. */
	for (size_t i = 0; i < MESSAGE; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		message[i] = i < MESSAGE / 2 ? "the quick brown fox jumps\r\n"[i % 27]
					     : (char)('0' + x % 64);
	}
	if (store_open(str_fmt(a, "lmdb:%s", o->dir), a, &st, &why)) {
		fprintf(stderr, "%.*s\n", FMT(why));
		exit(1);
	}
	for (const unsigned *n = (const unsigned[]){ 1, 8, 64, 256, 0 }; *n; n++)
		measure(*n, o->seconds);
	store_close(&st);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 3 };

	for (int i = 1; i < argc; i++) {
		struct scan in = scan(str_of(i + 1 < argc ? argv[i + 1] : ""));

		if (str_is(str_of(argv[i]), "--seconds")) {
			o.seconds = (unsigned)scan_num(&in, 60);
			i++;
		} else if (str_is(str_of(argv[i]), "--slow-sync")) {
			slow_ms = (unsigned)scan_num(&in, 1000);
			i++;
		} else if (str_is(str_of(argv[i]), "--think")) {
			think_ms = (unsigned)scan_num(&in, 1000);
			i++;
		} else if (str_is(str_of(argv[i]), "--work")) {
			work_us = (unsigned)scan_num(&in, 100000);
			i++;
		} else {
			o.dir = argv[i];
			continue;
		}
		if (!scan_end(&in))
			o.dir = NULL, i = argc;
	}
	if (!o.dir || access(o.dir, F_OK) == 0) {
		fprintf(stderr, "usage: bench-store NEW-DIR [--seconds N] [--slow-sync MS] "
				"[--think MS] [--work US]\n");
		return 2;
	}
	fiber_main(run, &o);
	return 0;
}
