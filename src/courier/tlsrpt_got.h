/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_GOT_H
#define COURIER_TLSRPT_GOT_H
/*
 * tlsrpt_got.h - what others reported of us, as rows in the store: partition "tlsrpt",
 * r/<day>/<hash of domain and reporter>/<hash of the report's id>; m: how many rows.
 *
 * For:      tlsrpt_take.c writes, ctl shows. Suspends: every call, unless marked (quick).
 * Bounded:  TLSRPT_GOT_MAX rows, TLSRPT_GOT_A_DAY of each reporter, domain and day. Rows older than
 *           TLSRPT_GOT_DAYS go, and the oldest ones where there are too many.
 */
#include "courier/tlsrpt_read.h"
#include "store/store.h"

enum { TLSRPT_GOT_MAX = 20000, TLSRPT_GOT_A_DAY = 24, TLSRPT_GOT_DAYS = 90 };

struct tlsrpt_got_row {
	uint32_t day;
	int64_t received;    /* UTC seconds */
	struct str reporter; /* the domain that signed it */
	struct str organization, id;
	struct tlsrpt_got_policy p; /* of a domain of ours */
};
struct str tlsrpt_got_encode(struct arena *a, const struct tlsrpt_got_row *r); /* (quick) */
/* (quick) All but the day, which stands in the key. Texts point into value. E_CORRUPT, E_VERSION.
 */
MUST enum err tlsrpt_got_decode(struct str value, struct arena *a, struct tlsrpt_got_row *out);

/* The same report once more takes the place of the first. E_LIMIT: too many of this reporter. */
MUST enum err tlsrpt_got_put(struct store *st, const struct tlsrpt_got_row *r);
/* Rows of a day, at most max; domain "": of any. */
MUST enum err tlsrpt_got_list(struct store *st, uint32_t day, struct str domain, size_t max,
			      struct arena *a, struct tlsrpt_got_row **out, size_t *n);

#endif
