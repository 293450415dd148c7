/* SPDX-License-Identifier: ISC */
/* What the keeper tells unasked: workers which sessions end, main whom the kernel keeps out. */
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "keeper/admin.h"
#include "keeper/keeper_test.h"
#include "keeper/own.h"
#include "keeper/serve.h"

static struct arena *a;
static struct store *st;
static struct keeping *keeping;
static struct peer *op, *op_server;
static uint32_t demo1, demo2;

struct worker { /* a process as the keeper sees it, with one client */
	struct keeper *keeper;
	struct log_context context;
	uint32_t logged_in; /* the account, and the connection it came over */
	uint64_t conn;
	struct session_end end; /* the last one it was told, and how many */
	unsigned ends;
	uint32_t found; /* who was logged in then */
};
static struct worker session0, session1, mx0;

static void end(void *arg, const struct session_end *e)
{
	struct worker *w = arg;

	w->ends++;
	w->found = w->logged_in;
	w->end = *e;
	w->end.reason = str_dup(a, e->reason);
}

/* Each worker has one session of the account that logged in there. */
static size_t list(void *arg, uint32_t account, struct arena *arena, struct session_row *out)
{
	const struct worker *w = arg;

	(void)arena;
	if (!account || w->logged_in != account)
		return 0;
	out[0] = (struct session_row){ S("imaps"), S("192.0.2.1"), 1 };
	return 1;
}

static void logged_in(void *arg, uint64_t conn, uint32_t account)
{
	struct worker *w = arg;

	w->conn = conn;
	w->logged_in = account;
}

static void employ(struct worker *w, enum face face, uint64_t conn)
{
	int fds[2];

	*w = (struct worker){ .keeper = keeper_new(), .context = { .conn = conn } };
	keeper_obey(w->keeper, (struct keeper_orders){ end, list, logged_in, w });
	CHECK_NUM(ipc_pair(fds), OK);
	CHECK_NUM(keeping_worker(keeping, face, fds[0]), OK);
	keeper_connect(w->keeper, fds[1]);
}

static void quiet(void)
{
	session0.ends = session1.ends = mx0.ends = 0;
}

/* --- main --- */

static struct keeping_ban told[64];
static size_t ntold;
static unsigned words, wholes;
static enum err answer;

static enum err hear(void *arg, const struct keeping_ban *list, size_t n, bool whole)
{
	(void)arg;
	words++;
	wholes += whole;
	if (whole)
		ntold = 0;
	for (size_t i = 0; i < n && ntold < LENGTH(told); i++)
		told[ntold++] = list[i];
	return answer;
}

static struct net net_of(const char *text)
{
	struct net n = { 0 };

	CHECK(net_parse(str_of(text), &n));
	return n;
}

/* What main was told last of a network: 1 banned, 0 free, -1 nothing. */
static int state_of(const char *text)
{
	struct net n = net_of(text);

	for (size_t i = ntold; i--;)
		if (net_same(&told[i].who, &n))
			return told[i].until > 0;
	return -1;
}

/* --- tests --- */

static enum err log_in(struct worker *w, const char *password, const char *ip)
{
	struct login_try t = { S("demo1@example.test"), str_of(password), str_of(ip), "imap",
			       true };
	struct login l;

	fiber_log_context(&w->context);
	enum err e = keeper_login(w->keeper, &t, a, &l);
	fiber_log_context(NULL);
	return e;
}

/* Who looks after the account hears of it in every process, whatever it may ask itself. */
static void test_operator(void)
{
	struct admin_password horse = { .hash = S(HORSE) };
	struct str app, why;

	quiet();
	CHECK_NUM(log_in(&session0, "Right-1-Horse", "203.0.113.1"), OK);
	CHECK_NUM(session0.logged_in, demo1);
	CHECK_NUM(session0.conn, 7);
	CHECK_NUM(log_in(&session1, "Wrong-1-Horse", "203.0.113.1"), E_DENIED);
	CHECK_NUM(session1.logged_in, 0);
	CHECK_NUM(session0.ends, 0);

	/* What is refused changes nothing and ends nothing. */
	struct admin_password bad = { .password = S("short") };
	CHECK_NUM(admin_user_passwd(op, S("demo1@example.test"), bad, a, &why), E_SYNTAX);
	CHECK_NUM(session0.ends, 0);
	CHECK_NUM(log_in(&session0, "Right-1-Horse", "203.0.113.1"), OK);
	CHECK_NUM(admin_user_passwd(op, S("demo1@example.test"), horse, a, &why), OK);
	CHECK_NUM(session0.ends, 1);
	CHECK_NUM(session1.ends, 1);
	CHECK_NUM(mx0.ends, 1);
	CHECK_NUM(session0.end.account, demo1);
	CHECK_NUM(session0.end.except, 0);
	CHECK_NUM(session0.end.from.bits, 0);
	CHECK(str_find_str(session0.end.reason, S("password was changed")) < session0.end.reason.n);
	CHECK(str_ascii(session0.end.reason));

	CHECK_NUM(admin_app_add(op, S("demo1@example.test"), S("phone"), S(""), a, &app, &why), OK);
	CHECK_NUM(session0.ends, 1); /* one more harms nobody */
	CHECK_NUM(admin_app_delete(op, S("demo1@example.test"), S("phone"), a, &why), OK);
	CHECK_NUM(session0.ends, 2);
	CHECK_NUM(session0.end.account, demo1);
	CHECK_NUM(admin_user_delete(op, S("demo2@example.test"), a, &why), OK);
	CHECK_NUM(session1.ends, 3);
	CHECK_NUM(session1.end.account, demo2);
}

/* Its owner's own connection goes on, in the process that it belongs to only. */
static void test_owner(void)
{
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("203.0.113.1"), "web",
			       true };
	struct str app;
	struct change c = { 0 };
	struct said said = { 0 };
	struct session_row *row;
	size_t n;

	quiet();
	CHECK_NUM(log_in(&session0, "Right-1-Horse", "203.0.113.1"), OK);
	fiber_log_context(&session1.context);
	CHECK_NUM(keeper_sessions(session1.keeper, &t, a, &said, &row, &n), OK);
	CHECK_NUM(n, 1);
	CHECK_STR(row[0].protocol, "imaps");
	CHECK_NUM(keeper_logout(session1.keeper, &t, a, &said), OK);
	CHECK(session0.ends == 1 && session1.ends == 1 && session0.end.account == demo1);
	session0.ends = session1.ends = 0;
	CHECK_NUM(keeper_change_password(session1.keeper, &t, S("short"), a, &c), OK);
	CHECK_NUM(session1.ends, 0); /* refused: all stays */
	CHECK_NUM(keeper_change_password(session1.keeper, &t, S("Other-2-Mule-77"), a, &c), OK);
	CHECK_STR(c.word, "ok");
	CHECK_NUM(session0.ends, 1);
	CHECK_NUM(session0.end.except, 0);
	CHECK_NUM(session1.ends, 1);
	CHECK_NUM(session1.end.except, 8);

	t.password = S("Other-2-Mule-77");
	CHECK_NUM(keeper_app_add(session1.keeper, &t, S("tv"), S(""), a, &said, &app), OK);
	CHECK_NUM(session0.ends, 1);
	CHECK_NUM(keeper_app_delete(session1.keeper, &t, S("tv"), a, &said), OK);
	CHECK_NUM(session0.ends, 2);
	CHECK_NUM(session1.end.except, 8);
	CHECK_NUM(keeper_change_password(session1.keeper, &t, S("Right-1-Horse"), a, &c), OK);
	fiber_log_context(NULL);
}

struct late {
	enum err result;
};

static void log_in_late(void *arg)
{
	((struct late *)arg)->result = log_in(&session0, "Right-1-Horse", "203.0.113.5");
}

/* A login whose password was looked at before it changed does not slip in behind the word that
 * ends the sessions. */
static void test_race(void)
{
	struct admin_password other = { .hash = S(HORSE) }; /* stored at once: no hashing */
	struct admin_password horse = { .password = S("Right-1-Horse") };
	struct group *g = group_new();
	unsigned in = 0, out = 0;
	struct str why;

	for (int i = 0; i < 12; i++) {
		struct late l = { 0 };
		CHECK_NUM(admin_user_passwd(op, S("demo1@example.test"), horse, a, &why), OK);
		quiet();
		session0.logged_in = 0;
		CHECK_NUM(group_spawn(g, "login", log_in_late, &l), OK);
		if (i)
			CHECK_NUM(fiber_sleep(clock_in(15 * i)), OK);
		CHECK_NUM(admin_user_passwd(op, S("demo1@example.test"), other, a, &why), OK);
		CHECK_NUM(group_wait(g, NEVER), OK);
		/* Where it came in, it was before the word, which had its session to end. */
		CHECK(l.result == E_AGAIN || l.result == OK);
		CHECK_NUM(session0.ends, 1);
		CHECK_NUM(session0.logged_in, l.result ? 0 : demo1);
		CHECK_NUM(session0.found, session0.logged_in);
		in += l.result == OK;
		out += l.result != OK;
	}
	CHECK(out > 0);
	printf("race: %u came in before, %u were refused\n", in, out);
	CHECK_NUM(admin_user_passwd(op, S("demo1@example.test"), horse, a, &why), OK);
	group_close(&g);
}

static void fail_until_banned(const char *ip)
{
	for (int i = 0; i < 2; i++)
		CHECK(log_in(&session0, "Wrong-1-Horse", ip) != OK);
}

static void test_ban(void)
{
	quiet();
	CHECK_NUM(words, 1); /* at the start, though nobody is banned */
	CHECK_NUM(wholes, 1);
	CHECK_NUM(ntold, 0);
	fail_until_banned("198.51.100.7");
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(state_of("198.51.100.7"), 1);
	CHECK(told[0].until > clock_wall() + 23 * 3600);
	CHECK_NUM(session0.ends, 1);
	CHECK_NUM(session1.ends, 1);
	CHECK_NUM(mx0.ends, 1);
	CHECK_NUM(mx0.end.account, 0);
	struct net who = net_of("198.51.100.7");
	CHECK(net_same(&mx0.end.from, &who));
	fail_until_banned("2001:db8::7");
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(state_of("2001:db8::/64"), 1);
	/* Exempt and of the machine: never. */
	fail_until_banned("192.0.2.200");
	fail_until_banned("127.0.0.1");
	fail_until_banned("::1");
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(ntold, 2);
	CHECK_NUM(wholes, 1);
}

/* A main that has not understood is told all of it again; so is one whose keeper is new. */
static void test_anew(struct keeping_conf *conf)
{
	answer = E_TIMEOUT;
	fail_until_banned("198.51.100.8");
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	answer = OK;
	ntold = 0;
	CHECK_NUM(fiber_sleep(clock_in(1500)), OK);
	CHECK_NUM(wholes, 2);
	CHECK_NUM(ntold, 3);

	keeping_close(&keeping);
	CHECK_NUM(keeping_new(st, conf, &keeping), OK);
	keeping_tell_main(keeping, (struct keeping_main){ hear, NULL });
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(wholes, 3);
	CHECK_NUM(ntold, 3);
	CHECK_NUM(state_of("198.51.100.8"), 1);
	CHECK_NUM(state_of("198.51.100.7"), 1);
	CHECK_NUM(state_of("2001:db8::/64"), 1);

	/* A worker with clients from before the keeper began. */
	struct worker late;
	employ(&late, FACE_SESSION, 10);
	keeping_tell_again(keeping);
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(wholes, 4);
	CHECK_NUM(ntold, 3);
	CHECK_NUM(late.ends, 3);
	keeper_close(&late.keeper);

	/* Made exempt by a reload: no longer. */
	struct net now_exempt[] = { net_of("198.51.100.0/25") };
	struct keeping_conf fresh = *conf;
	fresh.guard.exempt = (struct nets){ now_exempt, 1 };
	keeping_configure(keeping, &fresh);
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	CHECK_NUM(state_of("198.51.100.8"), 0);
	CHECK_NUM(state_of("2001:db8::/64"), 1);
}

static void log_in_and_die(void *arg)
{
	CHECK(log_in(arg, "Right-1-Horse", "203.0.113.9") != E_DENIED);
}

static void employ_one(void *arg)
{
	employ(arg, FACE_SESSION, 11);
}

/* Two processes die whose logins are being hashed, and two come in their places at once. */
static void test_deaths(void)
{
	struct worker dying[2], fresh[2];
	struct group *g = group_new();

	for (size_t i = 0; i < 2; i++) {
		employ(&dying[i], FACE_SESSION, 20 + i);
		CHECK_NUM(group_spawn(g, "login", log_in_and_die, &dying[i]), OK);
	}
	CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	group_close(&g);
	for (size_t i = 0; i < 2; i++)
		keeper_close(&dying[i].keeper);
	CHECK_NUM(fiber_sleep(clock_in(1)), OK); /* the keeper sees that they are gone */
	g = group_new();
	for (size_t i = 0; i < 2; i++)
		CHECK_NUM(group_spawn(g, "employ", employ_one, &fresh[i]), OK);
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	group_close(&g);
	struct session_end all = { .account = demo1, .reason = S("all") };
	keeping_end_sessions(keeping, &all, NULL);
	for (size_t i = 0; i < 2; i++) {
		CHECK_NUM(fresh[i].ends, 1);
		keeper_close(&fresh[i].keeper);
	}
}

static void run(void *arg)
{
	struct net exempt[] = { net_of("192.0.2.128/25") };
	struct keeping_conf conf = { .guard = { lockout_rules_default(), { exempt, 1 } },
				     .rules = { .detail = S("+"), .postmaster = S("") },
				     .password_min = 8 };

	conf.guard.rules.errors = 20;
	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	demo2 = test_user(st, a, "demo2@example.test");
	CHECK_NUM(keeping_new(st, &conf, &keeping), OK);
	keeping_tell_main(keeping, (struct keeping_main){ hear, NULL });
	int fds[2];
	CHECK_NUM(ipc_pair(fds), OK);
	op_server = peer_new(fds[0], keeping_service(keeping, FACE_OPERATOR));
	op = peer_new(fds[1], (struct ipc_service){ 0 });
	employ(&session0, FACE_SESSION, 7);
	employ(&session1, FACE_SESSION, 8);
	employ(&mx0, FACE_MX, 9);
	test_operator();
	test_owner();
	test_race();
	test_deaths();
	peer_close(&op);
	peer_close(&op_server);
	/* Two wrong ones ban: the policy has its own tests. */
	conf.guard.rules.errors = 2;
	conf.guard.rules.blocks = 1;
	keeping_configure(keeping, &conf);
	test_ban();
	test_anew(&conf);
	keeper_close(&session0.keeper);
	keeper_close(&session1.keeper);
	keeper_close(&mx0.keeper);
	keeping_close(&keeping);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
