/* SPDX-License-Identifier: ISC */
#ifndef STORE_TX_H
#define STORE_TX_H
/*
 * tx.h - the transaction that all engines share: an overlay of what fn wrote, over an engine's
 * snapshot of one partition. Private to the store room.
 *
 * The engine makes a tx, runs fn over it and, if the result is OK, carries out what the tx has
 * collected: writes in key order, reference changes in order of blob ids. If not, it just ends
 * the tx: a failed fn has touched nothing. An engine far away sends the lot as one operation.
 *
 * Suspends: never.
 */
#include "store/store.h"

enum {
	TX_WRITES_MAX = 100000,   /* an account being deleted may reach it, nothing else does */
	TX_OCTETS_MAX = 64 << 20, /* of keys and values */
	TX_ARENA_MAX = 256 << 20, /* overlay and what fn takes for itself */
};

/* What lies under the overlay. Keys and values stay until fn has returned. */
struct snapshot {
	enum err (*get)(void *under, struct str key, struct str *value);
	enum err (*next)(void *under, struct str prefix, struct str after, struct str *key,
			 struct str *value);
	/* OK if a reference to this blob may be counted, E_NOTFOUND, or why it cannot be. */
	enum err (*blob)(void *under, struct blob_id id);
};

struct write {
	struct str key, value;
	bool del;
};

struct blob_change {
	struct blob_id id;
	int32_t by; /* may come to 0 */
};

struct tx {
	const struct snapshot *snapshot;
	void *under;
	struct arena *arena;
	bool readonly;
	enum err failed;      /* sticks: a write beyond the limits */
	struct write *writes; /* ascending by key, one for each */
	size_t nwrites, cap_writes;
	size_t octets;
	struct blob_change *changes; /* ascending by id, one for each */
	size_t nchanges, cap_changes;
};

/* Runs fn over a new overlay and gives its result, or the error that stuck. tx is valid (and
 * all in it) until tx_end, whatever the result. */
enum err tx_run(struct tx *tx, const struct snapshot *snapshot, void *under, bool readonly,
		enum err (*fn)(struct tx *tx, void *arg), void *arg);
void tx_end(struct tx *tx);

static inline struct str blob_id_str(const struct blob_id *id) /* borrowed */
{
	return STR((const char *)id->octets, sizeof id->octets);
}

/* The first place in a sorted array of n entries whose key is not below key (at_key(array, i)
 * gives it); *found says whether it is equal. */
size_t sorted_find(const void *array, size_t n, struct str (*at_key)(const void *array, size_t i),
		   struct str key, bool *found);

#endif
