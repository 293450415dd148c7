/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_REFUSED_H
#define KEEPER_REFUSED_H
/*
 * refused.h - whom the receiving guarantee has refused, kept until the owner is told. In the
 * store, partition "refused":
 *
 *   r/<account>           the list (keeper/refusals.h)
 *   q/<since>/<account>   when its first one was, in 16 hex digits: in the order of their turn
 *
 * An owner gets one mail about all of them, so long after the first as the configuration says.
 * What is reported is written within REFUSED_WRITE_MS, many in one commit: strangers cause these
 * reports, and one costs no sync of its own. A crash loses that much. The list goes when the mail
 * is in the inbox; a crash between the two tells once more.
 *
 * Bounded: REFUSED_MAX rows in memory, REFUSALS_MAX of an account in the store; the rest is
 * counted.
 */
#include "keeper/keeper.h"
#include "keeper/refusals.h"
#include "store/store.h"

#define REFUSED_PARTITION "refused"
enum { REFUSED_MAX = 1024, REFUSED_WRITE_MS = 1000, REFUSED_LOOK_MS = 60 * 1000 };

struct refused;
/* st is borrowed. tell_s: how long after the first one its owner is told. E_LIMIT: no fiber. */
MUST enum err refused_new(struct store *st, int64_t tell_s, struct refused **out);
void refused_configure(struct refused *r, int64_t tell_s); /* (quick) */
void refused_close(struct refused **r);                    /* (suspends) writes what is left */

/* (quick) It has happened now. */
void refused_note(struct refused *r, const struct keeper_refusal *what);
/* (suspends) Everything of an account that is gone. */
MUST enum err refused_delete(struct store *st, uint32_t account);
/* (suspends) What an owner has not been told yet. Texts live in the arena. The store's errors. */
MUST enum err refused_list(struct store *st, uint32_t account, struct arena *a,
			   struct refusals *out);

#endif
