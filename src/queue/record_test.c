/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "queue/record.h"

static struct arena *a;

static struct str fill(char c, size_t n)
{
	char *p = arena_alloc(a, n);

	memset(p, c, n);
	return STR(p, n);
}

static struct queue_recipient longest(void)
{
	return (struct queue_recipient){
		.address = fill('a', QUEUE_ADDRESS_MAX),
		.orcpt = fill('o', QUEUE_ORCPT_MAX),
		.notify = QUEUE_ON_FAILURE | QUEUE_ON_DELAY,
		.state = QUEUE_HELD,
		.delay_told = true,
		.tries = 7,
		.next = 1800000000,
		.last = { .when = 1700000000,
			  .code = 451,
			  .status = { 4, 7, 1 },
			  .text = fill('t', QUEUE_TEXT_MAX + 100),
			  .host = fill('h', QUEUE_DOMAIN_MAX),
			  .ip = S("192.0.2.1"),
			  .tls = S("TLSv1.3"),
			  .cipher = fill('c', QUEUE_TLS_TEXT_MAX),
			  .group = S("X25519MLKEM768"),
			  .auth = QUEUE_DANE },
	};
}

static void message(void)
{
	struct queue_message m = { .sender = S("a@example.test"),
				   .envid = S("x+20y"),
				   .ret = QUEUE_RET_HDRS,
				   .body = QUEUE_8BITMIME,
				   .guard = QUEUE_AUTHENTICATED,
				   .utf8 = true,
				   .priority = -9,
				   .account = 7,
				   .submitted = 1700000000,
				   .size = 1234,
				   .skip = 37,
				   .parts = 3,
				   .by_return = true,
				   .deliver_by = 1700000100 };
	struct queue_message got = { .id = 5 };
	struct str value;

	CHECK_NUM(queue_message_encode(a, &m, &value), OK);
	CHECK_NUM(queue_message_decode(value, &got), OK);
	CHECK(got.id == 5 && got.utf8 && !got.requiretls && got.by_return && got.priority == -9);
	CHECK(got.size == 1234 && got.skip == 37);
	CHECK(got.parts == 3 && got.ret == QUEUE_RET_HDRS && got.guard == QUEUE_AUTHENTICATED);
	CHECK_STR(got.sender, "a@example.test");
	CHECK_STR(got.envid, "x+20y");
	for (size_t n = 0; n < value.n; n++)
		CHECK_NUM(queue_message_decode(str_part(value, 0, n), &got), E_CORRUPT);
	((char *)(uintptr_t)value.p)[0] = 2;
	CHECK_NUM(queue_message_decode(value, &got), E_VERSION);
	m.priority = 10;
	CHECK_NUM(queue_message_encode(a, &m, &value), E_LIMIT);
	m.priority = 9;
	m.sender = fill('s', QUEUE_ADDRESS_MAX + 1);
	CHECK_NUM(queue_message_encode(a, &m, &value), E_LIMIT);
}

static void part(void)
{
	struct queue_part p = { .domain = S("other.test"),
				.via = fill('v', QUEUE_DOMAIN_MAX),
				.lease = 9,
				.lease_until = 10,
				.holder = S("one"),
				.n = QUEUE_PART_MAX },
			  got = { .id = 1, .number = 2 };
	struct str value;

	p.rcpt = ARENA_ARRAY(a, struct queue_recipient, QUEUE_PART_MAX + 1);
	for (size_t i = 0; i < p.n; i++)
		p.rcpt[i] = longest();
	CHECK_NUM(queue_part_encode(a, &p, &value), OK);
	CHECK(value.n < VALUE_MAX);
	CHECK_NUM(queue_part_decode(value, a, &got), OK);
	CHECK(got.id == 1 && got.number == 2 && got.n == p.n && got.lease == 9);
	CHECK_NUM(got.rcpt[99].last.text.n, QUEUE_TEXT_MAX); /* cut */
	CHECK_NUM(got.rcpt[99].last.status[1], 7);
	CHECK_STR(got.rcpt[99].last.group, "X25519MLKEM768");
	CHECK(got.rcpt[99].delay_told && !got.rcpt[99].told && got.rcpt[99].state == QUEUE_HELD);
	CHECK_NUM(queue_part_decode(str_part(value, 0, value.n - 1), a, &got), E_CORRUPT);
	CHECK_NUM(queue_part_decode(S(""), a, &got), E_CORRUPT);
	CHECK_NUM(queue_part_decode(S("\x02"), a, &got), E_VERSION);
	p.n++;
	CHECK_NUM(queue_part_encode(a, &p, &value), E_LIMIT);
}

static void due(void)
{
	struct queue_recipient r[2] = { { .state = QUEUE_WAITING, .next = 50 },
					{ .state = QUEUE_HELD, .next = 10 } };
	struct queue_part p = { .n = 2, .rcpt = r };

	CHECK_NUM(queue_part_due(&p), 50);
	CHECK(!queue_part_over(&p));
	p.lease = 1, p.lease_until = 70;
	CHECK_NUM(queue_part_due(&p), 70);
	p.lease = 0;
	r[0].state = QUEUE_FAILED;
	CHECK_NUM(queue_part_due(&p), 0); /* a report is owed */
	r[0].told = true;
	CHECK_NUM(queue_part_due(&p), QUEUE_NEVER);
	r[1] = r[0];
	CHECK(queue_part_over(&p));
}

static void ids(void)
{
	static const uint64_t some[] = { 0, 1, 31, 32, 7513411428352000123, UINT64_MAX };
	static const char *const bad[] = { "",
					   "0",
					   "000000000000",
					   "00000000000000",
					   "g000000000000",
					   "zzzzzzzzzzzzz",
					   "000000-000000",
					   "00000000u0000",
					   ("0000000\xc3\xa4"
					    "0000") };
	uint64_t id;

	for (size_t i = 0; i < LENGTH(some); i++)
		CHECK(queue_id_read(queue_id_text(a, some[i]), &id) && id == some[i]);
	CHECK_STR(queue_id_text(a, 1 << 20 | 33), "0000000010011");
	CHECK(queue_id_read(S("OOOOOO0ooIiLl"), &id) && id == 0x8421); /* ...1111 in base 32 */
	for (size_t i = 0; i < LENGTH(bad); i++)
		CHECK(!queue_id_read(str_of(bad[i]), &id));
	CHECK(!queue_id_read(STR("000000\0000000", 13), &id));
}

int main(void)
{
	a = arena_new(64 << 20);
	message();
	part();
	due();
	ids();
	arena_free(&a);
	return check_done();
}
