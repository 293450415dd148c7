/* SPDX-License-Identifier: ISC */
/* Mail of users to other servers: what comes into the queue, with what, and how often. */
#include "box/receipt.h"
#include "message_test.h"
#include "queue/queue.h"

enum { ROWS_MAX = 1000 };
static struct queue_job row[ROWS_MAX];
static size_t rows;

/* All parts that are queued, into row. */
static size_t queued(void)
{
	struct queue_filter all = { 0 };
	struct queue_place from = { 0 };

	rows = 0;
	CHECK_NUM(queue_list(rig.store, &all, &from, ROWS_MAX, rig.arena, row, &rows), OK);
	return rows;
}

static void empty_queue(void)
{
	size_t n;

	while (queued()) {
		struct queue_place which = { row[0].m.id, QUEUE_ALL };

		CHECK_NUM(queue_order(rig.store, QUEUE_DELETE, which, S(""), 0, &n), OK);
	}
	empty_all();
}

/* The part of this domain; one without recipients if there is none. */
static const struct queue_job *part_of(const char *domain)
{
	static const struct queue_job none;

	queued();
	for (size_t i = 0; i < rows; i++)
		if (str_is(row[i].p.domain, domain))
			return &row[i];
	return &none;
}

/* What is sent of it. */
static struct str octets(const struct queue_job *j)
{
	struct str text = S("");

	CHECK_NUM(blob_read(rig.store, j->m.blob, j->m.skip, (size_t)j->m.size, rig.arena, &text),
		  OK);
	CHECK_NUM(text.n, j->m.size);
	return text;
}

static bool sent_has(const struct queue_job *j, const char *text)
{
	struct str all = octets(j);

	return str_find_str(all, str_of(text)) < all.n;
}

/* MAIL and RCPTs, all of which are taken; to is a list with spaces. */
static void ask(struct client *c, const char *from, const char *to)
{
	struct scan in = scan(str_of(to));

	io_fmt(c->io, "MAIL FROM:%s\r\n", from);
	expect(c, "250 2.1.0");
	while (scan_more(&in)) {
		struct str name = scan_word(&in);

		io_fmt(c->io, "RCPT TO:<%.*s>\r\n", FMT(name));
		expect(c, "250 2.1.5");
	}
}

static const char simple[] = "Subject: x\r\n\r\nhello\r\n.\r\n";

static void send_mail(struct client *c, const char *from, const char *to, const char *reply)
{
	ask(c, from, to);
	data(c, str_of(simple));
	expect(c, reply);
}

/* --- what the queue is given --- */

static void into_the_queue(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);
	const struct queue_job *j;

	send_mail(c, "<alice@example.test>", "eve@FAR.test bob@example.test joe@far.test",
		  "250 2.0.0 taken as");
	CHECK_NUM(stored(2, "INBOX"), 1);
	CHECK_NUM(queued(), 1);
	j = part_of("far.test");
	CHECK_NUM(j->p.n, 2);
	CHECK_STR(j->p.rcpt[0].address, "eve@far.test");
	CHECK_STR(j->p.rcpt[1].address, "joe@far.test");
	CHECK_STR(j->m.sender, "alice@example.test");
	CHECK_NUM(j->m.account, 1);
	CHECK_NUM(j->m.body, QUEUE_7BIT);
	CHECK_NUM(j->m.guard, QUEUE_ANY);
	CHECK(!j->m.utf8 && !j->p.rcpt[0].notify && !j->m.envid.n);
	CHECK(clock_wall() - j->m.submitted < 60);

	/* RFC 5321 4.4: the Return-Path is the last server's, and the mailbox here has it */
	CHECK(str_starts(octets(j), S("Received: from mail.example.test (a user, logged in)")));
	CHECK(sent_has(j, "\r\nFrom: <alice@example.test>\r\n"));
	CHECK(str_ends(octets(j), S("\r\nhello\r\n")));
	CHECK(str_starts(message(2, 1), S("Return-Path: <alice@example.test>\r\nReceived: ")));
	empty_queue();
	hang_up(c);
}

static void parameters(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);
	const struct queue_job *j;

	say(c, "MAIL FROM:<alice@example.test> RET=HDRS ENVID=a+2Bb\r\n"
	       "RCPT TO:<eve@far.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;e+2B@far.test\r\n"
	       "RCPT TO:<joe@near.test> NOTIFY=NEVER");
	for (unsigned i = 0; i < 3; i++)
		expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 2.0.0");
	j = part_of("far.test");
	CHECK_STR(j->m.envid, "a+2Bb");
	CHECK_NUM(j->m.ret, QUEUE_RET_HDRS);
	CHECK_STR(j->p.rcpt[0].orcpt, "rfc822;e+2B@far.test");
	CHECK_NUM(j->p.rcpt[0].notify, QUEUE_ON_SUCCESS | QUEUE_ON_DELAY);
	j = part_of("near.test");
	CHECK_NUM(j->p.rcpt[0].notify, QUEUE_NEVER_TELL);
	CHECK_NUM(j->m.parts, 2);
	empty_queue();

	send_mail(c, "<>", "eve@far.test", "250 2.0.0"); /* a receipt: RFC 8098 2.1 */
	CHECK_STR(part_of("far.test")->m.sender, "");
	empty_queue();

	rig.least = GUARANTEE_AUTHENTICATED; /* the account's */
	send_mail(c, "<alice@example.test>", "eve@far.test", "250 2.0.0");
	CHECK_NUM(part_of("far.test")->m.guard, QUEUE_AUTHENTICATED);
	rig.least = GUARANTEE_NONE;
	empty_queue();
	hang_up(c);
}

/* What the servers on the way must be able to do is what the message needs, not what was said. */
static void needs(void)
{
	static const struct {
		const char *mail, *rcpt, *message;
		enum queue_body body;
		bool utf8;
		const char *address;
	} table[] = {
		{ "BODY=8BITMIME SMTPUTF8", "a@far.test", "A: b\r\n\r\nx", QUEUE_7BIT, false,
		  "a@far.test" },
		{ "", "a@far.test", "A: b\r\n\r\n\xc3\xa4", QUEUE_8BITMIME, false, "a@far.test" },
		{ "", "a@far.test", "A: \xc3\xa4\r\n\r\nx", QUEUE_8BITMIME, false, "a@far.test" },
		{ "SMTPUTF8", "a@far.test", "A: \xc3\xa4\r\n\r\nx", QUEUE_8BITMIME, true,
		  "a@far.test" },
		{ "SMTPUTF8", "a@f\xc3\xa4r.test", "A: b\r\n\r\nx", QUEUE_7BIT, false,
		  "a@xn--fr-via.test" },
		{ "SMTPUTF8", "\xc3\xa4@far.test", "A: b\r\n\r\nx", QUEUE_7BIT, true,
		  "\xc3\xa4@far.test" },
	};
	struct client *c = greeted(SMTP_SUBMISSION);

	for (size_t i = 0; i < LENGTH(table); i++) {
		io_fmt(c->io, "MAIL FROM:<alice@example.test> %s\r\n", table[i].mail);
		expect(c, "250 ");
		io_fmt(c->io, "RCPT TO:<%s>\r\n", table[i].rcpt);
		expect(c, "250 ");
		say(c, "DATA");
		expect(c, "354 ");
		io_fmt(c->io, "%s\r\n.\r\n", table[i].message);
		expect(c, "250 ");
		CHECK_NUM(queued(), 1);
		CHECK_NUM(row[0].m.body, table[i].body);
		CHECK_NUM(row[0].m.utf8, table[i].utf8);
		CHECK_STR(row[0].p.rcpt[0].address, table[i].address);
		empty_queue();
	}
	/* who can be written to without SMTPUTF8 is */
	say(c, "MAIL FROM:<alice@example.test> SMTPUTF8\r\nRCPT TO:<\xc3\xa4@far.test>\r\n"
	       "RCPT TO:<a@near.test>");
	for (unsigned i = 0; i < 3; i++)
		expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	CHECK(part_of("far.test")->m.utf8);
	CHECK(!part_of("near.test")->m.utf8);
	empty_queue();

	say(c, "MAIL FROM:<alice@example.test> BODY=BINARYMIME\r\nRCPT TO:<a@far.test>");
	expect(c, "250 ");
	expect(c, "250 ");
	send_octets(c, S("BDAT 9 LAST\r\nA: b\r\n\r\n\n"));
	expect(c, "250 ");
	CHECK_NUM(part_of("far.test")->m.body, QUEUE_BINARYMIME);
	empty_queue();
	hang_up(c);
}

/* What was asked of the way: REQUIRETLS, the account's guarantee, and the header's two fields. */
static void guarded(void)
{
	static const struct {
		const char *mail, *header;
		enum guarantee account;
		enum queue_guard guard;
		bool requiretls, tls_optional;
	} table[] = {
		{ "", "A: b", GUARANTEE_NONE, QUEUE_ANY, false, false },
		{ " REQUIRETLS", "A: b", GUARANTEE_NONE, QUEUE_ANY, true, false },
		{ " REQUIRETLS", "TLS-Required: No", GUARANTEE_NONE, QUEUE_ANY, true, false },
		{ "", "TLS-Required: No", GUARANTEE_NONE, QUEUE_ANY, false, true },
		{ "", "TLS-Required: No", GUARANTEE_ENCRYPTED, QUEUE_ENCRYPTED, false, false },
		{ "", "X-Tecsmail-Send: encrypted", GUARANTEE_NONE, QUEUE_ENCRYPTED, false, false },
		{ "", "X-Tecsmail-Send: authenticated", GUARANTEE_ENCRYPTED, QUEUE_AUTHENTICATED,
		  false, false },
		{ "", "X-Tecsmail-Send: none", GUARANTEE_AUTHENTICATED, QUEUE_AUTHENTICATED, false,
		  false },
	};
	struct client *c = greeted(SMTP_SUBMISSION);

	for (size_t i = 0; i < LENGTH(table); i++) {
		rig.least = table[i].account;
		io_fmt(c->io, "MAIL FROM:<alice@example.test>%s\r\n", table[i].mail);
		expect(c, "250 ");
		say(c, "RCPT TO:<eve@far.test>\r\nRCPT TO:<bob@example.test>");
		expect(c, "250 ");
		expect(c, "250 ");
		say(c, "DATA");
		expect(c, "354 ");
		io_fmt(c->io, "Subject: x\r\n%s\r\nFrom: alice@example.test\r\n\r\nx\r\n.\r\n",
		       table[i].header);
		expect(c, "250 ");
		const struct queue_job *j = part_of("far.test");

		CHECK(j->m.guard == table[i].guard && j->m.requiretls == table[i].requiretls &&
		      j->m.tls_optional == table[i].tls_optional);
		CHECK(!sent_has(j, "Tecsmail")); /* for us alone */
		CHECK(!message_has(2, 1, "Tecsmail"));
		CHECK(sent_has(j, "\r\nSubject: x\r\n"));
		CHECK(sent_has(j, "\r\nFrom: alice@example.test\r\n\r\nx\r\n"));
		empty_queue();
	}
	rig.least = GUARANTEE_NONE;
	ask(c, "<alice@example.test>", "eve@far.test");
	data(c, S("X-Tecsmail-Send: sealed\r\n\r\nx\r\n.\r\n"));
	expect(c, "554 5.6.0");
	CHECK_NUM(queued(), 0);
	hang_up(c);
}

static void timed(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);
	int64_t now = clock_wall();

	say(c, "MAIL FROM:<alice@example.test> HOLDFOR=3600 BY=-60;N MT-PRIORITY=4\r\n"
	       "RCPT TO:<eve@far.test>");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	const struct queue_job *j = part_of("far.test");

	CHECK(j->m.hold_until >= now + 3600 && j->m.hold_until < now + 3700);
	CHECK_NUM(j->p.rcpt[0].next, j->m.hold_until);
	CHECK_NUM(j->m.deliver_by, j->m.hold_until - 60);
	CHECK(!j->m.by_return && j->m.priority == 4);
	CHECK(sent_has(j, "\r\n\tpriority 4\r\n\ttls ") || sent_has(j, "\r\n\tpriority 4"));
	empty_queue();

	/* mailboxes here wait as well, and an alias is looked up then */
	say(c, "MAIL FROM:<alice@example.test> HOLDFOR=60\r\nRCPT TO:<bob+x@example.test>\r\n"
	       "RCPT TO:<mixed@example.test>\r\nRCPT TO:<postmaster>\r\n"
	       "RCPT TO:<nobody@example.test>");
	for (unsigned i = 0; i < 4; i++)
		expect(c, "250 ");
	expect(c, "550 5.1.1");
	data(c, str_of(simple));
	expect(c, "250 ");
	CHECK_NUM(stored(1, "INBOX") + stored(2, "INBOX"), 0);
	j = part_of("example.test");
	CHECK(j->p.n == 3 && queued() == 1);
	CHECK_STR(j->p.rcpt[0].address, "bob+x@example.test");
	CHECK_STR(j->p.rcpt[1].address, "mixed@example.test");
	CHECK_STR(j->p.rcpt[2].address, "alice@example.test");
	empty_queue();

	say(c, "MAIL FROM:<alice@example.test> BY=60;RT MT-PRIORITY=-4\r\nRCPT TO:<eve@far.test>");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	j = part_of("far.test");
	CHECK(j->m.by_return && j->m.deliver_by == j->m.submitted + 60 && j->m.priority == -4);
	CHECK(!j->m.hold_until && j->p.rcpt[0].next == j->m.submitted);
	empty_queue();
	hang_up(c);
}

static void count_rows(size_t *n, size_t *messages)
{
	struct queue_filter all = { 0 };
	struct queue_place from = { 0 };
	uint64_t last = 0;
	size_t more;

	*n = *messages = 0;
	do {
		struct arena *a = arena_new(64 << 20);

		CHECK_NUM(queue_list(rig.store, &all, &from, ROWS_MAX, a, row, &more), OK);
		*n += more;
		for (size_t i = 0; i < more; i++) {
			CHECK(row[i].p.n == 1 && row[i].m.parts <= QUEUE_PARTS_MAX);
			*messages += row[i].m.id != last;
			last = row[i].m.id;
		}
		arena_free(&a);
	} while (more == ROWS_MAX);
}

/* As many destinations as a transaction may have, each with the longest words to go along. */
static void many(void)
{
	enum { N = 4096 };
	static char orcpt[480];
	struct client *c;
	size_t n, messages;
	unsigned taken = 0;
	struct str s;

	memset(orcpt, 'x', sizeof orcpt - 1);
	conf.recipients_max = 10000;
	rig.sending_max = 10000;
	c = greeted(SMTP_SUBMISSION);
	say(c, "MAIL FROM:<alice@example.test>");
	expect(c, "250 ");
	for (unsigned i = 0; i < N; i += 64) {
		for (unsigned j = i; j < i + 64; j++)
			io_fmt(c->io, "RCPT TO:<%.60s@d%u.%.50s.%.50s.test> ORCPT=rfc822;%s\r\n",
			       orcpt, j, orcpt, orcpt, orcpt);
		for (unsigned j = 0; j < 64 && read_line(c, &s); j++)
			taken += str_starts(s, S("250 2.1.5"));
		arena_reset(c->arena);
	}
	CHECK_NUM(taken, N);
	say(c, "RCPT TO:<one@toomany.test>");
	expect(c, "452 4.5.3");
	data(c, str_of(simple));
	expect(c, "250 2.0.0");
	count_rows(&n, &messages);
	CHECK_NUM(n, N);
	CHECK_NUM(messages, (N + QUEUE_PARTS_MAX - 1) / QUEUE_PARTS_MAX);
	conf.recipients_max = 1000;
	rig.sending_max = 1000;
	empty_queue();
	hang_up(c);
}

/* Aliases that lead elsewhere: once to each, whoever leads there. */
static void expanded(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);

	send_mail(c, "<alice@example.test>", "mixed@example.test eve@far.test", "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK_NUM(part_of("far.test")->p.n, 1);
	CHECK_NUM(queued(), 1);
	empty_queue();
	hang_up(c);
}

/* Port 25 sends on what an alias leads to, as one of ours; and a bounce finds its way back. */
static void forwarded(void)
{
	struct client *c = greeted(SMTP_MX);
	const struct queue_job *j;

	send_mail(c, "<joe@far.test>", "gone@example.test", "250 2.0.0");
	j = part_of("far.test");
	CHECK_STR(j->m.sender, "back@example.test");
	CHECK_STR(j->p.rcpt[0].address, "eve@far.test");
	CHECK(!j->m.account && j->m.guard == QUEUE_ANY);
	CHECK(str_starts(octets(j), S("Received: from here.test")));
	empty_queue();

	send_mail(c, "<bob@example.test>", "gone@example.test", "250 2.0.0"); /* one of ours */
	CHECK_STR(part_of("far.test")->m.sender, "bob@example.test");
	empty_queue();
	send_mail(c, "<>", "gone@example.test", "250 2.0.0");
	CHECK_STR(part_of("far.test")->m.sender, "");
	empty_queue();
	send_mail(c, "<>", "back@example.test", "250 2.0.0");
	CHECK_STR(part_of("far.test")->p.rcpt[0].address, "joe@far.test");
	CHECK_STR(part_of("far.test")->m.sender, "");
	empty_queue();

	say(c, "MAIL FROM:<joe@far.test>\r\nRCPT TO:<mixed@example.test>");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, S("X-Tecsmail-Send: authenticated\r\n"    /* says nothing here */
		  "TLS-Required: No\r\n\r\nx\r\n.\r\n")); /* RFC 8689 4.1 */
	expect(c, "250 ");
	CHECK(part_of("far.test")->m.tls_optional);
	CHECK_NUM(part_of("far.test")->m.guard, QUEUE_ANY);
	hang_up(c);
	empty_queue();
}

#define AGAIN "Received: from x by mail.example.test with ESMTPS id 1; now\r\n"

/* An alias and another server's that lead to each other: it ends soon, as the copies may double. */
static void in_circles(void)
{
	static const char *const text[] = { AGAIN AGAIN "\r\nx\r\n.\r\n",
					    AGAIN AGAIN AGAIN "\r\nx\r\n.\r\n" };
	static const char *const table[][2] = { { "250 ", "554 5.4.6" }, { "250 ", "250 " } };
	static const char *const whom[] = { "gone@example.test", "bob@example.test" };
	struct client *c = greeted(SMTP_MX);

	for (size_t i = 0; i < LENGTH(whom); i++) {
		for (size_t j = 0; j < LENGTH(text); j++) {
			ask(c, "<joe@far.test>", whom[i]);
			data(c, str_of(text[j]));
			expect(c, table[i][j]);
		}
	}
	CHECK_NUM(queued(), 1);
	hang_up(c);
	empty_queue();
}

/* What programs of the machine ask for goes along: RFC 3461 5.2.7.2, 5.2.7.3 */
static void forwarded_with_wishes(void)
{
	struct client *c = greeted(SMTP_LMTP);

	say(c, "MAIL FROM:<joe@far.test> ENVID=x RET=HDRS\r\nRCPT TO:<gone@example.test> "
	       "NOTIFY=SUCCESS ORCPT=rfc822;gone@example.test");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	const struct queue_job *j = part_of("far.test");

	CHECK_NUM(j->p.rcpt[0].notify, QUEUE_ON_SUCCESS);
	CHECK_STR(j->p.rcpt[0].orcpt, "rfc822;gone@example.test");
	CHECK_STR(j->m.envid, "x");
	CHECK_NUM(j->m.ret, QUEUE_RET_HDRS);
	empty_queue();
	say(c, "MAIL FROM:<joe@far.test>\r\nRCPT TO:<mixed@example.test> NOTIFY=SUCCESS");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	CHECK_NUM(part_of("far.test")->p.rcpt[0].notify, QUEUE_NEVER_TELL);
	empty_queue();

	ask(c, "<joe@far.test>", "gone@example.test mixed@example.test bob@example.test");
	fail_queue = E_IO;
	data(c, str_of(simple));
	expect(c, "451 4.3.0");
	expect(c, "451 4.3.0");
	expect(c, "250 2.0.0");
	fail_queue = OK;
	ask(c, "<joe@far.test>", "gone@example.test mixed@example.test");
	data(c, str_of(simple));
	expect(c, "250 2.0.0");
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK_NUM(queued(), 1);
	hang_up(c);
	empty_queue();
}

/* RFC 3461 5.2.3: who wants to hear of success does; not twice, and not of those elsewhere. */
static void success(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);

	say(c,
	    "MAIL FROM:<alice@example.test> ENVID=q1\r\n"
	    "RCPT TO:<bob@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+6Fb@example.test\r\n"
	    "RCPT TO:<dave@example.test> NOTIFY=FAILURE\r\n"
	    "RCPT TO:<gone@example.test> NOTIFY=SUCCESS\r\n"
	    "RCPT TO:<carol@example.test> NOTIFY=SUCCESS");
	for (unsigned i = 0; i < 5; i++)
		expect(c, "250 ");
	fail_account = 3;
	fail_with = E_AGAIN;
	data(c, S("Subject: x\r\nMessage-ID: <1@here>\r\n\r\nhello\r\n.\r\n"));
	expect(c, "451 4.3.0");
	CHECK_NUM(stored(1, "INBOX"), 0);
	fail_account = 0;
	say(c,
	    "MAIL FROM:<alice@example.test> ENVID=q1\r\n"
	    "RCPT TO:<bob@example.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+6Fb@example.test\r\n"
	    "RCPT TO:<dave@example.test> NOTIFY=FAILURE\r\n"
	    "RCPT TO:<gone@example.test> NOTIFY=SUCCESS\r\n"
	    "RCPT TO:<carol@example.test> NOTIFY=SUCCESS");
	for (unsigned i = 0; i < 5; i++)
		expect(c, "250 ");
	data(c, S("Subject: x\r\nMessage-ID: <1@here>\r\n\r\nhello\r\n.\r\n"));
	expect(c, "250 ");
	CHECK_NUM(stored(1, "INBOX"), 1);
	CHECK(str_starts(message(1, 1), S("Return-Path: <>\r\n")));
	CHECK(message_has(1, 1, "report-type=delivery-status"));
	CHECK(message_has(1, 1, "Original-Envelope-Id: q1\r\n"));
	CHECK(message_has(1, 1,
			  "Original-Recipient: rfc822;bob@example.test\r\n"
			  "Final-Recipient: rfc822;bob@example.test\r\n"
			  "Action: delivered\r\nStatus: 2.1.5\r\n"));
	CHECK(message_has(1, 1, "Final-Recipient: rfc822;carol@example.test\r\n"));
	CHECK(!message_has(1, 1, "rfc822;dave"));
	CHECK(!message_has(1, 1, "rfc822;gone"));
	CHECK(message_has(1, 1, "Message-ID: <1@here>\r\n"));
	CHECK(!message_has(1, 1, "hello"));
	CHECK_NUM(part_of("far.test")->p.rcpt[0].notify, QUEUE_ON_SUCCESS);
	hang_up(c);
	empty_queue();
}

/* To a sender elsewhere it goes by the queue; the null sender is not told. */
static void success_elsewhere(void)
{
	struct client *c = greeted(SMTP_LMTP);

	say(c, "MAIL FROM:<joe@near.test>\r\nRCPT TO:<mixed@example.test> NOTIFY=SUCCESS");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	const struct queue_job *j = part_of("near.test");

	CHECK_NUM(j->p.n, 1);
	CHECK_STR(j->p.rcpt[0].address, "joe@near.test");
	CHECK_STR(j->m.sender, "");
	CHECK(sent_has(j, "Final-Recipient: rfc822;mixed@example.test\r\nAction: delivered\r\n"));
	CHECK(!sent_has(j, "Return-Path: <>"));
	say(c, "MAIL FROM:<>\r\nRCPT TO:<bob@example.test> NOTIFY=SUCCESS");
	expect(c, "250 ");
	expect(c, "250 ");
	data(c, str_of(simple));
	expect(c, "250 ");
	CHECK_NUM(queued(), 2);
	hang_up(c);
	empty_queue();
}

/* --- some have it, some have not --- */

static void partly(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);

	fail_account = 2;
	fail_with = E_IO;
	send_mail(c, "<alice@example.test>", "bob@example.test eve@far.test", "451 4.3.0");
	CHECK_NUM(queued(), 1);
	send_mail(c, "<alice@example.test>", "bob@example.test eve@far.test", "451 4.3.0");
	CHECK_NUM(queued(), 1);
	hang_up(c); /* the next try may come to another process */
	c = greeted(SMTP_SUBMISSION);
	fail_account = 0;
	send_mail(c, "<alice@example.test>", "eve@far.test bob@example.test joe@far.test",
		  "250 2.0.0");
	CHECK_NUM(queued(), 2); /* eve had it, joe is new */
	CHECK_NUM(stored(2, "INBOX"), 1);
	hang_up(c);
	empty_queue();

	c = greeted(SMTP_SUBMISSION);
	fail_queue = E_NOSPACE;
	ask(c, "<alice@example.test>", "bob@example.test eve@far.test");
	data(c, S("Subject: y\r\n\r\nhello\r\n.\r\n"));
	expect(c, "452 4.3.1");
	CHECK_NUM(stored(2, "INBOX"), 1);
	fail_queue = OK;
	ask(c, "<alice@example.test>", "bob@example.test eve@far.test");
	data(c, S("Subject: y\r\n\r\nhello\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(2, "INBOX"), 1);
	CHECK_NUM(queued(), 1);
	empty_queue();

	fail_queue = E_IO; /* nobody has it: nothing to remember */
	ask(c, "<alice@example.test>", "eve@far.test");
	data(c, S("Subject: z\r\n\r\nhello\r\n.\r\n"));
	expect(c, "451 4.3.0");
	fail_queue = OK;
	CHECK_NUM(queued(), 0);
	hang_up(c);
}

static void letter(struct client *c, const char *id, const char *to, const char *reply)
{
	ask(c, "<alice@example.test>", to);
	data(c, str_fmt(c->arena, "Message-ID: <%s@x>\r\n\r\nhello\r\n.\r\n", id));
	expect(c, reply);
}

/* Of alice's mail, those who are here. */
static void receipts(void)
{
	struct client *c = greeted(SMTP_SUBMISSION);
	struct receipt r = { 0 };

	letter(c, "here", "bob@example.test eve@far.test mixed@example.test", "250 2.0.0");
	CHECK_NUM(receipt_get(rig.store, 1, S("here@x"), rig.arena, &r), OK);
	CHECK_NUM(r.n, 2);
	CHECK_STR(r.row[0].address, "bob@example.test");
	CHECK_STR(r.row[1].address, "mixed@example.test");
	CHECK(r.row[0].state == RECEIPT_DELIVERED && r.row[0].way == RECEIPT_HERE);
	letter(c, "away", "eve@far.test", "250 2.0.0");
	CHECK_NUM(receipt_get(rig.store, 1, S("away@x"), rig.arena, &r), E_NOTFOUND);
	fail_account = 2; /* what was not delivered has no receipt that says so */
	fail_with = E_IO;
	letter(c, "partly", "bob@example.test dave@example.test", "451 4.3.0");
	CHECK_NUM(receipt_get(rig.store, 1, S("partly@x"), rig.arena, &r), OK);
	CHECK(r.n == 2 && r.row[0].state == RECEIPT_FAILED && r.row[1].state == RECEIPT_DELIVERED);
	fail_account = 0;
	letter(c, "partly", "bob@example.test dave@example.test", "250 2.0.0");
	CHECK_NUM(receipt_get(rig.store, 1, S("partly@x"), rig.arena, &r), OK);
	CHECK(r.n == 2 && r.row[0].state == RECEIPT_DELIVERED);
	empty_queue();
	hang_up(c);
	c = greeted(SMTP_MX); /* nobody's */
	ask(c, "<alice@example.test>", "bob@example.test");
	data(c, S("Message-ID: <mx@x>\r\n\r\nhello\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(receipt_get(rig.store, 1, S("mx@x"), rig.arena, &r), E_NOTFOUND);
	empty_queue();
	hang_up(c);
}

/* Nobody else may send to other servers by way of this one. */
static void no_relay(void)
{
	static const int kinds[] = { SMTP_MX, SMTP_LMTP };

	for (size_t i = 0; i < LENGTH(kinds); i++) {
		struct client *c = greeted(kinds[i]);

		say(c, "MAIL FROM:<alice@example.test>\r\nRCPT TO:<eve@far.test>\r\n"
		       "RCPT TO:<@example.test:eve@far.test>\r\nRCPT TO:<eve%far.test@[127.0.0.1]>"
		       "\r\nRCPT TO:<\"eve@far.test\"@example.test>\r\nRCPT TO:<eve@far.test.>");
		expect(c, "250 ");
		expect(c, "550 5.7.1 not relaying");
		expect(c, "550 5.7.1 not relaying");
		expect(c, "550 5.7.1 not relaying");
		expect(c, "550 5.1.1");
		expect(c, "5");
		hang_up(c);
	}
	CHECK_NUM(queued(), 0);
}

static void all(void *arg)
{
	(void)arg;
	message_rig();
	into_the_queue();
	parameters();
	needs();
	guarded();
	timed();
	many();
	expanded();
	forwarded();
	forwarded_with_wishes();
	in_circles();
	success();
	success_elsewhere();
	partly();
	receipts();
	no_relay();
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
