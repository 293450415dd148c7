/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SERVE_PRIV_H
#define KEEPER_SERVE_PRIV_H
/* serve_priv.h - what serve.c and operate.c share. */
#include "base/buf.h"
#include "guard/guard.h"
#include "keeper/login.h"
#include "keeper/password.h"
#include "keeper/refused.h"
#include "keeper/sent.h"
#include "keeper/serve.h"
#include "keeper/wire.h"

struct side { /* what a service's arg points to */
	struct keeping *k;
	unsigned face;
};

struct keeping {
	struct store *store; /* borrowed */
	struct keeping_conf conf;
	struct guard *guard;
	struct logins *logins;
	struct sent *sent;
	struct refused *refused;
	struct outside *outside;
	struct side sides[4];
	struct group *midnight;
	int64_t started;  /* UTC seconds */
	uint64_t changed; /* passwords, by their owners */
};

/* One call: its fields, a place for results, and (operator's calls) a sentence. */
struct asked {
	struct keeping *k;
	const struct side *side; /* who asks */
	struct scan *in;
	struct arena *a;
	struct buf *out;
	struct str why;
};

/* The rule of the configuration and the operator's list, change.c. (suspends) user: the address. */
struct password_verdict password_judge(const struct keeping *k, struct str password,
				       struct str user);

MUST enum err midnight_new(struct keeping *k); /* midnight.c; when all else is there */
void midnight_close(struct keeping *k);
struct ipc_service keeping_side(struct side *s); /* serve.c */
/* keeper/outside.c; outside_new makes k->guard too. */
MUST enum err outside_new(struct keeping *k);
/* (suspends) No more calls of workers: those under way have been answered or have ended. */
void outside_hang_up(struct keeping *k);
void outside_close(struct keeping *k);
/* (suspends) store_seal here and in all workers, each of which has done it at the return. */
void keeping_seal(struct keeping *k);

/* (suspends) Behind every change of a password, and where one is withdrawn: nothing of the old one
 * may count any longer. No login remembers it, one under way is begun anew, and the sessions of the
 * account end in all workers, but for the asker's connection of the number except. why: ASCII, told
 * to the clients. */
void password_changed(struct asked *q, uint32_t account, uint64_t except, const char *why);
#define CHANGED   "Passwort geaendert, bitte neu anmelden / the password was changed, log in anew"
#define WITHDRAWN "App-Passwort geloescht / an app password was withdrawn"
#define DELETED   "Konto geloescht / the account was deleted"
#define LOCKED    "Konto gesperrt / the account was locked"
#define EXPIRED   "Konto abgelaufen / the account has expired"
enum err call_change(struct asked *q);               /* change.c */
bool take_try(struct asked *q, struct login_try *t); /* the rest of the fields; serve.c */
struct path take_path(struct scan *in);              /* serve.c */

enum err call_judge(struct asked *q);
void password_put(struct buf *b, const struct password_verdict *v); /* the answer of a change */
enum err call_service(struct asked *q);                             /* join.c */
enum err call_invitation(struct asked *q);
enum err call_join(struct asked *q);
enum err own_apps(struct asked *q); /* own.c */
enum err own_app_add(struct asked *q);
enum err own_app_delete(struct asked *q);
/* The try of an owner, told apart from other logins by what it is for; no app password will do. */
/* Of an account that is locked out->account is 0: the answer, why, is written already. */
enum err own_prove(struct asked *q, const char *what, struct login_try *t, struct login *out);
enum err own_locked(struct asked *q, const struct login_try *t); /* writes that: a said */
enum err own_logins(struct asked *q);                            /* logins.c */
enum err op_user_logins(struct asked *q);
enum err own_logout(struct asked *q);
enum err own_sessions(struct asked *q);
enum err own_guarantees(struct asked *q); /* own_guarantee.c */
enum err own_guarantees_set(struct asked *q);
enum err call_standing(struct asked *q); /* stand.c */
enum err call_numbers(struct asked *q);

enum err call_sending_ask(struct asked *q); /* operate_sending.c */
enum err call_sending_count(struct asked *q);

/* The operator's calls, operate.c. Each reads all of its fields before it does anything. */
enum err op_say(struct asked *q, enum err e, const char *text, struct str what); /* gives e */
enum err op_address(struct asked *q, struct str text, bool catch_all, struct name *out);
enum err op_domain_add(struct asked *q);
enum err op_domain_delete(struct asked *q);
enum err op_domain_list(struct asked *q);
enum err op_user_add(struct asked *q);
enum err op_user_delete(struct asked *q);
enum err op_user_passwd(struct asked *q);
enum err op_user_list(struct asked *q);
enum err op_user_show(struct asked *q); /* operate_sending.c */
enum err op_user_limits(struct asked *q);
enum err op_alias_add(struct asked *q);
enum err op_alias_delete(struct asked *q);
enum err op_alias_list(struct asked *q);
enum err op_user(struct asked *q, struct str text, struct user *u); /* operate_app.c */
enum err op_app_add(struct asked *q);
enum err op_app_list(struct asked *q);
enum err op_app_delete(struct asked *q);
MUST enum err op_put_user(struct asked *q, const struct user *u); /* a row, as of a list */
/* Lists: rows come with u8 1 in front, u8 0 ends them where the message has enough. */
MUST enum err op_page(struct asked *q, struct page *p);
bool op_row(struct asked *q, size_t i, const struct page *p);
void op_page_end(struct asked *q, size_t rows, const struct page *p, struct str last);
enum err op_life_show(struct asked *q); /* operate_life.c */
enum err op_life_set(struct asked *q);
enum err op_invite(struct asked *q);
enum err op_invite_list(struct asked *q);
enum err op_invite_delete(struct asked *q);
enum err op_user_set(struct asked *q);   /* operate_state.c */
enum err op_seal(struct asked *q);       /* operate_sending.c */
enum err op_guard_list(struct asked *q); /* operate_guard.c */
enum err op_guard_show(struct asked *q);
enum err op_guard_release(struct asked *q);
enum err op_guard_block(struct asked *q);

enum err call_dkim_keys(struct asked *q); /* operate_dkim.c */
enum err call_dkim_sign(struct asked *q);
enum err op_dkim_add(struct asked *q);
enum err op_dkim_rotate(struct asked *q);
enum err op_dkim_retire(struct asked *q);
enum err op_dkim_list(struct asked *q);

#endif
