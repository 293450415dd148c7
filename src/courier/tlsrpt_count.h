/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_COUNT_H
#define COURIER_TLSRPT_COUNT_H
/*
 * tlsrpt_count.h - the counts of a day and a domain in the store: partition "tlsrpt",
 * c/<day>/<domain>, the day in five digits since 1970, UTC; n/<day>: how many domains.
 *
 * For:      the files of tlsrpt. Suspends: tlsrpt_counts_*.
 * Bounded:  TLSRPT_ROWS_MAX rows each; further ones are counted without host, address and detail.
 *           TLSRPT_DOMAINS_MAX domains a day; further ones are not counted.
 */
#include "base/buf.h"
#include "courier/tlsrpt.h"

enum {
	TLSRPT_VERSION = 1,
	TLSRPT_ROWS_MAX = 200,
	TLSRPT_ROWS_FULL = TLSRPT_ROWS_MAX + TLSRPT_POLICIES * TLSRPT_RESULTS,
	TLSRPT_DOMAINS_MAX = 20000,
	TLSRPT_TEXT_MAX = 255, /* of a host, an address, a detail; longer ones are cut */
};
#define TLSRPT_PARTITION S("tlsrpt")

struct tlsrpt_row {
	enum tlsrpt_policy policy;
	enum tlsrpt_result result;
	struct str mx, ip, detail;
	uint64_t sessions;
};
struct tlsrpt_counts {
	int64_t claimed; /* UTC seconds: until then a courier is about to report it */
	size_t n;
	struct tlsrpt_row *row; /* room for TLSRPT_ROWS_FULL */
};
/* (quick) One more row, or more sessions of one that is there. Texts are borrowed. */
void tlsrpt_counts_add(struct tlsrpt_counts *c, const struct tlsrpt_row *r);
struct str tlsrpt_counts_encode(struct arena *a, const struct tlsrpt_counts *c); /* (quick) */
/* (quick) Texts point into value. E_CORRUPT, E_VERSION. */
MUST enum err tlsrpt_counts_decode(struct str value, struct arena *a, struct tlsrpt_counts *out);

/* Rows of one domain and day, as they came since the last time. */
struct tlsrpt_batch {
	uint32_t day;
	struct str domain;
	struct tlsrpt_row *row;
	size_t n;
};
/* Adds them to what is kept, all or none. n at most 400. *left_out: domains beyond the bound. */
MUST enum err tlsrpt_counts_merge(struct store *st, const struct tlsrpt_batch *b, size_t n,
				  size_t *left_out);

/* A day and a domain that nobody has claimed, after `from` ("": from the first on); it is claimed
 * until then. Not found: none among the next ones, go on at key. E_NOTFOUND: no more of days before
 * `before`. accept: is this one wanted now? NULL: any. */
struct tlsrpt_claim {
	uint32_t before; /* day */
	int64_t now, until;
	bool (*accept)(void *arg, uint32_t day, struct str domain);
	void *arg;
	/* results, in the arena */
	bool found;
	uint32_t day;
	struct str domain, key; /* key: where to go on */
	struct tlsrpt_counts counts;
};
MUST enum err tlsrpt_counts_claim(struct store *st, struct str from, struct arena *a,
				  struct tlsrpt_claim *c);
/* (quick) The update that removes it: handed in together with the reports. key lives on. */
struct update tlsrpt_counts_done(struct str *key);

#endif
