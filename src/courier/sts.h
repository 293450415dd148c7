/* SPDX-License-Identifier: ISC */
#ifndef COURIER_STS_H
#define COURIER_STS_H
/*
 * sts.h - the MTA-STS policies of other domains: asked for, fetched over HTTPS, kept in the store
 * until max_age is over, refreshed daily. RFC 8461 3.1, 3.3, 5.1.
 *
 * For:      line.c. Below: dns/, store/, trust/mta_sts.h; courier/https.h.
 * Suspends: every call, unless marked (quick).
 */
#include "courier/tlsrpt.h"
#include "trust/mta_sts.h"
#include "dns/dns.h"
#include "store/store.h"

struct sts; /* one a process */

struct sts_conf { /* all borrowed as long as the sts lives, but for ca_file */
	struct store *store;
	struct dns *dns;
	struct str ca_file; /* courier/https.h */
	uint16_t port;      /* where policy hosts are asked; 0: 443 */
	bool loopback;      /* courier/https.h */
};
/* Starts the fiber that refreshes. E_LIMIT. Close it before what it borrows. */
MUST enum err sts_new(const struct sts_conf *conf, struct sts **out);
/* Ends what is under way, within a second or so; nobody asks any more. Sets NULL. */
void sts_close(struct sts **s);

/*
 * What is known of a domain. OK: *out is its policy (kept, or fetched just now); E_NOTFOUND: it has
 * none. E_AGAIN, and any error of the store: it is not known whether there is one, or there is, but
 * it cannot be had and none is kept; RFC 8461 5.1 then lets mail go as if there were none. Never
 * waits beyond the deadline; a fetch that is still under way then is finished and kept for the next
 * try. Texts live in a, at most STS_POLICY_MEMORY.
 */
enum { STS_POLICY_MEMORY = 512 << 10 };
MUST enum err sts_policy(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
			 struct mta_sts *out);
/* (quick) Why the policy of a domain could not be had lately: a result of RFC 8460 4.3.2.2 and a
 * short reason, which lives until this fiber suspends. False: nothing is known of that. */
bool sts_failure(struct sts *s, struct str domain, enum tlsrpt_result *why, struct str *text);
/* What is kept of a domain, without asking anybody: for reports. E_NOTFOUND, the store's. */
MUST enum err sts_kept_policy(struct store *st, struct str domain, struct arena *a,
			      struct mta_sts *out);

#endif
