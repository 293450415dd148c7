/* SPDX-License-Identifier: ISC */
/* Tests of both guarantees: in the user's record, by the operator, and where mail is on its way. */
#include "keeper/guarantee.h"

#include "base/log.h"
#include "keeper/admin.h"
#include "keeper/keeper_test.h"
#include "keeper/own.h"
#include "keeper/record.h"
#include "keeper/serve_priv.h"

static struct arena *a;
static struct store *st;
static struct keeping *keeping;
static struct keeping_conf conf = { .rules = { .detail = S("+") } };
static struct keeper *k;
static struct peer *op;
static struct str why;
static uint32_t demo1;

static void test_words(void)
{
	struct guarantees mild = { GUARANTEE_ENCRYPTED, true };
	struct guarantees strict = { GUARANTEE_AUTHENTICATED, false };
	enum guarantee g;
	bool receiving;

	for (enum guarantee i = GUARANTEE_NONE; i < GUARANTEES; i++)
		CHECK(guarantee_of(str_of(guarantee_word(i)), &g) && g == i);
	CHECK(!guarantee_of(S("any"), &g) && !guarantee_of(S("Encrypted"), &g));
	CHECK(guarantee_receiving_of(S("any"), &receiving) && !receiving);
	CHECK(guarantee_receiving_of(S("encrypted"), &receiving) && receiving);
	CHECK(!guarantee_receiving_of(S("none"), &receiving));
	CHECK_STR(str_of(guarantee_receiving_word(true)), "encrypted");

	struct guarantees both = guarantees_both(mild, strict);
	CHECK(both.sending == GUARANTEE_AUTHENTICATED && both.receiving);
	both = guarantees_both(strict, (struct guarantees){ 0 });
	CHECK(both.sending == GUARANTEE_AUTHENTICATED && !both.receiving);
}

/* A record as version 2 had it. */
static void test_record(void)
{
	struct user u = { 0 }, again = { 0 };
	struct buf b = buf_new(1024);

	buf_u8(&b, 2);
	buf_u32(&b, 7);
	buf_u8(&b, USER_ACTIVE);
	buf_u64(&b, 1700000000);
	buf_u64(&b, 5000);
	buf_blob(&b, S("demo7"));
	buf_blob(&b, S("example.test"));
	buf_u32(&b, 20000);
	buf_blob(&b, S(""));
	buf_u8(&b, 1);
	buf_blob(&b, S("spam"));
	CHECK_NUM(user_read(buf_str(&b), a, &u), OK);
	CHECK(u.send_blocked && u.expires == 20000);
	CHECK(u.guarantees.sending == GUARANTEE_NONE && !u.guarantees.receiving);
	u.guarantees = (struct guarantees){ GUARANTEE_AUTHENTICATED, true };
	struct str now = record_user(a, &u);
	CHECK_NUM(user_read(now, a, &again), OK);
	CHECK_STR(again.send_reason, "spam");
	CHECK(again.guarantees.sending == GUARANTEE_AUTHENTICATED && again.guarantees.receiving);
	CHECK_NUM(user_read(str_part(now, 0, now.n - 1), a, &again), E_CORRUPT);
	/* What follows the last reason: two octets, of which neither may be anything. */
	for (size_t i = 1; i <= 2; i++) {
		char *octets = (char *)str_dup(a, now).p;
		octets[now.n - i] = GUARANTEES;
		CHECK_NUM(user_read(STR(octets, now.n), a, &again), E_CORRUPT);
	}
	buf_free(&b);
}

static enum guarantee sending(void)
{
	struct path from = { S("demo1"), S("example.test"), false };
	enum guarantee least = GUARANTEES;
	struct str line;

	CHECK_NUM(keeper_may_send(k, demo1, from, a, &line, &least), OK);
	return least;
}

static void want_least(enum guarantee own, bool receiving)
{
	conf.rules.least = (struct guarantees){ own, receiving };
	keeping_configure(keeping, &conf);
}

static void set(unsigned what, enum guarantee own, bool receiving)
{
	struct admin_state s = { .guarantees = { own, receiving } };

	CHECK_NUM(admin_user_set(op, S("demo1@example.test"), what, &s, a, &why), OK);
}

static void check_row(enum guarantee own, bool receiving, enum guarantee in_force, bool all)
{
	struct admin_user u = { 0 };

	CHECK_NUM(admin_user_show(op, S("demo1@example.test"), a, &u, &why), OK);
	CHECK_NUM(u.row.guarantees.sending, own);
	CHECK_NUM(u.row.guarantees.receiving, receiving);
	CHECK_NUM(u.row.in_force.sending, in_force);
	CHECK_NUM(u.row.in_force.receiving, all);
}

static void test_sending(void)
{
	struct admin_state s = { .guarantees = { GUARANTEES, false } };

	CHECK_NUM(sending(), GUARANTEE_NONE);
	set(SET_SENDING_GUARANTEE, GUARANTEE_ENCRYPTED, true);
	CHECK_NUM(sending(), GUARANTEE_ENCRYPTED);
	check_row(GUARANTEE_ENCRYPTED, false, GUARANTEE_ENCRYPTED, false);
	want_least(GUARANTEE_AUTHENTICATED, true);
	CHECK_NUM(sending(), GUARANTEE_AUTHENTICATED);
	check_row(GUARANTEE_ENCRYPTED, false, GUARANTEE_AUTHENTICATED, true);
	want_least(GUARANTEE_NONE, false);
	set(SET_QUOTA, GUARANTEE_NONE, false);
	CHECK_NUM(sending(), GUARANTEE_ENCRYPTED);
	CHECK_NUM(admin_user_set(op, S("demo1@example.test"), SET_SENDING_GUARANTEE, &s, a, &why),
		  E_SYNTAX);
	set(SET_SENDING_GUARANTEE, GUARANTEE_NONE, false);
	CHECK_NUM(sending(), GUARANTEE_NONE);
}

/* Which of the accounts that an address leads to take encrypted mail only: "-x" for two. */
static const char *taking(const char *local, const char *domain)
{
	struct path to = { str_of(local), str_of(domain), false };
	static char out[8];
	struct route *r;
	size_t n;

	if (!CHECK_NUM(keeper_route(k, to, a, &r, &n), OK) || !CHECK(n < sizeof out))
		return "";
	for (size_t i = 0; i < n; i++)
		out[i] = r[i].encrypted ? 'x' : '-';
	out[n] = 0;
	return out;
}

static void check_taking(const char *local, const char *domain, const char *want)
{
	CHECK_STR(str_of(taking(local, domain)), want);
}

static void test_receiving(void)
{
	check_taking("demo1", "example.test", "-");
	set(SET_RECEIVING_GUARANTEE, GUARANTEE_AUTHENTICATED, true);
	CHECK_NUM(sending(), GUARANTEE_NONE);
	check_taking("demo1", "example.test", "x");
	check_taking("demo1+shop", "example.test", "x");
	check_taking("all", "example.test", "-x-"); /* and somebody elsewhere */
	/* The oldest account is the postmaster, and he is in reach. */
	check_taking("postmaster", "example.test", "-");
	check_taking("postmaster", "", "-");
	CHECK_NUM(test_user(st, a, "postmaster@example.test"), 3);
	check_taking("postmaster", "example.test", "-");
	want_least(GUARANTEE_NONE, true);
	check_taking("all", "example.test", "xx-");
	check_taking("postmaster", "example.test", "x"); /* his own account's address */
	check_taking("postmaster", "", "-");
	want_least(GUARANTEE_NONE, false);
	set(SET_RECEIVING_GUARANTEE, GUARANTEE_NONE, false);
	check_taking("demo1", "example.test", "-");
}

/* --- by the owner --- */

static void owner_sets(const char *sending_word, const char *receiving, const char *word)
{
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.1"), "web",
			       true };
	struct own_guarantees g = { 0 };
	struct said said = { 0 };

	CHECK_NUM(
		keeper_guarantees_set(k, &t, str_of(sending_word), str_of(receiving), a, &said, &g),
		OK);
	CHECK_STR(said.word, word);
	if (str_is(said.word, "ok"))
		CHECK(str_is(str_of(guarantee_word(g.own.sending)), sending_word) &&
		      str_is(str_of(guarantee_receiving_word(g.own.receiving)), receiving));
}

static void test_owner(void)
{
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.1"), "web",
			       true };
	struct own_guarantees g = { 0 };
	struct said said = { 0 };

	owner_sets("encrypted", "encrypted", "ok");
	CHECK_NUM(sending(), GUARANTEE_ENCRYPTED);
	check_taking("demo1", "example.test", "x");
	owner_sets("authenticated", "any", "ok");
	check_taking("demo1", "example.test", "-");
	owner_sets("any", "any", "bad_guarantee");
	owner_sets("none", "", "bad_guarantee");
	CHECK_NUM(sending(), GUARANTEE_AUTHENTICATED);
	/* He may wish for less than the operator, and gets what the operator wants. */
	want_least(GUARANTEE_ENCRYPTED, true);
	owner_sets("none", "any", "ok");
	CHECK_NUM(sending(), GUARANTEE_ENCRYPTED);
	CHECK_NUM(keeper_guarantees(k, &t, a, &said, &g), OK);
	CHECK(g.own.sending == GUARANTEE_NONE && !g.own.receiving);
	CHECK(g.least.sending == GUARANTEE_ENCRYPTED && g.least.receiving);
	want_least(GUARANTEE_NONE, false);
	t.password = S("Wrong-1-Horse");
	CHECK_NUM(keeper_guarantees(k, &t, a, &said, &g), E_DENIED);
	CHECK_NUM(keeper_guarantees_set(k, &t, S("encrypted"), S("any"), a, &said, &g), E_DENIED);
	CHECK_NUM(sending(), GUARANTEE_NONE);
}

static void test_all(void *arg)
{
	struct peer *server, *asked;
	int fds[2];

	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	test_user(st, a, "demo2@example.test");
	test_alias(st, a, "all@example.test", "demo2@example.test demo1@example.test x@else.test");
	CHECK_NUM(keeping_new(st, &conf, &keeping), OK);
	CHECK_NUM(ipc_pair(fds), OK);
	server = peer_new(fds[0], keeping_service(keeping, FACE_OPERATOR));
	op = peer_new(fds[1], (struct ipc_service){ 0 });
	CHECK_NUM(ipc_pair(fds), OK);
	asked = peer_new(fds[0], keeping_service(keeping, FACE_SESSION));
	k = keeper_new();
	keeper_connect(k, fds[1]);
	test_words();
	test_record();
	test_sending();
	test_receiving();
	test_owner();
	keeper_close(&k);
	peer_close(&op);
	peer_close(&asked);
	peer_close(&server);
	keeping_close(&keeping);
	store_close(&st);
	arena_free(&a);
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

int main(void)
{
	log_capture(quiet, NULL);
	fiber_main(test_all, NULL);
	return check_done();
}
