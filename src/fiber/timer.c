/* SPDX-License-Identifier: ISC */
#include "fiber/fiber_priv.h"

static void set(struct timers *t, size_t i, struct fiber *f)
{
	t->heap[i] = f;
	f->timer = i + 1;
}

static void rise(struct timers *t, size_t i, struct fiber *f)
{
	while (i > 0 && t->heap[(i - 1) / 2]->deadline > f->deadline) {
		set(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	set(t, i, f);
}

static void sink(struct timers *t, size_t i, struct fiber *f)
{
	for (size_t child; (child = 2 * i + 1) < t->n; i = child) {
		if (child + 1 < t->n && t->heap[child + 1]->deadline < t->heap[child]->deadline)
			child++;
		if (t->heap[child]->deadline >= f->deadline)
			break;
		set(t, i, t->heap[child]);
	}
	set(t, i, f);
}

void timer_add(struct timers *t, struct fiber *f)
{
	BUG_IF(f->timer);
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;

		t->heap = mem_grow(t->heap, t->cap * sizeof *t->heap, cap * sizeof *t->heap);
		t->cap = cap;
	}
	rise(t, t->n++, f);
}

void timer_remove(struct timers *t, struct fiber *f)
{
	size_t i = f->timer - 1;

	if (!f->timer)
		return;
	f->timer = 0;
	struct fiber *last = t->heap[--t->n];

	if (last == f)
		return;
	if (i > 0 && t->heap[(i - 1) / 2]->deadline > last->deadline)
		rise(t, i, last);
	else
		sink(t, i, last);
}
