/* SPDX-License-Identifier: ISC */
#ifndef COURIER_DOWNGRADE_H
#define COURIER_DOWNGRADE_H
/*
 * downgrade.h - a message for a server that takes 7 bits alone: RFC 6152 3. Its bodies get other
 * encodings (mail/recode.h); signatures of domains of ours are made anew, those of others are
 * broken by it (RFC 6376 5.3).
 *
 * For:      the courier's tries. Below: store/, keeper/, mail/recode.h, courier/sign.h.
 * Suspends: downgrade_make, downgrade_read.
 * Memory:   a header; the rest waits in a file without a name, gone with the process.
 */
#include "keeper/keeper.h"
#include "store/store.h"

struct downgraded;

/* The mail begins behind `skip` octets of the blob. folder: where the file is made. E_EXISTS: it
 * has 7 bits already; E_DENIED: a part of it may not be changed; others pass: the keeper, the store
 * or the disk. Owner: caller. */
MUST enum err downgrade_make(struct store *st, struct keeper *k, struct blob_id blob, uint64_t skip,
			     struct str folder, struct downgraded **out);
uint64_t downgrade_size(const struct downgraded *d); /* (quick) */
/* As client_mail.read (smtp/client.h), of a struct downgraded. */
MUST enum err downgrade_read(void *d, uint64_t off, size_t max, struct str *out);
void downgrade_close(struct downgraded **d); /* NULL is fine */

#endif
