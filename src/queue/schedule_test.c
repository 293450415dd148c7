/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "queue/schedule.h"

enum { T = 1000000 };

static const struct queue_message from_alice = { .id = 12345,
						 .sender = { "a@x.test", 8 },
						 .submitted = T };

static void waits(void)
{
	static const struct {
		uint32_t tries;
		enum queue_outcome why;
		unsigned least;
	} t[] = {
		{ 1, QUEUE_UNREACHED, 60 },
		{ 1, QUEUE_LATER, 60 },
		{ 2, QUEUE_LATER, 120 },
		{ 3, QUEUE_LATER, 240 },
		{ 8, QUEUE_LATER, 7680 },
		{ 9, QUEUE_LATER, 14400 },
		{ 99, QUEUE_LATER, 14400 },
		{ 0, QUEUE_LATER, 60 },
		{ UINT32_MAX, QUEUE_LATER, 14400 },
	};
	struct queue_plan late = queue_plan_default;
	unsigned different = 0;

	for (size_t i = 0; i < LENGTH(t); i++)
		for (uint64_t id = 0; id < 50; id++) {
			unsigned w = schedule_wait(&queue_plan_default, id, t[i].tries, t[i].why);

			CHECK(w >= t[i].least && w <= t[i].least + t[i].least / 8);
			CHECK_NUM(schedule_wait(&queue_plan_default, id, t[i].tries, t[i].why), w);
			different += w != t[i].least;
		}
	CHECK(different > 300);
	late.first = 900;
	CHECK(schedule_wait(&late, 1, 1, QUEUE_LATER) <= 73); /* greylisted: soon */
	CHECK(schedule_wait(&late, 1, 1, QUEUE_UNREACHED) >= 900);
	CHECK(schedule_wait(&late, 1, 2, QUEUE_LATER) >= 1800);
}

/* A server that never answers: how many tries in five days, and that the last is at the end. */
static void life(enum queue_outcome what, enum queue_state end, uint32_t least, uint32_t most)
{
	struct queue_recipient r = { .next = T };
	int64_t now = T;

	while (r.state == QUEUE_WAITING) {
		now = r.next;
		schedule_after(&queue_plan_default, &from_alice, &r, what, now);
	}
	CHECK_NUM(r.state, end);
	CHECK(r.tries >= least && r.tries <= most);
	if (end == QUEUE_EXPIRED)
		CHECK_NUM(now, T + 5 * 86400);
}

static void ends(void)
{
	struct queue_message m = from_alice;
	struct queue_recipient r = { .next = T };

	CHECK_NUM(schedule_end(&queue_plan_default, &m), T + 432000);
	m.hold_until = T + 1000;
	CHECK_NUM(schedule_end(&queue_plan_default, &m), T + 433000);
	m.deliver_by = T + 2000;
	CHECK_NUM(schedule_end(&queue_plan_default, &m), T + 433000);
	m.by_return = true;
	CHECK_NUM(schedule_end(&queue_plan_default, &m), T + 2000);
	schedule_after(&queue_plan_default, &m, &r, QUEUE_LATER, T + 1990);
	CHECK_NUM(r.next, T + 2000);
	schedule_after(&queue_plan_default, &m, &r, QUEUE_LATER, T + 2000);
	CHECK_NUM(r.state, QUEUE_EXPIRED);
	r = (struct queue_recipient){ .next = T };
	schedule_begin(&m, &r, T + 1999);
	CHECK_NUM(r.state, QUEUE_WAITING);
	schedule_begin(&m, &r, T + 2000);
	CHECK(r.state == QUEUE_EXPIRED && r.tries == 0);
	r = (struct queue_recipient){ .state = QUEUE_HELD };
	schedule_begin(&m, &r, T + 2000);
	CHECK_NUM(r.state, QUEUE_HELD);
	schedule_after(&queue_plan_default, &m, &r, QUEUE_TOOK, T);
	CHECK(r.state == QUEUE_HELD && r.tries == 0);
}

static void reports(void)
{
	enum { LATE = 4 * 3600 };
	static const struct {
		const char *sender;
		unsigned notify;
		enum queue_state state;
		int after;
		bool delay_told, passed;
		enum queue_report want;
		bool forwarded;
	} t[] = {
		{ "a@x", 0, QUEUE_FAILED, 0, false, false, QUEUE_FAILURE },
		{ "a@x", 0, QUEUE_EXPIRED, 0, false, false, QUEUE_FAILURE },
		{ "", 0, QUEUE_FAILED, 0, false, false, QUEUE_NO_REPORT },
		{ "", QUEUE_ON_FAILURE, QUEUE_FAILED, 0, false, false, QUEUE_NO_REPORT },
		{ "a@x", QUEUE_NEVER_TELL, QUEUE_FAILED, 0, false, false, QUEUE_NO_REPORT },
		{ "a@x", QUEUE_ON_SUCCESS, QUEUE_FAILED, 0, false, false, QUEUE_NO_REPORT },
		{ "a@x", QUEUE_ON_FAILURE, QUEUE_FAILED, 0, false, false, QUEUE_FAILURE },
		{ "a@x", 0, QUEUE_DELIVERED, 0, false, false, QUEUE_NO_REPORT },
		{ "a@x", QUEUE_ON_SUCCESS, QUEUE_DELIVERED, 0, false, false, QUEUE_SUCCESS },
		{ "a@x", QUEUE_ON_SUCCESS, QUEUE_DELIVERED, 0, false, true, QUEUE_NO_REPORT },
		{ "a@x", 0, QUEUE_WAITING, LATE - 1, false, false, QUEUE_NO_REPORT },
		{ "a@x", 0, QUEUE_WAITING, LATE, false, false, QUEUE_DELAY },
		{ "a@x", 0, QUEUE_WAITING, LATE, true, false, QUEUE_NO_REPORT },
		{ "a@x", 0, QUEUE_WAITING, LATE, false, false, QUEUE_NO_REPORT, true },
		{ "a@x", QUEUE_ON_DELAY, QUEUE_WAITING, LATE, false, false, QUEUE_DELAY, true },
		{ "a@x", 0, QUEUE_FAILED, 0, false, false, QUEUE_FAILURE, true },
		{ "a@x", QUEUE_ON_FAILURE, QUEUE_WAITING, LATE, false, false, QUEUE_NO_REPORT },
		{ "a@x", QUEUE_ON_DELAY, QUEUE_WAITING, LATE, false, false, QUEUE_DELAY },
		{ "a@x", 0, QUEUE_HELD, LATE, false, false, QUEUE_NO_REPORT },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct queue_message m = { .sender = str_of(t[i].sender),
					   .account = t[i].forwarded ? 0 : 1,
					   .submitted = T };
		struct queue_recipient r = { .notify = t[i].notify,
					     .state = t[i].state,
					     .delay_told = t[i].delay_told,
					     .passed = t[i].passed,
					     .tries = 1 };
		int64_t now = T + t[i].after;

		if (schedule_report(&queue_plan_default, &m, &r, now) != t[i].want)
			fprintf(stderr, "row %zu\n", i);
		CHECK_NUM(schedule_report(&queue_plan_default, &m, &r, now), t[i].want);
		schedule_told(&queue_plan_default, &m, &r, now);
		CHECK_NUM(schedule_report(&queue_plan_default, &m, &r, now), QUEUE_NO_REPORT);
		CHECK(r.told == (r.state != QUEUE_WAITING && r.state != QUEUE_HELD));
	}
}

static void by_note(void)
{
	struct queue_message m = {
		.sender = S("a@x"), .account = 1, .submitted = T, .deliver_by = T + 60
	};
	struct queue_recipient r = { .tries = 1 };

	CHECK_NUM(schedule_report(&queue_plan_default, &m, &r, T + 59), QUEUE_NO_REPORT);
	CHECK_NUM(schedule_report(&queue_plan_default, &m, &r, T + 60), QUEUE_DELAY);
}

int main(void)
{
	waits();
	life(QUEUE_UNREACHED, QUEUE_EXPIRED, 30, 45);
	life(QUEUE_LATER, QUEUE_EXPIRED, 30, 45);
	life(QUEUE_TOOK, QUEUE_DELIVERED, 1, 1);
	life(QUEUE_REFUSED, QUEUE_FAILED, 1, 1);
	ends();
	reports();
	by_note();
	return check_done();
}
