/* SPDX-License-Identifier: ISC */
/* What the commands answer, in which order, before and after TLS and login. */
#include "rig.h"
#include "smtp/smtp.h"

#define RIGHT "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ="

static struct smtp_conf conf;
static struct smtp_server server;

static void serve(struct io *io, int kind)
{
	smtp_serve(&server, (enum smtp_kind)kind, io);
}

static struct client *greeted(int kind, bool tls)
{
	struct client *c = dial(kind, tls);

	expect(c, "220 mail.example.test ");
	send_octets(c, kind == SMTP_LMTP ? S("LHLO here.test\r\n") : S("EHLO here.test\r\n"));
	expect(c, "250 ");
	return c;
}

static void capabilities(void)
{
	static const struct {
		int kind;
		bool tls;
		const char *with, *without;
	} table[] = {
		{ SMTP_MX, false, "STARTTLS", "AUTH" },
		{ SMTP_MX, true, "PIPELINING", "AUTH" },
		{ SMTP_MX, true, "SIZE 100000", "STARTTLS" },
		{ SMTP_SUBMISSION, false, "STARTTLS", "AUTH" },
		{ SMTP_SUBMISSION, true, "AUTH PLAIN LOGIN", "STARTTLS" },
		{ SMTP_LMTP, false, "STARTTLS", "AUTH" },
		{ SMTP_MX, true, "SIZE 100000", "XCLIENT" },
		{ SMTP_SUBMISSION, true, "AUTH PLAIN LOGIN", "XCLIENT" },
		{ SMTP_LMTP, false, "STARTTLS", "XCLIENT" },
		{ SMTP_INTERNAL, false, "XCLIENT ADDR", "XCLIENT LOGIN" },
		{ SMTP_INTERNAL, false, "AUTH PLAIN LOGIN", "250 2" },
		{ SMTP_MX, false, "STARTTLS", "REQUIRETLS" },
		{ SMTP_MX, true, "REQUIRETLS", "DSN" },
		{ SMTP_LMTP, false, "DSN", "AUTH" },
		{ SMTP_SUBMISSION, false, "DSN", "AUTH" },
		{ SMTP_INTERNAL, false, "DSN", "REQUIRETLS" },
		{ SMTP_MX, true, "REQUIRETLS", "FUTURERELEASE" },
		{ SMTP_LMTP, true, "REQUIRETLS", "DELIVERBY" },
		{ SMTP_SUBMISSION, false, "DELIVERBY", "REQUIRETLS" },
		{ SMTP_SUBMISSION, true, "FUTURERELEASE 2592000 20", "MT-PRIORITY " },
		{ SMTP_SUBMISSION, true, "REQUIRETLS", "DELIVERBY " },
		{ SMTP_INTERNAL, false, "MT-PRIORITY", "REQUIRETLS" },
	};
	static const char *const always[] = { "8BITMIME",        "SMTPUTF8",
					      "CHUNKING",        "BINARYMIME",
					      "PIPELINING",      "ENHANCEDSTATUSCODES",
					      "LIMITS RCPTMAX=5" };

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct client *c = greeted(table[i].kind, table[i].tls);

		CHECK(reply_has(c, table[i].with));
		CHECK(!reply_has(c, table[i].without));
		for (size_t j = 0; j < LENGTH(always); j++)
			CHECK(reply_has(c, always[j]));
		CHECK(!reply_has(c, "2.0.0")); /* RFC 2034 3 */
		hang_up(c);
	}
}

/* A dialog of one line and one reply each. */
struct turn {
	const char *say, *expect;
};
static void dialog(int kind, bool tls, bool greet, const struct turn *turn, size_t n)
{
	struct client *c = greet ? greeted(kind, tls) : dial(kind, tls);

	if (!greet)
		expect(c, "220 ");
	for (size_t i = 0; i < n; i++) {
		io_put(c->io, str_of(turn[i].say));
		send_octets(c, S("\r\n"));
		if (!expect(c, turn[i].expect))
			fprintf(stderr, "  after %s\n", turn[i].say);
	}
	hang_up(c);
}

static void order(void)
{
	static const struct turn early[] = {
		{ "MAIL FROM:<a@b.test>", "503 5.5.1 say EHLO" },
		{ "RCPT TO:<alice@example.test>", "503 5.5.1" },
		{ "DATA", "503 5.5.1" },
		{ "NOOP", "250 2.0.0" },
		{ "RSET", "250 2.0.0" },
		{ "MAIL FROM:<a@b.test>", "503 5.5.1 say EHLO" },
		{ "EHLO", "501 5.5.4" },
		{ "LHLO x", "500 5.5.1" },
		{ "HELO old.test", "250 mail.example.test" },
		{ "MAIL FROM:<a@b.test>", "250 2.1.0" },
		{ "MAIL FROM:<a@b.test>", "503 5.5.1 a message is under way" },
		{ "DATA", "503 5.5.1 no recipient" },
		{ "EHLO new.test", "250 " },
		{ "RCPT TO:<alice@example.test>", "503 5.5.1 say MAIL" },
		{ "QUIT", "221 2.0.0" },
	};
	static const struct turn plain[] = {
		{ "mail from:<a@b.test> size=5", "250 2.1.0" },
		{ "RSET x", "501 5.5.4" },
		{ "rcpt to:<alice@example.test>", "250 2.1.5" },
		{ "DATA x", "501 5.5.4" },
		{ "STARTTLS", "503 5.5.1 a message is under way" },
		{ "RSET", "250 2.0.0" },
		{ "RCPT TO:<alice@example.test>", "503 5.5.1" },
		{ "VRFY alice", "252 2.5.0" },
		{ "VRFY", "501 5.5.4" },
		{ "EXPN team", "502 5.5.1" },
		{ "HELP", "214 2.0.0" },
		{ "ETRN here.test", "502 5.5.1" },
		{ "FROB", "500 5.5.1" },
		{ "", "500 5.5.1" },
		{ "NOOP and more", "250 2.0.0" },
		{ "MAIL FROM:<>", "250 2.1.0" },
	};

	dialog(SMTP_MX, false, false, early, LENGTH(early));
	dialog(SMTP_MX, false, true, plain, LENGTH(plain));
}

/* What only some sessions offer is not known in others. */
static void parameters(void)
{
	static const struct turn mx[] = {
		{ "MAIL FROM:<a@b.test> REQUIRETLS", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> HOLDFOR=1", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> BY=1;N", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> MT-PRIORITY=1", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test>", "250 2.1.0" },
	};
	static const struct turn stranger[] = {
		/* who may have given any sender */
		{ "MAIL FROM:<a@b.test> RET=FULL", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> ENVID=x", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test>", "250 2.1.0" },
		{ "RCPT TO:<bob@example.test> NOTIFY=SUCCESS", "555 5.5.4" },
		{ "RCPT TO:<bob@example.test> ORCPT=rfc822;b", "555 5.5.4" },
	};
	static const struct turn local[] = {
		{ "MAIL FROM:<a@b.test> RET=FULL ENVID=x", "250 2.1.0" },
		{ "RCPT TO:<bob@example.test> NOTIFY=SUCCESS ORCPT=rfc822;b", "250 2.1.5" },
	};
	static const struct turn tls[] = {
		{ "MAIL FROM:<a@b.test> REQUIRETLS", "250 2.1.0" },
		{ "RCPT TO:<bob@example.test>", "250 2.1.5" },
	};
	static const struct turn user[] = {
		{ RIGHT, "235 2.7.0" },
		{ "MAIL FROM:<alice@example.test> HOLDFOR=2592001", "501 5.5.4" },
		{ "MAIL FROM:<alice@example.test> HOLDUNTIL=2001-01-01T00:00:00Z", "501 5.5.4" },
		{ "MAIL FROM:<alice@example.test> HOLDUNTIL=9001-01-01T00:00:00Z", "501 5.5.4" },
		{ "MAIL FROM:<alice@example.test> BY=0;R", "501 5.5.4" },
		{ "MAIL FROM:<alice@example.test> HOLDFOR=2592000 BY=60;RT MT-PRIORITY=-3 "
		  "REQUIRETLS",
		  "250 2.1.0" },
	};

	dialog(SMTP_MX, false, true, mx, LENGTH(mx));
	dialog(SMTP_MX, true, true, tls, LENGTH(tls));
	dialog(SMTP_LMTP, false, true, mx, LENGTH(mx));
	dialog(SMTP_MX, true, true, stranger, LENGTH(stranger));
	dialog(SMTP_LMTP, false, true, local, LENGTH(local));
	dialog(SMTP_SUBMISSION, true, true, user, LENGTH(user));
	conf.hold_max = 0;
	struct client *c = greeted(SMTP_SUBMISSION, true);

	CHECK(!reply_has(c, "FUTURERELEASE"));
	hang_up(c);
	conf.hold_max = 30 * 24 * 3600;
}

static void recipients(void)
{
	static const struct turn server_side[] = {
		{ "MAIL FROM:<a@b.test> SIZE=100001", "552 5.3.4" },
		{ "MAIL FROM:<a@b.test>", "250 2.1.0" },
		{ "RCPT TO:<nobody@example.test>", "550 5.1.1" },
		{ "RCPT TO:<x@far.test>", "550 5.7.1 not relaying" },
		{ "RCPT TO:<@example.test:x@far.test>", "550 5.7.1 not relaying" },
		{ "RCPT TO:<\"alice@example.test\"@far.test>", "550 5.7.1 not relaying" },
		{ "RCPT TO:<x%far.test@example.test>", "550 5.1.1" },
		{ "RCPT TO:<far.test!x@example.test>", "550 5.1.1" },
		{ "RCPT TO:<\"x@far.test\"@example.test>", "550 5.1.1" },
		{ "RCPT TO:<x@[192.0.2.1]>", "550 5." },
		{ "RCPT TO:<x@far.test@example.test>", "501 5.1.3" },
		{ "RCPT TO:<x@far.test> AUTH=<>", "555 5.5.4" },
		{ "RCPT TO:<x@broken.test>", "451 4.3.0" },
		{ "RCPT TO:<impossible@example.test>", "550 5.1.1" },
		{ "RCPT TO:<back@example.test>", "550 5.7.1 this address takes reports" },
		{ "RCPT TO:<\xc3\xa4@example.test>", "553 5.6.7" },
		{ "RCPT TO:<postmaster>", "250 2.1.5" },
		{ "RCPT TO:<alice+list@EXAMPLE.test>", "250 2.1.5" },
		{ "RCPT TO:<team@example.test>", "250 2.1.5" },
		{ "RCPT TO:<bob@example.test>", "250 2.1.5" },
		{ "RCPT TO:<dave@example.test>", "250 2.1.5" },
		{ "RCPT TO:<carol@example.test>", "452 4.5.3" }, /* five is the limit here */
	};
	static const struct turn forwards[] = {
		{ "MAIL FROM:<x@broken.test>", "250 2.1.0" },
		{ "RCPT TO:<gone@example.test>", "451 4.3.0" },
		{ "RSET", "250" },
		{ "MAIL FROM:<a@b.test>", "250 2.1.0" },
		{ "RCPT TO:<gone@example.test>", "250 2.1.5" },
		{ "RCPT TO:<mixed@example.test>", "250 2.1.5" },
		{ "RSET", "250" },
		{ "MAIL FROM:<>", "250 2.1.0" },
		{ "RCPT TO:<back@example.test>", "250 2.1.5" },
	};
	static const struct turn quota[] = {
		{ "MAIL FROM:<a@b.test> SIZE=2001", "250 2.1.0" },
		{ "RCPT TO:<carol@example.test>", "452 4.2.2" },
		{ "RCPT TO:<full@example.test>", "250 2.1.5" },
		{ "RSET", "250" },
		{ "MAIL FROM:<a@b.test> SIZE=2000", "250 2.1.0" },
		{ "RCPT TO:<carol@example.test>", "250 2.1.5" },
	};

	dialog(SMTP_MX, false, true, server_side, LENGTH(server_side));
	dialog(SMTP_MX, false, true, quota, LENGTH(quota));
	dialog(SMTP_MX, false, true, forwards, LENGTH(forwards));
}

/* RFC 4954, RFC 8314 3.3: no password without TLS, and nothing without a login. */
static void before_tls(void)
{
	static const struct turn in_clear[] = {
		{ "MAIL FROM:<alice@example.test>", "530 5.7.0 say STARTTLS" },
		{ "AUTH PLAIN", "538 5.7.11" },
		{ "AUTH LOGIN YWxpY2U=", "538 5.7.11" },
		{ "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "538 5.7.11" },
	};
	static const struct turn no_login[] = {
		{ "MAIL FROM:<alice@example.test>", "530 5.7.0 log in" },
		{ "RCPT TO:<alice@example.test>", "503 5.5.1" },
	};
	static const struct turn mx[] = {
		{ "AUTH PLAIN AGJvYgBzZWNyZXQ=", "502 5.5.1" },
	};

	rig.cleartexts = rig.logins = 0;
	dialog(SMTP_SUBMISSION, false, true, in_clear, LENGTH(in_clear));
	CHECK_NUM(rig.cleartexts, 1);
	CHECK_STR(rig.cleartext_user, "alice");
	dialog(SMTP_SUBMISSION, true, true, no_login, LENGTH(no_login));
	dialog(SMTP_MX, false, true, mx, LENGTH(mx));
	CHECK_NUM(rig.cleartexts, 2);
	dialog(SMTP_MX, true, true, mx, LENGTH(mx));
	CHECK_NUM(rig.cleartexts, 2);
	CHECK_NUM(rig.logins, 0);
}

static void login(void)
{
	static const struct turn turns[] = {
		{ "AUTH CRAM-MD5", "504 5.5.4" },
		{ "AUTH", "501 5.5.4" },
		{ "AUTH PLAIN !", "501 5.5.2" },
		{ "AUTH PLAIN =", "501 5.5.2" },
		{ "AUTH PLAIN", "334 " },
		{ "*", "501 5.7.0" },
		{ "AUTH PLAIN", "334 " },
		{ "AGFsaWNlAHdyb25n", "535 5.7.8" },
		{ "AUTH LOGIN", "334 VXNlcm5hbWU6" },
		{ "YWxpY2VAZXhhbXBsZS50ZXN0", "334 UGFzc3dvcmQ6" },
		{ "c2VjcmV0", "235 2.7.0" },
		{ "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "503 5.5.1" },
		{ "EHLO again.test", "250 " },
		{ "AUTH LOGIN", "503 5.5.1" },
		{ "MAIL FROM:<bob@example.test>", "553 5.7.1" },
		{ "MAIL FROM:<>", "250 2.1.0" },
		{ "RSET", "250 2.0.0" },
		{ "MAIL FROM:<alice+x@example.test>", "250 2.1.0" },
		{ "RCPT TO:<x@far>", "550 5.1.2 das ist keine vollstaendige Domain" },
		{ "RCPT TO:<x@[192.0.2.7]>", "550 5.1.2 no mail is sent to an address in" },
		{ "RCPT TO:<x@192.0.2.7>", "550 5.1.2" },
		{ "RCPT TO:<x@nowhere.invalid>", "550 5.1.2" },
		{ "RCPT TO:<x@hidden.onion>", "550 5.1.2" },
		{ "RCPT TO:<x@far.test>", "250 2.1.5" },
		{ "RCPT TO:<mixed@example.test>", "250 2.1.5" },
		{ "RCPT TO:<bob@example.test>", "250 2.1.5" },
		{ "AUTH PLAIN", "503" },
	};
	static const struct turn once[] = {
		{ "AUTH login YWxpY2VAZXhhbXBsZS50ZXN0", "334 UGFzc3dvcmQ6" },
		{ "c2VjcmV0", "235 2.7.0" },
	};
	static const struct turn locked[] = { { "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
						"421 4.7.0 closed until 14:35" } };
	static const struct turn later[] = { { "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "454 4.7.0" } };

	dialog(SMTP_SUBMISSION, true, true, turns, LENGTH(turns));
	dialog(SMTP_SUBMISSION, true, true, once, LENGTH(once));
	rig.login_error = E_LIMIT;
	dialog(SMTP_SUBMISSION, true, true, locked, LENGTH(locked));
	rig.login_error = E_AGAIN;
	dialog(SMTP_SUBMISSION, true, true, later, LENGTH(later));
	rig.login_error = OK;
}

/* What is told at a login, and why it or a message is refused. */
static void states(void)
{
	static const struct turn refused[] = {
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdAB3cm9uZw==", "535 5.7.8" },
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=",
		  "525 5.7.13 Ihr Konto ist gesperrt" },
		{ "MAIL FROM:<alice@example.test>", "530" },
	};
	static const struct turn blocked[] = {
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=",
		  "235 2.7.0 welcome - it ends" },
		{ "MAIL FROM:<alice@example.test>",
		  "550 5.7.1 Senden gesperrt / sending is blocked" },
		{ "MAIL FROM:<>", "550 5.7.1 Senden gesperrt" },
	};
	static const struct turn read_only[] = {
		{ "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=", "235 2.7.0 welcome" },
		{ "MAIL FROM:<alice@example.test>", "450 4.3.2" },
	};
	static const struct turn incoming[] = {
		{ "MAIL FROM:<x@far.test>", "250" },
		{ "RCPT TO:<nobody@example.test>", "550 5.1.1" },
		{ "RCPT TO:<alice@example.test>", "450 4.3.2" },
		{ "DATA", "503" },
	};
	static const struct turn gone[] = {
		{ "MAIL FROM:<x@far.test>", "250" },
		{ "RCPT TO:<expired@example.test>", "550 5.2.1" },
	};

	rig.refused = "Ihr Konto ist gesperrt / Your account is locked";
	dialog(SMTP_SUBMISSION, true, true, refused, LENGTH(refused));
	rig.refused = NULL;
	rig.notice = "it ends";
	rig.new_error = E_DENIED;
	dialog(SMTP_SUBMISSION, true, true, blocked, LENGTH(blocked));
	rig.notice = NULL;
	rig.new_error = E_READONLY;
	dialog(SMTP_SUBMISSION, true, true, read_only, LENGTH(read_only));
	dialog(SMTP_MX, false, true, incoming, LENGTH(incoming));
	rig.new_error = OK;
	dialog(SMTP_MX, false, true, gone, LENGTH(gone));
}

#define WRONG "AUTH PLAIN AGFsaWNlAHdyb25n"

/* Roundcube's way: EHLO, XCLIENT, HELO, AUTH. From XCLIENT on the browser is the peer. */
static void webmail(void)
{
	static const struct turn turns[] = {
		{ RIGHT, "503 5.5.1 say XCLIENT" },
		{ "AUTH PLAIN", "503 5.5.1 say XCLIENT" },
		{ "MAIL FROM:<alice@example.test>", "530 5.7.0 log in" },
		{ "XCLIENT", "501 5.5.4" },
		{ "XCLIENT ADDR=[UNAVAILABLE]", "501 5.5.4" },
		{ "XCLIENT ADDR=203.0.113", "501 5.5.4" },
		{ "XCLIENT ADDR=203.0.113.9/32", "501 5.5.4" },
		{ "XCLIENT ADDR=IPV6:2001::db8::1", "501 5.5.4" },
		{ "XCLIENT LOGIN=alice", "501 5.5.4" },
		{ RIGHT, "503 5.5.1 say XCLIENT" },
		{ "XCLIENT ADDR=203.0.113.9", "220 mail.example.test" },
		{ "MAIL FROM:<alice@example.test>", "503 5.5.1 say EHLO" },
		{ "HELO here.test", "250 mail.example.test" },
		{ "XCLIENT ADDR=203.0.113.10", "503 5.5.1" },
		{ WRONG, "535 5.7.8" },
		{ RIGHT, "235 2.7.0" },
		{ "XCLIENT ADDR=203.0.113.10", "503 5.5.1" },
		{ "MAIL FROM:<alice@example.test>", "250 2.1.0" },
		{ "RCPT TO:<bob@example.test>", "250 2.1.5" },
		{ "XCLIENT ADDR=203.0.113.10", "503 5.5.1" },
	};
	static const struct turn v6[] = {
		{ "XCLIENT ADDR=IPV6:2001:DB8:0::77", "220 " },
		{ "EHLO here.test", "250 " },
		{ RIGHT, "235 2.7.0" },
	};
	static const struct turn locked[] = {
		{ "XCLIENT ADDR=203.0.113.9", "220 " },
		{ "HELO here.test", "250 " },
		{ RIGHT, "421 4.7.0 closed until 14:35" },
	};
	static const struct turn early[] = { { "XCLIENT ADDR=203.0.113.9", "503 5.5.1 say EHLO" } };

	server.tls = NULL;
	rig.login_ip = "203.0.113.9";
	dialog(SMTP_INTERNAL, false, false, early, LENGTH(early));
	dialog(SMTP_INTERNAL, false, true, turns, LENGTH(turns));
	rig.login_error = E_LIMIT;
	dialog(SMTP_INTERNAL, false, true, locked, LENGTH(locked));
	rig.login_error = OK;
	rig.login_ip = "2001:db8::77";
	dialog(SMTP_INTERNAL, false, true, v6, LENGTH(v6));
	rig.login_ip = "192.0.2.1";
	server.tls = rig.server_tls;
}

/* On every other port it is no command, and the peer stays who he is. */
static void others_say_xclient(void)
{
	static const struct turn user[] = {
		{ "XCLIENT ADDR=203.0.113.9", "500 5.5.1" }, { WRONG, "535 5.7.8" },
		{ "XCLIENT ADDR=203.0.113.9", "500 5.5.1" }, { RIGHT, "235 2.7.0" },
		{ "XCLIENT ADDR=203.0.113.9", "500 5.5.1" },
	};

	rig.logins = 0;
	dialog(SMTP_SUBMISSION, true, true, user, LENGTH(user));
	CHECK_NUM(rig.logins, 2);
	dialog(SMTP_SUBMISSION, false, true, user, 1);
	dialog(SMTP_MX, false, true, user, 1);
	dialog(SMTP_MX, true, true, user, 1);
	dialog(SMTP_LMTP, false, true, user, 1);
}

/* RFC 3207: what was injected in clear never runs, and all is forgotten. */
static void starttls(void)
{
	struct client *c = greeted(SMTP_SUBMISSION, false);

	say(c, "STARTTLS x");
	expect(c, "501 5.5.4");
	say(c, "STARTTLS\r\nNOOP\r\nEHLO injected.test\r\nRSET");
	expect(c, "220 2.0.0");
	CHECK_NUM(io_tls_connect(c->io, rig.client_tls, S("mail.example.test"), false), OK);
	say(c, "MAIL FROM:<alice@example.test>");
	expect(c, "503 5.5.1 say EHLO");
	say(c, "EHLO here.test");
	expect(c, "250 ");
	CHECK(!reply_has(c, "STARTTLS"));
	CHECK(reply_has(c, "AUTH PLAIN LOGIN"));
	say(c, "STARTTLS");
	expect(c, "503 5.5.1 TLS is on");
	say(c, "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=");
	expect(c, "235 2.7.0");
	say(c, "QUIT");
	expect(c, "221 2.0.0");
	hang_up(c);

	server.tls = NULL;
	c = greeted(SMTP_MX, false);
	CHECK(!reply_has(c, "STARTTLS"));
	say(c, "STARTTLS");
	expect(c, "502 5.5.1");
	hang_up(c);
	server.tls = rig.server_tls;

	c = greeted(SMTP_MX, false);
	say(c, "STARTTLS");
	expect(c, "220 2.0.0");
	say(c, "this is no handshake, and long enough to be none");
	expect_closed(c);
	hang_up(c);
}

static void put_many(struct client *c, char x, size_t n)
{
	static char block[1000];

	memset(block, x, sizeof block);
	for (; n; n -= n < sizeof block ? n : sizeof block)
		io_put(c->io, STR(block, n < sizeof block ? n : sizeof block));
}

static void odd_lines(void)
{
	struct client *c = greeted(SMTP_MX, false);

	put_many(c, 'A', 1 << 20);
	say(c, "");
	expect(c, "500 5.5.2 line too long");
	send_octets(c, S("NO\0OP\r\n"));
	expect(c, "500 5.5.2 control");
	send_octets(c, S("NOOP\rRSET\r\n"));
	expect(c, "500 5.5.2 control");
	say(c, "MAIL FROM:<a@b.test>\tSIZE=1");
	expect(c, "501 ");
	say(c, "NOOP");
	expect(c, "250 ");
	hang_up(c);

	c = greeted(SMTP_SUBMISSION, true);
	say(c, "AUTH PLAIN");
	expect(c, "334 ");
	put_many(c, 'A', 20000);
	say(c, "");
	expect(c, "500 5.5.6");
	say(c, "NOOP");
	expect(c, "250 ");
	hang_up(c);
}

static void too_many_mistakes(void)
{
	struct client *c = greeted(SMTP_MX, false);

	for (unsigned i = 0; i < conf.errors_max; i++) {
		say(c, "FROB");
		expect(c, "500 5.5.1");
	}
	expect(c, "421 4.7.0");
	expect_closed(c);
	hang_up(c);

	c = dial(SMTP_MX, false);
	expect(c, "220 ");
	say(c, "POST / HTTP/1.1\r\nHost: mail.example.test");
	expect(c, "421 4.7.0");
	expect_closed(c);
	hang_up(c);
}

/* 100,000 recipients, and an EHLO for each of as many turns: memory stays bounded. */
static void too_many_recipients(void)
{
	struct client *c = greeted(SMTP_MX, false);
	unsigned taken = 0, refused = 0;
	struct str s;

	say(c, "MAIL FROM:<a@b.test>");
	expect(c, "250 ");
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned j = 0; j < 1000; j++)
			io_put(c->io, S("RCPT TO:<bob@example.test>\r\n"));
		for (unsigned j = 0; j < 1000 && read_line(c, &s); j++) {
			taken += str_starts(s, S("250 "));
			refused += str_starts(s, S("452 4.5.3"));
		}
		arena_reset(c->arena);
	}
	CHECK_NUM(taken, 5);
	CHECK_NUM(refused, 99995);
	for (unsigned i = 0; i < 10000; i++) {
		say(c, "HELO again.and.again.and.again.and.again.and.again.and.again.test");
		if (!read_line(c, &s))
			break;
		arena_reset(c->arena);
	}
	say(c, "QUIT");
	expect(c, "221 ");
	hang_up(c);
}

/* Dead recipients of a list do not end the session; its living ones get the message. */
static void dead_recipients(void)
{
	struct client *c = greeted(SMTP_MX, false);

	say(c, "MAIL FROM:<a@b.test>");
	expect(c, "250 ");
	for (unsigned i = 0; i < 50; i++) {
		say(c, "RCPT TO:<nobody@example.test>");
		expect(c, "550 5.1.1");
	}
	say(c, "RCPT TO:<bob@example.test>");
	expect(c, "250 2.1.5");
	hang_up(c);
}

static void deadlines(void)
{
	int64_t started = clock_ms();
	struct client *c;

	conf.command_ms = 300;
	c = greeted(SMTP_MX, false);
	for (unsigned i = 0; i < 10 && !c->gone; i++) { /* an octet now and then buys no time */
		send_octets(c, S("N"));
		CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	}
	expect(c, "421 4.4.2");
	expect_closed(c);
	hang_up(c);

	conf.command_ms = 5000;
	conf.idle_ms = 300;
	c = greeted(SMTP_MX, false);
	for (unsigned i = 0; i < 20 && !c->gone; i++) {
		say(c, "NOOP");
		expect(c, "250 ");
		CHECK_NUM(fiber_sleep(clock_in(30)), OK);
	}
	expect(c, "421 4.4.2");
	hang_up(c);
	conf.idle_ms = 60000;

	conf.login_ms = 300; /* guests of submission; port 25 has none */
	struct client *mx = greeted(SMTP_MX, false);
	c = greeted(SMTP_SUBMISSION, true);
	CHECK_NUM(fiber_sleep(clock_in(200)), OK);
	say(c, "NOOP"); /* buys no time */
	expect(c, "250 ");
	CHECK_NUM(fiber_sleep(clock_in(150)), OK);
	expect(c, "421 4.4.2");
	hang_up(c);
	say(mx, "NOOP");
	expect(mx, "250 ");
	hang_up(mx);
	conf.login_ms = 60000;
	CHECK(clock_ms() - started < 10000);
}

/* A process that stops says so. */
static void shutdown_says_421(void)
{
	struct client *c = greeted(SMTP_MX, false);

	group_cancel(rig.group);
	expect(c, "421 4.3.2");
	expect_closed(c);
	hang_up(c);
	group_close(&rig.group);
	rig.group = group_new();
}

static void all(void *arg)
{
	(void)arg;
	rig_open(serve);
	conf = smtp_conf_default();
	conf.hostname = S("mail.example.test");
	conf.message_max = 100000;
	conf.recipients_max = 5;
	server = (struct smtp_server){ &conf, rig.store, &rig_keeper, rig.server_tls };
	capabilities();
	order();
	parameters();
	recipients();
	before_tls();
	login();
	states();
	webmail();
	others_say_xclient();
	starttls();
	odd_lines();
	too_many_mistakes();
	too_many_recipients();
	dead_recipients();
	deadlines();
	shutdown_says_421();
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
