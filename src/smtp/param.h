/* SPDX-License-Identifier: ISC */
#ifndef SMTP_PARAM_H
#define SMTP_PARAM_H
/*
 * param.h - what stands behind MAIL and RCPT: the path and its parameters. RFC 5321 4.1.1.2,
 * 4.1.1.3; SIZE RFC 1870, BODY RFC 6152 and RFC 3030, SMTPUTF8 RFC 6531, DSN RFC 3461,
 * AUTH RFC 4954 5, HOLDFOR and HOLDUNTIL RFC 4865, BY RFC 2852, MT-PRIORITY RFC 6710,
 * REQUIRETLS RFC 8689. Never suspends. Results point into the text or the arena.
 */
#include "base/base.h"
#include "mail/address.h"
#include "smtp/reply.h"

enum body { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
enum ret { RET_NONE, RET_FULL, RET_HDRS };
enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };
enum { ENVID_MAX = 100, ORCPT_MAX = 500, PRIORITY_MAX = 9 };
/* Parameters that not every session offers; else they are not known. */
enum { PARAM_REQUIRETLS = 1, PARAM_HOLD = 2, PARAM_BY = 4, PARAM_PRIORITY = 8, PARAM_DSN = 16 };

struct mail_args {
	struct path from;
	uint64_t size; /* 0: not told */
	enum body body;
	bool utf8; /* SMTPUTF8 */
	enum ret ret;
	struct str envid; /* xtext as it came, checked; RFC 3461 4.4 */
	bool requiretls;
	bool hold;                    /* with one of the two */
	int64_t hold_for, hold_until; /* seconds; UTC seconds */
	bool by;                      /* with those: */
	int64_t by_time;              /* seconds; negative: long ago */
	bool by_return, by_trace;
	bool prioritized;
	int8_t priority;
};
struct rcpt_args {
	struct path to;
	unsigned notify;  /* 0: not told */
	struct str orcpt; /* "rfc822;..." as it came, checked; RFC 3461 4.2, RFC 6533 3 */
};

/* in stands behind the verb; offered: PARAM_... of the session. Code 0: well understood, else the
 * refusal. */
struct reply mail_args(struct scan *in, struct arena *a, unsigned offered, struct mail_args *out);
struct reply rcpt_args(struct scan *in, struct arena *a, unsigned offered, struct rcpt_args *out);

/* What stands behind XCLIENT: one attribute, the address whom the client speaks for. The text of
 * it, which may still be none. False: not understood. */
bool xclient_addr(struct scan *in, struct str *ip);

#endif
