/* SPDX-License-Identifier: ISC */
#ifndef PROC_SUPERVISE_H
#define PROC_SUPERVISE_H
/*
 * supervise.h - the process `main`: binds the ports, starts the others and starts them again.
 * It reads the configuration and TLS files and hands them on; it parses nothing of the network.
 */
#include "base/base.h"
#include "fiber/fiber.h"
#include "ipc/ipc.h"
#include "proc/child.h"
#include "proc/config.h"

struct banned;

enum { CHILDREN_MAX = 300, SOCKETS_MAX = 64, SETTINGS_FILE_MAX = 64 * 1024 };

/* Serves until SIGTERM or SIGINT; the exit status. SIGHUP reads the settings anew. */
int supervise(const char *config_path);

/* A listening socket that lives as long as the program, whatever its users do. */
struct bound {
	const struct service *service; /* NULL: the keeper's control socket */
	const char *name;
	int fd;
};

/* One generation of what the children are told. */
struct orders {
	struct arena *arena; /* owned */
	struct config config;
	struct str path, text, cert, key;
	struct outward_files outward;
	int leaked; /* owned; the open list of leaked passwords, or -1 */
};
/* Reads and checks all of it. why: a sentence, in a. */
MUST enum err orders_read(struct str path, struct arena *a, struct orders *out, struct str *why);

void orders_free(struct orders *o);

struct minded { /* a child as main sees it */
	const struct role *role;
	enum process kind;
	char name[16];
	pid_t pid;
	int pidfd;
	struct peer *peer; /* NULL: not running */
	bool up;           /* it has answered ASK_START */
	struct program *program;
};

struct program {
	struct orders orders;
	struct bound sockets[SOCKETS_MAX];
	size_t nsockets;
	struct minded children[CHILDREN_MAX]; /* the keeper is the first */
	size_t nchildren;
	struct group *care; /* a fiber for each child */
	struct signal stop;
	struct signal changed; /* a child came up or failed to */
	struct str failure;    /* why the first start failed; in orders.arena */
	struct banned *banned; /* owned; proc/banned.c */
	bool started;          /* all came up once: from now on failures are tried again */
	bool stopping;
};

/* Binds every listener of the configuration and the control socket (proc/bind.c).
 * E_DENIED, E_EXISTS (address in use), E_IO: why says which. */
MUST enum err bind_all(struct program *p, struct arena *a, struct str *why);

/* Who is banned: the keeper says so, main tells the kernel and writes the list (proc/banned.c). */
MUST enum err banned_start(struct program *p);
struct ipc_service banned_service(struct program *p); /* for the keeper's socket */
void banned_reload(struct program *p);
void banned_end(struct program *p); /* (suspends) the kernel's table goes with it */

/* Exit statuses of a child that did not get as far as its own main. */
enum { NO_USER = 125, NO_SOCKET = 126, NO_EXEC = 127 };
/* Starts the child's process: fork, CHILD_FD, exec of this program (proc/spawn.c). */
MUST enum err spawn(struct minded *m);

/* Tells the service manager, where there is one: sd_notify(3). Never fails loudly. */
void notify(const char *state);

#endif
