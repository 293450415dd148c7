/* SPDX-License-Identifier: ISC */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H
/*
 * date.h - instants as UTC seconds since 1970, to and from the texts of mail. Never suspends.
 */
#include "base/base.h"

struct date {
	int64_t utc; /* seconds since 1970 */
	int zone;    /* minutes east of UTC */
};

/* RFC 5322 3.3 and 4.3 (obsolete forms too, lenient about what is common). */
MUST enum err date_parse(struct str text, struct date *out);
/* "Tue, 24 Nov 2026 06:41:51 +0000". */
struct str date_rfc5322(struct arena *a, struct date d);
/* IMAP date-time "17-Jul-1996 02:44:25 -0700", without the quotes: RFC 3501 9. */
struct str date_imap(struct arena *a, struct date d);
MUST enum err date_imap_parse(struct str text, struct date *out);
/* IMAP date "1-Feb-1994" (of SEARCH) as the UTC midnight that begins it. */
MUST enum err date_imap_day(struct str text, int64_t *day_utc);
/* "2026-11-24T06:41:51Z". */
struct str date_iso(struct arena *a, int64_t utc);
/* The same, and with any zone and fraction, which is dropped: RFC 3339 5.6. */
MUST enum err date_iso_parse(struct str text, int64_t *utc);
/* Midnight (UTC) of the day it is in its own zone: what SENTBEFORE and the like compare. */
int64_t date_day(struct date d);

#endif
