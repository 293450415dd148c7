/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_SAY_H
#define QUEUE_SAY_H
/*
 * say.h - for people: what the other side said, what that means, what happens next and when.
 * Never suspends.
 */
#include "queue/schedule.h"

enum queue_language { QUEUE_DE, QUEUE_EN };

/* The sentences, UTF-8, in one line. */
struct str queue_say(struct arena *a, enum queue_language l, const struct queue_plan *plan,
		     const struct queue_message *m, const struct queue_recipient *r);
/* Of that, what they said, or why they said nothing, and what it means; a blank behind it. "": no
 * try yet. */
struct str queue_said(struct arena *a, enum queue_language l, const struct queue_reply *last);
/* What a status of RFC 3463 means: a whole sentence; lives for ever. Never empty. */
struct str queue_meaning(enum queue_language l, const uint16_t status[3]);
/* The status of a report: class, subject, detail. RFC 3463, RFC 3464 2.3.4 */
void queue_status(const struct queue_message *m, const struct queue_recipient *r, uint16_t out[3]);
/* For people and their terminals: a blank for each run of what is not utf8_harmless, "?" for
 * an octet that is no character. */
struct str queue_one_line(struct arena *a, struct str s);

#endif
