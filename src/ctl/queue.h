/* SPDX-License-Identifier: ISC */
#ifndef CTL_QUEUE_H
#define CTL_QUEUE_H
/*
 * queue.h - what the commands about the queue share: filters, words and JSON. An entry is a part
 * of queue/queue.h: one mail for one destination.
 */
#include "ctl/ctl_priv.h"
#include "queue/queue.h"
#include "queue/receipt.h"
#include "queue/say.h"

enum { ENTRIES_A_PAGE = 100, ENTRIES_ARENA = 1 << 30 /* of the longest texts; usually 1 MB */ };

/* The options that choose; true: there is one of them. */
bool queued_filter(const struct ctl *c, struct queue_filter *out);
/* Calls fn for each entry that fits, oldest first, until it says no; memory does not grow. */
MUST enum err queued_each(struct store *st, const struct queue_filter *f,
			  bool (*fn)(void *arg, struct arena *page, const struct queue_job *j),
			  void *arg);
/* "sending", "held", "waiting" or "ended": what counts first. */
const char *queued_state(const struct queue_part *p, int64_t now);
const char *queued_state_word(enum queue_state s);
/* When something happens next; QUEUE_NEVER, QUEUE_ORDERED. */
int64_t queued_next(const struct queue_part *p);
struct str queued_when(struct arena *a, int64_t next); /* "-", "at once", or the time */
json_t *queued_json_when(int64_t next);                /* null, 0, or the time */
/* "451 4.7.1 come back later", or why there was no reply, cleaned for a terminal. */
struct str queued_reply(struct arena *a, const struct queue_reply *y);
/* A recipient that was tried as its receipt will have it. */
struct receipt_row queued_receipt(struct arena *a, const struct queue_recipient *r);
/* For people: which server, over what, how proven; "" where there was no connection. */
struct str queued_way(struct arena *a, enum queue_language l, const struct receipt_row *r);
/* When, which reply, which server, over what, how proven. */
json_t *queued_json_line(const struct receipt_row *r);
/* All of a mail; user: whose it is. */
json_t *queued_json_receipt(struct str user, const struct receipt *r);
json_t *queued_json_mail(struct arena *a, const struct queue_message *m);
/* said: what is to be told of each recipient beside the facts; NULL: nothing. */
json_t *queued_json_entry(struct arena *a, const struct queue_job *j, const struct str *said);

#endif
