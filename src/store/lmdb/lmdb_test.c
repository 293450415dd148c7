/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "store/lmdb/lmdb_priv.h"
#include "store/lmdb/act_test.h"

/*
 * What only an engine with files and several processes has to show.
 */

static void act_only(void *arg)
{
	const struct act *act = arg;

	arena = arena_new(64 << 20);
	act->fn(act->arg);
	arena_free(&arena);
}

#define ACT_CLOSED(fn, arg) CHECK(ended_well(start(act_only, (fn), (arg))))

static void drop_one(unsigned n)
{
	struct blob_id id;

	CHECK_NUM(id_of(S("a"), n, &id), OK);
	CHECK_NUM(suite_drop_blob(store, S("a"), key_of(n), id), OK);
}

static void store_many(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		CHECK_NUM(store_one(S("a"), i), OK);
}

static void check_many(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		CHECK_NUM(check_one(S("a"), i), OK);
	CHECK_NUM(verify(true), OK);
}

/* --- files --- */

static void poke(const char *path, off_t at, char with)
{
	int fd = open(path, O_RDWR);

	CHECK(fd >= 0 && pwrite(fd, &with, 1, at) == 1);
	close(fd);
}

/* --- tests --- */

static void reopened_stats(void *arg)
{
	struct store_stats s;

	(void)arg;
	CHECK_NUM(store_stats(store, &s), OK);
	CHECK_NUM(s.blobs, 40);
	CHECK_NUM(s.keys, 40);
	CHECK_NUM(s.partitions, 1);
	CHECK_NUM(s.segments, 1);
	CHECK_NUM(s.updates, 40);
	CHECK(s.commits <= 40 && s.syncs >= 2 * s.commits);
	CHECK(s.octets_written >= s.live_octets && s.live_octets > 0);
}

static void open_twice(void *arg)
{
	struct store *second;
	struct str why;

	(void)arg;
	CHECK_NUM(store_open(str_fmt(arena, "lmdb:%s/.", dir), arena, &second, &why), E_DENIED);
	CHECK(why.n > 0);
}

static void test_reopen(void)
{
	char path[600];
	unsigned n = 40;

	new_dir();
	ACT(store_many, &n);
	ACT(check_many, &n);
	ACT(reopened_stats, NULL);
	ACT(open_twice, NULL);
	ACT(check_many, &n);
	/* The next one to write goes on in the segment that has room. */
	n = 41;
	ACT(store_many, &n);
	ACT(check_many, &n);
	CHECK_NUM(segment_files(path, sizeof path), 1);
	suite_remove(dir);
}

/* Two processes, each telling the other through the store alone. */
static enum err put_turn(struct tx *tx, void *arg)
{
	tx_put(tx, S("turn"), str_fmt(tx_arena(tx), "%u", *(unsigned *)arg));
	return OK;
}

static enum err get_turn(struct tx *tx, void *arg)
{
	struct str v;
	enum err e = tx_get(tx, S("turn"), &v);

	*(unsigned *)arg = 0;
	if (!e) {
		struct scan in = scan(v);

		*(unsigned *)arg = (unsigned)scan_num(&in, 1000);
	}
	return e == E_NOTFOUND ? OK : e;
}

static void play(void *arg)
{
	unsigned self = *(unsigned *)arg, turn = 0;
	struct watch *w = store_watch(store, S("game"));

	while (turn < 100) {
		uint64_t seen = watch_signal(w)->count;

		CHECK_NUM(store_read(store, S("game"), get_turn, &turn), OK);
		if (turn % 2 == self && turn < 100) {
			turn++;
			CHECK_NUM(store_update(store, S("game"), put_turn, &turn), OK);
		} else if (turn < 100 &&
			   !CHECK(signal_wait(watch_signal(w), seen, clock_in(20000)) == OK)) {
			break;
		}
	}
	watch_close(&w);
}

static void test_two_processes(void)
{
	unsigned first = 0, second = 1;

	new_dir();

	pid_t a = start(open_and_act, play, &first), b = start(open_and_act, play, &second);

	CHECK(ended_well(a));
	CHECK(ended_well(b));
	suite_remove(dir);
}

/* One that died between its commit and the telling leaves "committing" in DIR/watch. */
static void wait_for_news(void *arg)
{
	int *pipes = arg;
	struct watch *w = store_watch(store, S("x"));
	uint64_t seen = watch_signal(w)->count;

	CHECK(write(pipes[1], "r", 1) == 1);
	CHECK_NUM(signal_wait(watch_signal(w), seen, clock_in(20000)), OK);
	watch_close(&w);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void test_died_before_telling(void)
{
	char path[600], c;
	int pipes[2];

	new_dir();
	BUG_IF(pipe(pipes) < 0);

	pid_t pid = start(open_and_act, wait_for_news, pipes);

	CHECK(read(pipes[0], &c, 1) == 1);
	snprintf(path, sizeof path, "%s/watch", dir);
	poke(path, 16, 1); /* the lowest octet of committing */
	ACT(nothing, NULL);
	CHECK(ended_well(pid));
	close(pipes[0]);
	close(pipes[1]);
	suite_remove(dir);
}

/* --- versions --- */

static void set_format(void *arg)
{
	char name[] = "format", v[4] = { *(char *)arg };
	MDB_val key = { 6, name }, value = { 4, v };
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	BUG_IF(mdb_env_create(&env) || mdb_env_set_maxdbs(env, 8));
	BUG_IF(mdb_env_open(env, str_c(arena, str_fmt(arena, "%s/map", dir)), MDB_NOSUBDIR, 0600));
	BUG_IF(mdb_txn_begin(env, NULL, 0, &txn) || mdb_dbi_open(txn, "meta", 0, &dbi));
	BUG_IF(mdb_put(txn, dbi, &key, &value, 0) || mdb_txn_commit(txn));
	mdb_env_close(env);
}

static void expect_refused(void *arg)
{
	struct store *st;
	struct str why;

	CHECK_NUM(store_open(str_fmt(arena, "lmdb:%s", dir), arena, &st, &why), E_VERSION);
	CHECK(str_find_str(why, str_of(arg)) < why.n);
	CHECK(str_find_str(why, S("version 7")) < why.n);
	CHECK(str_find_str(why, S("version 1")) < why.n);
}

static void expect_version(void *arg)
{
	struct arena *a = arena_new(1 << 20);
	struct blob_id id;
	struct str got;

	(void)arg;
	CHECK_NUM(id_of(S("a"), 5, &id), OK);
	CHECK_NUM(blob_read(store, id, 0, 10, a, &got), E_VERSION);
	CHECK_NUM(verify(false), E_CORRUPT);
	arena_free(&a);
}

static void test_versions(void)
{
	char path[600], map[] = "map", watch[] = "watch", old = 7, right = FORMAT_VERSION;
	unsigned n = 10;

	new_dir();
	ACT(store_many, &n);
	ACT_CLOSED(set_format, &old);
	ACT_CLOSED(expect_refused, map);
	ACT_CLOSED(set_format, &right);
	snprintf(path, sizeof path, "%s/watch", dir);
	poke(path, 8, 7);
	ACT_CLOSED(expect_refused, watch);
	poke(path, 8, 1);
	CHECK_NUM(segment_files(path, sizeof path), 1);
	poke(path, 8, 7);
	ACT(expect_version, NULL);
	poke(path, 8, SEGMENT_VERSION);
	ACT(check_many, &n);
	suite_remove(dir);
}

static void expect_not_ours(void *arg)
{
	struct store *st;
	struct str why;

	(void)arg;
	CHECK_NUM(store_open(str_fmt(arena, "lmdb:%s", dir), arena, &st, &why), E_CORRUPT);
	CHECK(why.n > 0);
	CHECK_NUM(store_open(S("lmdb:/nowhere/at/all"), arena, &st, &why), E_NOTFOUND);
	CHECK(str_find_str(why, S("/nowhere/at/all")) < why.n);
}

static void test_not_ours(void)
{
	char path[600];

	new_dir();
	snprintf(path, sizeof path, "%s/map", dir);

	FILE *f = fopen(path, "w");

	for (unsigned i = 0; f && i < 3000; i++)
		fprintf(f, "no map\n");
	if (f)
		fclose(f);
	ACT_CLOSED(expect_not_ours, NULL);
	suite_remove(dir);
}

/* --- damage --- */

static void expect_damage(void *arg)
{
	unsigned n = *(unsigned *)arg, bad = 0;

	for (unsigned i = 0; i < n; i++) {
		enum err e = check_one(S("a"), i);

		CHECK(e == OK || e == E_CORRUPT);
		bad += e == E_CORRUPT;
	}
	CHECK_NUM(bad, 1);
	CHECK_NUM(verify(false), E_CORRUPT);
	CHECK_NUM(faults, 1);
}

static void expect_short(void *arg)
{
	(void)arg;
	CHECK_NUM(verify(false), E_CORRUPT);
	CHECK(faults > 0);
	CHECK_NUM(check_one(S("a"), 0), OK);
	CHECK_NUM(check_one(S("a"), 49), E_CORRUPT);
}

static void test_damage(void)
{
	unsigned n = 50;
	char path[600];
	struct stat st;

	new_dir();
	ACT(store_many, &n);
	CHECK_NUM(segment_files(path, sizeof path), 1);
	CHECK(stat(path, &st) == 0);

	/* An octet anywhere behind the head belongs to one blob, or to the zeros between them. */
	int fd = open(path, O_RDWR);
	char was, turned;
	off_t at = st.st_size / 2;

	CHECK(pread(fd, &was, 1, at) == 1);
	turned = (char)(was ^ 0x10);
	CHECK(pwrite(fd, &turned, 1, at) == 1);
	ACT(expect_damage, &n);
	CHECK(pwrite(fd, &was, 1, at) == 1);
	ACT(check_many, &n);
	CHECK(ftruncate(fd, st.st_size - 100) == 0);
	close(fd);
	ACT(expect_short, NULL);
	suite_remove(dir);
}

/* --- reclaim --- */

static bool reclaimed;

static void reader(void *arg)
{
	unsigned n = *(unsigned *)arg;

	for (unsigned i = 0; !reclaimed || i < n; i++)
		if (i % n % 5 == 0)
			CHECK_NUM(check_one(S("a"), i % n), OK);
}

static void drop_and_reclaim(void *arg)
{
	unsigned n = *(unsigned *)arg;
	struct group *g = group_new();
	struct store_stats before, after;
	uint64_t freed;

	for (unsigned i = 0; i < n; i++)
		if (i % 5)
			drop_one(i);
	CHECK_NUM(store_stats(store, &before), OK);
	CHECK(before.dead_octets > before.live_octets);
	CHECK_NUM(group_spawn(g, "reader", reader, arg), OK);
	fiber_yield();
	CHECK_NUM(store_reclaim(store, &freed), OK);
	reclaimed = true;
	CHECK_NUM(group_wait(g, clock_in(60000)), OK);
	group_close(&g);
	CHECK_NUM(store_stats(store, &after), OK);
	CHECK(freed >= before.dead_octets);
	CHECK_NUM(after.live_octets, before.live_octets);
	CHECK(after.dead_octets < 64);
	for (unsigned i = 0; i < n; i++)
		CHECK_NUM(check_one(S("a"), i), i % 5 ? E_NOTFOUND : OK);
	CHECK_NUM(verify(true), OK);
	/* Again: there is nothing to do. */
	CHECK_NUM(store_reclaim(store, &freed), OK);
	CHECK_NUM(freed, 0);
}

static void drop_rest(void *arg)
{
	uint64_t freed;

	for (unsigned i = 0; i < *(unsigned *)arg; i += 5)
		drop_one(i);
	CHECK_NUM(store_reclaim(store, &freed), OK);
	CHECK(freed > 0);
}

static void test_reclaim(void)
{
	unsigned n = 150;
	char path[600];

	new_dir();
	ACT(store_many, &n);
	ACT(drop_and_reclaim, &n);
	CHECK_NUM(segment_files(path, sizeof path), 1);
	ACT(drop_rest, &n);
	CHECK_NUM(segment_files(path, sizeof path), 0);
	suite_remove(dir);
}

/* --- wipe --- */

static void drop_most(void *arg)
{
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		if (i % 5)
			drop_one(i);
}

/* Of the file that this process writes to nothing can be wiped until it is sealed. */
static void wipe_own(void *arg)
{
	unsigned n = *(unsigned *)arg;
	uint64_t octets;

	CHECK_NUM(store_one(S("a"), n), OK);
	CHECK_NUM(store_wipe(store, &octets), E_AGAIN);
	CHECK_NUM(octets, 0);
	store_seal(store);
	CHECK_NUM(store_one(S("a"), n + 1), OK); /* goes to a new one */
	CHECK_NUM(store_wipe(store, &octets), E_AGAIN);
	CHECK(octets > 0);
	store_seal(store);
	CHECK_NUM(store_wipe(store, &octets), OK);
	CHECK_NUM(octets, 0); /* there was nothing left to do */
	for (unsigned i = 0; i < n; i++)
		CHECK_NUM(check_one(S("a"), i), i % 5 ? E_NOTFOUND : OK);
	CHECK_NUM(verify(true), OK);
}

/* How many octets of a file are not zero. */
static unsigned not_zero(const char *name)
{
	char path[600];
	unsigned count = 0;
	int c;

	snprintf(path, sizeof path, "%s/segments/%s", dir, name);
	FILE *f = fopen(path, "re");
	BUG_IF(!f);
	while ((c = getc(f)) != EOF)
		count += c != 0;
	fclose(f);
	return count;
}

static void test_wipe(void)
{
	unsigned n = 150;
	char path[600];

	new_dir();
	ACT(store_many, &n);
	unsigned all = not_zero("00000001.seg");
	ACT(drop_most, &n);
	CHECK_NUM(not_zero("00000001.seg"), all);
	ACT(wipe_own, &n);
	CHECK(not_zero("00000001.seg") < all / 2);
	CHECK_NUM(segment_files(path, sizeof path), 2);
	suite_remove(dir);
}

/* A damaged blob must not keep the others from moving, nor be thrown away with its segment. */
static void reclaim_damaged(void *arg)
{
	unsigned n = *(unsigned *)arg, bad = 0;
	uint64_t freed;

	for (unsigned i = 0; i < n; i++)
		if (i % 5)
			drop_one(i);
	CHECK_NUM(store_reclaim(store, &freed), OK);
	for (unsigned i = 0; i < n; i += 5)
		bad += check_one(S("a"), i) != OK;
	CHECK_NUM(bad, 1);
}

static void find_place(void *arg)
{
	struct blob_row r;
	struct blob_id id;
	MDB_txn *txn;

	CHECK_NUM(id_of(S("a"), 40, &id), OK);
	CHECK_NUM(map_read_begin(&lmdb(store)->map, &txn), OK);
	CHECK_NUM(blob_row_get(&lmdb(store)->map, txn, id, &r), OK);
	map_read_end(&lmdb(store)->map, txn);
	CHECK(write(*(int *)arg, &r.at, sizeof r.at) == sizeof r.at);
}

static void test_reclaim_damaged(void)
{
	unsigned n = 60;
	char path[600];
	int pipes[2];
	uint64_t at = 0;

	new_dir();
	BUG_IF(pipe(pipes) < 0);
	ACT(store_many, &n);
	ACT(find_place, &pipes[1]);
	CHECK(read(pipes[0], &at, sizeof at) == sizeof at);
	CHECK_NUM(segment_files(path, sizeof path), 1);
	poke(path, (off_t)at + 200, '?');
	ACT(reclaim_damaged, &n);
	CHECK_NUM(segment_files(path, sizeof path), 2);
	close(pipes[0]);
	close(pipes[1]);
	suite_remove(dir);
}

/* --- a map that grows --- */

static enum err put_block(struct tx *tx, void *arg)
{
	unsigned n = *(unsigned *)arg;
	char *p = suite_octets(200000, 1, n);

	tx_put(tx, str_fmt(tx_arena(tx), "%08x", n), STR(p, 200000));
	free(p);
	return OK;
}

static enum err get_block(struct tx *tx, void *arg)
{
	struct str v;
	enum err e = tx_get(tx, str_fmt(tx_arena(tx), "%08x", *(unsigned *)arg), &v);

	return e ? e : v.n == 200000 ? OK : E_CORRUPT;
}

/* Each writes its own and reads the other's as they come, both through maps that are too small. */
static void grow(void *arg)
{
	unsigned self = *(unsigned *)arg, other = !self;

	for (unsigned i = 0; i < 60; i++) {
		unsigned n = i * 2 + self;

		CHECK_NUM(store_update(store, S("g"), put_block, &n), OK);
		CHECK_NUM(store_read(store, S("g"), get_block, &n), OK);
	}
	for (unsigned i = 0; i < 60; i++) {
		unsigned n = i * 2 + other;
		enum err e;
		int64_t deadline = clock_in(30000);

		while ((e = store_read(store, S("g"), get_block, &n)) == E_NOTFOUND &&
		       clock_ms() < deadline)
			CHECK_NUM(fiber_sleep(clock_in(5)), OK);
		CHECK_NUM(e, OK);
	}
}

static void test_grow(void)
{
	unsigned first = 0, second = 1;
	size_t size = map_first_size;

	new_dir();
	map_first_size = 1 << 20;

	pid_t a = start(open_and_act, grow, &first), b = start(open_and_act, grow, &second);

	CHECK(ended_well(a));
	CHECK(ended_well(b));
	map_first_size = size;
	suite_remove(dir);
}

int main(void)
{
	test_reopen();
	test_two_processes();
	test_died_before_telling();
	test_versions();
	test_not_ours();
	test_damage();
	test_reclaim();
	test_wipe();
	test_reclaim_damaged();
	test_grow();
	return check_done();
}
