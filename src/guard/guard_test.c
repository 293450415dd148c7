/* SPDX-License-Identifier: ISC */
/* The lockout as it is kept: over restarts, by several keepers, in full buckets, and of whom never.
 */
#include <malloc.h>
#include <time.h>

#include "base/clock.h"
#include "check.h"
#include "guard/guard_priv.h"

enum { SECOND = 1000, MIN = 60 * SECOND, HOUR = 60 * MIN };

static struct arena *a;
static struct store *st;
static struct net exempt[2];
static struct guard_conf conf;

struct told { /* the news of one keeper */
	unsigned bans, frees;
	int64_t until;
	struct str who;
};

static void banned(void *arg, const struct net *who, int64_t until)
{
	struct told *t = arg;

	t->bans++;
	t->until = until;
	t->who = net_text(a, who);
}

static void set_free(void *arg, const struct net *who)
{
	struct told *t = arg;

	t->frees++;
	t->who = net_text(a, who);
}

static struct guard *keeper(struct told *t)
{
	struct guard *g = NULL;

	*t = (struct told){ 0 };
	if (!CHECK_NUM(guard_new(st, &conf, (struct guard_news){ banned, set_free, t }, &g), OK))
		BUG_IF(true);
	return g;
}

static unsigned failures;

static enum lockout_effect wrong(struct guard *g, const char *ip, const char *password)
{
	struct wrong w = { str_of(ip), S("demo1@example.test"), str_of(password) };

	return guard_failed(g, &w, &failures);
}

static void wrongs(struct guard *g, const char *ip, int times)
{
	for (int i = 0; i < times; i++)
		(void)wrong(g, ip, "no");
}

static bool closed(const struct guard *g, const char *ip)
{
	struct closed c;

	return guard_closed(g, str_of(ip), &c);
}

static struct net who_of(const struct guard *g, const char *ip)
{
	struct net who = { 0 };

	CHECK(guard_who(g, str_of(ip), &who));
	return who;
}

static enum lockout_state state_of(struct guard *g, const char *ip)
{
	struct net who = who_of(g, ip);
	struct lockout l = { 0 };
	enum err e = guard_show(g, &who, &l);

	CHECK(e == OK || e == E_NOTFOUND);
	return (enum lockout_state)l.state;
}

static enum err release(struct guard *g, const char *ip)
{
	struct net who = who_of(g, ip);

	return guard_release(g, &who);
}

static enum err block(struct guard *g, const char *ip, uint32_t seconds)
{
	struct net who = who_of(g, ip);

	return guard_block(g, &who, seconds);
}

static void drop(void *arg, struct str line)
{
	(void)arg, (void)line;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* The keepers' own fibers run, and those whose time has come. */
static void others_run(void)
{
	for (int i = 0; i < 200; i++)
		work_run(nothing, NULL);
}

/* Until the other keeper has seen it: its watch fiber reads the store beside us. */
static bool comes(const struct guard *g, const char *ip, bool want)
{
	for (int i = 0; i < 100 && closed(g, ip) != want; i++)
		others_run();
	return closed(g, ip) == want;
}

/* --- the promise, through the store --- */

static void test_promise(void)
{
	struct told t;
	struct guard *g = keeper(&t);

	/* The fifth exactly at 20:00 finds four. */
	wrongs(g, "192.0.2.1", 1);
	clock_fake_step(10 * MIN);
	wrongs(g, "192.0.2.1", 3);
	clock_fake_step(10 * MIN);
	CHECK_NUM(wrong(g, "192.0.2.1", "no"), LOCKOUT_COUNTED);
	CHECK_NUM(failures, 4);
	CHECK(!closed(g, "192.0.2.1"));
	CHECK_NUM(wrong(g, "192.0.2.1", "no"), LOCKOUT_CLOSED);
	CHECK_NUM(failures, 5);
	CHECK(closed(g, "192.0.2.1") && closed(g, "::ffff:192.0.2.1") && !closed(g, "192.0.2.2"));
	/* To the second. */
	clock_fake_step(20 * MIN - SECOND);
	CHECK(closed(g, "192.0.2.1"));
	clock_fake_step(SECOND);
	CHECK(!closed(g, "192.0.2.1"));
	/* The third within the day bans; told once, with its end. */
	wrongs(g, "192.0.2.1", 5);
	CHECK_NUM(state_of(g, "192.0.2.1"), LOCKOUT_BLOCKED);
	clock_fake_step(22 * HOUR);
	CHECK_NUM(t.bans, 0);
	wrongs(g, "192.0.2.1", 5);
	CHECK_NUM(state_of(g, "192.0.2.1"), LOCKOUT_BANNED);
	CHECK_NUM(t.bans, 1);
	CHECK_STR(t.who, "192.0.2.1");
	CHECK_NUM(t.until, clock_wall() + 24 * 3600);
	clock_fake_step(24 * HOUR - SECOND);
	CHECK(closed(g, "192.0.2.1"));
	clock_fake_step(SECOND);
	CHECK(!closed(g, "192.0.2.1"));
	/* The third exactly 24 hours behind the first does not. */
	wrongs(g, "192.0.2.3", 5);
	clock_fake_step(HOUR);
	wrongs(g, "192.0.2.3", 5);
	clock_fake_step(23 * HOUR);
	wrongs(g, "192.0.2.3", 5);
	CHECK_NUM(state_of(g, "192.0.2.3"), LOCKOUT_BLOCKED);
	guard_close(&g);
}

static void test_neighbours(void)
{
	struct told t;
	struct guard *g = keeper(&t);

	for (int i = 1; i <= 5; i++)
		wrongs(g, str_c(a, str_fmt(a, "2001:db8:0:7:%x::%x", i * 4096, i)), 1);
	CHECK(closed(g, "2001:db8:0:7::1") && closed(g, "2001:db8:0:7:ffff:ffff:ffff:ffff"));
	CHECK(!closed(g, "2001:db8:0:6:ffff:ffff:ffff:ffff") && !closed(g, "2001:db8:0:8::"));
	guard_close(&g);
}

/* What was closed under another prefix6 can be named and released as the list shows it. */
static void test_other_prefix(void)
{
	struct told t;
	struct guard *g = keeper(&t);
	struct net who;

	CHECK_NUM(block(g, "2001:db8:0:9::1", 3600), OK);
	conf.rules.prefix6 = 56;
	guard_configure(g, &conf);
	CHECK(!guard_who(g, S("2001:db8:0:a::/64"), &who));
	CHECK_NUM(release(g, "2001:db8:0:9::/64"), OK);
	CHECK(!guard_who(g, S("2001:db8:0:9::/64"), &who));
	conf.rules.prefix6 = 64;
	guard_close(&g);
}

static void test_repeats(void)
{
	struct told t;
	struct guard *g;

	conf.rules.count_repeats = false;
	g = keeper(&t);
	for (int i = 0; i < 10; i++)
		CHECK_NUM(wrong(g, "192.0.2.20", "old"), i ? LOCKOUT_REPEATED : LOCKOUT_COUNTED);
	CHECK_NUM(failures, 1);
	CHECK_NUM(wrong(g, "192.0.2.20", "older"), LOCKOUT_COUNTED);
	guard_close(&g); /* the secret that tells them apart is kept too */
	g = keeper(&t);
	CHECK_NUM(wrong(g, "192.0.2.20", "old"), LOCKOUT_REPEATED);
	CHECK_NUM(wrong(g, "192.0.2.20", "3"), LOCKOUT_COUNTED);
	CHECK_NUM(wrong(g, "192.0.2.20", "4"), LOCKOUT_COUNTED);
	CHECK_NUM(wrong(g, "192.0.2.20", "5"), LOCKOUT_CLOSED);
	guard_close(&g);
	conf.rules.count_repeats = true;
}

/* --- several keepers, restarts, clocks --- */

static void test_two(void)
{
	struct told t1, t2;
	struct guard *one = keeper(&t1), *two = keeper(&t2);

	wrongs(one, "192.0.2.30", 2);
	wrongs(two, "192.0.2.30", 2);
	CHECK_NUM(failures, 4);
	CHECK_NUM(wrong(one, "192.0.2.30", "no"), LOCKOUT_CLOSED);
	CHECK(closed(one, "192.0.2.30") && comes(two, "192.0.2.30", true));
	/* One that has not seen it yet counts nothing either. */
	CHECK_NUM(wrong(two, "192.0.2.30", "no"), LOCKOUT_UNHEARD);
	CHECK_NUM(release(two, "192.0.2.30"), OK);
	CHECK(!closed(two, "192.0.2.30") && comes(one, "192.0.2.30", false));
	CHECK_NUM(block(one, "192.0.2.31", 60), OK);
	CHECK(comes(two, "192.0.2.31", true));
	for (int i = 0; i < 3; i++) {
		wrongs(two, "192.0.2.32", 5);
		CHECK(comes(one, "192.0.2.32", true));
		if (i < 2)
			clock_fake_step(20 * MIN);
	}
	CHECK(t1.bans == 1 && t2.bans == 1 && t1.until == t2.until);
	CHECK_NUM(release(one, "192.0.2.32"), OK);
	CHECK(comes(two, "192.0.2.32", false));
	CHECK(t1.frees == 1 && t2.frees == 1);
	CHECK_STR(t2.who, "192.0.2.32");
	guard_close(&one);
	guard_close(&two);
}

static void test_restart(void)
{
	struct told t;
	struct guard *g = keeper(&t);

	wrongs(g, "192.0.2.40", 5);
	wrongs(g, "192.0.2.41", 3);
	for (int i = 0; i < 3; i++) {
		wrongs(g, "192.0.2.42", 5);
		clock_fake_step(i < 2 ? 20 * MIN : 0);
	}
	wrongs(g, "192.0.2.43", 4);
	guard_close(&g);
	clock_fake_step(10 * MIN);
	g = keeper(&t);
	CHECK(closed(g, "192.0.2.42") && t.bans == 1);
	CHECK_STR(t.who, "192.0.2.42");
	CHECK(!closed(g, "192.0.2.40") && !closed(g, "192.0.2.43"));
	CHECK_NUM(wrong(g, "192.0.2.43", "no"), LOCKOUT_CLOSED);
	guard_close(&g);
	/* The end of a block that passed meanwhile. */
	clock_fake_step(20 * MIN);
	g = keeper(&t);
	CHECK(!closed(g, "192.0.2.43") && closed(g, "192.0.2.42"));
	guard_close(&g);
}

/* Set back by a day: a block lasts no longer than 20 minutes from now, in memory too. */
static void test_set_back(void)
{
	struct told t;
	struct guard *g = keeper(&t);

	wrongs(g, "192.0.2.50", 5);
	wrongs(g, "192.0.2.51", 4);
	others_run();
	clock_fake_set(-24 * (int64_t)HOUR);
	CHECK(closed(g, "192.0.2.50"));
	clock_fake_step(10 * SECOND); /* noticed at the next tick */
	others_run();
	clock_fake_step(20 * MIN - SECOND);
	CHECK(closed(g, "192.0.2.50"));
	CHECK_NUM(wrong(g, "192.0.2.51", "no"), LOCKOUT_CLOSED);
	clock_fake_step(SECOND);
	CHECK(!closed(g, "192.0.2.50"));
	guard_close(&g);
	clock_fake_set(24 * (int64_t)HOUR);
}

/* --- whoever is never closed --- */

static void never(struct guard *g, const char *ip)
{
	struct net address = { 0 }, who;

	for (int i = 0; i < 20; i++)
		CHECK_NUM(wrong(g, ip, "no"), LOCKOUT_COUNTED);
	CHECK_NUM(failures, 0);
	CHECK(!closed(g, ip));
	who = who_of(g, ip);
	CHECK_NUM(guard_block(g, &who, 60), E_DENIED);
	CHECK(!closed(g, ip));
	CHECK(net_address(str_of(ip), &address));
	CHECK(guard_exempt_why(g, &address) != GUARD_COUNTS);
}

static void test_never(void)
{
	struct net machine[64];
	struct told t;
	struct guard *g;
	unsigned before;

	CHECK(net_parse(S("203.0.113.0/25"), &exempt[0]));
	CHECK(net_parse(S("2001:db8:9::/48"), &exempt[1]));
	conf.exempt = (struct nets){ exempt, 2 };
	g = keeper(&t);
	before = t.bans; /* those in force at the start are told too */
	never(g, "127.0.0.1");
	never(g, "::ffff:127.0.0.1");
	never(g, "::1");
	size_t n = net_machine(machine, LENGTH(machine));
	CHECK(n > 0);
	for (size_t i = 0; i < n; i++)
		never(g, str_c(a, net_text(a, &machine[i])));
	never(g, "203.0.113.7");
	never(g, "203.0.113.127");
	never(g, "2001:db8:9:1::1");
	CHECK_NUM(t.bans, before);
	/* Their neighbours are strangers. */
	for (int i = 0; i < 3; i++) {
		wrongs(g, "127.0.0.2", 5);
		wrongs(g, "203.0.113.128", 5);
		wrongs(g, "::2", 5);
		clock_fake_step(i < 2 ? 20 * MIN : 0);
	}
	CHECK(closed(g, "127.0.0.2") && closed(g, "203.0.113.128") && closed(g, "::2"));
	/* The network of ::2 has ::1 in it: the kernel is not told, and ::1 is heard. */
	CHECK_NUM(t.bans, before + 2);
	CHECK(!closed(g, "::1") && !closed(g, "127.0.0.1"));
	CHECK_NUM(state_of(g, "::2"), LOCKOUT_BANNED);
	/* A network that becomes exempt is open at once. */
	conf.exempt = (struct nets){ NULL, 0 };
	guard_configure(g, &conf);
	wrongs(g, "203.0.113.7", 5);
	CHECK(closed(g, "203.0.113.7"));
	conf.exempt = (struct nets){ exempt, 2 };
	guard_configure(g, &conf);
	CHECK(!closed(g, "203.0.113.7"));
	conf.exempt = (struct nets){ NULL, 0 };
	guard_close(&g);
}

/* --- a full bucket --- */

/* The n-th address of 10/8 that falls into the bucket. */
static const char *of_bucket(const struct guard *g, unsigned bucket, uint32_t *from)
{
	for (;; ++*from) {
		struct str text =
			str_fmt(a, "10.%u.%u.%u", *from >> 16 & 255, *from >> 8 & 255, *from & 255);
		struct net n;

		BUG_IF(!net_address(text, &n));
		if (guard_bucket(g, &n) != bucket)
			continue;
		++*from;
		return str_c(a, text);
	}
}

static void test_full(void)
{
	enum { SHUT = 12, OTHERS = BUCKET_RECORDS };
	const char *shut[SHUT], *open[OTHERS], *late;
	struct arena *kept = a;
	struct told t;
	struct guard *g = keeper(&t);
	uint32_t from = 0;

	a = arena_new(1 << 30);
	for (size_t i = 0; i < SHUT; i++) {
		shut[i] = of_bucket(g, 7, &from);
		if (i % 2)
			wrongs(g, shut[i], 5);
		else
			CHECK_NUM(block(g, shut[i], 3600), OK);
	}
	for (size_t i = 0; i < OTHERS; i++) {
		clock_fake_step(SECOND);
		open[i] = of_bucket(g, 7, &from);
		CHECK_NUM(wrong(g, open[i], "no"), LOCKOUT_COUNTED);
	}
	/* Those went whose last error was the longest ago; nobody who is closed. */
	for (size_t i = 0; i < SHUT; i++)
		CHECK(closed(g, shut[i]) && state_of(g, shut[i]) == LOCKOUT_BLOCKED);
	for (size_t i = 0; i < OTHERS; i += 5) {
		struct net who = who_of(g, open[i]);
		struct lockout l;
		CHECK_NUM(guard_show(g, &who, &l), i < SHUT ? E_NOTFOUND : OK);
	}
	/* All closed: the one that opens first makes room, and the newcomer is counted. */
	for (size_t i = SHUT; i < OTHERS; i++)
		CHECK_NUM(block(g, open[i], 7200 + (uint32_t)i), OK);
	late = of_bucket(g, 7, &from);
	wrongs(g, late, 5);
	CHECK(closed(g, late));
	size_t left = 0;
	for (size_t i = 0; i < SHUT; i++)
		left += closed(g, shut[i]);
	CHECK_NUM(left, SHUT - 1);
	CHECK(closed(g, open[SHUT]) && closed(g, open[OTHERS - 1]));
	guard_close(&g);
	arena_free(&a);
	a = kept;
}

/* A million addresses that are closed at once: what it takes, and how long a decision does. */
static void test_million(void)
{
	enum { ALL = 1000000, ASKED = 100000 };
	struct told t;
	struct guard *g = keeper(&t);
	struct timespec from, to;
	size_t octets = sizeof *g, found = 0;
	char ip[16];

	for (uint32_t i = 0; i < ALL; i++) {
		uint8_t v4[4] = { 11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		struct net who = { .octets = { [10] = 0xff, 0xff }, .bits = 128 };
		memcpy(who.octets + 12, v4, sizeof v4);
		struct shuts *b = &g->bucket[guard_bucket(g, &who)];
		BUG_IF(b->n == BUCKET_RECORDS);
		b->item = mem_grow(b->item, b->n * sizeof *b->item, (b->n + 1) * sizeof *b->item);
		struct shut *s = &b->item[b->n++];
		*s = (struct shut){ .bits = 128, .state = LOCKOUT_BLOCKED, .until = UINT32_MAX };
		memcpy(s->octets, who.octets, sizeof s->octets);
	}
	for (unsigned i = 0; i < GUARD_BUCKETS; i++)
		octets += malloc_usable_size(g->bucket[i].item) + 16;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (uint32_t i = 0; i < ASKED; i++) {
		snprintf(ip, sizeof ip, "11.%u.%u.%u", i % 15, i / 256 % 256, i % 256);
		found += closed(g, ip);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	double us =
		((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
		1000 / ASKED;
	printf("%d closed addresses: %zu KiB, a decision %.2f us\n", ALL, octets >> 10, us);
	CHECK_NUM(found, ASKED);
	CHECK(octets < 64 << 20);
	CHECK(us < 100); /* with sanitizers on a busy machine */
	guard_close(&g);
}

struct spoil {
	struct str key;
	bool whole;
};

static enum err spoil(struct tx *tx, void *arg)
{
	const struct spoil *s = arg;

	if (s->whole)
		tx_del(tx, s->key);
	else
		tx_put(tx, s->key, S("no bucket"));
	return OK;
}

struct exchange {
	struct str key, value;
};

static enum err exchange(struct tx *tx, void *arg)
{
	struct exchange *x = arg;
	struct str old;
	enum err e = tx_get(tx, x->key, &old);

	if (e)
		return e;
	old = str_dup(a, old);
	tx_put(tx, x->key, x->value);
	x->value = old;
	return OK;
}

static void forget(struct guard *g, unsigned bucket)
{
	free(g->bucket[bucket].item);
	g->bucket[bucket] = (struct shuts){ 0 };
}

/* What another keeper closed: a bucket that cannot be read keeps no other from being read, and is
 * read later, though the log tells of no more changes. */
static void test_unread(void)
{
	struct told t1, t2;
	struct guard *one = keeper(&t1), *two = keeper(&t2);
	struct net bad = who_of(one, "192.0.2.80"), good = who_of(one, "192.0.2.81");
	unsigned bucket = guard_bucket(one, &bad);
	struct exchange x = { str_fmt(a, "b/%03x", bucket), S("no bucket") };
	uint64_t seen = two->seen;

	CHECK_NUM(block(one, "192.0.2.80", 3600), OK);
	CHECK_NUM(block(one, "192.0.2.81", 3600), OK);
	CHECK(comes(two, "192.0.2.80", true) && comes(two, "192.0.2.81", true));
	others_run();
	/* As if it had not come to that yet. */
	two->seen = seen;
	forget(two, bucket);
	forget(two, guard_bucket(two, &good));
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), exchange, &x), OK);
	CHECK(comes(two, "192.0.2.81", true) && !closed(two, "192.0.2.80"));
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), exchange, &x), OK);
	CHECK(comes(two, "192.0.2.80", true));
	guard_close(&one);
	guard_close(&two);
}

/* The server begins with a damaged bucket, and knows all the others. */
static void test_damaged(void)
{
	struct told t;
	struct guard *g = keeper(&t);
	struct net bad = who_of(g, "192.0.2.90");
	struct exchange x = { str_fmt(a, "b/%03x", guard_bucket(g, &bad)), S("\1cut") };
	struct lockout l;

	CHECK_NUM(block(g, "192.0.2.90", 3600), OK);
	CHECK_NUM(block(g, "192.0.2.91", 3600), OK);
	guard_close(&g);
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), exchange, &x), OK);
	g = keeper(&t);
	CHECK(g && closed(g, "192.0.2.91") && !closed(g, "192.0.2.90"));
	CHECK_NUM(guard_show(g, &bad, &l), E_CORRUPT);
	CHECK_NUM(wrong(g, "192.0.2.90", "no"), LOCKOUT_COUNTED);
	CHECK(closed(g, "192.0.2.90"));
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), exchange, &x), OK);
	guard_close(&g);
}

/* What the store does not take closes for a minute, each time: guessing is not free. */
static void test_unwritten(void)
{
	struct told t;
	struct guard *g = keeper(&t);
	struct net who = who_of(g, "192.0.2.70");
	struct spoil s = { str_fmt(a, "b/%03x", guard_bucket(g, &who)), false };
	struct closed c;

	wrongs(g, "192.0.2.70", 5);
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), spoil, &s), OK);
	CHECK_NUM(wrong(g, "192.0.2.70", "no"), LOCKOUT_COUNTED);
	CHECK(guard_closed(g, S("192.0.2.70"), &c) && c.until > clock_wall() + 60);
	clock_fake_step(20 * MIN);
	for (int i = 0; i < 3; i++) {
		CHECK(!closed(g, "192.0.2.70"));
		CHECK_NUM(wrong(g, "192.0.2.70", "no"), LOCKOUT_COUNTED);
		clock_fake_step(MIN - SECOND);
		CHECK(closed(g, "192.0.2.70"));
		clock_fake_step(SECOND);
	}
	CHECK_NUM(g->bucket[guard_bucket(g, &who)].n, 1);
	s.whole = true;
	CHECK_NUM(store_update(st, S(GUARD_PARTITION), spoil, &s), OK);
	guard_close(&g);
}

static void run(void *arg)
{
	struct str why;

	(void)arg;
	a = arena_new(64 << 20);
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	conf.rules = lockout_rules_default();
	clock_fake_step(0);
	log_capture(drop, NULL);
	test_promise();
	test_neighbours();
	test_other_prefix();
	test_repeats();
	test_two();
	test_restart();
	test_set_back();
	test_never();
	test_million();
	test_unread();
	test_full();
	test_damaged();
	test_unwritten();
	log_capture(NULL, NULL);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
