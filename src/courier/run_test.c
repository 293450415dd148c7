/* SPDX-License-Identifier: ISC */
/*
 * The whole courier with a store in memory and servers in this process, one for all destinations:
 * what a domain is called says how its server behaves.
 */
#include "rig.h"
#include "box/layout.h"
#include "courier/courier_priv.h"
#include "courier/line_priv.h"

/* --- the other side --- */

static struct {
	unsigned opened, open, most_open; /* lines */
	unsigned mails, recipients;       /* that were taken */
	unsigned first_tries;             /* at "grey" */
	unsigned rcpt_max;                /* of LIMITS; 0: none */
	unsigned close_after;             /* mails of a connection; 0: any number */
	bool seven;                       /* it does not offer 8BITMIME */
	bool talks;                       /* as much as is kept of a reply */
	bool down;                        /* no destination can be reached */
	struct buf last;                  /* the last mail */
	int64_t hold_ms;                  /* before the reply to a mail */
} far;

static struct str reply_to(struct str command)
{
	if (far.talks && str_istarts(command, S("RCPT TO:<no")))
		return str_fmt(rig.arena, "550 5.1.1 %0*d\r\n", ANSWER_TEXT_MAX, 0);
	if (str_istarts(command, S("RCPT TO:<no")))
		return S("550 5.1.1 no such user\r\n");
	if (str_istarts(command, S("RCPT TO:<grey")) && far.first_tries) {
		far.first_tries--;
		return S("450 4.7.1 come back\r\n");
	}
	if (str_istarts(command, S("RCPT TO:<later")))
		return S("451 4.3.0 not now\r\n");
	return S("250 2.1.5 fine\r\n");
}

static void take_mail(struct io *io, unsigned recipients)
{
	struct arena *a = arena_new(1 << 20);
	struct str line = S_NONE;

	buf_clear(&far.last);
	io_put(io, S("354 go\r\n"));
	while (io_line(io, a, 2000, &line) == OK && !str_is(line, ".")) {
		buf_put(&far.last, line);
		buf_c(&far.last, '\n');
	}
	if (str_is(line, ".")) {
		if (far.hold_ms)
			(void)!fiber_sleep(clock_in(far.hold_ms));
		far.mails++;
		far.recipients += recipients;
		io_put(io, S("250 2.0.0 taken\r\n"));
	}
	arena_free(&a);
}

static void serve(struct io *io, int kind)
{
	struct arena *a = arena_new(1 << 20);
	unsigned recipients = 0, mails = 0;
	struct str line;

	(void)kind;
	io_deadline(io, clock_in(20000));
	io_put(io, S("220 far\r\n"));
	while (io_line(io, a, 2000, &line) == OK) {
		if (str_istarts(line, S("EHLO"))) {
			io_put(io, S("250-far\r\n250-PIPELINING\r\n250-DSN\r\n"));
			if (!far.seven)
				io_put(io, S("250-8BITMIME\r\n"));
			if (far.rcpt_max)
				io_fmt(io, "250-LIMITS RCPTMAX=%u\r\n", far.rcpt_max);
			io_put(io, S("250 ENHANCEDSTATUSCODES\r\n"));
		} else if (str_istarts(line, S("RCPT"))) {
			struct str r = reply_to(line);

			recipients += *r.p == '2';
			io_put(io, r);
		} else if (str_iis(line, "DATA")) {
			if (recipients)
				take_mail(io, recipients);
			else
				io_put(io, S("554 nobody\r\n"));
			recipients = 0;
			if (far.close_after && ++mails == far.close_after)
				break;
		} else {
			io_put(io, str_iis(line, "QUIT") ? S("221 bye\r\n") : S("250 ok\r\n"));
			if (str_iis(line, "QUIT"))
				break;
		}
		arena_reset(a);
	}
	if (io_flush(io))
		far.open += 0;
	arena_free(&a);
}

/* --- line.h, as far as it is needed --- */

static const struct client_conf client_conf = { .name = { "me.test", 7 },
						.times = { .greeting = 5000,
							   .hello = 5000,
							   .tls = 5000,
							   .mail = 5000,
							   .rcpt = 5000,
							   .data = 5000,
							   .block = 5000,
							   .end = 5000,
							   .quit = 100,
							   .login_ms = 10000,
							   .message_ms = 10000,
							   .rate = 512 } };

/* All below relayed.test goes by one smart host. */
const struct line_relay *line_relay_of(const struct line_net *net, struct str destination)
{
	static const struct line_relay smart = { .host = { "smart", 5 }, .port = 587 };

	(void)net;
	return str_ends(destination, S(".relayed.test")) ? &smart : NULL;
}

bool line_open(struct line_net *net, const struct line_want *want, struct arena *a,
	       struct line **out, struct line_failure *why)
{
	struct outcome o;

	(void)net, (void)a;
	if (far.down || str_is(want->destination, "dead.test")) {
		*why = (struct line_failure){ QUEUE_UNREACHED,
					      { .text = S("no connection could be made"),
						.status = { 4, 4, 1 } } };
		return false;
	}
	struct client *c = dial(0, false);
	arena_free(&c->arena);
	struct line *l = NEW(struct line);

	far.opened++;
	if (++far.open > far.most_open)
		far.most_open = far.open;
	l->arena = arena_new(4096);
	l->io = c->io;
	l->destination = str_dup(l->arena, want->destination);
	l->relay = line_relay_of(net, want->destination);
	l->facts = (struct queue_reply){ .host = S("mx.far"), .ip = S("192.0.2.2") };
	l->client = smtp_client_new(&client_conf, l->io);
	if (!smtp_client_greet(l->client, &o)) {
		*why = (struct line_failure){ QUEUE_UNREACHED, { .text = S("no greeting") } };
		line_close(&l);
		return false;
	}
	*out = l;
	return true;
}

enum queue_guard line_guard(const struct line_net *net, struct str domain, enum queue_guard guard)
{
	(void)net, (void)domain;
	return guard;
}

bool line_lives(const struct line *l)
{
	return smtp_client_ready(l->client);
}

static bool proof_wanted; /* none of the lines that are open has one */

bool line_serves(const struct line *l, const struct line_want *want)
{
	const struct line_relay *relay = line_relay_of(NULL, want->destination);

	return line_lives(l) && !proof_wanted && l->relay == relay &&
	       (relay || str_eq(l->destination, want->destination));
}

void line_close(struct line **l)
{
	smtp_client_quit(&(*l)->client);
	io_close(&(*l)->io);
	arena_free(&(*l)->arena);
	free(*l);
	*l = NULL;
	far.open--;
}

/* --- the queue --- */

static struct queue_plan plan = {
	.first = 60, .longest = 3600, .quick = 1, .lifetime = 86400, .delay = 3600
};

#define RETURN_PATH "Return-Path: <ann@home.test>\r\n" /* stays here */

static struct {
	const char *text;
	enum queue_body body;
	int64_t by; /* BY; 0: whenever */
	bool by_return;
} mail = { "Subject: hello\r\nMessage-ID: <x@example.test>\r\n\r\ntext\r\n", QUEUE_7BIT, 0, false };

static char full_text[CAROLS_QUOTA + 1]; /* over it */

static uint64_t put(const char *from, const char *const *to, size_t n, int64_t submitted)
{
	struct arena *a = arena_new(1 << 20);
	struct queue_recipient *r = ARENA_ARRAY(a, struct queue_recipient, n);
	struct incoming *in = incoming_new(rig.store);
	struct queue_put p = { .rcpt = r, .n = n };

	for (size_t i = 0; i < n; i++)
		r[i] = (struct queue_recipient){ .address = str_of(to[i]) };
	CHECK_NUM(incoming_write(in, S(RETURN_PATH)), OK);
	CHECK_NUM(incoming_write(in, str_of(mail.text)), OK);
	CHECK_NUM(incoming_finish(in), OK);
	p.m = (struct queue_message){ .sender = str_of(from),
				      .account = *from ? 1 : 0,
				      .submitted = submitted ? submitted : clock_wall(),
				      .body = mail.body,
				      .deliver_by = mail.by,
				      .by_return = mail.by_return,
				      .blob = incoming_blob(in),
				      .skip = sizeof RETURN_PATH - 1,
				      .size = incoming_size(in) - (sizeof RETURN_PATH - 1) };
	CHECK_NUM(queue_add(rig.store, a, &p), OK);
	incoming_close(&in);
	arena_free(&a);
	return p.m.id;
}
#define PUT(from, ...)                                    \
	put((from), (const char *const[]){ __VA_ARGS__ }, \
	    LENGTH(((const char *const[]){ __VA_ARGS__ })), 0)

static size_t queued_of(struct queue_filter f)
{
	struct queue_place from = { 0 };
	struct arena *a = arena_new(64 << 20);
	struct queue_job *rows = ARENA_ARRAY(a, struct queue_job, QUEUE_PAGE_MAX);
	size_t n;

	CHECK_NUM(queue_list(rig.store, &f, &from, QUEUE_PAGE_MAX, a, rows, &n), OK);
	arena_free(&a);
	return n;
}

static size_t queued(void)
{
	return queued_of((struct queue_filter){ 0 });
}

static bool queued_are(size_t want)
{
	int64_t until = clock_in(10000);

	while (queued() != want && clock_ms() < until)
		CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	return CHECK_NUM(queued(), want);
}

static bool mails_are(unsigned want)
{
	int64_t until = clock_in(10000);

	while (far.mails < want && clock_ms() < until)
		CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	return CHECK_NUM(far.mails, want);
}

/* The only recipient of a message, when this many tries have been made. */
static struct queue_recipient tried(uint64_t id, uint32_t tries)
{
	static struct arena *a;
	int64_t until = clock_in(10000);
	struct queue_job *j;
	size_t n;

	do {
		arena_free(&a);
		a = arena_new(1 << 20);
		CHECK_NUM(fiber_sleep(clock_in(5)), OK);
		CHECK_NUM(queue_show(rig.store, id, a, &j, &n), OK);
	} while (n && (j->p.rcpt->tries < tries || j->p.lease) && clock_ms() < until);
	return j->p.rcpt[0];
}

static int64_t idle_ms = 300; /* of lines */

static struct courier *begin(void)
{
	struct courier_conf conf = { .holder = S("test"),
				     .hostname = S("mail.example.test"),
				     .spool = S("/tmp"),
				     .plan = plan,
				     .couriers = 1,
				     .connections = 20,
				     .per_destination = 5,
				     .idle_max = 10,
				     .idle_ms = idle_ms };
	struct courier *c;

	far.opened = far.most_open = far.mails = far.recipients = 0;
	CHECK_NUM(courier_new(&conf, rig.store, NULL, NULL, true, &c), OK);
	return c;
}

static void end(struct courier *c)
{
	courier_close(&c, clock_in(5000));
	CHECK(!c);
	CHECK_NUM(far.open, 0);
}

/* --- tests --- */

static void one(void)
{
	struct courier *c = begin();
	int64_t began = clock_ms();

	PUT("alice@example.test", "x@far.test");
	queued_are(0);
	CHECK(clock_ms() - began < 2000);
	CHECK_NUM(far.mails, 1);
	CHECK_STR(buf_str(&far.last), "Subject: hello\nMessage-ID: <x@example.test>\n\ntext\n");
	end(c);
}

static void several_recipients(void)
{
	struct courier *c = begin();

	PUT("alice@example.test", "a@far.test", "b@far.test", "c@far.test", "d@far.test",
	    "e@other.test");
	queued_are(0);
	CHECK_NUM(far.mails, 2);
	CHECK_NUM(far.recipients, 5);
	far.rcpt_max = 2;
	PUT("alice@example.test", "a@two.test", "b@two.test", "c@two.test", "d@two.test",
	    "e@two.test");
	queued_are(0);
	CHECK_NUM(far.mails, 5);
	CHECK_NUM(far.recipients, 10);
	CHECK_NUM(far.opened, 3);
	far.rcpt_max = 0;
	end(c);
}

/* RFC 6152 3 */
static void another_encoding(void)
{
	struct courier *c = begin();

	far.seven = true;
	mail.body = QUEUE_8BITMIME;
	mail.text = "A: b\r\n\r\n\xc3\xbc\r\n";
	PUT("alice@example.test", "a@far.test", "no@far.test");
	mails_are(1);
	CHECK_STR(buf_str(&far.last),
		  "A: b\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC\n");
	mail.text = "A: b\r\n\r\nsaid to have 8 bits\r\n";
	PUT("alice@example.test", "a@far.test");
	mails_are(2);
	CHECK_STR(buf_str(&far.last), "A: b\n\nsaid to have 8 bits\n");
	mail.text = "Content-Type: message/partial\r\n\r\n\xc3\xbc\r\n";
	PUT("", "a@far.test");
	queued_are(0);
	CHECK_NUM(far.mails, 2);
	CHECK_NUM(far.opened, 1);
	mail.body = QUEUE_7BIT;
	mail.text = "Subject: hello\r\nMessage-ID: <x@example.test>\r\n\r\ntext\r\n";
	far.seven = false;
	end(c);
}

static void lines_are_used_again(void)
{
	struct courier *c = begin();

	for (unsigned i = 0; i < 5; i++) {
		PUT("alice@example.test", "x@far.test");
		queued_are(0);
	}
	CHECK_NUM(far.opened, 1);
	CHECK_NUM(courier_stats(c).idle, 1);
	CHECK_NUM(fiber_sleep(clock_in(600)), OK);
	CHECK_NUM(courier_stats(c).idle, 0);
	CHECK_NUM(far.open, 0);
	far.close_after = 2; /* a goodbye behind a mail is no failure of the next */
	for (unsigned i = 0; i < 5; i++) {
		PUT("alice@example.test", "x@far.test");
		queued_are(0);
	}
	CHECK_NUM(far.mails, 10);
	far.close_after = 0;
	end(c);
}

static void greylisted(void)
{
	struct courier *c = begin();

	far.first_tries = 1;
	uint64_t id = PUT("alice@example.test", "grey@far.test");
	struct queue_recipient r = tried(id, 1);

	CHECK_NUM(r.state, QUEUE_WAITING);
	CHECK_NUM(r.last.code, 450);
	CHECK_STR(r.last.text, "come back");
	CHECK_STR(r.last.host, "mx.far");
	CHECK_NUM(r.next - r.last.when, 1);
	queued_are(0);
	CHECK_NUM(far.mails, 1);
	end(c);
}

static void refused(void)
{
	struct courier *c = begin();
	uint32_t before = stored(1, "INBOX");

	PUT("alice@example.test", "no@far.test", "x@far.test");
	queued_are(0);
	CHECK_NUM(far.mails, 1);
	CHECK_NUM(stored(1, "INBOX"), before + 1);
	CHECK(message_has(1, before + 1, "Return-Path: <>\r\n"));
	CHECK(message_has(1, before + 1, "Final-Recipient: rfc822;no@far.test"));
	CHECK(message_has(1, before + 1, "Diagnostic-Code: smtp;550 5.1.1 no such user"));
	CHECK(message_has(1, before + 1, "Subject: hello"));
	CHECK(!message_has(1, before + 1, "x@far.test\r\nAction"));

	/* A sender who lives elsewhere gets it by the queue; the null sender none. */
	PUT("eve@home.test", "no@far.test");
	mails_are(2);
	queued_are(0);
	CHECK(str_find_str(buf_str(&far.last), S("To: <eve@home.test>")) < far.last.n);
	PUT("", "no@far.test");
	PUT("no@home.test", "no@far.test"); /* and no report about a report */
	queued_are(0);
	CHECK_NUM(far.mails, 2);
	CHECK_NUM(stored(1, "INBOX"), before + 1);
	end(c);
}

static enum err swap(struct tx *tx, void *arg)
{
	struct str *value = arg, old;
	enum err e = tx_get(tx, KEY_ACCOUNT, &old);

	if (e)
		return e;
	old = str_dup(rig.arena, old);
	tx_put(tx, KEY_ACCOUNT, *value);
	*value = old;
	return OK;
}

/* A report that its mailbox does not take just now comes later. */
static void no_report_is_lost(void)
{
	struct courier *c = begin();
	uint32_t before = stored(1, "INBOX");
	struct key alice = key_partition(1);
	struct str record = S("?");
	int64_t until = clock_in(10000);
	struct queue_filter reports = { .sender = S("<>") };

	CHECK_NUM(store_update(rig.store, key_str(&alice), swap, &record), OK);
	PUT("alice@example.test", "no@far.test");
	while (!queued_of(reports) && clock_ms() < until)
		CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	CHECK_NUM(queued(), 1);
	CHECK_NUM(store_update(rig.store, key_str(&alice), swap, &record), OK);
	queued_are(0);
	CHECK_NUM(stored(1, "INBOX"), before + 1);
	CHECK(message_has(1, before + 1, "Return-Path: <>\r\n"));
	CHECK(message_has(1, before + 1, "Final-Recipient: rfc822;no@far.test"));
	end(c);
}

/* One of two mailboxes fails: the other gets it once, as does who lives elsewhere. */
static void some_of_an_alias(void)
{
	static const struct {
		const char *to;
		uint32_t broken;
	} rows[] = { { "team@example.test", 2 }, { "mixed@example.test", 1 } };
	struct courier *c = begin();

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct key part = key_partition(rows[i].broken);
		uint32_t alice = stored(1, "INBOX"), bob = stored(2, "INBOX");
		struct str record = S("?");

		CHECK_NUM(store_update(rig.store, key_str(&part), swap, &record), OK);
		uint64_t id = PUT("ann@home.test", rows[i].to);
		struct queue_recipient r = tried(id, 1);

		CHECK(r.state == QUEUE_WAITING && r.last.code == 451);
		CHECK_NUM(store_update(rig.store, key_str(&part), swap, &record), OK);
		queued_are(0);
		CHECK_NUM(stored(1, "INBOX"), alice + 1);
		CHECK_NUM(stored(2, "INBOX"), i ? bob : bob + 1);
		CHECK_NUM(far.mails, i);
	}
	end(c);
}

/* A domain of ours: held mail, or one that came here while its mail waited. */
static void ours(void)
{
	struct courier *c = begin();
	uint32_t alice = stored(1, "INBOX"), bob = stored(2, "INBOX");
	uint64_t full;

	PUT("ann@home.test", "bob@example.test");
	queued_are(0);
	CHECK_NUM(stored(2, "INBOX"), bob + 1);
	CHECK(str_eq(
		message(2, bob + 1),
		S(RETURN_PATH "Subject: hello\r\nMessage-ID: <x@example.test>\r\n\r\ntext\r\n")));

	PUT("alice@example.test", "nobody@example.test", "expired@example.test");
	queued_are(0);
	CHECK_NUM(stored(1, "INBOX"), alice + 1);
	CHECK(message_has(1, alice + 1,
			  "Final-Recipient: rfc822;nobody@example.test\r\n"
			  "Action: failed\r\nStatus: 5.1.1\r\n"));
	CHECK(message_has(1, alice + 1,
			  "Final-Recipient: rfc822;expired@example.test\r\n"
			  "Action: failed\r\nStatus: 5.2.1\r\n"));

	PUT("ann@home.test", "mixed@example.test"); /* alice, and somebody elsewhere */
	mails_are(1);
	queued_are(0);
	CHECK_NUM(stored(1, "INBOX"), alice + 2);
	CHECK_STR(buf_str(&far.last), "Subject: hello\nMessage-ID: <x@example.test>\n\ntext\n");

	fill(3, "A: b\r\n\r\nx\r\n", 1);
	mail.text = full_text;
	full = PUT("", "carol@example.test");
	CHECK(tried(full, 1).last.code == 452);
	CHECK_NUM(queued(), 1);
	CHECK_NUM(stored(3, "INBOX"), 1);
	size_t n;
	CHECK_NUM(queue_order(rig.store, QUEUE_DELETE, (struct queue_place){ full, QUEUE_ALL },
			      S(""), 0, &n),
		  OK);
	mail.text = "Subject: hello\r\nMessage-ID: <x@example.test>\r\n\r\ntext\r\n";
	end(c);
}

/* BY;R (RFC 2852) goes to nobody who does not know it, and to nobody at all when its time is over;
 * BY;N goes. */
static void in_time(void)
{
	static const struct {
		int64_t in_s;
		bool by_return;
		const char *status; /* of the report */
	} rows[] = {
		{ 3600, false, NULL },
		{ 3600, true, "5.3.3" },
		{ -1, true, "5.4.7" },
	};
	struct courier *c = begin();
	uint32_t before = stored(1, "INBOX");
	unsigned reports = 0;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		mail.by = clock_wall() + rows[i].in_s;
		mail.by_return = rows[i].by_return;
		PUT("alice@example.test", "x@far.test");
		mail.by = 0;
		queued_are(0);
		reports += rows[i].status != NULL;
		CHECK_NUM(stored(1, "INBOX"), before + reports);
		CHECK(!rows[i].status ||
		      message_has(1, before + reports,
				  str_c(rig.arena,
					str_fmt(rig.arena, "Status: %s\r\n", rows[i].status))));
	}
	CHECK_NUM(far.mails, 1);
	end(c);
}

/* All that one part can need: each recipient sent to alone, and much said to each; or aliases. */
static void full_parts(void)
{
	enum { N = QUEUE_PART_MAX };
	const char *to[N];
	struct courier *c = begin();

	far.rcpt_max = 1;
	far.talks = true;
	for (unsigned i = 0; i < N; i++)
		to[i] = str_c(rig.arena, str_fmt(rig.arena, "no%u@far.test", i));
	put("alice@example.test", to, N, 0);
	queued_are(0);
	far.rcpt_max = 0;
	far.talks = false;
	/* Each leads to a mailbox and into the queue again. */
	for (unsigned i = 0; i < N; i++)
		to[i] = "mixed@example.test";
	put("ann@home.test", to, N, 0);
	mails_are(N);
	queued_are(0);
	end(c);
}

static void out_of_reach(void)
{
	struct courier *c = begin();
	uint32_t before = stored(1, "INBOX");
	uint64_t id = PUT("alice@example.test", "x@dead.test");
	struct queue_recipient r = tried(id, 1);

	CHECK_NUM(r.state, QUEUE_WAITING);
	CHECK_NUM(r.last.code, 0);
	CHECK_STR(r.last.text, "no connection could be made");
	CHECK(r.next - r.last.when >= 60);
	PUT("alice@example.test", "x@far.test"); /* others go on */
	queued_are(1);
	CHECK_NUM(stored(1, "INBOX"), before);
	end(c);
	CHECK_NUM(queued(), 1);

	/* Its sender is told that it is late, and at the end that it is over. */
	size_t n;

	plan.delay = 0;
	c = begin();
	CHECK_NUM(queue_order(rig.store, QUEUE_RETRY, (struct queue_place){ id, 0 }, S_NONE,
			      clock_wall(), &n),
		  OK);
	r = tried(id, 2);
	CHECK(r.delay_told);
	CHECK_NUM(stored(1, "INBOX"), before + 1);
	CHECK(message_has(1, before + 1, "Action: delayed"));
	end(c);
	plan.lifetime = 0;
	c = begin();
	CHECK_NUM(queue_order(rig.store, QUEUE_RETRY, (struct queue_place){ id, 0 }, S_NONE,
			      clock_wall(), &n),
		  OK);
	queued_are(0);
	CHECK_NUM(stored(1, "INBOX"), before + 2);
	CHECK(message_has(1, before + 2, "Action: failed"));
	plan.delay = 3600;
	plan.lifetime = 86400;
	end(c);
}

/* Leases of an earlier life come back at once, those of others do not. */
static void earlier_life(void)
{
	const char *const holders[] = { "test", "another" };

	for (size_t i = 0; i < LENGTH(holders); i++) {
		uint64_t id = PUT("alice@example.test", "x@far.test");
		struct queue_lease l = { .shard = queue_shard(id),
					 .destination = S("far.test"),
					 .holder = str_of(holders[i]),
					 .now = clock_wall(),
					 .lease_s = 100,
					 .max = 10 };
		struct queue_job *j = ARENA_ARRAY(rig.arena, struct queue_job, 10);
		size_t n;

		CHECK_NUM(queue_lease(rig.store, &l, rig.arena, j, &n), OK);
		CHECK_NUM(n, 1);
		struct courier *c = begin();

		if (i == 0) {
			queued_are(0);
		} else {
			CHECK_NUM(fiber_sleep(clock_in(200)), OK);
			CHECK_NUM(far.mails, 0);
			CHECK_NUM(queue_result(rig.store, j, true), OK);
			queued_are(0);
		}
		CHECK_NUM(far.mails, 1);
		end(c);
	}
}

/* What is being sent is finished, what was not begun is given back. */
static void stopped(void)
{
	enum { N = 12 };
	struct courier *c = begin();

	far.hold_ms = 200;
	for (unsigned i = 0; i < N; i++)
		PUT("alice@example.test", "x@far.test");
	while (!far.open)
		CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	CHECK_NUM(fiber_sleep(clock_in(100)), OK);
	end(c);
	CHECK(far.mails > 0 && far.mails < N);
	CHECK_NUM(queued(), N - far.mails);
	unsigned first = far.mails;

	far.hold_ms = 0;
	c = begin();
	queued_are(0);
	CHECK_NUM(first + far.mails, N);
	end(c);
}

/* However many domains go by a smart host, it has no more lines than one of them would have. */
static void by_smart_host(void)
{
	enum { N = 40 };

	idle_ms = 5000;
	struct courier *c = begin();

	far.hold_ms = 10;
	for (unsigned i = 0; i < N; i++) {
		struct str to = str_fmt(rig.arena, "x@d%u.relayed.test", i);
		const char *address = str_c(rig.arena, to);

		put("alice@example.test", &address, 1, 0);
	}
	mails_are(N);
	queued_are(0);
	CHECK(far.most_open <= 5);
	CHECK(far.opened <= 5);
	/* All of them idle, and none serves: one makes room. */
	proof_wanted = true;
	int64_t began = clock_ms();
	PUT("alice@example.test", "x@other.relayed.test");
	mails_are(N + 1);
	CHECK(clock_ms() - began < 3000);
	proof_wanted = false;
	idle_ms = 300;
	far.hold_ms = 0;
	end(c);
}

static void many(void)
{
	enum { N = 2000 };
	struct courier *c = begin();
	static const char *const domains[] = { "x@a.test", "x@b.test", "x@c.test", "x@dead.test" };
	int64_t began = clock_ms();

	for (unsigned i = 0; i < N; i++)
		put("alice@example.test", &domains[i % 4], 1, 0);
	while (far.mails < N / 4 * 3 && clock_ms() - began < 60000)
		CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	CHECK_NUM(far.mails, N / 4 * 3);
	CHECK(far.most_open <= 20 + 10);
	printf("%u mails in %lld ms, %u lines\n", far.mails, (long long)(clock_ms() - began),
	       far.opened);
	end(c);
}

static void all(void *arg)
{
	memset(full_text, 'x', sizeof full_text - 1);
	full_text[0] = '\r', full_text[1] = '\n';
	(void)arg;
	(void)rig_keeper;
	rig_open(serve);
	far.last = buf_new(1 << 20);
	if (!getenv("LOUD"))
		log_capture(rig_quiet, NULL);
	one();
	several_recipients();
	another_encoding();
	lines_are_used_again();
	greylisted();
	refused();
	no_report_is_lost();
	some_of_an_alias();
	ours();
	in_time();
	full_parts();
	out_of_reach();
	earlier_life();
	stopped();
	by_smart_host();
	many();
	buf_free(&far.last);
	rig_close();
}

int main(void)
{
	fiber_main(all, NULL);
	return check_done();
}
