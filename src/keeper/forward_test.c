/* SPDX-License-Identifier: ISC */
/* Senders of forwarded mail, there and back over a store. */
#include "keeper/forward.h"

#include "base/clock.h"
#include "keeper/keeper_test.h"
#include "keeper/srs.h"

enum { DAY_MS = 24 * 3600 * 1000 };
static struct arena *a;
static struct store *st;

static struct str rewritten(const char *sender, enum err want)
{
	struct path p = { 0 };
	struct str out = S("");

	if (*sender)
		CHECK_NUM(path_parse(a, str_of(sender), &p), OK);
	CHECK_NUM(forward_rewrite(st, p, S("Example.test"), a, &out), want);
	return out;
}

static void leads_back(struct str address, const char *to, enum err want)
{
	struct path p;
	struct route r = { 0 };

	CHECK_NUM(path_parse(a, address, &p), OK);
	CHECK_NUM(forward_back(st, p, a, &r), want);
	if (want)
		return;
	CHECK_STR(r.address, to);
	CHECK(r.back && !r.account);
}

static unsigned count_kept(void);

static void both_ways(void)
{
	static const char *const senders[] = {
		"joe@far.test",
		"bounces+12345-abcdef-somebody=example.test@mail.newsletter.far.test",
		"\"joe doe\"@far.test",
		"j\xc3\xb6@far.test",
	};
	struct str first[LENGTH(senders)];

	leads_back(S("SRS0=aaaaaaaa=aa=far.test=joe@example.test"), "",
		   E_NOTFOUND); /* no key yet */
	for (size_t i = 0; i < LENGTH(senders); i++) {
		first[i] = rewritten(senders[i], OK);
		CHECK(str_ends(first[i], S("@example.test")) && str_starts(first[i], S("SRS0=")));
		CHECK(first[i].n <= SRS_LOCAL_MAX + 13);
		leads_back(first[i], senders[i], OK);
		leads_back(str_lower(a, first[i]), senders[i], OK);
		CHECK(str_eq(first[i], rewritten(senders[i], OK))); /* nothing is kept twice */
	}
	CHECK_NUM(count_kept(), 3);
	CHECK_STR(rewritten("demo1@example.test", OK), "demo1@example.test");
	CHECK_STR(rewritten("", OK), "");
	leads_back(
		str_fmt(a, "%.*s@else.test", FMT(str_part(first[0], 0, str_find(first[0], '@')))),
		"", E_DENIED);

	clock_fake_step((int64_t)SRS_DAYS * DAY_MS);
	for (size_t i = 0; i < LENGTH(senders); i++)
		leads_back(first[i], senders[i], OK);
	clock_fake_step(DAY_MS);
	for (size_t i = 0; i < LENGTH(senders); i++)
		leads_back(first[i], "", E_NOTFOUND);
	rewritten(senders[1], OK); /* with a new one, old ones go */
	CHECK_NUM(count_kept(), 1);
}

static enum err fill(struct tx *tx, void *arg)
{
	(void)arg;
	tx_number_put(tx, S("n"), FORWARD_KEPT);
	return OK;
}

/* Anybody can have senders kept: there is an end to it, and to no mail. */
static void bounded(void)
{
	struct str address = S("");

	for (unsigned i = 0; i < 300; i++)
		rewritten(str_c(a, str_fmt(a, "\"joe %u\"@far.test", i)), OK);
	clock_fake_step(DAY_MS);
	CHECK_NUM(count_kept(), 301);
	CHECK_NUM(store_update(st, S("srs"), fill, NULL), OK);
	address = rewritten("\"one more\"@far.test", OK);
	CHECK_NUM(count_kept(), 102); /* the oldest went, many at once */
	leads_back(address, "\"one more\"@far.test", OK);
	rewritten("\"and one\"@far.test", OK);
	CHECK_NUM(count_kept(), 103);
}

static enum err count(struct tx *tx, void *arg)
{
	struct str key = S(""), value;

	*(unsigned *)arg = 0;
	while (tx_next(tx, S(""), key, &key, &value) == OK) {
		key = str_dup(tx_arena(tx), key);
		*(unsigned *)arg += str_has(key, '/');
	}
	return OK;
}

static unsigned count_kept(void)
{
	unsigned n = 0;

	CHECK_NUM(store_read(st, S("srs"), count, &n), OK);
	return n;
}

static void all(void *arg)
{
	(void)arg;
	a = arena_new(16 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	both_ways();
	bounded();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(all, NULL);
	return check_done();
}
