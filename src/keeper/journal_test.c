/* SPDX-License-Identifier: ISC */
/* What is noted comes into the store behind the answer, gathered, and ends with the account. */
#include "base/clock.h"
#include "keeper/journal.h"
#include "keeper/keeper_test.h"

static struct arena *a;
static struct store *st;
static struct journal *journal;
static uint32_t demo1;

static struct net net_of(const char *text)
{
	struct net n = { 0 };

	CHECK(net_parse(str_of(text), &n));
	return n;
}

static void note(uint32_t account, const char *ip, uint8_t result)
{
	struct visit v = { .result = result, .ip = net_of(ip), .proto = S("imap"), .by = S("") };
	struct net place = net_cut(v.ip, net_is_v4(&v.ip) ? 128 : 64);

	journal_note(journal, account, &v, &place);
}

static uint64_t updates(void)
{
	struct store_stats s = { 0 };

	CHECK_NUM(store_stats(st, &s), OK);
	return s.updates;
}

static struct history *history(uint32_t account)
{
	struct history *h = ARENA_NEW(a, struct history);

	CHECK_NUM(journal_read(journal, account, a, h), OK);
	return h;
}

/* A webmail at work: one write at first, then one every five minutes. */
static void test_gathering(void)
{
	uint64_t before = updates();

	for (int i = 0; i < 30; i++)
		note(demo1, "192.0.2.1", VISIT_OK);
	CHECK_NUM(updates(), before); /* not while somebody waits for his answer */
	journal_flush(journal);
	CHECK_NUM(updates(), before + 1);
	clock_fake_step(60000);
	for (int i = 0; i < 30; i++)
		note(demo1, "192.0.2.1", VISIT_OK);
	for (int i = 0; i < 3; i++) {
		clock_fake_step(JOURNAL_SOON_MS);
		fiber_yield();
	}
	CHECK_NUM(updates(), before + 1);
	struct history *h = history(demo1); /* and yet nothing is missing to who asks */
	CHECK_NUM(h->n, 1);
	CHECK_NUM(h->visit[0].count, 60);
	CHECK_NUM(h->visit[0].last - h->visit[0].first, 60);
	CHECK_NUM(updates(), before + 2);
}

static void named(uint32_t account, const char *ip, const char *program)
{
	struct visit v = { .ip = net_of(ip), .proto = S("imap"), .program = str_of(program) };

	journal_program(journal, account, &v);
}

/* Most programs say only behind the login what they are called. */
static void test_program(void)
{
	note(demo1, "192.0.2.80", VISIT_OK);
	note(demo1, "192.0.2.80", VISIT_OK);
	note(demo1, "192.0.2.80", VISIT_WRONG_PASSWORD);
	named(demo1, "192.0.2.80", "Thunderbird 140");
	named(demo1, "192.0.2.81", "from nowhere");
	struct history *h = history(demo1);
	unsigned plain = 0, bird = 0, wrong = 0;
	for (size_t i = 0; i < h->n; i++) {
		const struct visit *v = &h->visit[i];
		CHECK(!str_is(v->program, "from nowhere"));
		if (!str_is(net_text(a, &v->ip), "192.0.2.80"))
			continue;
		bool is_bird = str_is(v->program, "Thunderbird 140");
		*(v->result != VISIT_OK ? &wrong : is_bird ? &bird : &plain) += v->count;
	}
	CHECK(plain == 1 && bird == 1 && wrong == 1);

	/* What is written stays as it is; the next one of the same program goes on with its row. */
	named(demo1, "192.0.2.80", "too late");
	note(demo1, "192.0.2.80", VISIT_OK);
	named(demo1, "192.0.2.80", "Thunderbird 140");
	uint64_t before = updates();
	h = history(demo1);
	CHECK(updates() <= before + 1);
	CHECK_STR(h->visit[0].program, "Thunderbird 140");
	CHECK_NUM(h->visit[0].count, 2);
	for (size_t i = 0; i < h->n; i++)
		CHECK(!str_is(h->visit[i].program, "too late"));
}

/* Until the writer has had its turn. */
static void let_write(uint64_t expected)
{
	for (int i = 0; i < 1000 && updates() < expected; i++) {
		clock_fake_step(JOURNAL_SOON_MS);
		fiber_yield();
	}
	CHECK_NUM(updates(), expected);
}

static void test_writer(void)
{
	uint64_t before = updates();

	note(demo1, "192.0.2.2", VISIT_WRONG_PASSWORD);
	let_write(before + 1);
	note(demo1, "192.0.2.2", VISIT_WRONG_PASSWORD);
	int64_t noted = clock_ms();
	let_write(before + 2);
	CHECK(clock_ms() - noted >= JOURNAL_HOLD_MS);
	struct history *h = history(demo1);
	CHECK_NUM(h->n, 2);
	CHECK_NUM(h->visit[0].result, VISIT_WRONG_PASSWORD);
	CHECK_NUM(h->visit[0].count, 2);
}

static void test_places(void)
{
	struct net one = net_of("192.0.2.1"), two = net_of("192.0.2.2"),
		   net = net_of("2001:db8:1:2::/64");

	CHECK(journal_knows(journal, demo1, &one));
	CHECK(!journal_knows(journal, demo1, &two)); /* never a good one */
	CHECK(!journal_knows(journal, demo1, &net));
	note(demo1, "2001:db8:1:2::77", VISIT_OK);
	CHECK(journal_knows(journal, demo1, &net)); /* at once */
	CHECK(!journal_knows(journal, demo1 + 1, &net));
	CHECK(!journal_knows(journal, 0, &net));
	journal_close(&journal); /* writes it */
	CHECK_NUM(journal_new(st, &journal), OK);
	CHECK(journal_knows(journal, demo1, &net) && journal_knows(journal, demo1, &one));
	CHECK(!journal_knows(journal, demo1, &two));
}

/* An attacked account does not take the room of others, and more than there is, is not kept. */
static void test_bounds(void)
{
	uint32_t demo2 = test_user(st, a, "demo2@example.test");
	char ip[32];

	for (unsigned i = 0; i < 3 * JOURNAL_MAX; i++) {
		snprintf(ip, sizeof ip, "198.51.%u.%u", i / 250, i % 250);
		note(demo1, ip, VISIT_WRONG_PASSWORD);
	}
	note(demo2, "192.0.2.9", VISIT_OK);
	struct history *h = history(demo2);
	CHECK_NUM(h->n, 1);
	h = history(demo1);
	CHECK_NUM(h->n, VISITS_MAX);
	unsigned good = 0;
	for (size_t i = 0; i < h->n; i++)
		good += h->visit[i].result == VISIT_OK;
	CHECK_NUM(good, 2);
	/* What is written makes room, in the account and in the table. */
	for (unsigned i = 0; i < 200; i++) {
		snprintf(ip, sizeof ip, "203.0.113.%u", i);
		note(demo1, ip, VISIT_NO_PASSWORD);
		if (i % JOURNAL_ACCOUNT_MAX == 0)
			journal_flush(journal);
	}
	CHECK_NUM(history(demo1)->visit[0].result, VISIT_NO_PASSWORD);
	for (uint32_t account = 1000; account < 1000 + 2 * JOURNAL_MAX; account++) {
		note(account, "192.0.2.3", VISIT_OK); /* nobody's: nothing is left of them */
		if (account % 1000 == 0)
			journal_flush(journal);
	}
	note(0, "192.0.2.3", VISIT_OK);
	CHECK_NUM(history(1000)->n, 0);
	CHECK_NUM(history(0)->n, 0);
	note(demo2, "192.0.2.10", VISIT_OK);
	CHECK_NUM(history(demo2)->n, 2);
}

static enum err leftover(struct tx *tx, void *arg)
{
	struct str key, value;

	(void)arg;
	for (const char *p = "vk"; *p; p++) {
		struct str prefix = str_fmt(tx_arena(tx), "%c/%08x", *p, demo1);
		if (!tx_next(tx, prefix, S(""), &key, &value))
			return E_EXISTS;
	}
	return OK;
}

static void test_erase(void)
{
	uint32_t account;

	CHECK_NUM(store_read(st, S(SECRET_PARTITION), leftover, NULL), E_EXISTS);
	note(demo1, "192.0.2.1", VISIT_OK); /* still to be written when the account goes */
	CHECK_NUM(directory_user_delete(st, test_name(a, "demo1@example.test"), &account), OK);
	journal_flush(journal);
	CHECK_NUM(store_read(st, S(SECRET_PARTITION), leftover, NULL), OK);
	CHECK_NUM(history(demo1)->n, 0);
}

static void run(void *arg)
{
	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	CHECK_NUM(journal_new(st, &journal), OK);
	clock_fake_step(0);
	test_gathering();
	test_writer();
	test_places();
	test_bounds();
	test_program();
	test_erase();
	journal_close(&journal);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
