/* SPDX-License-Identifier: ISC */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H
/*
 * address.h - addresses in header fields (RFC 5322 3.4, 4.4) and in envelopes (RFC 5321 4.1.2,
 * RFC 6531 3.3). Results live in the arena. Never suspends.
 */
#include "base/base.h"

/* One mailbox of a header field. A group is a start entry (group name in mailbox, domain.p
 * NULL), its members, and an end entry (both NULL): as ENVELOPE wants it, RFC 3501 7.4.2. */
struct address {
	struct str name;    /* display name as written, unquoted, encoded words left alone */
	struct str route;   /* obsolete source route, or none */
	struct str mailbox; /* local part, unquoted */
	struct str domain;
	struct address *next;
};
enum { ADDRESSES_MAX = 10000 };
/* Never fails: takes what it can understand, leaves out what it cannot. NULL: none. */
struct address *address_list(struct arena *a, struct str field);

/* An envelope address. local is unquoted; empty local and domain are the null path "<>". */
struct path {
	struct str local, domain;
	bool utf8; /* an octet above 127 somewhere: SMTPUTF8 is needed */
};
/* 64, 255 and 256 are what must be taken at least; longer local parts are in use for bounces. */
enum { PATH_LOCAL_MAX = 128, PATH_DOMAIN_MAX = 255, PATH_MAX_OCTETS = 256 };
/* Reads "<path>" off the scanner, source routes dropped (RFC 5321 4.1.1.3), limits of
 * RFC 5321 4.5.3.1. allow_null: "<>" is fine; without it "<Postmaster>" is (its domain is empty,
 * RFC 5321 4.1.1.3). Results point into the text or the arena. */
struct path path_scan(struct scan *in, struct arena *a, bool allow_null);
/* The same from bare text "user@domain", as an operator types it. E_SYNTAX. */
MUST enum err path_parse(struct arena *a, struct str text, struct path *out);
/* "user@domain", quoted where it must be; "" for the null path. */
struct str path_text(struct arena *a, struct path p);
/* A domain name in lower-case A-label form (UTS 46, libidn2), for look-ups. E_SYNTAX. Address
 * literals "[192.0.2.1]" come back as they are. */
MUST enum err domain_ascii(struct arena *a, struct str domain, struct str *out);

#endif
