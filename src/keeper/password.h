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
	PASSWORD_CHAR,    /* an ASCII character that is not in the list: space, control */
	PASSWORD_8BIT,    /* an umlaut or another character beyond ASCII */
	PASSWORD_CLASSES, /* fewer kinds of characters than the operator wants */
	PASSWORD_LEAKED,  /* on the operator's list of leaked ones: keeper/leaked.h */
	PASSWORD_FAULTS
};
struct password_policy {
	unsigned min;     /* characters; PASSWORD_MIN is the least */
	unsigned classes; /* of the 4 kinds of characters so many must be there; 0: advice only */
	bool leaked;      /* the caller has found it on the list */
	struct str user;  /* the user's address, which counts little in a password; "": not known */
};
struct password_verdict {
	enum password_fault fault;
	/* for programs: "ok", "too_short", "too_long", "bad_char", "umlaut", "too_few_classes",
	 * "leaked" */
	char word[16];
	char which[8];         /* the character refused, in UTF-8, or "" */
	char de[160], en[160]; /* a sentence each */
	struct password_strength {
		unsigned score;        /* 0 (guessed at once) .. 4 (good for long) */
		char de[160], en[160]; /* advice, a sentence each */
	} strength;                    /* of one that is accepted */
};
/* At least min and at most PASSWORD_MAX of A-Z a-z 0-9 and the 32 specials
 * !"#$%&'()*+,-./:;<=>?@[\]^_`{|}~. The first fault is told: a character, the length, the
 * kinds, the list. */
struct password_verdict password_rule(struct str password, const struct password_policy *p);

/* How many of the four kinds are there: lower case, upper case, digits, specials. */
unsigned password_classes(struct str password);
/* An estimate, explained in docs/passwords.md: length first. user as in the policy. */
struct password_strength password_estimate(struct str password, struct str user);

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
