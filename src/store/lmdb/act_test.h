/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_ACT_TEST_H
#define STORE_LMDB_ACT_TEST_H
/*
 * act_test.h - tests in several processes. Each act runs in a process of its own, which opens the
 * store anew; the one that starts them never does.
 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "store/lmdb/lmdb_priv.h"
#include "store/suite_test.h"

static char dir[256] = "store-lmdb-XXXXXX";
static struct arena *arena; /* of the process of an act */
static struct store *store;

struct act {
	void (*fn)(void *arg);
	void *arg;
};

static void open_and_act(void *arg)
{
	const struct act *act = arg;
	struct str why;

	arena = arena_new(64 << 20);
	if (CHECK(store_open(str_fmt(arena, "lmdb:%s", dir), arena, &store, &why) == OK)) {
		act->fn(act->arg);
		store_close(&store);
	} else {
		fprintf(stderr, "%.*s\n", FMT(why));
	}
	arena_free(&arena);
}

static inline pid_t start(void (*frame)(void *arg), void (*fn)(void *arg), void *arg)
{
	struct act act = { fn, arg };

	fflush(NULL);

	pid_t pid = fork();

	BUG_IF(pid < 0);
	if (pid == 0) {
		check_failed = 0;
		fiber_main(frame, &act);
		fflush(NULL);
		exit(check_failed ? 1 : 0);
	}
	return pid;
}

static inline bool ended_well(pid_t pid)
{
	int status;

	BUG_IF(waitpid(pid, &status, 0) != pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* fn with the store open. */
#define ACT(fn, arg) CHECK(ended_well(start(open_and_act, (fn), (arg))))

static inline void new_dir(void)
{
	snprintf(dir, sizeof dir, "store-lmdb-XXXXXX");
	BUG_IF(!mkdtemp(dir));
}

/* How many segments lie there; the path of one of them. */
static inline unsigned segment_files(char *path, size_t n)
{
	struct dirent *e;
	unsigned count = 0;

	snprintf(path, n, "%.255s/segments", dir);

	DIR *d = opendir(path);

	while (d && (e = readdir(d))) {
		uint32_t number;

		if (!segment_number(e->d_name, &number))
			continue;
		snprintf(path, n, "%.255s/segments/%.12s", dir, e->d_name);
		count++;
	}
	if (d)
		closedir(d);
	return count;
}

/* --- faults found by verify --- */

static unsigned faults;

static void count_fault(void *arg, struct str sentence)
{
	faults++;
	if (arg)
		fprintf(stderr, "fault: %.*s\n", FMT(sentence));
}

static void no_progress(void *arg, uint64_t done, uint64_t of)
{
	(void)arg, (void)done, (void)of;
}

static inline enum err verify(bool loud)
{
	faults = 0;
	return store_verify(
		store, &(struct store_report){ count_fault, no_progress, loud ? &faults : NULL });
}

/* --- blobs by number --- */

static inline struct str key_of(unsigned n)
{
	return str_fmt(arena, "m/%08x", n);
}

/* Incompressible ones and text in turns, of 0 to 400,000 octets. Owner: caller, who frees p. */
static inline struct str octets_of(unsigned n)
{
	size_t size = (size_t)n * 7919 % (n % 8 ? 20000 : 400000);

	return STR(suite_octets(size, n % 3, n), size);
}

static inline enum err store_one(struct str partition, unsigned n)
{
	struct str octets = octets_of(n), key = key_of(n);
	struct blob_id id;
	enum err e = suite_store_blob(store, partition, key, octets, key, 50000, &id);

	free((char *)octets.p);
	return e;
}

struct wanted {
	struct str key;
	struct blob_id id;
};

static enum err get_id(struct tx *tx, void *arg)
{
	struct wanted *w = arg;
	struct str v;
	enum err e = tx_get(tx, w->key, &v);

	if (!e)
		memcpy(&w->id, v.p, sizeof w->id);
	return e;
}

static inline enum err id_of(struct str partition, unsigned n, struct blob_id *id)
{
	struct wanted w = { .key = key_of(n) };
	enum err e = store_read(store, partition, get_id, &w);

	*id = w.id;
	return e;
}

static inline enum err check_one(struct str partition, unsigned n)
{
	struct str octets = octets_of(n);
	struct blob_id id;
	enum err e = id_of(partition, n, &id);

	if (!e)
		e = suite_check_blob(store, id, octets, key_of(n));
	free((char *)octets.p);
	return e;
}

#endif
