/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SCRAM_H
#define KEEPER_SCRAM_H
/*
 * scram.h - what the server keeps for SCRAM-SHA-256: RFC 5802 3, RFC 7677.
 *
 * Pure functions. scram_make takes tens of milliseconds: call it through work_run.
 */
#include "base/base.h"

/* More than RFC 7677 4 asks for (4096): whoever steals a verifier can guess passwords by it, and
 * the iterations are all that slows him down. The client pays for them at each login. */
enum { SCRAM_ITERATIONS = 100000, SCRAM_SALT = 16, SCRAM_KEY = 32 };

struct scram {
	uint32_t iterations; /* 0: there is no verifier */
	uint8_t salt[SCRAM_SALT];
	uint8_t stored[SCRAM_KEY], server[SCRAM_KEY]; /* StoredKey, ServerKey */
};

/* With a salt of its own. iterations stays 0 where the password has other characters than
 * printable ASCII, which clients do not prepare alike (SASLprep, RFC 5802 2.2). E_IO. */
MUST enum err scram_make(struct str password, struct scram *out);
/* The same for a given salt and number of iterations. */
MUST enum err scram_derive(struct str password, const uint8_t salt[SCRAM_SALT], uint32_t iterations,
			   struct scram *out);

/* Is the ClientProof right for this AuthMessage? In constant time. */
bool scram_proof_ok(const struct scram *s, struct str auth_message, const uint8_t proof[SCRAM_KEY]);
void scram_signature(const struct scram *s, struct str auth_message, uint8_t out[SCRAM_KEY]);

#endif
