/* SPDX-License-Identifier: ISC */
#ifndef PROC_BANS_H
#define PROC_BANS_H
/*
 * bans.h - the kernel's part of a ban: it drops what an address sends, on every port.
 *
 * For:     main alone, the process with the right to (CAP_NET_ADMIN).
 * Kernel:  a table of our own, `inet tecsmail`; no other is touched. Each entry ends by itself,
 *          so a server that was killed keeps nobody out for ever. What 127.0.0.1, ::1 and the
 *          machine's own addresses send to it over the loopback is never dropped.
 * List:    the same bans in this process, whether the kernel takes them or not: for other
 *          gatekeepers, and to make the table anew when someone has flushed it.
 * Blocks:  a call that changes something takes up to 25 ms, of which one is work and the rest
 *          waiting for the kernel to put old things away; 10,000 bans in one call take 150 ms.
 *          Never suspends.
 * Memory:  libnftables is in memory during a call only.
 * Errors:  every change may return E_DENIED (the kernel is not ours to ask, see bans_open) or
 *          E_IO (the kernel refused, logged); the list is changed all the same.
 */
#include "base/base.h"
#include "guard/net.h"

struct bans;

enum { BANS_MAX = 65536 };
#define BAN_SECONDS_MAX (366 * INT64_C(86400)) /* longer ones are cut to this */

struct ban {
	struct str address; /* numeric */
	unsigned prefix;    /* bits that count: of IPv4 8..32, of IPv6 16..128 */
	int64_t seconds;    /* from now; none or less: removes it */
};

/*
 * Makes the kernel's table, or makes it anew and empty. E_DENIED: no right, no libnftables, no
 * nf_tables in the kernel; logged once, with what to do. *out is good then, too: every later
 * change says E_DENIED and goes to the list alone. Owner: caller.
 */
MUST enum err bans_open(struct bans **out);
void bans_open_list(struct bans **out); /* the list alone: the kernel is never asked */
void bans_close(struct bans **b);       /* the table goes with it; sets NULL */

/* Bans, or sets the remaining time anew. E_SYNTAX: not an address, or one that cannot be banned
 * (see bans_text.h); the others of many are banned all the same. E_LIMIT: BANS_MAX reached. */
MUST enum err bans_add(struct bans *b, struct str address, unsigned prefix, int64_t seconds);
MUST enum err bans_add_many(struct bans *b, const struct ban *list, size_t n);
/* These and no others, from now on: who is banned before and after is so all the time. */
MUST enum err bans_set(struct bans *b, const struct ban *list, size_t n);
/* The list of another one, whose kernel's table is not touched; bans_refresh tells ours. */
void bans_copy(struct bans *b, const struct bans *from);
/* E_NOTFOUND: exactly this was not banned. E_SYNTAX. */
MUST enum err bans_remove(struct bans *b, struct str address, unsigned prefix);
MUST enum err bans_clear(struct bans *b);
/* Makes the kernel's table anew from the list, for when others may have flushed it. A failing
 * change does so by itself. */
MUST enum err bans_refresh(struct bans *b);

/* The bans in force in order of address; *at is 0 first. False: no more. Texts in a. A change
 * of the list may make a walk that goes on miss some. */
bool bans_next(const struct bans *b, size_t *at, struct arena *a, struct ban *out);

#endif
