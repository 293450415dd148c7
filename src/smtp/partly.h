/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PARTLY_H
#define SMTP_PARTLY_H
/*
 * partly.h - who has a message already that others did not get.
 *
 * SMTP has one answer for all recipients of a message. Where some have it and for others it
 * failed, the answer is "try again", and the next try must not give it to the first ones a
 * second time: they are noted here, in the store, since the next try may come to another
 * process. A note is a hash of message, sender and recipient, kept for a week (longer than a
 * sender tries: RFC 5321 4.5.4.1). Hardly ever needed: full mailboxes are refused at RCPT.
 * Suspends: all with a store. Errors: those of the store.
 */
#include "base/base.h"
#include "store/store.h"
#include "mail/address.h"

/* Is there any note? If not, nothing needs to be hashed. Drops those that are too old. */
MUST enum err partly_any(struct store *st, bool *any);

void *partly_digest(void); /* owned by the caller: EVP_MD_CTX_free */
void partly_digest_add(void *digest, struct str octets);
struct partly_to {
	uint32_t account; /* 0: somebody elsewhere */
	struct str name;  /* the mailbox, or the address */
};
/* The key of each recipient of the message whose octets went into digest, in a. */
struct str *partly_keys(struct arena *a, const void *digest, struct path from,
			const struct partly_to *to, size_t n);

/* had[i]: there is a note for key[i]. */
MUST enum err partly_had(struct store *st, const struct str *key, size_t n, bool *had);
/* Notes those keys for which note[i]. */
MUST enum err partly_note(struct store *st, const struct str *key, size_t n, const bool *note);

#endif
