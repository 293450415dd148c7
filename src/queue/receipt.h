/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_RECEIPT_H
#define QUEUE_RECEIPT_H
/*
 * receipt.h - what the queue knows of its tries as receipts of who sent the mail: box/receipt.h.
 *
 *	queue_message_id(st, &job.m, a, &id)            once a message; suspends
 *	queue_result_prepare(a, &job, true, &u[n++])
 *	if (queue_receipt_prepare(a, &job, id, now, &u[n]))
 *		n++;
 *	store_update_all(st, u, n)
 */
#include "box/receipt.h"
#include "queue/queue.h"
#include "queue/say.h"

/* Suspends. The Message-ID without brackets, the arena's. E_NOTFOUND: it has none, or the octets
 * are gone; store.h's. */
MUST enum err queue_message_id(struct store *st, const struct queue_message *m, struct arena *a,
			       struct str *out);
/* A row for each recipient of the part that was tried, as it stands now. Its texts are j's, the
 * rows the arena's. */
struct receipt queue_receipt(struct arena *a, const struct queue_job *j, struct str id);
/* The update that keeps them, to be made beside that of queue_result_prepare. j's texts must live
 * until then. False: there is nothing to keep: nobody's mail, no Message-ID, no try yet. */
bool queue_receipt_prepare(struct arena *a, const struct queue_job *j, struct str id, int64_t now,
			   struct update *out);

/* For people: what was said last or why nothing was, and what that means. "": nothing is known. */
struct str queue_receipt_said(struct arena *a, enum queue_language l, const struct receipt_row *r);

#endif
