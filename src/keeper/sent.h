/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SENT_H
#define KEEPER_SENT_H
/*
 * sent.h - the records of keeper/sending.h as they are kept: in memory for those accounts that
 * send just now, and in the store, partition "sent/<account>", key "r".
 *
 * A message costs no sync: records that have changed are written within SENT_WRITE_MS, many in
 * one commit. A crash loses so much of the counts; nothing else hangs on them.
 *
 * Bounded: SENT_ACCOUNTS records in memory, 17 KB each; the one that was used longest ago goes.
 *
 * Suspends: every call.
 * Errors:   any call may return what store_read and store_update do.
 */
#include "keeper/sending.h"
#include "store/store.h"

enum { SENT_ACCOUNTS = 1024, SENT_WRITE_MS = 1000 };

struct sent;
MUST enum err sent_new(struct store *st, struct sending_counts conf, struct sent **out);
void sent_configure(struct sent *s, struct sending_counts conf); /* (quick) */
void sent_close(struct sent **s);                                /* writes what has changed */

/* May one more recipient be added to a message that has so many already? Counts nothing. */
MUST enum err sent_ask(struct sent *s, uint32_t account, struct str address,
		       struct sending_counts already, struct sending_verdict *out);
/* The message to these (hashes of sent_ask, which are sorted here): counts it, if it still fits.
 * What is decided here holds, however many ask at once. */
MUST enum err sent_count(struct sent *s, uint32_t account, uint32_t *hash, size_t n,
			 struct sending_verdict *out);

struct sent_state {
	struct sending_counts used, limits, own; /* own: SENDING_DEFAULT where none was set */
};
MUST enum err sent_show(struct sent *s, uint32_t account, struct sent_state *out);
/* Limits of one account, durably; what is SENDING_KEEP stays as it is. */
MUST enum err sent_limit(struct sent *s, uint32_t account, struct sending_counts own);

/* Everything of an account that is gone, from the store alone and from memory too. */
MUST enum err sent_delete(struct store *st, uint32_t account);
MUST enum err sent_forget(struct sent *s, uint32_t account);

#endif
