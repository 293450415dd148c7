/* SPDX-License-Identifier: ISC */
#ifndef TRUST_CANON_H
#define TRUST_CANON_H
/*
 * canon.h - the canonical forms of RFC 6376 3.4. Lines end with CRLF; a CR or LF alone is a
 * character like others. Never suspends. Private to the trust room.
 */
#include "base/buf.h"

/* Of a body, octet by octet; zeroed but for these four it is ready. Empty lines are held back until
 * it is known that they are not the last ones: as a number, so that no memory is needed. */
struct canon {
	bool relaxed;
	void (*put)(void *arg, struct str octets);
	void *arg;
	/* private: */
	bool cr, wsp, any; /* seen: a CR, white space; the line has something in it */
	uint64_t blank;    /* empty lines held back */
	uint64_t octets;   /* put so far */
	char out[512];
	size_t n;
};
void canon_feed(struct canon *c, struct str octets);
void canon_end(struct canon *c);

/* A header field with its last CRLF, or without one: so it stays. RFC 6376 3.4.1, 3.4.2 */
void canon_field(struct buf *out, bool relaxed, struct str whole);

#endif
