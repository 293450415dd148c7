/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "queue/fair.h"

enum { TABLE_LEAST = 256, NO_PLACE = UINT32_MAX };

/* Where a destination is: nothing is due, or it has all its tries; in the heap until its time
 * comes; in a line for a slot. */
enum where { IDLE, WAITING, IN_LINE };
/* What is known of it: nothing, that it answers, that it does not. Each kind has its line. */
enum kind { FRESH, ANSWERS, UNREACHED, KINDS };

struct fair_dest {
	struct fair_dest *chain;       /* of the table */
	struct fair_dest *prev, *next; /* of the line */
	char *name;
	size_t length;
	int64_t due, not_before, pause;
	size_t place; /* in the heap */
	unsigned active, window, good;
	uint32_t news;
	enum kind kind;
	enum where where;
};

struct line {
	struct fair_dest *first, *last;
};

/* A try that is under way; those in quick slots are a list by their beginning. */
struct
try {
	int64_t began;
	uint32_t prev, next;
	bool slow, fresh, used;
};

struct fair {
	struct fair_conf conf;
	struct fair_dest **table, **heap;
	size_t cap, n, nheap;
	struct line line[KINDS];
	struct try *tries;
	uint32_t oldest, youngest, unused; /* of the quick ones; of those that are free */
	size_t quick, slow, fresh;         /* slots taken; fresh: of the quick ones */
};

struct fair *fair_new(const struct fair_conf *conf)
{
	struct fair *f = NEW(struct fair);
	uint32_t slots = conf->quick + conf->slow;

	f->conf = *conf;
	for (f->cap = TABLE_LEAST; f->cap < conf->dests_max; f->cap *= 2)
		;
	f->table = mem_new(f->cap * sizeof *f->table);
	f->heap = mem_new((conf->dests_max + 1) * sizeof *f->heap);
	f->tries = mem_new((slots + 1) * sizeof *f->tries);
	f->oldest = f->youngest = f->unused = NO_PLACE;
	for (uint32_t i = 0; i < slots; i++) {
		f->tries[i].next = f->unused;
		f->unused = i;
	}
	return f;
}

void fair_free(struct fair **f)
{
	if (!*f)
		return;
	for (size_t i = 0; i < (*f)->cap; i++)
		for (struct fair_dest *d = (*f)->table[i], *next; d; d = next) {
			next = d->chain;
			free(d->name);
			free(d);
		}
	free((*f)->table);
	free((*f)->heap);
	free((*f)->tries);
	free(*f);
	*f = NULL;
}

/* --- the heap of those whose time is to come --- */

static int64_t when(const struct fair_dest *d)
{
	return d->due > d->not_before ? d->due : d->not_before;
}

static void set(struct fair *f, size_t at, struct fair_dest *d)
{
	f->heap[at] = d;
	d->place = at;
}

static void sift(struct fair *f, size_t at)
{
	struct fair_dest *d = f->heap[at];

	for (; at && when(f->heap[(at - 1) / 2]) > when(d); at = (at - 1) / 2)
		set(f, at, f->heap[(at - 1) / 2]);
	for (size_t child; (child = 2 * at + 1) < f->nheap; at = child) {
		if (child + 1 < f->nheap && when(f->heap[child + 1]) < when(f->heap[child]))
			child++;
		if (when(f->heap[child]) >= when(d))
			break;
		set(f, at, f->heap[child]);
	}
	set(f, at, d);
}

static void heap_take(struct fair *f, struct fair_dest *d)
{
	size_t at = d->place;
	struct fair_dest *last = f->heap[--f->nheap];

	if (last == d)
		return;
	set(f, at, last);
	sift(f, at);
}

/* --- places --- */

static void leave(struct fair *f, struct fair_dest *d)
{
	struct line *l = &f->line[d->kind];

	if (d->where == WAITING)
		heap_take(f, d);
	if (d->where == IN_LINE) {
		*(d->prev ? &d->prev->next : &l->first) = d->next;
		*(d->next ? &d->next->prev : &l->last) = d->prev;
	}
	d->prev = d->next = NULL;
	d->where = IDLE;
}

/* To the end of its line, into the heap, or nowhere. */
static void settle(struct fair *f, struct fair_dest *d, int64_t now)
{
	struct line *l = &f->line[d->kind];

	if (d->due == INT64_MAX || d->active >= d->window)
		return;
	if (when(d) > now) {
		f->heap[f->nheap] = d;
		d->place = f->nheap++;
		d->where = WAITING;
		sift(f, d->place);
		return;
	}
	d->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = d;
	l->last = d;
	d->where = IN_LINE;
}

static struct fair_dest **find(const struct fair *f, struct str name)
{
	struct fair_dest **at = &f->table[str_hash(name) & (f->cap - 1)];

	while (*at && !str_eq(STR((*at)->name, (*at)->length), name))
		at = &(*at)->chain;
	return at;
}

/* One of which there is nothing to remember goes. */
static void forget(struct fair *f, struct fair_dest *d)
{
	if (d->active || d->due != INT64_MAX)
		return;
	struct fair_dest **at = find(f, STR(d->name, d->length));

	leave(f, d);
	*at = d->chain;
	f->n--;
	free(d->name);
	free(d);
}

enum err fair_due(struct fair *f, struct str name, int64_t at)
{
	struct fair_dest **place = find(f, name), *d = *place;

	if (!d) {
		if (f->n == f->conf.dests_max)
			return E_LIMIT;
		d = *place = NEW(struct fair_dest);
		d->name = mem_new(name.n + 1);
		memcpy(d->name, name.p, name.n);
		d->length = name.n;
		d->window = 1;
		d->due = INT64_MAX;
		d->not_before = INT64_MIN;
		f->n++;
	}
	d->news++;
	if (at >= d->due)
		return OK;
	d->due = at;
	if (d->where == WAITING)
		sift(f, d->place);
	else if (d->where == IDLE)
		settle(f, d, INT64_MIN); /* fair_next knows the time */
	return OK;
}

void fair_wake(struct fair *f, struct str name)
{
	struct fair_dest *d = *find(f, name);

	if (!d || d->not_before == INT64_MIN)
		return;
	d->not_before = INT64_MIN;
	if (d->where == WAITING)
		sift(f, d->place);
}

/* --- slots --- */

static void unlink_quick(struct fair *f, uint32_t i)
{
	struct try *t = &f->tries[i];

	*(t->prev == NO_PLACE ? &f->oldest : &f->tries[t->prev].next) = t->next;
	*(t->next == NO_PLACE ? &f->youngest : &f->tries[t->next].prev) = t->prev;
	f->quick--;
	f->fresh -= t->fresh;
}

/* Tries that last long go over to slow slots. */
static void slow_down(struct fair *f, int64_t now)
{
	while (f->oldest != NO_PLACE && f->slow < f->conf.slow &&
	       now - f->tries[f->oldest].began >= f->conf.slow_ms) {
		struct try *t = &f->tries[f->oldest];

		unlink_quick(f, f->oldest);
		t->slow = true;
		f->slow++;
	}
}

static uint32_t begin(struct fair *f, enum kind kind, int64_t now)
{
	uint32_t i = f->unused;
	struct try *t = &f->tries[i];

	BUG_IF(i == NO_PLACE);
	f->unused = t->next;
	*t = (struct try){ .began = now,
			   .prev = f->youngest,
			   .next = NO_PLACE,
			   .slow = kind == UNREACHED,
			   .fresh = kind == FRESH,
			   .used = true };
	if (t->slow) {
		f->slow++;
		return i;
	}
	*(f->youngest == NO_PLACE ? &f->oldest : &f->tries[f->youngest].next) = i;
	f->youngest = i;
	f->quick++;
	f->fresh += t->fresh;
	return i;
}

static void end(struct fair *f, uint32_t i)
{
	struct try *t = &f->tries[i];

	BUG_IF(!t->used);
	if (t->slow)
		f->slow--;
	else
		unlink_quick(f, i);
	*t = (struct try){ .next = f->unused };
	f->unused = i;
}

static void wake(struct fair *f, int64_t now)
{
	while (f->nheap && when(f->heap[0]) <= now) {
		struct fair_dest *d = f->heap[0];

		leave(f, d);
		settle(f, d, now);
	}
}

/* May one of this kind begin now? */
static bool has_room(const struct fair *f, enum kind kind)
{
	switch (kind) {
	case FRESH: return f->quick < f->conf.quick && f->fresh < (f->conf.quick + 1) / 2;
	case ANSWERS: return f->quick < f->conf.quick;
	default: return f->slow < f->conf.slow;
	}
}

enum err fair_next(struct fair *f, int64_t now, struct fair_slot *out)
{
	enum kind k = FRESH;

	slow_down(f, now);
	wake(f, now);
	while (k < KINDS && !(f->line[k].first && has_room(f, k)))
		k++;
	if (k == KINDS)
		return E_NOTFOUND;
	struct fair_dest *d = f->line[k].first;

	leave(f, d);
	d->active++;
	settle(f, d, now);
	*out = (struct fair_slot){ d, STR(d->name, d->length), begin(f, k, now), d->news };
	return OK;
}

/* --- answers --- */

static void reached(struct fair *f, struct fair_dest *d)
{
	if (d->kind == FRESH)
		d->window = f->conf.window_first;
	d->kind = ANSWERS;
	d->pause = 0;
	d->not_before = INT64_MIN;
}

static void failed(struct fair *f, struct fair_dest *d, int64_t now)
{
	if (d->kind == UNREACHED && d->not_before > now)
		return; /* tries that ran at the same time are one failure */
	d->pause = d->pause ? 2 * d->pause : f->conf.pause_ms;
	if (d->pause > f->conf.pause_max_ms)
		d->pause = f->conf.pause_max_ms;
	d->not_before = now + d->pause;
	d->kind = UNREACHED;
	d->window = 1;
	d->good = 0;
}

static void learn(struct fair *f, struct fair_dest *d, enum fair_answer answer, int64_t now)
{
	switch (answer) {
	case FAIR_NOTHING: return;
	case FAIR_TAKEN:
		reached(f, d);
		if (++d->good >= d->window && d->window < f->conf.window_max) {
			d->window++;
			d->good = 0;
		}
		return;
	case FAIR_LATER:
		reached(f, d);
		d->window = d->window > 1 ? d->window / 2 : 1;
		d->good = 0;
		return;
	case FAIR_UNREACHED: failed(f, d, now); return;
	}
}

void fair_done(struct fair *f, struct fair_slot *slot, enum fair_answer answer, int64_t more,
	       int64_t now)
{
	struct fair_dest *d = slot->dest;

	end(f, slot->number);
	slot->dest = NULL;
	leave(f, d);
	d->active--;
	/* Others have told since of what this one may not have seen. */
	if (d->news == slot->news || more < d->due)
		d->due = more;
	d->news += answer != FAIR_NOTHING;
	learn(f, d, answer, now);
	settle(f, d, now);
	forget(f, d);
}

int64_t fair_wait(struct fair *f, int64_t now)
{
	slow_down(f, now);
	wake(f, now);
	int64_t at = f->nheap ? when(f->heap[0]) : INT64_MAX;

	for (enum kind k = FRESH; k < KINDS; k++) {
		if (!f->line[k].first)
			continue;
		if (has_room(f, k))
			return now;
		/* A try that turns slow makes room. */
		if (k != UNREACHED && f->slow < f->conf.slow && f->oldest != NO_PLACE &&
		    f->tries[f->oldest].began + f->conf.slow_ms < at)
			at = f->tries[f->oldest].began + f->conf.slow_ms;
	}
	return at < now ? now : at;
}

struct fair_stats fair_stats(const struct fair *f)
{
	return (struct fair_stats){ f->n, f->quick, f->slow };
}

unsigned fair_window(const struct fair *f, struct str name)
{
	const struct fair_dest *d = *find(f, name);

	return d ? d->window : 0;
}
