/* SPDX-License-Identifier: ISC */
/* Tests of the service's life, of invitations and of accounts' states, by the operator's calls and
 * those of the web. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/admin.h"
#include "keeper/keeper_test.h"
#include "keeper/own.h"
#include "keeper/record.h"
#include "keeper/serve_priv.h"

static struct arena *a;
static struct store *st;
static struct keeping *keeping;
static struct keeper *k;
static struct peer *op;
static struct str why;
static uint32_t demo1;

/* Time stands still here: what others do, they do while the keeper is asked something. */
static void turn(void)
{
	struct life l = { 0 };
	bool takes_mail;

	CHECK_NUM(admin_life_show(op, a, &l, &takes_mail, &why), OK);
}

static void set_life(enum life_mode mode, uint32_t last_day, const char *notice, enum err want)
{
	struct life l = { .mode = mode, .last_day = last_day, .notice = str_of(notice) };

	CHECK_NUM(admin_life_set(op, &l, a, &why), want);
}

static void check_service(const char *word, const char *de, const char *joining)
{
	struct service_says s = { 0 };

	CHECK_NUM(keeper_service(k, a, &s), OK);
	CHECK_STR(s.word, word);
	CHECK_STR(s.notice.de, de);
	CHECK_STR(s.joining.word, joining);
	CHECK((s.joining.de.n == 0) == str_is(s.joining.word, "open"));
}

static void test_service(void)
{
	struct service_says s = { 0 };
	bool takes_mail = false;
	struct life l = { 0 };

	CHECK_NUM(admin_life_show(op, a, &l, &takes_mail, &why), OK);
	CHECK(l.mode == LIFE_CLOSED && l.changed == 0 && takes_mail);
	check_service("closed", "", "closed");

	set_life(LIFE_OPEN, 0, "", OK);
	check_service("open", "", "open");
	set_life(LIFE_CLOSED, 0, "Grüße", OK);
	check_service("closed", "Grüße", "closed");
	set_life(LIFE_READ_ONLY, 0, "Umzug bis 18 Uhr", OK);
	check_service("read-only",
		      "Der Dienst nimmt zurzeit keine Mail an und verschickt keine: "
		      "Umzug bis 18 Uhr",
		      "closed");
	CHECK_NUM(admin_life_show(op, a, &l, &takes_mail, &why), OK);
	CHECK(l.mode == LIFE_READ_ONLY && l.changed > 0 && !takes_mail);
	CHECK_STR(l.notice, "Umzug bis 18 Uhr");

	set_life(LIFE_ENDED, 99991231, "", OK);
	check_service("ended", "Der Dienst endet am 31.12.9999.", "closed");
	CHECK_NUM(keeper_service(k, a, &s), OK);
	CHECK_STR(s.notice.en, "The service ends on 9999-12-31.");
	CHECK_STR(s.joining.en, "The service ends on 9999-12-31 and takes no new users.");
	CHECK_NUM(admin_life_show(op, a, &l, &takes_mail, &why), OK);
	CHECK(takes_mail);
	set_life(LIFE_ENDED, 20200101, "", OK);
	check_service("ended",
		      "Der Dienst wurde am 01.01.2020 beendet; Mail kann noch abgeholt werden.",
		      "closed");
	CHECK_NUM(admin_life_show(op, a, &l, &takes_mail, &why), OK);
	CHECK(!takes_mail);

	set_life(LIFE_ENDED, 0, "", E_SYNTAX);
	set_life(LIFE_CLOSED, 20261231, "", E_SYNTAX);
	set_life(LIFE_CLOSED, 0, "two\nlines", E_SYNTAX);
	CHECK_STR(why, "--notice: a notice is one line of at most 300 octets, UTF-8");
	set_life((enum life_mode)0, 0, "", E_SYNTAX);
	set_life((enum life_mode)5, 0, "", E_SYNTAX);
	set_life(LIFE_CLOSED, 0, "", OK);
}

/* The lines that protocols carry. */
static void test_lines(void)
{
	struct user u = { .state = USER_LOCKED,
			  .lock_reason = S("Spam verschickt, bitte anrufen"),
			  .expires = 20261231 };
	struct life l = { .mode = LIFE_ENDED, .last_day = 20261231 };
	int64_t last = 1798761599; /* 2026-12-31 23:59:59 UTC */

	CHECK_STR(
		life_line(a, life_refused(&u, last, a)),
		"Ihr Konto ist gesperrt / Your account is locked: Spam verschickt, bitte anrufen");
	CHECK_STR(str_of(life_user_word(&u, last)), "locked");
	u.lock_reason = S("");
	CHECK_STR(life_line(a, life_refused(&u, last, a)),
		  "Ihr Konto ist gesperrt / Your account is locked");
	CHECK_STR(life_line(a, life_no_sending(&u, last, a)),
		  "Ihr Konto ist gesperrt / Your account is locked");
	u.state = USER_ACTIVE;
	CHECK_STR(life_line(a, life_refused(&u, last, a)), "");
	CHECK_STR(life_line(a, life_no_sending(&u, last, a)), "");
	CHECK_STR(str_of(life_user_word(&u, last)), "active");
	CHECK_STR(life_line(a, life_refused(&u, last + 1, a)),
		  "Ihr Konto ist am 31.12.2026 abgelaufen / Your account expired on 2026-12-31");
	u.send_blocked = true;
	u.send_reason = S("Kündigung läuft");
	CHECK_STR(str_of(life_user_word(&u, last)), "send-blocked");
	CHECK_STR(str_of(life_user_word(&u, last + 1)), "expired");
	CHECK_STR(life_line(a, life_refused(&u, last, a)), "");
	CHECK_STR(life_line(a, life_no_sending(&u, last, a)),
		  "Das Senden ist fuer Ihr Konto gesperrt / Sending is blocked for your account: "
		  "Kuendigung laeuft");
	CHECK_STR(life_line(a, life_notice(&l, 1798700000, a)),
		  "Der Dienst endet am 31.12.2026 / The service ends on 2026-12-31");
	l = (struct life){ .mode = LIFE_OPEN };
	CHECK_STR(life_line(a, life_notice(&l, 1798700000, a)), "");
	l.notice = S("Frohe Ostern – Ihr Betreiber");
	CHECK_STR(life_line(a, life_notice(&l, 1798700000, a)), "Frohe Ostern - Ihr Betreiber");
}

/* --- invitations --- */

static struct str invite(const char *address, uint32_t seconds)
{
	struct admin_invitation inv = { 0 };

	CHECK_NUM(admin_invite(op, str_of(address), 1 << 20, seconds, a, &inv, &why), OK);
	CHECK_NUM(inv.token.n, INVITE_TEXT);
	CHECK_NUM(inv.until - clock_wall(), seconds ? seconds : INVITE_FOR_S);
	return inv.token;
}

static struct str look(struct str token)
{
	struct invited inv;

	CHECK_NUM(keeper_invitation(k, token, a, &inv), OK);
	CHECK((inv.address.n > 0) == str_is(inv.said.word, "ok"));
	CHECK((inv.said.de.n > 0) != str_is(inv.said.word, "ok"));
	return inv.said.word;
}

static struct str join(struct str token, const char *password)
{
	struct change c = { 0 };

	CHECK_NUM(keeper_join(k, token, str_of(password), S("203.0.113.9"), a, &c), OK);
	CHECK(c.de.n && c.en.n);
	return c.word;
}

static void count_invitation(void *arg, const struct admin_row *r)
{
	*(size_t *)arg += 1;
	CHECK(r->until > r->created && r->quota == 1 << 20);
}

static size_t listed(void)
{
	size_t n = 0;

	CHECK_NUM(admin_list(op, ADMIN_INVITATIONS, S(""), count_invitation, &n, a, &why), OK);
	return n;
}

static void test_invitation(void)
{
	struct admin_password pw = { .hash = S(HORSE) };
	struct str target = S("demo1@example.test");
	struct invited inv;
	struct user u = { 0 };

	/* Closed: it can be made, but not be used. */
	struct str token = invite("eve@example.test", 0);
	CHECK_STR(look(token), "closed");
	CHECK_STR(join(token, "Chosen-4-Myself"), "closed");
	set_life(LIFE_OPEN, 0, "", OK);
	CHECK_NUM(keeper_invitation(k, token, a, &inv), OK);
	CHECK_STR(inv.address, "eve@example.test");
	CHECK(inv.quota == 1 << 20 && inv.until > clock_wall());

	/* The address is reserved. */
	CHECK_NUM(admin_user_add(op, S("eve@example.test"), pw, 0, a, &why), E_EXISTS);
	CHECK_STR(why, "eve@example.test: an invitation reserves this address (invite list, invite "
		       "delete)");
	CHECK_NUM(admin_alias_add(op, S("eve@example.test"), &target, 1, a, &why), E_EXISTS);
	CHECK(str_find_str(why, S("an invitation reserves")) < why.n);
	CHECK_NUM(admin_domain_delete(op, S("example.test"), a, &why), E_DENIED);

	/* What is no token is not known; another invitation takes the place of the first. */
	CHECK_STR(look(S("")), "unknown");
	CHECK_STR(look(S("abcdefghijkmnpqrstuvwxyz23456789")), "unknown");
	CHECK_STR(look(S("abcdefghijkmnpqrstuvwxyz2345678\0")), "unknown");
	struct str second = invite("Eve@EXAMPLE.test", 3600);
	CHECK_STR(look(token), "unknown");
	CHECK_STR(join(token, "Chosen-4-Myself"), "unknown");
	CHECK_NUM(listed(), 1);

	/* Used, once. */
	CHECK_STR(join(second, "short"), "too_short");
	CHECK_NUM(directory_user(st, test_name(a, "eve@example.test"), a, &u), E_NOTFOUND);
	CHECK_STR(join(second, "Chosen-4-Myself"), "ok");
	CHECK_NUM(directory_user(st, test_name(a, "eve@example.test"), a, &u), OK);
	CHECK(u.quota == 1 << 20 && u.state == USER_ACTIVE);
	CHECK_STR(join(second, "Chosen-4-Myself"), "unknown");
	CHECK_NUM(listed(), 0);
	struct login_try t = {
		S("eve@example.test"), S("Chosen-4-Myself"), S("203.0.113.9"), "imap", true, 0, 0
	};
	struct login l;
	CHECK_NUM(keeper_login(k, &t, a, &l), OK);
	CHECK_NUM(l.account, u.account);
}

static void test_invitations_end(void)
{
	struct admin_password pw = { .hash = S(HORSE) };
	struct admin_invitation inv;
	struct str token;

	CHECK_NUM(admin_invite(op, S("demo1@example.test"), 0, 0, a, &inv, &why), E_EXISTS);
	CHECK_STR(why, "demo1@example.test: a user or an alias has this address already");
	CHECK_NUM(admin_invite(op, S("x@example.org"), 0, 0, a, &inv, &why), E_NOTFOUND);
	CHECK_NUM(admin_invite(op, S("x"), 0, 0, a, &inv, &why), E_SYNTAX);
	CHECK_NUM(admin_invite(op, S("x@example.test"), 0, UINT32_MAX, a, &inv, &why), E_LIMIT);

	token = invite("fay@example.test", 60);
	CHECK_NUM(admin_invite_delete(op, S("fay@example.test"), a, &why), OK);
	CHECK_STR(look(token), "unknown");
	CHECK_NUM(admin_invite_delete(op, S("fay@example.test"), a, &why), E_NOTFOUND);
	CHECK_STR(why, "fay@example.test: there is no invitation to this address");

	/* The time is over: the address is free, and the record goes. (The day's sweep is done.) */
	clock_fake_step(60 * 1000);
	for (int i = 0; i < 20; i++)
		turn();
	token = invite("gil@example.test", 60);
	CHECK_STR(look(token), "ok");
	clock_fake_step(60 * 1000);
	CHECK_STR(look(token), "unknown");
	CHECK_STR(join(token, "Chosen-4-Myself"), "unknown");
	CHECK_NUM(listed(), 1);
	CHECK_NUM(admin_user_add(op, S("gil@example.test"), pw, 0, a, &why), OK);
	CHECK_NUM(listed(), 0);
	invite("hal@example.test", 30);
	invite("ida@example.test", 90);
	clock_fake_step(60 * 1000);
	CHECK_NUM(directory_invite_sweep(st, clock_wall()), OK);
	CHECK_NUM(listed(), 1);
}

/* Two who have the same link: one of them gets the account. */
struct joiner {
	struct str token, word;
};

static void join_now(void *arg)
{
	struct joiner *j = arg;

	j->word = join(j->token, "Chosen-4-Myself");
}

static void test_at_once(void)
{
	struct joiner one = { .token = invite("jim@example.test", 0) }, two = one;
	struct group *g = group_new();

	CHECK_NUM(group_spawn(g, "one", join_now, &one), OK);
	CHECK_NUM(group_spawn(g, "two", join_now, &two), OK);
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
	CHECK(str_is(one.word, "ok") != str_is(two.word, "ok"));
	CHECK(str_is(one.word, "unknown") != str_is(two.word, "unknown"));
}

/* --- states of accounts --- */

static void set(unsigned what, struct admin_state s, enum err want)
{
	CHECK_NUM(admin_user_set(op, S("demo1@example.test"), what, &s, a, &why), want);
}

static enum err try_login(const char *password, struct login *l)
{
	struct login_try t = {
		S("demo1@example.test"), str_of(password), S("203.0.113.7"), "imap", true, 0, 0
	};

	return keeper_login(k, &t, a, l);
}

static void check_sending(enum err want, const char *line)
{
	struct path from = { S("demo1"), S("example.test"), false };
	enum guarantee least;
	struct str said;

	CHECK_NUM(keeper_may_send(k, demo1, from, a, &said, &least), want);
	CHECK_STR(said, line);
	CHECK_NUM(keeper_may_send(k, demo1, (struct path){ 0 }, a, &said, &least), want);
}

static void check_row(void *arg, const struct admin_row *r)
{
	const char *const *want = arg;

	if (str_is(r->name, "demo1@example.test")) {
		CHECK_STR(r->state, want[0]);
		CHECK_STR(r->reason, want[1]);
	}
}

static void check_list(const char *state, const char *reason)
{
	const char *want[] = { state, reason };

	CHECK_NUM(admin_list(op, ADMIN_USERS, S(""), check_row, want, a, &why), OK);
}

/* Its owner is told why on each page of his, and nothing else; who has not the password is not. */
static void check_own_locked(const struct login_try *t)
{
	const char *why_de = "Ihr Konto ist gesperrt: Missbrauch gemeldet";
	struct login_try wrong = *t;
	struct session_row *sessions;
	struct recent_login *logins;
	struct said said[6] = { 0 };
	struct own_app *apps;
	struct str password;
	size_t n[3];

	CHECK_NUM(keeper_apps(k, t, a, &said[0], &apps, &n[0]), OK);
	CHECK_NUM(keeper_logins(k, t, a, &said[1], &logins, &n[1]), OK);
	CHECK_NUM(keeper_sessions(k, t, a, &said[2], &sessions, &n[2]), OK);
	CHECK_NUM(n[0] + n[1] + n[2], 0);
	CHECK_NUM(keeper_app_add(k, t, S("mine"), S(""), a, &said[3], &password), OK);
	CHECK_STR(password, "");
	CHECK_NUM(keeper_app_delete(k, t, S("phone"), a, &said[4]), OK);
	CHECK_NUM(keeper_logout(k, t, a, &said[5]), OK);
	for (size_t i = 0; i < LENGTH(said); i++) {
		CHECK_STR(said[i].word, "locked");
		CHECK_STR(said[i].de, why_de);
	}
	wrong.password = S("Wrong-1-Horse");
	wrong.ip = S("203.0.113.70");
	CHECK_NUM(keeper_apps(k, &wrong, a, &said[0], &apps, &n[0]), E_DENIED);
	CHECK_STR(said[0].word, "locked"); /* as it was: nothing is said */
}

static void test_locked(void)
{
	struct admin_state s = { .locked = true, .reason = S("Missbrauch gemeldet") };
	struct str app, name = S("phone");
	struct standing st_of = { 0 };
	struct change c = { 0 };
	struct login l;
	uint64_t quota;

	CHECK_NUM(admin_app_add(op, S("demo1@example.test"), name, S(""), a, &app, &why), OK);
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK_STR(l.notice, "");
	set(SET_STATE, s, OK);
	check_list("locked", "Missbrauch gemeldet");
	/* Who has the password, or an app's, is told why, as often as he likes; others nothing. */
	for (int i = 0; i < 7; i++) {
		CHECK_NUM(try_login("Right-1-Horse", &l), E_DENIED);
		CHECK_STR(l.refused, "Ihr Konto ist gesperrt / Your account is locked: Missbrauch "
				     "gemeldet");
	}
	CHECK_NUM(try_login(str_c(a, app), &l), E_DENIED);
	CHECK(l.refused.n > 0);
	CHECK_NUM(try_login("Wrong-1-Horse", &l), E_DENIED);
	CHECK_STR(l.refused, "");
	CHECK_NUM(keeper_standing(k, S("203.0.113.7"), &st_of), OK);
	CHECK_NUM(st_of.state, LOCKOUT_OPEN);
	struct login_try t = {
		S("demo1@example.test"), S("Right-1-Horse"), S("203.0.113.7"), "web", true, 0, 0
	};
	CHECK_NUM(keeper_change_password(k, &t, S("Other-2-Horse"), a, &c), OK);
	CHECK_STR(c.word, "locked");
	CHECK_STR(c.de, "Ihr Konto ist gesperrt: Missbrauch gemeldet");
	check_own_locked(&t);
	check_sending(E_DENIED, "Ihr Konto ist gesperrt / Your account is locked: Missbrauch "
				"gemeldet");
	CHECK_NUM(keeper_may_append(k, demo1, &quota), E_DENIED);
	/* Mail is still taken. */
	struct route *r;
	size_t n;
	CHECK_NUM(keeper_route(k, (struct path){ S("demo1"), S("example.test"), false }, a, &r, &n),
		  OK);
	CHECK(n == 1 && !r->expired);
	set(SET_STATE, (struct admin_state){ 0 }, OK);
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	check_list("active", "");
	check_sending(OK, "");
}

static void test_blocked_and_expired(void)
{
	struct admin_state s = { .send_blocked = true, .reason = S("bitte anrufen") };
	struct login l;
	uint64_t quota;

	set(SET_SENDING, s, OK);
	check_list("send-blocked", "bitte anrufen");
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	check_sending(E_DENIED, "Das Senden ist fuer Ihr Konto gesperrt / Sending is blocked for "
				"your account: bitte anrufen");
	CHECK_NUM(keeper_may_append(k, demo1, &quota), OK);
	/* One does not touch the other. */
	set(SET_STATE, (struct admin_state){ .locked = true }, OK);
	set(SET_STATE, (struct admin_state){ 0 }, OK);
	check_list("send-blocked", "bitte anrufen");
	set(SET_SENDING, (struct admin_state){ 0 }, OK);

	s = (struct admin_state){ .expires = day_of(clock_wall()), .quota = 12345 };
	set(SET_EXPIRES | SET_QUOTA, s, OK);
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK_NUM(l.quota, 12345);
	clock_fake_step(24 * 3600 * 1000);
	CHECK_NUM(try_login("Right-1-Horse", &l), E_DENIED);
	CHECK(str_starts(l.refused, S("Ihr Konto ist am ")));
	check_list("expired", "");
	CHECK_NUM(keeper_may_append(k, demo1, &quota), E_DENIED);
	set(SET_EXPIRES, (struct admin_state){ 0 }, OK);
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK_NUM(l.quota, 12345);

	s.reason = S("two\nlines");
	set(SET_STATE, s, E_SYNTAX);
	set(0, s, E_SYNTAX);
	set(16, s, E_SYNTAX);
	CHECK_NUM(admin_user_set(op, S("no@example.test"), SET_QUOTA, &s, a, &why), E_SYNTAX);
	s.reason = S("");
	CHECK_NUM(admin_user_set(op, S("no@example.test"), SET_QUOTA, &s, a, &why), E_NOTFOUND);
	CHECK_STR(why, "no@example.test: there is no such user here");
}

/* Nothing new, for anybody; what is no address of ours is no address of ours all the same. */
static void test_read_only(void)
{
	struct path ours = { S("demo1"), S("example.test"), false },
		    nobody = { S("nobody"), S("example.test"), false };
	struct route *r;
	uint64_t quota;
	struct login l;
	size_t n;

	set_life(LIFE_READ_ONLY, 0, "Wartung", OK);
	CHECK_NUM(keeper_route(k, ours, a, &r, &n), E_READONLY);
	CHECK_NUM(keeper_route(k, nobody, a, &r, &n), E_NOTFOUND);
	check_sending(E_READONLY, "");
	CHECK_NUM(keeper_may_append(k, demo1, &quota), E_READONLY);
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK_STR(l.notice, "Der Dienst nimmt zurzeit keine Mail an und verschickt keine / The "
			    "service takes and sends no mail at present: Wartung");
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK_STR(l.notice, ""); /* told once an hour */
	set_life(LIFE_ENDED, day_of(clock_wall()), "", OK);
	CHECK_NUM(keeper_route(k, ours, a, &r, &n), OK);
	check_sending(OK, "");
	clock_fake_step(24 * 3600 * 1000);
	CHECK_NUM(keeper_route(k, ours, a, &r, &n), E_READONLY);
	check_sending(E_READONLY, "");
	CHECK_NUM(try_login("Right-1-Horse", &l), OK);
	CHECK(str_starts(l.notice, S("Der Dienst wurde am ")));
	set_life(LIFE_CLOSED, 0, "", OK);
	CHECK_NUM(keeper_route(k, ours, a, &r, &n), OK);
}

/* --- midnight --- */

static unsigned ended; /* times that sessions of demo1 were ended */

static void end_sessions(void *arg, const struct session_end *end)
{
	(void)arg;
	ended += end->account == demo1;
	CHECK(end->reason.n > 0);
}

static void wait_ended(unsigned n)
{
	for (int i = 0; i < 200 && ended < n; i++)
		turn();
	CHECK_NUM(ended, n);
}

/* Who is locked or expires has no sessions left when the command is done; whose last day ends has
 * none soon after. */
static void test_sessions_end(void)
{
	struct keeper *worker = keeper_new();
	struct admin_state s = { .locked = true };
	int fds[2];

	CHECK_NUM(ipc_pair(fds), OK);
	CHECK_NUM(keeping_worker(keeping, FACE_SESSION, fds[0]), OK);
	keeper_obey(worker, (struct keeper_orders){ .end = end_sessions });
	keeper_connect(worker, fds[1]);
	set(SET_STATE, s, OK);
	CHECK_NUM(ended, 1);
	set(SET_STATE, (struct admin_state){ 0 }, OK);
	set(SET_SENDING, (struct admin_state){ .send_blocked = true }, OK);
	set(SET_SENDING, (struct admin_state){ 0 }, OK);
	CHECK_NUM(ended, 1);
	s = (struct admin_state){ .expires = day_of(clock_wall() - 24 * 3600) };
	set(SET_EXPIRES, s, OK);
	CHECK_NUM(ended, 2);
	s.expires = day_of(clock_wall());
	set(SET_EXPIRES, s, OK);
	CHECK_NUM(ended, 2);
	invite("kim@example.test", 60);
	clock_fake_step(24 * 3600 * 1000);
	wait_ended(3);
	for (int i = 0; i < 20; i++) { /* not each time it looks */
		clock_fake_step(60 * 1000);
		turn();
	}
	CHECK_NUM(ended, 3);
	set(SET_EXPIRES, (struct admin_state){ 0 }, OK);
	CHECK_NUM(listed(), 0); /* swept */
	keeper_close(&worker);
}

/* A record as version 1 had it. */
static void test_old_record(void)
{
	struct buf b = buf_new(1024);
	struct user u = { .send_blocked = true, .expires = 1 };

	buf_u8(&b, 1);
	buf_u32(&b, 7);
	buf_u8(&b, 1);
	buf_u64(&b, 1700000000);
	buf_u64(&b, 5000);
	buf_blob(&b, S("demo7"));
	buf_blob(&b, S("example.test"));
	CHECK_NUM(user_read(buf_str(&b), a, &u), OK);
	CHECK(u.account == 7 && u.state == USER_ACTIVE && u.quota == 5000);
	CHECK(!u.send_blocked && !u.expires && !u.lock_reason.n);
	CHECK_STR(u.name.local, "demo7");
	CHECK_NUM(user_read(record_user(a, &u), a, &u), OK);
	CHECK_STR(u.name.domain, "example.test");
	buf_free(&b);
}

static void test_all(void *arg)
{
	struct keeping_conf conf = { .rules = { .detail = S("+") },
				     .guard.rules = lockout_rules_default() };
	struct peer *server, *asked;
	int fds[2];

	(void)arg;
	/* It is noon: the steps of minutes meet no midnight. */
	clock_fake_step((24 + 12) * 3600 * 1000 - clock_wall() % (24 * 3600) * 1000);
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	CHECK_NUM(keeping_new(st, &conf, &keeping), OK);
	CHECK_NUM(ipc_pair(fds), OK);
	server = peer_new(fds[0], keeping_service(keeping, FACE_OPERATOR));
	op = peer_new(fds[1], (struct ipc_service){ 0 });
	CHECK_NUM(ipc_pair(fds), OK);
	asked = peer_new(fds[0], keeping_service(keeping, FACE_SESSION));
	k = keeper_new();
	keeper_connect(k, fds[1]);
	test_service();
	test_lines();
	test_invitation();
	test_at_once();
	test_invitations_end();
	test_locked();
	test_blocked_and_expired();
	test_read_only();
	test_sessions_end();
	test_old_record();
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
	setenv("TZ", "UTC0", 1);
	log_capture(quiet, NULL);
	fiber_main(test_all, NULL);
	return check_done();
}
