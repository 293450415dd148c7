/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "courier/courier_priv.h"

enum { ERROR_PAUSE_S = 5 };

bool turn_goes_on(const struct turn *t)
{
	return !t->c->stopping && !fiber_canceled();
}

/* MT-PRIORITY counts within what is leased together: RFC 6710 4.1. */
static int by_priority(const void *x, const void *y)
{
	const struct queue_job *a = x, *b = y;

	if (a->m.priority != b->m.priority)
		return a->m.priority > b->m.priority ? -1 : 1;
	return (a->p.id > b->p.id) - (a->p.id < b->p.id);
}

static void lease(struct turn *t)
{
	struct courier *c = t->c;
	unsigned shard;
	bool earlier;

	while (!t->njobs && due_take(c->due, t->slot.name, clock_wall(), &shard)) {
		struct queue_lease l = { .shard = shard,
					 .destination = t->slot.name,
					 .holder = c->conf.holder,
					 .now = clock_wall(),
					 .lease_s = LEASE_S,
					 .max = JOBS_MAX };
		enum err e = queue_lease(c->store, &l, t->arena, t->job, &t->njobs);

		if (e)
			log_event(LOG_ERROR, "queue.lease", KV("destination", l.destination),
				  KVN("shard", shard), KVE(e));
		/* There may be more. Where no room is left for the note, the next look sees it. */
		if (e || t->njobs == JOBS_MAX)
			(void)!due_note(c->due, t->slot.name, shard,
					l.now + (e ? ERROR_PAUSE_S : 0), &earlier);
		if (e)
			break;
	}
	qsort(t->job, t->njobs, sizeof *t->job, by_priority);
}

/* Is the part still ours, for long enough? */
static bool is_ours(struct turn *t, struct queue_job *j)
{
	int64_t now = clock_wall();

	if (j->p.lease_until - now >= RENEW_S)
		return true;
	enum err e = queue_renew(t->c->store, j, now + LEASE_S);

	if (e)
		log_mail(LOG_WARN, "queue.lease.lost", j->p.id, e);
	return !e;
}

static void work(struct turn *t, struct queue_job *j)
{
	arena_reset(t->once);
	if (turn_goes_on(t) && is_ours(t, j)) {
		t->now = j;
		for (size_t i = 0; i < j->p.n; i++)
			schedule_begin(&j->m, &j->p.rcpt[i], clock_wall());
		if (t->local == E_NOTFOUND)
			try_part(t, j);
		else
			local_part(t, j);
		finish_part(t, j);
		t->now = NULL;
		return;
	}
	if (turn_goes_on(t))
		return;
	enum err e = queue_result(t->c->store, j, true);

	if (e)
		log_mail(LOG_DEBUG, "queue.lease.kept", j->p.id, e);
}

static enum fair_answer answer(const struct turn *t)
{
	if (!t->njobs)
		return FAIR_NOTHING;
	if (t->has_failed && !t->taken)
		switch (t->failure.outcome) {
		case QUEUE_UNREACHED: return FAIR_UNREACHED;
		case QUEUE_LATER: return FAIR_LATER;
		default: return FAIR_TAKEN;
		}
	/* One mail in three that is put off says something of the mails, not of the server. */
	return t->later > t->taken ? FAIR_LATER : FAIR_TAKEN;
}

/* When the destination is due next, in milliseconds as fair.h wants it. */
static int64_t more(const struct turn *t)
{
	int64_t first = due_first(t->c->due, t->slot.name);

	return first == QUEUE_NEVER ? INT64_MAX : first * 1000;
}

void turn_run(void *arg)
{
	struct turn *t = arg;
	struct courier *c = t->c;

	t->arena = arena_new(JOBS_ARENA);
	t->once = arena_new(TRY_ARENA);
	t->block = arena_new(TRY_ARENA);
	lease(t);
	if (t->njobs)
		t->local = local_domain(t);
	for (size_t i = 0; i < t->njobs; i++)
		work(t, &t->job[i]);
	pool_put(c->pool, &t->line);
	fair_done(c->fair, &t->slot, answer(t), more(t), clock_wall_ms());
	arena_free(&t->block);
	arena_free(&t->once);
	arena_free(&t->arena);
	if (t->next)
		t->next->at = t->at;
	*t->at = t->next;
	free(t);
	signal_raise(&c->news);
}
