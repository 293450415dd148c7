/* SPDX-License-Identifier: ISC */
#ifndef TRUST_MTA_STS_H
#define TRUST_MTA_STS_H
/*
 * mta_sts.h - a domain's policy about TLS, as it is told over DNS and HTTPS: RFC 8461.
 *
 * Pure: the courier asks for the TXT records of _mta-sts.DOMAIN, fetches
 * https://mta-sts.DOMAIN/.well-known/mta-sts.txt, and keeps both.
 */
#include "base/base.h"

enum {
	MTA_STS_FILE_MAX = 64 * 1024, /* octets: RFC 8461 3.3 */
	MTA_STS_ID_MAX = 32,          /* RFC 8461 3.1 */
	MTA_STS_MX_MAX = 128,         /* patterns in a policy */
	MTA_STS_AGE_MAX = 31557600    /* seconds: RFC 8461 3.2 */
};

/* The id of the domain's record. E_NOTFOUND: it has none, or more than one, or a broken one, all of
 * which is as none: RFC 8461 3.1. *id points into txt. */
MUST enum err mta_sts_record(const struct str *txt, size_t n, struct str *id);

enum mta_sts_mode { MTA_STS_NONE, MTA_STS_TESTING, MTA_STS_ENFORCE };
struct mta_sts {
	enum mta_sts_mode mode;
	uint32_t max_age; /* seconds; more than the maximum is the maximum */
	struct str *mx;   /* patterns; lower case */
	size_t nmx;
};
/* A policy file. E_SYNTAX; E_LIMIT: too long or too many patterns. Both are as if it could not be
 * fetched: RFC 8461 3.3, 5.1. */
MUST enum err mta_sts_policy(struct arena *a, struct str file, struct mta_sts *out);
/* Is this a host that the policy knows? RFC 8461 4.1 */
bool mta_sts_knows(const struct mta_sts *policy, struct str host);

#endif
