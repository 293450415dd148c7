/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_PASSWORD_H
#define KEEPER_PASSWORD_H
/*
 * password.h - the rule for new passwords, and hashes: ours and those that users bring along.
 *
 * Pure functions; hashing takes tens of milliseconds and 16 MiB: call it through work_run.
 */
#include "base/base.h"

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 128, HASH_MAX = 512 };

/* --- the rule (for new passwords only; those brought along stay as they are) --- */

enum password_fault {
	PASSWORD_OK,
	PASSWORD_SHORT,
	PASSWORD_LONG,
	PASSWORD_CHAR, /* an ASCII character that is not in the list: space, control */
	PASSWORD_8BIT, /* an umlaut or another character beyond ASCII */
	PASSWORD_FAULTS
};
struct password_verdict {
	enum password_fault fault;
	char word[16]; /* for programs: "ok", "too_short", "too_long", "bad_char", "umlaut" */
	char which[8]; /* the character refused, in UTF-8, or "" */
	char de[160], en[160]; /* a sentence each */
};
/* At least min (and PASSWORD_MIN) and at most PASSWORD_MAX of A-Z a-z 0-9 and the 32 specials
 * !"#$%&'()*+,-./:;<=>?@[\]^_`{|}~. The first fault is told; length comes last. */
struct password_verdict password_rule(struct str password, unsigned min);

/* --- hashes --- */

/* yescrypt with libxcrypt's default cost. E_IO: no randomness, no memory. */
MUST enum err password_hash(struct arena *a, struct str password, struct str *out);

/* Is it a hash that password_verify can check? why: a sentence for the operator. Any crypt(3)
 * hash of libxcrypt, bare or behind {CRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT}, {MD5-CRYPT},
 * {BLF-CRYPT}; and {SHA}, {SSHA}, {SHA256}, {SSHA256}, {SHA512}, {SSHA512} with ".b64" or
 * ".hex" behind the name as Dovecot has it. E_SYNTAX. */
MUST enum err password_hash_known(struct str hash, const char **why);

/* Compares in constant time. E_DENIED: another password, or no hash that can be checked. */
MUST enum err password_verify(struct str hash, struct str password);

/* True for hashes of password_hash's kind: the others are checked faster, and the difference
 * must not be told by a clock. */
bool password_is_own(struct str hash);

#endif
