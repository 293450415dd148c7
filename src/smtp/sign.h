/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SIGN_H
#define SMTP_SIGN_H
/*
 * sign.h - a user's message gets its domain's signatures (DKIM). They stand in front of it and need
 * its last octet, so it waits in a spool until then. The keeper has the keys, and signs digests.
 */
#include "smtp/reply.h"
#include "smtp/session.h"

struct signing;

/* The header is whole; text: with what was added to it, and what is behind its empty line. NULL:
 * nobody signs for the author's domain, or (r->code) the answer to the client. Owner: caller.
 * Suspends. */
struct signing *signing_open(struct smtp *s, struct path author, struct str text, struct reply *r);
/* Octets of the body. Suspends. */
MUST enum err signing_take(struct signing *g, struct str octets);
/* No more. Gives the signatures, the header and the body to put. Suspends. */
MUST enum err signing_end(struct signing *g, enum err (*put)(void *arg, struct str octets),
			  void *arg);
void signing_close(struct signing **g); /* NULL is fine */

#endif
