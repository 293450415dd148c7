/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/ipc_priv.h"

enum {
	BACKLOG = 16,
	GUESTS_MAX = 64, /* connections to a named socket at once */
	RETRY_MS = 10,
};

/* A packet must fit the send buffer whole. The kernel doubles what is asked for, up to twice
 * net.core.wmem_max, whose default is enough: socket(7). */
static enum err make_room(int fd)
{
	int want = HEAD_SIZE + IPC_MAX, have = 0;
	socklen_t n = sizeof have;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof want);
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &n) == 0 && have > want + 4096)
		return OK;
	log_event(LOG_ERROR, "ipc.buffer", KVN("have", have), KVN("want", want),
		  KVC("help", "raise net.core.wmem_max"));
	return E_IO;
}

enum err ipc_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return errno == EMFILE || errno == ENFILE ? E_AGAIN : E_IO;
	if (make_room(fds[0]) == OK && make_room(fds[1]) == OK)
		return OK;
	close(fds[0]);
	close(fds[1]);
	return E_IO;
}

static bool address_of(struct str path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path.n == 0 || path.n >= sizeof addr->sun_path || str_has(path, 0))
		return false;
	memcpy(addr->sun_path, path.p, path.n);
	return true;
}

enum err ipc_listen(struct str path, int *out)
{
	struct sockaddr_un addr;
	struct stat st;

	if (!address_of(path, &addr))
		return E_LIMIT;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return E_IO;
	/* Only a socket is replaced: a path set wrong shall cost nobody a file. */
	if (lstat(addr.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(addr.sun_path);
	/* Before the bind, which takes this mode over: there is no moment with a wider one. */
	if (fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
	    chmod(addr.sun_path, 0600) == 0 && listen(fd, BACKLOG) == 0) {
		*out = fd;
		return OK;
	}
	int failed = errno;

	close(fd);
	log_event(LOG_ERROR, "ipc.listen", KV("path", path), KVC("reason", strerror(failed)));
	return failed == EADDRINUSE ? E_EXISTS : failed == EACCES ? E_DENIED : E_IO;
}

struct guest {
	int fd;
	struct ipc_service service;
};

static void host(void *arg)
{
	struct guest *g = arg;
	struct peer *p = peer_new(g->fd, g->service);

	free(g);
	while (!peer_gone(p) && signal_wait(peer_signal(p), 0, NEVER) == OK)
		;
	peer_close(&p);
}

/* Makes fd a guest, who closes it. */
static enum err let_in(struct group *guests, int fd, struct ipc_service service)
{
	struct guest *g = NEW(struct guest);

	*g = (struct guest){ fd, service };
	if (make_room(fd) == OK && group_spawn(guests, "ipc-guest", host, g) == OK)
		return OK;
	free(g);
	close(fd);
	return E_AGAIN;
}

void ipc_accept_loop(int listen_fd, struct ipc_service service)
{
	struct group *guests = group_new();
	enum err e = OK;

	while (!e && !fiber_canceled()) {
		int fd = -1;

		if (group_size(guests) < GUESTS_MAX)
			fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		else
			errno = EMFILE;
		if (fd >= 0)
			e = let_in(guests, fd, service);
		else if (errno == EAGAIN)
			e = fiber_wait_fd(listen_fd, FD_READ, NEVER);
		else if (errno != EINTR && errno != ECONNABORTED)
			e = E_AGAIN;
		if (e == E_AGAIN) /* full just now */
			e = fiber_sleep(clock_in(RETRY_MS));
	}
	group_close(&guests);
	fd_forget(listen_fd);
}

enum err ipc_connect(struct str path, int64_t deadline, struct peer **out)
{
	struct sockaddr_un addr;

	if (!address_of(path, &addr))
		return E_LIMIT;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? E_AGAIN : E_IO;
	enum err e = make_room(fd);

	while (!e && connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
		if (errno == EAGAIN) /* the backlog is full: connect(2); nothing tells when not */
			e = clock_ms() < deadline ? fiber_sleep(clock_in(RETRY_MS)) : E_TIMEOUT;
		else if (errno != EINTR)
			e = errno == EACCES ? E_DENIED : E_CLOSED;
	}
	if (e) {
		close(fd);
		return e;
	}
	*out = peer_new(fd, (struct ipc_service){ 0 });
	return OK;
}
