/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "store/lmdb/act_test.h"

/*
 * What must not hurt: writers killed at any instant, and a full disk.
 */

enum { ROUNDS = 30, FIBERS = 24, NUMBERS = 1 << 20 };

/* --- killed writers --- */

/* Writers tell each number after its commit, and not before. */
static int told[2];
static uint8_t *acknowledged; /* by number */
static unsigned next_number, stop_at;

static void writer(void *arg)
{
	(void)arg;
	while (next_number < stop_at) {
		unsigned n = next_number++;

		if (!CHECK(store_one(S("a"), n) == OK) ||
		    !CHECK(write(told[1], &n, sizeof n) == sizeof n))
			return;
		/* Some go again at once. */
		if (n % 4 == 3) {
			struct blob_id id;

			n |= 1U << 31;
			if (!CHECK(id_of(S("a"), n & ~(1U << 31), &id) == OK) ||
			    !CHECK(write(told[1], &n, sizeof n) == sizeof n) ||
			    !CHECK(suite_drop_blob(store, S("a"), key_of(n & ~(1U << 31)), id) ==
				   OK))
				return;
		}
	}
}

static void write_on(void *arg)
{
	struct group *g = group_new();

	next_number = *(unsigned *)arg;
	stop_at = next_number < NUMBERS / 2 ? next_number + 10000 : NUMBERS;
	for (unsigned i = 0; i < FIBERS; i++)
		CHECK_NUM(group_spawn(g, "writer", writer, NULL), OK);
	CHECK_NUM(group_wait(g, clock_in(150000)), OK);
	group_close(&g);
}

/* Bit 0: kept; bit 1: its removal was begun, so it may be gone. */
static void hear(void)
{
	unsigned n[512];
	ssize_t got;

	while ((got = read(told[0], n, sizeof n)) > 0) {
		for (size_t i = 0; i < (size_t)got / sizeof *n; i++) {
			if (n[i] & 1U << 31)
				acknowledged[n[i] & ~(1U << 31)] |= 2;
			else
				acknowledged[n[i]] |= 1;
		}
	}
	BUG_IF(got < 0 && errno != EAGAIN);
}

static void hear_for(int ms)
{
	struct pollfd p = { told[0], POLLIN, 0 };
	int64_t until = clock_in(ms);

	do {
		hear();
		poll(&p, 1, 1);
	} while (clock_ms() < until);
}

static void check_all(void *arg)
{
	struct store_stats s;
	char path[600];
	unsigned kept = 0;

	for (unsigned n = 0; n < NUMBERS; n++) {
		if (!acknowledged[n])
			continue;
		kept++;

		enum err e = check_one(S("a"), n);

		if (e == E_NOTFOUND && acknowledged[n] & 2)
			continue;
		if (!CHECK(e == OK))
			fprintf(stderr, "blob %u is lost: %s\n", n, err_text(e));
		arena_reset(arena);
	}
	CHECK(kept > 0);
	CHECK_NUM(verify(true), OK);
	CHECK_NUM(store_stats(store, &s), OK);
	CHECK_NUM(s.blobs, s.keys);
	/* What the dead left behind is swept: each file has its row. */
	if (arg)
		CHECK_NUM(segment_files(path, sizeof path), s.segments);
}

static void test_killed(void)
{
	unsigned steady_first = NUMBERS / 2, first = 0;
	uint16_t chance;

	new_dir();
	BUG_IF(pipe2(told, O_CLOEXEC) < 0 || fcntl(told[0], F_SETFL, O_NONBLOCK) < 0);
	fcntl(told[0], F_SETPIPE_SZ, 1 << 20);
	acknowledged = mem_new(NUMBERS);

	/* One lives on through all rounds: it must not hang when another dies in its commit. */
	pid_t steady = start(open_and_act, write_on, &steady_first);

	for (unsigned i = 0; i < ROUNDS; i++, first += 10000) {
		pid_t pid = start(open_and_act, write_on, &first);

		BUG_IF(getrandom(&chance, sizeof chance, 0) != sizeof chance);
		hear_for(30 + chance % 120);
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(!ended_well(pid));
		hear();
		if (i % 10 == 9)
			ACT(check_all, NULL);
	}
	hear_for(50);

	unsigned before = 0, after = 0;

	for (unsigned n = steady_first; n < NUMBERS; n++)
		before += acknowledged[n];
	hear_for(200);
	for (unsigned n = steady_first; n < NUMBERS; n++)
		after += acknowledged[n];
	CHECK(after > before);
	CHECK(kill(steady, SIGKILL) == 0);
	CHECK(!ended_well(steady));
	hear();
	ACT(check_all, told);
	free(acknowledged);
	close(told[0]);
	close(told[1]);
	suite_remove(dir);
}

/* --- a full disk --- */

/* Fills what there is; gives what was kept. */
static unsigned fill(unsigned from, unsigned to)
{
	unsigned n = from, failures = 0;

	for (; n < to && failures < 3; n++) {
		enum err e = store_one(S("a"), n);

		CHECK(e == OK || e == E_NOSPACE);
		if (e) {
			CHECK_NUM(check_one(S("a"), n), E_NOTFOUND);
			failures++;
		} else {
			acknowledged[n] = 1;
		}
	}
	return n;
}

static void check_kept(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_NUM(check_one(S("a"), i), acknowledged[i] ? OK : E_NOTFOUND);
	CHECK_NUM(verify(true), OK);
}

/* What is there stays, removing goes on; gives the number behind the last. */
static unsigned fill_and_drop(void)
{
	unsigned n = fill(0, 2000), dropped = 0;
	struct blob_id id;
	uint64_t freed;

	CHECK(n > 10 && n < 2000);
	check_kept(n);
	for (unsigned i = 0; i < n; i += 2) {
		if (!acknowledged[i])
			continue;
		CHECK_NUM(id_of(S("a"), i, &id), OK);
		CHECK_NUM(suite_drop_blob(store, S("a"), key_of(i), id), OK);
		acknowledged[i] = 0;
		dropped++;
	}
	CHECK(dropped > 3);
	check_kept(n);
	enum err e = store_reclaim(store, &freed);

	CHECK(e == OK || e == E_NOSPACE);
	return n;
}

static void fill_limited(void *arg)
{
	struct rlimit most;

	(void)arg;
	acknowledged = mem_new(4000);
	CHECK(getrlimit(RLIMIT_FSIZE, &most) == 0);

	struct rlimit small = { 3 << 20, most.rlim_max };

	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);

	unsigned n = fill_and_drop();

	CHECK(setrlimit(RLIMIT_FSIZE, &most) == 0);
	CHECK_NUM(fill(n, n + 100), n + 100);
	check_kept(n + 100);
	free(acknowledged);
}

static void fill_disk(void *arg)
{
	(void)arg;
	acknowledged = mem_new(4000);
	disk_reserve = 1 << 20;
	fill_and_drop();
	free(acknowledged);
}

static void test_full(void)
{
	new_dir();
	ACT(fill_limited, NULL);
	suite_remove(dir);

	/* A file system of its own, where that is allowed. */
	new_dir();
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", dir, "tmpfs", 0, "size=6m") == 0) {
		ACT(fill_disk, NULL);
		CHECK(umount2(dir, MNT_DETACH) == 0);
	} else {
		printf("no file system of a limited size here: not tested\n");
	}
	suite_remove(dir);
}

int main(void)
{
	signal(SIGXFSZ, SIG_IGN);
	test_full();
	test_killed();
	return check_done();
}
