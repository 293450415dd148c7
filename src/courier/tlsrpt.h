/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_H
#define COURIER_TLSRPT_H
/*
 * tlsrpt.h - what became of TLS with other servers, counted by day, domain, policy and result, for
 * the daily reports of RFC 8460; and what others report of us.
 *
 * For:      line.c notes; fibers of its own send the reports and read those that come.
 * Suspends: tlsrpt_new, tlsrpt_close.
 */
#include "base/base.h"
#include "dns/dns.h"
#include "keeper/keeper.h"
#include "store/store.h"

struct tlsrpt; /* one a process; counts in memory are bounded, and go to the store once a minute */

struct tlsrpt_conf { /* borrowed as long as the tlsrpt lives */
	struct store *store;
	struct dns *dns;
	struct keeper *keeper;   /* signs our mail, and knows our domains */
	bool send;               /* else nothing is counted and no report is sent */
	struct str hostname;     /* ours */
	struct str organization; /* as reports name us; "": the hostname */
	struct str contact;      /* who answers questions about them, an address; its domain is the
				  * one that sends them. "": postmaster of a domain of ours that is
				  * the hostname's or above it */
	struct str ca_file;      /* courier/https.h */
	uint16_t port;           /* of https: where none is named; 0: 443 */
	bool loopback;           /* courier/https.h */
	unsigned spread_s;       /* reports go within so long after midnight UTC; 0: 4 hours */
};
/* Starts its fibers. E_LIMIT. */
MUST enum err tlsrpt_new(const struct tlsrpt_conf *conf, struct tlsrpt **out);
/* Ends them, within a second or so; what is counted goes to the store. Sets NULL. */
void tlsrpt_close(struct tlsrpt **t);

enum tlsrpt_policy { TLSRPT_NONE, TLSRPT_STS, TLSRPT_TLSA, TLSRPT_POLICIES }; /* RFC 8460 4.4 */
/* RFC 8460 4.3; TLSRPT_OK is a success. */
enum tlsrpt_result {
	TLSRPT_OK,
	TLSRPT_STARTTLS_NOT_SUPPORTED,
	TLSRPT_CERTIFICATE_HOST_MISMATCH,
	TLSRPT_CERTIFICATE_EXPIRED,
	TLSRPT_CERTIFICATE_NOT_TRUSTED,
	TLSRPT_VALIDATION_FAILURE,
	TLSRPT_TLSA_INVALID,
	TLSRPT_DNSSEC_INVALID,
	TLSRPT_DANE_REQUIRED,
	TLSRPT_STS_POLICY_FETCH_ERROR,
	TLSRPT_STS_POLICY_INVALID,
	TLSRPT_STS_WEBPKI_INVALID,
	TLSRPT_RESULTS
};
struct tlsrpt_seen {
	struct str domain; /* of the recipients, A-labels */
	enum tlsrpt_policy policy;
	struct str mx, ip;
	enum tlsrpt_result result;
	struct str detail; /* a short reason, or "" */
};
/* (quick) One session, begun or failed. Borrowed for the call. */
void tlsrpt_note(struct tlsrpt *t, const struct tlsrpt_seen *seen);

#endif
