/* SPDX-License-Identifier: ISC */
/* keeper/outside.c - what the keeper tells unasked: to workers which sessions end, to main whom
 * the kernel shall keep out. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/serve_priv.h"

enum {
	WORKERS_MAX = 1024,
	NEWS_MAX = 65536,
	TELL_MS = 10000,
	LIST_MS = 2000, /* each worker */
	TELL_ARENA = 2 * IPC_MAX,
	UNTOLD_MS = 1000,
	SENTENCES = 2048, /* octets for those about one ban */
};

struct worker {
	struct side side;
	struct peer *peer; /* owned */
};

struct outside {
	struct worker *workers[WORKERS_MAX]; /* owned; those that have gone make room for others */
	struct keeping_main main;
	struct keeping_ban *news; /* owned; NEWS_MAX places, a ring */
	size_t first, n;
	bool whole; /* main is to be told all, from the first one in the ring on */
	bool lost;  /* the ring was full */
	struct signal come;
	struct group *group;
};

/* --- workers --- */

/* Closing waits for calls that are being served, a password's hash for one. */
static void bury(void *arg)
{
	struct worker *w = arg;

	peer_close(&w->peer);
	free(w);
}

enum err keeping_worker(struct keeping *k, enum face face, int fd)
{
	struct outside *o = k->outside;

	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *old = o->workers[i], *w;
		if (old && !peer_gone(old->peer))
			continue;
		if (old && group_spawn(o->group, "bury", bury, old))
			return E_LIMIT;
		w = o->workers[i] = NEW(struct worker);
		w->side = (struct side){ k, face };
		w->peer = peer_new(fd, keeping_side(&w->side));
		return OK;
	}
	return E_LIMIT;
}

struct telling {
	struct worker **at; /* who is there when the fiber has its turn; NULL: nobody any more */
	struct arena *a;
	uint32_t type;
	struct str fields;
};

static void send(void *arg)
{
	struct telling *s = arg;
	struct arena *a = s->a;
	struct message m;
	struct worker *w = *s->at;
	enum err e =
		w ? ipc_call(w->peer, s->type, s->fields, -1, clock_in(TELL_MS), a, &m) : E_CLOSED;

	if (e && e != E_CLOSED && e != E_CANCELED)
		log_event(LOG_WARN, "worker.untold", KVN("what", s->type), KVE(e));
	arena_free(&a);
}

static void tell(struct group *g, struct worker **at, uint32_t type, struct str fields)
{
	struct arena *a = arena_new(TELL_ARENA);
	struct telling *s = ARENA_NEW(a, struct telling);

	*s = (struct telling){ at, a, type, str_dup(a, fields) };
	if (group_spawn(g, "tell", send, s))
		arena_free(&a);
}

static void told(struct group **g)
{
	if (group_wait(*g, NEVER))
		log_event(LOG_DEBUG, "tell.canceled");
	group_close(g);
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
		struct buf b = buf_new(4096);
		buf_u32(&b, end->account);
		buf_put(&b, STR((const char *)end->from.octets, sizeof end->from.octets));
		buf_u8(&b, end->from.bits);
		buf_u64(&b, asker == &w->side ? end->except : 0);
		buf_blob(&b, str_part(end->reason, 0, 200));
		tell(g, &k->outside->workers[i], TELL_END, buf_str(&b));
		buf_free(&b);
	}
	told(&g);
}

void keeping_seal(struct keeping *k)
{
	struct group *g = group_new();

	store_seal(k->store);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = k->outside->workers[i];
		if (w && !peer_gone(w->peer))
			tell(g, &k->outside->workers[i], TELL_SEAL, S(""));
	}
	told(&g);
}

static size_t take_sessions(struct scan *in, struct arena *a, struct session_row *out, size_t max)
{
	uint32_t n = scan_u32(in);
	size_t taken = 0;

	for (uint32_t i = 0; i < n && i < SESSIONS_MAX && !in->bad && taken < max; i++) {
		struct session_row *r = &out[taken++];
		r->protocol = str_dup(a, str_part(scan_blob(in), 0, 64));
		r->address = str_dup(a, str_part(scan_blob(in), 0, 64));
		r->since = (int64_t)scan_u64(in);
	}
	return in->bad ? 0 : taken;
}

size_t keeping_sessions(struct keeping *k, uint32_t account, struct arena *a,
			struct session_row *out, size_t max)
{
	struct arena *answer = arena_new(TELL_ARENA);
	char number[4] = { (char)account, (char)(account >> 8), (char)(account >> 16),
			   (char)(account >> 24) };
	size_t n = 0;

	for (size_t i = 0; i < WORKERS_MAX && n < max; i++) {
		struct worker *w = k->outside->workers[i];
		struct message m;
		if (!w || w->side.face != FACE_SESSION || peer_gone(w->peer))
			continue;
		enum err e = ipc_call(w->peer, TELL_LIST, STR(number, sizeof number), -1,
				      clock_in(LIST_MS), answer, &m);
		if (!e)
			n += take_sessions(&m.in, a, out + n, max - n);
		else
			log_event(LOG_WARN, "sessions.list", KVE(e));
		arena_reset(answer);
	}
	arena_free(&answer);
	return n;
}

/* --- main --- */

static void note(struct outside *o, struct keeping_ban n)
{
	o->lost = o->lost || o->n == NEWS_MAX;
	if (!o->lost)
		o->news[(o->first + o->n++) % NEWS_MAX] = n;
	signal_raise(&o->come);
}

static void banned(void *arg, const struct net *who, int64_t until)
{
	note(arg, (struct keeping_ban){ *who, until });
}

static void set_free(void *arg, const struct net *who)
{
	note(arg, (struct keeping_ban){ *who, 0 });
}

/* Main has not understood, or some news are lost: it is told all who are banned just now. */
static void begin_anew(struct keeping *k)
{
	struct outside *o = k->outside;

	o->n = 0;
	o->lost = false;
	o->whole = true;
	guard_tell_banned(k->guard);
	if (o->lost) /* the listeners refuse the others all the same */
		log_event(LOG_ERROR, "lockout.untold", KVC("reason", "too many are banned"));
	o->lost = false;
	signal_raise(&o->come);
}

void keeping_tell_again(struct keeping *k)
{
	begin_anew(k);
}

void keeping_tell_main(struct keeping *k, struct keeping_main m)
{
	k->outside->main = m;
	begin_anew(k);
}

/* Main comes first: what it does takes milliseconds, and a worker may be slow to hang up. */
static void tell_some(struct keeping *k, struct arena *a)
{
	struct outside *o = k->outside;
	struct keeping_ban *list = ARENA_ARRAY(a, struct keeping_ban, KEEPING_BANS);
	bool whole = o->whole;
	enum err e = OK;
	size_t n = 0;

	for (; o->n && n < KEEPING_BANS; o->n--) {
		list[n++] = o->news[o->first];
		o->first = (o->first + 1) % NEWS_MAX;
	}
	o->whole = false;
	if (o->main.bans)
		e = o->main.bans(o->main.arg, list, n, whole);
	for (size_t i = 0; i < n && !fiber_canceled(); i++) {
		struct closed why = { .state = LOCKOUT_BANNED, .until = list[i].until };
		struct session_end end = { .from = list[i].who };
		if (!list[i].until)
			continue;
		end.reason = guard_sentence(k->guard, &why, a);
		keeping_end_sessions(k, &end, NULL);
	}
	if (!e && !o->lost)
		return;
	log_event(LOG_WARN, "lockout.untold", KVE(e ? e : E_LIMIT));
	if (fiber_sleep(clock_in(UNTOLD_MS)) == OK)
		begin_anew(k);
}

static void tell_all(void *arg)
{
	struct keeping *k = arg;
	struct outside *o = k->outside;
	struct arena *a = arena_new(KEEPING_BANS * (sizeof(struct keeping_ban) + SENTENCES));

	for (;;) {
		uint64_t seen = o->come.count;
		while ((o->n || o->whole || o->lost) && !fiber_canceled()) {
			arena_reset(a);
			tell_some(k, a);
		}
		if (signal_wait(&o->come, seen, NEVER))
			break;
	}
	arena_free(&a);
}

enum err outside_new(struct keeping *k)
{
	struct outside *o = k->outside = NEW(struct outside);

	o->news = mem_new(NEWS_MAX * sizeof *o->news);
	o->whole = true;
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
