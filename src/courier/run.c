/* SPDX-License-Identifier: ISC */
/* courier/run.c - looks at the shards, gives turns, renews leases. */
#include <stdlib.h>
#include <time.h>

#include "courier/courier_priv.h"

enum {
	DESTS_MAX = 50000,
	LOOK_SHARE = 20,                  /* a look costs at most one part in so many of the time */
	SHARD_PAUSE_US = 20 * 1000,       /* from one look at a shard to the next */
	LOOK_AGAIN_US = 60 * 1000 * 1000, /* even if nobody said that there is something new */
	LOOK_ARENA = 64 << 20,
	OTHERS_WAIT_S = 10, /* shards of another courier: where that one is not at work */
	RENEW_PAUSE_MS = 30 * 1000,
	WAIT_MAX_MS = 60 * 1000, /* somebody may set the clock */
	SLOW_MS = 3000,
	PAUSE_MS = 60 * 1000, /* of a destination that cannot be reached */
	PAUSE_MAX_MS = 15 * 60 * 1000,
	WINDOW_FIRST = 4,
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- looking --- */

/* fair.h knows milliseconds. */
static void heard(struct courier *c, struct str name, int64_t at)
{
	if (fair_due(c->fair, name, at * 1000) && !c->crowded) {
		c->crowded = true;
		log_event(LOG_WARN, "queue.crowded", KVN("destinations", due_count(c->due)));
	}
}

static enum err look(struct shard *s, struct arena *a)
{
	struct courier *c = s->c;
	struct queue_destination *list;
	size_t n;
	int64_t wait = s->number % c->conf.couriers == c->conf.number ? 0 : OTHERS_WAIT_S;
	enum err e = queue_destinations(c->store, s->number, DESTS_MAX, a, &list, &n);

	if (e && e != E_LIMIT)
		return e;
	due_look(c->due, s->number);
	for (size_t i = 0; i < n; i++) {
		bool earlier = false;

		if (list[i].due == QUEUE_NEVER) /* all of it is held */
			continue;
		if (due_note(c->due, list[i].name, s->number, list[i].due + wait, &earlier)) {
			e = E_LIMIT;
			break;
		}
		if (earlier)
			heard(c, list[i].name, list[i].due + wait);
		if (list[i].due == QUEUE_ORDERED)
			fair_wake(c->fair, list[i].name);
	}
	due_looked(c->due, s->number);
	if (e == E_LIMIT && !c->crowded)
		log_event(LOG_WARN, "queue.crowded", KVN("destinations", due_count(c->due)));
	c->crowded = e == E_LIMIT;
	signal_raise(&c->news);
	return OK;
}

/* One that has changed and had its pause, after the one that was looked at last; else NULL, and
 * *at is when there may be one, if nothing else happens. */
static struct shard *choose(struct courier *c, int64_t now, int64_t *at)
{
	*at = now + LOOK_AGAIN_US;
	for (unsigned i = 0; i < QUEUE_SHARDS; i++) {
		struct shard *s = &c->shard[(c->looked + 1 + i) % QUEUE_SHARDS];

		if (now - s->looked_us > LOOK_AGAIN_US)
			s->changed = true;
		if (s->changed && now - s->looked_us >= SHARD_PAUSE_US)
			return s;
		if (s->changed && s->looked_us + SHARD_PAUSE_US < *at)
			*at = s->looked_us + SHARD_PAUSE_US;
	}
	return NULL;
}

/* What it cost in microseconds. */
static int64_t look_at(struct shard *s, struct arena *a)
{
	int64_t began = now_us();
	enum err e;

	s->changed = false;
	s->looked_us = began;
	s->c->looked = s->number;
	e = look(s, a);
	arena_reset(a);
	if (e)
		log_event(LOG_ERROR, "queue.look", KVN("shard", s->number), KVE(e));
	return now_us() - began;
}

static int64_t ms(int64_t us)
{
	return (us + 999) / 1000;
}

/* Looks, and rests so long after each that all of them cost little, whatever changes. */
static void look_round(void *arg)
{
	struct courier *c = arg;
	struct arena *a = arena_new(LOOK_ARENA);
	enum err e = OK;

	for (unsigned i = 0; i < QUEUE_SHARDS && !fiber_canceled(); i++)
		look_at(&c->shard[i], a);
	while (e != E_CANCELED) {
		uint64_t seen = c->changed.count;
		int64_t now = now_us(), at;
		struct shard *s = choose(c, now, &at);

		if (s)
			e = fiber_sleep(clock_in(ms(look_at(s, a) * LOOK_SHARE)));
		else
			e = signal_wait(&c->changed, seen, clock_in(ms(at - now)));
	}
	arena_free(&a);
}

static void mind(void *arg)
{
	struct shard *s = arg;
	struct arena *a = arena_new(4096);
	struct watch *w = store_watch(s->c->store, queue_partition(a, s->number));
	struct signal *changed = watch_signal(w);
	enum err e;

	do {
		uint64_t seen = changed->count;

		s->changed = true;
		signal_raise(&s->c->changed);
		e = signal_wait(changed, seen, NEVER);
	} while (e != E_CANCELED);
	watch_close(&w);
	arena_free(&a);
}

/* --- turns --- */

static void begin_turn(struct courier *c, struct fair_slot *slot, int64_t now)
{
	int64_t first = due_first(c->due, slot->name);
	struct turn *t;

	if (first == QUEUE_NEVER || first * 1000 > now) {
		fair_done(c->fair, slot, FAIR_NOTHING,
			  first == QUEUE_NEVER ? INT64_MAX : first * 1000, now);
		return;
	}
	t = NEW(struct turn);
	t->c = c;
	t->slot = *slot;
	if (group_spawn(c->turning, "turn", turn_run, t)) {
		free(t);
		fair_done(c->fair, slot, FAIR_NOTHING, now + 1000, now);
		return;
	}
	t->next = c->turns;
	t->at = &c->turns;
	if (t->next)
		t->next->at = &t->next;
	c->turns = t;
}

static void give_turns(void *arg)
{
	struct courier *c = arg;
	struct fair_slot slot;
	enum err e = OK;

	while (!c->stopping && e != E_CANCELED) {
		uint64_t seen = c->news.count;
		int64_t now = clock_wall_ms(), at;

		while (fair_next(c->fair, now, &slot) == OK)
			begin_turn(c, &slot, now);
		at = fair_wait(c->fair, now);
		at = at > now + WAIT_MAX_MS ? now + WAIT_MAX_MS : at <= now ? now + 1 : at;
		e = signal_wait(&c->news, seen, clock_in(at - now));
	}
}

/* --- leases of what is being sent --- */

static void renew(struct courier *c, uint64_t lease, struct queue_job copy)
{
	int64_t until = clock_wall() + LEASE_S;
	enum err e = queue_renew(c->store, &copy, until);

	for (struct turn *t = c->turns; t; t = t->next)
		if (t->now && t->now->p.lease == lease) {
			if (e)
				log_mail(LOG_WARN, "queue.lease.lost", copy.p.id, e);
			else
				t->now->p.lease_until = until;
			return;
		}
}

static void renew_all(void *arg)
{
	struct courier *c = arg;
	struct queue_job *list = mem_new(c->conf.connections * sizeof *list);

	while (fiber_sleep(clock_in(RENEW_PAUSE_MS)) == OK) {
		int64_t now = clock_wall();
		size_t n = 0;

		for (struct turn *t = c->turns; t && n < c->conf.connections; t = t->next)
			if (t->now && t->now->p.lease_until - now < RENEW_S)
				list[n++] = *t->now;
		for (size_t i = 0; i < n; i++)
			renew(c, list[i].p.lease, list[i]);
	}
	free(list);
}

/* --- from beginning to end --- */

/* Before anybody of this name leases anew. */
static void give_back(struct store *store, struct str holder)
{
	size_t all = 0;
	enum err e = OK;

	for (unsigned i = 0; i < QUEUE_SHARDS; i++) {
		size_t n;
		enum err failed = queue_give_back(store, i, holder, &n);

		all += n;
		e = failed ? failed : e;
	}
	if (e) /* they end by themselves */
		log_event(LOG_WARN, "queue.given.back", KVN("parts", all), KVE(e));
	else if (all)
		log_event(LOG_INFO, "queue.given.back", KVN("parts", all));
}

/* No destination rests longer than its mail. */
static unsigned at_most(unsigned ms, unsigned plan_s)
{
	return plan_s < ms / 1000 ? plan_s * 1000 : ms;
}

static struct fair *make_fair(const struct courier_conf *conf)
{
	unsigned quick = conf->connections / 2;

	return fair_new(&(struct fair_conf){
		.quick = quick,
		.slow = conf->connections - quick,
		.window_first =
			WINDOW_FIRST < conf->per_destination ? WINDOW_FIRST : conf->per_destination,
		.window_max = conf->per_destination,
		.slow_ms = SLOW_MS,
		.pause_ms = at_most(PAUSE_MS, conf->plan.first),
		.pause_max_ms = at_most(PAUSE_MAX_MS, conf->plan.longest),
		.dests_max = DESTS_MAX });
}

enum err courier_new(const struct courier_conf *conf, struct store *store, struct keeper *keeper,
		     struct line_net *net, bool first, struct courier **out)
{
	struct courier *c = NEW(struct courier);

	BUG_IF(conf->connections < 2 || !conf->per_destination || !conf->couriers);
	if (first)
		give_back(store, conf->holder);
	*c = (struct courier){ .conf = *conf, .store = store, .keeper = keeper, .net = net };
	c->fair = make_fair(conf);
	c->due = due_new(DESTS_MAX);
	c->pool = pool_new(conf->idle_max, conf->idle_ms);
	c->minding = group_new();
	c->turning = group_new();
	enum err e = group_spawn(c->minding, "turns", give_turns, c);

	if (!e)
		e = group_spawn(c->minding, "renew", renew_all, c);
	for (unsigned i = 0; i < QUEUE_SHARDS && !e; i++) {
		c->shard[i] = (struct shard){ .c = c, .number = i };
		e = group_spawn(c->minding, "shard", mind, &c->shard[i]);
	}
	if (!e)
		e = group_spawn(c->minding, "looks", look_round, c);
	if (e)
		courier_close(&c, 0);
	*out = c;
	return e;
}

void courier_close(struct courier **cp, int64_t deadline)
{
	struct courier *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	c->stopping = true;
	signal_raise(&c->news);
	pool_end(c->pool);
	if (group_wait(c->turning, deadline))
		log_event(LOG_WARN, "courier.cut.off", KVN("tries", group_size(c->turning)));
	group_close(&c->turning);
	group_close(&c->minding);
	pool_close(&c->pool, clock_in(1000));
	due_free(&c->due);
	fair_free(&c->fair);
	free(c);
}

struct courier_stats courier_stats(const struct courier *c)
{
	struct fair_stats f = fair_stats(c->fair);

	return (struct courier_stats){ due_count(c->due), f.quick, f.slow, pool_size(c->pool) };
}
