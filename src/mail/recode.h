/* SPDX-License-Identifier: ISC */
#ifndef MAIL_RECODE_H
#define MAIL_RECODE_H
/*
 * recode.h - a message with octets above 127 in its bodies made into one without, for servers that
 * take no other: RFC 6152 3, RFC 2045 6. Texts become quoted-printable, all else base64; what is
 * 7 bits already stays as it is, to the octet.
 *
 *	r = recoder_new(a, root);
 *	recode_look(r, octets); ...         all of the message, in pieces of any size
 *	e = recode_begin(r);
 *	recode_write(r, octets, &out); ...  the same once more; out: what has become of them
 *
 * Fields of headers are kept as they are, but for Content-Transfer-Encoding: what is beyond ASCII
 * there is SMTPUTF8's affair. Around the parts, where nobody reads, it becomes "?".
 *
 * Memory: all in the arena: 64 octets a part, and a header. Never suspends.
 */
#include "base/buf.h"
#include "mail/mime.h"

enum {
	RECODE_PIECE = 16 * 1024, /* octets of one recode_write */
	/* the least room in out: an octet becomes three, lines are divided, a header waits */
	RECODE_OUT = 4 * RECODE_PIECE + MIME_HEADER_MAX + 256,
};

struct recoder;
/* root: of this message; it outlives the recoder. */
struct recoder *recoder_new(struct arena *a, const struct mime_part *root);
void recode_look(struct recoder *r, struct str octets);
/* E_EXISTS: nothing has to be changed. E_DENIED: a part that would have to be may not: it is signed
 * (RFC 1847 2.1), or a message/... that has no encoding (RFC 2046 5.2); or a header is too long. */
MUST enum err recode_begin(struct recoder *r);
/* At most RECODE_PIECE octets; out is cleared first. */
void recode_write(struct recoder *r, struct str octets, struct buf *out);

#endif
