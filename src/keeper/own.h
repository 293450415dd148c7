/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_OWN_H
#define KEEPER_OWN_H
/*
 * own.h - what web pages ask the keeper: for an account's owner, who proves each time that he
 * is it, and for anybody, how things stand. As keeper/keeper.h in all else.
 *
 * Of a try: t->password is the account's own, no app password; a wrong one is counted as at a
 * login: E_DENIED, E_LIMIT. If it is right and the account is locked, the word is "locked", with
 * the reason in sentences, and nothing is done or told.
 */
#include "keeper/keeper.h"
#include "guard/lockout.h"

/* Is it done? The word is for programs: "ok", or why not; sentences for the user. */
struct said {
	struct str word, de, en;
};

/* --- app passwords of one's own --- */
struct own_app {
	struct str name, protocols; /* "imap,submission" */
	int64_t created, used;      /* UTC seconds; used: to the hour or so, 0: never */
};
MUST enum err keeper_apps(struct keeper *k, const struct login_try *t, struct arena *a,
			  struct said *said, struct own_app **out, size_t *n);
/* protocols: "" for all. Words: "bad_name", "bad_protocols", "exists", "limit". password: for
 * the owner's eyes, once. */
MUST enum err keeper_app_add(struct keeper *k, const struct login_try *t, struct str name,
			     struct str protocols, struct arena *a, struct said *out,
			     struct str *password);
/* Word: "not_found". */
MUST enum err keeper_app_delete(struct keeper *k, const struct login_try *t, struct str name,
				struct arena *a, struct said *out);

/* --- recent logins --- */

/* One login or refused attempt, and those like it that came soon after; keeper/history.h. */
struct recent_login {
	int64_t first, last; /* UTC seconds */
	uint32_t count;
	bool good;
	struct str result;   /* for programs: "ok", "wrong_password", ... */
	struct str address;  /* "" where there is none, as of a unix socket */
	struct str protocol; /* "imap"; what an owner asked for: "password", "app passwords", ... */
	struct str by;       /* "password", "app:NAME", "" of most that were refused */
	struct str program;  /* as it called itself, "" where that is not known */
};
/* 50 at most, the latest first; this one is among them: its protocol is "recent logins". */
MUST enum err keeper_logins(struct keeper *k, const struct login_try *t, struct arena *a,
			    struct said *said, struct recent_login **out, size_t *n);

/* The account's open sessions, in no order; one that has just ended may be among them. */
MUST enum err keeper_sessions(struct keeper *k, const struct login_try *t, struct arena *a,
			      struct said *said, struct session_row **out, size_t *n);
/* Every session of the account ends, in each protocol. Word: "ok". */
MUST enum err keeper_logout(struct keeper *k, const struct login_try *t, struct arena *a,
			    struct said *out);

/* --- the guarantees of one's mail, keeper/guarantee.h --- */
struct own_guarantees {
	struct guarantees own, least; /* least: what the configuration wants of all accounts */
};
MUST enum err keeper_guarantees(struct keeper *k, const struct login_try *t, struct arena *a,
				struct said *said, struct own_guarantees *out);
/* In the words of keeper/guarantee.h; *out is how they are then. Word: "bad_guarantee". */
MUST enum err keeper_guarantees_set(struct keeper *k, const struct login_try *t, struct str sending,
				    struct str receiving, struct arena *a, struct said *said,
				    struct own_guarantees *out);

/* --- joining, by an invitation --- */

/* What the service says of itself. */
struct service_says {
	struct str word;     /* "open" (to who is invited), "closed", "read-only", "ended" */
	struct said notice;  /* for all users; sentences, or "" */
	struct said joining; /* word "open"; else why nobody joins just now */
};
MUST enum err keeper_service(struct keeper *k, struct arena *a, struct service_says *out);

/* Of whom the link's token is. Words: "ok"; "unknown": no such invitation, it was used or
 * withdrawn, or its time is over; "closed": nobody joins just now. address is for "ok" only, and
 * it is for the eyes of who has the token. */
struct invited {
	struct said said;
	struct str address;
	int64_t until;  /* UTC seconds */
	uint64_t quota; /* octets, 0: no limit */
};
MUST enum err keeper_invitation(struct keeper *k, struct str token, struct arena *a,
				struct invited *out);
/* Makes the account, with this password, and uses up the invitation. Words: those of a new
 * password and of keeper_invitation, and "exists": somebody else has got the address. ip: who asks,
 * for the log. At E_AGAIN it may have been made: then the user can log in. */
MUST enum err keeper_join(struct keeper *k, struct str token, struct str password, struct str ip,
			  struct arena *a, struct change *out);

/* --- without a proof --- */

/* What would become of a new password of this user: struct change as a change gives it. */
MUST enum err keeper_judge(struct keeper *k, struct str user, struct str password, struct arena *a,
			   struct change *out);

/* How an address stands, and the numbers of the lockout that are in force. */
struct standing {
	struct lockout_rules rules;
	enum lockout_state state; /* LOCKOUT_OPEN too where it is never closed */
	bool by_hand;             /* an operator closed it */
	int64_t until;            /* UTC seconds */
};
MUST enum err keeper_standing(struct keeper *k, struct str ip, struct standing *out);

/* Since the keeper started, but for `closed`, which is now. It reads its directory for it. */
struct keeper_numbers {
	int64_t started; /* UTC seconds */
	uint64_t logins, failed, unheard, changed, closed;
};
MUST enum err keeper_numbers(struct keeper *k, struct keeper_numbers *out);

#endif
