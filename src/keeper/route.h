/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_ROUTE_H
#define KEEPER_ROUTE_H
/*
 * route.h - from an address to the accounts that get its mail.
 *
 * The first of these that exists decides, `sep` being one of route_rules.detail:
 *   1. the user local@domain
 *   2. the alias local@domain
 *   3. the user base@domain of base<sep>detail@domain: into the mailbox `detail`
 *   4. the alias base@domain of it; the detail goes along with it
 *   5. for postmaster: route_rules.postmaster
 *   6. for tls-reports: the account of nobody that the courier reads (RFC 8460)
 *   7. the catch-all *@domain
 *   8. for postmaster: the oldest account of all (RFC 5321 4.5.1)
 * Targets of an alias are expanded the same way; loops, duplicates and local targets that do
 * not exist are left out, and so are accounts that have expired, but where nobody else is left (the
 * one route says so); the first mailbox of an account counts.
 *
 * Who has the receiving guarantee has it for every address that leads to him, but for that of the
 * postmaster, if it is not his own account's: for RFC 5321 4.5.1 wants him to be in reach, and whom
 * else should they ask whose mail is refused?
 */
#include "keeper/directory.h"

struct route_rules {
	struct str detail;       /* octets that separate user and detail; "" for none */
	struct str postmaster;   /* an address, or "" */
	struct guarantees least; /* of each account, whatever it wants itself */
};

/* As keeper_route (keeper.h). (suspends) */
MUST enum err route_find(struct store *st, const struct route_rules *rules, struct path to,
			 struct arena *a, struct route **out, size_t *n);
/* As keeper_may_send, of the address alone: mail to `from` would reach the account. (suspends) */
MUST enum err route_may_send(struct store *st, const struct route_rules *rules, uint32_t account,
			     struct path from, struct arena *a);

#endif
