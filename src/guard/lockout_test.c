/* SPDX-License-Identifier: ISC */
/* The policy: each sentence of the promise, each edge, and a plain model of it. */
#include "check.h"
#include "guard/lockout.h"

enum { MIN = 60, HOUR = 3600 };
static const int64_t T0 = 1800000000;
static struct lockout_rules rules;

static struct lockout stranger(void)
{
	struct lockout l = { 0 };

	CHECK(net_address(S("192.0.2.1"), &l.who));
	return l;
}

static enum lockout_effect fail_at(struct lockout *l, int64_t t)
{
	return lockout_fail(l, &rules, t, 0);
}

static bool closed_at(struct lockout l, int64_t t)
{
	lockout_settle(&l, &rules, t);
	return l.state != LOCKOUT_OPEN;
}

/* Five errors at once, which close. */
static void five(struct lockout *l, int64_t t)
{
	for (int i = 0; i < 4; i++)
		CHECK_NUM(fail_at(l, t), LOCKOUT_COUNTED);
	CHECK_NUM(fail_at(l, t), LOCKOUT_CLOSED);
}

static void test_block(void)
{
	struct lockout l = stranger();

	for (int i = 0; i < 4; i++) {
		CHECK_NUM(fail_at(&l, T0 + i), LOCKOUT_COUNTED);
		CHECK_NUM(l.nfails, i + 1);
		CHECK(!closed_at(l, T0 + i));
	}
	CHECK_NUM(fail_at(&l, T0 + 20 * MIN - 1), LOCKOUT_CLOSED);
	CHECK_NUM(l.state, LOCKOUT_BLOCKED);
	CHECK_NUM(l.until, T0 + 40 * MIN - 1);
	CHECK(closed_at(l, T0 + 40 * MIN - 2));
	CHECK(!closed_at(l, T0 + 40 * MIN - 1));
	/* Not heard while it is closed; heard and counted from one in the second it opens. */
	CHECK_NUM(fail_at(&l, T0 + 40 * MIN - 2), LOCKOUT_UNHEARD);
	CHECK_NUM(l.until, T0 + 40 * MIN - 1);
	CHECK_NUM(fail_at(&l, T0 + 40 * MIN - 1), LOCKOUT_COUNTED);
	CHECK_NUM(l.nfails, 1);
	CHECK_NUM(l.nblocks, 1);
}

/* The fifth exactly 20:00 after the first: the first is over. */
static void test_window_edge(void)
{
	struct lockout l = stranger();

	for (int i = 0; i < 4; i++)
		fail_at(&l, T0 + (i ? 10 * MIN : 0));
	CHECK_NUM(fail_at(&l, T0 + 20 * MIN), LOCKOUT_COUNTED);
	CHECK_NUM(l.nfails, 4);
	CHECK_NUM(fail_at(&l, T0 + 20 * MIN), LOCKOUT_CLOSED);
	/* Four in each window for ever close nothing. */
	l = stranger();
	for (int i = 0; i < 1000; i++)
		CHECK_NUM(fail_at(&l, T0 + i * 5 * MIN), LOCKOUT_COUNTED);
}

static void test_ban(void)
{
	struct lockout l = stranger();

	five(&l, T0);
	five(&l, T0 + HOUR);
	CHECK_NUM(l.state, LOCKOUT_BLOCKED);
	five(&l, T0 + 24 * HOUR - 1);
	CHECK_NUM(l.state, LOCKOUT_BANNED);
	CHECK(closed_at(l, T0 + 48 * HOUR - 2));
	CHECK(!closed_at(l, T0 + 48 * HOUR - 1));
	CHECK_NUM(fail_at(&l, T0 + 30 * HOUR), LOCKOUT_UNHEARD);

	/* The third exactly 24 h after the first: two within the day. */
	l = stranger();
	five(&l, T0);
	five(&l, T0 + HOUR);
	five(&l, T0 + 24 * HOUR);
	CHECK_NUM(l.state, LOCKOUT_BLOCKED);
	CHECK_NUM(l.nblocks, 2);
	five(&l, T0 + 24 * HOUR + 20 * MIN);
	CHECK_NUM(l.state, LOCKOUT_BANNED);
	/* The ban over, the blocks are too. */
	lockout_settle(&l, &rules, T0 + 48 * HOUR + 20 * MIN);
	CHECK(lockout_is_blank(&l));
}

/* Nothing is forgiven early and nothing lasts longer than its length from now. */
static void test_clock_back(void)
{
	struct lockout l = stranger();
	int64_t back = T0 - 100 * HOUR;

	for (int i = 0; i < 4; i++)
		fail_at(&l, T0);
	lockout_settle(&l, &rules, back);
	CHECK_NUM(l.nfails, 4);
	CHECK_NUM(l.fails[0], back);
	struct lockout early = l;
	CHECK_NUM(fail_at(&early, back + 20 * MIN - 1), LOCKOUT_CLOSED);
	lockout_settle(&l, &rules, back + 20 * MIN);
	CHECK(lockout_is_blank(&l));

	l = stranger();
	five(&l, T0);
	lockout_settle(&l, &rules, back);
	CHECK_NUM(l.until, back + 20 * MIN);
	CHECK(closed_at(l, back + 20 * MIN - 1));
	CHECK(!closed_at(l, back + 20 * MIN));
	CHECK_NUM(l.blocks[0], back);
	/* Set back within a block: from now it lasts no longer than a block. */
	l = stranger();
	five(&l, T0);
	lockout_settle(&l, &rules, T0 - 5 * MIN);
	CHECK_NUM(l.until, T0 + 15 * MIN);
	/* A clock far off does not wrap. */
	l = stranger();
	five(&l, (int64_t)UINT32_MAX - 10);
	CHECK_NUM(l.until, UINT32_MAX);
}

static void test_repeats(void)
{
	struct lockout l = stranger();

	for (uint32_t i = 1; i <= 4; i++)
		CHECK_NUM(lockout_fail(&l, &rules, T0, i), LOCKOUT_COUNTED);
	for (uint32_t i = 1; i <= 4; i++)
		CHECK_NUM(lockout_fail(&l, &rules, T0 + i, i), LOCKOUT_REPEATED);
	CHECK_NUM(l.nfails, 4);
	CHECK_NUM(lockout_fail(&l, &rules, T0 + 20 * MIN, 1), LOCKOUT_COUNTED);
	for (uint32_t i = 2; i <= 4; i++)
		lockout_fail(&l, &rules, T0 + 20 * MIN, i);
	CHECK_NUM(lockout_fail(&l, &rules, T0 + 20 * MIN, 9), LOCKOUT_CLOSED);
}

static void test_by_hand(void)
{
	struct lockout l = stranger();

	lockout_close(&l, &rules, T0, LOCKOUT_BLOCKED, 90 * MIN);
	CHECK(closed_at(l, T0 + 90 * MIN - 1) && !closed_at(l, T0 + 90 * MIN));
	CHECK_NUM(l.nblocks, 0);
	CHECK(l.by_hand);
	lockout_release(&l);
	CHECK(lockout_is_blank(&l) && !closed_at(l, T0));
}

static void test_key(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8::1", "2001:db8::ffff:0:0:1", true },
		{ "2001:db8::1", "2001:db8:0:1::1", false },
		{ "::1", "::2", true },
		{ "127.0.0.1", "127.1.2.3", false },
	};
	struct lockout_rules wide = rules;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct net x = { 0 }, y = { 0 };
		CHECK(net_address(str_of(rows[i].a), &x));
		CHECK(net_address(str_of(rows[i].b), &y));
		x = lockout_key(x, &rules);
		y = lockout_key(y, &rules);
		if (!CHECK(net_same(&x, &y) == rows[i].same))
			fprintf(stderr, "  %s %s\n", rows[i].a, rows[i].b);
	}
	struct net x = { 0 }, y = { 0 };
	wide.prefix6 = 48;
	CHECK(net_address(S("2001:db8:0:1::1"), &x));
	CHECK(net_address(S("2001:db8:0:2::1"), &y));
	x = lockout_key(x, &wide);
	y = lockout_key(y, &wide);
	CHECK(net_same(&x, &y));
}

static void test_net(void)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.77/24", "192.0.2.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:db8::1/64", "2001:db8::/64" },
		{ "2001:db8::1/61", "2001:db8::/61" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1/33", NULL },
		{ "2001:db8::/129", NULL },
		{ "192.0.2.1000", NULL },
		{ "", NULL },
		{ "/24", NULL },
		{ "192.0.2.1/", NULL },
		{ "192.0.2.1/x", NULL },
		{ "mail.test", NULL },
	};
	struct arena *a = arena_new(1 << 20);
	struct net n, in;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		bool good = net_parse(str_of(rows[i].text), &n);
		if (!CHECK(good == (rows[i].want != NULL)))
			fprintf(stderr, "  %s\n", rows[i].text);
		if (good)
			CHECK_STR(net_text(a, &n), rows[i].want);
	}
	CHECK(net_parse(S("192.0.2.0/24"), &n) && net_address(S("192.0.2.200"), &in));
	CHECK(net_has(&n, &in) && !net_has(&in, &n) && net_has(&n, &n));
	CHECK(net_address(S("192.0.3.1"), &in) && !net_has(&n, &in));
	CHECK(net_parse(S("0.0.0.0/0"), &n) && net_has(&n, &in));
	CHECK(net_address(S("2001:db8::1"), &in) && !net_has(&n, &in));
	CHECK(net_parse(S("::/0"), &n) && net_has(&n, &in));
	arena_free(&a);
}

/* --- a plain model: all that ever happened, looked through anew each time --- */

enum { EVENTS = 100000 };
static struct {
	int64_t fails[EVENTS], blocks[EVENTS];
	size_t nfails, nblocks;
	int64_t until;
	bool banned;
} model;

static size_t within(const int64_t *at, size_t n, int64_t now, int64_t span)
{
	size_t count = 0;

	while (n && now - at[n - 1] < span) {
		count++;
		n--;
	}
	return count;
}

static enum lockout_effect model_fail(int64_t now)
{
	if (now < model.until)
		return LOCKOUT_UNHEARD;
	model.fails[model.nfails++] = now;
	if (within(model.fails, model.nfails, now, 20 * MIN) < 5)
		return LOCKOUT_COUNTED;
	model.nfails = 0;
	model.blocks[model.nblocks++] = now;
	model.banned = within(model.blocks, model.nblocks, now, 24 * HOUR) >= 3;
	model.until = now + (model.banned ? 24 * HOUR : 20 * MIN);
	return LOCKOUT_CLOSED;
}

static void test_model(void)
{
	struct lockout l = stranger();
	struct arena *a = arena_new(1 << 20);
	size_t effects[4] = { 0 }, bans = 0;
	uint64_t seed = 20260102;
	int64_t now = T0;

	for (int i = 0; i < EVENTS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t dice = seed >> 40;
		static const int64_t steps[] = { 0, 1, 60, 200, 299, 300, 301, 1199, 1200, 20000 };

		now += steps[dice % LENGTH(steps)];
		enum lockout_effect want = model_fail(now), got = fail_at(&l, now);

		if (got != want ||
		    (l.state == LOCKOUT_BANNED) != (now < model.until && model.banned)) {
			CHECK_NUM(got, want);
			CHECK_NUM(l.state == LOCKOUT_BANNED, now < model.until && model.banned);
			break;
		}
		effects[got]++;
		bans += got == LOCKOUT_CLOSED && l.state == LOCKOUT_BANNED;
		if (dice / 16 % 8 == 0) { /* through the store and back */
			struct buf b = buf_new(4096);
			lockout_put(&b, &l);
			struct scan in = scan(buf_str(&b));
			if (!CHECK(lockout_take(&in, &l) && scan_end(&in)))
				break;
			buf_free(&b);
		}
	}
	CHECK(effects[LOCKOUT_CLOSED] > 1000 && effects[LOCKOUT_COUNTED] > 1000 && bans > 100);
	CHECK(effects[LOCKOUT_UNHEARD] > 1000);
	arena_free(&a);
}

static void test_octets(void)
{
	struct lockout l = stranger(), back;
	struct buf b = buf_new(4096);

	five(&l, T0);
	five(&l, T0 + HOUR);
	for (int i = 0; i < 4; i++)
		fail_at(&l, T0 + 2 * HOUR);
	lockout_put(&b, &l);
	CHECK_NUM(b.n, 44);
	printf("a record of 4 errors and 2 blocks: %zu octets\n", b.n);
	struct scan in = scan(buf_str(&b));
	CHECK(lockout_take(&in, &back) && scan_end(&in));
	CHECK(memcmp(&l.fails, &back.fails, sizeof l.fails) == 0 && back.nblocks == 2);
	for (size_t n = 0; n < b.n; n++) { /* cut anywhere */
		in = scan(str_part(buf_str(&b), 0, n));
		CHECK(!lockout_take(&in, &back));
	}
	b.p[18] = (char)200; /* so many errors are none of ours */
	in = scan(buf_str(&b));
	CHECK(!lockout_take(&in, &back));
	buf_free(&b);
}

int main(void)
{
	rules = lockout_rules_default();
	test_block();
	test_window_edge();
	test_ban();
	test_clock_back();
	test_repeats();
	test_by_hand();
	test_key();
	test_net();
	test_model();
	test_octets();
	return check_done();
}
