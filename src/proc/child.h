/* SPDX-License-Identifier: ISC */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H
/*
 * child.h - what keeper, mx, session and courier have in common: they are started by main with one
 * descriptor (CHILD_FD), and all they hold afterwards came over it: settings as text, TLS
 * material, sockets. They open nothing by themselves but the store.
 */
#include "base/base.h"
#include "fiber/io.h"
#include "ipc/ipc.h"
#include "keeper/keeper.h"
#include "proc/clients.h"
#include "proc/outward.h"
#include "proc/settings.h"
#include "store/store.h"

enum { CHILD_FD = 3 };

/* What main asks of a child. Each is answered when it is done; an error's answer is a sentence. */
enum ask {
	ASK_SETTINGS, /* blob path, blob text, blob certificate, blob key; again at a reload */
	ASK_SOCKET,   /* blob name, a listening descriptor; before ASK_START. The keeper's "leaked"
		       * is a file and comes again with each ASK_SETTINGS */
	ASK_KEEPER,   /* a descriptor to the keeper; again when the keeper was started anew */
	ASK_CLIENT,   /* to the keeper: blob role, u8 running (it may have clients already), a
		       * descriptor to a worker of that role */
	ASK_FILES, /* blob passwords, blob authorities (proc/outward.h), to a role that takes them;
		    * before each ASK_SETTINGS */
	ASK_START, /* open the store, listen */
	ASK_STOP,  /* end what is open, then the process */
};
/* The answer's fields: u8 err, blob sentence. */

/* What the keeper tells main. */
enum tell {
	TELL_BANS, /* u8 whole (the list is all there are; else changes), u32 n at most
		    * KEEPING_BANS, n * (blob address, u8 bits that count, u64 seconds from now,
		    * 0: no longer) */
};

struct listener {
	const struct service *service;
	int fd;
};
enum { LISTENERS_MAX = 32 };

struct child {
	const char *name;          /* "mx0" */
	struct peer *main;         /* owned */
	struct settings *settings; /* owned; NULL before ASK_SETTINGS */
	struct keeper *keeper;     /* owned; all but the keeper */
	struct store *store;       /* owned; NULL before ASK_START */
	struct arena *arena;       /* owned; lives as long as the process */
	struct group *accepting;   /* owned; a fiber for each listener */
	struct group *connections; /* owned; a fiber for each client */
	struct clients *clients;   /* owned; the same by number and address */
	struct listener listeners[LISTENERS_MAX];
	size_t nlisteners;
	struct signal stop; /* raised by ASK_STOP; who loses main is killed by the kernel */
	uint64_t conn;      /* number of the latest connection; the next is CONN_STEP more */
};

/* What is a process's own in the life that all children share (child.c): the descriptors it is
 * handed, its start, and its end. */
struct role {
	const char *name;
	/* Owns fd at OK; NULL: not for it. */
	enum err (*socket)(struct child *c, struct str name, int fd);
	/* Another process that asks; NULL: not for it. */
	enum err (*client)(struct child *c, struct str role, bool running, int fd);
	enum err (*start)(struct child *c); /* the store is open */
	void (*configure)(struct child *c); /* new settings have come; NULL: nothing to do */
	void (*stop)(struct child *c);      /* NULL: nothing more to do */
	/* ASK_FILES has come; NULL: not for it. */
	void (*files)(struct child *c, const struct outward_files *files);
};

/* Runs the role until main says stop or is gone; the exit status of the process. */
int child_run(const struct role *role, const char *name);

/* The processes: one file each. */
extern const struct role role_keeper, role_mx, role_session, role_courier;

/* Accepts on each of c's listeners until stop; every client gets a fiber (proc/serve.c). */
MUST enum err serve_start(struct child *c);
MUST enum err serve_socket(struct child *c, struct str name, int fd, enum process who);
void serve_stop(struct child *c);

/* Now and then gives the room of deleted mail back, until serve_stop (proc/housekeep.c). */
MUST enum err housekeep_start(struct child *c);

#endif
