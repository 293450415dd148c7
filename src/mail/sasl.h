/* SPDX-License-Identifier: ISC */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H
/*
 * sasl.h - the password mechanisms of SASL, for SMTP (RFC 4954), IMAP (RFC 4959) and POP3
 * (RFC 5034): PLAIN (RFC 4616) and LOGIN (user and password asked for one after the other).
 *
 * The exchange is the same in all three; prompts and lines are the protocol's:
 *
 *	if (!sasl_start(&x, mechanism))		no such mechanism
 *	step = initial response given ? sasl_step(&x, a, text) : SASL_MORE;
 *	while (step == SASL_MORE) {
 *		send "334 " or "+ ", then sasl_prompt(&x)
 *		read a line of at most SASL_LINE_MAX octets; "*" alone gives up
 *		step = sasl_step(&x, a, line);
 *	}
 *	SASL_DONE: x.user, x.password		SASL_BAD: what came makes no sense
 *
 * Never suspends. Results live in the arena.
 */
#include "base/base.h"

enum {
	SASL_LINE_MAX = 4096, /* octets of a response in base64 */
	SASL_USER_MAX = 320,
	SASL_PASSWORD_MAX = 1024,
};

enum sasl_mech { SASL_PLAIN, SASL_LOGIN };
enum sasl_result { SASL_MORE, SASL_DONE, SASL_BAD };

struct sasl {
	enum sasl_mech mech;
	bool has_user; /* LOGIN: the password is next */
	struct str user, password;
};

/* False: a mechanism that is not known here (any case). */
bool sasl_start(struct sasl *x, struct str mechanism);
/* What the server asks next, in base64 already; empty for PLAIN. */
const char *sasl_prompt(const struct sasl *x);
/* Takes a response in base64; "=" is an empty one (RFC 4954 4, RFC 4959 3, RFC 5034 4). */
enum sasl_result sasl_step(struct sasl *x, struct arena *a, struct str base64);

/* The message of PLAIN, decoded: [authzid] NUL authcid NUL password. RFC 4616 2. False outside
 * the grammar, over the bounds, or where authzid is somebody else: nobody acts for another. */
bool sasl_plain_parse(struct str message, struct str *user, struct str *password);

#endif
