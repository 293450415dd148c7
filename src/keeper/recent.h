/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_RECENT_H
#define KEEPER_RECENT_H
/*
 * recent.h - logins that were verified in the last minutes: a webmail logs in at every click.
 *
 * Kept are keyed hashes, under a key that lives as long as the process. The serial of the
 * password record goes into the hash, so a changed password is never found here. Wrong
 * passwords are not remembered. Never suspends; at most RECENT_MAX, the oldest goes.
 */
#include "base/base.h"

enum { RECENT_MAX = 10000, RECENT_MS = 5 * 60 * 1000 };

struct recent;
struct recent *recent_new(void);
void recent_free(struct recent **r); /* wipes it */

/* now is clock_ms(). */
bool recent_has(const struct recent *r, uint32_t account, uint64_t serial, struct str password,
		int64_t now);
void recent_add(struct recent *r, uint32_t account, uint64_t serial, struct str password,
		int64_t now);
void recent_drop(struct recent *r, uint32_t account); /* all of the account */

#endif
