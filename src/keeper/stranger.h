/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_STRANGER_H
#define KEEPER_STRANGER_H
/*
 * stranger.h - does an attempt come from where the account was before, and if not, how long does
 * it wait for its answer: guard/slow.h applied at a login.
 *
 * Who waits holds a fiber and one of STRANGERS_WAITING_MAX places, but no turn at hashing. Where
 * all places are taken the next one is told to come again before his password is looked at.
 */
#include "guard/guard.h"
#include "keeper/journal.h"
#include "guard/slow.h"

/* With all who may wait for a hash (guard/hashing.h) fewer than the 1024 calls that a worker may
 * have open, so that what waits for neither is still answered. */
enum { STRANGERS_WAITING_MAX = 160 };

struct strangers;
struct strangers *strangers_new(struct guard *g, struct journal *j); /* borrowed */
void strangers_free(struct strangers **s);
void strangers_configure(struct strangers *s, const struct slow_rules *r);

struct stranger {
	bool counts; /* its address does, for the lockout: place is set */
	bool known;  /* the account came from there before */
	struct net place;
	uint64_t name; /* private, as the rest */
	uint32_t address;
	int64_t wait_ms;
};
/* (suspends) account: 0 where nobody has the name, which is in the directory's form if it has
 * one. OK: stranger_end must follow. E_AGAIN: too many wait. */
MUST enum err stranger_begin(struct strangers *s, uint32_t account, struct str name, struct str ip,
			     struct stranger *out);
void stranger_end(struct strangers *s, const struct stranger *who);
void stranger_refused(struct strangers *s, const struct stranger *who); /* (quick) */
/* (suspends) As long as he has to. E_CANCELED. */
MUST enum err stranger_wait(const struct stranger *who);

#endif
