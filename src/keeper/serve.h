/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SERVE_H
#define KEEPER_SERVE_H
/*
 * serve.h - the side of the keeper that answers, for the process that is it (and for tests,
 * which connect both sides with ipc_pair).
 */
#include "ipc/ipc.h"
#include "guard/guard.h"
#include "keeper/keeper.h"
#include "keeper/leaked.h"
#include "keeper/route.h"
#include "guard/slow.h"
#include "store/store.h"

struct keeping;

struct keeping_conf {
	struct guard_conf guard;       /* its networks are borrowed likewise */
	struct slow_rules slow;        /* its window is guard's */
	struct route_rules rules;      /* borrowed until keeping_configure or keeping_close */
	struct sending_counts sending; /* limits of an account in 24 hours */
	int64_t refused_tell_s;        /* keeper/refused.h */
	unsigned password_min;         /* characters of a new password */
	unsigned password_classes;     /* kinds of characters that it must have; 0: advice only */
	struct leaked *leaked;         /* borrowed as long; NULL: no list */
	bool rehash;                   /* hashes brought along become ours at a login */
};

/* st is borrowed. Ends first what a crash left half done. (suspends) E_IO and the store's. */
MUST enum err keeping_new(struct store *st, const struct keeping_conf *conf, struct keeping **out);
void keeping_configure(struct keeping *k, const struct keeping_conf *conf); /* after a reload */
/* After the peers that it serves. */
void keeping_close(struct keeping **k);

/* Who asks; others' calls are E_DENIED. A worker that was broken into gets no further. */
enum face {
	FACE_MX = 1,       /* where mail goes */
	FACE_SESSION = 2,  /* that, and who may come in */
	FACE_OPERATOR = 4, /* the directory: the control socket */
	FACE_COURIER = 8,  /* where mail goes, and signatures of the server's own mail */
};
/* For peer_new or ipc_accept_loop; lives as long as k. face: one of them. */
struct ipc_service keeping_service(struct keeping *k, enum face face);

/* Takes over the socket to a worker: its calls are answered, and it is told which sessions to
 * end. E_LIMIT. */
MUST enum err keeping_worker(struct keeping *k, enum face face, int fd);
/* (suspends) Ends sessions in all workers; end->except only at the asker (who it was that asked
 * a call, or NULL). Returns when each worker has done it. */
struct side;
void keeping_end_sessions(struct keeping *k, const struct session_end *end,
			  const struct side *asker);
/* (suspends) The open sessions of an account, at most max; a worker that does not answer is left
 * out. Texts live in a. */
size_t keeping_sessions(struct keeping *k, uint32_t account, struct arena *a,
			struct session_row *out, size_t max);
/* Who shall be kept out by the kernel. */
struct keeping_ban {
	struct net who;
	int64_t until; /* UTC seconds; 0: no longer */
};
struct keeping_main {
	/* n at most KEEPING_BANS. whole: what was told before is void; so begins the first word of
	 * each keeper, and what follows an error. May suspend. */
	enum err (*bans)(void *arg, const struct keeping_ban *list, size_t n, bool whole);
	void *arg;
};
enum { KEEPING_BANS = 1000 };
void keeping_tell_main(struct keeping *k, struct keeping_main m); /* all, and from now on */
/* Main and the workers hear of all bans once more: where a worker has clients from before this
 * keeper began, who may have been banned while nobody could tell. */
void keeping_tell_again(struct keeping *k);

#endif
