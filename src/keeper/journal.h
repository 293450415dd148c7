/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_JOURNAL_H
#define KEEPER_JOURNAL_H
/*
 * journal.h - the recent logins of accounts and the places they came from, kept in the store:
 *
 *   secret:  v/<account>   its visits (history_record)
 *            k/<account>   the places it is known from (places_record)
 *
 * No login waits for it: what is noted is written behind the answer, that of many accounts in
 * one commit. A new visit is written within JOURNAL_SOON_MS or so; one that goes on is counted
 * in memory and written every JOURNAL_HOLD_MS, so a webmail that logs in at each click costs no
 * write a click. A crash loses that much. A record is only ever made where the account has its
 * password record, so none is left behind the account's end.
 *
 * Bounded: JOURNAL_MAX visits in memory, JOURNAL_ACCOUNT_MAX of one account. Where all of them
 * wait to be written, another is not noted, and the log says so.
 */
#include "keeper/history.h"
#include "store/store.h"

enum {
	JOURNAL_MAX = 4096,
	JOURNAL_ACCOUNT_MAX = 64,
	JOURNAL_SOON_MS = 1000,
	JOURNAL_HOLD_MS = 5 * 60 * 1000,
	JOURNAL_RETRY_MS = 30000
};

struct journal;
/* st is borrowed. E_LIMIT: no fiber. */
MUST enum err journal_new(struct store *st, struct journal **out);
void journal_close(struct journal **j); /* (suspends) writes what is left */

/* (quick) It happens now, once: times and count of v are not looked at. place: as the lockout
 * counts its address, which is known from then on if the login was good; NULL: it does not
 * count. Account 0 is nobody's and leaves nothing. */
void journal_note(struct journal *j, uint32_t account, const struct visit *v,
		  const struct net *place);
/* One of the visits of v's address and protocol that was good and is not written yet was that of
 * v->program. None: too late, it stays without. */
void journal_program(struct journal *j, uint32_t account, const struct visit *v);
/* (suspends) Had the account a good login from there? False too where it cannot be read. */
bool journal_knows(struct journal *j, uint32_t account, const struct net *place);
/* (suspends) Writes all there is to write now; what the store refuses stays noted. */
void journal_flush(struct journal *j);
/* (suspends) With what has just been noted. Texts live in the arena. The store's errors. */
MUST enum err journal_read(struct journal *j, uint32_t account, struct arena *a,
			   struct history *out);

#endif
