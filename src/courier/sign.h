/* SPDX-License-Identifier: ISC */
#ifndef COURIER_SIGN_H
#define COURIER_SIGN_H
/*
 * sign.h - DKIM signatures of mail that the server itself writes: bounces, reports.
 *
 * For:      whoever composes such mail in this room. Below: keeper/, trust/dkim.h.
 * Suspends: own_sign.
 */
#include "base/buf.h"
#include "keeper/keeper.h"
#include "trust/dkim.h"

enum { OWN_SIGN_MEMORY = 512 << 10 }; /* of the arena, at most */

/*
 * The DKIM-Signature fields of a message, to be written in front of it: from is the address in its
 * From field; the message is the parts one after the other, its header with the empty line in the
 * first. OK: *out is "" where the domain has no keys. E_SYNTAX: there is no empty line; others: the
 * keeper cannot sign just now.
 */
MUST enum err own_sign(struct keeper *k, struct path from, const struct str *part, size_t n,
		       struct arena *a, struct str *out);
/* The same where the body went by in pieces: dkim_body_end of one that is relaxed, and all of it.
 */
MUST enum err own_sign_body(struct keeper *k, struct path from, struct str header,
			    const uint8_t body[DKIM_DIGEST], struct arena *a, struct str *out);

#endif
