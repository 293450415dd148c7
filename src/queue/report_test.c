/* SPDX-License-Identifier: ISC */
/* Writes the report that the argument names, as it would be sent; report_test.py reads it. */
#include "check.h"
#include "queue/report.h"

enum { T = 1795519200 };

static const char header[] = "From: A <a@x.test>\r\nSubject: Gr\xc3\xbc\xc3\x9f"
			     "e\r\nMessage-ID: <one@x.test>\r\n\r\n";

static struct queue_recipient rcpt[] = {
	{ .address = { "gone@b.test", 11 },
	  .orcpt = { "rfc822;old+2Bname@b.test", 24 },
	  .state = QUEUE_FAILED,
	  .last = { .when = T,
		    .code = 550,
		    .status = { 5, 1, 1 },
		    .host = { "mx.b.test", 9 },
		    .text = { "No such\r\nAction: delivered\xff", 27 } } },
	{ .address = { "fine@b.test", 11 },
	  .state = QUEUE_DELIVERED,
	  .last = { .when = T, .ip = { "192.0.2.1", 9 } } },
	{ .address = { "slow@b.test", 11 },
	  .state = QUEUE_EXPIRED,
	  .last = { .when = T, .text = { "timed out", 9 } } },
};

static enum err make(struct arena *a, struct queue_message *m, enum queue_report kind,
		     struct queue_report_text *out)
{
	struct queue_report_of r = { .m = m,
				     .rcpt = rcpt,
				     .n = LENGTH(rcpt),
				     .kind = kind,
				     .plan = &queue_plan_default,
				     .host = S("mail.x.test"),
				     .from = S("postmaster@x.test"),
				     .id = S("abc123"),
				     .header = S_NONE,
				     .now = T + 20000 };

	r.header = str_of(header);
	return queue_report_make(a, &r, out);
}

static void write_out(struct str s)
{
	fwrite(s.p, 1, s.n, stdout);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(16 << 20);
	struct queue_message m = {
		.sender = S("a@x.test"), .envid = S("id+3D7"), .account = 1, .submitted = T
	};
	struct queue_report_text text;
	struct str what = str_of(argc > 1 ? argv[1] : "");
	enum queue_report kind = QUEUE_FAILURE;

	if (str_is(what, "full"))
		m.ret = QUEUE_RET_FULL;
	if (str_is(what, "utf8"))
		m.utf8 = true;
	if (str_is(what, "delay")) {
		kind = QUEUE_DELAY;
		rcpt[2].state = QUEUE_WAITING;
		rcpt[2].tries = 3;
	}
	if (str_is(what, "success")) {
		kind = QUEUE_SUCCESS;
		rcpt[1].notify = QUEUE_ON_SUCCESS;
	}
	CHECK_NUM(make(a, &m, kind, &text), OK);
	if (what.n) {
		write_out(text.head);
		if (text.full)
			printf("%sbody\r\n", header);
		write_out(text.tail);
		arena_free(&a);
		return check_failed != 0;
	}
	CHECK(!text.full);
	m.ret = QUEUE_RET_FULL;
	m.body = QUEUE_BINARYMIME;
	CHECK_NUM(make(a, &m, QUEUE_FAILURE, &text), OK);
	CHECK(!text.full);
	CHECK_NUM(make(a, &m, QUEUE_DELAY, &text), E_NOTFOUND);
	m.sender = S("");
	CHECK_NUM(make(a, &m, QUEUE_FAILURE, &text), E_NOTFOUND); /* never a bounce for a bounce */
	arena_free(&a);
	return check_done();
}
