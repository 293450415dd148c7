/* SPDX-License-Identifier: ISC */
/* Whole sessions: what is offered when, what is sent, and when a message is deleted. */
#include "pop3/pop3.h"
#include "rig.h"

static struct pop3_conf conf;
static struct pop3_server server;

static void serve(struct io *io, int kind)
{
	(void)kind;
	pop3_serve(&server, io);
}

static struct client *greeted(bool tls)
{
	struct client *c = dial(0, tls);

	expect_line(c, "+OK mail.example.test POP3");
	return c;
}

static struct client *user(void)
{
	struct client *c = greeted(true);

	say(c, "USER alice@example.test");
	expect_line(c, "+OK");
	say(c, "PASS secret");
	expect_line(c, "+OK");
	return c;
}

/* The lines of a multi-line response behind its first one, each ended by LF, dots as sent. */
static struct str lines(struct client *c)
{
	struct buf all = buf_new(1 << 20);
	struct str s;

	while (read_line(c, &s) && !str_is(s, ".")) {
		buf_put(&all, s);
		buf_c(&all, '\n');
	}
	if (!str_is(s, "."))
		buf_put(&all, s);
	s = str_dup(c->arena, buf_str(&all));
	buf_free(&all);
	return s;
}

static bool has(struct str s, const char *what)
{
	return str_find_str(s, str_of(what)) < s.n;
}

static void capabilities(void)
{
	static const char *const always[] = { "TOP\n",          "UIDL\n",           "PIPELINING\n",
					      "RESP-CODES\n",   "AUTH-RESP-CODE\n", "UTF8\n",
					      "EXPIRE NEVER\n", "IMPLEMENTATION " };
	struct client *c[] = { greeted(false), greeted(true), user() };
	struct str got[3];

	for (size_t i = 0; i < LENGTH(c); i++) {
		say(c[i], "CAPA");
		expect_line(c[i], "+OK");
		got[i] = lines(c[i]);
		for (size_t j = 0; j < LENGTH(always); j++)
			CHECK(has(got[i], always[j]));
	}
	CHECK(has(got[0], "STLS\n") && !has(got[0], "USER\n") && !has(got[0], "SASL"));
	CHECK(!has(got[1], "STLS\n") && has(got[1], "USER\n") && has(got[1], "SASL PLAIN LOGIN\n"));
	CHECK(!has(got[2], "STLS\n"));
	for (size_t i = 0; i < LENGTH(c); i++)
		hang_up(c[i]);
}

struct turn {
	const char *say, *expect;
};
static void dialog(bool tls, const struct turn *turn, size_t n)
{
	struct client *c = greeted(tls);

	for (size_t i = 0; i < n; i++) {
		io_put(c->io, str_of(turn[i].say));
		send_octets(c, S("\r\n"));
		if (!expect_line(c, turn[i].expect))
			fprintf(stderr, "  after %s\n", turn[i].say);
	}
	hang_up(c);
}

/* RFC 8314 3: no password without TLS. */
static void before_tls(void)
{
	static const struct turn turns[] = {
		{ "USER alice", "-ERR [AUTH]" },
		{ "PASS secret", "-ERR [AUTH]" },
		{ "PASS secret", "-ERR [AUTH]" },
		{ "AUTH PLAIN", "-ERR [AUTH]" },
		{ "AUTH PLAIN AGJvYgBzZWNyZXQ=", "-ERR [AUTH]" },
		{ "APOP alice c4c9334bac560ecc979e58001b3e22fb", "-ERR" },
		{ "STAT", "-ERR not now" },
		{ "QUIT", "+OK" },
	};

	rig.cleartexts = rig.logins = 0;
	dialog(false, turns, LENGTH(turns));
	CHECK_NUM(rig.cleartexts, 2);
	CHECK_STR(rig.cleartext_user, "bob");
	CHECK_NUM(rig.logins, 0);
}

static void login(void)
{
	static const struct turn turns[] = {
		{ "PASS secret", "-ERR say USER" },
		{ "USER", "-ERR usage" },
		{ "USER alice@example.test", "+OK" },
		{ "PASS", "-ERR usage" },
		{ "PASS wrong password", "-ERR [AUTH]" },
		{ "PASS secret", "-ERR say USER" },
		{ "LIST", "-ERR not now" },
		{ "AUTH CRAM-MD5", "-ERR mechanism" },
		{ "AUTH", "-ERR mechanism" },
		{ "AUTH PLAIN", "+ " },
		{ "*", "-ERR given up" },
		{ "AUTH PLAIN", "+ " },
		{ "!", "-ERR response" },
		{ "AUTH PLAIN AGFsaWNlAHdyb25n", "-ERR [AUTH]" },
		{ "UTF8", "+OK" },
		{ "AUTH LOGIN", "+ VXNlcm5hbWU6" },
		{ "YWxpY2VAZXhhbXBsZS50ZXN0", "+ UGFzc3dvcmQ6" },
		{ "c2VjcmV0", "+OK" },
		{ "USER bob", "-ERR not now" },
		{ "STLS", "-ERR not now" },
		{ "NOOP", "+OK" },
		{ "STAT", "+OK 0 0" },
		{ "FROB", "-ERR command" },
	};
	static const struct turn initial[] = {
		{ "auth plain AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=", "+OK" },
		{ "quit", "+OK" },
	};
	static const struct turn locked[] = { { "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
						"-ERR [SYS/TEMP] closed until 14:35" } };
	static const struct turn later[] = { { "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
					       "-ERR [SYS/TEMP]" } };
	static const struct turn closed[] = {
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==", "-ERR [AUTH]" },
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=",
		  "-ERR [SYS/PERM] Ihr Konto ist gesperrt" },
	};
	static const struct turn told[] = { { "USER alice@example.test", "+OK" },
					    { "PASS secret", "+OK welcome - it ends" } };

	dialog(true, turns, LENGTH(turns));
	dialog(true, initial, LENGTH(initial));
	rig.login_error = E_LIMIT;
	dialog(true, locked, LENGTH(locked));
	rig.login_error = E_AGAIN;
	dialog(true, later, LENGTH(later));
	rig.login_error = OK;
	rig.refused = "Ihr Konto ist gesperrt / Your account is locked";
	dialog(true, closed, LENGTH(closed));
	rig.refused = NULL;
	rig.notice = "it ends";
	dialog(true, told, LENGTH(told));
	rig.notice = NULL;
}

static void stls(void)
{
	struct client *c = greeted(false);

	say(c, "STLS\r\nCAPA\r\nQUIT"); /* what is behind it came in clear: dropped */
	expect_line(c, "+OK");
	CHECK_NUM(io_tls_connect(c->io, rig.client_tls, S("mail.example.test"), false), OK);
	say(c, "STLS");
	expect_line(c, "-ERR TLS is on");
	say(c, "USER alice@example.test\r\nPASS secret\r\nQUIT");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	expect_closed(c);
	hang_up(c);
}

static void reading(void)
{
	static const struct turn turns[] = {
		{ "STAT", "+OK 3 77" },       { "LIST 2", "+OK 2 37" },
		{ "LIST 4", "-ERR no such" }, { "LIST 0", "-ERR no such" },
		{ "LIST x", "-ERR usage" },   { "LIST 99999999999", "-ERR usage" },
		{ "UIDL 4", "-ERR no such" }, { "RETR", "-ERR usage" },
		{ "RETR 4", "-ERR no such" }, { "TOP 1", "-ERR usage" },
		{ "TOP 1 -1", "-ERR usage" }, { "TOP 4 1", "-ERR no such" },
		{ "DELE", "-ERR usage" },     { "DELE 4", "-ERR no such" },
		{ "RSET 1", "-ERR usage" },
	};
	struct client *c;

	fill(1, "Subject: 1\r\n\r\n.\r\n..\r\n", 1);
	fill(1, "Subject: 2\r\n\r\none\r\ntwo\r\nthree\r\nno end", 1);
	fill(1, "Subject: 3\r\n\r\nlf\n.\n", 1);
	c = user();
	for (size_t i = 0; i < LENGTH(turns); i++) {
		io_put(c->io, str_of(turns[i].say));
		send_octets(c, S("\r\n"));
		if (!expect_line(c, turns[i].expect))
			fprintf(stderr, "  after %s\n", turns[i].say);
	}
	say(c, "LIST\r\nRETR 1\r\nRETR 2\r\nRETR 3\r\nTOP 2 0\r\nTOP 2 2\r\nTOP 2 9\r\nUIDL");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "1 21\n2 37\n3 19\n");
	expect_line(c, "+OK 21 octets");
	CHECK_STR(lines(c), "Subject: 1\n\n..\n...\n");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "Subject: 2\n\none\ntwo\nthree\nno end\n");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "Subject: 3\n\nlf\n..\n");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "Subject: 2\n\n");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "Subject: 2\n\none\ntwo\n");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "Subject: 2\n\none\ntwo\nthree\nno end\n");
	expect_line(c, "+OK");
	struct str uids = lines(c);

	say(c, "DELE 1\r\nDELE 1\r\nUIDL\r\nLIST\r\nSTAT\r\nUIDL 2");
	expect_line(c, "+OK");
	expect_line(c, "-ERR no such");
	expect_line(c, "+OK");
	CHECK(str_ends(uids, lines(c)));
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "2 37\n3 19\n");
	expect_line(c, "+OK 2 56");
	expect_line(c, "+OK 2 ");
	CHECK(has(uids, str_c(c->arena, str_from(c->reply, 4))));
	hang_up(c);
}

/* Only QUIT deletes. */
static void deleting(void)
{
	struct client *c = user();

	say(c, "DELE 1\r\nDELE 2");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	hang_up(c); /* cut */
	CHECK_NUM(stored(1, "INBOX"), 3);

	c = user();
	say(c, "DELE 1\r\nRSET\r\nQUIT");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	hang_up(c);
	CHECK_NUM(stored(1, "INBOX"), 3);

	c = user();
	say(c, "DELE 1\r\nDELE 3");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	CHECK_NUM(stored(1, "INBOX"), 3);
	fill(1, "Subject: late\r\n\r\n", 1); /* is none of this session's */
	say(c, "LIST\r\nQUIT");
	expect_line(c, "+OK");
	CHECK_STR(lines(c), "2 37\n");
	expect_line(c, "+OK");
	expect_closed(c);
	hang_up(c);
	CHECK_NUM(stored(1, "INBOX"), 2);
	CHECK(message_has(1, 1, "Subject: 2"));
	CHECK(message_has(1, 2, "Subject: late"));
}

/* Two sessions: what the other one deleted answers -ERR, the numbers stay. */
static void beside(void)
{
	struct client *one = user(), *two = user();

	say(two, "DELE 1\r\nQUIT");
	expect_line(two, "+OK");
	expect_line(two, "+OK");
	hang_up(two);
	say(one, "RETR 1\r\nLIST 1\r\nTOP 1 0\r\nLIST\r\nSTAT\r\nRETR 2\r\nDELE 1\r\nQUIT");
	expect_line(one, "-ERR no such");
	expect_line(one, "-ERR no such");
	expect_line(one, "-ERR no such");
	expect_line(one, "+OK");
	CHECK_STR(lines(one), "2 17\n");
	expect_line(one, "+OK 1 17");
	expect_line(one, "+OK");
	CHECK_STR(lines(one), "Subject: late\n\n");
	expect_line(one, "+OK");
	expect_line(one, "+OK");
	hang_up(one);
	CHECK_NUM(stored(1, "INBOX"), 1);
}

static void large(void)
{
	enum { LINES = 200000 };
	struct incoming *in = incoming_new(rig.store);
	struct delivery d = { .account = 1 };
	struct client *c;
	struct str s;
	unsigned n = 0, wrong = 0;

	CHECK_NUM(incoming_write(in, S("Subject: large\r\n\r\n")), OK);
	for (unsigned i = 0; i < LINES; i++)
		CHECK_NUM(incoming_write(in, S(".234567890\r\n")), OK);
	CHECK_NUM(incoming_finish(in), OK);
	box_deliver(rig.store, in, &d, 1);
	incoming_close(&in);
	c = user();
	say(c, "RETR 2");
	expect_line(c, "+OK 2400018 octets");
	while (read_line(c, &s) && !str_is(s, ".")) {
		wrong += n >= 2 && !str_is(s, "..234567890");
		if (++n % 1000 == 0)
			arena_reset(c->arena);
	}
	CHECK_NUM(n, LINES + 2);
	CHECK_NUM(wrong, 0);
	hang_up(c);
}

/* A client that asks and does not read is let go. */
static void reads_none(void)
{
	int64_t started = clock_ms();
	struct client *c;

	conf.idle_ms = 300;
	c = greeted(true);
	io_put(c->io, S("USER bob@example.test\r\nPASS secret\r\n"));
	for (unsigned i = 0; i < 50; i++)
		io_put(c->io, S("UIDL\r\n"));
	say(c, "QUIT");
	while (!c->gone && clock_ms() - started < 5000)
		CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	CHECK(c->gone);
	hang_up(c);
	conf.idle_ms = 60000;
}

static void many(void)
{
	enum { MESSAGES = 9000 }; /* more than one batch at QUIT */
	struct client *c;
	struct str s;
	unsigned n = 0;

	fill(2, "Subject: x\r\n\r\n", MESSAGES);
	reads_none();
	c = greeted(true);
	say(c, "USER bob@example.test\r\nPASS secret\r\nSTAT\r\nLIST\r\nUIDL");
	expect_line(c, "+OK");
	expect_line(c, "+OK");
	expect_line(c, "+OK 9000 126000");
	for (unsigned list = 0; list < 2; list++) {
		expect_line(c, "+OK");
		while (read_line(c, &s) && !str_is(s, "."))
			n++;
	}
	CHECK_NUM(n, 2 * MESSAGES);
	for (unsigned i = 1; i <= MESSAGES; i++) {
		io_fmt(c->io, "DELE %u\r\n", i);
		if (i % 100 == 0)
			for (unsigned j = 0; j < 100; j++)
				expect_line(c, "+OK");
	}
	say(c, "QUIT");
	expect_line(c, "+OK");
	hang_up(c);
	CHECK_NUM(stored(2, "INBOX"), 0);
}

static void odd_lines(void)
{
	static char block[10000];
	struct client *c = user();

	memset(block, 'A', sizeof block);
	for (unsigned i = 0; i < 100; i++)
		io_put(c->io, STR(block, sizeof block));
	say(c, "");
	expect_line(c, "-ERR line too long");
	send_octets(c, S("NO\0OP\r\nNOOP\r\n"));
	expect_line(c, "-ERR a NUL");
	expect_line(c, "+OK");
	for (unsigned i = 2; i < conf.errors_max; i++) {
		say(c, "FROB");
		expect_line(c, "-ERR command");
	}
	expect_line(c, "-ERR [SYS/PERM]");
	expect_closed(c);
	hang_up(c);
}

static void endings(void)
{
	struct client *c;

	conf.idle_ms = 300;
	c = user();
	say(c, "DELE 1");
	expect_line(c, "+OK");
	for (unsigned i = 0; i < 20 && !c->gone; i++) { /* an octet now and then buys no time */
		send_octets(c, S("Q"));
		CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	}
	expect_line(c, "-ERR [SYS/TEMP] idle");
	expect_closed(c);
	hang_up(c);
	conf.idle_ms = 60000;

	conf.login_ms = 300; /* a guest's commands buy no time either */
	c = greeted(true);
	CHECK_NUM(fiber_sleep(clock_in(200)), OK);
	say(c, "USER alice@example.test");
	expect_line(c, "+OK");
	expect_line(c, "-ERR [SYS/TEMP] idle");
	expect_closed(c);
	hang_up(c);
	c = user();
	CHECK_NUM(fiber_sleep(clock_in(350)), OK);
	say(c, "NOOP");
	expect_line(c, "+OK");
	hang_up(c);
	conf.login_ms = 60000;

	c = user();
	say(c, "DELE 1");
	expect_line(c, "+OK");
	group_cancel(rig.group);
	expect_line(c, "-ERR [SYS/TEMP] shutting down");
	expect_closed(c);
	hang_up(c);
	group_close(&rig.group);
	rig.group = group_new();
	CHECK_NUM(stored(1, "INBOX"), 2);
}

static void all(void *arg)
{
	(void)arg;
	rig_open(serve);
	conf = pop3_conf_default();
	conf.hostname = S("mail.example.test");
	server = (struct pop3_server){ &conf, rig.store, &rig_keeper, rig.server_tls };
	capabilities();
	before_tls();
	login();
	stls();
	reading();
	deleting();
	beside();
	large();
	many();
	odd_lines();
	endings();
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
