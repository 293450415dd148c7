/* SPDX-License-Identifier: ISC */
/* Notes are found again, told apart, and dropped after a week. */
#include <openssl/evp.h>

#include "base/clock.h"
#include "check.h"
#include "smtp/partly.h"

enum { MANY = 1300 };

static struct str *keys_of(struct arena *a, struct str text, struct path from,
			   const struct partly_to *d, size_t n)
{
	void *digest = partly_digest();

	partly_digest_add(digest, text);
	struct str *key = partly_keys(a, digest, from, d, n);
	EVP_MD_CTX_free(digest);
	return key;
}

static void told_apart(struct arena *a)
{
	struct partly_to d[] = { { 1, S("") }, { 2, S("") }, { 1, S("x") }, { 0, S("x") } };
	struct path from = { S("a"), S("b.test") }, other = { S("b"), S("b.test") };
	struct str *key = keys_of(a, S("message"), from, d, 4);

	CHECK_NUM(key[0].n, 32);
	CHECK(!str_eq(key[0], key[1]) && !str_eq(key[0], key[2]));
	CHECK(!str_eq(key[2], key[3]));
	CHECK(str_eq(key[0], keys_of(a, S("message"), from, d, 1)[0]));
	CHECK(!str_eq(key[0], keys_of(a, S("message."), from, d, 1)[0]));
	CHECK(!str_eq(key[0], keys_of(a, S("message"), other, d, 1)[0]));
}

static void remembered(struct store *st, struct arena *a)
{
	static struct partly_to d[MANY];
	static bool note[MANY], had[MANY];
	struct path from = { 0 };
	bool any = true;
	unsigned found = 0, wrong = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		d[i].account = i + 1;
		note[i] = i % 3 != 0;
	}
	struct str *key = keys_of(a, S("message"), from, d, MANY);

	CHECK_NUM(partly_any(st, &any), OK);
	CHECK(!any);
	CHECK_NUM(partly_had(st, key, MANY, had), OK);
	CHECK(!had[1]);
	CHECK_NUM(partly_note(st, key, MANY, note), OK);
	CHECK_NUM(partly_any(st, &any), OK);
	CHECK(any);
	CHECK_NUM(partly_had(st, key, MANY, had), OK);
	for (size_t i = 0; i < MANY; i++) {
		found += had[i];
		wrong += had[i] != note[i];
	}
	CHECK_NUM(wrong, 0);
	CHECK(found > 0);

	clock_fake_step((int64_t)6 * 24 * 3600 * 1000);
	CHECK_NUM(partly_any(st, &any), OK);
	CHECK_NUM(partly_had(st, key, MANY, had), OK);
	CHECK(any && had[1]);
	clock_fake_step((int64_t)2 * 24 * 3600 * 1000);
	for (unsigned i = 0; i < 4; i++)
		CHECK_NUM(partly_any(st, &any), OK);
	CHECK(!any);
	CHECK_NUM(partly_had(st, key, MANY, had), OK);
	CHECK(!had[1]);
}

static void all(void *arg)
{
	struct arena *a = arena_new(4 << 20);
	struct store *st;
	struct str why;

	(void)arg;
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	told_apart(a);
	remembered(st, a);
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(all, NULL);
	return check_done();
}
