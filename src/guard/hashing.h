/* SPDX-License-Identifier: ISC */
#ifndef GUARD_HASHING_H
#define GUARD_HASHING_H
/*
 * hashing.h - whose password is hashed next: each hash takes a core and 16 MiB for a while.
 *
 * As many as there are cores are hashed at once, HASHES_AT_ONCE at most. Whoever comes then
 * waits in a line of his own (of his address), and lines take turns, so an address that asks a
 * hundred times waits for itself and lets the others by. Lines stand in ranks: while there is
 * somebody of a better rank he is next, but every fourth turn is the second rank's and every
 * eighth the third's, so that nobody waits for ever.
 *
 * Who had a wrong password, or found no room, within HASHES_SUSPECT_MS waits in the last rank
 * instead of the second: of a crowd that asks for more than there is, each is a stranger once, and
 * who comes later does not wait behind it. What is kept for that is a time in one of
 * HASHES_WRONG_PLACES places, so somebody may be taken for another; he waits longer, and no more.
 *
 * Bounded: so many wait in each rank, HASHES_WAITING_MS at most. All of them, and those of
 * keeper/stranger.h, are fewer than the 1024 calls of a worker that are served at once, so what
 * needs no hash is still answered. Who comes when his rank is full takes the place of the last
 * in the longest line, if his own is shorter.
 */
#include "base/base.h"

enum {
	HASHES_AT_ONCE = 4,
	HASHES_KNOWN_MAX = 384,
	HASHES_STRANGERS_MAX = 256,
	HASHES_SUSPECTS_MAX = 64,
	HASHES_WAITING_MS = 30000,
	HASHES_WRONG_PLACES = 65536,
	HASHES_SUSPECT_MS = 20 * 60 * 1000
};

enum hashing_rank {
	HASHING_KNOWN,    /* the account came from there before, or the address never counts */
	HASHING_STRANGER, /* nothing is known */
	HASHING_SUSPECT,  /* a stranger who had a wrong password or no room a while ago */
	HASHING_RANKS
};

struct hashing;
struct hashing *hashing_new(void);
void hashing_free(struct hashing **h); /* nobody waits any more */

/* (suspends) Waits for a turn in the line of these octets; OK: hashing_end must follow. E_AGAIN:
 * too many wait, or it took too long; E_CANCELED. */
MUST enum err hashing_begin(struct hashing *h, enum hashing_rank rank, struct str who);
void hashing_end(struct hashing *h);
/* (quick) A wrong password came from who. */
void hashing_wrong(struct hashing *h, struct str who);

#endif
