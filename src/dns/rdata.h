/* SPDX-License-Identifier: ISC */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H
/*
 * rdata.h - the octets of one record, read: RFC 1035 3.3, 3.4. Never suspends.
 *
 * Names are lower case and without their final dot; the root is "". E_SYNTAX: more or fewer octets
 * than the type has, a compressed name (the resolver hands out none), or a label with octets that
 * no host name and no name of ours has: a dot, a backslash, a space, what is not ASCII.
 */
#include "fiber/tlsa.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 }; /* octets as text: RFC 1035 2.3.4 */

struct dns_mx {
	uint16_t preference;
	struct str host; /* "": a null MX, RFC 7505 */
};
struct dns_address {
	uint8_t octets[16]; /* IPv4 as ::ffff:a.b.c.d, RFC 4291 2.5.5.2 */
};

MUST enum err rdata_name(struct arena *a, struct str rdata, struct str *out); /* CNAME, NS, PTR */
MUST enum err rdata_mx(struct arena *a, struct str rdata, struct dns_mx *out);
MUST enum err rdata_address(struct str rdata, struct dns_address *out); /* A or AAAA, by length */
/* The strings of the record joined without anything between: RFC 7208 3.3, RFC 8461 3.1. */
MUST enum err rdata_txt(struct arena *a, struct str rdata, struct str *out);
/* Never fails: what is too short to be a record is one that nobody can use (usage 255), because
 * that there is a record at all forbids plaintext: RFC 7672 2.2. */
struct tlsa rdata_tlsa(struct arena *a, struct str rdata);

/* A name as text that may be asked for: labels of 1 to 63 octets, at most 253, with or without the
 * final dot. */
bool dns_name_ok(struct str name);
bool dns_address_parse(struct str text, struct dns_address *out);
bool dns_address_v4(const struct dns_address *address);
/* How far it reaches: RFC 6890 2.2.2, 2.2.3, and the registries that it began. */
enum dns_scope {
	DNS_NOWHERE,  /* unspecified, multicast, reserved */
	DNS_LOOPBACK, /* this machine */
	DNS_LINK,     /* its own network */
	DNS_INNER,    /* private networks, RFC 1918, RFC 4193, RFC 6598 */
	DNS_OUTER
};
enum dns_scope dns_address_scope(const struct dns_address *address);
struct str dns_address_text(struct arena *a, const struct dns_address *address);

#endif
