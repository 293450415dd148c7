/* SPDX-License-Identifier: ISC */
/* The result of a try and its receipt in one commit, on an engine: "mem" or "lmdb". */
#include "base/clock.h"
#include "box/box_test.h"
#include "queue/receipt.h"

static struct queue_job put(struct incoming *in, uint32_t account)
{
	static const struct queue_recipient to[] = { { .address = S("eve@far.test") },
						     { .address = S("tim@far.test") } };
	struct queue_put p = { .m = { .sender = S("a@example.test"),
				      .account = account,
				      .blob = incoming_blob(in) },
			       .rcpt = to,
			       .n = LENGTH(to) };
	struct queue_job j = { 0 };
	size_t n;

	CHECK_NUM(queue_add(st, mem, &p), OK);
	struct queue_lease l = {
		queue_shard(p.m.id), S("far.test"), S("test"), clock_wall(), 100, 1
	};
	CHECK_NUM(queue_lease(st, &l, mem, &j, &n), OK);
	CHECK(n == 1 && j.p.n == 2);
	return j;
}

/* Both in one commit; how many receipts there were to write. */
static size_t finish(struct queue_job *j)
{
	struct update u[2];
	struct str id;
	size_t n = 1;

	CHECK_NUM(queue_message_id(st, &j->m, mem, &id), OK);
	CHECK_STR(id, "7@example.test");
	queue_result_prepare(mem, j, true, &u[0]);
	n += queue_receipt_prepare(mem, j, id, 1790000000, &u[1]);
	store_update_all(st, u, n);
	for (size_t i = 0; i < n; i++)
		CHECK_NUM(u[i].result, OK);
	return n - 1;
}

static void one_delivered(void)
{
	struct incoming *in = mail(7);
	struct queue_job j = put(in, 1);
	struct receipt r;

	j.p.rcpt[0].state = QUEUE_DELIVERED;
	j.p.rcpt[0].told = true;
	j.p.rcpt[0].last = (struct queue_reply){ .when = 1790000001,
						 .code = 250,
						 .status = { 2, 0, 0 },
						 .text = S("2.0.0 ok\r\nand\tmore"),
						 .host = S("mx.far.test"),
						 .ip = S("192.0.2.7"),
						 .tls = S("TLSv1.3"),
						 .auth = QUEUE_DANE };
	j.p.rcpt[1].next = 1790000060; /* was not tried */
	CHECK_NUM(finish(&j), 1);
	CHECK_NUM(receipt_get(st, 1, S("<7@example.test>"), mem, &r), OK);
	CHECK_NUM(r.n, 1);
	CHECK(r.row[0].state == RECEIPT_DELIVERED && r.row[0].way == RECEIPT_DANE);
	CHECK_STR(r.row[0].text, "2.0.0 ok and more");
	CHECK_STR(r.row[0].host, "mx.far.test");
	incoming_close(&in);
}

static void rows(void)
{
	struct queue_recipient to[5] = {
		{ .state = QUEUE_WAITING, .next = 9, .last = { .when = 1, .host = S("mx") } },
		{ .state = QUEUE_FAILED, .next = 9, .last = { .when = 1, .code = 550 } },
		{ .state = QUEUE_EXPIRED,
		  .last = { .when = 1, .tls = S("TLSv1.2"), .auth = QUEUE_OPPORTUNISTIC } },
		{ .state = QUEUE_HELD,
		  .next = 9,
		  .last = { .when = 1, .code = 450, .auth = QUEUE_BY_NAME } },
		{ .state = QUEUE_WAITING }, /* no try yet */
	};
	struct queue_job j = { .p = { .n = LENGTH(to), .rcpt = to } };
	struct receipt r = queue_receipt(mem, &j, S("x"));

	CHECK_NUM(r.n, 4);
	CHECK(r.row[0].way == RECEIPT_NO_WAY && r.row[0].next == 9);
	CHECK(r.row[1].way == RECEIPT_PLAIN && r.row[1].state == RECEIPT_FAILED && !r.row[1].next);
	CHECK(r.row[2].way == RECEIPT_ENCRYPTED && r.row[2].state == RECEIPT_EXPIRED);
	CHECK(r.row[3].way == RECEIPT_BY_NAME && r.row[3].state == RECEIPT_WAITING &&
	      !r.row[3].next);
}

static void sentences(void)
{
	struct receipt_row r = { .when = 1,
				 .code = 550,
				 .status = { 5, 1, 1 },
				 .text = S("no such user"),
				 .host = S("mx.far.test") };

	CHECK_STR(
		queue_receipt_said(mem, QUEUE_DE, &r),
		"mx.far.test sagte: \"550 5.1.1 no such user\". Diese Adresse gibt es dort nicht.");
	CHECK_STR(queue_receipt_said(mem, QUEUE_EN, &r),
		  "mx.far.test said: \"550 5.1.1 no such user\". There is no such address there.");
	r = (struct receipt_row){ .when = 1, .way = RECEIPT_HERE };
	CHECK_STR(queue_receipt_said(mem, QUEUE_EN, &r), "");
}

static void nobodys(void)
{
	struct incoming *in = mail(7), *none = mail_of(S("Subject: x\r\n\r\n"));
	struct queue_job j = put(in, 0);
	struct str id;

	j.p.rcpt[0].last.when = 1;
	CHECK_NUM(finish(&j), 0);
	j.m.blob = incoming_blob(none);
	CHECK_NUM(queue_message_id(st, &j.m, mem, &id), E_NOTFOUND);
	CHECK_STR(id, "");
	incoming_close(&in);
	incoming_close(&none);
}

static void body(void)
{
	CHECK_NUM(box_account_create(st, 1), OK);
	one_delivered();
	rows();
	sentences();
	nobodys();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
