/* SPDX-License-Identifier: ISC */
#ifndef POP3_POP3_H
#define POP3_POP3_H
/*
 * pop3.h - the inbox for clients that fetch and forget. RFC 1939, RFC 2449.
 *
 * For:      proc.
 * Below:    box/, keeper/, fiber/.
 * Durable:  what DELE marked is gone only when QUIT has said +OK; a connection that ends in
 *           any other way deletes nothing. RFC 1939 6
 * Suspends: pop3_serve.
 */
#include "base/base.h"

struct io;
struct keeper;
struct store;
struct tls;

struct pop3_conf {
	struct str hostname; /* in the greeting */
	int64_t login_ms;    /* for a client to log in */
	int64_t idle_ms;     /* for one whole command line; at least 10 minutes, RFC 1939 3 */
	unsigned errors_max; /* mistakes of a client; then it must go */
};
struct pop3_conf pop3_conf_default(void);

/* All borrowed; they outlive the session. tls NULL: STLS is not offered. */
struct pop3_server {
	const struct pop3_conf *conf;
	struct store *store;
	struct keeper *keeper;
	struct tls *tls;
};

/* Serves one client from greeting to goodbye. Port 995 is an io whose TLS is on already. io
 * stays the caller's, who closes it. */
void pop3_serve(const struct pop3_server *srv, struct io *io);

#endif
