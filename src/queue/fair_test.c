/* SPDX-License-Identifier: ISC */
/*
 * Turns among destinations: single steps, random ones against a model, and a simulated day of a
 * thousand destinations of which three hundred are dead.
 */
#include <stdlib.h>

#include "check.h"
#include "queue/fair.h"

static const struct fair_conf small = { .quick = 4,
					.slow = 2,
					.window_first = 1,
					.window_max = 3,
					.slow_ms = 1000,
					.pause_ms = 60000,
					.pause_max_ms = 200000,
					.dests_max = 5 };

static struct fair_slot next(struct fair *f, int64_t now, const char *want)
{
	struct fair_slot s = { 0 };
	enum err e = fair_next(f, now, &s);

	CHECK_STR(e ? S("nobody") : s.name, want);
	return s;
}

static void turns(void)
{
	struct fair *f = fair_new(&small);
	struct fair_slot s[4];

	CHECK_NUM(fair_wait(f, 0), INT64_MAX);
	CHECK_NUM(fair_due(f, S("a"), 10), OK);
	CHECK_NUM(fair_due(f, S("b"), 20), OK);
	next(f, 0, "nobody");
	CHECK_NUM(fair_wait(f, 0), 10);
	s[0] = next(f, 10, "a");
	next(f, 10, "nobody"); /* its window is one */
	CHECK_NUM(fair_wait(f, 10), 20);
	fair_done(f, &s[0], FAIR_TAKEN, 10, 10);
	CHECK_NUM(fair_window(f, S("a")), 2);
	s[1] = next(f, 20, "b"); /* nothing is known of it: first, but never more than a half */
	s[0] = next(f, 20, "a");
	s[2] = next(f, 20, "a");
	next(f, 20, "nobody");
	fair_done(f, &s[1], FAIR_TAKEN, INT64_MAX, 20);
	CHECK_NUM(fair_window(f, S("b")), 0); /* forgotten */
	fair_done(f, &s[0], FAIR_TAKEN, 20, 20);
	fair_done(f, &s[2], FAIR_TAKEN, 20, 20);
	CHECK_NUM(fair_window(f, S("a")), 3);
	s[0] = next(f, 20, "a");
	fair_done(f, &s[0], FAIR_LATER, 20, 20);
	CHECK_NUM(fair_window(f, S("a")), 1);
	s[0] = next(f, 20, "a");
	fair_done(f, &s[0], FAIR_NOTHING, INT64_MAX, 20);
	CHECK_NUM(fair_stats(f).dests, 0);
	for (unsigned i = 0; i < 5; i++)
		CHECK_NUM(fair_due(f, STR(&"vwxyz"[i], 1), 0), OK);
	CHECK_NUM(fair_due(f, S("one more"), 0), E_LIMIT);
	fair_free(&f);
}

static void dead(void)
{
	struct fair *f = fair_new(&small);
	struct fair_slot s;
	int64_t now = 0, pause[] = { 60000, 120000, 200000, 200000 };

	CHECK_NUM(fair_due(f, S("dead"), 0), OK);
	for (size_t i = 0; i < LENGTH(pause); i++) {
		s = next(f, now, "dead");
		CHECK_NUM(fair_stats(f).slow, i > 0); /* it is known by then */
		now += 30000;
		next(f, now, "nobody");
		CHECK_NUM(fair_stats(f).slow, 1);
		fair_done(f, &s, FAIR_UNREACHED, now, now);
		next(f, now + pause[i] - 1, "nobody");
		CHECK_NUM(fair_wait(f, now), now + pause[i]);
		now += pause[i];
	}
	s = next(f, now, "dead");
	fair_done(f, &s, FAIR_TAKEN, now, now);
	CHECK_NUM(fair_stats(f).slow, 0);
	s = next(f, now, "dead");
	CHECK_NUM(fair_stats(f).quick, 1);
	fair_done(f, &s, FAIR_UNREACHED, INT64_MAX, now);
	CHECK_NUM(fair_stats(f).dests, 0);
	fair_free(&f);
}

/* An order ends the rest of a destination, and its next failure doubles the pause all the same. */
static void woken(void)
{
	struct fair *f = fair_new(&small);
	struct fair_slot s;

	fair_wake(f, S("unknown"));
	CHECK_NUM(fair_due(f, S("dead"), 0), OK);
	CHECK_NUM(fair_due(f, S("other"), 100000), OK);
	s = next(f, 0, "dead");
	fair_done(f, &s, FAIR_UNREACHED, 0, 0);
	next(f, 1000, "nobody");
	fair_wake(f, S("dead"));
	CHECK_NUM(fair_wait(f, 1000), 1000);
	s = next(f, 1000, "dead");
	fair_wake(f, S("dead"));
	fair_done(f, &s, FAIR_UNREACHED, 1000, 1000);
	next(f, 1000 + 99000, "other");
	next(f, 1000 + 120000 - 1, "nobody");
	next(f, 1000 + 120000, "dead");
	fair_free(&f);
}

/* --- a model: what must hold after any steps --- */

enum { NAMES = 12, STEPS = 20000 };

static uint64_t seed = 1;
static unsigned chance(unsigned n)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % n;
}

struct model {
	int64_t due[NAMES], not_before[NAMES];
	unsigned news[NAMES], news_of[8]; /* of a name; of a slot when it was given */
	bool answers[NAMES];
	unsigned active[NAMES], turn[NAMES];
	struct fair_slot slot[8];
	size_t n;
};

static void take_turn(struct fair *f, struct model *m, int64_t now)
{
	struct fair_slot s;
	enum err e = fair_next(f, now, &s);
	unsigned waiting = 0;

	for (unsigned i = 0; i < NAMES; i++)
		waiting += m->due[i] <= now && m->not_before[i] <= now && m->active[i] == 0 &&
			   m->answers[i];
	if (e) {
		/* Who answers, is due and has no try waits only for want of quick slots. */
		CHECK(!waiting || fair_stats(f).quick == 4);
		CHECK(!waiting || fair_wait(f, now) > now);
		return;
	}
	unsigned who = (unsigned)(s.name.p[0] - 'a');

	CHECK(m->due[who] <= now && m->not_before[who] <= now);
	CHECK(++m->active[who] <= 3);
	m->news_of[m->n] = m->news[who];
	m->slot[m->n++] = s;
	CHECK(m->n <= 6 && fair_stats(f).quick + fair_stats(f).slow == m->n);
}

static void give_back(struct fair *f, struct model *m, int64_t now)
{
	size_t i = chance((unsigned)m->n);
	unsigned who = (unsigned)(m->slot[i].name.p[0] - 'a'), answer = chance(4);

	int64_t more = chance(3) ? now + chance(300) : INT64_MAX;

	if (m->news[who] == m->news_of[i] || more < m->due[who])
		m->due[who] = more;
	m->news[who] += answer != FAIR_NOTHING;
	m->active[who]--;
	if (answer == FAIR_TAKEN || answer == FAIR_LATER) {
		m->not_before[who] = 0;
		m->answers[who] = true;
	}
	/* A failure among failures is none. */
	if (answer == FAIR_UNREACHED && (m->not_before[who] <= now || m->answers[who])) {
		m->not_before[who] = now + 60000;
		m->answers[who] = false;
	}
	fair_done(f, &m->slot[i], answer, more, now);
	m->n--;
	m->slot[i] = m->slot[m->n];
	m->news_of[i] = m->news_of[m->n];
	if (m->due[who] == INT64_MAX && m->active[who] == 0) { /* forgotten */
		m->not_before[who] = 0;
		m->answers[who] = false;
	}
}

static void random_steps(void)
{
	struct fair_conf conf = small;
	struct model m = { 0 };
	int64_t now = 0;

	conf.dests_max = NAMES;
	conf.pause_max_ms = 60000;
	struct fair *f = fair_new(&conf);

	for (unsigned i = 0; i < NAMES; i++)
		m.due[i] = INT64_MAX;
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned who = chance(NAMES), what = chance(4);

		now += chance(200);
		if (what == 0) {
			int64_t at = now + chance(100);

			CHECK_NUM(fair_due(f, STR(&"abcdefghijkl"[who], 1), at), OK);
			m.due[who] = at < m.due[who] ? at : m.due[who];
			m.news[who]++;
		} else if (what == 1 && m.n) {
			give_back(f, &m, now);
		} else {
			take_turn(f, &m, now);
		}
	}
	fair_free(&f);
}

/* --- many destinations, simulated --- */

enum { DESTS = 1000, MAILS = 100, TRY_MS = 50, DEAD_MS = 30000 };

struct event {
	int64_t at;
	struct fair_slot slot;
	unsigned who;
};
static struct event running[4096];
static size_t nrunning;

static void end_due(struct fair *f, unsigned dead_ones, unsigned *left, int64_t now, size_t *good)
{
	for (size_t i = 0; i < nrunning;) {
		struct event *e = &running[i];

		if (e->at > now) {
			i++;
			continue;
		}
		bool is_dead = e->who < dead_ones;

		if (!is_dead)
			--*good;
		fair_done(f, &e->slot, is_dead ? FAIR_UNREACHED : FAIR_TAKEN,
			  left[e->who] ? now : INT64_MAX, now);
		*e = running[--nrunning];
	}
}

/* How long the good ones take for all of their mail, ms. */
static int64_t simulate(unsigned dead_ones, unsigned slow)
{
	const struct fair_conf conf = { .quick = 200,
					.slow = slow,
					.window_first = 2,
					.window_max = 20,
					.slow_ms = 250,
					.pause_ms = 60000,
					.pause_max_ms = 1800000,
					.dests_max = DESTS };
	static unsigned left[DESTS];
	struct fair *f = fair_new(&conf);
	size_t good = (size_t)(DESTS - 300) * MAILS;
	int64_t now = 0;
	char name[16];

	nrunning = 0;
	for (unsigned i = 0; i < DESTS; i++) {
		left[i] = i < dead_ones || i >= 300 ? MAILS : 0;
		snprintf(name, sizeof name, "%u", i);
		if (left[i])
			CHECK_NUM(fair_due(f, str_of(name), 0), OK);
	}
	for (; good && now < 1000000; now += 5) {
		struct fair_slot s;

		end_due(f, dead_ones, left, now, &good);
		while (!fair_next(f, now, &s)) {
			unsigned who = (unsigned)strtoul(s.name.p, NULL, 10);

			if (!left[who]) {
				fair_done(f, &s, FAIR_NOTHING, INT64_MAX, now);
				continue;
			}
			if (who >= dead_ones)
				left[who]--;
			running[nrunning++] =
				(struct event){ now + (who < dead_ones ? DEAD_MS : TRY_MS), s,
						who };
		}
	}
	fair_free(&f);
	return now;
}

int main(void)
{
	turns();
	dead();
	woken();
	random_steps();
	int64_t without = simulate(0, 400), with = simulate(300, 400), few = simulate(300, 20);

	printf("70,000 mails to 700 good destinations: %lld ms alone, %lld ms with 300 dead ones, "
	       "%lld ms with too few slow slots for them\n",
	       (long long)without, (long long)with, (long long)few);
	CHECK(with <= without + without / 10);
	CHECK(few <= 3 * without); /* a half of the slots is theirs, whatever happens */
	return check_done();
}
