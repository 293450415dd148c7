/* SPDX-License-Identifier: ISC */
#ifndef COURIER_LINE_H
#define COURIER_LINE_H
/*
 * line.h - a way to a destination: which hosts, how proven, connected and greeted.
 *
 *	if (line_open(net, &want, a, &line, &why))
 *		while (line_serves(line, &want) && there is mail)
 *			smtp_client_send(line->client, ...)
 *	line_close(&line);
 *
 * For:      the courier's tries. Below: dns/, trust/, smtp/client.h, courier/sts.h.
 * Suspends: line_open, line_close.
 * Order:    MX, then addresses of each host (trust/mx.h); each host is decided about once
 *           (trust/decide.h), connected to, and greeted. The first that greets is the line. Where
 *           decide allows plaintext and the handshake failed, the same host once more in clear.
 */
#include "queue/record.h"
#include "queue/schedule.h"
#include "smtp/client.h"

struct line_net; /* what all lines of a process share: resolver, TLS, policies, addresses of ours */

/* What the mail asks for. */
struct line_want {
	struct str destination; /* as queue_destination_of: a domain, or "[host]" */
	enum queue_guard guard; /* the least that the way must offer */
	bool requiretls;   /* RFC 8689 4.2: as QUEUE_AUTHENTICATED, and the server must offer it */
	bool tls_optional; /* TLS-Required: No; not against a guard */
	int64_t deadline;  /* ms: of the opening in all */
};

/* Owner: who opened it. */
struct line {
	struct smtp_client *client;
	struct io *io;
	struct arena *arena; /* of the texts below */
	struct str destination;
	struct queue_reply facts; /* host, ip, tls, cipher, group, auth: those of every receipt */
	int64_t idle_since;       /* ms; the pool's */
};

/* Why there is none; it counts for every recipient of the destination. */
struct line_failure {
	enum queue_outcome outcome; /* LATER, REFUSED or UNREACHED */
	struct queue_reply facts;   /* the host tried last, its reply or our reason as text, the
				     * status (RFC 3463); in the arena passed in */
};

bool line_open(struct line_net *net, const struct line_want *want, struct arena *a,
	       struct line **out, struct line_failure *why);
/* (quick) May a mail that asks for this go over it? Also false when no other mail may go. */
bool line_serves(const struct line *l, const struct line_want *want);
void line_close(struct line **l); /* QUIT where it stands; sets NULL */

#endif
