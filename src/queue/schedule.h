/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H
/*
 * schedule.h - when a mail is tried again, when its sender hears of a delay, when it comes back.
 * Never suspends.
 */
#include "queue/record.h"

/* Seconds. */
struct queue_plan {
	unsigned first;    /* between the first try and the second; then it doubles */
	unsigned longest;  /* until it is so long */
	unsigned quick;    /* after a first 4yz, if that is sooner: a server that greylists */
	unsigned lifetime; /* from the submission, or the end of its holding: then it comes back */
	unsigned delay;    /* the same: then its sender is told that it is late */
};
extern const struct queue_plan queue_plan_default; /* 1 min, 4 h, 65 s, 5 days, 4 h */

/* What a try came to, for one recipient. */
enum queue_outcome {
	QUEUE_TOOK,      /* 2yz */
	QUEUE_LATER,     /* 4yz */
	QUEUE_REFUSED,   /* 5yz, or a reason of ours that does not pass */
	QUEUE_UNREACHED, /* no reply came */
};

/* The seconds from try number `tries` (1 is the first) to the next. The same entry always waits the
 * same; entries that came together do not come again together: up to an eighth is added. */
unsigned schedule_wait(const struct queue_plan *plan, uint64_t id, uint32_t tries,
		       enum queue_outcome why);
/* When it comes back at last. */
int64_t schedule_end(const struct queue_plan *plan, const struct queue_message *m);
/* Before a try: a mail that was to be returned after its time is not tried any more then, but has
 * expired. RFC 2852 4. */
void schedule_begin(const struct queue_message *m, struct queue_recipient *r, int64_t now);
/* What a try of now makes of a recipient: state, tries, next. The last try is made at the end of
 * its life, or, if nobody tried in time, whenever somebody does. */
void schedule_after(const struct queue_plan *plan, const struct queue_message *m,
		    struct queue_recipient *r, enum queue_outcome what, int64_t now);

enum queue_report { QUEUE_NO_REPORT, QUEUE_DELAY, QUEUE_FAILURE, QUEUE_SUCCESS };
/* Which report its sender is owed now: RFC 3461 4.1, 5.2; none ever for the null sender;
 * none of a delay, unasked, for mail of no account, whose sender may be anybody. */
enum queue_report schedule_report(const struct queue_plan *plan, const struct queue_message *m,
				  const struct queue_recipient *r, int64_t now);
/* It was written, or none was due: told and delay_told as they are now. */
void schedule_told(const struct queue_plan *plan, const struct queue_message *m,
		   struct queue_recipient *r, int64_t now);

#endif
