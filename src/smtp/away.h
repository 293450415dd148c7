/* SPDX-License-Identifier: ISC */
#ifndef SMTP_AWAY_H
#define SMTP_AWAY_H
/*
 * away.h - a transaction's recipients at other servers: the mail to them goes into the queue, in
 * the commit that brings it to the mailboxes here. docs/outbound.md
 */
#include "queue/queue.h"
#include "smtp/intake.h"

struct leaving {
	struct str sender;         /* of his copy */
	struct queue_recipient to; /* address, orcpt, notify */
	enum err result;
	bool in_put; /* while they are divided */
};

/* Can mail be sent there at all? Code 0: yes, and *address is what stands in the envelope then: its
 * domain in A-labels where nothing else needs SMTPUTF8. */
struct reply away_address(struct arena *a, struct path to, struct str *address);
/* "user@domain" in the same form; "" for the null path. */
struct str away_text(struct arena *a, struct path p);

/* Which of smtp.away this address is; a new one if there is none yet. Texts are copied. */
size_t away_add(struct smtp *s, const struct leaving *l);

/* The envelope of a copy; its octets are finished. SMTPUTF8 is asked of the servers on the way only
 * where it is needed: many have not got it. */
struct queue_message away_envelope(struct smtp *s, struct intake *it, const struct leaving *first);

/* What is to be written for those that are not had yet, several messages where one would be too
 * large; they live in s->tx. An error is the result of those it concerns. */
struct away_puts {
	struct queue_put *put;
	struct update *update; /* n, for box_deliver_also, and room for one more */
	size_t n;
};
struct away_puts away_prepare(struct smtp *s, struct intake *it, const bool *had);
/* They were written: what became of each recipient. */
void away_done(struct smtp *s, struct intake *it, struct away_puts *p);

#endif
