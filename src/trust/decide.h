/* SPDX-License-Identifier: ISC */
#ifndef TRUST_DECIDE_H
#define TRUST_DECIDE_H
/*
 * decide.h - may mail go to this host, and how must the connection be: one decision of all that is
 * known. DANE goes before MTA-STS (RFC 8461 2), both before opportunistic TLS (RFC 7435), and what
 * the sender asks for stands over all of them.
 *
 * Pure. One call for each host of a route, before it is connected to.
 */
#include "keeper/guarantee.h"
#include "trust/dane.h"
#include "trust/mta_sts.h"

struct decide_in {
	struct str host; /* as the route names it */
	const struct dane *dane;
	const struct mta_sts *mta_sts; /* NULL: the domain has no policy */
	enum guarantee guarantee;      /* REQUIRETLS: AUTHENTICATED, RFC 8689 4.2 */
	bool tls_optional;             /* "TLS-Required: No": RFC 8689 5; not against a guarantee */
};

enum decide_what {
	DECIDE_SEND,  /* as below */
	DECIDE_SKIP,  /* not to this host; another one may do */
	DECIDE_LATER, /* not now to this host: the DNS does not say what must be known */
	DECIDE_REFUSE /* the sender's guarantee cannot be kept with this host */
};
enum decide_why {
	DECIDE_OPPORTUNISTIC,   /* nothing is known of the host: TLS if it offers it */
	DECIDE_GUARANTEE,       /* nothing is known, but the sender wants TLS */
	DECIDE_DANE,            /* proven by DANE */
	DECIDE_DANE_UNUSABLE,   /* TLSA records, of which none can be used: TLS without proof */
	DECIDE_DANE_UNKNOWN,    /* whether there are TLSA records could not be told */
	DECIDE_MTA_STS,         /* proven by name, as the policy of the domain asks */
	DECIDE_MTA_STS_TESTING, /* the policy is a test: nothing depends on it */
	DECIDE_MTA_STS_MX,      /* the policy does not know this host */
	DECIDE_TLS_OPTIONAL,    /* the sender wants it delivered in any case */
	DECIDE_UNPROVEN,        /* the sender wants a proof, and the domain offers none */
	DECIDE_WHYS
};
struct decision {
	enum decide_what what;
	enum decide_why why;
	bool plaintext;       /* without TLS too, where it is not offered or fails */
	struct tls_wish wish; /* for io_tls_connect_as; points into what was given */
	/* Of a policy under test: what would have failed is to be reported (RFC 8461 5, RFC 8460):
	 * that it does not know the host, TLS that is missing, a certificate that io_tls calls
	 * invalid. */
	bool test_mta_sts;
};
struct decision decide(const struct decide_in *in);

const char *decide_why_text(enum decide_why why); /* a word, "dane-unusable"; lives for ever */

#endif
