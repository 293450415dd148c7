/* SPDX-License-Identifier: ISC */
#ifndef TRUST_MX_H
#define TRUST_MX_H
/*
 * mx.h - which hosts take a domain's mail, in which order, and at which addresses: RFC 5321 5.1.
 *
 * Below:    dns/. Pure: nothing is asked here, the answers are brought.
 * Memory:   results live in the arena; names are those of the answers.
 * Chance:   equals are shuffled by the seed alone: the same seed, the same order.
 */
#include "dns/dns.h"

enum { MX_HOSTS_MAX = 32, MX_ADDRESSES_MAX = 16 }; /* what is beyond is not tried */

enum mx_status {
	MX_OK,       /* at least one host */
	MX_LATER,    /* the DNS could not tell, or its signatures are wrong: try again */
	MX_NODOMAIN, /* no such domain: 5.1.2 */
	MX_NULL,     /* takes no mail, and says so: 5.1.10, RFC 7505 */
	MX_LOOP      /* the best host that there is are we ourselves: 5.4.6 */
};
struct mx_host {
	struct str name;
	uint16_t preference; /* the lowest first */
};
struct mx_route {
	enum mx_status status;
	bool secure;   /* the list is proven, be it that it is empty: what DANE needs */
	bool implicit; /* no MX: the domain itself is the host */
	struct mx_host *host;
	size_t n;
};

/* answer: to the question for the domain's MX. own: the names that this machine answers to; from
 * the first of them on all is cut off, so that mail does not go in circles. */
struct mx_route mx_route(struct arena *a, struct str domain, const struct dns_answer *answer,
			 const struct str *own, size_t nown, uint64_t seed);
/* A host turned out to be this machine by its address: cuts it off, and all that are not better. */
void mx_cut(struct mx_route *r, uint16_t preference);

struct mx_machine {
	bool v4, v6;                       /* what it has a way out by */
	bool loopback;                     /* a loopback address is an address like others: tests */
	const struct dns_address *address; /* its own */
	size_t n;
};
struct mx_addresses {
	bool own; /* one of them is this machine's: see mx_cut */
	struct dns_address *address;
	size_t n;
};
/* The addresses of one host in the order to be tried: IPv6 and IPv4 by turns, IPv6 first (RFC 6724
 * 2.1), so that a few attempts see both. Left out: those without a way, and those where no other
 * host's mail service can be (RFC 6890). */
struct mx_addresses mx_addresses(struct arena *a, const struct dns_answer *v6,
				 const struct dns_answer *v4, const struct mx_machine *m,
				 uint64_t seed);

#endif
