/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "store/suite_test.h"

/*
 * What store.h promises, asked of one engine: suite_test ENGINE. Each test has a new store.
 */

struct str_pair {
	struct str key, value;
};

/* --- small updates to build the tests of --- */

static enum err put_one(struct tx *tx, void *arg)
{
	const struct str_pair *p = arg;

	tx_put(tx, p->key, p->value);
	return OK;
}

static enum err del_one(struct tx *tx, void *arg)
{
	tx_del(tx, *(struct str *)arg);
	return OK;
}

static enum err put(struct store *st, const char *part, const char *key, const char *value)
{
	struct str_pair p = { str_of(key), str_of(value) };

	return store_update(st, str_of(part), put_one, &p);
}

static enum err del(struct store *st, const char *part, const char *key)
{
	struct str k = str_of(key);

	return store_update(st, str_of(part), del_one, &k);
}

struct asked {
	struct str key;
	char value[64];
	size_t n;
};

static enum err get_one(struct tx *tx, void *arg)
{
	struct asked *g = arg;
	struct str v;
	enum err e = tx_get(tx, g->key, &v);

	if (e)
		return e;
	g->n = v.n;
	memcpy(g->value, v.p, v.n < sizeof g->value ? v.n : sizeof g->value);
	return OK;
}

/* The value, or the error's text; lives until the next call. */
static struct str get(struct store *st, const char *part, const char *key)
{
	static struct asked g;

	g = (struct asked){ .key = str_of(key) };

	enum err e = store_read(st, str_of(part), get_one, &g);

	return e ? str_of(err_text(e)) : STR(g.value, g.n < sizeof g.value ? g.n : sizeof g.value);
}

#define GONE err_text(E_NOTFOUND)

/* "k=v k=v ..." of all that starts with prefix. */
struct listing {
	struct str prefix;
	char text[2048];
	size_t n;
};

static enum err list(struct tx *tx, void *arg)
{
	struct listing *l = arg;
	struct str key = S(""), value;
	enum err e;

	l->n = 0;
	while (!(e = tx_next(tx, l->prefix, key, &key, &value)))
		l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%.*s=%.*s ",
					 FMT(key), FMT(value));
	return e == E_NOTFOUND ? OK : e;
}

static struct str listed(struct store *st, const char *part, const char *prefix)
{
	static struct listing l;

	l.prefix = str_of(prefix);
	CHECK_NUM(store_read(st, str_of(part), list, &l), OK);
	return STR(l.text, l.n);
}

/* --- maps --- */

static void test_map(struct store *st)
{
	CHECK_STR(get(st, "a", "k"), GONE);
	CHECK_STR(listed(st, "a", ""), "");
	CHECK_NUM(put(st, "a", "k", "1"), OK);
	CHECK_NUM(put(st, "a", "k", "2"), OK);
	CHECK_NUM(put(st, "b", "k", "other"), OK);
	CHECK_NUM(put(st, "a", "j", ""), OK);
	CHECK_NUM(put(st, "a", "kk", "3"), OK);
	CHECK_STR(get(st, "a", "k"), "2");
	CHECK_STR(get(st, "a", "j"), "");
	CHECK_STR(get(st, "b", "k"), "other");
	CHECK_STR(get(st, "a", "l"), GONE);
	CHECK_STR(get(st, "a", ""), GONE);
	CHECK_STR(listed(st, "a", ""), "j= k=2 kk=3 ");
	CHECK_STR(listed(st, "a", "k"), "k=2 kk=3 ");
	CHECK_STR(listed(st, "a", "kk"), "kk=3 ");
	CHECK_STR(listed(st, "a", "l"), "");
	CHECK_STR(listed(st, "aa", ""), "");
	CHECK_NUM(del(st, "a", "k"), OK);
	CHECK_NUM(del(st, "a", "k"), OK);
	CHECK_STR(listed(st, "a", ""), "j= kk=3 ");
	CHECK_STR(listed(st, "b", ""), "k=other ");
}

/* Octets order unsigned; names that are the beginning of others do not mix. */
static void test_order(struct store *st)
{
	CHECK_NUM(put(st, "p", "\xff", "4"), OK);
	CHECK_NUM(put(st, "p", "\x01", "1"), OK);
	CHECK_NUM(put(st, "p", "\x7f", "2"), OK);
	CHECK_NUM(put(st, "p", "\x80", "3"), OK);
	CHECK_NUM(put(st, "p\x01", "x", "5"), OK);
	CHECK_NUM(put(st, "pp", "x", "6"), OK);
	CHECK_STR(listed(st, "p", ""), "\x01=1 \x7f=2 \x80=3 \xff=4 ");
	CHECK_STR(listed(st, "p\x01", ""), "x=5 ");
	CHECK_STR(listed(st, "pp", ""), "x=6 ");
}

static enum err write_and_list(struct tx *tx, void *arg)
{
	struct str v;

	tx_del(tx, S("b"));
	tx_put(tx, S("d"), S("new"));
	tx_put(tx, S("bb"), S("between"));
	tx_put(tx, S("x"), S("gone again"));
	tx_del(tx, S("x"));
	tx_del(tx, S("e"));
	tx_put(tx, S("e"), S("back"));
	CHECK_NUM(tx_get(tx, S("b"), &v), E_NOTFOUND);
	CHECK_NUM(tx_get(tx, S("x"), &v), E_NOTFOUND);
	CHECK_NUM(tx_get(tx, S("d"), &v), OK);
	CHECK_STR(v, "new");
	return list(tx, arg);
}

static void test_overlay(struct store *st)
{
	static struct listing l;

	for (const char *k = "a\0b\0c\0d\0e\0"; *k; k += 2)
		CHECK_NUM(put(st, "o", k, "old"), OK);
	CHECK_NUM(store_update(st, S("o"), write_and_list, &l), OK);
	CHECK_STR(STR(l.text, l.n), "a=old bb=between c=old d=new e=back ");
	CHECK_STR(listed(st, "o", ""), "a=old bb=between c=old d=new e=back ");
}

static enum err write_and_fail(struct tx *tx, void *arg)
{
	tx_put(tx, S("k"), S("must not be seen"));
	tx_put(tx, S("new"), S("must not be seen"));
	tx_del(tx, S("l"));
	return *(enum err *)arg;
}

static void test_error(struct store *st)
{
	enum err all[] = { E_EXISTS, E_QUOTA, E_CORRUPT };

	CHECK_NUM(put(st, "a", "k", "1"), OK);
	CHECK_NUM(put(st, "a", "l", "2"), OK);
	for (size_t i = 0; i < LENGTH(all); i++)
		CHECK_NUM(store_update(st, S("a"), write_and_fail, &all[i]), all[i]);
	CHECK_STR(listed(st, "a", ""), "k=1 l=2 ");
	CHECK_NUM(store_read(st, S("a"), get_one, &(struct asked){ .key = S("none") }), E_NOTFOUND);
}

/* --- several at once --- */

/* Puts "n" one higher than it was. */
static enum err count(struct tx *tx, void *arg)
{
	struct str v;
	enum err e = tx_get(tx, S("n"), &v);
	uint64_t n = 0;

	if (e && e != E_NOTFOUND)
		return e;
	if (!e) {
		struct scan in = scan(v);

		n = scan_num(&in, UINT32_MAX);
	}
	n++;
	if (arg)
		*(uint64_t *)arg = n;
	tx_put(tx, S("n"), str_fmt(tx_arena(tx), "%llu", (unsigned long long)n));
	return OK;
}

static void test_all(struct store *st)
{
	uint64_t seen[40] = { 0 };
	enum err fault = E_QUOTA;
	struct update u[40];

	for (size_t i = 0; i < 40; i++)
		u[i] = (struct update){ i % 2 ? S("odd") : S("even"), count, &seen[i], E_IO };
	u[7].fn = u[8].fn = write_and_fail;
	u[7].arg = u[8].arg = &fault;
	store_update_all(st, u, 40);
	for (uint64_t i = 0; i < 40; i++) {
		if (i == 7 || i == 8) {
			CHECK_NUM(u[i].result, E_QUOTA);
			continue;
		}
		CHECK_NUM(u[i].result, OK);
		CHECK_NUM(seen[i], i / 2 + (i < 7 ? 1 : 0));
	}
	CHECK_STR(listed(st, "odd", ""), "n=19 ");
	CHECK_STR(listed(st, "even", ""), "n=19 ");
	store_update_all(st, NULL, 0);
}

static struct store *shared;

static void counter(void *arg)
{
	for (unsigned i = 0; i < 10; i++)
		CHECK_NUM(store_update(shared, *(struct str *)arg, count, NULL), OK);
}

static void test_fibers(struct store *st)
{
	struct str parts[] = { S("w/0"), S("w/1"), S("w/2") };
	struct group *g = group_new();
	struct store_stats before, after;

	shared = st;
	CHECK_NUM(store_stats(st, &before), OK);
	for (size_t i = 0; i < 64; i++)
		CHECK_NUM(group_spawn(g, "counter", counter, &parts[i % 3]), OK);
	CHECK_NUM(group_wait(g, clock_in(60000)), OK);
	group_close(&g);
	CHECK_STR(get(st, "w/0", "n"), "220");
	CHECK_STR(get(st, "w/1", "n"), "210");
	CHECK_STR(get(st, "w/2", "n"), "210");
	CHECK_NUM(store_stats(st, &after), OK);
	CHECK_NUM(after.updates - before.updates, 640);
	/* Those that wait share a commit. */
	if (!str_is(str_of(after.engine), "mem"))
		CHECK(after.commits - before.commits < 320);
}

static void canceled_writer(void *arg)
{
	CHECK(fiber_canceled());
	*(enum err *)arg = put(shared, "c", "k", "v");
	CHECK_STR(get(shared, "c", "k"), "v");
}

/* A canceled fiber's update is made all the same. */
static void test_canceled(struct store *st)
{
	struct group *g = group_new();
	enum err e = E_IO;

	shared = st;
	CHECK_NUM(group_spawn(g, "writer", canceled_writer, &e), OK);
	group_cancel(g);
	CHECK_NUM(group_wait(g, clock_in(10000)), OK);
	group_close(&g);
	CHECK_NUM(e, OK);
}

/* --- limits --- */

static enum err put_large(struct tx *tx, void *arg)
{
	size_t n = *(size_t *)arg;
	char *p = mem_new(n);

	memset(p, 'x', n);
	tx_put(tx, S("large"), STR(p, n));
	free(p);
	return OK;
}

static enum err put_key(struct tx *tx, void *arg)
{
	tx_put(tx, S("fine"), S("but not with the other"));
	tx_put(tx, *(struct str *)arg, S("v"));
	return OK;
}

static enum err check_large(struct tx *tx, void *arg)
{
	struct str v;
	enum err e = tx_get(tx, S("large"), &v);

	(void)arg;
	return e ? e : v.n == VALUE_MAX && v.p[VALUE_MAX - 1] == 'x' ? OK : E_CORRUPT;
}

static enum err put_many(struct tx *tx, void *arg)
{
	struct arena *a = tx_arena(tx);

	(void)arg;
	for (unsigned i = 0; i < 3000; i++)
		tx_put(tx, str_fmt(a, "%08x", i * 2654435761U), str_fmt(a, "%u", i));
	return OK;
}

static enum err count_keys(struct tx *tx, void *arg)
{
	struct str key = S(""), before = S(""), value;
	unsigned *n = arg;

	for (*n = 0; !tx_next(tx, S(""), key, &key, &value); ++*n) {
		CHECK(str_cmp(before, key) < 0);
		before = key;
	}
	return OK;
}

static void test_limits(struct store *st)
{
	static char long_key[KEY_MAX + 1], long_name[PARTITION_MAX];
	struct str longest = STR(long_key, KEY_MAX), longer = STR(long_key, KEY_MAX + 1);
	struct str name = STR(long_name, PARTITION_MAX);
	struct str nul = STR("a\0b", 3), none = S("");
	size_t most = VALUE_MAX, above = VALUE_MAX + 1;
	unsigned n = 0;

	memset(long_key, 'k', sizeof long_key);
	memset(long_name, 'n', sizeof long_name);
	CHECK_NUM(store_update(st, name, put_key, &longest), OK);
	CHECK_NUM(store_read(st, name, get_one, &(struct asked){ .key = longest }), OK);
	CHECK_NUM(store_read(st, name, get_one, &(struct asked){ .key = longer }), E_NOTFOUND);
	CHECK_NUM(store_update(st, S("l"), put_key, &longer), E_LIMIT);
	CHECK_NUM(store_update(st, S("l"), put_key, &nul), E_LIMIT);
	CHECK_NUM(store_update(st, S("l"), put_key, &none), E_LIMIT);
	CHECK_NUM(store_update(st, S("l"), put_large, &above), E_LIMIT);
	CHECK_STR(listed(st, "l", ""), "");
	CHECK_NUM(store_update(st, S("l"), put_large, &most), OK);
	CHECK_NUM(store_read(st, S("l"), check_large, NULL), OK);
	CHECK_NUM(store_update(st, S("many"), put_many, NULL), OK);
	CHECK_NUM(store_read(st, S("many"), count_keys, &n), OK);
	CHECK_NUM(n, 3000);
}

/* --- watching --- */

static void test_watch(struct store *st)
{
	struct watch *w = store_watch(st, S("seen")), *w2 = store_watch(st, S("seen"));
	struct signal *s = watch_signal(w);
	uint64_t at = s->count;

	CHECK_NUM(put(st, "seen", "k", "1"), OK);
	CHECK_NUM(signal_wait(s, at, clock_in(5000)), OK);
	CHECK_NUM(signal_wait(watch_signal(w2), 0, clock_in(5000)), OK);
	at = s->count;
	CHECK_NUM(put(st, "another", "k", "1"), OK);
	CHECK_NUM(signal_wait(s, at, clock_in(50)), E_TIMEOUT);
	watch_close(&w);
	CHECK(!w);
	at = watch_signal(w2)->count;
	CHECK_NUM(put(st, "seen", "k", "2"), OK);
	CHECK_NUM(signal_wait(watch_signal(w2), at, clock_in(5000)), OK);
	watch_close(&w2);
}

/* --- partitions --- */

static enum err collect(void *arg, struct str name)
{
	struct listing *l = arg;

	fiber_yield();
	l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%.*s ", FMT(name));
	return str_is(name, "stop") ? E_LIMIT : OK;
}

static void test_partitions(struct store *st)
{
	static struct listing l;
	const char *names[] = { "a/1", "a/2", "a", "a/10", "b", "stop", "z" };

	l.n = 0;
	for (size_t i = 0; i < LENGTH(names); i++) {
		CHECK_NUM(put(st, names[i], "k", "v"), OK);
		CHECK_NUM(put(st, names[i], "\xff", "v"), OK);
	}
	CHECK_NUM(store_partitions(st, S("a/"), collect, &l), OK);
	CHECK_STR(STR(l.text, l.n), "a/1 a/10 a/2 ");
	l.n = 0;
	CHECK_NUM(store_partitions(st, S(""), collect, &l), E_LIMIT);
	CHECK_STR(STR(l.text, l.n), "a a/1 a/10 a/2 b stop ");
	CHECK_NUM(del(st, "a/2", "k"), OK);
	CHECK_NUM(del(st, "a/2", "\xff"), OK);
	l.n = 0;
	CHECK_NUM(store_partitions(st, S("a/"), collect, &l), OK);
	CHECK_STR(STR(l.text, l.n), "a/1 a/10 ");
}

/* --- the frame --- */

static const struct test {
	const char *name;
	void (*run)(struct store *st);
} tests[] = {
	{ "map", test_map },
	{ "order", test_order },
	{ "overlay", test_overlay },
	{ "error", test_error },
	{ "all", test_all },
	{ "fibers", test_fibers },
	{ "canceled", test_canceled },
	{ "limits", test_limits },
	{ "watch", test_watch },
	{ "partitions", test_partitions },
	{ "blob", suite_blob },
	{ "blob sizes", suite_blob_sizes },
	{ "blob references", suite_blob_refs },
	{ "blob not kept", suite_blob_given_up },
	{ "blob fibers", suite_blob_fibers },
};

static void fault(void *arg, struct str sentence)
{
	(void)arg;
	fprintf(stderr, "fault: %.*s\n", FMT(sentence));
}

static void progress(void *arg, uint64_t done, uint64_t of)
{
	CHECK(done <= of);
	++*(unsigned *)arg;
}

static void run_all(void *arg)
{
	struct arena *a = arena_new(1 << 20);
	struct str engine = str_of(arg), why;

	for (size_t i = 0; i < LENGTH(tests); i++) {
		char dir[] = "store-suite-XXXXXX";
		bool on_disk = !str_is(engine, "mem");
		unsigned failed = check_failed, told = 0;
		struct store *st;

		if (on_disk)
			BUG_IF(!mkdtemp(dir));
		struct str where = on_disk ? str_fmt(a, "%.*s:%s", FMT(engine), dir) : S("mem:");

		if (CHECK(store_open(where, a, &st, &why) == OK)) {
			tests[i].run(st);
			CHECK_NUM(
				store_verify(st, &(struct store_report){ fault, progress, &told }),
				OK);
			CHECK(told > 0);
			store_close(&st);
			CHECK(!st);
		} else {
			fprintf(stderr, "%.*s\n", FMT(why));
		}
		if (on_disk)
			suite_remove(dir);
		if (check_failed != failed)
			fprintf(stderr, "in test \"%s\"\n", tests[i].name);
	}

	struct store *none;

	CHECK_NUM(store_open(S("paper:"), a, &none, &why), E_SYNTAX);
	CHECK(why.n > 0 && !none);
	CHECK_NUM(store_open(S("lmdb"), a, &none, &why), E_SYNTAX);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	BUG_IF(argc != 2);
	fiber_main(run_all, argv[1]);
	return check_done();
}
