/* SPDX-License-Identifier: ISC */
#include "fiber/fiber_priv.h"

struct group *group_new(void)
{
	return NEW(struct group);
}

enum err group_spawn(struct group *g, const char *name, void (*fn)(void *arg), void *arg)
{
	struct fiber *f = fiber_make(fiber_this()->loop, name, fn, arg);

	if (!f)
		return E_LIMIT;
	f->group = g;
	f->canceled = g->canceled;
	f->at_in_group = &g->fibers;
	f->next_in_group = g->fibers;
	if (g->fibers)
		g->fibers->at_in_group = &f->next_in_group;
	g->fibers = f;
	g->n++;
	return OK;
}

void group_leave(struct fiber *f)
{
	struct group *g = f->group;

	*f->at_in_group = f->next_in_group;
	if (f->next_in_group)
		f->next_in_group->at_in_group = f->at_in_group;
	if (--g->n)
		return;
	g->canceled = g->closing;
	signal_raise(&g->emptied);
}

unsigned group_size(const struct group *g)
{
	return g->n;
}

void fiber_cancel(struct fiber *f)
{
	BUG_IF(!f->group || f->loop != loop_this());
	f->canceled = true;
	if (!f->deaf)
		fiber_wake(f, E_CANCELED);
}

void group_cancel(struct group *g)
{
	g->canceled = g->n || g->closing;
	for (struct fiber *f = g->fibers; f; f = f->next_in_group)
		fiber_cancel(f);
}

static enum err wait_empty(struct group *g, int64_t deadline, bool deaf)
{
	BUG_IF(fiber_this()->group == g);
	while (g->n) {
		enum err e = fiber_park(&(struct want){ .why = "the end of a group",
							.fd = -1,
							.signal = &g->emptied,
							.deadline = deadline,
							.deaf = deaf });
		if (e != E_AGAIN)
			return e;
	}
	return OK;
}

enum err group_wait(struct group *g, int64_t deadline)
{
	return fiber_canceled() ? E_CANCELED : wait_empty(g, deadline, false);
}

void group_close(struct group **g)
{
	if (!*g)
		return;
	BUG_IF((*g)->closing);
	(*g)->closing = true;
	group_cancel(*g);
	BUG_IF(wait_empty(*g, NEVER, true) != OK);
	free(*g);
	*g = NULL;
}

static struct waiter *before(struct signal *s, struct waiter *w)
{
	if (w->at == &s->waiters)
		return NULL;
	return (struct waiter *)((char *)w->at - offsetof(struct waiter, next));
}

/* Who came first is woken first, though the list has him last: else the latest comer would get
 * what they all wait for, and some would never get it. */
void signal_raise(struct signal *s)
{
	struct waiter *w = s->waiters;

	s->count++;
	while (w && w->next)
		w = w->next;
	while (w) {
		struct fiber *f = w->fiber;

		w = before(s, w);
		fiber_wake(f, E_AGAIN);
	}
}

enum err signal_wait(struct signal *s, uint64_t seen, int64_t deadline)
{
	if (fiber_canceled())
		return E_CANCELED;
	if (s->count != seen)
		return OK;
	enum err e = fiber_park(
		&(struct want){ .why = "a signal", .fd = -1, .signal = s, .deadline = deadline });

	return e == E_AGAIN ? OK : e;
}
