/* SPDX-License-Identifier: ISC */
#ifndef IMAP_IMAP_H
#define IMAP_IMAP_H
/*
 * imap.h - the IMAP server: one call serves one connection to its end.
 *
 * IMAP4rev1 (RFC 3501) with the extensions that capability.c tells.
 * For:      proc/session.
 * Suspends: yes; it runs in a fiber of its own.
 */
#include "base/base.h"

struct io;
struct keeper;
struct store;
struct tls;

struct imap_conf {
	struct str hostname;    /* told in the greeting */
	uint64_t message_max;   /* octets of a message taken by APPEND: RFC 7889 */
	unsigned quota_warning; /* percent of the quota; 0: nobody is warned */
	int64_t login_ms;       /* from the greeting to the login */
	int64_t idle_ms;        /* without a command: RFC 3501 5.4 wants 30 minutes at least */
	int64_t stall_ms;       /* within an answer or a message, without progress */
};
#define IMAP_CONF_DEFAULT                               \
	((struct imap_conf){ .message_max = 64 << 20,   \
			     .login_ms = 60 * 1000,     \
			     .idle_ms = 31 * 60 * 1000, \
			     .stall_ms = 5 * 60 * 1000 })

/* Borrowed for the whole connection. */
struct imap_server {
	const struct imap_conf *conf;
	struct store *store;
	struct keeper *keeper;
	struct tls *tls; /* for STARTTLS; NULL: it is not offered */
	/* A socket that nobody but the webmail reaches: ID says whose browser it speaks for, and
	 * without it there is no login. Passwords come without TLS. */
	bool internal;
};

/* (suspends) From the greeting to the goodbye. io stays the caller's; where the port speaks
 * TLS from the first octet, it is on already. */
void imap_serve(const struct imap_server *srv, struct io *io);

#endif
