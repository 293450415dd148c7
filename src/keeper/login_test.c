/* SPDX-License-Identifier: ISC */
/* Tests of the decision at a login, its memory and its seat of the lockout. */
#include <crypt.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "guard/hashing.h"
#include "keeper/keeper_test.h"
#include "keeper/login.h"
#include "keeper/password.h"
#include "keeper/stranger.h"

static struct arena *a;
static struct store *st;
static struct logins *logins;
static struct guard *guard;
static struct str sentence; /* of the last refusal */
static uint32_t demo1;
static char line[2048];    /* the last one logged */
static unsigned decisions; /* lines about logins */
static const struct slow_rules no_delay;

static void keep_line(void *arg, struct str text)
{
	(void)arg;
	snprintf(line, sizeof(line), "%.*s", FMT(text));
	decisions += str_find_str(text, S("event=login ")) < text.n ||
		     str_find_str(text, S("event=login.failed ")) < text.n;
}

static bool logged(const char *text)
{
	return str_find_str(str_of(line), str_of(text)) < strlen(line);
}

static enum err try_login(const char *user, const char *password, const char *ip)
{
	struct login_try t = { .user = str_of(user),
			       .password = str_of(password),
			       .ip = str_of(ip),
			       .proto = "imap",
			       .tls = true };
	struct login l = { 0 };
	enum err e = login_check(logins, &t, a, &l);

	sentence = l.closed;

	if (!e) {
		CHECK(l.account == demo1);
		CHECK_STR(l.address, "demo1@example.test");
	}
	return e;
}

static void test_login(void)
{
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "203.0.113.1"), OK);
	CHECK(logged("event=login ") && logged("ip=203.0.113.1") && logged("proto=imap"));
	CHECK(logged("reason=\"password verified\""));
	CHECK_NUM(try_login("Demo1@EXAMPLE.test", "Right-1-Horse", "203.0.113.1"), OK);
	CHECK(logged("verified minutes ago"));

	CHECK_NUM(try_login("demo1@example.test", "right-1-horse", "203.0.113.1"), E_DENIED);
	CHECK(logged("event=login.failed") && logged("reason=\"wrong password\""));
	CHECK(logged("failures=1") && !logged("right-1-horse"));
	CHECK_NUM(try_login("demo1@example.test", "right-1-horse", "203.0.113.1"), E_DENIED);
	CHECK(logged("failures=2"));
	CHECK_NUM(try_login("nobody@example.test", "Right-1-Horse", "203.0.113.2"), E_DENIED);
	CHECK(logged("reason=\"no such user\"") && logged("failures=1"));
	CHECK_NUM(try_login("not an address", "Right-1-Horse", ""), E_DENIED);
	CHECK(logged("reason=\"no such user\"") && logged("failures=0"));
	CHECK_NUM(try_login("demo1", "Right-1-Horse", "203.0.113.2"), E_DENIED);
	CHECK_NUM(try_login("", "", "203.0.113.2"), E_DENIED);
	CHECK_NUM(try_login("info@example.test", "Right-1-Horse", "203.0.113.2"), E_DENIED);
}

/* After a change only the new password is right, however fresh the memory of the old one. */
static void test_change(void)
{
	struct secret fresh;

	clock_fake_step(0); /* from here on time stands still between the steps */
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "203.0.113.1"), OK);
	CHECK_NUM(login_hash(logins, S("demo1"), S("Another-2-Horse"), a, &fresh), OK);
	CHECK_NUM(directory_secret_put(st, demo1, &fresh), OK);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "203.0.113.1"), E_DENIED);
	CHECK_NUM(try_login("demo1@example.test", "Another-2-Horse", "203.0.113.1"), OK);
	CHECK(logged("reason=\"password verified\""));
	login_forget(logins, demo1);
	CHECK_NUM(try_login("demo1@example.test", "Another-2-Horse", "203.0.113.1"), OK);
	CHECK(logged("reason=\"password verified\""));
	CHECK_NUM(try_login("demo1@example.test", "Another-2-Horse", "203.0.113.1"), OK);
	CHECK(logged("verified minutes ago"));
	clock_fake_step(RECENT_MS - 1);
	CHECK_NUM(try_login("demo1@example.test", "Another-2-Horse", "203.0.113.1"), OK);
	CHECK(logged("verified minutes ago"));
	clock_fake_step(1);
	CHECK_NUM(try_login("demo1@example.test", "Another-2-Horse", "203.0.113.1"), OK);
	CHECK(logged("reason=\"password verified\""));
}

static void add_app(uint32_t account, const char *name, const char *protocols,
		    char text[APP_TEXT + 1])
{
	struct app app = { .name = str_of(name) };

	CHECK_NUM(app_protocols_read(str_of(protocols), &app.protocols), OK);
	app_make(&app, text);
	CHECK_NUM(directory_app_add(st, account, &app), OK);
}

static int64_t app_used(void)
{
	struct apps l;

	CHECK_NUM(directory_apps(st, demo1, a, &l), OK);
	return l.n ? l.app[0].used : 0;
}

static void test_apps(void)
{
	char phone[APP_TEXT + 1], pop[APP_TEXT + 1];
	uint32_t id;

	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	add_app(demo1, "my phone", "", phone);
	add_app(demo1, "pop only", "pop3", pop);
	CHECK_NUM(app_used(), 0);
	CHECK_NUM(try_login("demo1@example.test", phone, "192.0.2.5"), OK);
	CHECK(logged("by=\"app:my phone\"") && logged("app password verified"));
	int64_t used = app_used();
	CHECK(used > 0);
	clock_fake_step((APP_USED_EVERY_S - 1) * 1000);
	CHECK_NUM(try_login("demo1@example.test", phone, "192.0.2.5"), OK);
	CHECK_NUM(app_used(), used); /* written once an hour at most */
	clock_fake_step(1000);
	CHECK_NUM(try_login("demo1@example.test", phone, "192.0.2.5"), OK);
	CHECK_NUM(app_used(), used + APP_USED_EVERY_S);

	CHECK_NUM(try_login("demo1@example.test", pop, "192.0.2.6"), E_DENIED);
	CHECK(logged("app password not for this protocol"));
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.5"), OK);
	CHECK(logged("by=password"));
	CHECK_NUM(try_login("nobody@example.test", phone, "192.0.2.6"), E_DENIED);
	CHECK_NUM(directory_app_delete(st, demo1, S("my phone"), &id), OK);
	CHECK_NUM(try_login("demo1@example.test", phone, "192.0.2.6"), E_DENIED);
	CHECK(logged("reason=\"wrong password\"") && !logged(phone));
	CHECK_NUM(directory_app_delete(st, demo1, S("pop only"), &id), OK);
}

/* A good login makes what was brought along ours, once; the password stays what it was. */
static void test_upgrade(void)
{
	struct secret s = { 0 }, again = { 0 };

	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	CHECK_NUM(directory_secret(st, demo1, a, &again), OK);
	CHECK_NUM(try_login("demo1@example.test", "Wrong-1-Horse", "192.0.2.7"), E_DENIED);
	CHECK_NUM(directory_secret(st, demo1, a, &s), OK);
	CHECK(str_is(s.hash, HORSE) && !s.scram.iterations);
	/* Without the option the hash stays; a verifier is made all the same. */
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.7"), OK);
	CHECK_NUM(directory_secret(st, demo1, a, &s), OK);
	CHECK(str_is(s.hash, HORSE) && s.scram.iterations);
	login_configure(logins, true, &no_delay);
	login_forget(logins, demo1);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.7"), OK);
	CHECK_NUM(directory_secret(st, demo1, a, &s), OK);
	CHECK(password_is_own(s.hash) && s.scram.iterations);
	CHECK(s.serial == again.serial && s.changed == again.changed);
	CHECK_NUM(password_verify(s.hash, S("Right-1-Horse")), OK);
	login_forget(logins, demo1);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.7"), OK);
	CHECK_NUM(directory_secret(st, demo1, a, &again), OK);
	CHECK(str_eq(s.hash, again.hash)); /* once */
	/* One that came too late, behind a change. */
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	CHECK_NUM(directory_secret_upgrade(st, demo1, &s), E_NOTFOUND);
	login_configure(logins, false, &no_delay);
}

static int by_size(const void *x, const void *y)
{
	int64_t a1 = *(const int64_t *)x, b1 = *(const int64_t *)y;

	return (a1 > b1) - (a1 < b1);
}

enum { SAMPLES = 21 };

/* Time of the processor, of all threads: what others do on the machine is not in it. */
static void sample(int64_t *us, const char *user, const char *password)
{
	struct timespec t0, t1;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	CHECK_NUM(try_login(user, password, "127.0.0.1"), E_DENIED);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	*us = (t1.tv_sec - t0.tv_sec) * 1000000 + (t1.tv_nsec - t0.tv_nsec) / 1000;
}

static void add_app(uint32_t account, const char *name, const char *protocols,
		    char text[APP_TEXT + 1]);

/* An unknown user must take as long as a known one: a ratio, because machines differ. */
static void test_time(void)
{
	/* What has the form of an app password, and what has not; of nobody, of one with a hash
	 * that is quick to check, of one with ours and many app passwords. By turns: other
	 * processes slow all of them. */
	enum { NOBODY, NOBODY_APP, IMPORTED, OWN, APPS, KINDS };
	static const struct {
		const char *user, *password;
	} kinds[KINDS] = {
		[NOBODY] = { "nobody@example.test", "Wrong-1-Horse" },
		[NOBODY_APP] = { "nobody@example.test", "abcd-efgh-ijkm-npqr-stuv-wxyz" },
		[IMPORTED] = { "imported@example.test", "Wrong-1-Horse" },
		[OWN] = { "own@example.test", "Wrong-1-Horse" },
		[APPS] = { "own@example.test", "abcd-efgh-ijkm-npqr-stuv-wxyz" },
	};
	uint32_t own = test_user(st, a, kinds[OWN].user);
	char text[APP_TEXT + 1], name[16];
	int64_t us[KINDS][SAMPLES];
	struct secret fresh;

	test_user(st, a, kinds[IMPORTED].user);
	CHECK_NUM(login_hash(logins, S("own"), S("Right-1-Horse"), a, &fresh), OK);
	CHECK_NUM(directory_secret_put(st, own, &fresh), OK);
	for (int i = 0; i < APPS_MAX; i++) {
		snprintf(name, sizeof name, "device %d", i);
		add_app(own, name, "", text);
	}
	for (size_t i = 0; i < SAMPLES; i++)
		for (size_t k = 0; k < KINDS; k++)
			sample(&us[k][i], kinds[k].user, kinds[k].password);
	for (size_t k = 0; k < KINDS; k++) {
		qsort(us[k], SAMPLES, sizeof **us, by_size);
		int64_t median = us[k][SAMPLES / 2], nobody = us[NOBODY][SAMPLES / 2];
		printf("refused in %lld us: %s, %s\n", (long long)median, kinds[k].user,
		       kinds[k].password);
		CHECK(median > nobody / 2 && median < nobody * 2);
	}
}

static void one_of_many(void *arg)
{
	*(enum err *)arg = try_login("demo1@example.test", "Wrong-1-Horse", "127.0.0.1");
}

/* More at once than may be hashed at once: all are answered. */
static void test_crowd(void)
{
	enum err results[24];
	struct group *g = group_new();

	for (size_t i = 0; i < LENGTH(results); i++) {
		results[i] = OK;
		CHECK_NUM(group_spawn(g, "login", one_of_many, &results[i]), OK);
	}
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
	for (size_t i = 0; i < LENGTH(results); i++)
		CHECK_NUM(results[i], E_DENIED);
}

static void test_recent(void)
{
	struct recent *r = recent_new();
	char password[32];

	CHECK(!recent_has(r, 1, 1, S("a"), 0));
	recent_add(r, 1, 1, S("a"), 0);
	CHECK(recent_has(r, 1, 1, S("a"), 1));
	CHECK(!recent_has(r, 2, 1, S("a"), 1));
	CHECK(!recent_has(r, 1, 2, S("a"), 1));
	CHECK(!recent_has(r, 1, 1, S("b"), 1));
	CHECK(!recent_has(r, 1, 1, S("a"), RECENT_MS));
	for (uint32_t i = 0; i < RECENT_MAX - 1; i++) {
		snprintf(password, sizeof(password), "pw%u", i);
		recent_add(r, i % 100 + 10, 1, str_of(password), 0);
	}
	CHECK(recent_has(r, 1, 1, S("a"), 1));
	CHECK(recent_has(r, 10, 1, S("pw0"), 1));
	recent_add(r, 1, 1, S("c"), 0); /* the oldest goes */
	CHECK(!recent_has(r, 1, 1, S("a"), 1));
	CHECK(recent_has(r, 1, 1, S("c"), 1));
	recent_drop(r, 10);
	CHECK(!recent_has(r, 10, 1, S("pw0"), 1));
	CHECK(!recent_has(r, 10, 1, S("pw9900"), 1));
	CHECK(recent_has(r, 11, 1, S("pw1"), 1));
	for (uint32_t i = 0; i < 2 * RECENT_MAX; i++) /* around the ring, over gaps */
		recent_add(r, 5, i, S("x"), 0);
	CHECK(recent_has(r, 5, 2 * RECENT_MAX - 1, S("x"), 1));
	CHECK(!recent_has(r, 5, RECENT_MAX - 1, S("x"), 1));
	recent_free(&r);
}

/* The fifth wrong password closes the address, to the right one too, and to no other. */
/* What people read follows the numbers of the configuration. */
static void test_sentences(void)
{
	static const struct {
		struct lockout_rules rules;
		struct closed why;
		const char *de, *en;
	} table[] = {
		{ { .errors = 1 },
		  { .state = LOCKOUT_BLOCKED },
		  "1 falsches Passwort /",
		  "1 wrong password" },
		{ { .errors = 7 },
		  { .state = LOCKOUT_BLOCKED },
		  "7 falsche Passwoerter /",
		  "7 wrong passwords" },
		{ { .blocks = 3, .day_s = 86400 },
		  { .state = LOCKOUT_BANNED },
		  "3 Sperren in 24 Stunden /",
		  "3 blocks within 24 hours" },
		{ { .blocks = 1, .day_s = 3600 },
		  { .state = LOCKOUT_BANNED },
		  "1 Sperre in 1 Stunde /",
		  "1 block within 1 hour" },
		{ { .blocks = 2, .day_s = 5400 },
		  { .state = LOCKOUT_BANNED },
		  "2 Sperren in 90 Minuten /",
		  "2 blocks within 90 minutes" },
		{ { .blocks = 2, .day_s = 61 },
		  { .state = LOCKOUT_BANNED },
		  "2 Sperren in 61 Sekunden /",
		  "2 blocks within 61 seconds" },
		{ { .blocks = 3, .day_s = 86400 },
		  { .state = LOCKOUT_BANNED, .by_hand = true },
		  "vom Betreiber /",
		  "by the operator" },
	};
	struct guard_conf usual = { .rules = lockout_rules_default() };

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct guard_conf conf = { .rules = table[i].rules };
		struct closed c = table[i].why;
		c.until = clock_wall() + 60;
		guard_configure(guard, &conf);
		struct str s = guard_sentence(guard, &c, a);
		CHECK(str_find_str(s, str_of(table[i].de)) < s.n);
		CHECK(str_find_str(s, str_of(table[i].en)) < s.n && str_ascii(s));
	}
	guard_configure(guard, &usual);
}

static void test_lockout(void)
{
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	for (int i = 0; i < 4; i++)
		CHECK_NUM(try_login("demo1@example.test", "Wrong-1-Horse", "198.51.100.1"),
			  E_DENIED);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.1"), OK);
	CHECK_NUM(try_login("nobody@example.test", "Wrong-1-Horse", "198.51.100.1"), E_LIMIT);
	CHECK(str_starts(sentence, S("Zugang gesperrt bis ")));
	CHECK(str_find_str(sentence, S("5 falsche Passwoerter / closed")) < sentence.n);
	CHECK(str_ascii(sentence));
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.1"), E_LIMIT);
	CHECK(logged("event=login.unheard"));
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.2"), OK);
	/* The machine itself, never. */
	for (int i = 0; i < 12; i++)
		CHECK_NUM(try_login("demo1@example.test", "Wrong-1-Horse",
				    i % 2 ? "127.0.0.1" : "::1"),
			  E_DENIED);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "127.0.0.1"), OK);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "::1"), OK);
	clock_fake_step(20 * 60 * 1000);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.1"), OK);
}

struct attempt {
	const char *ip, *password;
	enum err result;
};

static void attempt(void *arg)
{
	struct attempt *t = arg;

	t->result = try_login("demo1@example.test", t->password, t->ip);
}

/* Many at once are no more guesses than one after the other: four wrong answers at most, then it is
 * closed to all that wait or are hashed just now, right passwords too. */
static void check_many_guesses(const char *ip)
{
	static struct attempt list[60];
	struct group *g = group_new();
	unsigned denied = 0, closed = 0;

	for (size_t i = 0; i < LENGTH(list); i++) {
		list[i].ip = ip;
		list[i].password = i < 20 ? "Wrong-1-Horse" : "Right-1-Horse";
		CHECK_NUM(group_spawn(g, "login", attempt, &list[i]), OK);
	}
	struct attempt other = { "198.51.100.10", "Right-1-Horse", E_AGAIN };
	CHECK_NUM(group_spawn(g, "login", attempt, &other), OK);
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
	for (size_t i = 0; i < LENGTH(list); i++) {
		denied += list[i].result == E_DENIED;
		closed += list[i].result == E_LIMIT;
	}
	/* One that was counted while the fifth was is not told what it was. */
	CHECK(denied <= 4);
	CHECK_NUM(denied + closed, LENGTH(list));
	CHECK_NUM(other.result, OK); /* the neighbour had his turn among them */
}

static void test_many_guesses(void)
{
	struct secret own;

	/* One that takes its time. */
	CHECK_NUM(login_hash(logins, S("demo1"), S("Right-1-Horse"), a, &own), OK);
	CHECK_NUM(directory_secret_put(st, demo1, &own), OK);
	login_forget(logins, demo1);
	check_many_guesses("198.51.100.9");
	/* Now it is remembered: a right one needs no hash, and is heard in its order all the same.
	 */
	check_many_guesses("198.51.100.13");
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.14"), OK);
	check_many_guesses("198.51.100.14");
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	login_forget(logins, demo1);
}

struct one {
	const char *user, *password;
	char ip[32];
	bool done;
	enum err result;
};

static void log_in(void *arg)
{
	struct one *o = arg;

	o->result = try_login(o->user, o->password, o->ip);
	o->done = true;
}

/* Where there is no room to hash a stranger's password it is not looked at otherwise: what is not
 * counted is not told either. */
static void test_no_room(void)
{
	static struct one crowd[HASHES_AT_ONCE + HASHES_STRANGERS_MAX];
	struct group *g = group_new();

	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.15"), OK);
	for (size_t i = 0; i < LENGTH(crowd); i++) {
		crowd[i] = (struct one){ .user = "demo1@example.test", .password = "Wrong-1" };
		snprintf(crowd[i].ip, sizeof crowd[i].ip, "198.19.%zu.%zu", 2 + i / 200, i % 200);
		CHECK_NUM(group_spawn(g, "login", log_in, &crowd[i]), OK);
	}
	for (int i = 0; i < 20; i++)
		fiber_yield();
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.16"), E_AGAIN);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "198.51.100.15"), OK);
	group_close(&g);
}

/* Closed while the right one is hashed: not heard. */
static void test_closed_meanwhile(void)
{
	struct attempt late = { "198.51.100.12", "Right-1-Horse", E_AGAIN };
	struct group *g = group_new();
	struct net who;

	CHECK_NUM(directory_secret_set(st, demo1,
				       str_of(crypt(late.password, "$6$rounds=300000$salt"))),
		  OK);
	login_forget(logins, demo1);
	CHECK_NUM(group_spawn(g, "login", attempt, &late), OK);
	fiber_yield();
	CHECK(guard_who(guard, str_of(late.ip), &who));
	CHECK_NUM(guard_block(guard, &who, 60), OK);
	CHECK_NUM(late.result, E_AGAIN); /* not answered yet */
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
	CHECK_NUM(late.result, E_LIMIT);
	CHECK(logged("event=login.unheard"));
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	login_forget(logins, demo1);
}

static void not_told(void *arg, const struct net *who, int64_t until)
{
	(void)arg, (void)who, (void)until;
}

static void not_free(void *arg, const struct net *who)
{
	(void)arg, (void)who;
}

/* --- recent logins, and the delay of strangers --- */

static struct history *history_of(uint32_t account)
{
	struct history *h = ARENA_NEW(a, struct history);

	CHECK_NUM(login_history(logins, account, a, h), OK);
	return h;
}

static void test_history(void)
{
	char pop[APP_TEXT + 1];
	uint32_t id;

	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	add_app(demo1, "pop only", "pop3", pop);
	clock_fake_step(86400 * 1000);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.20"), OK);
	CHECK_NUM(try_login("demo1@example.test", "Right-1-Horse", "192.0.2.20"), OK);
	CHECK_NUM(try_login("demo1@example.test", "Wrong-1-Horse", "2001:db8::7"), E_DENIED);
	CHECK_NUM(try_login("demo1@example.test", pop, ""), E_DENIED);
	CHECK_NUM(try_login("nobody@example.test", "Wrong-1-Horse", "2001:db8::7"), E_DENIED);
	struct history *h = history_of(demo1);
	CHECK(h->n > 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_STR(h->visit[i].proto, "imap");
	unsigned seen = 0;
	for (size_t i = 0; i < 3; i++) { /* all in one second, so in any order */
		const struct visit *v = &h->visit[i];
		struct str ip = v->ip.bits ? net_text(a, &v->ip) : S("");
		if (v->result == VISIT_OK)
			seen |= str_is(ip, "192.0.2.20") && v->count == 2 &&
				str_is(v->by, "password");
		if (v->result == VISIT_WRONG_PASSWORD)
			seen |= str_is(ip, "2001:db8::7") && v->count == 1 && !v->by.n ? 2 : 0;
		if (v->result == VISIT_NOT_PROTOCOL)
			seen |= !ip.n && str_is(v->by, "app:pop only") ? 4 : 0;
	}
	CHECK_NUM(seen, 7);
	CHECK_NUM(history_of(0)->n, 0); /* of unknown names nothing is kept */
	CHECK_NUM(directory_app_delete(st, demo1, S("pop only"), &id), OK);
}

/* Whoever can go on does. */
static void settle(void)
{
	for (int i = 0; i < 5; i++) {
		usleep(2000);
		fiber_yield();
	}
}

/* Its answer waits so long and no longer. What is wrong is in the log before, what is right is
 * remembered: neither is hashed while the clock stands still here. */
static void check_wait(const char *user, const char *password, const char *ip, enum err expected,
		       int64_t wait_ms)
{
	struct one o = { .user = user, .password = password };
	struct group *g = group_new();

	snprintf(o.ip, sizeof o.ip, "%s", ip);
	*line = 0;
	decisions = 0;
	CHECK_NUM(group_spawn(g, "login", log_in, &o), OK);
	while (expected == E_DENIED && !o.done && !logged("event=login.failed"))
		fiber_yield();
	settle();
	if (wait_ms) {
		clock_fake_step(wait_ms - 1);
		settle();
		CHECK(!o.done);
		clock_fake_step(1);
		settle();
	}
	CHECK(o.done);
	CHECK_NUM(o.result, expected);
	CHECK_NUM(decisions, expected == E_AGAIN ? 0 : 1); /* one line each, however long it took */
	group_close(&g);
}

/* Guessed at from many addresses, an account that exists and one that does not. */
static void guess_from(const char *user, int from, int to, int64_t wait_ms)
{
	char ip[32];

	for (int i = from; i < to; i++) {
		snprintf(ip, sizeof ip, "198.18.7.%d", i);
		check_wait(user, "Wrong-1-Horse", ip, E_DENIED, wait_ms);
	}
}

static void test_slow(void)
{
	struct slow_rules rules = { .after = 3, .max_ms = 3000 };
	const char *demo = "demo1@example.test", *horse = "Right-1-Horse";

	clock_fake_step(3600 * 1000);
	login_configure(logins, false, &rules);
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	CHECK_NUM(try_login(demo, horse, "203.0.113.77"), OK);
	CHECK_NUM(try_login(demo, horse, "2001:db8:77::1"), OK);
	for (int i = 0; i < 2; i++) {
		const char *user = i ? "nobody@example.test" : demo;
		guess_from(user, 10 * i, 10 * i + 3, 0);
		guess_from(user, 10 * i + 3, 10 * i + 4, 1000); /* the same for both */
		guess_from(user, 10 * i + 4, 10 * i + 5, 2000);
		guess_from(user, 10 * i + 5, 10 * i + 6, 3000);
		guess_from(user, 10 * i + 6, 10 * i + 7, 3000);
	}
	/* Right or wrong, a stranger waits; who was there before does not, right or wrong. */
	check_wait(demo, horse, "203.0.113.77", OK, 0);
	check_wait(demo, "Wrong-1-Horse", "203.0.113.77", E_DENIED, 0);
	check_wait(demo, horse, "2001:db8:77::abcd", OK, 0); /* of the same /64 */
	check_wait(demo, horse, "2001:db8:78::1", OK, 3000);
	check_wait(demo, horse, "2001:db8:78::1", OK, 0); /* from now on */
	check_wait(demo, horse, "127.0.0.1", OK, 0);
	login_configure(logins, false, &no_delay);
	check_wait(demo, horse, "2001:db8:79::1", OK, 0);
	login_configure(logins, false, &rules);
}

/* So many wait and no more: the next one is told to come again, unless he is known. */
static void test_slow_crowd(void)
{
	static struct one crowd[STRANGERS_WAITING_MAX];
	const char *demo = "demo1@example.test", *horse = "Right-1-Horse";
	struct group *g = group_new();

	CHECK_NUM(try_login(demo, horse, "203.0.113.77"), OK);
	for (size_t i = 0; i < LENGTH(crowd); i++) {
		crowd[i] = (struct one){ .user = demo, .password = horse };
		snprintf(crowd[i].ip, sizeof crowd[i].ip, "198.19.0.%zu", i);
		CHECK_NUM(group_spawn(g, "login", log_in, &crowd[i]), OK);
	}
	for (int i = 0; i < 20; i++)
		fiber_yield();
	check_wait(demo, horse, "198.19.1.1", E_AGAIN, 0);
	check_wait(demo, horse, "203.0.113.77", OK, 0);
	for (size_t i = 0; i < LENGTH(crowd); i++)
		CHECK(!crowd[i].done);
	clock_fake_step(3000);
	CHECK_NUM(group_wait(g, NEVER), OK);
	for (size_t i = 0; i < LENGTH(crowd); i++)
		CHECK_NUM(crowd[i].result, OK);
	check_wait(demo, horse, "198.19.1.1", OK, 3000);
	/* Who hangs up does not wait on. */
	CHECK_NUM(group_spawn(g, "login", log_in, &crowd[0]), OK);
	group_close(&g);
	login_configure(logins, false, &no_delay);
}

static void run(void *arg)
{
	struct guard_conf conf = { .rules = lockout_rules_default() };
	struct guard_news news = { not_told, not_free, NULL };

	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	test_alias(st, a, "info@example.test", "demo1@example.test");
	CHECK_NUM(guard_new(st, &conf, news, &guard), OK);
	CHECK_NUM(logins_new(st, guard, &logins), OK);
	log_capture(keep_line, NULL);
	test_recent();
	test_login();
	test_time();
	CHECK_NUM(directory_secret_set(st, demo1, S(HORSE)), OK);
	test_change();
	test_crowd();
	test_apps();
	test_upgrade();
	test_lockout();
	test_many_guesses();
	test_no_room();
	test_closed_meanwhile();
	test_sentences();
	test_history();
	test_slow();
	test_slow_crowd();
	log_capture(NULL, NULL);
	logins_free(&logins);
	guard_close(&guard);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
