/* SPDX-License-Identifier: ISC */
#ifndef BOX_RECEIPT_RECORD_H
#define BOX_RECEIPT_RECORD_H
/*
 * receipt_record.h - receipts as octets. Private to the box room, its tests and the fuzzers.
 * Never suspends. Keys: layout.h.
 */
#include "box/receipt.h"

/* All receipts of an account together. */
struct receipt_tally {
	uint64_t last;   /* the number of the latest mail; they begin at 1 */
	uint64_t mails;  /* that are kept */
	uint64_t octets; /* of their values */
};
MUST enum err receipt_tally_decode(struct str value, struct receipt_tally *out);
struct str receipt_tally_encode(struct arena *a, const struct receipt_tally *t);

/* number: its place in the order of age. Texts point into value, rows are the arena's. */
MUST enum err receipt_decode(struct str value, struct arena *a, struct receipt *out,
			     uint64_t *number);
/* Cuts what is too long. r has at most RECEIPT_ROWS_MAX rows. */
struct str receipt_encode(struct arena *a, const struct receipt *r, uint64_t number);

/* In the order of age there is the key of the mail. */
MUST enum err receipt_order_decode(struct str value, struct str *key);
struct str receipt_order_encode(struct arena *a, struct str key);

/* As it is kept. */
struct str receipt_id_clean(struct str id);

#endif
