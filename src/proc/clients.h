/* SPDX-License-Identifier: ISC */
#ifndef PROC_CLIENTS_H
#define PROC_CLIENTS_H
/*
 * clients.h - who is connected to this process: from where, as whom, and how to end it.
 *
 * A client's row lies on the stack of its fiber, which takes it out before it ends; so a row that
 * is found here belongs to a fiber that lives. Never suspends.
 */
#include "base/base.h"
#include "fiber/io.h"
#include "keeper/keeper.h"

enum { CONN_STEP = 1000 }; /* between two connections of a process; the workers share the steps */

struct clients;

struct client_row {
	uint64_t conn;    /* log_context.conn */
	struct io *io;    /* borrowed; its peer is asked anew each time: a front end may set it */
	struct net from;  /* whose connection it counts as; bits 0: nobody's */
	uint32_t account; /* of the login; 0: a guest */
	const char *service; /* as the listener is called; lives for ever */
	int64_t began;       /* UTC seconds */
	struct fiber *fiber; /* private, as all that follows */
	struct client_row *by_conn, **at_conn;
	struct client_row *by_from, **at_from;
};

struct clients *clients_new(void);
void clients_free(struct clients **c); /* when it is empty */
/* For the running fiber. */
void clients_add(struct clients *c, struct client_row *row);
void clients_remove(struct client_row *row);
/* Connections that count as this one's. */
unsigned clients_from(const struct clients *c, const struct net *from);
void clients_logged_in(struct clients *c, uint64_t conn, uint32_t account);
/* The sessions of an account, at most SESSIONS_MAX, with their addresses in a; how many. */
size_t clients_list(const struct clients *c, uint32_t account, struct arena *a,
		    struct session_row *out);
/* Cancels the fibers of those whose session it is, who tell them why; how many. */
unsigned clients_end(struct clients *c, const struct session_end *end);

#endif
