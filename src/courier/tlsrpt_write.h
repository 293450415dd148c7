/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_WRITE_H
#define COURIER_TLSRPT_WRITE_H
/*
 * tlsrpt_write.h - who wants reports, and a report's text. RFC 8460. Never suspends.
 */
#include "courier/tlsrpt_count.h"
#include "trust/mta_sts.h"

enum { TLSRPT_RUA_MAX = 8, TLSRPT_RECORD_MAX = 4096 };
struct tlsrpt_rua {
	bool by_mail;
	struct str to; /* an address, or a URL */
};
/* From the TXT records of _smtp._tls.DOMAIN; addresses and URLs of other kinds and those beyond the
 * bound are left out. E_NOTFOUND: no record, more than one, a broken one, or nothing usable in it,
 * all of which is as none: RFC 8460 3. */
MUST enum err tlsrpt_record(struct arena *a, const struct str *txt, size_t n,
			    struct tlsrpt_rua out[TLSRPT_RUA_MAX], size_t *nrua);

struct tlsrpt_report_of {
	struct str organization, contact; /* who reports */
	struct str submitter;             /* the domain of contact */
	struct str domain;                /* of whom */
	uint32_t day;                     /* since 1970, UTC */
	const struct tlsrpt_counts *counts;
	const struct mta_sts *sts; /* the policy that was followed; NULL: not known */
	const struct str *tlsa;    /* likewise, records as text: "3 1 1 00ff..." */
	size_t ntlsa;
};
/* "certificate-expired"; "" for TLSRPT_OK. */
const char *tlsrpt_result_word(enum tlsrpt_result r);
const char *tlsrpt_policy_word(enum tlsrpt_policy p); /* "sts" */
/* RFC 8460 4.4; and it as gzip: RFC 8460 5.1. */
struct str tlsrpt_json(struct arena *a, const struct tlsrpt_report_of *r);
struct str tlsrpt_gzip(struct arena *a, struct str text);
/* The mail with it, lines ended by CR LF: RFC 8460 5.3. number: of this report's mails. */
struct str tlsrpt_mail(struct arena *a, const struct tlsrpt_report_of *r, struct str to,
		       unsigned number, struct str gzip, int64_t now);

#endif
