/* SPDX-License-Identifier: ISC */
#ifndef IPC_IPC_H
#define IPC_IPC_H
/*
 * ipc.h - typed messages between the processes, over SOCK_SEQPACKET sockets.
 *
 * A message is a type, an id that pairs a call with its answer, fields, and at most one file
 * descriptor. Fields are written in order with buf_* (base/buf.h) and read in the same order
 * with scan_*; the reader ends with scan_end: a message must be eaten to its last octet, or
 * it counts as not understood.
 *
 * Below:    base/, fiber/.
 * Suspends: all but those marked (quick).
 */
#include "base/base.h"
#include "base/buf.h"
#include "fiber/fiber.h"

enum { IPC_MAX = 256 * 1024 }; /* octets of a message's fields */

struct peer; /* one end of a socket; owned by whoever made it */

struct message {
	uint32_t type;  /* the receiver's enum */
	struct scan in; /* the fields; they live as long as the handler runs, or in the arena */
	int fd;         /* -1: none. Whoever reads the message owns it. */
};

/* (quick) Takes over one end of a socketpair; serve (may be NULL) runs in a fiber of its own
 * for each call that comes in, and writes the answer's fields into out. An error instead of
 * OK is carried to the caller as its ipc_call's result. *out_fd is -1 unless set; ipc closes
 * it after sending. Pings, calls and answers share the socket in both directions. */
struct ipc_service {
	enum err (*serve)(void *arg, struct message *m, struct arena *a, struct buf *out,
			  int *out_fd);
	void *arg;
};
struct peer *peer_new(int fd, struct ipc_service service);
void peer_close(struct peer **p);           /* open calls end with E_CLOSED */
bool peer_gone(const struct peer *p);       /* (quick) */
struct signal *peer_signal(struct peer *p); /* (quick) raised when it has gone */
/* (quick) The process that made the other end: for a named socket, the one that called
 * ipc_listen. 0: not known. */
int peer_maker(const struct peer *p);

/* Calls and waits for the answer. in: the answer's fields, in the arena. fd: one to pass (the
 * caller keeps its copy) or -1. E_CLOSED: the other process has gone (try again: main starts
 * it anew); E_TIMEOUT; or the error that serve returned. */
MUST enum err ipc_call(struct peer *p, uint32_t type, struct str fields, int fd, int64_t deadline,
		       struct arena *a, struct message *out);

/* (quick) A connected pair, close-on-exec, non-blocking. */
MUST enum err ipc_pair(int fds[2]);

/* A named socket for commands of the operator: ipc_listen makes it (mode 0600, an old one is
 * replaced), ipc_accept_loop serves each that connects until the fiber is canceled. */
MUST enum err ipc_listen(struct str path, int *out);
void ipc_accept_loop(int listen_fd, struct ipc_service service);
MUST enum err ipc_connect(struct str path, int64_t deadline, struct peer **out);

#endif
