/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_LOGIN_H
#define KEEPER_LOGIN_H
/*
 * login.h - one decision for every protocol: may this user come in with this password?
 *
 * An unknown user costs the same time and gets the same answer as a wrong password. Each
 * decision is one line in the log: event login or login.failed with its reason.
 */
#include "keeper/directory.h"
#include "keeper/keeper.h"
#include "guard/guard.h"
#include "keeper/journal.h"
#include "keeper/recent.h"
#include "guard/slow.h"

struct logins;
/* st and g are borrowed. Hashes once: tens of milliseconds. E_IO. */
MUST enum err logins_new(struct store *st, struct guard *g, struct logins **out);
void logins_free(struct logins **l);

/* As keeper_login. (suspends) */
MUST enum err login_check(struct logins *l, const struct login_try *t, struct arena *a,
			  struct login *out);
/* A password for the directory, hashed beside the loop with the others, and its verifier.
 * who: the user it is for. (suspends) E_AGAIN: too many wait already. E_IO. */
MUST enum err login_hash(struct logins *l, struct str who, struct str password, struct arena *a,
			 struct secret *out);
/* rehash: a good login with a hash that was brought along makes it one of ours. slow: who waits
 * for an answer; its window is the lockout's. Until then: no, and nobody. */
void login_configure(struct logins *l, bool rehash, const struct slow_rules *slow);
/* (suspends) The recent logins of an account. Texts live in the arena. The store's errors. */
MUST enum err login_history(struct logins *l, uint32_t account, struct arena *a,
			    struct history *out);
/* The account's password is another one now, or the account is gone: a login under way is answered
 * E_AGAIN, whatever it has found. */
void login_forget(struct logins *l, uint32_t account);
/* A password came in clear: logged as a warning. It was not looked at, so it is no wrong one. */
void login_cleartext(struct logins *l, const struct login_try *t);
/* The account's login of a moment ago, by t->proto from t->ip, was that of t->program. */
void login_program(struct logins *l, uint32_t account, const struct login_try *t);
/* (quick) Decisions since logins_new. */
struct login_counts {
	uint64_t good, failed, unheard;
};
struct login_counts login_counts(const struct logins *l);

#endif
