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
 * Suspends: line_net_new, line_net_close, line_open, line_close.
 * Order:    MX, then addresses of each host (trust/mx.h); each host is decided about once
 *           (trust/decide.h), connected to, and greeted. The first that greets is the line. Where
 *           decide allows plaintext and the handshake failed, the same host once more in clear.
 * Relays:   a smart host of the configuration stands in for the MX of the destinations that its
 *           pattern fits. It proves itself by its name (or DANE), where a proof is asked for; what
 *           it does with the mail afterwards nobody here can know. A policy of MTA-STS that its
 *           name has counts as one of a domain (RFC 8461 3.4). A "[host]" of an operator's
 *           order is connected to as it stands; its name is no proof, as nobody vouched for it,
 *           unless it is a smart host of the configuration too. DANE counts for both.
 */
#include "dns/dns.h"
#include "queue/record.h"
#include "queue/schedule.h"
#include "smtp/client.h"

struct sts;
struct tlsrpt;

/* --- what all lines of a process share: resolver, TLS, policies, addresses of ours --- */

struct line_net;

/* Patterns: "example.org", "*.example.org" (all below it) or "*". The first that fits counts. */
struct line_least { /* the least for a destination, or for a smart host by its name */
	struct str pattern;
	enum queue_guard guard;
};
struct line_relay {
	struct str pattern; /* destinations whose mail goes there */
	struct str host;    /* a name or an address */
	uint16_t port;
	bool at_once;              /* TLS from the first octet: RFC 8314 3.3 */
	struct str user, password; /* or none; said only to whom proved to be it */
};
struct line_conf {
	struct str name;       /* who we are: for EHLO */
	const struct str *own; /* names and addresses of this machine besides name and interfaces */
	size_t nown;
	struct dns_conf dns;
	uint16_t port;      /* of the other servers: 25 */
	bool loopback;      /* loopback addresses are others' servers: tests */
	struct str trust;   /* PEM: authorities beside the system's; or none */
	int64_t connect_ms; /* for one address */
	struct client_times times;
	const struct line_least *least;
	size_t nleast;
	const struct line_relay *relay;
	size_t nrelay;
};
/* conf and its texts are borrowed and outlive the net. E_SYNTAX, E_NOTFOUND, E_IO: why is a
 * sentence in a. */
MUST enum err line_net_new(const struct line_conf *conf, struct arena *a, struct line_net **out,
			   struct str *why);
void line_net_close(struct line_net **net);     /* when no line is left; sets NULL */
struct dns *line_net_dns(struct line_net *net); /* (quick) for others of the process */
/* (quick) Where policies come from and notes go to, borrowed; NULL: none. Both may be set anew. */
void line_net_join(struct line_net *net, struct sts *sts, struct tlsrpt *tlsrpt);

/* --- one --- */

/* What the mail asks for. */
struct line_want {
	struct str destination; /* as queue_destination_of: a domain, "[host]" or "[host:port]" */
	enum queue_guard guard; /* the least that the way must offer */
	bool requiretls;   /* RFC 8689 4.2: as QUEUE_AUTHENTICATED, and the server must offer it */
	bool tls_optional; /* TLS-Required: No; not against a guard */
	int64_t deadline;  /* ms: of the opening in all */
};

/* Owner: who opened it. */
struct line {
	struct line_net *net;
	struct smtp_client *client;
	struct io *io;
	struct arena *arena; /* of the texts below */
	struct str destination;
	const struct line_relay *relay; /* NULL: the destination's own host */
	struct queue_reply facts; /* host, ip, tls, cipher, group, auth: those of every receipt */
	bool loose;               /* TLS-Required: No was obeyed: for such mail alone */
	int64_t opened;           /* ms */
	int64_t idle_since;       /* ms; the pool's */
};

/* Why there is none; it counts for every recipient of the destination. */
struct line_failure {
	enum queue_outcome outcome; /* LATER, REFUSED or UNREACHED */
	struct queue_reply facts;   /* the host tried last, its reply or our reason as text
				     * (queue/why.h), the status (RFC 3463); in the arena passed in:
				     * at most 4 KB */
};

/* (quick) The stricter of guard and of what the configuration wants for recipients of the domain,
 * whichever way their mail takes. */
enum queue_guard line_guard(const struct line_net *net, struct str domain, enum queue_guard guard);
/* False in a canceled fiber too: then why means nothing. */
bool line_open(struct line_net *net, const struct line_want *want, struct arena *a,
	       struct line **out, struct line_failure *why);
/* (quick) May there be any more mail over it? */
bool line_lives(const struct line *l);
/* (quick) May a mail for want->destination that asks for this go over it? It leads to one
 * destination, or to all that have the same smart host. Also false when no other mail may go: what
 * was found out of the destination counts for some minutes, not as long as there is mail for it. */
bool line_serves(const struct line *l, const struct line_want *want);
void line_close(struct line **l); /* QUIT where it stands; sets NULL */

#endif
