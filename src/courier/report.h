/* SPDX-License-Identifier: ISC */
#ifndef COURIER_REPORT_H
#define COURIER_REPORT_H
/*
 * report.h - the mail of queue/report.h on its way: into the sender's inbox where he lives here,
 * else back into the queue, with the null sender.
 *
 * Suspends: report_write, report_send.
 */
#include "box/box.h"
#include "keeper/keeper.h"
#include "queue/queue.h"
#include "queue/report.h"

struct report_of {
	struct store *store;
	struct keeper *keeper;
	const struct queue_plan *plan;
	struct str hostname;
	const struct queue_job *job;
	int64_t now;
};

/* One report, written and not yet anywhere. Owner: caller. */
struct report_mail {
	enum queue_report kind;
	struct incoming *in; /* NULL: there is nobody to be told */
	struct delivery *to; /* nto */
	size_t nto;
	struct queue_put *put; /* of those elsewhere; NULL: nobody */
};

/* Texts in a. An error: it cannot be made just now. */
MUST enum err report_write(const struct report_of *of, enum queue_report kind, struct arena *a,
			   struct report_mail *out);
/* All of them, the last in one commit with other updates.
 * Where a report alone fails it is tried again, and the log says so. */
void report_send(const struct report_of *of, struct report_mail *mail, size_t n,
		 struct update *also, size_t nalso, struct arena *a);
void report_drop(struct report_mail *mail);

#endif
