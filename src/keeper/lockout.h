/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_LOCKOUT_H
#define KEEPER_LOCKOUT_H
/*
 * lockout.h - wrong passwords, counted for each address they came from.
 *
 * This is only the counting that the log shows: how many failures an address has had with no
 * pause of LOCKOUT_WINDOW_S between them. Nobody is refused yet, nothing survives a restart, and
 * of two addresses in the same slot the later one stays. keeper/login.c asks and tells it
 * at the places where a decision belongs: before the hash, and after each failure.
 *
 * Never suspends. Memory: LOCKOUT_SLOTS entries, whatever comes.
 */
#include "base/base.h"

enum { LOCKOUT_WINDOW_S = 20 * 60, LOCKOUT_SLOTS = 4096 };

struct lockout;
struct lockout *lockout_new(void);
void lockout_free(struct lockout **l);

/* Who is counted as one: an IPv4 address (in IPv6 form too), or an IPv6 /64. False: ip is no
 * address, as on a unix socket. */
struct lockout_key {
	uint8_t octets[16];
};
bool lockout_key(struct str ip, struct lockout_key *out);

/* Failures so far, as of now (UTC seconds); failed counts one more first. */
unsigned lockout_failures(const struct lockout *l, struct str ip, int64_t now);
unsigned lockout_failed(struct lockout *l, struct str ip, int64_t now);

#endif
