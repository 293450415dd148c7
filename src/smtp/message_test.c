/* SPDX-License-Identifier: ISC */
/* What becomes of a message: DATA, BDAT, submission, LMTP, and everything that refuses one. */
#include "message_test.h"

/* --- DATA --- */

static void delivered(void)
{
	struct client *c = greeted(SMTP_MX);

	envelope(c, "<eve@far.test>", "bob");
	data(c, S("Subject: one\r\n\r\n..dot\r\n.x\r\n.\r\n"));
	expect(c, "250 2.0.0 taken as ");
	CHECK_NUM(stored(2, "INBOX"), 1);
	CHECK(str_starts(message(2, 1),
			 S("Return-Path: <eve@far.test>\r\nReceived: from here.test "
			   "([192.0.2.1])\r\n\tby mail.example.test with ESMTP id ")));
	CHECK(message_has(2, 1, "\r\n\tfor <bob@example.test>;\r\n\t"));
	CHECK(str_ends(message(2, 1), S(" +0000\r\nSubject: one\r\n\r\n.dot\r\nx\r\n")));

	envelope(c, "<>", "bob alice team dave");
	data(c, S(".\r\n")); /* an empty message is one too */
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 1); /* once, though three recipients lead to her or him */
	CHECK_NUM(stored(2, "INBOX"), 2);
	CHECK_NUM(stored(4, "INBOX"), 1);
	CHECK(str_starts(message(2, 2), S("Return-Path: <>\r\n")));
	CHECK(!message_has(2, 2, "\tfor "));

	CHECK_NUM(box_create(rig.store, 1, S("list"), 0), OK);
	say(c, "MAIL FROM:<eve@far.test> SMTPUTF8\r\nRCPT TO:<alice+list@example.test>\r\n"
	       "RCPT TO:<alice+none@example.test>\r\nRCPT TO:<alice+no@example.test>\r\n"
	       "RCPT TO:<alice+inbox@example.test>\r\nRCPT TO:<alice+list/@example.test>\r\n"
	       "RCPT TO:<alice@example.test>");
	for (unsigned i = 0; i < 7; i++)
		expect(c, "250 ");
	data(c, S("Subject: \xc3\xa4\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 ");
	CHECK_NUM(stored(1, "list"), 1); /* in each once, whatever details name it */
	CHECK_NUM(stored(1, "INBOX"), 2);
	CHECK(message_has(1, 2, "with UTF8SMTP id"));
	hang_up(c);

	c = dial(SMTP_MX, true);
	expect(c, "220 ");
	say(c, "HELO old.test");
	expect(c, "250 ");
	envelope(c, "<eve@far.test>", "dave");
	data(c, S("x: y\r\n.\r\n"));
	expect(c, "250 ");
	CHECK(message_has(4, 2, "with SMTP id"));
	hang_up(c);
	empty_all();
}

/* All in one packet, a second message and QUIT behind the dot of the first: RFC 2920 3.1 */
static void pipelined(void)
{
	static const char *const replies[] = { "250", "250", "354", "250 2.0.0 taken",
					       "250", "250", "354", "250 2.0.0 taken",
					       "250", "221" };
	struct client *c = greeted(SMTP_MX);
	struct str one = S("MAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
			   "Subject: 1\r\n\r\n1\r\n.\r\nMAIL FROM:<a@b.test>\r\n"
			   "RCPT TO:<bob@example.test>\r\nDATA\r\nSubject: 2\r\n\r\n2\r\n.\r\n"
			   "NOOP\r\nQUIT\r\n");

	send_octets(c, one);
	for (size_t i = 0; i < LENGTH(replies); i++)
		expect(c, replies[i]);
	expect_closed(c);
	hang_up(c);
	CHECK_NUM(stored(2, "INBOX"), 2);

	c = greeted(SMTP_MX); /* the same, an octet at a time */
	for (size_t i = 0; i < one.n; i++) {
		send_octets(c, str_part(one, i, 1));
		fiber_yield();
	}
	for (size_t i = 0; i < LENGTH(replies); i++)
		expect(c, replies[i]);
	hang_up(c);
	CHECK_NUM(stored(2, "INBOX"), 4);

	for (size_t cut = 0; cut <= one.n; cut += 7) { /* and in two pieces */
		c = greeted(SMTP_MX);
		send_octets(c, str_part(one, 0, cut));
		CHECK_NUM(fiber_sleep(clock_in(1)), OK);
		send_octets(c, str_from(one, cut));
		for (size_t i = 0; i < LENGTH(replies); i++)
			expect(c, replies[i]);
		hang_up(c);
	}
	empty_all();
}

/* Whatever stands where a dot alone may be taken for an end: one message, refused whole. */
static void smuggling(void)
{
	static const char *const ends[] = {
		"\n.\n", "\r.\r", "\n.\r\n",   "\r\n.\n",     "\r\n.\r",   "\r.\r\n",
		"\n.\r", "\r.\n", "\n\n.\n\n", "\r\r\n.\r\n", "\n.\r\r\n", "\r\n.\r\r\n"
	};
	struct client *c = greeted(SMTP_MX);

	for (size_t i = 0; i < LENGTH(ends); i++) {
		struct str end = str_of(ends[i]);

		envelope(c, "<a@b.test>", "bob");
		say(c, "DATA");
		expect(c, "354 ");
		io_put(c->io, S("Subject: outer\r\n\r\nx"));
		io_put(c->io, end);
		/* where the real end comes first, there is no more to smuggle */
		if (!str_ends(end, S("\r\n.\r\n")))
			io_put(c->io, S("MAIL FROM:<forged@bank.test>\r\n"
					"RCPT TO:<alice@example.test>\r\nDATA\r\n"
					"Subject: inner\r\n\r\nx\r\n.\r\n"));
		say(c, "NOOP");
		if (!expect(c, "554 5.6.0"))
			fprintf(stderr, "  for end %zu\n", i);
		expect(c, "250 2.0.0 fine");
	}
	hang_up(c);
	CHECK_NUM(stored(1, "INBOX"), 0);
	CHECK_NUM(stored(2, "INBOX"), 0);
}

static void put_many(struct client *c, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		io_put(c->io, str_of(line));
}

static void refused(void)
{
	struct client *c = greeted(SMTP_MX);

	envelope(c, "<a@b.test>", "bob"); /* larger than it may be: RFC 1870 6.3 */
	say(c, "DATA");
	expect(c, "354 ");
	put_many(c, "0123456789012345678901234567890123456789\r\n", 5000);
	send_octets(c, S(".\r\nNOOP\r\n"));
	expect(c, "552 5.3.4");
	expect(c, "250 2.0.0 fine");

	envelope(c, "<a@b.test>", "bob"); /* one line, no end of it */
	say(c, "DATA");
	expect(c, "354 ");
	put_many(c, "0123456789", 9000);
	send_octets(c, S("\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(2, "INBOX"), 1);

	envelope(c, "<a@b.test>", "bob"); /* RFC 5321 6.3 */
	say(c, "DATA");
	expect(c, "354 ");
	put_many(c, "Received: from x by y; z\r\n", 101);
	send_octets(c, S("\r\n.\r\n"));
	expect(c, "554 5.4.6");
	envelope(c, "<a@b.test>", "bob");
	say(c, "DATA");
	expect(c, "354 ");
	put_many(c, "Received: from x by y; z\r\n", 100);
	put_many(c, "\r\nReceived: in the body\r\n", 100);
	send_octets(c, S("\r\n.\r\n"));
	expect(c, "250 2.0.0");

	envelope(c, "<a@b.test>", "bob");
	fail_write = E_NOSPACE;
	data(c, S("A: b\r\n\r\nx\r\n.\r\n"));
	expect(c, "452 4.3.1");
	fail_write = OK;
	envelope(c, "<a@b.test>", "bob");
	fail_account = 2;
	fail_with = E_NOSPACE;
	data(c, S("A: b\r\n\r\nx\r\n.\r\n"));
	expect(c, "452 4.3.1");
	fail_with = E_AGAIN;
	envelope(c, "<a@b.test>", "bob");
	data(c, S("A: b\r\n\r\nx\r\n.\r\n"));
	expect(c, "451 4.3.0");
	fail_account = 0;
	envelope(c, "<a@b.test>", "ghost");
	data(c, S("A: b\r\n\r\nx\r\n.\r\n"));
	expect(c, "550 5.1.1");
	CHECK_NUM(stored(2, "INBOX"), 2);
	hang_up(c);
	empty_all();
}

static void flood(void)
{
	struct client *c = greeted(SMTP_MX);
	enum err e = OK;

	envelope(c, "<a@b.test>", "bob");
	say(c, "DATA");
	expect(c, "354 ");
	for (unsigned i = 0; i < 3000 && !e && !c->gone; i++) {
		put_many(c, "0123456789", 100);
		e = io_flush(c->io);
	}
	CHECK(c->gone || e);
	hang_up(c);
	CHECK_NUM(stored(2, "INBOX"), 0);
}

/* A connection that ends within a message leaves nothing of it. */
static void cut(void)
{
	static const char *const parts[] = {
		"DATA\r\n",
		"DATA\r\nSubject: x\r\n",
		"DATA\r\nSubject: x\r\n\r\nx\r\n.",
		"DATA\r\nSubject: x\r\n\r\nx\r\n.\r",
		"BDAT 10\r\n0123456789",
		"BDAT 10 LAST\r\n012345678",
		"BDAT 10\r\n0123456789BDAT 0 LAST\r",
	};

	for (size_t i = 0; i < LENGTH(parts); i++) {
		struct client *c = greeted(SMTP_MX);

		envelope(c, "<a@b.test>", "bob");
		send_octets(c, str_of(parts[i]));
		CHECK_NUM(fiber_sleep(clock_in(2)), OK);
		hang_up(c);
	}
	CHECK_NUM(stored(2, "INBOX"), 0);
}

static void slow(void)
{
	struct client *c;

	conf.data_ms = 300;
	c = greeted(SMTP_MX);
	envelope(c, "<a@b.test>", "bob");
	say(c, "DATA");
	expect(c, "354 ");
	for (unsigned i = 0; i < 30 && !c->gone; i++) {
		send_octets(c, S("x"));
		CHECK_NUM(fiber_sleep(clock_in(30)), OK);
	}
	CHECK(c->gone);
	expect(c, "421 4.4.2");
	hang_up(c);
	conf.data_ms = 60000;

	c = greeted(SMTP_MX);
	envelope(c, "<a@b.test>", "bob");
	data(c, S("Subject: x\r\n"));
	group_cancel(rig.group);
	expect(c, "421 4.3.2");
	hang_up(c);
	group_close(&rig.group);
	rig.group = group_new();
	CHECK_NUM(stored(2, "INBOX"), 0);
}

/* --- BDAT: RFC 3030 --- */

static void chunks(void)
{
	struct client *c = greeted(SMTP_MX);

	envelope(c, "<a@b.test>", "bob");
	send_octets(c, S("BDAT 15\r\nSubject: one\r\n\r"));
	expect(c, "250 2.0.0 15 octets received");
	send_octets(c, S("BDAT 6 LAST\r\n\n.\r\n.\r"));
	expect(c, "554 5.6.0"); /* it ends with a CR alone */
	envelope(c, "<a@b.test>", "bob");
	send_octets(c, S("BDAT 15\r\nSubject: one\r\n\rBDAT 4\r\n\n.\r\nBDAT 0\r\nBDAT 3 LAST\r\n"
			 ".\r\nNOOP\r\n"));
	expect(c, "250 2.0.0 15 ");
	expect(c, "250 2.0.0 4 ");
	expect(c, "250 2.0.0 0 ");
	expect(c, "250 2.0.0 taken");
	expect(c, "250 2.0.0 fine");
	CHECK(str_ends(message(2, 1), S("Subject: one\r\n\r\n.\r\n.\r\n")));

	envelope(c, "<a@b.test>", "bob");
	send_octets(c, S("bdat 4\r\nA: bbdat 0 last\r\nBDAT 3 LAST\r\nabcNOOP\r\n"));
	expect(c, "250 ");
	expect(c, "250 2.0.0 taken");
	expect(c, "503 5.5.1"); /* behind LAST */
	expect(c, "250 2.0.0 fine");
	hang_up(c);
	CHECK_NUM(stored(2, "INBOX"), 2);
	empty_all();
}

/* The octets of a refused chunk are eaten, and never read as commands. */
static void bad_chunks(void)
{
	struct client *c = greeted(SMTP_MX);

	send_octets(c, S("BDAT 6\r\nQUIT\r\nNOOP\r\n"));
	expect(c, "503 5.5.1");
	expect(c, "250 2.0.0 fine");
	say(c, "MAIL FROM:<a@b.test>\r\nRCPT TO:<nobody@example.test>");
	expect(c, "250 ");
	expect(c, "550 ");
	send_octets(c, S("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\nRSET\r\n"));
	expect(c, "503 5.5.1");
	expect(c, "250 2.0.0 fine");
	expect(c, "250 2.0.0");

	envelope(c, "<a@b.test>", "bob"); /* the first fails, those behind it follow */
	fail_write = E_NOSPACE;
	send_octets(c, S("BDAT 6\r\nQUIT\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\n"));
	expect(c, "452 4.3.1");
	fail_write = OK;
	expect(c, "503 5.5.1");
	expect(c, "503 5.5.1");
	say(c, "DATA\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.test>\r\nRSET\r\nNOOP");
	expect(c, "503 5.5.1");
	expect(c, "503 5.5.1");
	expect(c, "503 5.5.1");
	expect(c, "250 ");
	expect(c, "250 ");

	envelope(c, "<a@b.test>", "bob"); /* DATA behind BDAT */
	send_octets(c, S("BDAT 4\r\nA: bDATA\r\nRCPT TO:<dave@example.test>\r\nRSET\r\n"));
	expect(c, "250 ");
	expect(c, "503 5.5.1");
	expect(c, "503 5.5.1");
	expect(c, "250 ");

	envelope(c, "<a@b.test>", "bob"); /* larger than any message may be */
	say(c, "BDAT 200000");
	put_many(c, "QUIT\r\n1234", 20000);
	send_octets(c, S("BDAT 1 LAST\r\nxRSET\r\n"));
	expect(c, "552 5.3.4");
	expect(c, "503 5.5.1");
	expect(c, "250 ");

	say(c, "MAIL FROM:<a@b.test> BODY=BINARYMIME\r\nRCPT TO:<bob@example.test>\r\nDATA");
	expect(c, "250 ");
	expect(c, "250 ");
	expect(c, "503 5.5.1");
	send_octets(c, S("BDAT 15 LAST\r\nA: b\r\n\r\na\nb\rc\0d"));
	expect(c, "250 2.0.0 taken");
	CHECK(str_ends(message(2, 1), S("A: b\r\n\r\na\nb\rc\0d")));
	CHECK_NUM(stored(2, "INBOX"), 1);
	hang_up(c);

	static const char *const wrong[] = {
		"BDAT",         "BDAT x", "BDAT -1", "BDAT 1 FIRST", "BDAT 99999999999999999999",
		"BDAT 1 LAST x"
	};

	for (size_t i = 0; i < LENGTH(wrong); i++) { /* nobody knows what comes: better close */
		c = greeted(SMTP_MX);
		envelope(c, "<a@b.test>", "bob");
		io_put(c->io, str_of(wrong[i]));
		say(c, "\r\nNOOP");
		expect(c, "421 4.5.4");
		expect_closed(c);
		hang_up(c);
	}
	empty_all();
}

/* --- submission: RFC 6409 --- */

struct submission {
	const char *message, *reply, *has, *has_not;
};

/* One message after the other from alice to bob, who has n at the end. */
static uint32_t submit_all(struct client *c, const struct submission *table, size_t rows,
			   uint32_t n)
{
	for (size_t i = 0; i < rows; i++) {
		envelope(c, "<alice@example.test>", "bob");
		say(c, "DATA");
		expect(c, "354 ");
		io_put(c->io, str_of(table[i].message));
		if (str_of(table[i].message).n && !str_ends(str_of(table[i].message), S("\r\n")))
			io_put(c->io, S("\r\n"));
		send_octets(c, S(".\r\n"));
		if (!expect(c, table[i].reply))
			fprintf(stderr, "  for row %zu\n", i);
		n += str_is(str_of(table[i].reply), "250");
		CHECK_NUM(stored(2, "INBOX"), n);
		if (table[i].has && !CHECK(message_has(2, n, table[i].has)))
			fprintf(stderr, "  in row %zu: %.*s\n", i, FMT(message(2, n)));
		if (table[i].has_not)
			CHECK(!message_has(2, n, table[i].has_not));
	}
	return n;
}

/* What programs read in different ways, or would. */
static uint32_t ambiguous(struct client *c, uint32_t n)
{
	static const struct submission table[] = {
		{ "From: alice@example.test <alice@example.test>\r\n\r\nx\r\n", "250", NULL, NULL },
		{ "From: \"eve@far.test (\" <alice@example.test> (eve@far.test)\r\n\r\nx\r\n",
		  "250", NULL, NULL },
		{ "From: <alice@example.test> <bob@example.test>\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
		{ "From: alice@example.test bob@example.test\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
		{ "From: bob@example.test <alice@example.test>\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
		{ "From: alice@example.test@bob.test\r\n\r\nx\r\n", "554 5.", NULL, NULL },
		{ "From: \"bob\"@example.test <alice@example.test>\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
		{ "From: alice@example.test (x, bob@example.test\r\n\r\nx\r\n", "554 5.6.0", NULL,
		  NULL },
		{ "From: alice@example.test(x).far.test\r\n\r\nx\r\n", "554 5.7.1", NULL, NULL },
	};

	n = submit_all(c, table, LENGTH(table), n);
	envelope(c, "<alice@example.test>", "bob");
	data(c, S("Fr\0om: eve@far.test\r\n\r\nx\r\n.\r\n"));
	expect(c, "554 5.6.0");
	say(c, "MAIL FROM:<alice@example.test> BODY=BINARYMIME\r\nRCPT TO:<bob@example.test>\r\n"
	       "BDAT 37 LAST\r\nSubject: x\rFrom: eve@far.test\r\n\r\nx\r");
	expect(c, "250 ");
	expect(c, "250 ");
	expect(c, "554 5.6.0");
	envelope(c, "<>", "bob"); /* a receipt has an author too */
	data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 ");
	CHECK(message_has(2, n + 1, "\r\nFrom: <alice@example.test>\r\n"));
	return n + 1;
}

static void submitted(void)
{
	static const struct submission table[] = {
		{ "From: alice@example.test\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\nx\r\n", "250",
		  "+0000\r\nFrom: alice@example.test\r\nDate: d\r\nMessage-ID: <1@x>\r\n\r\nx\r\n",
		  NULL },
		{ "From: A <alice+x@example.test>\r\n\r\nx\r\n", "250", "Message-ID: <",
		  "From: <alice" },
		{ "from: alice@example.test\r\n\r\nx\r\n", "250", "\r\nDate: ", NULL },
		{ "Subject: x\r\n\r\nx\r\n", "250", "\r\nFrom: <alice@example.test>\r\n", NULL },
		{ "Subject: no body", "250", "@mail.example.test>\r\nSubject: no body", NULL },
		{ "no header at all\r\n", "250", ">\r\n\r\nno header at all\r\n", NULL },
		{ "\r\nonly a body\r\n", "250", ">\r\n\r\nonly a body\r\n", NULL },
		{ "", "250", "\r\nDate: ", NULL },
		{ "From: alice@example.test, team@example.test\r\n\r\nx\r\n", "250", NULL, NULL },
		{ "From: bob@example.test\r\n\r\nx\r\n", "554 5.7.1", NULL, NULL },
		{ "From: alice@example.test, bob@example.test\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
		{ "From: alice@example.test\r\n (bob), eve@far.test\r\n\r\nx\r\n", "554 5.7.1",
		  NULL, NULL },
		{ "From: alice@example.test\r\nSender: bob@example.test\r\n\r\nx\r\n", "554 5.7.1",
		  NULL, NULL },
		{ "From: alice@example.test\r\nFrom: bob@example.test\r\n\r\nx\r\n", "554 5.6.0",
		  NULL, NULL },
		{ "From: nobody:;\r\n\r\nx\r\n", "554 5.6.0", NULL, NULL },
		{ "From:\r\n\r\nx\r\n", "554 5.6.0", NULL, NULL },
		{ "From: \"alice@example.test\" <eve@far.test>\r\n\r\nx\r\n", "554 5.7.1", NULL,
		  NULL },
	};
	struct client *c = greeted(SMTP_SUBMISSION);
	uint32_t n = submit_all(c, table, LENGTH(table), 0);

	/* what a message tells about its sender's machine: nothing */
	CHECK(message_has(2, 1,
			  "Received: from mail.example.test (a user, logged in)\r\n\t"
			  "by mail.example.test with ESMTPSA id "));
	CHECK(!message_has(2, 1, "192.0.2.1"));
	CHECK(!message_has(2, 1, "here.test"));

	ambiguous(c, n);
	envelope(c, "<alice@example.test>", "bob"); /* 11 addresses too many */
	say(c, "DATA");
	expect(c, "354 ");
	io_put(c->io, S("From: alice@example.test"));
	put_many(c, ",\r\n alice@example.test", 30);
	send_octets(c, S("\r\n\r\nx\r\n.\r\n"));
	expect(c, "554 5.6.0");
	conf.message_max = 8 << 20;
	envelope(c, "<alice@example.test>", "bob"); /* a header of two megabytes */
	say(c, "DATA");
	expect(c, "354 ");
	put_many(c, "X-Long: 0123456789012345678901234567890123456789\r\n", 42000);
	send_octets(c, S("\r\nx\r\n.\r\n"));
	expect(c, "554 5.6.0");
	conf.message_max = 100000;
	hang_up(c);
	empty_all();
}

/* --- LMTP: RFC 2033 --- */

static void lmtp(void)
{
	struct client *c = greeted(SMTP_LMTP);

	say(c, "MAIL FROM:<a@b.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\nRSET\r\n"
	       "EHLO here.test");
	expect(c, "250 ");
	expect(c, "550 5.1.1");
	expect(c, "503 5.5.1");
	expect(c, "250 ");
	expect(c, "500 5.5.1");

	envelope(c, "<a@b.test>", "alice bob ghost team dave");
	fail_account = 2;
	fail_with = E_AGAIN;
	data(c, S("A: b\r\n\r\nx\r\n.\r\nNOOP\r\n"));
	expect(c, "250 2.0.0");
	expect(c, "451 4.3.0");
	expect(c, "550 5.1.1");
	expect(c, "451 4.3.0");
	expect(c, "250 2.0.0");
	expect(c, "250 2.0.0 fine");
	fail_account = 0;
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK_NUM(stored(2, "INBOX"), 0);
	CHECK(message_has(1, 1, "with LMTP id"));

	envelope(c, "<a@b.test>", "bob team"); /* tried again by the client */
	data(c, S("A: b\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 2.0.0");
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK_NUM(stored(2, "INBOX"), 1);

	envelope(c, "<a@b.test>", "alice bob");
	data(c, S("A: b\n\r\n.\r\nNOOP\r\n"));
	expect(c, "554 5.6.0");
	expect(c, "554 5.6.0");
	expect(c, "250 2.0.0 fine");

	envelope(c, "<a@b.test>", "alice bob");
	send_octets(c, S("BDAT 2\r\nA:BDAT 4 LAST\r\n b\r\nNOOP\r\n"));
	expect(c, "250 2.0.0 2 octets");
	expect(c, "250 2.0.0 taken");
	expect(c, "250 2.0.0 taken");
	expect(c, "250 2.0.0 fine");
	hang_up(c);
	CHECK_NUM(stored(1, "INBOX"), 2);
	empty_all();
}

/* --- some got it, some did not --- */

static void try_all(struct client *c, const char *to, const char *reply)
{
	envelope(c, "<a@b.test>", to);
	data(c, S("Message-ID: <1@b.test>\r\n\r\nx\r\n.\r\n"));
	expect(c, reply);
}

static void partly(void)
{
	struct client *c = greeted(SMTP_MX);

	fail_account = 2;
	fail_with = E_IO;
	try_all(c, "alice bob dave", "451 4.3.0");
	try_all(c, "alice bob dave", "451 4.3.0");
	hang_up(c); /* the next try may come to another process */
	c = greeted(SMTP_MX);
	fail_account = 0;
	try_all(c, "alice bob dave", "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK_NUM(stored(2, "INBOX"), 1);
	CHECK_NUM(stored(4, "INBOX"), 1);

	/* another message, or the same from somebody else, is no second try */
	envelope(c, "<a@b.test>", "alice");
	data(c, S("Message-ID: <2@b.test>\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 ");
	envelope(c, "<b@b.test>", "alice");
	data(c, S("Message-ID: <1@b.test>\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 ");
	CHECK_NUM(stored(1, "INBOX"), 3);

	/* who is gone by now is refused when the sender tries again, the others have it */
	try_all(c, "dave haunted", "451 4.3.0");
	hang_up(c);
	empty_all();
}

/* The quota decides at RCPT; who was let in gets the message, larger than told or not. */
static void quota(void)
{
	static char big[3000];
	struct client *c = greeted(SMTP_MX);

	memset(big, 'x', sizeof big);
	envelope(c, "<a@b.test>", "carol");
	say(c, "DATA");
	expect(c, "354 ");
	io_put(c->io, S("A: b\r\n\r\n"));
	io_put(c->io, STR(big, sizeof big));
	send_octets(c, S("\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(3, "INBOX"), 1);
	say(c, "MAIL FROM:<a@b.test>\r\nRCPT TO:<carol@example.test>\r\n"
	       "RCPT TO:<full@example.test>");
	expect(c, "250 ");
	expect(c, "452 4.2.2");
	expect(c, "250 ");
	data(c, S("A: b\r\n\r\nto both\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(3, "INBOX"), 2); /* one full mailbox does not hold up an alias */
	CHECK_NUM(stored(2, "INBOX"), 1);
	hang_up(c);
	empty_all();
}

/* The recipient over the limit is put off, those before him go on; the operator is told once. */
static void sending(void)
{
	struct client *c = dial(SMTP_SUBMISSION, true);

	expect(c, "220 ");
	say(c, "EHLO here.test");
	expect(c, "250 ");
	say(c, "AUTH PLAIN AGRhdmVAZXhhbXBsZS50ZXN0AHNlY3JldA==");
	expect(c, "235 ");
	rig.sent = 0;
	for (unsigned i = 0; i < 2; i++) {
		say(c, "MAIL FROM:<dave@example.test>\r\nRCPT TO:<bob@example.test>\r\n"
		       "RCPT TO:<dave@example.test>\r\nRCPT TO:<alice@example.test>");
		expect(c, "250 ");
		expect(c, "250 ");
		expect(c, "250 ");
		expect(c, "450 4.7.0 zu viel gesendet: erlaubt sind 2 Empfaenger, denen Sie");
		CHECK(reply_has(
			c, "450-4.7.0 too much sent: 2 recipients that you never wrote to before"));
		data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
		expect(c, "250 2.0.0");
	}
	CHECK_NUM(rig.sent, 2);
	CHECK_NUM(stored(2, "INBOX"), 2);
	CHECK_NUM(stored(1, "INBOX"), 1); /* the postmaster */
	CHECK(message_has(1, 1, "\r\nFrom: Postmaster <postmaster@example.test>\r\n"));
	CHECK(message_has(1, 1, "\r\nSubject: Sendelimit / sending limit: dave@example.test\r\n"));
	CHECK(message_has(1, 1, "\r\nAuto-Submitted: auto-generated\r\n"));
	CHECK(message_has(1, 1, "Verbindung / connection: 192.0.2.1\r\n"));
	/* It fitted when it was asked for, and fits no longer: another connection was faster. */
	say(c, "MAIL FROM:<dave@example.test>\r\nRCPT TO:<bob@example.test>");
	expect(c, "250 ");
	expect(c, "250 ");
	rig.sending_max = 2;
	data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
	expect(c, "450 4.7.0 zu viel gesendet: erlaubt sind 2 Nachrichten");
	CHECK(reply_has(c, "450-4.7.0 too much sent: 2 messages in 24 hours are allowed"));
	CHECK_NUM(stored(2, "INBOX"), 2);
	hang_up(c);
	rig.sending_max = 1000;
	c = greeted(SMTP_MX); /* other servers have no such limit */
	rig.sent = 1000;
	envelope(c, "<dave@example.test>", "bob");
	data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 2.0.0");
	hang_up(c);
	rig.sent = 0;
	empty_all();
}

/* What ends between MAIL and the message holds for it, with an author in it or without. */
static void looked_at_again(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct client *c = greeted(SMTP_SUBMISSION);

		envelope(c, "<alice@example.test>", "bob");
		rig.new_error = i < 2 ? E_READONLY : E_DENIED;
		data(c, i % 2 ? S("From: alice@example.test\r\n\r\nx\r\n.\r\n")
			      : S("Subject: x\r\n\r\nx\r\n.\r\n"));
		expect(c, i < 2 ? "450 4.3.2" : "550 5.7.1");
		rig.new_error = OK;
		hang_up(c);
	}
	CHECK_NUM(stored(2, "INBOX"), 0);
	empty_all();
}

static void all(void *arg)
{
	(void)arg;
	message_rig();
	delivered();
	pipelined();
	smuggling();
	refused();
	flood();
	cut();
	slow();
	chunks();
	bad_chunks();
	submitted();
	lmtp();
	partly();
	quota();
	sending();
	looked_at_again();
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
