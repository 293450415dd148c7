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

#include "ipc/ipc.h"
#include "keeper/serve.h"
#include "proc/child.h"

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
static enum err take_client(struct child *c, struct str asks, int fd)
{
	enum face face = str_is(asks, role_mx.name) ? FACE_MX : FACE_SESSION;

	(void)c;
	return keeping_worker(keeping, face, fd);
}

static void serve_control(void *arg)
{
	(void)arg;
	ipc_accept_loop(control, keeping_service(keeping, FACE_OPERATOR));
}

static struct keeping_conf conf(const struct child *c)
{
	const struct config *g = &c->settings->config;

	return (struct keeping_conf){ .rules = { .detail = g->detail, .postmaster = g->postmaster },
				      .guard = { c->settings->lockout, c->settings->exempt },
				      .password_min = g->password_min,
				      .password_classes = g->password_classes,
				      .leaked = g->leaked.n ? leaked : NULL,
				      .rehash = g->password_rehash };
}

static enum err start(struct child *c)
{
	struct keeping_conf k = conf(c);
	enum err e = keeping_new(c->store, &k, &keeping);

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
