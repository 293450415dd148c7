/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_H
#define COURIER_TLSRPT_H
/*
 * tlsrpt.h - what became of TLS with other servers, counted by day, domain, policy and result, for
 * the daily reports of RFC 8460.
 *
 * For:      line.c notes; a fiber of the courier sends the reports.
 */
#include "base/base.h"

struct tlsrpt; /* one a process; counts in memory are bounded, and go to the store now and then */

enum tlsrpt_policy { TLSRPT_NONE, TLSRPT_STS, TLSRPT_TLSA }; /* RFC 8460 4.4 policy-type */
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
