/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SENDING_H
#define KEEPER_SENDING_H
/*
 * sending.h - how much an account sends: messages, recipients, and among these strangers, to whom
 * it has never written. Counted by the hour; what counts is the running hour and the 24 before
 * it, so that in no 24 hours more is sent than the limit.
 *
 * Bounded: one record an account, SENDING_OCTETS at most. Whom it has written to is kept as
 * SENDING_KNOWN hashes of 32 bits under a key of the account's own; then the oldest goes, and
 * who comes back after so many others counts as a stranger once more. The other way round, one
 * stranger in a million has the hash of somebody known and is not counted as one.
 *
 * Never suspends. keeper/sent.h keeps the records.
 */
#include "base/buf.h"

enum {
	SENDING_HOURS = 25,
	SENDING_KNOWN = 4096,
	SENDING_VERSION = 1,
	SENDING_OCTETS = 1 + 12 + 8 + 1 + 16 * SENDING_HOURS + 16 + 4 + 4 * SENDING_KNOWN,
	SENDING_TELL_S = 24 * 3600, /* the operator is told once in that time */
};

enum sending_what { SENDING_FITS, SENDING_MESSAGES, SENDING_RECIPIENTS, SENDING_STRANGERS };

/* Counts, or limits (0: none). */
struct sending_counts {
	uint32_t messages, recipients, strangers;
};
#define SENDING_DEFAULT UINT32_MAX       /* in sending_record.own: as configured */
#define SENDING_KEEP    (UINT32_MAX - 1) /* in a change of it: stays as it is */

/* What the keeper says to a recipient, or to a message. */
struct sending_verdict {
	enum sending_what what; /* SENDING_FITS, or whose limit is reached */
	uint32_t limit;         /* that limit */
	bool tell;              /* the operator is to be told: once a day and account */
	uint32_t hash;          /* of the recipient */
	bool stranger;          /* the account has not written to him */
};

struct sending_record {
	struct sending_counts own; /* limits of this account */
	int64_t told;              /* when the operator was told last; UTC seconds */
	struct {
		uint32_t hour; /* since 1970 */
		struct sending_counts n;
	} slot[SENDING_HOURS]; /* of hour % SENDING_HOURS */
	uint8_t key[16];       /* random */
	uint32_t nknown,
		next; /* known is a ring: the next place, where the oldest is if it is full */
	uint32_t known[SENDING_KNOWN];
};

void sending_fresh(struct sending_record *r); /* with a key of its own */
/* E_VERSION, E_CORRUPT. */
MUST enum err sending_decode(struct str value, struct sending_record *out);
void sending_encode(struct buf *b, const struct sending_record *r); /* max: SENDING_OCTETS */

/* The limits that hold, of the account's own and the configuration's. */
struct sending_counts sending_limits(const struct sending_record *r, struct sending_counts conf);
/* What was sent in the time that counts. */
struct sending_counts sending_used(const struct sending_record *r, int64_t now);
/* Would so much more pass? If not, which limit forbids it. */
enum sending_what sending_check(struct sending_counts limits, struct sending_counts used,
				struct sending_counts more);

/* address: user@domain; the case of ASCII letters does not count. */
uint32_t sending_hash(const struct sending_record *r, struct str address);
bool sending_knows(const struct sending_record *r, uint32_t hash);
/* How many different ones of these it does not know. Sorts the hashes. */
uint32_t sending_strangers(const struct sending_record *r, uint32_t *hash, size_t n);
/* One message to these, sorted by sending_strangers; from now on they are known. */
void sending_add(struct sending_record *r, int64_t now, const uint32_t *hash, size_t n);
/* Is the operator to be told? Once in SENDING_TELL_S. */
bool sending_tell(struct sending_record *r, int64_t now);

#endif
