/* SPDX-License-Identifier: ISC */
#ifndef MAIL_NOTICE_H
#define MAIL_NOTICE_H
/*
 * notice.h - a mail that the server itself writes. Never suspends.
 */
#include "base/base.h"

struct notice {
	struct str from, to; /* addresses, user@domain */
	struct str subject;  /* ASCII */
	struct str text;     /* UTF-8, lines end with LF */
	struct str id;       /* in front of "@domain of from": another one for each */
	int64_t now;         /* UTC seconds */
};
/* The whole message, lines ended by CR LF: text/plain in UTF-8, and Auto-Submitted, so that no
 * program answers it (RFC 3834 5). What would break a header field is left out of it. */
struct str notice_compose(struct arena *a, const struct notice *n);

#endif
