/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_ADMIN_H
#define KEEPER_ADMIN_H
/*
 * admin.h - the operator's calls to a running keeper, over its control socket.
 *
 * For:      ctl.
 * Suspends: every call, at most KEEPER_LOGIN_MS.
 * Memory:   results live in the arena, which must hold several messages of IPC_MAX.
 * Errors:   *why is a sentence for the operator at every error; E_CLOSED or E_TIMEOUT: the
 *           server has gone; E_SYNTAX: an address, domain, hash or password that is refused.
 */
#include "ipc/ipc.h"
#include "guard/guard.h"
#include "keeper/dkim.h"
#include "keeper/keeper.h"
#include "keeper/own.h"
#include "keeper/sent.h"
#include "keeper/life.h"

MUST enum err admin_domain_add(struct peer *p, struct str domain, struct arena *a,
			       struct str *why); /* E_EXISTS */
MUST enum err admin_domain_delete(struct peer *p, struct str domain, struct arena *a,
				  struct str *why); /* E_NOTFOUND, E_DENIED: not empty */

/* hash.n: a hash brought along counts, else the password. E_EXISTS, E_NOTFOUND (domain). */
struct admin_password {
	struct str password, hash;
};
MUST enum err admin_user_add(struct peer *p, struct str address, struct admin_password pw,
			     uint64_t quota, struct arena *a, struct str *why);
MUST enum err admin_user_passwd(struct peer *p, struct str address, struct admin_password pw,
				struct arena *a, struct str *why); /* E_NOTFOUND */
MUST enum err admin_user_delete(struct peer *p, struct str address, struct arena *a,
				struct str *why); /* E_NOTFOUND */

MUST enum err admin_alias_add(struct peer *p, struct str address, const struct str *targets,
			      size_t n, struct arena *a, struct str *why);
MUST enum err admin_alias_delete(struct peer *p, struct str address, struct arena *a,
				 struct str *why); /* E_NOTFOUND */

/* App passwords; protocols "" is all. E_NOTFOUND, E_EXISTS, E_LIMIT; *password is shown once. */
MUST enum err admin_app_add(struct peer *p, struct str address, struct str name,
			    struct str protocols, struct arena *a, struct str *password,
			    struct str *why);
MUST enum err admin_app_delete(struct peer *p, struct str address, struct str name, struct arena *a,
			       struct str *why);
struct admin_app {
	struct str name, protocols;
	int64_t created, used; /* UTC seconds; used: to the hour or so, 0: never */
};
MUST enum err admin_app_list(struct peer *p, struct str address, struct arena *a,
			     struct admin_app **out, size_t *n, struct str *why);

/* The recent logins, 50 at most, the latest first. E_NOTFOUND. */
MUST enum err admin_user_logins(struct peer *p, struct str address, struct arena *a,
				struct recent_login **out, size_t *n, struct str *why);

/* --- the state of an account --- */

/* Those of these that `what` names (SET_STATE, ... of keeper/directory.h). reason: of what is
 * locked or blocked, for the user; may be "". Who is locked or expired has no sessions any more
 * when this returns. E_NOTFOUND. */
struct admin_state {
	bool locked, send_blocked;
	uint32_t expires; /* keeper/day.h; 0: never */
	uint64_t quota;
	struct guarantees guarantees;
	struct str reason;
};
MUST enum err admin_user_set(struct peer *p, struct str address, unsigned what,
			     const struct admin_state *s, struct arena *a, struct str *why);

/* --- the service, and invitations --- */

MUST enum err admin_life_show(struct peer *p, struct arena *a, struct life *out, bool *takes_mail,
			      struct str *why);
MUST enum err admin_life_set(struct peer *p, const struct life *l, struct arena *a,
			     struct str *why); /* l->changed does not count */
/* The token is told this once. seconds 0: a week. In place of an invitation that is there.
 * E_EXISTS, E_NOTFOUND (domain). */
struct admin_invitation {
	struct str token;
	int64_t until;       /* UTC seconds */
	enum life_mode mode; /* only where it is LIFE_OPEN the link can be used */
};
MUST enum err admin_invite(struct peer *p, struct str address, uint64_t quota, uint32_t seconds,
			   struct arena *a, struct admin_invitation *out, struct str *why);
MUST enum err admin_invite_delete(struct peer *p, struct str address, struct arena *a,
				  struct str *why); /* E_NOTFOUND */

/* --- keys of a domain: keeper/dkim.h tells what becomes of them --- */

/* E_NOTFOUND (domain), too, in all of them. */
MUST enum err admin_dkim_add(struct peer *p, struct str domain, struct arena *a,
			     struct str *why); /* E_EXISTS, E_LIMIT */
MUST enum err admin_dkim_rotate(struct peer *p, struct str domain, bool force, struct arena *a,
				struct str *why); /* E_DENIED: too young */
MUST enum err admin_dkim_retire(struct peer *p, struct str domain, bool force, struct arena *a,
				struct str *why); /* E_DENIED: too young */
/* Without the private keys. */
MUST enum err admin_dkim_list(struct peer *p, struct str domain, struct arena *a,
			      struct dkim_keys *out, struct str *why);

/* --- the lockout --- */

/* One address as it counts; times are UTC seconds. */
struct admin_guard {
	struct str address; /* of IPv6 the network that counts */
	enum lockout_state state;
	bool by_hand;
	int64_t until; /* of state */
	unsigned nerrors, nblocks;
	/* not in lists: */
	enum guard_exempt exempt; /* anything but GUARD_COUNTS: nothing else is told */
	int64_t errors[ERRORS_MAX], blocks[BLOCKS_MAX];
	struct lockout_rules rules;
};
/* Those that are closed just now, in no order; network: of these only, "" all. */
MUST enum err admin_guard_list(struct peer *p, struct str network,
			       void (*row)(void *arg, const struct admin_guard *g), void *arg,
			       struct arena *a, struct str *why); /* a: for why only */
MUST enum err admin_guard_show(struct peer *p, struct str address, struct arena *a,
			       struct admin_guard *out, struct str *why); /* E_NOTFOUND */
MUST enum err admin_guard_release(struct peer *p, struct str address, struct arena *a,
				  struct str *why); /* E_NOTFOUND */
/* seconds 0: as long as a block of the configuration. E_DENIED: never closed; E_EXISTS: closed
 * for as long already. */
MUST enum err admin_guard_block(struct peer *p, struct str address, uint32_t seconds,
				struct arena *a, int64_t *until, struct str *why);

/* Lists, of one domain or ("") all, in order; row is called for each and keeps no pointers. */
struct admin_row {
	uint32_t account;             /* users */
	struct str name;              /* domain or address */
	int64_t created;              /* UTC seconds */
	uint64_t quota;               /* users, invitations; octets, 0: no limit */
	int64_t password_changed;     /* users; 0: has none */
	uint64_t octets, messages;    /* users */
	struct str state, reason;     /* users; "active", "locked", "send-blocked", "expired" */
	uint32_t expires;             /* users; keeper/day.h, 0: never */
	struct guarantees guarantees; /* users; their own */
	struct guarantees in_force;   /* users; with what the configuration wants of all */
	struct str *targets;          /* aliases */
	size_t ntargets;
	int64_t until; /* invitations; UTC seconds */
};
struct admin_user {
	struct admin_row row;
	struct sending_counts used, limits; /* of 24 hours; limits: 0 none */
	struct sending_counts own;          /* those set for him alone; SENDING_DEFAULT: not set */
};
MUST enum err admin_user_show(struct peer *p, struct str address, struct arena *a,
			      struct admin_user *out, struct str *why); /* E_NOTFOUND */
/* store_seal in every process of the server. */
MUST enum err admin_seal(struct peer *p, struct arena *a, struct str *why);
/* own: SENDING_KEEP leaves one as it is, SENDING_DEFAULT takes it away. */
MUST enum err admin_user_limits(struct peer *p, struct str address, struct sending_counts own,
				struct arena *a, struct str *why); /* E_NOTFOUND */
enum admin_list { ADMIN_DOMAINS, ADMIN_USERS, ADMIN_ALIASES, ADMIN_INVITATIONS };
MUST enum err admin_list(struct peer *p, enum admin_list what, struct str domain,
			 void (*row)(void *arg, const struct admin_row *r), void *arg,
			 struct arena *a, struct str *why); /* a: for why only */

#endif
