/* SPDX-License-Identifier: ISC */
/* The records of what is sent: decided once, written soon, there again after a restart. */
#include "base/clock.h"
#include "check.h"
#include "fiber/fiber.h"
#include "keeper/sent.h"

static struct arena *a;
static struct store *st;
static struct sent *sent;
static const struct sending_counts conf = { 5, 8, 3 };

static enum sending_what send_one(uint32_t account, const char *who, bool *tell)
{
	struct sending_verdict v;

	CHECK_NUM(sent_ask(sent, account, str_of(who), (struct sending_counts){ 0 }, &v), OK);
	*tell = v.tell;
	if (v.what)
		return v.what;
	uint32_t hash = v.hash;
	CHECK_NUM(sent_count(sent, account, &hash, 1, &v), OK);
	*tell = v.tell;
	return v.what;
}

static void restart(void)
{
	sent_close(&sent);
	CHECK_NUM(sent_new(st, conf, &sent), OK);
}

static void test_limits(void)
{
	struct sent_state s;
	bool tell;

	CHECK_NUM(send_one(1, "a@x.test", &tell), SENDING_FITS);
	CHECK_NUM(send_one(1, "b@x.test", &tell), SENDING_FITS);
	CHECK_NUM(send_one(1, "c@x.test", &tell), SENDING_FITS);
	CHECK(!tell);
	CHECK_NUM(send_one(1, "d@x.test", &tell), SENDING_STRANGERS);
	CHECK(tell);
	restart();
	CHECK_NUM(send_one(1, "e@x.test", &tell), SENDING_STRANGERS);
	CHECK(!tell);
	CHECK_NUM(send_one(1, "A@x.test", &tell), SENDING_FITS);
	CHECK_NUM(send_one(1, "a@x.test", &tell), SENDING_FITS);
	CHECK_NUM(send_one(1, "a@x.test", &tell), SENDING_MESSAGES);
	CHECK_NUM(send_one(2, "d@x.test", &tell), SENDING_FITS); /* another account */
	CHECK_NUM(sent_show(sent, 1, &s), OK);
	CHECK_NUM(s.used.messages, 5);
	CHECK_NUM(s.used.strangers, 3);
	CHECK_NUM(s.limits.recipients, 8);
	CHECK_NUM(sent_limit(sent, 1, (struct sending_counts){ 0, SENDING_KEEP, 100 }), OK);
	restart();
	CHECK_NUM(sent_show(sent, 1, &s), OK);
	CHECK_NUM(s.limits.messages, 0);
	CHECK_NUM(s.own.recipients, SENDING_DEFAULT);
	CHECK_NUM(send_one(1, "d@x.test", &tell), SENDING_FITS);
	CHECK_NUM(sent_forget(sent, 1), OK);
	CHECK_NUM(sent_show(sent, 1, &s), OK);
	CHECK_NUM(s.used.messages, 0);
	CHECK_NUM(s.limits.messages, 5);
}

/* Asked at once, all fit; what is counted does not pass the limit. */
static void test_race(void)
{
	struct sending_verdict v;
	uint32_t hash[2];
	unsigned taken = 0;

	for (int i = 0; i < 10; i++) {
		CHECK_NUM(sent_ask(sent, 7, S("x@x.test"), (struct sending_counts){ 0 }, &v), OK);
		CHECK_NUM(v.what, SENDING_FITS);
	}
	for (int i = 0; i < 10; i++) {
		hash[0] = hash[1] = v.hash;
		CHECK_NUM(sent_count(sent, 7, hash, 2, &v), OK);
		taken += v.what == SENDING_FITS;
		v.hash = hash[0];
	}
	CHECK_NUM(taken, 4);
}

/* More accounts than there are places: none of them is forgotten. */
static void test_crowd(void)
{
	struct sent_state s;
	bool tell;

	for (uint32_t i = 0; i < SENT_ACCOUNTS + 100; i++)
		CHECK_NUM(send_one(100 + i, "x@x.test", &tell), SENDING_FITS);
	for (uint32_t i = 0; i < SENT_ACCOUNTS + 100; i += 50) {
		CHECK_NUM(sent_show(sent, 100 + i, &s), OK);
		CHECK_NUM(s.used.messages, 1);
	}
}

/* Written by itself, soon: a keeper that dies loses no more. */
static void test_written(void)
{
	struct sent *other;
	struct sent_state s;
	bool tell;

	CHECK_NUM(send_one(9, "x@x.test", &tell), SENDING_FITS);
	CHECK_NUM(fiber_sleep(clock_in(2 * SENT_WRITE_MS)), OK);
	CHECK_NUM(sent_new(st, conf, &other), OK);
	CHECK_NUM(sent_show(other, 9, &s), OK);
	CHECK_NUM(s.used.messages, 1);
	sent_close(&other);
}

static void run(void *arg)
{
	struct str why;

	(void)arg;
	a = arena_new(1 << 20);
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	CHECK_NUM(sent_new(st, conf, &sent), OK);
	test_limits();
	test_race();
	test_crowd();
	test_written();
	sent_close(&sent);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
