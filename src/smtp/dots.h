/* SPDX-License-Identifier: ISC */
#ifndef SMTP_DOTS_H
#define SMTP_DOTS_H
/*
 * dots.h - the octets behind DATA as those of the message: RFC 5321 4.1.1.4, 4.5.2.
 *
 * Invariants, whatever the pieces the octets come in:
 *  1. Only CR LF . CR LF ends the message, where its first line counts as begun by CR LF.
 *  2. A CR or LF that is not half of a CR LF sets `bare`, begins no line and ends nothing:
 *     a message that has one is refused whole, and no second one hides in it (RFC 5321 2.3.8).
 *  3. Without `bare`, what is given is the message, octet by octet.
 * Never suspends; allocates nothing; zeroed is ready.
 */
#include "base/base.h"

struct dots {
	enum { DOTS_LINE, DOTS_TEXT, DOTS_CR, DOTS_DOT, DOTS_DOT_CR } state;
	bool bare;
	bool ended;
};

/* Takes octets off *in and gives the next run of the message, a view into them that may be
 * empty. Call it while in->n > 0 and not ended; what is left then is no part of the message. */
struct str dots_take(struct dots *d, struct str *in);

/* The same watch over the octets of BDAT, which are the message as they stand (RFC 3030). */
void dots_watch(struct dots *d, struct str octets);
/* At the end of the message: is there a CR or LF alone? */
bool dots_bare(const struct dots *d);

#endif
