/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "courier/pool.h"

enum {
	CLOSING_MAX = 200, /* goodbyes at the same time */
	RELAYS_MAX = 64,   /* that are counted */
};

/* The lines to a smart host. */
struct place {
	const struct line_relay *relay;
	unsigned open;
};

struct pool {
	struct place place[RELAYS_MAX];
	size_t nplaces;
	struct signal freed; /* a line to a smart host is idle, or gone */
	unsigned max;
	int64_t idle_ms;
	struct line **line; /* n, the oldest first */
	size_t n;
	struct group *closing, *care;
	struct signal put;
	bool ending;
};

/* --- smart hosts --- */

static bool same(const struct line_relay *a, const struct line_relay *b)
{
	return str_ieq(a->host, b->host) && a->port == b->port && str_eq(a->user, b->user);
}

/* NULL: it is not counted. */
static struct place *place_of(struct pool *p, const struct line_relay *relay)
{
	for (size_t i = 0; relay && i < p->nplaces; i++)
		if (same(p->place[i].relay, relay))
			return &p->place[i];
	if (!relay || p->nplaces == RELAYS_MAX)
		return NULL;
	p->place[p->nplaces] = (struct place){ .relay = relay };
	return &p->place[p->nplaces++];
}

void pool_leave(struct pool *p, const struct line_relay *relay)
{
	struct place *place = place_of(p, relay);

	if (!place)
		return;
	BUG_IF(!place->open);
	place->open--;
	signal_raise(&p->freed);
}

static struct line *remove_at(struct pool *p, size_t i)
{
	struct line *l = p->line[i];

	memmove(&p->line[i], &p->line[i + 1], (p->n - i - 1) * sizeof(struct line *));
	p->n--;
	return l;
}

/* An idle line there that serves somebody else stands in nobody's way. */
static bool make_room(struct pool *p, const struct place *place)
{
	size_t i = 0;

	while (i < p->n && !(p->line[i]->relay && same(p->line[i]->relay, place->relay)))
		i++;
	if (i == p->n)
		return false;
	struct line *l = remove_at(p, i);

	pool_drop(p, &l);
	return true;
}

bool pool_get(struct pool *p, const struct line_want *want, const struct line_relay *relay,
	      unsigned most, int64_t deadline, struct line **out)
{
	struct place *place = place_of(p, relay);
	enum err e = OK;

	while (!e) {
		uint64_t seen = p->freed.count;

		*out = pool_take(p, want);
		if (*out)
			return true;
		if (!place || place->open < most) {
			if (place)
				place->open++;
			return true;
		}
		if (make_room(p, place))
			continue;
		e = p->ending ? E_CLOSED : signal_wait(&p->freed, seen, deadline);
	}
	return false;
}

/* --- lines that stand idle --- */

static void say_goodbye(void *arg)
{
	struct line *l = arg;

	line_close(&l);
}

void pool_drop(struct pool *p, struct line **l)
{
	struct line *line = *l;

	*l = NULL;
	if (!line)
		return;
	pool_leave(p, line->relay);
	if (group_size(p->closing) >= CLOSING_MAX ||
	    group_spawn(p->closing, "goodbye", say_goodbye, line))
		line_close(&line);
}

static void care(void *arg)
{
	struct pool *p = arg;

	while (!p->ending) {
		uint64_t seen = p->put.count;
		int64_t at = p->n ? p->line[0]->idle_since + p->idle_ms : NEVER;

		if (at <= clock_ms()) {
			struct line *l = remove_at(p, 0);

			pool_drop(p, &l);
		} else if (signal_wait(&p->put, seen, at) == E_CANCELED) {
			return;
		}
	}
}

struct pool *pool_new(unsigned max, int64_t idle_ms)
{
	struct pool *p = NEW(struct pool);

	p->max = max;
	p->idle_ms = idle_ms;
	p->line = mem_new((max + 1) * sizeof(struct line *));
	p->closing = group_new();
	p->care = group_new();
	if (group_spawn(p->care, "idle-lines", care, p))
		p->max = 0; /* nobody would close them */
	return p;
}

void pool_put(struct pool *p, struct line **l)
{
	if (!*l)
		return;
	if (p->ending || !p->max || !line_lives(*l)) {
		pool_drop(p, l);
		return;
	}
	if (p->n == p->max) {
		struct line *old = remove_at(p, 0);

		pool_drop(p, &old);
	}
	if ((*l)->relay)
		signal_raise(&p->freed);
	(*l)->idle_since = clock_ms();
	p->line[p->n++] = *l;
	*l = NULL;
	if (p->n == 1)
		signal_raise(&p->put);
}

struct line *pool_take(struct pool *p, const struct line_want *want)
{
	for (size_t i = p->n; i-- > 0;) {
		struct line *l = p->line[i];

		if (!line_serves(l, want))
			continue;
		remove_at(p, i);
		/* What it says unasked is a goodbye. io_look does not wait. */
		if (io_look(l->io) == E_AGAIN)
			return l;
		pool_drop(p, &l);
		i = p->n;
	}
	return NULL;
}

size_t pool_size(const struct pool *p)
{
	return p->n;
}

void pool_end(struct pool *p)
{
	p->ending = true;
	signal_raise(&p->put);
	signal_raise(&p->freed);
}

void pool_close(struct pool **pp, int64_t deadline)
{
	struct pool *p = *pp;

	*pp = NULL;
	pool_end(p);
	group_close(&p->care);
	while (p->n) {
		struct line *l = remove_at(p, p->n - 1);

		pool_drop(p, &l);
	}
	if (group_wait(p->closing, deadline))
		log_event(LOG_DEBUG, "goodbyes.late", KVN("lines", group_size(p->closing)));
	group_close(&p->closing);
	free(p->line);
	free(p);
}
