/* SPDX-License-Identifier: ISC */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H
/*
 * reply.h - what a command answers. Never suspends.
 */
#include "base/base.h"

struct reply {
	unsigned code;            /* 0: nothing to say; of a command: the client has gone */
	const char *esc;          /* enhanced status code, RFC 2034; NULL: none */
	const char *text;         /* a '\n' begins a further line of the same reply */
	const struct reply *each; /* LMTP: these instead, one a recipient; RFC 2033 4.2 */
	size_t n;
};

static inline struct reply reply(unsigned code, const char *esc, const char *text)
{
	return (struct reply){ .code = code, .esc = esc, .text = text };
}

/* The fixed text for an error of ours; the detail was logged where it was found. */
struct reply reply_err(enum err e);

#endif
