/* SPDX-License-Identifier: ISC */
/*
 * proc/keeper.c - the process that knows who lives here.
 *
 * Who:    "keeper", the only one of its kind.
 * Holds:  the store's directory and secrets, a socket to each worker, the control socket.
 * May:    say where mail goes, who may come in, and take the operator's commands.
 * Not:    touch the network, see mail.
 */
#include <unistd.h>

#include "base/buf.h"
#include "ipc/ipc.h"
#include "keeper/serve.h"
#include "proc/child.h"

enum { TELL_MS = 10000 };

/* One keeper a process. */
static struct keeping *keeping;
static int control = -1;
static struct leaked *leaked; /* the list of leaked passwords that main opened */

static void configure(struct child *c);

/* Comes behind the settings that name it. */
static enum err take_leaked(struct child *c, int fd)
{
	struct leaked *old = leaked;
	enum err e = leaked_open(fd, &leaked);

	configure(c);
	leaked_close(&old);
	if (!e)
		close(fd);
	return e;
}

static enum err take_socket(struct child *c, struct str name, int fd)
{
	if (str_is(name, "leaked"))
		return take_leaked(c, fd);
	if (!str_is(name, "control") || control >= 0)
		return E_SYNTAX;
	control = fd;
	return OK;
}

/* A worker: asks is its role, and so says what it may ask. */
static enum err take_client(struct child *c, struct str asks, bool running, int fd)
{
	enum face face = str_is(asks, role_mx.name) ? FACE_MX
			 : str_is(asks, "courier")  ? FACE_COURIER
						    : FACE_SESSION;

	(void)c;
	enum err e = keeping_worker(keeping, face, fd);
	if (!e && running)
		keeping_tell_again(keeping);
	return e;
}

static void serve_control(void *arg)
{
	(void)arg;
	ipc_accept_loop(control, keeping_service(keeping, FACE_OPERATOR));
}

static struct keeping_conf conf(const struct child *c)
{
	const struct config *g = &c->settings->config;
	struct guarantees least;

	/* Both are words that the configuration's check has let pass. */
	BUG_IF(!guarantee_of(g->sending.guarantee, &least.sending) ||
	       !guarantee_receiving_of(g->receiving.guarantee, &least.receiving));
	return (struct keeping_conf){
		.rules = { .detail = g->detail, .postmaster = g->postmaster, .least = least },
		.guard = { c->settings->lockout, c->settings->exempt },
		.slow = { .after = g->lockout.slow_after, .max_ms = g->lockout.slow_max_ms },
		.sending = { g->sending.messages, g->sending.recipients, g->sending.strangers },
		.refused_tell_s = g->receiving.notice_ms / 1000,
		.password_min = g->password_min,
		.password_classes = g->password_classes,
		.leaked = g->leaked.n ? leaked : NULL,
		.rehash = g->password_rehash
	};
}

/* To main, who tells the kernel. */
static enum err tell_bans(void *arg, const struct keeping_ban *list, size_t n, bool whole)
{
	struct child *c = arg;
	struct arena *a = arena_new(64 << 10);
	struct buf b = buf_new(IPC_MAX);
	int64_t now = clock_wall();
	struct message m;

	buf_u8(&b, whole);
	buf_u32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		struct net address = list[i].who;
		bool v4 = net_is_v4(&address);
		address.bits = 128;
		buf_blob(&b, net_text(a, &address));
		buf_u8(&b, (uint8_t)(list[i].who.bits - (v4 ? NET_V4_BITS : 0)));
		buf_u64(&b, list[i].until > now ? (uint64_t)(list[i].until - now) : 0);
	}
	BUG_IF(b.full);
	enum err e = ipc_call(c->main, TELL_BANS, buf_str(&b), -1, clock_in(TELL_MS), a, &m);
	buf_free(&b);
	arena_free(&a);
	return e;
}

static enum err start(struct child *c)
{
	struct keeping_conf k = conf(c);
	enum err e = keeping_new(c->store, &k, &keeping);

	if (!e)
		keeping_tell_main(keeping, (struct keeping_main){ tell_bans, c });
	if (!e && control >= 0)
		e = group_spawn(c->accepting, "control", serve_control, NULL);
	return e;
}

static void configure(struct child *c)
{
	struct keeping_conf k = conf(c);

	if (keeping)
		keeping_configure(keeping, &k);
}

static void stop(struct child *c)
{
	(void)c;
	if (keeping)
		keeping_close(&keeping);
	leaked_close(&leaked);
	if (control >= 0) {
		fd_forget(control);
		close(control);
	}
}

const struct role role_keeper = { "keeper", take_socket, take_client, start, configure, stop };
