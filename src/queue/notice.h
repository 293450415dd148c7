/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_NOTICE_H
#define QUEUE_NOTICE_H
/*
 * notice.h - the mail of queue/report.h on its way: into the sender's inbox where he lives here,
 * else back into the queue, with the null sender.
 *
 * Suspends: queue_notice_write, queue_notice_send.
 */
#include "box/box.h"
#include "keeper/keeper.h"
#include "queue/queue.h"
#include "queue/report.h"

/* The octets of one, for whoever signs them. */
struct queue_notice_octets;
/* Suspends. Hands all of them to fn, in order; the header with its empty line is in the first. */
MUST enum err queue_notice_each(const struct queue_notice_octets *o,
				enum err (*fn)(void *arg, struct str octets), void *arg);

struct queue_notice_of {
	struct store *store;
	struct keeper *keeper;
	const struct queue_plan *plan;
	struct str hostname;
	const struct queue_job *job;
	int64_t now;
	/* Makes the fields DKIM-Signature of one that leaves the house; from: its author. NULL:
	 * nobody signs. May suspend. */
	enum err (*sign)(void *arg, struct path from, const struct queue_notice_octets *o,
			 struct arena *a, struct str *out);
	void *arg;
};

/* One report, written and not yet anywhere. Owner: caller. */
struct queue_notice {
	enum queue_report kind;
	struct incoming *in; /* NULL: there is nobody to be told */
	struct delivery *to; /* nto */
	size_t nto;
	struct queue_put *put; /* of those elsewhere; NULL: nobody */
};

/* Texts in a. An error: it cannot be made just now. */
MUST enum err queue_notice_write(const struct queue_notice_of *of, enum queue_report kind,
				 struct arena *a, struct queue_notice *out);
/* All of them, the last in one commit with other updates.
 * Where a report alone fails it is tried again, and at last goes by the queue. */
void queue_notice_send(const struct queue_notice_of *of, struct queue_notice *mail, size_t n,
		       struct update *also, size_t nalso, struct arena *a);
void queue_notice_drop(struct queue_notice *mail);

#endif
