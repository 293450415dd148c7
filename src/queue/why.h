/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_WHY_H
#define QUEUE_WHY_H
/*
 * why.h - reasons of ours why a mail did not go, as the text of a queue_reply without a code; and
 * the same for people. Never suspends.
 *
 * A text is the phrase, or the phrase, ": " and a detail in English.
 */
#include "queue/say.h"

enum queue_why {
	QUEUE_WHY_DNS,            /* the DNS does not answer */
	QUEUE_WHY_BOGUS,          /* its signatures are wrong */
	QUEUE_WHY_NO_DOMAIN,      /* RFC 5321 5.1 */
	QUEUE_WHY_NULL_MX,        /* RFC 7505 */
	QUEUE_WHY_LOOP,           /* the best host is this one */
	QUEUE_WHY_NO_ADDRESS,     /* of the mail server */
	QUEUE_WHY_NO_WAY,         /* to its addresses */
	QUEUE_WHY_NO_CONNECTION,  /* refused, or no answer */
	QUEUE_WHY_NO_TLS,         /* not offered */
	QUEUE_WHY_TLS_FAILED,     /* offered, and does not work */
	QUEUE_WHY_UNPROVEN,       /* its certificate is not what DANE or MTA-STS want */
	QUEUE_WHY_NO_PROOF,       /* neither DANE nor MTA-STS, and the sender wants one */
	QUEUE_WHY_POLICY,         /* the MTA-STS policy does not know this server */
	QUEUE_WHY_POLICY_UNKNOWN, /* whether there is one could not be told, and it matters */
	QUEUE_WHY_REQUIRETLS,     /* RFC 8689 4.2.1 */
	QUEUE_WHY_LOGIN,          /* a smart host */
	QUEUE_WHY_GONE,           /* the connection broke */
	QUEUE_WHY_SLOW,
	QUEUE_WHY_BROKEN, /* not SMTP */
	QUEUE_WHY_TOO_LARGE,
	QUEUE_WHY_8BITMIME,
	QUEUE_WHY_BINARYMIME,
	QUEUE_WHY_SMTPUTF8,
	QUEUE_WHY_ADDRESS,   /* cannot be said in a command */
	QUEUE_WHY_LINE_ENDS, /* RFC 5321 2.3.8 */
	QUEUE_WHY_DELIVERBY, /* RFC 2852: mode R */
	QUEUE_WHY_OURS,      /* a fault of our own */
	QUEUE_WHYS
};
/* The phrase to be stored; lives for ever. */
struct str queue_why_text(enum queue_why why);
/* The whole sentence about a stored text; S_NONE: it is none of these. Lives for ever. */
struct str queue_why_say(enum queue_language l, struct str text);

#endif
