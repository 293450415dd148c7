/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_ADDRESS_H
#define KEEPER_ADDRESS_H
/*
 * address.h - the one form in which the directory knows an address: two that mean the same
 * mailbox are octet for octet the same. Results live in the arena. Never suspends.
 *
 * The local part is in lower case (ASCII) and NFC, the domain in lower-case A-labels. The
 * receiving host alone may decide so for its local parts: RFC 5321 2.4.
 */
#include "base/base.h"
#include "mail/address.h"

enum { NAME_MAX_OCTETS = 254 }; /* local@domain: RFC 5321 4.5.3.1.3 less the brackets */

struct name {
	struct str local, domain;
	struct str written; /* local in the case it was written in, or nothing */
};

/* E_SYNTAX: not UTF-8, a control character, an address literal, no domain name, too long. */
MUST enum err name_of(struct arena *a, struct path p, struct name *out);
MUST enum err name_domain(struct arena *a, struct str domain, struct str *out); /* E_SYNTAX */
/* From what people type: "user@domain"; or, if catch_all, "*@domain" too. E_SYNTAX. */
MUST enum err name_parse(struct arena *a, struct str text, bool catch_all, struct name *out);
struct str name_fold(struct arena *a, struct str written); /* the local part to look up */
struct str name_text(struct arena *a, struct name n);      /* "user@domain", quoted where needed */
struct str name_written(struct arena *a, struct name n);   /* the same in the case it came in */

static inline bool name_is_catch_all(struct name n)
{
	return n.local.n == 1 && *n.local.p == '*';
}

#endif
