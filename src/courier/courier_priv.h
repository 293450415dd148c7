/* SPDX-License-Identifier: ISC */
#ifndef COURIER_COURIER_PRIV_H
#define COURIER_COURIER_PRIV_H
/*
 * courier_priv.h - what the files of the loop share.
 *
 *   run.c    looks at the shards (due.h), gives turns (queue/fair.h), renews leases
 *   turn.c   one turn: leases parts of a destination, and works on one after the other
 *   local.c  one part whose domain is ours: into mailboxes
 *   try.c    one part: a line, the mail over it, what became of each recipient
 *   reply.c  an outcome of smtp/client.h as the queue keeps it
 *   finish.c writes the result, and the reports that are due
 */
#include "courier/courier.h"
#include "courier/due.h"
#include "courier/pool.h"
#include "queue/fair.h"

enum {
	LEASE_S = 300, /* a courier's death is made good after it */
	RENEW_S = 200, /* with less left than this, no try begins */
	OPEN_MS = 300 * 1000,
	JOBS_MAX = 16, /* parts of one lease */
	JOBS_ARENA = 32 << 20,
	TRY_ARENA = 4 << 20,
};

struct shard {
	struct courier *c;
	unsigned number;
	bool changed;
	int64_t looked_us; /* when it was looked at last */
};

struct courier {
	struct courier_conf conf;
	struct store *store;
	struct keeper *keeper;
	struct line_net *net;
	struct fair *fair;
	struct due *due;
	struct pool *pool;
	struct group *minding; /* fibers that look, give turns and renew */
	struct group *turning; /* a fiber for each turn */
	struct signal news;    /* something may be due, or a slot has come free */
	struct turn *turns;    /* all under way */
	struct shard shard[QUEUE_SHARDS];
	unsigned looked;       /* the shard that was looked at last */
	struct signal changed; /* one of the shards */
	bool stopping;
	bool crowded; /* it was said that there are too many destinations */
};

/* One slot at work: lives as long as its fiber. */
struct turn {
	struct courier *c;
	struct fair_slot slot;
	struct arena *arena; /* the leased parts, and why there was no line */
	struct arena *once;  /* what one part needs; reset before each */
	struct arena *block; /* the piece of the mail that is being sent */
	struct queue_job job[JOBS_MAX];
	size_t njobs;
	struct queue_job *now; /* that is worked on, whose lease is to be renewed */
	enum err local;        /* OK: of a domain of ours; E_NOTFOUND: not; else it is not known */
	struct line *line;     /* owned, or NULL */
	struct line_want failed;
	struct line_failure failure; /* valid if has_failed: of `failed` in this turn */
	bool has_failed;
	bool heard;              /* a line was opened or could not be: something to be learnt */
	unsigned taken, later;   /* mails of which somebody was decided; that were put off whole */
	struct turn *next, **at; /* of courier.turns */
};

/* turn.c: a fiber, arg is a turn of its own. */
void turn_run(void *arg);
/* False: the courier is stopping, or the fiber was canceled. */
bool turn_goes_on(const struct turn *t);

/* local.c: as turn.local says. */
enum err local_domain(struct turn *t);
/* All of the part's recipients whose time has come, of a domain of ours; or, where that is not
 * known, later. */
void local_part(struct turn *t, struct queue_job *j);

/* try.c: all of the part's recipients whose time has come. */
void try_part(struct turn *t, struct queue_job *j);

/* reply.c, both pure. What was said to a recipient, and over which line: texts are out's. */
enum queue_outcome reply_take(const struct outcome *out, bool utf8_address, int64_t now,
			      const struct queue_reply *facts, struct queue_reply *r);
bool reply_status(struct str esc, uint16_t out[3]);

/* finish.c: writes what became of the part and gives its lease back, with the reports due. */
void finish_part(struct turn *t, struct queue_job *j);
/* What a try came to so far, for more to come. */
void note_part(struct turn *t, struct queue_job *j);
/* What went wrong with a mail, for the log. */
void log_mail(enum log_level level, const char *event, uint64_t id, enum err e);
/* One line in the log for a recipient that was tried just now. */
void log_recipient(struct turn *t, const struct queue_job *j, const struct queue_recipient *r,
		   int64_t ms);

#endif
