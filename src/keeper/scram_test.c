/* SPDX-License-Identifier: ISC */
/* The exchange of RFC 7677 3, from the server's side. */
#include "base/encode.h"
#include "check.h"
#include "keeper/scram.h"

static struct arena *a;

static struct str octets(const char *base64)
{
	struct str s = S("");

	CHECK(base64_decode(a, str_of(base64), &s));
	return s;
}

#define NONCE "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

static void test_exchange(void)
{
	struct str salt = octets("W22ZaJ0SNY7soEsUEjb6gQ==");
	struct str proof = octets("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	struct str message = S("n=user,r=rOprNGfwEbeRWgbNEkqO,r=" NONCE
			       ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=" NONCE);
	uint8_t other[SCRAM_KEY], signature[SCRAM_KEY];
	struct scram s, none = { 0 };

	CHECK_NUM(salt.n, SCRAM_SALT);
	CHECK_NUM(proof.n, SCRAM_KEY);
	CHECK_NUM(scram_derive(S("pencil"), (const uint8_t *)salt.p, 4096, &s), OK);
	CHECK(scram_proof_ok(&s, message, (const uint8_t *)proof.p));
	scram_signature(&s, message, signature);
	CHECK_STR(base64_encode(a, STR((char *)signature, SCRAM_KEY)),
		  "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

	memcpy(other, proof.p, SCRAM_KEY);
	other[31] ^= 1;
	CHECK(!scram_proof_ok(&s, message, other));
	CHECK(!scram_proof_ok(&s, str_from(message, 1), (const uint8_t *)proof.p));
	CHECK(!scram_proof_ok(&none, message, (const uint8_t *)proof.p));
	CHECK_NUM(scram_derive(S("Pencil"), (const uint8_t *)salt.p, 4096, &s), OK);
	CHECK(!scram_proof_ok(&s, message, (const uint8_t *)proof.p));
	CHECK_NUM(scram_derive(S("pencil"), (const uint8_t *)salt.p, 0, &s), E_IO);
	CHECK_NUM(s.iterations, 0);
}

static void test_make(void)
{
	struct scram one, two, again;

	CHECK_NUM(scram_make(S("Right-1-Horse"), &one), OK);
	CHECK_NUM(scram_make(S("Right-1-Horse"), &two), OK);
	CHECK_NUM(one.iterations, SCRAM_ITERATIONS);
	CHECK(memcmp(one.salt, two.salt, SCRAM_SALT) != 0);
	CHECK(memcmp(one.stored, two.stored, SCRAM_KEY) != 0);
	CHECK_NUM(scram_derive(S("Right-1-Horse"), one.salt, one.iterations, &again), OK);
	CHECK(memcmp(&one, &again, sizeof(one)) == 0);
	/* What clients would not prepare alike gets none. */
	CHECK_NUM(scram_make(S("gr\xc3\xbc\xc3\x9f-12345"), &one), OK);
	CHECK_NUM(one.iterations, 0);
	CHECK_NUM(scram_make(S("tab\tbed-12345"), &one), OK);
	CHECK_NUM(one.iterations, 0);
}

int main(void)
{
	a = arena_new(1 << 16);
	test_exchange();
	test_make();
	arena_free(&a);
	return check_done();
}
