/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fiber/io_priv.h"

enum { DRAIN_READS = 4, GOODBYE_MAX = 200 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* Fills ip (INET6_ADDRSTRLEN octets) and says the port; an IPv4 client of an IPv6 socket is one
 * of IPv4. */
static uint16_t numeric(const union address *addr, char *ip)
{
	ip[0] = 0;
	if (addr->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->v4.sin_addr, ip, INET6_ADDRSTRLEN);
		return ntohs(addr->v4.sin_port);
	}
	if (addr->any.sa_family != AF_INET6)
		return 0;
	if (IN6_IS_ADDR_V4MAPPED(&addr->v6.sin6_addr))
		inet_ntop(AF_INET, &addr->v6.sin6_addr.s6_addr[12], ip, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &addr->v6.sin6_addr, ip, INET6_ADDRSTRLEN);
	return ntohs(addr->v6.sin6_port);
}

struct io *io_new(int fd)
{
	struct io *io = NEW(struct io);
	union address addr = { 0 };
	socklen_t n = sizeof addr;
	char local[INET6_ADDRSTRLEN];
	int on = 1;

	io->fd = fd;
	io->deadline = NEVER;
	if (getpeername(fd, &addr.any, &n) == 0)
		io->port = numeric(&addr, io->ip);
	addr = (union address){ 0 };
	n = sizeof addr;
	if (getsockname(fd, &addr.any, &n) == 0)
		io->local_port = numeric(&addr, local);
	if (addr.any.sa_family != AF_UNIX) {
		/* We collect what belongs together ourselves; and a client that vanished in
		 * IDLE shall not stay for ever. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	}
	return io;
}

/* A close with octets unread is a reset, and that may overtake our last reply: RFC 1122
 * 4.2.2.13. So the most of them are read, without waiting. */
static void drain(struct io *io)
{
	char *p = io_buffer_get();

	(void)shutdown(io->fd, SHUT_WR);
	for (int i = 0; i < DRAIN_READS; i++)
		if (recv(io->fd, p, IO_BUFFER, MSG_DONTWAIT) <= 0)
			break;
	io_buffer_put(&p);
}

void io_close(struct io **at)
{
	struct io *io = *at;
	size_t done;

	if (!io)
		return;
	for (size_t sent = 0; sent < io->out_n && !io->stuck; sent += done)
		io->stuck = io_try_write(io, io->out + sent, io->out_n - sent, &done);
	tls_goodbye(io);
	drain(io);
	fd_forget(io->fd);
	close(io->fd);
	io_buffer_put(&io->in);
	io_buffer_put(&io->out);
	free(io->goodbye);
	free(io);
	*at = NULL;
}

struct io_peer io_peer(const struct io *io)
{
	return (struct io_peer){ str_of(io->ip), io->port, io->local_port };
}

void io_set_goodbye(struct io *io, struct str why)
{
	why = str_part(why, 0, GOODBYE_MAX);
	free(io->goodbye);
	io->goodbye = mem_new(why.n + 1);
	if (why.n)
		memcpy(io->goodbye, why.p, why.n);
}

struct str io_goodbye(const struct io *io)
{
	return str_of(io->goodbye);
}

void io_set_peer(struct io *io, struct str ip, uint16_t port)
{
	ip = str_part(ip, 0, sizeof io->ip - 1);
	memset(io->ip, 0, sizeof io->ip);
	if (ip.n)
		memcpy(io->ip, ip.p, ip.n);
	io->port = port;
}

enum err io_accept(int listen_fd, int *out)
{
	fiber_yield(); /* or a flood of connections would keep those accepted from their turn */
	for (;;) {
		if (fiber_canceled())
			return E_CANCELED;
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		enum err e = OK;

		if (fd >= 0) {
			*out = fd;
			return OK;
		}
		switch (errno) {
		case EAGAIN: e = fiber_wait_fd(listen_fd, FD_READ, NEVER); break;
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM: e = E_AGAIN; break;
		case EBADF:
		case EINVAL:
		case ENOTSOCK:
		case EFAULT:
		case EOPNOTSUPP: BUG_IF(true);
		default: break; /* of a connection that has died meanwhile: accept(2) */
		}
		if (e)
			return e;
	}
}

static bool address_of(struct str ip, uint16_t port, union address *addr, socklen_t *n)
{
	char text[sizeof addr->local.sun_path] = { 0 };

	*addr = (union address){ 0 };
	if (ip.n == 0 || ip.n >= sizeof text || str_has(ip, 0))
		return false;
	memcpy(text, ip.p, ip.n);
	if (text[0] == '/') {
		addr->local.sun_family = AF_UNIX;
		memcpy(addr->local.sun_path, text, sizeof text);
		*n = sizeof addr->local;
	} else if (inet_pton(AF_INET, text, &addr->v4.sin_addr) == 1) {
		addr->v4.sin_family = AF_INET;
		addr->v4.sin_port = htons(port);
		*n = sizeof addr->v4;
	} else if (inet_pton(AF_INET6, text, &addr->v6.sin6_addr) == 1) {
		addr->v6.sin6_family = AF_INET6;
		addr->v6.sin6_port = htons(port);
		*n = sizeof addr->v6;
	} else {
		return false;
	}
	return true;
}

/* A full backlog of a unix socket is EAGAIN and nothing tells when it is not: E_AGAIN. */
static enum err connect_fd(int fd, const union address *addr, socklen_t n, int64_t deadline)
{
	int failed = 0;
	socklen_t size = sizeof failed;

	if (connect(fd, &addr->any, n) == 0)
		return OK;
	if (errno == EAGAIN)
		return E_AGAIN;
	if (errno != EINPROGRESS)
		return E_CLOSED;
	for (;;) {
		union address peer;
		socklen_t m = sizeof peer;
		enum err e = fiber_wait_fd(fd, FD_WRITE, deadline);

		if (e)
			return e;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed)
			return E_CLOSED;
		if (getpeername(fd, &peer.any, &m) == 0)
			return OK;
	}
}

enum err io_connect(struct str ip, uint16_t port, int64_t deadline, struct io **out)
{
	union address addr;
	socklen_t n;

	if (fiber_canceled())
		return E_CANCELED;
	if (!address_of(ip, port, &addr, &n))
		return E_SYNTAX;
	int fd = socket(addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? E_AGAIN : E_IO;
	enum err e = connect_fd(fd, &addr, n, deadline);

	if (e) {
		fd_forget(fd);
		close(fd);
		return e;
	}
	*out = io_new(fd);
	return OK;
}
