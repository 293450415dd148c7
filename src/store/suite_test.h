/* SPDX-License-Identifier: ISC */
#ifndef STORE_SUITE_TEST_H
#define STORE_SUITE_TEST_H
/*
 * suite_test.h - what the files of the store's tests share.
 */
#include "store/store.h"

void suite_blob(struct store *st);
void suite_blob_sizes(struct store *st);
void suite_blob_refs(struct store *st);
void suite_blob_given_up(struct store *st);
void suite_blob_fibers(struct store *st);

/* Removes a directory of a test's with all in it. */
void suite_remove(const char *dir);

/* n octets of text (kind 0), of no pattern at all (1), or of half and half in turns of 64 KiB
 * (2). They depend on seed only. Owner: caller, who frees. */
char *suite_octets(size_t n, unsigned kind, uint64_t seed);

/* Writes a blob in pieces of at most piece octets, refers to it from partition under key (whose
 * value becomes its id) and closes it. */
MUST enum err suite_store_blob(struct store *st, struct str partition, struct str key,
			       struct str octets, struct str summary, size_t piece,
			       struct blob_id *id);
/* Takes away both, key and reference. */
MUST enum err suite_drop_blob(struct store *st, struct str partition, struct str key,
			      struct blob_id id);
/* Reads it through in pieces, and its summary: OK, E_CORRUPT if anything differs, or the
 * error of the store. */
MUST enum err suite_check_blob(struct store *st, struct blob_id id, struct str octets,
			       struct str summary);

#endif
