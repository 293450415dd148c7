/* SPDX-License-Identifier: ISC */
/* proc/serve.c - listening sockets of mx and session: each client gets a fiber. */
#include <unistd.h>

#include "fiber/io.h"
#include "proc/child.h"

enum { HANDSHAKE_MS = 30000, NO_DESCRIPTOR_MS = 100 };

struct client {
	struct child *child;
	const struct service *service;
	int fd;
};

/* Says why to an address that is locked out; false: it may come in. A unix socket has none. */
static bool turned_away(const struct client *c, struct io *io)
{
	struct arena *a = arena_new(64 << 10);
	struct str why = S_NONE, ip = io_peer(io).ip;
	bool closed = ip.n && keeper_admit(c->child->keeper, ip, a, &why) == E_LIMIT;

	if (closed) {
		log_event(LOG_INFO, "closed", KV("reason", why));
		io_fmt(io, "%s%.*s\r\n", c->service->closed, FMT(why));
		if (io_flush(io))
			log_event(LOG_DEBUG, "closed.unheard");
	}
	arena_free(&a);
	return closed;
}

/* Whose connection it counts as: nobody's where the machine itself or an exempt network speaks. */
static struct net counts_as(const struct settings *s, struct str ip)
{
	static const char *const own[] = { "127.0.0.1", "::1" };
	struct net address;

	for (size_t i = 0; i < LENGTH(own); i++)
		if (str_is(ip, own[i]))
			return (struct net){ 0 };
	if (!net_address(ip, &address) || nets_have(s->exempt, &address))
		return (struct net){ 0 };
	return lockout_key(address, &s->lockout);
}

/* One address must not have all connections. False: it may come in. Where TLS comes first there
 * is no word: a handshake would be what costs the most. */
static bool too_many(const struct client *c, struct io *io, const struct settings *s,
		     const struct client_row *row)
{
	unsigned most = s->config.per_address;

	if (!most || !row->from.bits || clients_from(c->child->clients, &row->from) <= most)
		return false;
	log_event(LOG_INFO, "connection.limit", KVC("listener", c->service->name),
		  KVN("of_address", most));
	if (!c->service->tls)
		io_fmt(io, "%stoo many connections from your address\r\n", c->service->closed);
	return true;
}

/* One client, from the first octet to the last. */
static void client(void *arg)
{
	struct client c = *(struct client *)arg;
	free(arg);

	struct settings *s = settings_hold(c.child->settings);
	struct io *io = io_new(c.fd);
	struct io_peer peer = io_peer(io);
	struct log_context context = { .conn = c.child->conn += CONN_STEP,
				       .proto = c.service->name,
				       .ip = peer.ip,
				       .port = peer.port };

	struct client_row row = { .conn = context.conn,
				  .io = io,
				  .from = counts_as(s, peer.ip),
				  .service = c.service->name,
				  .began = clock_wall() };

	fiber_log_context(&context);
	log_event(LOG_DEBUG, "connect");
	io_deadline(io, clock_in(HANDSHAKE_MS));
	clients_add(c.child->clients, &row);
	if (!too_many(&c, io, s, &row) && (!c.service->tls || io_tls_accept(io, s->tls) == OK) &&
	    !turned_away(&c, io))
		c.service->serve(s, io);
	clients_remove(&row);
	log_event(LOG_DEBUG, "disconnect");
	io_close(&io);
	settings_release(&s);
}

static void refuse(struct child *c, const struct listener *l, int fd)
{
	log_event(LOG_WARN, "connection.limit", KVC("listener", l->service->name),
		  KVN("open", group_size(c->connections)));
	close(fd);
}

struct accepting {
	struct child *child;
	size_t listener;
};

static void accept_loop(void *arg)
{
	struct accepting a = *(struct accepting *)arg;
	struct listener *l = &a.child->listeners[a.listener];
	int fd;

	free(arg);
	for (;;) {
		enum err e = io_accept(l->fd, &fd);
		if (e == E_AGAIN && fiber_sleep(clock_in(NO_DESCRIPTOR_MS)) == OK)
			continue;
		if (e)
			break;
		if (group_size(a.child->connections) >= a.child->settings->config.connections) {
			refuse(a.child, l, fd);
			continue;
		}
		struct client *k = NEW(struct client);
		*k = (struct client){ a.child, l->service, fd };
		if (group_spawn(a.child->connections, "client", client, k)) {
			free(k);
			refuse(a.child, l, fd);
		}
	}
}

enum err serve_socket(struct child *c, struct str name, int fd, enum process who)
{
	const struct service *service = service_find(name);

	if (!service || service->who != who || fd < 0)
		return E_SYNTAX;
	if (c->nlisteners == LISTENERS_MAX)
		return E_LIMIT;
	c->listeners[c->nlisteners++] = (struct listener){ service, fd };
	return OK;
}

enum err serve_start(struct child *c)
{
	for (size_t i = 0; i < c->nlisteners; i++) {
		struct accepting *a = NEW(struct accepting);
		*a = (struct accepting){ c, i };
		enum err e = group_spawn(c->accepting, "accept", accept_loop, a);
		if (e) {
			free(a);
			return e;
		}
	}
	return OK;
}

void serve_stop(struct child *c)
{
	group_cancel(c->accepting);
	if (group_wait(c->accepting, NEVER))
		return;
	for (size_t i = 0; i < c->nlisteners; i++) {
		fd_forget(c->listeners[i].fd);
		close(c->listeners[i].fd);
	}
	c->nlisteners = 0;
}
