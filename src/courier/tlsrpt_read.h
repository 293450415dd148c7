/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_READ_H
#define COURIER_TLSRPT_READ_H
/*
 * tlsrpt_read.h - a report that another server sent about sessions with ours: found in its mail,
 * unpacked, read. RFC 8460 4.4, 5.3. Anybody may send one: each size, depth and number is bounded.
 * Never suspends.
 */
#include "courier/tlsrpt_count.h"

enum {
	TLSRPT_MAIL_MAX = 2 << 20,     /* octets of a mail that is looked at */
	TLSRPT_JSON_MAX = 1 << 20,     /* unpacked */
	TLSRPT_DEPTH_MAX = 16,         /* of JSON; a report has 6 */
	TLSRPT_VALUES_MAX = 20000,     /* values in it, about */
	TLSRPT_GOT_POLICIES_MAX = 100, /* of a report; further ones are left out */
	TLSRPT_GOT_FAILURES_MAX = 50,  /* of a policy; likewise, but for their number */
	TLSRPT_WORD_MAX = 40,
	TLSRPT_SESSIONS_MAX = 1000000000,
	TLSRPT_READ_MEMORY = 80 << 20 /* of the arena, at most */
};

struct tlsrpt_failure {
	struct str word; /* "certificate-expired"; "other" where it is no such word */
	struct str mx;   /* ours, as they say; lower case, or "" */
	uint64_t sessions;
};
struct tlsrpt_got_policy {
	struct str domain; /* as it stands there; lower case */
	uint64_t good, bad;
	size_t n;
	struct tlsrpt_failure *failure;
};
struct tlsrpt_got {
	struct str organization, id; /* printable */
	uint32_t day;                /* of its beginning */
	size_t n;
	struct tlsrpt_got_policy *policy; /* one for each domain, whatever kinds there were */
};
/* The JSON in a mail. E_NOTFOUND: there is none; E_SYNTAX: not unpacked; E_LIMIT. */
MUST enum err tlsrpt_read_mail(struct arena *a, struct str mail, struct str *json);
/* E_SYNTAX: no report; E_LIMIT: too deep, too many values. */
MUST enum err tlsrpt_read_json(struct arena *a, struct str json, struct tlsrpt_got *out);

#endif
