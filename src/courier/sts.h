/* SPDX-License-Identifier: ISC */
#ifndef COURIER_STS_H
#define COURIER_STS_H
/*
 * sts.h - the MTA-STS policies of other domains: asked for, fetched over HTTPS, kept in the store
 * until max_age is over, refreshed daily. RFC 8461 3.1, 3.3, 5.1.
 *
 * For:      line.c. Below: dns/, store/, trust/mta_sts.h; libcurl in a worker thread.
 * Suspends: every call.
 */
#include "trust/mta_sts.h"
#include "dns/dns.h"
#include "store/store.h"

struct sts; /* one a process */

/* What is known of a domain. OK: *out is its policy (kept, or fetched just now); E_NOTFOUND: it has
 * none, or none that could be had and none is kept (RFC 8461 5: then as none). Never waits beyond
 * the deadline; a fetch that is still under way then is finished and kept for the next try. Texts
 * live in a. */
MUST enum err sts_policy(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
			 struct mta_sts *out);

#endif
