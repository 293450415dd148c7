/* SPDX-License-Identifier: ISC */
#ifndef SMTP_TRACE_H
#define SMTP_TRACE_H
/*
 * trace.h - the fields put in front of a message: Return-Path and Received. RFC 5321 4.4,
 * RFC 3848, RFC 6531 4.3, RFC 8314 4.3. Never suspends.
 */
#include "base/base.h"
#include "base/buf.h"
#include "mail/address.h"

struct trace {
	struct path from;
	struct str helo;     /* what the client called itself; not verified */
	struct str ip;       /* "" : a socket of this machine */
	struct str hostname; /* this server */
	struct str id;       /* of this message, in the log too */
	bool lmtp, esmtp, utf8, authenticated;
	const char *tls_version, *tls_cipher, *tls_group; /* NULL: none, or not told */
	struct str to;                                    /* "": not told */
	const char *priority;                             /* NULL: not told; RFC 6710 7 */
	int64_t when;                                     /* UTC seconds */
};

/* Of a user who sends, neither the address nor the name of his machine is told. */
void trace_put(struct buf *b, const struct trace *t, struct arena *a);
/* "ESMTPSA", ... in at most 12 octets. */
struct str trace_protocol(struct arena *a, const struct trace *t);

/* How often a message with this header has come by this server before. */
unsigned trace_count(struct str header, struct str hostname);

#endif
