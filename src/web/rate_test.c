/* SPDX-License-Identifier: ISC */
/* Tests of web/rate.h, and of the texts of web/text.c. */
#include "check.h"
#include "web/web_priv.h"

static struct rates rates;

static void test_budget(void)
{
	int64_t now = 1000000;
	unsigned n = 0;

	while (rate_spend(&rates, S("192.0.2.1"), RATE_WRITE, now))
		n++;
	CHECK_NUM(n, RATE_BUDGET / RATE_WRITE);
	CHECK(!rate_spend(&rates, S("192.0.2.1"), RATE_READ, now));
	CHECK(rate_spend(&rates, S("192.0.2.2"), RATE_WRITE, now));
	CHECK(rate_spend(&rates, S("192.0.2.1"), RATE_READ, now + RATE_REFILL_MS));
	CHECK(!rate_spend(&rates, S("192.0.2.1"), RATE_READ, now + RATE_REFILL_MS));
	now += RATE_BUDGET * RATE_REFILL_MS + 1000;
	CHECK(rate_spend(&rates, S("192.0.2.1"), RATE_BUDGET, now));
	CHECK(!rate_spend(&rates, S("nowhere"), 1, now));
	/* A network of 64 bits is one. */
	CHECK(rate_spend(&rates, S("2001:db8::1"), RATE_BUDGET, now));
	CHECK(!rate_spend(&rates, S("2001:db8::2"), RATE_READ, now));
	CHECK(rate_spend(&rates, S("2001:db8:0:1::1"), RATE_BUDGET, now));
}

/* Many addresses push each other out, but not one that asks all the time. */
static void test_crowd(void)
{
	struct arena *a = arena_new(8 << 20);
	int64_t now = 9000000;
	unsigned refused = 0;

	for (unsigned i = 0; i < 20000; i++) {
		struct str ip = str_fmt(a, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		CHECK(rate_spend(&rates, ip, RATE_READ, now));
		refused += !rate_spend(&rates, S("192.0.2.9"), RATE_READ, now);
	}
	CHECK(refused > 19000);
	arena_free(&a);
}

static void test_texts(void)
{
	struct arena *a = arena_new(1 << 20);
	struct standing s = { .rules = lockout_rules_default(), .state = LOCKOUT_BLOCKED };

	CHECK_STR(text_length(a, 1200, LANG_DE), "20 Minuten");
	CHECK_STR(text_length(a, 60, LANG_EN), "1 minute");
	CHECK_STR(text_length(a, 86400, LANG_DE), "24 Stunden");
	CHECK_STR(text_length(a, 3600, LANG_DE), "1 Stunde");
	CHECK_STR(text_length(a, 90, LANG_EN), "90 seconds");
	CHECK_STR(text_length(a, 5400, LANG_DE), "90 Minuten");
	setenv("TZ", "UTC", 1);
	clock_fake_step(0);
	s.until = clock_wall() / 60 * 60 + 1;
	struct sentence t = text_closed(a, &s);
	CHECK(str_starts(t.de, S("Zugang gesperrt bis ")));
	CHECK(str_ends(t.de, S(" Uhr (UTC): 5 falsche Passw\xc3\xb6rter.")));
	CHECK(str_ends(t.en, S(" (UTC): 5 wrong passwords.")));
	s.state = LOCKOUT_BANNED;
	s.until += 3 * 86400;
	t = text_closed(a, &s);
	CHECK(str_ends(t.de, S("3 Sperren in 24 Stunden.")) && str_has(t.de, ','));
	s.by_hand = true;
	CHECK(str_ends(text_closed(a, &s).en, S(": by the operator.")));
	arena_free(&a);
}

int main(void)
{
	test_budget();
	test_crowd();
	test_texts();
	return check_done();
}
