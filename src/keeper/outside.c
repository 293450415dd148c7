/* SPDX-License-Identifier: ISC */
/* keeper/outside.c - what the keeper tells unasked: to workers which sessions end, to main whom
 * the kernel shall keep out. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/serve_priv.h"

enum { WORKERS_MAX = 1024, NEWS_MAX = 65536, TELL_MS = 10000, TELL_ARENA = 2 * IPC_MAX };

struct worker {
	struct side side;
	struct peer *peer; /* owned */
};

struct news { /* of one address */
	struct net who;
	bool banned;
	int64_t until;
};

struct outside {
	struct worker *workers[WORKERS_MAX]; /* owned; those that have gone make room for others */
	struct keeping_main main;
	struct news *news; /* owned; NEWS_MAX places, a ring */
	size_t first, n;
	struct signal come;
	struct group *group;
};

/* --- workers --- */

enum err keeping_worker(struct keeping *k, enum face face, int fd)
{
	struct outside *o = k->outside;

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = o->workers[i];
		if (w && !peer_gone(w->peer))
			continue;
		if (w)
			peer_close(&w->peer);
		else
			w = o->workers[i] = NEW(struct worker);
		w->side = (struct side){ k, face };
		w->peer = peer_new(fd, keeping_side(&w->side));
		return OK;
	}
	return E_LIMIT;
}

struct ending {
	struct peer *peer; /* lives as long as the group */
	struct arena *a;
	struct str fields;
};

static void send_end(void *arg)
{
	struct ending *s = arg;
	struct arena *a = s->a;
	struct message m;
	enum err e = ipc_call(s->peer, TELL_END, s->fields, -1, clock_in(TELL_MS), a, &m);

	if (e && e != E_CLOSED && e != E_CANCELED)
		log_event(LOG_WARN, "sessions.end", KVE(e));
	arena_free(&a);
}

void keeping_end_sessions(struct keeping *k, const struct session_end *end,
			  const struct side *asker)
{
	struct group *g = group_new();

	BUG_IF(!end->account && !end->from.bits);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = k->outside->workers[i];
		if (!w || peer_gone(w->peer))
			continue;
		struct arena *a = arena_new(TELL_ARENA);
		struct ending *s = ARENA_NEW(a, struct ending);
		struct buf b = buf_new(4096);
		buf_u32(&b, end->account);
		buf_put(&b, STR((const char *)end->from.octets, sizeof end->from.octets));
		buf_u8(&b, end->from.bits);
		buf_u64(&b, asker == &w->side ? end->except : 0);
		buf_blob(&b, str_part(end->reason, 0, 200));
		*s = (struct ending){ w->peer, a, str_dup(a, buf_str(&b)) };
		buf_free(&b);
		if (group_spawn(g, "end-sessions", send_end, s))
			arena_free(&a);
	}
	if (group_wait(g, NEVER))
		log_event(LOG_DEBUG, "sessions.end.canceled");
	group_close(&g);
}

/* --- main --- */

void keeping_tell_main(struct keeping *k, struct keeping_main m)
{
	k->outside->main = m;
}

static void note(struct outside *o, struct news n)
{
	if (o->n == NEWS_MAX) { /* the listeners refuse them all the same */
		log_event(LOG_ERROR, "lockout.untold", KVC("reason", "too many at once"));
		return;
	}
	o->news[(o->first + o->n++) % NEWS_MAX] = n;
	signal_raise(&o->come);
}

static void banned(void *arg, const struct net *who, int64_t until)
{
	note(arg, (struct news){ *who, true, until });
}

static void set_free(void *arg, const struct net *who)
{
	note(arg, (struct news){ *who, false, 0 });
}

static void tell(struct keeping *k, const struct news *n)
{
	struct keeping_main *m = &k->outside->main;
	struct session_end end = { .from = n->who, .reason = S("the address is banned") };
	struct arena *a = arena_new(4096);

	if (n->banned)
		keeping_end_sessions(k, &end, NULL);
	if (m->ban)
		m->ban(m->arg, net_text(a, &n->who), n->banned ? n->until : 0);
	arena_free(&a);
}

static void tell_all(void *arg)
{
	struct keeping *k = arg;
	struct outside *o = k->outside;

	for (;;) {
		uint64_t seen = o->come.count;
		while (o->n && !fiber_canceled()) {
			struct news n = o->news[o->first];
			o->first = (o->first + 1) % NEWS_MAX;
			o->n--;
			tell(k, &n);
		}
		if (signal_wait(&o->come, seen, NEVER))
			return;
	}
}

enum err outside_new(struct keeping *k)
{
	struct outside *o = k->outside = NEW(struct outside);

	o->news = mem_new(NEWS_MAX * sizeof *o->news);
	o->group = group_new();
	struct guard_news news = { banned, set_free, o };
	enum err e = guard_new(k->store, &k->conf.guard, news, &k->guard);

	return e ? e : group_spawn(o->group, "outside", tell_all, k);
}

void outside_hang_up(struct keeping *k)
{
	struct outside *o = k->outside;

	group_close(&o->group);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (o->workers[i])
			peer_close(&o->workers[i]->peer);
		free(o->workers[i]);
		o->workers[i] = NULL;
	}
}

void outside_close(struct keeping *k)
{
	struct outside *o = k->outside;

	guard_close(&k->guard);
	free(o->news);
	free(o);
	k->outside = NULL;
}
