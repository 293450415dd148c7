/* SPDX-License-Identifier: ISC */
/* What becomes of visits and places in their lists, and their records. */
#include "check.h"
#include "keeper/history.h"

enum { T0 = 1800000000 };

static struct arena *a;

static struct visit visit_at(int64_t t, uint8_t result, unsigned address)
{
	struct visit v = { .first = t,
			   .last = t,
			   .count = 1,
			   .result = result,
			   .proto = S("imap"),
			   .by = result == VISIT_OK ? S("password") : S("") };

	CHECK(net_address(str_fmt(a, "192.0.%u.%u", address / 250, address % 250), &v.ip));
	return v;
}

static void test_like_ones(void)
{
	/* Of two visits the second, and whether it shares the first one's line. */
	static const struct {
		int64_t after;
		uint8_t result;
		unsigned address;
		const char *proto, *by;
		bool shares;
	} table[] = {
		{ 0, VISIT_OK, 1, "imap", "password", true },
		{ VISIT_GAP_S - 1, VISIT_OK, 1, "imap", "password", true },
		{ VISIT_GAP_S, VISIT_OK, 1, "imap", "password", false },
		{ 5, VISIT_WRONG_PASSWORD, 1, "imap", "password", false },
		{ 5, VISIT_OK, 2, "imap", "password", false },
		{ 5, VISIT_OK, 1, "pop3", "password", false },
		{ 5, VISIT_OK, 1, "imap", "app:phone", false },
		{ -5, VISIT_OK, 1, "imap", "password", false }, /* the clock was set back */
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct history h = { 0 };
		struct visit v = visit_at(T0, VISIT_OK, 1);
		history_add(&h, &v);
		v = visit_at(T0 + table[i].after, table[i].result, table[i].address);
		v.proto = str_of(table[i].proto);
		v.by = str_of(table[i].by);
		history_add(&h, &v);
		CHECK_NUM(h.n, table[i].shares ? 1 : 2);
		CHECK_NUM(h.visit[0].last, T0 + table[i].after);
		CHECK_NUM(h.visit[0].first, table[i].shares ? T0 : T0 + table[i].after);
		CHECK_NUM(h.visit[0].count, table[i].shares ? 2 : 1);
	}
}

/* A line goes on for a day at the most; a sum that comes in is added; counts stop at the top. */
static void test_sums(void)
{
	struct history h = { 0 };
	struct visit v;

	for (int64_t t = 0; t < VISIT_SPAN_S + 3600; t += 300) {
		v = visit_at(T0 + t, VISIT_OK, 1);
		v.count = 10;
		history_add(&h, &v);
	}
	CHECK_NUM(h.n, 2);
	CHECK_NUM(h.visit[1].count, VISIT_SPAN_S / 300 * 10);
	CHECK_NUM(h.visit[0].count, 3600 / 300 * 10);
	h.visit[0].count = UINT32_MAX - 1;
	history_add(&h, &v);
	CHECK_NUM(h.visit[0].count, UINT32_MAX);
	CHECK_NUM(h.n, 2);
}

static size_t good(const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->visit[i].result == VISIT_OK;
	return n;
}

/* Many refused ones leave half of the room to the good, and the other way round. */
static void test_room(void)
{
	struct history h = { 0 };
	struct visit v;

	for (unsigned i = 0; i < 60; i++) {
		v = visit_at(T0 + i, VISIT_OK, i);
		history_add(&h, &v);
	}
	CHECK_NUM(h.n, VISITS_MAX);
	CHECK_NUM(h.visit[0].last, T0 + 59);
	CHECK_NUM(h.visit[VISITS_MAX - 1].last, T0 + 10);
	for (unsigned i = 0; i < 1000; i++) {
		v = visit_at(T0 + 100 + i, VISIT_WRONG_PASSWORD, i);
		history_add(&h, &v);
	}
	CHECK_NUM(h.n, VISITS_MAX);
	CHECK_NUM(good(&h), VISITS_MAX / 2);
	CHECK_NUM(h.visit[0].last, T0 + 100 + 999);
	for (size_t i = VISITS_MAX / 2; i < VISITS_MAX; i++) /* the latest good ones */
		CHECK_NUM(h.visit[i].last, T0 + 59 - (int64_t)(i - VISITS_MAX / 2));
	for (unsigned i = 0; i < 1000; i++) {
		v = visit_at(T0 + 9000 + i, VISIT_OK, i);
		history_add(&h, &v);
	}
	CHECK(h.n == VISITS_MAX && good(&h) <= VISITS_MAX / 2 + 1);
}

static void test_places(void)
{
	struct places p = { 0 }, again = { 0 };
	struct net n;

	for (unsigned i = 0; i < PLACES_MAX + 6; i++) {
		CHECK(net_parse(str_fmt(a, "2001:db8:0:%x::/64", i), &n));
		places_add(&p, &n, T0 + i);
		if (i == PLACES_MAX - 1) { /* the first is used again and outlives others */
			CHECK(net_parse(S("2001:db8::/64"), &n) && places_have(&p, &n));
			places_add(&p, &n, T0 + i);
			CHECK_NUM(p.n, PLACES_MAX);
		}
	}
	CHECK_NUM(p.n, PLACES_MAX);
	CHECK(net_parse(S("2001:db8::/64"), &n) && places_have(&p, &n));
	CHECK(net_parse(S("2001:db8:0:6::/64"), &n) && !places_have(&p, &n));
	CHECK(net_parse(S("2001:db8:0:7::/64"), &n) && places_have(&p, &n));
	CHECK(net_parse(S("2001:db8:0:7::/60"), &n) && !places_have(&p, &n));
	CHECK_NUM(places_read(places_record(a, &p), &again), OK);
	CHECK_NUM(again.n, p.n);
	CHECK(places_have(&again, &p.place[63].who) && again.place[63].last == p.place[63].last);
}

static void test_record(void)
{
	struct history h = { 0 }, again = { 0 };
	struct visit v = visit_at(T0, VISIT_OK, 1);
	struct str r;

	CHECK_NUM(history_read(history_record(a, &h), &again), OK);
	CHECK_NUM(again.n, 0);
	v.by = S("app:my phone");
	v.program = S("Mail 3");
	history_add(&h, &v);
	v = (struct visit){ .first = T0, .last = T0 + 3, .count = 7, .result = 99 };
	history_add(&h, &v);
	r = history_record(a, &h);
	CHECK_NUM(history_read(r, &again), OK);
	CHECK_NUM(again.n, 2);
	CHECK(again.visit[0].count == 7 && again.visit[0].ip.bits == 0);
	CHECK_STR(again.visit[1].by, "app:my phone");
	CHECK_STR(again.visit[1].program, "Mail 3");
	CHECK(net_same(&again.visit[1].ip, &h.visit[1].ip));
	CHECK_STR(str_of(visit_word(again.visit[1].result)), "ok");
	CHECK_STR(str_of(visit_word(again.visit[0].result)), "refused"); /* of a later version */
	for (size_t i = 0; i < r.n; i++)
		CHECK_NUM(history_read(str_part(r, 0, i), &again), E_CORRUPT);
	CHECK_NUM(history_read(S("\x02"), &again), E_VERSION);
	CHECK_NUM(history_read(S("\x01\x33"), &again), E_CORRUPT);
	struct places p;
	CHECK_NUM(places_read(S(""), &p), E_CORRUPT);
	CHECK_NUM(places_read(S("\x07"), &p), E_VERSION);
	CHECK_NUM(places_read(S("\x01\x41"), &p), E_CORRUPT);
	CHECK_NUM(places_read(S("\x01\x01\x20"), &p), E_CORRUPT);
}

int main(void)
{
	a = arena_new(16 << 20);
	test_like_ones();
	test_sums();
	test_room();
	test_places();
	test_record();
	arena_free(&a);
	return check_done();
}
