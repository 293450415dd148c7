/* SPDX-License-Identifier: ISC */
/* Keys of a domain: how they come, sign and go; that private ones are gone when they are retired.
 */
#include <openssl/evp.h>

#include "fiber/fiber.h"
#include "keeper/dkim.h"
#include "keeper/keeper_test.h"

static struct arena *a;
static struct store *st;
static const struct str domain = { "example.org", 11 };

static struct dkim_keys keys(void)
{
	struct dkim_keys k;

	CHECK_NUM(dkim_keys(st, domain, a, &k), OK);
	return k;
}

static void check_states(size_t n, const char *want)
{
	struct dkim_keys k = keys();

	if (!CHECK_NUM(k.n, n))
		return;
	for (size_t i = 0; i < n; i++) {
		CHECK_NUM(k.key[i].state, want[i] - '0');
		CHECK_NUM(k.key[i].kind, i % 2 ? KIND_ED25519 : KIND_RSA);
		CHECK((k.key[i].secret.n == 0) == (k.key[i].state == DKIM_RETIRED));
		CHECK(k.key[i].open.n > 0);
	}
}

static void test_life(void)
{
	check_states(0, "");
	CHECK_NUM(dkim_rotate(st, domain, true), E_NOTFOUND);
	CHECK_NUM(dkim_retire(st, domain, true), E_NOTFOUND);
	CHECK_NUM(dkim_add(st, domain, a), OK);
	check_states(2, "22");
	CHECK_NUM(dkim_add(st, domain, a), OK);
	check_states(4, "2211");
	CHECK_NUM(dkim_add(st, domain, a), E_EXISTS);
	CHECK_NUM(dkim_rotate(st, domain, false), E_DENIED);
	check_states(4, "2211");
	CHECK_NUM(dkim_rotate(st, domain, true), OK);
	check_states(4, "3322");
	CHECK_NUM(dkim_rotate(st, domain, true), E_NOTFOUND);
	CHECK_NUM(dkim_retire(st, domain, false), E_DENIED);
	CHECK_NUM(dkim_retire(st, domain, true), OK);
	check_states(2, "22");
	for (int i = 0; i < 3; i++) {
		CHECK_NUM(dkim_add(st, domain, a), OK);
		CHECK_NUM(dkim_rotate(st, domain, true), OK);
	}
	check_states(8, "33333322");
	struct dkim_keys k = keys();
	for (size_t i = 0; i < k.n; i++) /* all made within seconds */
		for (size_t j = 0; j < i; j++)
			CHECK(!str_eq(k.key[i].selector, k.key[j].selector));
	CHECK_NUM(dkim_add(st, domain, a), E_LIMIT);
}

/* RSA has 256 octets; Ed25519 is verified with the public key of the record. */
static void test_sign(void)
{
	struct dkim_keys k = keys();
	const struct dkim_pair_key *rsa = &k.key[6], *ed = &k.key[7];
	struct str digest = S("0123456789abcdef0123456789abcdef"), sig = S("");

	CHECK_NUM(dkim_sign(rsa, digest, a, &sig), OK);
	CHECK_NUM(sig.n, 256);
	CHECK_NUM(dkim_sign(ed, digest, a, &sig), OK);
	EVP_PKEY *open = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
						     (const unsigned char *)ed->open.p, ed->open.n);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	CHECK(open && EVP_DigestVerifyInit(c, NULL, NULL, NULL, open) == 1 &&
	      EVP_DigestVerify(c, (const unsigned char *)sig.p, sig.n,
			       (const unsigned char *)digest.p, digest.n) == 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(open);
	CHECK_NUM(dkim_sign(&k.key[0], digest, a, &sig), E_IO); /* retired */
	CHECK_NUM(dkim_sign(rsa, S("short"), a, &sig), E_SYNTAX);
}

static void test_record(void)
{
	struct dkim_keys k = keys(), again;
	struct str octets = dkim_record(a, &k);

	CHECK_NUM(dkim_read(octets, a, &again), OK);
	CHECK(str_eq(octets, dkim_record(a, &again)));
	for (size_t n = 1; n < octets.n; n++)
		CHECK_NUM(dkim_read(str_part(octets, 0, n), a, &again), E_CORRUPT);
	CHECK_NUM(dkim_read(S(""), a, &again), E_CORRUPT);
	CHECK_NUM(dkim_read(S("\002"), a, &again), E_VERSION);
	CHECK_NUM(dkim_forget(st, domain), OK);
	check_states(0, "");
}

static void run(void *arg)
{
	(void)arg;
	a = arena_new(4 << 20);
	st = test_store(a);
	test_life();
	test_sign();
	test_record();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
