/* SPDX-License-Identifier: ISC */
#ifndef WEB_WEB_H
#define WEB_WEB_H
/*
 * web.h - the provider's web pages, what programs read to set themselves up, and what the
 * webmail asks; over SCGI, behind a web server of the machine (docs/web.md).
 *
 * For:      proc.
 * Below:    keeper/, queue/ (what mail may expect), box/ (receipts), fiber/.
 * Trust:    whoever may open the public socket says which address a request comes from
 *           (REMOTE_ADDR): the socket's mode is the border.
 * Suspends: web_serve.
 */
#include "base/base.h"

struct io;
struct keeper;
struct store;
struct web;

enum web_port { /* what programs of users connect to */
		WEB_IMAPS,
		WEB_IMAP,
		WEB_POP3S,
		WEB_POP3,
		WEB_SUBMISSIONS,
		WEB_SUBMISSION,
		WEB_PORTS
};

struct web_conf {            /* all borrowed, for as long as the web lives */
	struct str hostname; /* of the mail server, as other servers know it */
	struct str server;   /* what users' programs connect to */
	struct str provider; /* the name that people know it by */
	struct str url;      /* of these pages, as users reach them; no "/" at its end */
	struct str webmail;  /* where it is: a path or a URL */
	struct str location_de, location_en; /* of the servers */
	uint16_t port[WEB_PORTS];            /* 0: not served */
	unsigned password_min, password_classes;
	uint64_t message_size;
	struct str sts_mode; /* "enforce", "testing", "none" (RFC 8461 3.2), or "" */
	int64_t sts_max_age_s;
	struct str certificate, key; /* PEM; what they sign is the server's word */
};

/* E_SYNTAX: certificate or key cannot be used, why says it. Both are borrowed;
 * store may be NULL until web_serve_from says it, before the first request. */
MUST enum err web_new(const struct web_conf *conf, struct keeper *keeper, struct store *store,
		      struct arena *a, struct web **out, struct str *why);
void web_serve_from(struct web *w, struct store *store);
void web_free(struct web **w);

enum web_side { WEB_PUBLIC = 1, WEB_INTERNAL = 2 };
/* Answers the one request of a connection. io stays the caller's. */
void web_serve(struct web *w, enum web_side side, struct io *io);

#endif
