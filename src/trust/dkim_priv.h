/* SPDX-License-Identifier: ISC */
#ifndef TRUST_DKIM_PRIV_H
#define TRUST_DKIM_PRIV_H
/* dkim_priv.h - what signing and verifying share. */
#include "base/buf.h"
#include "trust/dkim.h"

/* E_LIMIT: too many fields. SHA-256 of the fields that h names (colons between), of each name from
 * the last one upward (RFC 6376 5.4.2; one that is not there counts for nothing), and of the
 * signature's own field at the end with nothing behind "b=" and no CRLF (3.7). field: such a one.
 */
MUST enum err dkim_header_digest(struct str header, struct str h, bool relaxed, struct str field,
				 uint8_t out[DKIM_DIGEST]);
enum { DKIM_FIELDS_MAX = 4096, DKIM_NAMES_MAX = 512 };

#endif
