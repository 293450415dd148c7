/* SPDX-License-Identifier: ISC */
#include "queue/schedule.h"

enum { DOUBLINGS_MAX = 24, JITTER_PART = 8 };

const struct queue_plan queue_plan_default = {
	.first = 60, .longest = 4 * 3600, .quick = 65, .lifetime = 5 * 24 * 3600, .delay = 4 * 3600
};

/* Chance that is always the same for this try of this entry (the last step of SplitMix64). */
static uint64_t chance(uint64_t id, uint32_t tries)
{
	uint64_t x = id + tries * 0x9e3779b97f4a7c15U;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

unsigned schedule_wait(const struct queue_plan *plan, uint64_t id, uint32_t tries,
		       enum queue_outcome why)
{
	uint32_t doublings = tries ? tries - 1 : 0;
	uint64_t wait = (uint64_t)plan->first
			<< (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);

	if (wait > plan->longest)
		wait = plan->longest;
	if (tries == 1 && why == QUEUE_LATER && wait > plan->quick)
		wait = plan->quick;
	return (unsigned)(wait + chance(id, tries) % (wait / JITTER_PART + 1));
}

static int64_t begin(const struct queue_message *m)
{
	return m->hold_until > m->submitted ? m->hold_until : m->submitted;
}

int64_t schedule_end(const struct queue_plan *plan, const struct queue_message *m)
{
	int64_t end = begin(m) + plan->lifetime;

	return m->deliver_by && m->by_return && m->deliver_by < end ? m->deliver_by : end;
}

void schedule_after(const struct queue_plan *plan, const struct queue_message *m,
		    struct queue_recipient *r, enum queue_outcome what, int64_t now)
{
	int64_t end = schedule_end(plan, m);

	if (r->state != QUEUE_WAITING)
		return;
	if (r->tries < UINT32_MAX)
		r->tries++;
	switch (what) {
	case QUEUE_TOOK: r->state = QUEUE_DELIVERED; return;
	case QUEUE_REFUSED: r->state = QUEUE_FAILED; return;
	case QUEUE_LATER:
	case QUEUE_UNREACHED: break;
	}
	if (now >= end) {
		r->state = QUEUE_EXPIRED;
		return;
	}
	r->next = now + schedule_wait(plan, m->id, r->tries, what);
	if (r->next > end)
		r->next = end;
}

void schedule_begin(const struct queue_message *m, struct queue_recipient *r, int64_t now)
{
	if (r->state == QUEUE_WAITING && m->deliver_by && m->by_return && now >= m->deliver_by)
		r->state = QUEUE_EXPIRED;
}

static bool is_late(const struct queue_plan *plan, const struct queue_message *m, int64_t now)
{
	if (m->deliver_by && !m->by_return && now >= m->deliver_by) /* RFC 2852 4: by-mode N */
		return true;
	return now >= begin(m) + plan->delay;
}

enum queue_report schedule_report(const struct queue_plan *plan, const struct queue_message *m,
				  const struct queue_recipient *r, int64_t now)
{
	bool asked = r->notify != 0;

	if (!m->sender.n || r->told || r->notify & QUEUE_NEVER_TELL)
		return QUEUE_NO_REPORT;
	switch (r->state) {
	case QUEUE_FAILED:
	case QUEUE_EXPIRED:
		return !asked || r->notify & QUEUE_ON_FAILURE ? QUEUE_FAILURE : QUEUE_NO_REPORT;
	case QUEUE_DELIVERED:
		return r->notify & QUEUE_ON_SUCCESS && !r->passed ? QUEUE_SUCCESS : QUEUE_NO_REPORT;
	case QUEUE_WAITING:
		if (r->delay_told || r->tries == 0 || !is_late(plan, m, now))
			return QUEUE_NO_REPORT;
		if (asked ? r->notify & QUEUE_ON_DELAY : m->account != 0)
			return QUEUE_DELAY;
		return QUEUE_NO_REPORT;
	default: return QUEUE_NO_REPORT;
	}
}

void schedule_told(const struct queue_plan *plan, const struct queue_message *m,
		   struct queue_recipient *r, int64_t now)
{
	if (r->state == QUEUE_WAITING)
		r->delay_told |= schedule_report(plan, m, r, now) == QUEUE_DELAY;
	else if (r->state != QUEUE_HELD)
		r->told = true;
}
