/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "store/suite_test.h"

void suite_remove(const char *dir)
{
	struct arena *a = arena_new(1 << 20);
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path = str_c(a, str_fmt(a, "%s/%s", dir, e->d_name));

		if (e->d_name[0] != '.' && unlink(path) < 0)
			suite_remove(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
	arena_free(&a);
}

char *suite_octets(size_t n, unsigned kind, uint64_t seed)
{
	static const char *const words[] = { "Received: ", "by ",  "with ESMTPS ", "Subject: ",
					     "\r\n",       "the ", "quick ",       "brown " };
	char *p = mem_new(n);
	size_t at = 0;

	seed = seed * 2 + 1;
	while (at < n) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;

		bool text = kind == 0 || (kind == 2 && at / 65536 % 2 == 0);
		struct str w = text ? str_of(words[seed >> 61]) : STR((char *)&seed + 3, 5);

		w = str_part(w, 0, n - at);
		memcpy(p + at, w.p, w.n);
		at += w.n;
	}
	return p;
}

struct change {
	struct str key;
	struct blob_id id;
};

static enum err ref(struct tx *tx, void *arg)
{
	struct change *c = arg;

	tx_put(tx, c->key, STR((char *)c->id.octets, sizeof c->id.octets));
	return tx_blob_ref(tx, c->id);
}

static enum err unref(struct tx *tx, void *arg)
{
	struct change *c = arg;

	tx_del(tx, c->key);
	tx_blob_unref(tx, c->id);
	return OK;
}

static enum err write_blob(struct blob *b, struct str octets, struct str summary, size_t piece,
			   struct blob_id *id)
{
	for (size_t at = 0; at < octets.n; at += piece) {
		enum err e = blob_write(b, str_part(octets, at, piece));

		if (e)
			return e;
	}
	return blob_finish(b, summary, id);
}

enum err suite_store_blob(struct store *st, struct str partition, struct str key, struct str octets,
			  struct str summary, size_t piece, struct blob_id *id)
{
	struct blob *b = blob_new(st);
	enum err e = write_blob(b, octets, summary, piece, id);

	if (!e)
		e = store_update(st, partition, ref, &(struct change){ key, *id });
	blob_close(&b);
	return e;
}

enum err suite_drop_blob(struct store *st, struct str partition, struct str key, struct blob_id id)
{
	return store_update(st, partition, unref, &(struct change){ key, id });
}

enum err suite_check_blob(struct store *st, struct blob_id id, struct str octets,
			  struct str summary)
{
	struct arena *a = arena_new(16 << 20);
	struct blob_info info;
	struct str got;
	enum err e = blob_stat(st, id, &info);

	if (!e && (info.size != octets.n || info.summary_size != summary.n))
		e = E_CORRUPT;
	if (!e)
		e = blob_summary(st, id, a, &got);
	if (!e && !str_eq(got, summary))
		e = E_CORRUPT;
	for (size_t at = 0; !e && at <= octets.n; at += BLOB_READ_MAX) {
		arena_reset(a);
		e = blob_read(st, id, at, BLOB_READ_MAX, a, &got);
		if (!e && !str_eq(got, str_part(octets, at, BLOB_READ_MAX)))
			e = E_CORRUPT;
	}
	arena_free(&a);
	return e;
}

void suite_blob(struct store *st)
{
	struct arena *a = arena_new(1 << 20);
	struct str octets = S("From: a\r\n\r\nhello"), got;
	struct blob_id id, before, none = { .octets = "no such blob" };
	struct blob_info info;

	CHECK_NUM(suite_store_blob(st, S("a"), S("m"), octets, S("summary"), 5, &before), OK);
	CHECK_NUM(suite_store_blob(st, S("a"), S("n"), octets, S(""), 100, &id), OK);
	CHECK(memcmp(&before, &id, sizeof id) < 0);
	CHECK_NUM(suite_check_blob(st, before, octets, S("summary")), OK);
	CHECK_NUM(suite_check_blob(st, id, octets, S("")), OK);
	CHECK_NUM(blob_read(st, id, 6, 3, a, &got), OK);
	CHECK_STR(got, "a\r\n");
	CHECK_NUM(blob_read(st, id, 11, 1000, a, &got), OK);
	CHECK_STR(got, "hello");
	CHECK_NUM(blob_read(st, id, 16, 10, a, &got), OK);
	CHECK_STR(got, "");
	CHECK_NUM(blob_read(st, id, UINT64_MAX, 10, a, &got), OK);
	CHECK_STR(got, "");
	CHECK_NUM(blob_read(st, id, 3, 0, a, &got), OK);
	CHECK_STR(got, "");
	CHECK_NUM(blob_read(st, none, 0, 10, a, &got), E_NOTFOUND);
	CHECK_NUM(blob_summary(st, none, a, &got), E_NOTFOUND);
	CHECK_NUM(blob_stat(st, none, &info), E_NOTFOUND);
	CHECK_NUM(store_update(st, S("a"), ref, &(struct change){ S("x"), none }), E_NOTFOUND);
	arena_free(&a);
}

void suite_blob_sizes(struct store *st)
{
	static const size_t sizes[] = { 0,      1,      4095,   65536,   262143,  262144,
					262145, 524288, 524289, 1048576, 3 << 20, 20 << 20 };
	char *summary = suite_octets(100000, 0, 9);

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		for (unsigned kind = 0; kind < 3; kind++) {
			char *p = suite_octets(sizes[i], kind, i);
			struct str octets = STR(p, sizes[i]), sum = STR(summary, i * 9000), got;
			struct arena *a = arena_new(2 << 20);
			struct blob_id id;

			if (!CHECK(suite_store_blob(st, S("a"), S("m"), octets, sum, 60000 + i * 77,
						    &id) == OK) ||
			    !CHECK(suite_check_blob(st, id, octets, sum) == OK))
				fprintf(stderr, "size %zu, kind %u\n", sizes[i], kind);
			for (size_t off = 1; off < sizes[i]; off = off * 3 + 100) {
				CHECK_NUM(blob_read(st, id, off, 70000, a, &got), OK);
				CHECK(str_eq(got, str_part(octets, off, 70000)));
				arena_reset(a);
			}
			CHECK_NUM(suite_drop_blob(st, S("a"), S("m"), id), OK);
			arena_free(&a);
			free(p);
		}
	}
	free(summary);

	static char most[BLOB_SUMMARY_MAX + 1];
	struct blob_id id;

	CHECK_NUM(suite_store_blob(st, S("a"), S("m"), S("o"), STR(most, BLOB_SUMMARY_MAX), 9, &id),
		  OK);
	CHECK_NUM(suite_store_blob(st, S("a"), S("m"), S("o"), STR(most, sizeof most), 9, &id),
		  E_LIMIT);
}

void suite_blob_refs(struct store *st)
{
	struct str octets = S("the message"), sum = S("s");
	struct blob *b = blob_new(st);
	struct blob_info info;
	struct blob_id id;
	struct store_stats stats;

	CHECK_NUM(write_blob(b, octets, sum, 99, &id), OK);

	struct change c = { S("k"), id };

	CHECK_NUM(blob_stat(st, id, &info), E_NOTFOUND);
	CHECK_NUM(store_update(st, S("a"), ref, &c), OK);
	CHECK_NUM(store_update(st, S("a"), ref, &c), OK);
	CHECK_NUM(store_update(st, S("b"), ref, &c), OK);
	blob_close(&b);
	CHECK(!b);
	CHECK_NUM(store_stats(st, &stats), OK);
	CHECK_NUM(stats.blobs, 1);
	CHECK_NUM(stats.blob_octets, octets.n);

	CHECK_NUM(store_update(st, S("b"), unref, &c), OK);
	CHECK_NUM(store_update(st, S("b"), unref, &c), OK); /* b has none any more: nothing */
	CHECK_NUM(store_update(st, S("never"), unref, &c), OK);
	CHECK_NUM(store_update(st, S("a"), unref, &c), OK);
	CHECK_NUM(suite_check_blob(st, id, octets, sum), OK);
	CHECK_NUM(store_update(st, S("a"), unref, &c), OK);
	CHECK_NUM(blob_stat(st, id, &info), E_NOTFOUND);
	CHECK_NUM(store_update(st, S("a"), ref, &c), E_NOTFOUND);
	CHECK_NUM(store_stats(st, &stats), OK);
	CHECK_NUM(stats.blobs, 0);

	/* While its writer holds it, it may come back. */
	b = blob_new(st);
	CHECK_NUM(write_blob(b, octets, sum, 99, &id), OK);
	c.id = id;
	CHECK_NUM(store_update(st, S("a"), ref, &c), OK);
	CHECK_NUM(store_update(st, S("a"), unref, &c), OK);
	CHECK_NUM(store_update(st, S("b"), ref, &c), OK);
	blob_close(&b);
	CHECK_NUM(suite_check_blob(st, id, octets, sum), OK);
}

static enum err ref_and_fail(struct tx *tx, void *arg)
{
	enum err e = ref(tx, arg);

	return e ? e : E_QUOTA;
}

void suite_blob_given_up(struct store *st)
{
	char *large = suite_octets(1 << 20, 1, 1);
	struct blob_info info;
	struct blob_id id;
	struct store_stats stats;

	for (size_t n = 0; n <= 1 << 20; n = n * 4 + 1000) {
		struct blob *b = blob_new(st);

		blob_close(&b); /* empty */
		b = blob_new(st);
		CHECK_NUM(blob_write(b, STR(large, n)), OK);
		blob_close(&b); /* not finished */
		b = blob_new(st);
		CHECK_NUM(write_blob(b, STR(large, n), S("s"), 100000, &id), OK);
		blob_close(&b); /* not referred to */
		CHECK_NUM(blob_stat(st, id, &info), E_NOTFOUND);
		b = blob_new(st);
		CHECK_NUM(write_blob(b, STR(large, n), S("s"), 100000, &id), OK);

		struct change c = { S("k"), id };

		CHECK_NUM(store_update(st, S("a"), ref_and_fail, &c), E_QUOTA);
		CHECK_NUM(blob_stat(st, id, &info), E_NOTFOUND);
		blob_close(&b);
		CHECK_NUM(store_update(st, S("a"), ref, &c), E_NOTFOUND);
	}
	CHECK_NUM(store_stats(st, &stats), OK);
	CHECK_NUM(stats.blobs, 0);
	CHECK_NUM(stats.keys, 0);
	free(large);
}

static struct store *shared;

static void deliverer(void *arg)
{
	char *p = suite_octets(400000, 2, 5);
	size_t self = *(size_t *)arg;

	for (size_t i = 0; i < 6; i++) {
		struct arena *a = arena_new(1 << 16);
		struct str key = str_fmt(a, "%zu/%zu", self, i);
		struct str octets = STR(p + i, (self * 7919 + i * 100003) % 390000);
		struct blob_id id;

		CHECK_NUM(suite_store_blob(shared, S("d"), key, octets, key, 8192, &id), OK);
		CHECK_NUM(suite_check_blob(shared, id, octets, key), OK);
		if (i % 2)
			CHECK_NUM(suite_drop_blob(shared, S("d"), key, id), OK);
		arena_free(&a);
	}
	free(p);
}

void suite_blob_fibers(struct store *st)
{
	struct group *g = group_new();
	struct store_stats stats;
	uint64_t freed;
	static size_t self[24];

	shared = st;
	for (size_t i = 0; i < 24; i++) {
		self[i] = i;
		CHECK_NUM(group_spawn(g, "deliverer", deliverer, &self[i]), OK);
	}
	CHECK_NUM(group_wait(g, clock_in(60000)), OK);
	group_close(&g);
	CHECK_NUM(store_stats(st, &stats), OK);
	CHECK_NUM(stats.blobs, 72);
	CHECK_NUM(stats.keys, 72);
	CHECK_NUM(store_reclaim(st, &freed), OK);
}
