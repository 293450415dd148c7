/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H
/*
 * smtp.h - taking mail in: from other servers (port 25), from users (587 and 465), and from
 * programs of this machine (LMTP). RFC 5321, RFC 6409, RFC 2033.
 *
 * For:      proc.
 * Below:    box/, keeper/, queue/, fiber/.
 * Durable:  a 250 after the final dot comes after the commit: the message is in each mailbox, and
 *           in the queue for whoever is elsewhere.
 * Suspends: smtp_serve.
 */
#include "base/base.h"

struct io;
struct keeper;
struct store;
struct tls;

/* Port 465 is SMTP_SUBMISSION on an io whose TLS is on already: RFC 8314 3.3. SMTP_INTERNAL is
 * submission over a socket that nobody but the webmail reaches: XCLIENT says whose browser it
 * speaks for, and without it there is no login. Passwords come without TLS. */
enum smtp_kind { SMTP_MX, SMTP_SUBMISSION, SMTP_LMTP, SMTP_INTERNAL };

struct smtp_conf {
	struct str hostname;     /* this server's name in greetings and trace fields */
	struct str spool;        /* a folder for large messages while they wait to be signed */
	uint64_t message_max;    /* octets of a message: SIZE, RFC 1870 */
	unsigned recipients_max; /* of a transaction: LIMITS RCPTMAX, RFC 9422; at most 10,000 */
	unsigned quota_warning;  /* percent of a quota at which its owner is told; 0: never */
	unsigned hops_max;       /* Received fields above which a message runs in circles */
	unsigned errors_max;     /* mistakes of a client between two messages; then it must go */
	int64_t command_ms;      /* for one whole command line: RFC 5321 4.5.3.2.7 */
	int64_t idle_ms;         /* of a session without a message taken */
	int64_t login_ms;        /* for a user to log in, in all: 587 and 465 */
	int64_t data_ms;         /* for a message, plus the time it takes at data_rate */
	uint64_t data_rate;      /* octets a second that the slowest client must reach; not 0 */
	int64_t hold_max;        /* seconds that a user's mail may wait to be released: RFC 4865;
				  * 0: not offered */
};
struct smtp_conf smtp_conf_default(void);

/* All borrowed; they outlive the session. tls NULL: STARTTLS is not offered. */
struct smtp_server {
	const struct smtp_conf *conf;
	struct store *store;
	struct keeper *keeper;
	struct tls *tls;
};

/* Serves one client from greeting to goodbye. io stays the caller's, who closes it. A canceled
 * fiber says 421 and returns. */
void smtp_serve(const struct smtp_server *srv, enum smtp_kind kind, struct io *io);

#endif
