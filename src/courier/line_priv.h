/* SPDX-License-Identifier: ISC */
#ifndef COURIER_LINE_PRIV_H
#define COURIER_LINE_PRIV_H
/*
 * line_priv.h - the opening of a line: route.c finds the hosts, host.c what is to be known of one,
 * dial.c connects, line.c greets. Private to the room.
 */
#include "courier/line.h"
#include "courier/sts.h"
#include "courier/tlsrpt.h"
#include "queue/why.h"
#include "trust/decide.h"
#include "trust/mx.h"

enum {
	OPENING_MEMORY = 2 << 20,  /* the answer about MX, a policy, failures */
	HOST_MEMORY = 3 << 20,     /* six answers */
	LINE_TRIES_MAX = 10,       /* addresses in one opening */
	LINE_ASK_MS = 30 * 1000,   /* one question, or one policy */
	LINE_LIFE_MS = 300 * 1000, /* of a line until another mail */
	MACHINE_MAX = 256,         /* addresses of ours */
};

struct line_net {
	struct line_conf conf;
	struct dns *dns;
	struct tls *tls;
	struct sts *sts;
	struct tlsrpt *tlsrpt;
	struct mx_machine machine;
	struct dns_address address[MACHINE_MAX]; /* machine's */
	int64_t machine_until;                   /* ms: then it is looked at anew */
	uint64_t seed;
};
/* The machine's addresses as they are now, or were a moment ago. */
const struct mx_machine *line_machine(struct line_net *net);

/* On the stack of the fiber that opens. Texts live in arena. */
struct opening {
	struct line_net *net;
	const struct line_want *want;
	struct arena *arena;
	const struct line_relay *relay; /* of the configuration; or NULL */
	enum queue_guard guard;         /* of the mail and the configuration */
	bool given;                     /* the host was given by somebody, and no MX named it */
	uint16_t port;
	bool at_once; /* TLS from the first octet */
	struct dns_answer mx;
	struct mx_route route;
	struct mta_sts policy;
	bool has_policy, policy_unknown;
	unsigned tries;
	bool failed;
	struct line_failure why; /* while failed */
};
/* What is known of one host of the route. */
struct host {
	struct str name;
	uint16_t preference;
	struct arena *arena;
	struct dns_answer v6, v4;
	struct mx_addresses to;
	struct dane dane;
	bool bogus; /* one of the answers was */
	struct decision decision;
};

/* names.c (quick) */
bool line_fits(struct str pattern, struct str name);
/* "[host]", "[host:port]", "[host]:port": false, it is none of these. *port stays without one. */
bool line_literal(struct str destination, struct str *host, uint16_t *port);
const struct line_relay *line_relay_of(const struct line_net *net, struct str destination);
/* The least that the configuration wants on the way to a destination. */
enum queue_guard line_least(const struct line_net *net, struct str destination);

/* line.c (quick): what the configuration and the wish say together. */
void line_begin(struct opening *o);
/* The end of the opening, or so many milliseconds from now if that is sooner. */
int64_t line_until(const struct opening *o, int64_t ms);
/* (suspends) Always an answer: what the resolver did not tell in time is DNS_SERVFAIL. */
struct dns_answer line_ask(struct opening *o, struct arena *a, struct str name, enum dns_type type);
/* route.c (suspends): hosts and policy. False: none, o->why is set. */
bool line_route(struct opening *o);
/* host.c (suspends): addresses, DANE, decision. False: not this host, o->why is set. */
bool line_host(struct opening *o, struct host *h);

/* Connects to addresses by turns: each has a head start before the next. */
struct dial {
	const struct dns_address *address;
	size_t n;
	uint16_t port;
	int64_t each_ms, deadline;
	bool tried[MX_ADDRESSES_MAX];
};
/* dial.c (suspends): the first of those not tried yet that takes the connection. *at is tried then,
 * and those that failed. False: none is left, or the deadline has passed. */
bool line_dial(struct dial *d, struct io **out, size_t *at);

/* note.c (quick): for TLSRPT. ip: "" where it never came to a connection. */
void line_note(struct opening *o, const struct host *h, struct str ip, enum tlsrpt_result result,
	       const char *detail);
/* That there is a policy, but it could not be had: RFC 8460 4.3.2.2. */
void line_note_policy(struct opening *o);
void line_note_session(struct opening *o, const struct host *h, struct str ip,
		       const struct tls_info *tls, const struct outcome *said);

/* why.c (quick): facts of a failure that is ours to name. */
struct queue_reply line_because(struct opening *o, struct str host, enum queue_why why,
				struct str detail, uint16_t subject, uint16_t number);
/* Of all failures the one counts that leaves the most hope, and of equals the last. The class of a
 * status of ours is set here. */
void line_fail(struct opening *o, enum queue_outcome outcome, struct queue_reply facts);

#endif
