/* SPDX-License-Identifier: ISC */
#ifndef MAIL_SORTKEY_H
#define MAIL_SORTKEY_H
/*
 * sortkey.h - what SORT and THREAD want of a message: RFC 5256, RFC 5957. Never suspends.
 *
 * Texts are ready to be compared as octets: i;unicode-casemap, RFC 5051 2. Only their first
 * SORT_TEXT_MAX octets are kept; what differs later only is the same to SORT. Message-IDs and
 * base subjects that THREAD compares are hashes of the whole.
 */
#include "base/buf.h"

struct summary;

enum {
	SUBJECT_MAX = 16 * 1024, /* octets of a subject that are looked at */
	SORT_TEXT_MAX = 128,     /* octets of a text that are kept */
	SORT_REFS_MAX = 64,      /* references that are kept: the first, and the last ones */
	SORT_KEY_MAX = 8 + 8 + 8 + 2 + 8 * SORT_REFS_MAX + 6 * (1 + SORT_TEXT_MAX), /* encoded */
};

/* The base subject of a decoded one, RFC 5256 2.1; *reply: it is one, or a forward. */
struct str subject_base(struct arena *a, struct str subject, bool *reply);

/* UTF-8 as i;unicode-casemap compares it, at most max octets. */
struct str sort_text(struct arena *a, struct str utf8, size_t max);

/* A Message-ID whatever its quoting, without brackets: RFC 5256 "REFERENCES". Never 0. */
uint64_t sort_msgid(struct arena *a, struct str id);

struct sortkey {
	int64_t sent; /* UTC seconds; INT64_MIN: not known */
	bool reply;
	uint64_t id;      /* of the Message-ID; 0: none */
	uint64_t subject; /* of the base subject; 0: it is empty */
	uint64_t refs[SORT_REFS_MAX];
	size_t nrefs; /* the oldest first */
	struct str base, from, to, cc, display_from, display_to;
};

/* The header is asked for only where it has more to tell than the summary. */
bool sortkey_wants_header(const struct summary *sum);
/* Texts are in the arena. header: the message's, or empty. */
void sortkey_make(struct arena *a, const struct summary *sum, struct str header,
		  struct sortkey *out);

/* Its texts go to the arena. */
void sortkey_dup(struct arena *a, struct sortkey *k);

void sortkey_put(struct buf *b, const struct sortkey *k);
/* Texts point into what is scanned, which is bad if it makes no sense. */
void sortkey_scan(struct scan *in, struct sortkey *out);

#endif
