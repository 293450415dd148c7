/* SPDX-License-Identifier: ISC */
/* The client of SMTP against servers that fail at each place, and some that break every rule. */
#include "client_test.h"

static void greetings(void)
{
	static const struct row table[] = {
		{ "!\n", "temp greeting gone -" },
		{ "> 421 busy\n", "temp greeting said 421 -" },
		{ "> 554 5.7.1 not you\n", "perm greeting said 554 5.7.1 -" },
		{ "> 354 what\n", "temp greeting broken 354 -" },
		{ "> SSH-2.0-x\n", "temp greeting broken -" },
		{ "* 220 half\n!\n", "temp greeting gone -" },
		{ "> 220-a\n> 250 b\n", "temp greeting broken -" },
		{ "> \\0220 x\n", "temp greeting broken -" },
		{ "> 220 mx\n< EHLO me.test\n!\n", "temp hello gone -" },
		{ "> 220 mx\n< EHLO\n> 421 4.3.2 no\n", "temp hello said 421 -" },
		{ "> 220 mx\n< EHLO\n> 450 later\n", "temp hello said 450 -" },
		{ "> 220 mx\n< EHLO\n> 354 what\n", "temp hello broken 354 -" },
		{ "> 220 mx\n< EHLO\n> 502 what\n< HELO me.test\n> 250 mx\n" MAIL_OK A_OK
		  "< DATA\n> 354 go\n.\n> 250 ok\n",
		  "sent +" },
		{ "> 220 mx\n< EHLO\n> 502 what\n< HELO\n> 550 no\n", "perm hello said 550 -" },
		{ "> 220 mx\n< EHLO\n> 502 what\n< HELO\n!\n", "temp hello gone -" },
		/* before it was asked */
		{ "> 220 mx\n> 250 mx\n^\n", "temp hello broken -" },
	};

	rows(table, LENGTH(table), 1, 1);
	static const struct row endless[] = {
		{ "> 220 mx\n< EHLO\n> 250-x\n> 250-x\n> 250-x\n_\n", "temp hello slow -" },
		{ "_\n", "temp greeting slow -" },
		{ SIMPLE "< MAIL\n_\n", "temp mail slow -" },
		{ SIMPLE MAIL_OK "< RCPT\n* 250 \n_\n", "temp rcpt slow -" },
		{ SIMPLE MAIL_OK A_OK "< DATA\n_\n", "temp data slow -" },
		{ SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n_\n", "temp body slow maybe -" },
	};
	struct client_times before = conf.times, *t = &conf.times;

	t->greeting = t->hello = t->mail = t->rcpt = t->data = t->end = 30;
	rows(endless, LENGTH(endless), 1, 1);
	*t = before;
	/* all of a message together has its time too */
	t->message_ms = 30;
	rows(endless + 2, 4, 1, 1);
	*t = before;
}

static void endless_reply(void)
{
	struct buf b = buf_new(64 * 1024);

	buf_put(&b, S("> 220 mx\n< EHLO\n"));
	for (unsigned i = 0; i < 200; i++)
		buf_put(&b, S("> 250-X\n"));
	set_mail(1);
	check_run(str_c(rig.arena, buf_str(&b)), 1, "temp hello broken -");
	buf_clear(&b);
	buf_put(&b, S("> 220 "));
	for (unsigned i = 0; i < 3000; i++)
		buf_c(&b, 'x');
	buf_c(&b, '\n');
	check_run(str_c(rig.arena, buf_str(&b)), 1, "temp greeting broken -");
	buf_free(&b);
}

/* Each place where a message can fail, one command at a time. */
static void one_by_one(void)
{
	static const struct row table[] = {
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n> 250 2.0.0 ok\n",
		  "sent; sent +" },
		{ SIMPLE "< MAIL\n!\n", "temp mail gone; temp mail gone -" },
		{ SIMPLE "< MAIL\n> 451 4.3.0 later\n",
		  "temp mail said 451 4.3.0; temp mail said 451 4.3.0 +" },
		{ SIMPLE "< MAIL\n> 550 no\n", "perm mail said 550; perm mail said 550 +" },
		{ SIMPLE "< MAIL\n> 354 go\n", "temp mail broken 354; temp mail broken 354 -" },
		{ SIMPLE "< MAIL\n> nonsense\n", "temp mail broken; temp mail broken -" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 5.1.1 no\n" B_OK "< DATA\n> 354 go\n.\n> 250 ok\n",
		  "perm rcpt said 550 5.1.1; sent +" },
		{ SIMPLE MAIL_OK A_OK "< RCPT\n> 450 later\n< DATA\n> 354 go\n.\n> 250 ok\n",
		  "sent; temp rcpt said 450 +" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RCPT\n> 450 later\n",
		  "perm rcpt said 550; temp rcpt said 450 +" },
		{ SIMPLE MAIL_OK A_OK "< RCPT\n> 421 4.7.0 enough\n",
		  "temp rcpt said 421 4.7.0; temp rcpt said 421 4.7.0 -" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RCPT\n!\n",
		  "perm rcpt said 550; temp rcpt gone -" },
		{ SIMPLE MAIL_OK A_OK "< RCPT\n> 552 too many\n< DATA\n> 354 go\n.\n> 250 ok\n",
		  "sent; temp rcpt said 552 +" },
		{ SIMPLE MAIL_OK A_OK "< RCPT\n> 552 5.2.2 full\n< DATA\n> 354 go\n.\n> 250 ok\n",
		  "sent; perm rcpt said 552 5.2.2 +" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n!\n", "temp data gone; temp data gone -" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 451 no\n",
		  "temp data said 451; temp data said 451 +" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 250 ok\n",
		  "temp data broken 250; temp data broken 250 -" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n!\n",
		  "temp body gone maybe; temp body gone maybe -" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n> 554 5.6.0 spam\n",
		  "perm body said 554 5.6.0; perm body said 554 5.6.0 +" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n> 421 no\n",
		  "temp body said 421; temp body said 421 -" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n> 354 more\n",
		  "temp body broken 354 maybe; temp body broken 354 maybe -" },
		/* an answer before the message has been said */
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n> 250 ok\n^\n",
		  "temp body broken 250; temp body broken 250 -" },
		{ SIMPLE MAIL_OK A_OK B_OK "< DATA\n> 354 go\n> 552 5.3.4 large\n!\n",
		  "perm body said 552 5.3.4; perm body said 552 5.3.4 -" },
	};

	rows(table, LENGTH(table), 2, 1);
}

static void pipelined(void)
{
	static const struct row table[] = {
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 250 ok\n> 250 ok\n> 354 go\n.\n> 250 ok\n",
		  "sent; sent +" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 550 no\n> 250 ok\n> 354 go\n.\n> 250 ok\n",
		  "perm rcpt said 550; sent +" },
		{ PIPE ENVELOPE2 "< DATA\n> 550 no\n> 503 what\n> 503 what\n> 503 what\n",
		  "perm mail said 550; perm mail said 550 +" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 550 no\n> 450 no\n> 554 nobody\n",
		  "perm rcpt said 550; temp rcpt said 450 +" },
		/* told to go on all the same: nothing is said (RFC 2920 3.1) */
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 550 no\n> 550 no\n> 354 go\n< .\n> 554 x\n",
		  "perm rcpt said 550; perm rcpt said 550 +" },
		{ PIPE ENVELOPE2 "< DATA\n> 450 no\n> 250 ok\n> 250 ok\n> 354 go\n< .\n> 250 x\n",
		  "temp mail said 450; temp mail said 450 +" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 250 ok\n> 250 ok\n> 451 no\n",
		  "temp data said 451; temp data said 451 +" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 250 ok\n> 421 bye\n!\n",
		  "temp rcpt said 421; temp rcpt said 421 -" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 550 no\n!\n",
		  "perm rcpt said 550; temp rcpt gone -" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 250 ok\n> 250 ok\n!\n",
		  "temp data gone; temp data gone -" },
		{ PIPE ENVELOPE2 "< DATA\n> 250 ok\n> 250 ok\n> 250 ok\n> 354 go\n> 250 ok\n^\n",
		  "temp body broken 250; temp body broken 250 -" },
	};

	rows(table, LENGTH(table), 2, 1);
	set_mail(2);
	check_run(table[1].script, 1, table[1].want);
	CHECK_NUM(mail.said[AT_MAIL].code, 250);
	CHECK_NUM(mail.said[AT_DATA].code, 354);
	CHECK_NUM(mail.said[AT_BODY].code, 250);
	CHECK_NUM(rcpts[0].said.code, 550);
	CHECK_NUM(rcpts[1].said.code, 250);
	conf.no_pipelining = true;
	rows(&(struct row){ PIPE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n", "sent +" }, 1, 1,
	     1);
	conf.no_pipelining = false;
}

#define CHUNK HELLO("> 250-CHUNKING\n> 250-PIPELINING\n")
static void chunked(void)
{
	static const struct row table[] = {
		{ CHUNK ENVELOPE2 "> 250 ok\n> 250 ok\n> 250 ok\n< BDAT 23 LAST\n# 23\n> 250 ok\n",
		  "sent; sent +" },
		{ CHUNK ENVELOPE2 "> 250 ok\n> 550 no\n> 250 ok\n< BDAT 23 LAST\n# 23\n> 250 ok\n",
		  "perm rcpt said 550; sent +" },
		{ CHUNK ENVELOPE2 "> 250 ok\n> 550 no\n> 550 no\n",
		  "perm rcpt said 550; perm rcpt said 550 +" },
		{ CHUNK ENVELOPE2 "> 250 ok\n> 250 ok\n> 250 ok\n< BDAT 23 LAST\n# 23\n> 552 no\n",
		  "perm body said 552; perm body said 552 +" },
		{ CHUNK ENVELOPE2 "> 250 ok\n> 250 ok\n> 250 ok\n< BDAT 23 LAST\n# 23\n!\n",
		  "temp body gone maybe; temp body gone maybe -" },
		{ CHUNK ENVELOPE2 "> 250 ok\n> 250 ok\n> 250 ok\n> 250 ok\n^\n",
		  "temp body broken 250; temp body broken 250 -" },
	};

	body = S("Subject: x\r\n\r\n..\r\n.\r\n\r\n");
	CHECK_NUM(body.n, 23);
	rows(table, LENGTH(table), 2, 1);
	run(table[0].script, 1);
	got("..\r\n.\r\n");
	body = S("");
	rows(&(struct row){ CHUNK "< MAIL\n< RCPT\n> 250 ok\n> 250 ok\n< BDAT 0 LAST\n> 250 ok\n",
			    "sent +" },
	     1, 1, 1);
	body = S("x\r\n");
}

/* What is said behind 354, with the dots of transparency: RFC 5321 4.5.2. */
static void stuffing(void)
{
	static const struct {
		struct str body;
		const char *sent;
	} table[] = {
		{ S("hi\r\n"), "hi\n" },
		{ S("hi"), "hi\n" },
		{ S(""), "" },
		{ S("."), "..\n" },
		{ S(".\r\n"), "..\n" },
		{ S("..\r\n.\r\n"), "...\n..\n" },
		{ S("a.\r\n.b\r\n\r\n.\r\n"), "a.\n..b\n\n..\n" },
		{ S("12345\r\n.abcde\r\n.x"), "12345\n..abcde\n..x\n" }, /* a border before a dot */
		{ S("123456\r\n.\r\n"), "123456\n..\n" },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		body = table[i].body;
		set_mail(1);
		check_run(SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n", 1, "sent +");
		struct str s = buf_str(&peer.got);

		s = str_from(s, str_find_str(s, S("DATA\n")) + 5);
		s = str_part(s, 0, str_find_str(s, S(".\nQUIT")));
		CHECK_STR(s, table[i].sent);
	}
}

/* No server may see an end of message in ours: RFC 5321 2.3.8. */
static void line_ends(void)
{
	static const struct str table[] = {
		S("a\n.\nMAIL FROM:<x>\r\n"), S("a\r\n.\nx\r\n"), S("a\r.\r\n"),
		S("123456\n.\r\n"),           S("x\r"),           S("\n"),
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		body = table[i];
		set_mail(1);
		check_run(SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n", 1, "perm body lineend -");
		CHECK(!str_has(str_from(buf_str(&peer.got),
					str_find_str(buf_str(&peer.got), S("DATA\n")) + 5),
			       '.'));
		set_mail(1);
		check_run(CHUNK "< MAIL\n< RCPT\n> 250 ok\n> 250 ok\n", 1, "perm body lineend -");
	}
	/* octets as they are go where they are taken */
	set_mail(1);
	mail.body = BODY_BINARYMIME;
	check_run(HELLO("> 250-CHUNKING\n> 250-BINARYMIME\n") "< MAIL FROM:<me@example.test> "
							      "BODY=BINARYMIME\n> 250 ok\n" A_OK
							      "< BDAT 1 LAST\n# 1\n> 250 ok\n",
		  1, "sent +");
	body = S("x\r\n");
}

/* What cannot be read must not look like a message that ended. */
static void our_fault(void)
{
	body = S("0123456789abcdef\r\n");
	body_error = E_CORRUPT;
	for (body_error_at = 0; body_error_at < 15; body_error_at += 7) {
		set_mail(1);
		check_run(SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n", 1, "temp body ours -");
		CHECK_NUM(rcpts[0].out.err, E_CORRUPT);
		CHECK(!peer.quit);
	}
	body_error = OK;
	set_mail(1);
	mail.size = 30; /* more than there is */
	check_run(SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n", 1, "temp body ours -");
	body = S("x\r\n");
}

/* --- what the server offers, and what it must offer --- */

static void parameters(void)
{
	set_mail(2);
	mail.from = address("");
	mail.ret = RET_HDRS;
	mail.envid = S("QQ+2B1");
	mail.body = BODY_8BITMIME;
	rcpts[0].notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	rcpts[0].orcpt = S("rfc822;a+2Bb@x.test");
	rcpts[1].notify = NOTIFY_NEVER;
	rcpts[1].orcpt = S("utf-8;\xc3\xbc@x.test");
	check_run(HELLO("> 250-DSN\n> 250-SIZE 1000\n> 250-8BITMIME\n") MAIL_OK A_OK B_OK
		  "< DATA\n> 354 go\n.\n> 250 ok\n",
		  1, "sent; sent +");
	got("MAIL FROM:<> SIZE=3 BODY=8BITMIME RET=HDRS ENVID=QQ+2B1\n");
	got("RCPT TO:<a@far.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x.test\n");
	got("RCPT TO:<b@far.test> NOTIFY=NEVER\n");
	CHECK(mail.dsn_told);
	check_run(HELLO("> 250-8BITMIME\n") MAIL_OK A_OK B_OK "< DATA\n> 354 go\n.\n> 250 ok\n", 1,
		  "sent; sent +");
	got("MAIL FROM:<> BODY=8BITMIME\n");
	got("RCPT TO:<a@far.test>\n");
	CHECK(!mail.dsn_told);

	set_mail(1);
	mail.priority = -3;
	mail.by = mail.by_return = true;
	mail.by_time = 120;
	check_run(HELLO("> 250-MT-PRIORITY MIXER\n> 250-DELIVERBY 60\n") MAIL_OK A_OK
		  "< DATA\n> 354 go\n.\n> 250 ok\n",
		  1, "sent +");
	got("MAIL FROM:<me@example.test> MT-PRIORITY=-3 BY=120;R\n");
	check_run(SIMPLE, 1, "perm mail by +");
	mail.by_return = false;
	check_run(SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n", 1, "sent +");
	got("MAIL FROM:<me@example.test>\n");
}

static void needs(void)
{
	static const struct {
		const char *offers;
		enum body body;
		bool utf8, require_tls;
		const char *want;
	} table[] = {
		{ "> 250-SIZE 3\n", 0, false, false, "perm mail said 550; perm mail said 550 +" },
		{ "> 250-SIZE 2\n", 0, false, false, "perm mail large; perm mail large +" },
		{ "> 250-SIZE 0\n", 0, false, false, "perm mail said 550; perm mail said 550 +" },
		{ "", BODY_8BITMIME, false, false, "perm mail 8bit; perm mail 8bit +" },
		{ "> 250-BINARYMIME\n", BODY_BINARYMIME, false, false,
		  "perm mail binary; perm mail binary +" },
		{ "", 0, true, false, "perm mail utf8; perm mail utf8 +" },
		{ "> 250-SMTPUTF8\n", 0, true, false, "perm mail said 550; perm mail said 550 +" },
		{ "> 250-REQUIRETLS\n", 0, false, true, "perm mail reqtls; perm mail reqtls +" },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		bool asked = str_starts(str_of(table[i].want), S("perm mail said"));
		struct str script = str_fmt(rig.arena, HELLO("%s") "%s", table[i].offers,
					    asked ? "< MAIL\n> 550 no\n" : "");

		set_mail(2);
		mail.body = table[i].body;
		mail.utf8 = table[i].utf8;
		mail.require_tls = table[i].require_tls;
		check_run(str_c(rig.arena, script), 1, table[i].want);
	}
	/* only who needs it has it worse */
	set_mail(2);
	rcpts[0].to = address("\xc3\xbc@far.test");
	check_run(SIMPLE MAIL_OK B_OK "< DATA\n> 354 go\n.\n> 250 ok\n", 1,
		  "perm rcpt utf8; sent +");
	check_run(HELLO("> 250-SMTPUTF8\n") "< MAIL FROM:<me@example.test> SMTPUTF8\n> 250 ok\n"
					    "< RCPT TO:<\xc3\xbc@far.test>\n> 250 ok\n" B_OK
					    "< DATA\n> 354 go\n.\n> 250 ok\n",
		  1, "sent; sent +");
	/* nobody's address brings a second command */
	set_mail(2);
	rcpts[0].to = (struct path){ .local = S("x"), .domain = S("y>\r\nRSET") };
	check_run(SIMPLE MAIL_OK B_OK "< DATA\n> 354 go\n.\n> 250 ok\n", 1,
		  "perm rcpt address; sent +");
	set_mail(1);
	mail.envid = S("a\r\nb");
	check_run(SIMPLE, 1, "perm mail address +");
}

static void limits(void)
{
	set_mail(5);
	check_run(HELLO("> 250-LIMITS RCPTMAX=2\n") MAIL_OK A_OK B_OK
		  "< DATA\n> 354 go\n.\n> 250 ok\n",
		  1, "sent; sent; none; none; none +");
	set_mail(1);
	check_run(HELLO("> 250-LIMITS MAILMAX=1\n") MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n",
		  2, "sent; none -");
	got("QUIT");
}

static void many(void)
{
	enum { N = 300 };
	struct client_rcpt *r = ARENA_ARRAY(rig.arena, struct client_rcpt, N);
	struct buf b = buf_new(1 << 20);

	set_mail(1);
	buf_put(&b, S(PIPE "< MAIL\n> 250 ok\n"));
	for (unsigned i = 0; i < N; i++) {
		r[i].to = address(str_c(rig.arena, str_fmt(rig.arena, "u%u@far.test", i)));
		buf_fmt(&b, "< RCPT TO:<u%u@\n> %u x\n", i, i % 3 ? 250 : 550);
	}
	buf_put(&b, S("< DATA\n> 354 go\n.\n> 250 ok\n"));
	mail.rcpt = r;
	mail.nrcpt = N;
	run(str_c(rig.arena, buf_str(&b)), 1);
	for (unsigned i = 0; i < N; i++)
		CHECK_NUM(r[i].out.verdict, i % 3 ? DELIVERED : PERMANENT);
	buf_free(&b);
}

static void again(void)
{
	static const struct row table[] = {
		{ SIMPLE ONE ONE, "sent; sent +" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RSET\n> 250 ok\n" ONE,
		  "perm rcpt said 550; sent +" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RSET\n> 421 no\n",
		  "perm rcpt said 550; temp reset said 421 -" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RSET\n> 500 no\n",
		  "perm rcpt said 550; perm reset said 500 -" },
		{ SIMPLE MAIL_OK "< RCPT\n> 550 no\n< RSET\n!\n",
		  "perm rcpt said 550; temp reset gone -" },
		{ SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 554 no\n" ONE,
		  "perm body said 554; sent +" },
		/* the one that was kept has ended */
		{ SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n> 421 idle\n!\n",
		  "sent; none -" },
		{ SIMPLE MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n!\n", "sent; none -" },
	};

	rows(table, LENGTH(table), 1, 2);
}

static void send_it(void *arg)
{
	smtp_client_send(arg, &mail, rig.arena);
}

static void stopping(void)
{
	struct group *g = group_new();
	struct outcome o;
	struct client *c;
	struct smtp_client *s = begin(SIMPLE MAIL_OK "< RCPT\n_\n", &c, &o);

	CHECK_NUM(o.verdict, DELIVERED);
	set_mail(1);
	CHECK_NUM(group_spawn(g, "client", send_it, s), OK);
	CHECK_NUM(fiber_sleep(clock_in(30)), OK);
	group_close(&g);
	CHECK_NUM(rcpts[0].out.verdict, TEMPORARY);
	CHECK_NUM(rcpts[0].out.why, WHY_CANCELED);
	CHECK(!smtp_client_ready(s));
	smtp_client_quit(&s);
	hang_up(c);
}

static void all(void *arg)
{
	(void)arg;
	script_open();
	for (unsigned i = 0; i < WHY_COUNT; i++)
		CHECK(client_why_text((enum client_why)i));
	greetings();
	endless_reply();
	one_by_one();
	pipelined();
	chunked();
	stuffing();
	line_ends();
	our_fault();
	parameters();
	needs();
	limits();
	many();
	again();
	stopping();
	script_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
