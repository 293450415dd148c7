/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_DIRECTORY_H
#define KEEPER_DIRECTORY_H
/*
 * directory.h - the records: domains, users, aliases in partition "dir", what proves who
 * somebody is in "secret".
 *
 *   dir:     n                         the next account number
 *            d/<domain>                a domain of ours
 *            u/<domain>/<local>        a user
 *            l/<domain>/<local or *>   an alias, or the catch-all of a domain
 *            a/<account>               account number back to the address
 *            x/<account>               half made or half removed: erase_all finishes it
 *            i/<domain>/<local>        an invitation, which reserves the address
 *            t/<digest>                of an invitation's token: the address
 *            s                         the life of the service: keeper/life.h
 *   secret:  p/<account>               the password's hash and verifier
 *            w/<account>               the app passwords
 *            d/<domain>                its keys for DKIM: keeper/dkim.h
 *            r                         the key of forwarded mail's senders: keeper/forward.h
 *            v/, k/<account>           recent logins and known places, see keeper/journal.h
 *
 * Account numbers are 8 hex digits in keys and are never given again. Each record begins with
 * its version (1; p: 2, u: 3, of which the older ones are read too). A user appears when all that
 * belongs to him is there, and what a crash leaves behind bears a mark by which it is found.
 *
 * For:      keeper only. Names come in the form of keeper/address.h.
 * Suspends: every call, unless marked (quick).
 * Memory:   results live in the arena passed in.
 * Errors:   any call may return what store_update does. Each names its others.
 */
#include "base/base.h"
#include "keeper/address.h"
#include "keeper/app.h"
#include "keeper/invite.h"
#include "keeper/keeper.h"
#include "keeper/scram.h"
#include "store/store.h"

#define DIRECTORY_PARTITION "dir"
#define SECRET_PARTITION    "secret"

enum user_state { USER_ACTIVE = 1, USER_LOCKED };
enum { ALIAS_OCTETS_MAX = 100 * 1024 }; /* of an alias' targets: it must fit into a message */

struct user {
	uint32_t account;
	uint8_t state;
	bool send_blocked;
	uint32_t expires; /* the last day on which it can be used (keeper/day.h); 0: none */
	int64_t created;  /* UTC seconds */
	uint64_t quota;   /* octets, 0: no limit */
	struct name name;
	struct guarantees guarantees;        /* its own */
	struct str lock_reason, send_reason; /* for its owner: the operator's words, or "" */
};
struct invitation {
	struct name name;       /* reserved until then */
	int64_t created, until; /* UTC seconds */
	uint64_t quota;
	uint8_t digest[INVITE_DIGEST]; /* of the token, which is nowhere: keeper/invite.h */
};
struct alias {
	int64_t created;
	struct name name;
	struct name *targets; /* kept in the case they were written in: details are mailboxes */
	size_t ntargets;
};
struct secret {
	uint64_t serial; /* another one for each password the account ever had */
	int64_t changed; /* UTC seconds */
	struct str hash;
	struct scram scram; /* no iterations: none, the password was never seen */
};
struct apps {
	uint32_t last; /* the highest number given so far */
	struct app *app;
	size_t n;
};

/* --- inside store_read on "dir", all (quick): E_NOTFOUND, E_CORRUPT, E_VERSION --- */
MUST enum err dir_domain(struct tx *tx, struct str domain, int64_t *created);
MUST enum err dir_user(struct tx *tx, struct name n, struct arena *a, struct user *out);
MUST enum err dir_alias(struct tx *tx, struct name n, struct arena *a, struct alias *out);
/* E_NOTFOUND too where its time is over. */
MUST enum err dir_invitation(struct tx *tx, struct name n, int64_t now, struct arena *a,
			     struct invitation *out);
MUST enum err dir_oldest(struct tx *tx, struct arena *a, struct name *out);

/* --- domains --- */
MUST enum err directory_domain_add(struct store *st, struct str domain); /* E_EXISTS */
/* E_NOTFOUND; E_DENIED: it still has users, aliases or invitations. */
MUST enum err directory_domain_delete(struct store *st, struct str domain);

/* --- users --- */
MUST enum err directory_user(struct store *st, struct name n, struct arena *a, struct user *out);
/* Makes number, hash, mailboxes, then the user. E_NOTFOUND: no such domain; E_EXISTS: the
 * address is a user's or an alias's already, or an invitation reserves it. */
MUST enum err directory_user_add(struct store *st, struct name n, const struct secret *secret,
				 uint64_t quota, uint32_t *account);
/* Changes those of these that are named, to what *u has; *u becomes the user as he is then, in a.
 * E_NOTFOUND. */
enum {
	SET_STATE = 1,
	SET_SENDING = 2,
	SET_EXPIRES = 4,
	SET_QUOTA = 8,
	SET_SENDING_GUARANTEE = 16,
	SET_RECEIVING_GUARANTEE = 32,
};
MUST enum err directory_user_set(struct store *st, struct name n, unsigned what, struct arena *a,
				 struct user *u);
MUST enum err directory_account(struct store *st, uint32_t account, struct arena *a,
				struct user *out); /* E_NOTFOUND */
/* The user is gone when this returns; his mail too, or soon after (erase_all). E_NOTFOUND. */
MUST enum err directory_user_delete(struct store *st, struct name n, uint32_t *account);
/* Ends what a crash left half done. At the start of the keeper. */
MUST enum err directory_erase_all(struct store *st);

/* --- passwords --- */
MUST enum err directory_secret(struct store *st, uint32_t account, struct arena *a,
			       struct secret *out); /* E_NOTFOUND */
/* Another password: hash and verifier of *fresh, a serial and a time of its own. */
MUST enum err directory_secret_put(struct store *st, uint32_t account, const struct secret *fresh);
/* The same where fresh->serial is still that of the old one. E_NOTFOUND: it is another's by now. */
MUST enum err directory_secret_replace(struct store *st, uint32_t account,
				       const struct secret *fresh);
/* As directory_secret_put, for a hash alone. */
MUST enum err directory_secret_set(struct store *st, uint32_t account, struct str hash);
/* The same password in a better form. E_NOTFOUND: s->serial is another one's by now. */
MUST enum err directory_secret_upgrade(struct store *st, uint32_t account, const struct secret *s);
/* Everything of the account in "secret". */
MUST enum err directory_secret_delete(struct store *st, uint32_t account);

/* --- app passwords --- */
MUST enum err directory_apps(struct store *st, uint32_t account, struct arena *a,
			     struct apps *out); /* none: OK */
/* app->id is set. E_EXISTS: the name is taken; E_LIMIT: APPS_MAX are there. */
MUST enum err directory_app_add(struct store *st, uint32_t account, struct app *app);
MUST enum err directory_app_delete(struct store *st, uint32_t account, struct str name,
				   uint32_t *id); /* E_NOTFOUND */
MUST enum err directory_app_used(struct store *st, uint32_t account, uint32_t id,
				 int64_t now); /* E_NOTFOUND */

/* --- invitations --- */
/* In place of one to the same address that is there. E_NOTFOUND: no such domain; E_EXISTS: a
 * user or an alias has the address. */
MUST enum err directory_invite(struct store *st, const struct invitation *inv);
/* E_NOTFOUND, in the last three too: none, or its time is over. */
MUST enum err directory_invitation(struct store *st, const uint8_t digest[INVITE_DIGEST],
				   int64_t now, struct arena *a, struct invitation *out);
MUST enum err directory_invited(struct store *st, struct name n, int64_t now);
MUST enum err directory_invite_delete(struct store *st, struct name n);
/* As directory_user_add; the invitation is used up when the user is there. */
MUST enum err directory_join(struct store *st, const struct invitation *inv,
			     const struct secret *secret, uint32_t *account);
MUST enum err directory_invite_sweep(struct store *st, int64_t now); /* those whose time is over */

/* --- aliases --- */
/* E_NOTFOUND: no such domain; E_EXISTS: a user, an alias or an invitation has the address; E_LIMIT:
 * no target, or more than ALIAS_TARGETS_MAX or ALIAS_OCTETS_MAX. */
MUST enum err directory_alias_add(struct store *st, struct name n, const struct name *targets,
				  size_t ntargets);
MUST enum err directory_alias_delete(struct store *st, struct name n); /* E_NOTFOUND */

/* --- lists, in the order of their keys, a page at a time --- */
struct page {
	struct str domain; /* only of this domain; "" for all */
	struct str after;  /* key of the last one seen, "" at first */
	size_t max;        /* results that fit */
	size_t n;          /* results */
	bool more;
	struct str last; /* for the next page */
};
struct domain_row {
	struct str domain;
	int64_t created;
};
MUST enum err directory_domains(struct store *st, struct page *p, struct arena *a,
				struct domain_row **out);
MUST enum err directory_users(struct store *st, struct page *p, struct arena *a, struct user **out);
MUST enum err directory_aliases(struct store *st, struct page *p, struct arena *a,
				struct alias **out);
MUST enum err directory_invitations(struct store *st, struct page *p, struct arena *a,
				    struct invitation **out); /* those over too */

#endif
