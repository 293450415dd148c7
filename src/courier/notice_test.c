/* SPDX-License-Identifier: ISC */
/* A report about a mail that cannot be read any more: its sender is told all the same. */
#include "rig.h"
#include "queue/notice.h"

static void serve(struct io *io, int kind)
{
	(void)io, (void)kind;
}

static void report(enum queue_ret ret, bool there)
{
	struct queue_recipient r = { .address = S("no@far.test"),
				     .state = QUEUE_FAILED,
				     .last = { .when = 1000,
					       .code = 550,
					       .status = { 5, 1, 1 },
					       .text = S("no such user"),
					       .host = S("mx.far") } };
	struct queue_job j = { .m = { .sender = S("alice@example.test"),
				      .ret = ret,
				      .submitted = 1000,
				      .size = 100,
				      .blob = { .octets = { 1 } } },
			       .p = { .n = 1, .rcpt = &r } };
	struct queue_notice_of of = { .store = rig.store,
				      .plan = &queue_plan_default,
				      .hostname = S("mail.example.test"),
				      .job = &j,
				      .now = 2000 };
	uint32_t before = stored(1, "INBOX");
	struct incoming *in = incoming_new(rig.store);
	struct queue_notice mail;

	CHECK_NUM(incoming_write(in, S("Subject: hello\r\n\r\nwhole text\r\n")), OK);
	CHECK_NUM(incoming_finish(in), OK);
	if (there) {
		struct delivery d = { .account = 2 };

		box_deliver(rig.store, in, &d, 1); /* else nobody reads it */
		j.m.blob = incoming_blob(in);
		j.m.size = incoming_size(in);
	}
	CHECK_NUM(queue_notice_write(&of, QUEUE_FAILURE, rig.arena, &mail), OK);
	if (CHECK(mail.in))
		queue_notice_send(&of, &mail, 1, NULL, 0, rig.arena);
	queue_notice_drop(&mail);
	incoming_close(&in);
	CHECK_NUM(stored(1, "INBOX"), before + 1);
	CHECK(message_has(1, before + 1, "Final-Recipient: rfc822;no@far.test"));
	CHECK(message_has(1, before + 1, "Subject: hello") == there);
	CHECK(message_has(1, before + 1, "whole text") == (there && ret == QUEUE_RET_FULL));
}

static void all(void *arg)
{
	(void)arg;
	(void)rig_keeper;
	rig_open(serve);
	log_capture(rig_quiet, NULL);
	for (enum queue_ret ret = QUEUE_RET_NONE; ret < QUEUE_RETS; ret++) {
		report(ret, true);
		report(ret, false);
	}
	rig_close();
}

int main(void)
{
	fiber_main(all, NULL);
	return check_done();
}
