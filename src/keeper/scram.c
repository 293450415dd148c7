/* SPDX-License-Identifier: ISC */
/* keeper/scram.c - SCRAM-SHA-256's keys, in the words of RFC 5802 3. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "keeper/scram.h"

static void hmac(const uint8_t key[SCRAM_KEY], struct str text, uint8_t out[SCRAM_KEY])
{
	unsigned n = 0;

	BUG_IF(!HMAC(EVP_sha256(), key, SCRAM_KEY, (const uint8_t *)(text.p ? text.p : ""), text.n,
		     out, &n) ||
	       n != SCRAM_KEY);
}

static void hash(const uint8_t in[SCRAM_KEY], uint8_t out[SCRAM_KEY])
{
	BUG_IF(!EVP_Digest(in, SCRAM_KEY, out, NULL, EVP_sha256(), NULL));
}

enum err scram_derive(struct str password, const uint8_t salt[SCRAM_SALT], uint32_t iterations,
		      struct scram *out)
{
	uint8_t salted[SCRAM_KEY], client[SCRAM_KEY];

	*out = (struct scram){ .iterations = iterations };
	memcpy(out->salt, salt, SCRAM_SALT);
	if (password.n > 1024 || iterations == 0 || iterations > INT32_MAX ||
	    !PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n, salt, SCRAM_SALT,
			       (int)iterations, EVP_sha256(), SCRAM_KEY, salted)) {
		out->iterations = 0;
		return E_IO;
	}
	hmac(salted, S("Client Key"), client);
	hash(client, out->stored);
	hmac(salted, S("Server Key"), out->server);
	sodium_memzero(salted, sizeof(salted));
	sodium_memzero(client, sizeof(client));
	return OK;
}

enum err scram_make(struct str password, struct scram *out)
{
	uint8_t salt[SCRAM_SALT];

	*out = (struct scram){ 0 };
	for (size_t i = 0; i < password.n; i++)
		if (password.p[i] < ' ' || password.p[i] > '~')
			return OK;
	randombytes_buf(salt, sizeof(salt));
	return scram_derive(password, salt, SCRAM_ITERATIONS, out);
}

bool scram_proof_ok(const struct scram *s, struct str auth_message, const uint8_t proof[SCRAM_KEY])
{
	uint8_t client[SCRAM_KEY], stored[SCRAM_KEY];

	if (!s->iterations)
		return false;
	hmac(s->stored, auth_message, client); /* ClientSignature */
	for (size_t i = 0; i < SCRAM_KEY; i++)
		client[i] ^= proof[i];
	hash(client, stored);
	sodium_memzero(client, sizeof(client));
	return sodium_memcmp(stored, s->stored, SCRAM_KEY) == 0;
}

void scram_signature(const struct scram *s, struct str auth_message, uint8_t out[SCRAM_KEY])
{
	hmac(s->server, auth_message, out);
}
