/* SPDX-License-Identifier: ISC */
/* Greeting, login, TLS rules, limits of commands and connections. */
#include "imap/dialog_test.h"

static void greeting(void)
{
	struct client *c = connect_new(true);
	struct str s = hear(c);

	CHECK(str_starts(s, S("* OK [CAPABILITY IMAP4rev1 ")));
	CHECK(has(s, " AUTH=PLAIN AUTH=LOGIN] mail.example.test ready\r\n"));
	CHECK(has(s, " APPENDLIMIT=1048576 "));
	CHECK(lacks(s, "LOGINDISABLED"));
	CHECK(lacks(s, "STARTTLS"));
	CHECK(has(ask(c, "CAPABILITY"), "AUTH=LOGIN\r\nT OK CAPABILITY done\r\n"));
	ASK(c, "NOOP", "T OK NOOP done\r\n");
	CHECK(has(ask(c, "noop x"), "T BAD usage: NOOP\r\n"));
	ASK(c, "SELECT INBOX", "T BAD log in first\r\n");
	ASK(c, "FETCH 1 FLAGS", "T BAD log in first\r\n");
	ASK(c, "FROBNICATE", "T BAD the command is not known\r\n");
	ASK(c, "UID NOOP", "T BAD the command is not known\r\n");
	CHECK(has(ask(c, "ID NIL"), "* ID (\"name\" \"tecsmail\" "));
	CHECK(has(ask(c, "ID (\"name\" \"x\" \"version\" NIL)"), "T OK ID done"));
	CHECK(has(ask(c, "ID ()"), "T OK ID done"));
	CHECK(has(ask(c, "ID (\"name\")"), "T BAD usage"));
	CHECK(has(ask(c, "STARTTLS"), "T BAD TLS is on"));
	ASK(c, "LOGOUT", "* BYE logging out\r\nT OK LOGOUT done\r\n");
	CHECK_NUM(hear(c).n, 0);
	client_close(&c);
}

static void in_clear(void)
{
	struct client *c = connect_new(false);
	struct str s = hear(c);

	CHECK(has(s, " LOGINDISABLED] "));
	CHECK(lacks(s, "AUTH="));
	cleartexts = 0;
	CHECK(has(ask(c, "LOGIN alice secret"), "T NO [PRIVACYREQUIRED]"));
	CHECK_NUM(cleartexts, 1);
	CHECK(has(ask(c, "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="), "T NO [PRIVACYREQUIRED]"));
	CHECK_NUM(cleartexts, 2);
	CHECK(has(ask(c, "AUTHENTICATE PLAIN"), "T NO [PRIVACYREQUIRED]"));
	CHECK(has(ask(c, "AUTHENTICATE LOGIN"), "T NO [PRIVACYREQUIRED]"));
	CHECK_NUM(cleartexts, 2);
	/* No "+": the password must not be sent. */
	CHECK(has(ask(c, "LOGIN alice {6}"), "T NO [PRIVACYREQUIRED]"));
	say(c, "x LOGIN alice {6+}\r\nsecret\r\n");
	CHECK(has(hear(c), "x NO [PRIVACYREQUIRED]"));
	CHECK_NUM(cleartexts, 3);
	ASK(c, "STARTTLS", "T BAD TLS is not offered here\r\n");
	ASK(c, "NOOP", "T OK NOOP done\r\n");
	client_close(&c);
}

static void logins(void)
{
	struct client *c = client_new(NULL);

	CHECK(has(ask(c, "LOGIN alice wrong"), "T NO [AUTHENTICATIONFAILED]"));
	CHECK(has(ask(c, "LOGIN nobody secret"), "T NO [AUTHENTICATIONFAILED]"));
	CHECK(has(ask(c, "LOGIN alice"), "T BAD usage"));
	CHECK(has(ask(c, "AUTHENTICATE CRAM-MD5"), "T NO this mechanism"));
	keeper_says = E_AGAIN;
	CHECK(has(ask(c, "LOGIN alice secret"), "T NO [UNAVAILABLE]"));
	keeper_says = OK;
	CHECK(has(ask(c, "LOGIN \"alice\" \"sec\\\"ret\""), "T NO [AUTHENTICATIONFAILED]"));
	CHECK(has(ask(c, "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="),
		  "T OK [CAPABILITY IMAP4rev1 "));
	CHECK(has(ask(c, "LOGIN alice secret"), "T BAD you are logged in already"));
	CHECK(lacks(ask(c, "CAPABILITY"), "AUTH="));
	ASK(c, "NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\nT OK NAMESPACE done\r\n");
	ASK(c, "ENABLE CONDSTORE X-NONE", "* ENABLED\r\nT OK ENABLE done\r\n");
	CHECK(has(ask(c, "ENABLE"), "T BAD usage"));
	ASK(c, "CHECK", "T BAD select a mailbox first\r\n");
	client_close(&c);

	c = client_new(NULL);
	say(c, "a AUTHENTICATE PLAIN\r\n");
	CHECK_STR(hear(c), "+ \r\n");
	say(c, "AGFsaWNlAHNlY3JldA==\r\n");
	CHECK(has(hear(c), "a OK [CAPABILITY"));
	client_close(&c);

	c = client_new(NULL);
	say(c, "a AUTHENTICATE LOGIN\r\n");
	CHECK_STR(hear(c), "+ VXNlcm5hbWU6\r\n");
	say(c, "YWxpY2U=\r\n");
	CHECK_STR(hear(c), "+ UGFzc3dvcmQ6\r\n");
	say(c, "*\r\n");
	CHECK(has(hear(c), "a BAD AUTHENTICATE given up"));
	say(c, "a AUTHENTICATE PLAIN !!!\r\n");
	CHECK(has(hear(c), "a BAD the response"));
	/* Literals: one waited for, one not. */
	say(c, "b LOGIN {5}\r\n");
	CHECK(has(hear(c), "+ "));
	say(c, "alice {6+}\r\nsecret\r\n");
	CHECK(has(hear(c), "b OK [CAPABILITY"));
	client_close(&c);

	c = client_new(NULL);
	keeper_says = E_LIMIT;
	CHECK(has(ask(c, "LOGIN alice secret"),
		  "* BYE [ALERT] closed until 14:35: 5 wrong passwords\r\n"));
	keeper_says = OK;
	CHECK_NUM(hear(c).n, 0);
	client_close(&c);

	c = client_new(NULL);
	for (unsigned i = 0; i < 9; i++)
		CHECK(has(ask(c, "LOGIN alice x"), "T NO [AUTHENTICATIONFAILED]"));
	CHECK(has(ask(c, "LOGIN alice x"), "* BYE too many wrong passwords"));
	client_close(&c);
}

/* What is to be told at a login; why a right password is refused; both in ASCII. */
static void told(void)
{
	struct client *c = client_new(NULL);

	refused = "Ihr Konto ist gesperrt / Your account is locked: spam";
	for (unsigned i = 0; i < 15; i++)
		CHECK(has(ask(c, "LOGIN alice secret"),
			  "T NO [CONTACTADMIN] Ihr Konto ist gesperrt / Your account is locked: "
			  "spam\r\n"));
	CHECK(has(ask(c, "LOGIN alice wrong"), "T NO [AUTHENTICATIONFAILED]"));
	refused = NULL;
	notice = "Der Dienst endet am 31.12.2026 / The service ends on 2026-12-31";
	CHECK(has(ask(c, "LOGIN alice secret"),
		  "* OK [ALERT] Der Dienst endet am 31.12.2026 / The service ends on "
		  "2026-12-31\r\nT OK [CAPABILITY "));
	notice = NULL;
	client_close(&c);
}

static void bad_lines(void)
{
	struct client *c = client_new(NULL);

	say(c, "\r\n");
	CHECK_STR(hear(c), "* BAD a command begins with a tag\r\n");
	say(c, "(x) NOOP\r\n");
	CHECK_STR(hear(c), "* BAD a command begins with a tag\r\n");
	say(c, "a+b NOOP\r\n");
	CHECK_STR(hear(c), "* BAD a command begins with a tag\r\n");
	say(c, "justatag\r\n");
	CHECK_STR(hear(c), "justatag BAD the command is not known\r\n");
	io_put(c->io, S("t NO\0OP\r\n"));
	say(c, "");
	CHECK_STR(hear(c), "t BAD the command is not known\r\n");
	/* A literal where none can be: its octets are no commands. */
	say(c, "( {10+}\r\nx LOGOUT\r\n\r\n");
	CHECK_STR(hear(c), "* BAD a command begins with a tag\r\n");
	for (unsigned i = 0; i < BUFSIZ && i < 100; i++)
		io_put(c->io,
		       S("0123456789012345678901234567890123456789012345678901234567890123456789"
			 "0123456789012345678901234567890123456789012345678901234567890123456789"));
	say(c, "\r\n");
	CHECK(has(hear(c), "* BYE [TOOBIG] the line is too long"));
	client_close(&c);

	c = client_new(NULL);
	for (unsigned i = 0; i < 19; i++)
		CHECK(has(ask(c, "WHAT"), "T BAD"));
	CHECK(has(ask(c, "WHAT"), "T BAD"));
	CHECK(has(hear(c), "* BYE too many commands"));
	client_close(&c);
}

static void literals(void)
{
	struct client *c = client_new("alice");

	CHECK(has(ask(c, "SELECT {999999}"), "T BAD [TOOBIG]"));
	io_put(c->io, S("a SELECT {70000+}\r\n"));
	for (unsigned i = 0; i < 7000; i++)
		io_put(c->io, S("b LOGOUT\r\n"));
	say(c, " {3+}\r\nxyz\r\n");
	CHECK(has(hear(c), "a BAD [TOOBIG]"));
	ASK(c, "NOOP", "T OK NOOP done\r\n");
	say(c, "a SELECT {99999999999999999999+}\r\n");
	CHECK(has(hear(c), "* BYE [TOOBIG]"));
	client_close(&c);

	c = client_new("alice");
	for (unsigned i = 0; i < 1100; i++)
		io_put(c->io, i ? S(" {1+}\r\nx") : S("a SELECT {1+}\r\nx"));
	say(c, "\r\n");
	CHECK(has(hear(c), "a BAD [TOOBIG]"));
	ASK(c, "NOOP", "T OK NOOP done\r\n");
	/* NUL is no octet of a literal. */
	io_put(c->io, S("a SELECT {3+}\r\nx\0y\r\n"));
	say(c, "");
	CHECK(has(hear(c), "a BAD usage: SELECT"));
	client_close(&c);
}

static void pipelined(void)
{
	struct client *c = client_new("alice");

	say(c, "a NOOP\r\nb SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\ne NOOP\r\n");
	CHECK_STR(hear(c), "a OK NOOP done\r\n");
	CHECK(has(hear_reply(c, "b"), "b OK [READ-WRITE] SELECT done"));
	CHECK_STR(hear(c), "c OK NOOP done\r\n");
	CHECK(has(hear_reply(c, "d"), "* BYE logging out\r\nd OK LOGOUT done\r\n"));
	CHECK_NUM(hear(c).n, 0);
	client_close(&c);
}

static void timeouts(void)
{
	conf.login_ms = 50;
	struct client *c = client_new(NULL);

	CHECK_STR(hear(c), "* BYE idle for too long\r\n");
	client_close(&c);
	conf.login_ms = 60000;
	conf.idle_ms = 50;
	c = client_new("alice");
	CHECK_STR(hear(c), "* BYE idle for too long\r\n");
	client_close(&c);
	c = client_new("alice");
	say(c, "a IDLE\r\n");
	CHECK_STR(hear(c), "+ idling\r\n");
	CHECK_STR(hear(c), "* BYE idle for too long\r\n");
	client_close(&c);
	conf.idle_ms = 60000;
}

static void shutdown_tells(void)
{
	struct group *mine = sessions;

	sessions = group_new();
	struct client *c = client_new("alice"), *d = client_new("bob");

	say(d, "a IDLE\r\n");
	CHECK_STR(hear(d), "+ idling\r\n");
	group_close(&sessions);
	CHECK_STR(hear(c), "* BYE server is going down\r\n");
	CHECK_STR(hear(d), "* BYE server is going down\r\n");
	client_close(&c);
	client_close(&d);
	sessions = mine;
}

#define BROWSER "ID (\"name\" \"Roundcube\" \"x-originating-ip\" "

/* The webmail's own socket: ID says whose browser it is, and the login counts as his. */
static void webmail(void)
{
	static const char *const none[] = {
		"NIL",           "\"\"",           "\"unknown\"",      "\"203.0.113\"",
		"\"1.2.3.4.5\"", "\"127.0.0.1 \"", "\"2001::db8::1\"", "\"203.0.113.0/24\"",
	};
	char command[128];

	server.internal = true;
	struct client *c = connect_new(false);
	struct str s = hear(c);

	CHECK(has(s, " AUTH=PLAIN AUTH=LOGIN] "));
	CHECK(has(s, " ID "));
	CHECK(lacks(s, "STARTTLS"));
	login_ip[0] = 0;
	CHECK(has(ask(c, "LOGIN alice secret"), "T NO [CONTACTADMIN]"));
	CHECK(has(ask(c, "ID (\"name\" \"Roundcube\")"), "T OK ID done"));
	for (size_t i = 0; i < LENGTH(none); i++) {
		snprintf(command, sizeof command, BROWSER "%s)", none[i]);
		CHECK(has(ask(c, command), "T BAD x-originating-ip is no address"));
	}
	CHECK(has(ask(c, BROWSER "\"203.0.113.9\" \"x-originating-ip\" \"203.0.113.10\")"),
		  "T BAD the browser's address is told already"));
	CHECK(has(ask(c, "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="), "T NO [CONTACTADMIN]"));
	CHECK_STR(str_of(login_ip), "");
	CHECK(has(ask(c, BROWSER "\"203.0.113.9\")"), "* ID (\"name\" \"tecsmail\" "));
	CHECK(has(ask(c, BROWSER "\"203.0.113.10\")"), "T BAD the browser's address is told"));
	CHECK(has(ask(c, "LOGIN alice wrong"), "T NO [AUTHENTICATIONFAILED]"));
	CHECK_STR(str_of(login_ip), "203.0.113.9");
	CHECK(has(ask(c, "AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="), "T OK [CAPABILITY "));
	CHECK_STR(str_of(login_ip), "203.0.113.9");
	CHECK_STR(str_of(program), "Roundcube");
	CHECK(has(ask(c, BROWSER "\"203.0.113.11\")"), "T OK ID done"));
	CHECK_STR(str_of(program), "Roundcube");
	client_close(&c);

	c = connect_new(false);
	hear(c);
	CHECK(has(ask(c, BROWSER "\"2001:DB8:0::9\")"), "T OK ID done"));
	keeper_says = E_LIMIT;
	CHECK(has(ask(c, "LOGIN alice secret"),
		  "* BYE [ALERT] closed until 14:35: 5 wrong passwords\r\n"));
	keeper_says = OK;
	CHECK_STR(str_of(login_ip), "2001:db8::9");
	client_close(&c);
	server.internal = false;
}

/* Before the login or behind it: once, no longer than is kept, and nothing that a terminal obeys.
 */
static void program_name(void)
{
	char command[256], want[128];
	struct client *c = connect_new(true);

	hear(c);
	CHECK(has(ask(c, "LOGIN alice secret"), "T OK "));
	CHECK_STR(str_of(program), "");
	CHECK(has(ask(c, "ID (\"name\" \"M\x1b[1m\xc3\xa4\" \"version\" \"2\")"), "T OK ID done"));
	CHECK_STR(str_of(program), "later: M?[1m?? 2");
	CHECK(has(ask(c, "ID (\"name\" \"another\")"), "T OK ID done"));
	CHECK_STR(str_of(program), "later: M?[1m?? 2");
	client_close(&c);

	c = connect_new(true);
	hear(c);
	snprintf(command, sizeof command, "ID (\"name\" \"%0100d\" \"version\" \"2\")", 0);
	snprintf(want, sizeof want, "%0*d", PROGRAM_MAX, 0);
	CHECK(has(ask(c, command), "T OK ID done"));
	CHECK(has(ask(c, "LOGIN alice secret"), "T OK "));
	CHECK_STR(str_of(program), want);
	client_close(&c);
}

/* Anywhere else it is one more field that says nothing. */
static void others_say_browser(void)
{
	struct client *c = client_new(NULL);

	CHECK(has(ask(c, BROWSER "\"203.0.113.9\")"), "T OK ID done"));
	CHECK(has(ask(c, BROWSER "\"203.0.113.10\")"), "T OK ID done"));
	CHECK(has(ask(c, BROWSER "\"unknown\")"), "T OK ID done"));
	CHECK(has(ask(c, "LOGIN alice secret"), "T OK [CAPABILITY "));
	CHECK_STR(str_of(login_ip), "192.0.2.1");
	client_close(&c);
}

static void tests(void)
{
	greeting();
	in_clear();
	logins();
	told();
	program_name();
	webmail();
	others_say_browser();
	bad_lines();
	literals();
	pipelined();
	timeouts();
	shutdown_tells();
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
