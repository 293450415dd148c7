/* SPDX-License-Identifier: ISC */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H
/*
 * scan.h - a cursor over text whose failure sticks: scan on, test once at the end.
 * After a failure every call is a no-op that gives nothing. Results point into the text.
 * Include base/base.h.
 */
#include "base/str.h"

struct scan {
	struct str rest;
	bool bad;
};

static inline struct scan scan(struct str s)
{
	return (struct scan){ s, false };
}

/* ASCII case is ignored, as in ABNF literals: RFC 5234 2.3. */
void scan_lit(struct scan *in, const char *word); /* must match */
bool scan_opt(struct scan *in, const char *word); /* may match; says whether it did */

struct str scan_word(struct scan *in);             /* up to SP or the end; eats the SP */
struct str scan_until(struct scan *in, char stop); /* up to stop, which is eaten; bad without */
struct str scan_span(struct scan *in, bool (*is)(char c)); /* as many as fit; may be empty */
uint64_t scan_num(struct scan *in, uint64_t max);          /* 1*DIGIT; bad if none or above max */
uint64_t scan_hex(struct scan *in, size_t digits); /* exactly so many hex digits, at most 16 */
char scan_char(struct scan *in);                   /* one octet; bad at the end */
struct str scan_take(struct scan *in, size_t n);   /* exactly n octets; bad if fewer */
void scan_fail(struct scan *in);

static inline bool scan_more(const struct scan *in)
{
	return !in->bad && in->rest.n > 0;
}
static inline bool scan_at(const struct scan *in, char c)
{
	return scan_more(in) && *in->rest.p == c;
}
/* All was well and all was used. */
static inline bool scan_end(const struct scan *in)
{
	return !in->bad && in->rest.n == 0;
}

#endif
