/* SPDX-License-Identifier: ISC */
/* What counts of what an account sends, hour by hour, and whom it knows. */
#include "check.h"
#include "keeper/sending.h"

enum { HOUR = 3600, NOON = 500000 * HOUR };

static struct sending_record r;

static void send_to(int64_t now, const char *const *who, size_t n)
{
	uint32_t hash[8];

	for (size_t i = 0; i < n; i++)
		hash[i] = sending_hash(&r, str_of(who[i]));
	sending_strangers(&r, hash, n);
	sending_add(&r, now, hash, n);
}

static void used(int64_t now, uint32_t messages, uint32_t recipients, uint32_t strangers)
{
	struct sending_counts n = sending_used(&r, now);

	CHECK_NUM(n.messages, messages);
	CHECK_NUM(n.recipients, recipients);
	CHECK_NUM(n.strangers, strangers);
}

static void test_window(void)
{
	static const char *const first[] = { "a@x.test", "b@x.test", "B@X.test" };
	static const char *const second[] = { "b@x.test", "c@x.test" };

	sending_fresh(&r);
	used(NOON, 0, 0, 0);
	send_to(NOON, first, 3);
	used(NOON, 1, 3, 2);
	send_to(NOON + HOUR, second, 2);
	used(NOON + HOUR, 2, 5, 3);
	used(NOON + 24 * HOUR, 2, 5, 3);
	used(NOON + 25 * HOUR - 1, 2, 5, 3);
	used(NOON + 25 * HOUR, 1, 2, 1);
	used(NOON + 26 * HOUR, 0, 0, 0);
	send_to(NOON + 25 * HOUR, first, 1); /* takes the place of the first hour */
	used(NOON + 25 * HOUR, 2, 3, 1);
	used(NOON + 24 * HOUR, 2, 3, 1); /* the clock was set back by an hour */
	used(NOON - 48 * HOUR, 0, 0, 0); /* and by days: it had been wrong */
}

static void test_limits(void)
{
	static const struct {
		struct sending_counts limits, used, more;
		enum sending_what want;
	} table[] = {
		{ { 2, 5, 3 }, { 1, 4, 2 }, { 1, 1, 1 }, SENDING_FITS },
		{ { 2, 5, 3 }, { 2, 0, 0 }, { 1, 1, 0 }, SENDING_MESSAGES },
		{ { 2, 5, 3 }, { 1, 5, 0 }, { 1, 1, 0 }, SENDING_RECIPIENTS },
		{ { 2, 5, 3 }, { 1, 1, 3 }, { 1, 1, 1 }, SENDING_STRANGERS },
		{ { 2, 5, 3 }, { 1, 1, 3 }, { 1, 1, 0 }, SENDING_FITS },
		{ { 2, 5, 3 }, { 1, 1, 9 }, { 1, 1, 0 }, SENDING_FITS }, /* it was higher once */
		{ { 0, 0, 0 }, { 9, 9, 9 }, { 1, 9, 9 }, SENDING_FITS },
		{ { 0, UINT32_MAX, 0 }, { 9, UINT32_MAX, 9 }, { 1, 9, 9 }, SENDING_RECIPIENTS },
	};
	struct sending_counts conf = { 10, 20, 30 }, now;

	for (size_t i = 0; i < LENGTH(table); i++)
		CHECK_NUM(sending_check(table[i].limits, table[i].used, table[i].more),
			  table[i].want);
	sending_fresh(&r);
	r.own.recipients = 0;
	r.own.strangers = 7;
	now = sending_limits(&r, conf);
	CHECK_NUM(now.messages, 10);
	CHECK_NUM(now.recipients, 0);
	CHECK_NUM(now.strangers, 7);
	CHECK(sending_tell(&r, NOON));
	CHECK(!sending_tell(&r, NOON + SENDING_TELL_S - 1));
	CHECK(sending_tell(&r, NOON + SENDING_TELL_S));
	CHECK(sending_tell(&r, NOON)); /* set back */
}

/* The ring is full: the oldest goes, and the record comes back from the store as it was. */
static void test_many(void)
{
	static struct sending_record back;
	struct buf b = buf_new(SENDING_OCTETS);
	uint32_t fresh[3] = { 3, 7, 7 };

	sending_fresh(&r);
	for (uint32_t i = 0; i < SENDING_KNOWN + 10; i++)
		sending_add(&r, NOON + (int64_t)i * 60, &(uint32_t){ i * 2654435761U }, 1);
	CHECK_NUM(r.nknown, SENDING_KNOWN);
	CHECK(!sending_knows(&r, 0));
	CHECK(!sending_knows(&r, 9 * 2654435761U));
	CHECK(sending_knows(&r, 10 * 2654435761U));
	sending_encode(&b, &r);
	CHECK(!b.full && b.n == SENDING_OCTETS);
	CHECK_NUM(sending_decode(buf_str(&b), &back), OK);
	CHECK_NUM(sending_used(&back, NOON).messages, sending_used(&r, NOON).messages);
	sending_add(&back, NOON, fresh, 1);
	CHECK(!sending_knows(&back, 10 * 2654435761U));
	CHECK(sending_knows(&back, 11 * 2654435761U));
	CHECK_NUM(sending_strangers(&back, fresh, 3), 1);
	for (size_t n = 0; n < b.n; n += n < 500 ? 1 : 997)
		CHECK_NUM(sending_decode(str_part(buf_str(&b), 0, n), &back), E_CORRUPT);
	b.p[0] = 9;
	CHECK_NUM(sending_decode(buf_str(&b), &back), E_VERSION);
	buf_free(&b);
}

int main(void)
{
	test_window();
	test_limits();
	test_many();
	return check_done();
}
