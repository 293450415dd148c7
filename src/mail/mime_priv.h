/* SPDX-License-Identifier: ISC */
#ifndef MAIL_MIME_PRIV_H
#define MAIL_MIME_PRIV_H
/*
 * mime_priv.h - what the files of the MIME parser and the summary share; this room only.
 */
#include "mail/mime.h"
#include "mail/header.h"
#include "base/buf.h"

/* What a part's header says. as_message: it is a message's own header, so there is an envelope.
 * digest: the part is in a multipart/digest. budget: octets of text that may still be kept. */
void part_header(struct arena *a, struct mime_part *part, struct str header, bool as_message,
		 bool digest, size_t *budget);

/* ENVELOPE, BODY and BODYSTRUCTURE as IMAP sends them: RFC 3501 7.4.2, 9. */
void imap_envelope(struct buf *b, const struct envelope_fields *env);
void imap_body(struct buf *b, const struct mime_part *part, bool extended);

/* Of what is stored: the function never changes. Never 0. */
uint64_t mail_hash(struct str s);

#endif
