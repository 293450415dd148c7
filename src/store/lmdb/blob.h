/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_BLOB_H
#define STORE_LMDB_BLOB_H
/*
 * blob.h - a blob being written; blob.c alone looks inside.
 */
#include "base/buf.h"
#include "store/lmdb/crc32c.h"
#include "store/lmdb/lmdb_priv.h"

enum { SUMMARY_PAYS_FROM = 4096 }; /* octets: a summary is read far more often than written */

struct lmdb_blob {
	struct blob blob;
	struct lmdb *lm;
	struct record r; /* table: only while the head is made */
	struct str summary;
	char *chunk; /* the one that fills */
	size_t chunk_n, chunk_cap;
	struct buf table; /* of the chunks before */
	int spill;        /* they are in here, or -1 */
	uint64_t spilled;
	char *record; /* all of a small one */

	/* From here on under blob_lock, once finished. */
	enum { BUILDING, PENDING, SYNCED, FAILED } state;
	bool writing, closed; /* the committer has it; its owner has closed it */
	enum err failed;
	struct place place;
	struct segment *segment; /* held */
	struct lmdb_blob *next, *next_pending;
};

#endif
