/* SPDX-License-Identifier: ISC */
#ifndef COURIER_REPORTER_H
#define COURIER_REPORTER_H
/*
 * reporter.h - which domain vouches for a report that came by mail, by its DKIM signature.
 *
 * For:      tlsrpt_take.c. Below: trust/dkim.h, dns/. Suspends: reporter_of.
 */
#include "dns/dns.h"

enum {
	REPORTER_HEADER_MAX = 128 << 10,
	REPORTER_MEMORY = 8 << 20
}; /* octets; of the arena, at most */

/* The domain that signed, which is that of From or above it: RFC 8460 3. E_DENIED: no signature
 * that holds; E_AGAIN: a key cannot be had just now. The mail is bounded by the caller. */
MUST enum err reporter_of(struct dns *dns, struct str mail, struct arena *a, struct str *domain);

#endif
