/* SPDX-License-Identifier: ISC */
/* Tests of both sides of keeper.h and admin.h, joined by socket pairs. */
#include <unistd.h>

#include "base/clock.h"
#include "keeper/admin.h"
#include "keeper/dkim.h"
#include "keeper/keeper_test.h"
#include "keeper/own.h"
#include "keeper/serve_priv.h"

static struct arena *a;
static struct store *st;
static struct keeping *keeping;
static struct str unsaid;    /* why a sender may not send */
static enum guarantee least; /* of its way out */

/* One end of a pair whose other end is served; *out owns the served one. */
static int served(enum face face, struct peer **out)
{
	int fds[2];

	CHECK_NUM(ipc_pair(fds), OK);
	*out = peer_new(fds[0], keeping_service(keeping, face));
	return fds[1];
}

static void test_operator(void)
{
	struct peer *server,
		*op = peer_new(served(FACE_OPERATOR, &server), (struct ipc_service){ 0 });
	struct admin_password pw = { .password = S("Right-1-Horse") };
	struct str targets[2] = { S("demo1@example.test"), S("x@elsewhere.test") }, why;

	CHECK_NUM(admin_domain_add(op, S("example.test"), a, &why), OK);
	CHECK_NUM(admin_domain_add(op, S("Example.TEST"), a, &why), E_EXISTS);
	CHECK_STR(why, "example.test: this domain is there already");
	CHECK_NUM(admin_domain_add(op, S("no domain"), a, &why), E_SYNTAX);
	CHECK_STR(why, "no domain: this is no domain name");
	CHECK_NUM(admin_user_add(op, S("demo1@example.test"), pw, 1 << 20, a, &why), OK);
	CHECK_NUM(admin_user_add(op, S("demo1@example.test"), pw, 0, a, &why), E_EXISTS);
	CHECK_NUM(admin_user_add(op, S("demo1@example.org"), pw, 0, a, &why), E_NOTFOUND);
	CHECK_STR(why,
		  "demo1@example.org: its domain is not one of ours: add it first (domain add)");
	CHECK_NUM(admin_user_add(op, S("demo2"), pw, 0, a, &why), E_SYNTAX);
	CHECK_STR(why, "demo2: this is no address (user@domain)");
	pw.password = S("short");
	CHECK_NUM(admin_user_add(op, S("demo2@example.test"), pw, 0, a, &why), E_SYNTAX);
	CHECK_STR(why, "The password must have at least 10 characters.");
	pw.hash = S("{PLAIN}x");
	CHECK_NUM(admin_user_add(op, S("demo2@example.test"), pw, 0, a, &why), E_SYNTAX);
	pw.hash = S(HORSE);
	CHECK_NUM(admin_user_add(op, S("demo2@example.test"), pw, 0, a, &why), OK);
	CHECK_NUM(admin_alias_add(op, S("info@example.test"), targets, 2, a, &why), OK);
	CHECK_NUM(admin_alias_add(op, S("*@example.test"), targets, 1, a, &why), OK);
	CHECK_NUM(admin_alias_add(op, S("info@example.test"), targets, 2, a, &why), E_EXISTS);
	CHECK_NUM(admin_alias_delete(op, S("*@example.test"), a, &why), OK);
	CHECK_NUM(admin_alias_delete(op, S("*@example.test"), a, &why), E_NOTFOUND);
	CHECK_NUM(admin_domain_delete(op, S("example.test"), a, &why), E_DENIED);
	CHECK_STR(why, "example.test: this domain still has users, aliases or invitations: delete "
		       "them first");
	CHECK_NUM(admin_user_delete(op, S("nobody@example.test"), a, &why), E_NOTFOUND);
	peer_close(&op);
	peer_close(&server);
}

static void test_apps(void)
{
	struct peer *server,
		*op = peer_new(served(FACE_OPERATOR, &server), (struct ipc_service){ 0 });
	struct str who = S("demo1@example.test"), name = S("my phone"), password, why;
	struct admin_app *app;
	size_t n;

	CHECK_NUM(admin_app_add(op, who, name, S("imap"), a, &password, &why), OK);
	CHECK_NUM(password.n, APP_TEXT);
	CHECK_NUM(admin_app_add(op, who, name, S(""), a, &password, &why), E_EXISTS);
	CHECK_STR(why, "my phone: the user has an app password of this name already");
	CHECK_NUM(admin_app_add(op, who, S(""), S(""), a, &password, &why), E_SYNTAX);
	CHECK_NUM(admin_app_add(op, who, S("x"), S("smtp"), a, &password, &why), E_SYNTAX);
	CHECK_STR(why, "smtp: protocols are imap, pop3, submission");
	CHECK_NUM(admin_app_add(op, S("no@example.test"), name, S(""), a, &password, &why),
		  E_NOTFOUND);
	CHECK_NUM(admin_app_list(op, who, a, &app, &n, &why), OK);
	CHECK_NUM(n, 1);
	CHECK_STR(app[0].name, "my phone");
	CHECK_STR(app[0].protocols, "imap");
	CHECK(app[0].created > 0 && app[0].used == 0);
	CHECK_NUM(admin_app_delete(op, who, name, a, &why), OK);
	CHECK_NUM(admin_app_delete(op, who, name, a, &why), E_NOTFOUND);
	CHECK_NUM(admin_app_list(op, who, a, &app, &n, &why), OK);
	CHECK_NUM(n, 0);
	peer_close(&op);
	peer_close(&server);
}

struct seen {
	size_t n, banned;
	struct str last;
};

static void see(void *arg, const struct admin_guard *g)
{
	struct seen *s = arg;

	s->n++;
	s->banned += g->state == LOCKOUT_BANNED;
	s->last = str_dup(a, g->address);
	CHECK(g->by_hand && g->until > clock_wall());
}

static void wrong_from(const char *ip)
{
	struct wrong w = { str_of(ip), S("demo1@example.test"), S("no") };
	unsigned failures;

	CHECK_NUM(guard_failed(keeping->guard, &w, &failures), LOCKOUT_COUNTED);
}

static void test_guard(void)
{
	struct peer *server,
		*op = peer_new(served(FACE_OPERATOR, &server), (struct ipc_service){ 0 });
	struct seen seen = { 0 };
	struct admin_guard g;
	char text[64];
	struct str why;
	int64_t until;

	CHECK_NUM(admin_guard_show(op, S("203.0.113.1"), a, &g, &why), E_NOTFOUND);
	CHECK_STR(why,
		  "203.0.113.1: nothing is known of it: no wrong password and no block lately");
	CHECK_NUM(admin_guard_show(op, S("mail.test"), a, &g, &why), E_SYNTAX);
	CHECK_STR(why, "mail.test: this is no IP address");
	CHECK_NUM(admin_guard_show(op, S("203.0.113.0/24"), a, &g, &why), E_SYNTAX);
	/* Any address of the /64 stands for it. */
	for (int i = 0; i < 3; i++)
		wrong_from("2001:db8::1");
	CHECK_NUM(admin_guard_show(op, S("2001:db8::ffff:2"), a, &g, &why), OK);
	CHECK_STR(g.address, "2001:db8::/64");
	CHECK(g.state == LOCKOUT_OPEN && g.nerrors == 3 && g.nblocks == 0 && !g.exempt);
	CHECK(g.errors[0] > 0 && g.errors[2] <= clock_wall());
	CHECK(g.rules.errors == 5 && g.rules.window_s == 20 * 60 && g.rules.ban_s == 24 * 3600);
	CHECK_NUM(admin_guard_show(op, S("2001:db8:0:1::1"), a, &g, &why), E_NOTFOUND);
	CHECK_STR(str_part(why, 0, 18), "2001:db8:0:1::/64:");

	CHECK_NUM(admin_guard_block(op, S("2001:db8::/64"), 0, a, &until, &why), OK);
	CHECK(until > clock_wall() + 1190 && until <= clock_wall() + 1200);
	CHECK_NUM(admin_guard_block(op, S("2001:db8::3"), 60, a, &until, &why), E_EXISTS);
	CHECK_STR(why, "2001:db8::/64: it is closed for as long already");
	CHECK_NUM(admin_guard_block(op, S("2001:db8::3"), 7200, a, &until, &why), OK);
	CHECK_NUM(admin_guard_show(op, S("2001:db8::"), a, &g, &why), OK);
	CHECK(g.state == LOCKOUT_BLOCKED && g.by_hand && g.until == until);
	CHECK_NUM(admin_guard_block(op, S("192.0.2.1"), UINT32_MAX, a, &until, &why), E_LIMIT);
	/* Never closed. */
	CHECK_NUM(admin_guard_block(op, S("127.0.0.1"), 60, a, &until, &why), E_DENIED);
	CHECK_STR(why, "127.0.0.1: this is an address of this machine, which is never closed");
	CHECK_NUM(admin_guard_block(op, S("::1"), 60, a, &until, &why), E_DENIED);
	CHECK_NUM(admin_guard_block(op, S("::2"), 60, a, &until, &why), E_DENIED);
	CHECK_STR(why, "::2: an address that is never closed lies in the same network");
	CHECK_NUM(admin_guard_block(op, S("::/64"), 60, a, &until, &why), E_DENIED);
	CHECK_STR(why, "::/64: an address that is never closed lies in it");
	CHECK_NUM(admin_guard_show(op, S("127.0.0.1"), a, &g, &why), OK);
	CHECK_NUM(g.exempt, GUARD_MACHINE);

	for (int i = 0; i < 999; i++) { /* several pages */
		snprintf(text, sizeof(text), "198.51.%d.%d", i / 250, i % 250);
		CHECK_NUM(admin_guard_block(op, str_of(text), 60, a, &until, &why), OK);
	}
	CHECK_NUM(admin_guard_list(op, S(""), see, &seen, a, &why), OK);
	CHECK(seen.n == 1000 && seen.banned == 0);
	seen.n = 0;
	CHECK_NUM(admin_guard_list(op, S("198.51.3.0/24"), see, &seen, a, &why), OK);
	CHECK_NUM(seen.n, 249);
	seen.n = 0;
	CHECK_NUM(admin_guard_list(op, S("2001:db8::/32"), see, &seen, a, &why), OK);
	CHECK_NUM(seen.n, 1);
	CHECK_STR(seen.last, "2001:db8::/64");
	CHECK_NUM(admin_guard_list(op, S("all"), see, &seen, a, &why), E_SYNTAX);

	CHECK_NUM(admin_guard_release(op, S("2001:db8::4"), a, &why), OK);
	CHECK_NUM(admin_guard_release(op, S("2001:db8::4"), a, &why), E_NOTFOUND);
	CHECK_STR(why, "2001:db8::/64: it is not closed, and nothing is counted of it");
	CHECK_NUM(admin_guard_show(op, S("2001:db8::4"), a, &g, &why), E_NOTFOUND);
	peer_close(&op);
	peer_close(&server);
}

struct count {
	size_t n, targets;
	uint64_t quota;
	struct str last;
};

static void count_row(void *arg, const struct admin_row *r)
{
	struct count *c = arg;

	c->n++;
	c->targets += r->ntargets;
	c->quota += r->quota;
	CHECK(str_cmp(c->last, r->name) < 0);
	c->last = str_dup(a, r->name);
}

static void test_lists(void)
{
	struct peer *server,
		*op = peer_new(served(FACE_OPERATOR, &server), (struct ipc_service){ 0 });
	struct count c = { .last = S("") };
	struct str why;
	char text[64];

	CHECK_NUM(admin_list(op, ADMIN_USERS, S("example.test"), count_row, &c, a, &why), OK);
	CHECK_NUM(c.n, 2);
	CHECK_NUM(c.quota, 1 << 20);
	c = (struct count){ .last = S("") };
	CHECK_NUM(admin_list(op, ADMIN_ALIASES, S(""), count_row, &c, a, &why), OK);
	CHECK_NUM(c.targets, 2);
	for (int i = 0; i < 450; i++) { /* three pages */
		snprintf(text, sizeof(text), "d%03d.test", i);
		CHECK_NUM(directory_domain_add(st, str_of(text)), OK);
	}
	c = (struct count){ .last = S("") };
	CHECK_NUM(admin_list(op, ADMIN_DOMAINS, S(""), count_row, &c, a, &why), OK);
	CHECK_NUM(c.n, 451);
	CHECK_NUM(admin_list(op, ADMIN_USERS, S("no domain"), count_row, &c, a, &why), E_SYNTAX);
	CHECK_STR(why, "no domain: this is no domain name");
	peer_close(&server);
	CHECK_NUM(admin_domain_add(op, S("late.test"), a, &why), E_CLOSED);
	CHECK(why.n > 0);
	peer_close(&op);
}

static struct path path_of(struct str s)
{
	size_t at = str_find(s, '@');

	return (struct path){ .local = str_part(s, 0, at), .domain = str_from(s, at + 1) };
}

static void test_session(void)
{
	struct keeper *k = keeper_new();
	struct peer *server;
	struct route *r;
	struct login l;
	size_t n;

	keeper_connect(k, served(FACE_SESSION, &server));
	CHECK_NUM(keeper_route(k, path_of(S("info@example.test")), a, &r, &n), OK);
	CHECK_NUM(n, 2);
	CHECK_STR(r[0].address, "demo1@example.test");
	CHECK_NUM(r[0].quota, 1 << 20);
	CHECK_STR(r[1].address, "x@elsewhere.test");
	CHECK_NUM(r[1].account, 0);
	CHECK_NUM(keeper_route(k, path_of(S("nobody@example.test")), a, &r, &n), E_NOTFOUND);
	CHECK_NUM(keeper_route(k, path_of(S("x@elsewhere.test")), a, &r, &n), E_DENIED);
	CHECK_NUM(keeper_domain(k, S("EXAMPLE.test")), OK);
	CHECK_NUM(keeper_domain(k, S("elsewhere.test")), E_NOTFOUND);
	CHECK_NUM(keeper_domain(k, S("")), E_NOTFOUND);

	struct str sender;
	CHECK_NUM(
		keeper_rewrite(k, path_of(S("joe@elsewhere.test")), S("example.test"), a, &sender),
		OK);
	CHECK(str_starts(sender, S("SRS0=")) &&
	      str_ends(sender, S("=elsewhere.test=joe@example.test")));
	CHECK_NUM(keeper_route(k, path_of(sender), a, &r, &n), OK);
	CHECK(n == 1 && r->back && !r->account);
	CHECK_STR(r->address, "joe@elsewhere.test");
	CHECK_NUM(keeper_route(k, path_of(S("SRS0=x@example.test")), a, &r, &n), E_NOTFOUND);
	CHECK_NUM(keeper_route(k, path_of(S("SRS0=x@elsewhere.test")), a, &r, &n), E_DENIED);
	CHECK_NUM(keeper_rewrite(k, path_of(sender), S("elsewhere.test"), a, &sender), E_NOTFOUND);

	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.1"), "imap",
			       true };
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	CHECK_STR(l.address, "demo1@example.test");
	CHECK_NUM(l.quota, 1 << 20);
	CHECK_NUM(keeper_may_send(k, l.account, path_of(S("info+x@example.test")), a, &unsaid,
				  &least),
		  OK);
	CHECK_NUM(
		keeper_may_send(k, l.account, path_of(S("demo2@example.test")), a, &unsaid, &least),
		E_DENIED);
	CHECK_STR(unsaid, "");
	CHECK_NUM(keeper_may_send(k, l.account, (struct path){ 0 }, a, &unsaid, &least), OK);
	CHECK_NUM(keeper_may_append(k, l.account, &l.quota), OK);
	CHECK_NUM(l.quota, 1 << 20);
	CHECK_NUM(keeper_may_append(k, 4711, &l.quota), E_DENIED);
	t.password = S("Wrong-1-Horse");
	CHECK_NUM(keeper_login(k, &t, a, &l), E_DENIED);
	t.password = STR(mem_new(40000), 40000);
	CHECK_NUM(keeper_login(k, &t, a, &l), E_DENIED);
	free((void *)t.password.p);
	keeper_cleartext(k, S("demo1@example.test"), S("192.0.2.1"), "imap");
	CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	keeper_close(&k);
	peer_close(&server);
}

struct changing {
	struct keeper *k;
	struct str old, fresh;
	enum err result;
};

static void change_password(void *arg)
{
	struct changing *c = arg;
	struct login_try t = { S("demo1@example.test"), c->old, S("192.0.2.9"), "web", true };
	struct change out;

	c->result = keeper_change_password(c->k, &t, c->fresh, a, &out);
	CHECK(c->result || str_is(out.word, "ok"));
}

/* Of two who have the old password one changes it, and it is his that counts. */
static void check_two_changes(struct keeper *k, struct str old)
{
	struct changing c[] = { { k, old, S("Owner-3-Donkey"), E_IO },
				{ k, old, S("Thief-4-Donkey"), E_IO } };
	struct login_try t = { S("demo1@example.test"), S_NONE, S("192.0.2.9"), "web", true };
	struct group *g = group_new();
	struct change out;
	struct login l;

	for (size_t i = 0; i < LENGTH(c); i++)
		CHECK_NUM(group_spawn(g, "change", change_password, &c[i]), OK);
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
	size_t winner = c[0].result ? 1 : 0;
	CHECK_NUM(c[winner].result, OK);
	CHECK(c[1 - winner].result == E_AGAIN || c[1 - winner].result == E_DENIED);
	t.password = c[1 - winner].fresh;
	CHECK_NUM(keeper_login(k, &t, a, &l), E_DENIED);
	t.password = c[winner].fresh;
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	CHECK_NUM(keeper_change_password(k, &t, old, a, &out), OK);
}

static void test_change(void)
{
	struct keeper *k = keeper_new();
	struct str first = S("Right-1-Horse"), second = S("Other-2-Mule-77");
	struct login_try t = { S("demo1@example.test"), first, S("192.0.2.9"), "web", true };
	struct peer *server, *op_server;
	struct change c = { 0 };
	struct login l;
	struct str app, why;

	keeper_connect(k, served(FACE_SESSION, &server));
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	t.password = S("Wrong-1-Horse");
	CHECK_NUM(keeper_change_password(k, &t, second, a, &c), E_DENIED);
	t.password = first;
	/* Refused with its reason: the old one stays. */
	CHECK_NUM(keeper_change_password(k, &t, S("short"), a, &c), OK);
	CHECK_STR(c.word, "too_short");
	CHECK_STR(c.de, "Das Passwort muss mindestens 10 Zeichen lang sein.");
	CHECK_STR(c.en, "The password must have at least 10 characters.");
	CHECK_NUM(keeper_change_password(k, &t, S("gr\xc3\xbc\xc3\x9f-123456"), a, &c), OK);
	CHECK_STR(c.word, "umlaut");
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	/* No app password changes the main one. */
	struct peer *op = peer_new(served(FACE_OPERATOR, &op_server), (struct ipc_service){ 0 });
	CHECK_NUM(admin_app_add(op, t.user, S("phone"), S(""), a, &app, &why), OK);
	t.password = app;
	t.proto = "imap";
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	CHECK_NUM(keeper_change_password(k, &t, second, a, &c), E_DENIED);
	peer_close(&op);
	peer_close(&op_server);

	t.password = first;
	CHECK_NUM(keeper_change_password(k, &t, second, a, &c), OK);
	CHECK_STR(c.word, "ok");
	CHECK_NUM(c.score, 4);
	CHECK(c.advice_de.n > 0 && c.advice_en.n > 0);
	CHECK_NUM(keeper_login(k, &t, a, &l), E_DENIED); /* however fresh its memory */
	t.password = second;
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	CHECK_NUM(keeper_change_password(k, &t, first, a, &c), OK);
	check_two_changes(k, first);
	keeper_close(&k);
	peer_close(&server);
}

/* App passwords by their owner, who has to prove it each time. */
static void test_own(void)
{
	struct keeper *k = keeper_new();
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.10"), "web",
			       true };
	struct str device, none;
	struct peer *server;
	struct own_app *app;
	struct said said;
	struct login l;
	size_t n;

	keeper_connect(k, served(FACE_SESSION, &server));
	CHECK_NUM(keeper_app_add(k, &t, S("tablet"), S("imap"), a, &said, &device), OK);
	CHECK_STR(said.word, "ok");
	CHECK_NUM(device.n, APP_TEXT);
	CHECK_NUM(keeper_app_add(k, &t, S("tablet"), S(""), a, &said, &none), OK);
	CHECK_STR(said.word, "exists");
	CHECK_NUM(keeper_app_add(k, &t, S(""), S(""), a, &said, &none), OK);
	CHECK_STR(said.word, "bad_name");
	CHECK_NUM(keeper_app_add(k, &t, S("x"), S("smtp"), a, &said, &none), OK);
	CHECK_STR(said.word, "bad_protocols");
	CHECK_NUM(keeper_apps(k, &t, a, &said, &app, &n), OK);
	CHECK_NUM(n, 2); /* and the phone of test_change */
	CHECK_STR(app[1].name, "tablet");
	CHECK_STR(app[1].protocols, "imap");

	struct login_try thief = t;
	thief.password = device;
	thief.proto = "imap";
	CHECK_NUM(keeper_login(k, &thief, a, &l), OK);
	CHECK_NUM(keeper_apps(k, &thief, a, &said, &app, &n), E_DENIED);
	CHECK_NUM(keeper_app_delete(k, &thief, S("tablet"), a, &said), E_DENIED);
	CHECK_NUM(keeper_app_add(k, &thief, S("mine"), S(""), a, &said, &none), E_DENIED);

	CHECK_NUM(keeper_app_delete(k, &t, S("tablet"), a, &said), OK);
	CHECK_STR(said.word, "ok");
	CHECK_NUM(keeper_app_delete(k, &t, S("tablet"), a, &said), OK);
	CHECK_STR(said.word, "not_found");
	CHECK_NUM(keeper_login(k, &thief, a, &l), E_DENIED);
	keeper_close(&k);
	peer_close(&server);
}

static const struct recent_login *row_of(const struct recent_login *l, size_t n, const char *proto,
					 const char *result)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(l[i].protocol, proto) && str_is(l[i].result, result))
			return &l[i];
	CHECK(false);
	return l;
}

/* Who came in, told to the owner, who proves it, and to the operator. */
static void test_logins(void)
{
	struct keeper *k = keeper_new();
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.14"), "web",
			       true };
	struct peer *server, *opserver,
		*op = peer_new(served(FACE_OPERATOR, &opserver), (struct ipc_service){ 0 });
	struct recent_login *l;
	const struct recent_login *row;
	struct said said;
	struct str why;
	size_t n, m;

	keeper_connect(k, served(FACE_SESSION, &server));
	CHECK_NUM(keeper_logins(k, &t, a, &said, &l, &n), OK);
	row = row_of(l, n, "recent logins", "ok");
	CHECK(row->good && row->count == 1 && row->last >= row->first && row->first > 0);
	CHECK_STR(row->address, "192.0.2.14");
	CHECK_STR(row->by, "password");
	CHECK_STR(row->program, "");
	row = row_of(l, n, "imap", "ok");
	CHECK(str_starts(row->by, S("app:")) || str_is(row->by, "password"));
	row_of(l, n, "app passwords", "not_for_protocol");
	CHECK_NUM(admin_user_logins(op, t.user, a, &l, &m, &why), OK);
	CHECK_NUM(m, n);
	t.password = S("Wrong-1-Horse");
	CHECK_NUM(keeper_logins(k, &t, a, &said, &l, &n), E_DENIED);
	CHECK_NUM(admin_user_logins(op, t.user, a, &l, &m, &why), OK);
	row = row_of(l, m, "recent logins", "wrong_password");
	CHECK(!row->good && !row->by.n);
	CHECK_NUM(admin_user_logins(op, S("no@example.test"), a, &l, &m, &why), E_NOTFOUND);
	CHECK_STR(why, "no@example.test: there is no such user here");
	peer_close(&op);
	peer_close(&opserver);
	keeper_close(&k);
	peer_close(&server);
}

/* An address stands closed behind the fifth error, for the owner's calls too. */
static void test_standing(void)
{
	struct keeper *k = keeper_new();
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S("192.0.2.11"), "web",
			       true };
	struct keeper_numbers before, after;
	struct standing s;
	struct peer *server;
	struct own_app *app;
	struct said said;
	struct change c;
	size_t n;

	keeper_connect(k, served(FACE_SESSION, &server));
	CHECK_NUM(keeper_standing(k, t.ip, &s), OK);
	CHECK_NUM(s.state, LOCKOUT_OPEN);
	CHECK_NUM(s.rules.errors, 5);
	CHECK_NUM(s.rules.block_s, 1200);
	CHECK_NUM(keeper_standing(k, S("no address"), &s), OK);
	CHECK_NUM(s.state, LOCKOUT_OPEN);
	CHECK_NUM(keeper_numbers(k, &before), OK);
	CHECK(before.started > 0 && before.logins > 0 && before.failed > 0 && before.changed > 0);
	CHECK_NUM(keeper_apps(k, &t, a, &said, &app, &n), OK);
	t.password = S("Wrong-1-Horse");
	for (unsigned i = 0; i < 5; i++)
		CHECK_NUM(keeper_apps(k, &t, a, &said, &app, &n), i < 4 ? E_DENIED : E_LIMIT);
	t.password = S("Right-1-Horse");
	CHECK_NUM(keeper_apps(k, &t, a, &said, &app, &n), E_LIMIT);
	CHECK_NUM(keeper_standing(k, t.ip, &s), OK);
	CHECK_NUM(s.state, LOCKOUT_BLOCKED);
	CHECK(!s.by_hand && s.until > clock_wall() + 1190);
	CHECK_NUM(keeper_numbers(k, &after), OK);
	CHECK_NUM(after.logins, before.logins + 1);
	CHECK_NUM(after.failed, before.failed + 5);
	CHECK_NUM(after.unheard, before.unheard + 2);
	CHECK_NUM(after.closed, before.closed + 1);

	CHECK_NUM(keeper_judge(k, S("demo1@example.test"), S("short"), a, &c), OK);
	CHECK_STR(c.word, "too_short");
	CHECK_NUM(keeper_judge(k, S("demo1@example.test"), S("Other-2-Mule-77"), a, &c), OK);
	CHECK_STR(c.word, "ok");
	CHECK_NUM(c.score, 4);
	keeper_close(&k);
	peer_close(&server);
}

/* What a worker that was broken into asks for in vain. */
/* From a recipient's question to what the operator sees of it. */
static void test_sending(void)
{
	struct peer *worker, *server,
		*op = peer_new(served(FACE_OPERATOR, &server), (struct ipc_service){ 0 });
	struct sending_counts own = { 2, SENDING_KEEP, 1 }, none = { 0 };
	struct str who = S("demo1@example.test"), why;
	struct keeper *k = keeper_new();
	struct sending_verdict v;
	struct admin_user u = { 0 };
	uint32_t hash[2];

	keeper_connect(k, served(FACE_SESSION, &worker));
	CHECK_NUM(admin_user_show(op, who, a, &u, &why), OK);
	CHECK_NUM(u.used.messages + u.limits.messages, 0); /* no limit is configured here */
	CHECK_NUM(u.own.messages, SENDING_DEFAULT);
	CHECK_STR(u.row.state, "active");
	CHECK_NUM(admin_user_limits(op, who, own, a, &why), OK);
	CHECK_NUM(keeper_sending_ask(k, u.row.account, path_of(S("x@far.test")), none, &v), OK);
	CHECK(v.what == SENDING_FITS && v.stranger && !v.tell);
	hash[0] = hash[1] = v.hash;
	CHECK_NUM(keeper_sending_count(k, u.row.account, hash, 2, &v), OK);
	CHECK_NUM(v.what, SENDING_FITS);
	CHECK_NUM(keeper_sending_ask(k, u.row.account, path_of(S("X@FAR.test")), none, &v), OK);
	CHECK(v.what == SENDING_FITS && !v.stranger);
	CHECK_NUM(keeper_sending_ask(k, u.row.account, path_of(S("y@far.test")), none, &v), OK);
	CHECK(v.what == SENDING_STRANGERS && v.limit == 1 && v.tell);
	CHECK_NUM(keeper_sending_ask(k, u.row.account, path_of(S("z@far.test")), none, &v), OK);
	CHECK(v.what == SENDING_STRANGERS && !v.tell);
	CHECK_NUM(admin_user_show(op, who, a, &u, &why), OK);
	CHECK_NUM(u.used.messages, 1);
	CHECK_NUM(u.used.recipients, 2);
	CHECK_NUM(u.used.strangers, 1);
	CHECK_NUM(u.own.recipients, SENDING_DEFAULT);
	CHECK_NUM(keeper_sending_ask(k, 0, path_of(S("y@far.test")), none, &v), E_SYNTAX);
	CHECK_NUM(admin_user_show(op, S("no@example.test"), a, &u, &why), E_NOTFOUND);
	CHECK_NUM(admin_user_limits(op, S("no@example.test"), own, a, &why), E_NOTFOUND);
	CHECK_NUM(admin_seal(op, a, &why), OK);
	keeper_close(&k);
	peer_close(&worker);
	peer_close(&op);
	peer_close(&server);
}

static void test_faces(void)
{
	struct keeper *k = keeper_new();
	struct peer *server, *as_operator;
	struct login_try t = { S("demo1@example.test"), S("Right-1-Horse"), S(""), "smtp", true };
	struct login l;
	struct str why;

	keeper_connect(k, served(FACE_MX, &server));
	CHECK_NUM(keeper_domain(k, S("example.test")), OK);
	CHECK_NUM(keeper_login(k, &t, a, &l), E_DENIED);
	CHECK_NUM(keeper_may_send(k, 1, path_of(S("demo1@example.test")), a, &unsaid, &least),
		  E_DENIED);
	CHECK_NUM(keeper_judge(k, t.user, t.password, a, &(struct change){ 0 }), E_DENIED);
	CHECK_NUM(keeper_standing(k, t.ip, &(struct standing){ 0 }), E_DENIED);
	CHECK_NUM(keeper_numbers(k, &(struct keeper_numbers){ 0 }), E_DENIED);
	CHECK_NUM(keeper_sending_count(k, 1, &(uint32_t){ 1 }, 1, &(struct sending_verdict){ 0 }),
		  E_DENIED);
	keeper_close(&k);
	peer_close(&server);

	as_operator = peer_new(served(FACE_SESSION, &server), (struct ipc_service){ 0 });
	CHECK_NUM(admin_domain_add(as_operator, S("mine.test"), a, &why), E_DENIED);
	struct message m;
	CHECK_NUM(ipc_call(as_operator, 9999, S(""), -1, clock_in(5000), a, &m), E_SYNTAX);
	CHECK_NUM(ipc_call(as_operator, 1, S("rubbish"), -1, clock_in(5000), a, &m), E_SYNTAX);
	peer_close(&as_operator);
	peer_close(&server);
	CHECK_NUM(directory_domain_delete(st, S("mine.test")), E_NOTFOUND);
}

struct later {
	struct keeper *k;
	enum err result;
};

static void ask_later(void *arg)
{
	struct later *l = arg;

	l->result = keeper_domain(l->k, S("example.test"));
}

/* A call waits for a keeper that is just being started, and asks again where one has died. */
static void test_reconnect(void)
{
	struct later l = { keeper_new(), E_IO };
	struct group *g = group_new();
	struct peer *server, *second;
	int fds[2];

	CHECK_NUM(group_spawn(g, "ask", ask_later, &l), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	CHECK_NUM(group_size(g), 1);
	keeper_connect(l.k, served(FACE_MX, &server));
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK_NUM(l.result, OK);
	peer_close(&server);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);

	CHECK_NUM(ipc_pair(fds), OK); /* one that never answers, and then dies */
	keeper_connect(l.k, fds[1]);
	l.result = E_IO;
	CHECK_NUM(group_spawn(g, "ask", ask_later, &l), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	close(fds[0]);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	CHECK_NUM(group_size(g), 1);
	keeper_connect(l.k, served(FACE_MX, &second));
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK_NUM(l.result, OK);

	/* Replaced while a call is under way. */
	CHECK_NUM(ipc_pair(fds), OK);
	keeper_connect(l.k, fds[1]);
	l.result = E_IO;
	CHECK_NUM(group_spawn(g, "ask", ask_later, &l), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	peer_close(&second);
	keeper_connect(l.k, served(FACE_MX, &second));
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK_NUM(l.result, OK);
	close(fds[0]);
	peer_close(&second);

	/* And one that nobody starts: the caller may be canceled. */
	keeper_close(&l.k);
	l.k = keeper_new();
	CHECK_NUM(group_spawn(g, "ask", ask_later, &l), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	group_close(&g);
	CHECK_NUM(l.result, E_CANCELED);
	keeper_close(&l.k);
}

static void log_in(void *arg)
{
	struct login_try t = { .user = S("nobody@example.test"),
			       .password = S("Wrong-9-Horse"),
			       .ip = S("192.0.2.77"),
			       .proto = "imap" };
	struct login out;

	CHECK(keeper_login(arg, &t, a, &out) != OK);
}

static struct keeper *worker(enum face face)
{
	struct keeper *k = keeper_new();
	int fds[2];

	CHECK_NUM(ipc_pair(fds), OK);
	CHECK_NUM(keeping_worker(keeping, face, fds[0]), OK);
	keeper_connect(k, fds[1]);
	return k;
}

/* The server's own mail is signed for a courier alone, and it signs nobody else's. */
static void test_own_mail(void)
{
	struct keeper *courier = worker(FACE_COURIER), *session = worker(FACE_SESSION);
	struct path from = path_of(S("mailer-daemon@example.test"));
	struct str digest = S("0123456789abcdef0123456789abcdef"), signature;
	struct keeper_signers s;

	CHECK_NUM(dkim_add(st, S("example.test"), a), OK);
	CHECK_NUM(keeper_signers(courier, 0, from, a, &s), OK);
	CHECK_STR(s.domain, "example.test");
	if (CHECK_NUM(s.n, 2))
		CHECK_NUM(keeper_sign(courier, 0, from, s.by[0].selector, digest, a, &signature),
			  OK);
	CHECK_NUM(keeper_sign(courier, 0, from, S("other"), digest, a, &signature), E_NOTFOUND);
	CHECK_NUM(keeper_signers(courier, 0, path_of(S("a@elsewhere.test")), a, &s), OK);
	CHECK_NUM(s.n, 0);
	CHECK_NUM(keeper_signers(courier, 1, path_of(S("demo1@example.test")), a, &s), E_DENIED);
	CHECK_NUM(keeper_signers(session, 0, from, a, &s), E_DENIED);
	CHECK_NUM(keeper_sign(session, 0, from, S("other"), digest, a, &signature), E_DENIED);
	CHECK_NUM(keeper_domain(courier, S("example.test")), OK);
	keeper_close(&session);
	keeper_close(&courier);
}

/* The keeper ends while a password is being hashed: the hash is waited for, then all goes. */
static void test_stop(void)
{
	struct group *g = group_new();
	struct keeper *k = keeper_new();
	int fds[2];

	CHECK_NUM(ipc_pair(fds), OK);
	CHECK_NUM(keeping_worker(keeping, FACE_SESSION, fds[0]), OK);
	keeper_connect(k, fds[1]);
	CHECK_NUM(group_spawn(g, "login", log_in, k), OK);
	CHECK_NUM(fiber_sleep(clock_in(3)), OK);
	keeping_close(&keeping);
	group_close(&g);
	keeper_close(&k);
}

static void run(void *arg)
{
	struct keeping_conf conf = { .guard.rules = lockout_rules_default(),
				     .rules = { .detail = S("+"), .postmaster = S("") },
				     .password_min = 10 };

	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(keeping_new(st, &conf, &keeping), OK);
	test_operator();
	test_apps();
	test_guard();
	test_lists();
	test_session();
	test_change();
	test_own();
	test_logins();
	test_standing();
	test_faces();
	test_sending();
	test_reconnect();
	test_own_mail();
	test_stop();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
