/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_REPORT_H
#define QUEUE_REPORT_H
/*
 * report.h - the mail that tells a sender what became of his: RFC 3461 6, RFC 6522,
 * RFC 3464; RFC 6533 where addresses are beyond ASCII. Never suspends.
 *
 * It is sent with the null sender to m->sender; for a message whose sender is the null sender
 * there is none (schedule_report).
 */
#include "queue/schedule.h"

struct queue_report_of {
	const struct queue_message *m;
	const struct queue_recipient
		*rcpt; /* n; those of them that are owed a report of this kind */
	size_t n;
	enum queue_report kind;
	const struct queue_plan *plan;
	struct str host;   /* ours, as Reporting-MTA */
	struct str from;   /* postmaster@domain */
	struct str id;     /* letters and digits, new for each: of Message-ID and boundary */
	struct str header; /* of the message, with or without the empty line */
	int64_t now;
};

/* What to write: head, the original, tail. CR LF ends each line. */
struct queue_report_text {
	struct str head, tail;
	bool full; /* the original is the whole message; else it is in head already: its header */
};
/* RFC 3461 4.3: the whole message comes back where RET asks for it and a recipient failed; the
 * header alone by REQUIRETLS (RFC 8689 5), or where it may not be in a mail without encoding
 * (BINARYMIME). E_NOTFOUND: nobody is owed a report of this kind. E_LIMIT: the header is over
 * REPORT_HEADER_MAX. */
enum { REPORT_HEADER_MAX = 1 << 20 };
MUST enum err queue_report_make(struct arena *a, const struct queue_report_of *r,
				struct queue_report_text *out);

#endif
