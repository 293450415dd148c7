/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/ipc_priv.h"

enum {
	CALL_BUCKETS = 256,
	SERVED_MAX = 1024,              /* calls of the other side at work at once */
	SERVED_ARENA = 8 * 1024 * 1024, /* octets that one may take */
	ANSWER_MS = 60 * 1000,          /* for the other side to make room for an answer */
	PACKETS_AT_ONCE = 64,           /* then the others get their turn */
};

/* Lies on the stack of the fiber that waits for the answer. */
struct call {
	uint64_t id;
	struct arena *arena;
	struct message *out;
	enum err err;
	bool ended; /* err is set, and the call is in no list: the peer may be gone already */
	struct signal end;
	struct call *next;
};

/* A fiber's place in the queue of those that want to send; on its stack. */
struct turn {
	struct signal come;
	struct turn *next;
};

struct peer {
	int fd;
	struct ipc_service service;
	bool gone;
	struct signal gone_signal;
	struct group *reader, *served;
	struct signal served_one;
	unsigned serving;
	uint64_t last_id;
	struct call *calls[CALL_BUCKETS]; /* by id */
	struct turn *turns, **turns_end;  /* the first one is sending */
	unsigned senders;
};

/* What one call of the other side needs to be served; owned by its fiber. */
struct served {
	struct peer *peer;
	struct arena *arena;
	struct message message;
	uint64_t id;
};

/* --- sending: one fiber at a time, in the order they came --- */

static enum err take_turn(struct peer *p, struct turn *t, int64_t deadline)
{
	if (!p->turns)
		p->turns_end = &p->turns;
	*p->turns_end = t;
	p->turns_end = &t->next;
	while (p->turns != t) {
		enum err e = signal_wait(&t->come, t->come.count, deadline);

		if (e)
			return e;
	}
	return OK;
}

static void leave_turn(struct peer *p, struct turn *t)
{
	struct turn **at = &p->turns;
	bool first = p->turns == t;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!*at)
		p->turns_end = at;
	if (first && p->turns)
		signal_raise(&p->turns->come);
}

static enum err send_packet(struct peer *p, const struct packet *k, int64_t deadline)
{
	struct turn t = { 0 };

	if (p->gone)
		return E_CLOSED;
	p->senders++;
	enum err e = take_turn(p, &t, deadline);

	while (!e) {
		e = p->gone ? E_CLOSED : packet_send(p->fd, k);
		if (e != E_AGAIN)
			break;
		e = fiber_wait_fd(p->fd, FD_WRITE, deadline);
	}
	leave_turn(p, &t);
	p->senders--;
	return e;
}

/* --- the calls of this side --- */

static struct call **find_call(struct peer *p, uint64_t id)
{
	struct call **at = &p->calls[id % CALL_BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void end_call(struct call **at, enum err e)
{
	struct call *c = *at;

	*at = c->next;
	c->err = e;
	c->ended = true;
	signal_raise(&c->end);
}

static void take_answer(struct peer *p, const struct packet *k)
{
	struct call **at = find_call(p, k->id);
	struct call *c = *at;

	if (!c) { /* its caller waited no longer */
		if (k->fd >= 0)
			close(k->fd);
		return;
	}
	*c->out = (struct message){ .type = k->type,
				    .in = scan(str_dup(c->arena, k->fields)),
				    .fd = k->fd };
	end_call(at, k->lost_fd ? E_AGAIN : k->err);
}

/* After this nothing more comes and nothing more can be sent. */
static void has_gone(struct peer *p)
{
	if (p->gone)
		return;
	p->gone = true;
	(void)shutdown(p->fd, SHUT_RDWR); /* wakes who waits to send */
	for (size_t i = 0; i < CALL_BUCKETS; i++)
		while (p->calls[i])
			end_call(&p->calls[i], E_CLOSED);
	group_cancel(p->served);
	signal_raise(&p->gone_signal);
}

enum err ipc_call(struct peer *p, uint32_t type, struct str fields, int fd, int64_t deadline,
		  struct arena *a, struct message *out)
{
	struct call c = { .id = ++p->last_id, .arena = a, .out = out };
	struct call **at = find_call(p, c.id);
	struct packet k = { .kind = CALL, .type = type, .id = c.id, .fields = fields, .fd = fd };

	*out = (struct message){ .fd = -1 };
	if (fiber_canceled())
		return E_CANCELED;
	c.next = *at; /* before it is sent: the answer may be read while the send waits */
	*at = &c;
	enum err e = send_packet(p, &k, deadline);

	while (!e && !c.ended)
		e = signal_wait(&c.end, 0, deadline);
	if (c.ended) {
		if (c.err && out->fd >= 0) {
			close(out->fd);
			out->fd = -1;
		}
		return c.err;
	}
	at = find_call(p, c.id);
	*at = c.next;
	return e;
}

/* --- the calls of the other side --- */

static void serve(void *arg)
{
	struct served *s = arg;
	struct peer *p = s->peer;
	struct buf out = buf_new(IPC_MAX);
	struct packet k = { .kind = ANSWER, .type = s->message.type, .id = s->id, .fd = -1 };

	k.err = p->service.serve(p->service.arg, &s->message, s->arena, &out, &k.fd);
	BUG_IF(out.full);
	if (!k.err)
		k.fields = buf_str(&out);
	enum err e = send_packet(p, &k, clock_in(ANSWER_MS));

	if (e == E_TIMEOUT || e == E_IO) {
		log_event(LOG_ERROR, "ipc.stuck", KVE(e), KVN("type", k.type));
		has_gone(p);
	}
	if (k.fd >= 0)
		close(k.fd);
	buf_free(&out);
	arena_free(&s->arena);
	free(s);
	p->serving--;
	signal_raise(&p->served_one);
}

/* Answers from the reader's fiber, for calls that do not come so far as to be served. */
static enum err refuse(struct peer *p, const struct packet *call, enum err why)
{
	struct packet k = {
		.kind = ANSWER, .type = call->type, .id = call->id, .err = why, .fd = -1
	};

	if (call->fd >= 0)
		close(call->fd);
	return send_packet(p, &k, clock_in(ANSWER_MS));
}

static enum err take_call(struct peer *p, const struct packet *k)
{
	if (!p->service.serve)
		return refuse(p, k, E_DENIED);
	if (k->lost_fd)
		return refuse(p, k, E_AGAIN);
	struct served *s = NEW(struct served);

	s->peer = p;
	s->id = k->id;
	s->arena = arena_new(SERVED_ARENA);
	s->message = (struct message){ .type = k->type,
				       .in = scan(str_dup(s->arena, k->fields)),
				       .fd = k->fd };
	if (group_spawn(p->served, "ipc-call", serve, s) != OK) {
		arena_free(&s->arena);
		free(s);
		return refuse(p, k, E_AGAIN);
	}
	/* Beyond the bound nothing is read, and the other side waits for room to send. So a
	 * service must not wait for calls of its own to the same peer without a deadline. */
	p->serving++;
	while (p->serving >= SERVED_MAX) {
		enum err e = signal_wait(&p->served_one, p->served_one.count, NEVER);

		if (e)
			return e;
	}
	return OK;
}

static void read_packets(void *arg)
{
	struct peer *p = arg;
	struct packet k;
	enum err e = OK;

	for (unsigned n = 1; !e && !p->gone; n++) {
		if (n % PACKETS_AT_ONCE == 0)
			fiber_yield();
		if (fiber_canceled())
			break;
		e = packet_receive(p->fd, &k);
		if (e == E_AGAIN)
			e = fiber_wait_fd(p->fd, FD_READ, NEVER);
		else if (e == E_SYNTAX)
			log_event(LOG_ERROR, "ipc.malformed", KVN("octets", k.fields.n));
		else if (!e && k.kind == CALL)
			e = take_call(p, &k);
		else if (!e)
			take_answer(p, &k);
	}
	has_gone(p);
}

struct peer *peer_new(int fd, struct ipc_service service)
{
	struct peer *p = NEW(struct peer);

	p->fd = fd;
	p->service = service;
	p->reader = group_new();
	p->served = group_new();
	if (group_spawn(p->reader, "ipc-reader", read_packets, p) != OK)
		has_gone(p);
	return p;
}

void peer_close(struct peer **at)
{
	struct peer *p = *at;

	if (!p)
		return;
	has_gone(p);
	group_close(&p->reader);
	group_close(&p->served);
	while (p->senders) /* they find the socket shut at the next look of the loop */
		fiber_yield();
	fd_forget(p->fd);
	close(p->fd);
	free(p);
	*at = NULL;
}

bool peer_gone(const struct peer *p)
{
	return p->gone;
}

/* The kernel notes it at listen(2) and socketpair(2): unix(7), SO_PEERCRED. */
int peer_maker(const struct peer *p)
{
	struct ucred who = { 0 };
	socklen_t n = sizeof who;

	return getsockopt(p->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) ? 0 : (int)who.pid;
}

struct signal *peer_signal(struct peer *p)
{
	return &p->gone_signal;
}
