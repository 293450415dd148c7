/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "check.h"
#include "fiber/io.h"

/* An io, and the raw other end of its socket. */
struct link {
	struct io *io;
	int peer;
	struct arena *a;
};

static struct link link_new(void)
{
	int pair[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	struct link l = { io_new(pair[0]), pair[1], arena_new(16 * 1024 * 1024) };

	io_deadline(l.io, clock_in(5000));
	return l;
}

static void link_end(struct link *l)
{
	io_close(&l->io);
	CHECK(!l->io);
	close(l->peer);
	arena_free(&l->a);
}

static void say(struct link *l, struct str s)
{
	CHECK_NUM(write(l->peer, s.p, s.n), s.n);
}

static struct str hear(struct link *l)
{
	char *p = arena_alloc(l->a, 4096);
	ssize_t n = read(l->peer, p, 4096);

	return STR(p, n > 0 ? (size_t)n : 0);
}

/* What lines come of some octets: "<E>" where io_line says E_LIMIT; "|" ends each. */
static const struct {
	const char *in;
	const char *lines;
	const char *strict;
} lines[] = {
	{ "one\r\ntwo\r\n", "one|two|", "one|two|" },
	{ "\r\n\r\n", "||", "||" },
	{ "bare\nlf\r\n", "bare|lf|", "bare\nlf|" },
	{ "bare\rcr\r\n", "bare\rcr|", "bare\rcr|" },
	{ "two\r\r\n", "two\r|", "two\r|" },
	{ "\n\r\n", "||", "\n|" },
	{ "12345678\r\n", "12345678|", "12345678|" },
	{ "123456789\r\nok\r\n", "<E>|ok|", "<E>|ok|" },
	{ "12345678\n9\r\nok\r\n", "12345678|9|ok|", "<E>|ok|" },
	{ "12345678901234567890\r\nok\r\n", "<E>|ok|", "<E>|ok|" },
	{ "1234567\r\r\nok\r\n", "1234567\r|ok|", "1234567\r|ok|" },
	{ "12345678\r\r\nok\r\n", "<E>|ok|", "<E>|ok|" },
	{ ".\n.\r\n", ".|.|", ".\n.|" },
};

static struct str read_lines(struct link *l, size_t max)
{
	struct buf all = buf_new(256);
	struct str s;
	enum err e;

	while ((e = io_line(l->io, l->a, max, &s)) == OK || e == E_LIMIT) {
		buf_put(&all, e ? S("<E>") : s);
		buf_c(&all, '|');
	}
	CHECK_NUM(e, E_CLOSED);
	s = str_dup(l->a, buf_str(&all));
	buf_free(&all);
	return s;
}

struct drip {
	int fd;
	struct str s;
};

static void drip(void *arg)
{
	struct drip *d = arg;

	for (size_t i = 0; i < d->s.n; i++) {
		CHECK_NUM(write(d->fd, d->s.p + i, 1), 1);
		fiber_yield();
	}
	shutdown(d->fd, SHUT_WR);
}

/* A look waits for nobody and loses nothing. */
static void test_look(void)
{
	struct link l = link_new();
	struct str s;

	CHECK_NUM(io_look(l.io), E_AGAIN);
	say(&l, S("a\r\nb\r\n"));
	CHECK_NUM(io_look(l.io), OK);
	CHECK_NUM(io_look(l.io), OK);
	CHECK_NUM(io_line(l.io, l.a, 10, &s), OK);
	CHECK_STR(s, "a");
	CHECK_NUM(io_look(l.io), OK);
	CHECK_NUM(io_line(l.io, l.a, 10, &s), OK);
	CHECK_STR(s, "b");
	CHECK_NUM(io_look(l.io), E_AGAIN);
	shutdown(l.peer, SHUT_WR);
	CHECK_NUM(io_look(l.io), E_CLOSED);
	CHECK_NUM(io_line(l.io, l.a, 10, &s), E_CLOSED);
	link_end(&l);
}

static void test_lines(void)
{
	for (size_t i = 0; i < LENGTH(lines); i++) {
		for (int way = 0; way < 4; way++) {
			struct link l = link_new();
			struct group *g = group_new();
			struct drip d = { l.peer, str_of(lines[i].in) };

			io_strict_crlf(l.io, way & 1);
			if (way & 2) {
				CHECK_NUM(group_spawn(g, "drip", drip, &d), OK);
			} else {
				say(&l, d.s);
				shutdown(l.peer, SHUT_WR);
			}
			CHECK_STR(read_lines(&l, 8), way & 1 ? lines[i].strict : lines[i].lines);
			group_close(&g);
			link_end(&l);
		}
	}
}

/* Lines longer than the buffer, and such that cross its end at every place. */
static void send_long(void *arg)
{
	struct link *l = arg;
	struct io *out = io_new(dup(l->peer));

	for (size_t n = 16 * 1024 - 3; n < 16 * 1024 + 3; n++) {
		char *p = arena_alloc(l->a, n);

		memset(p, 'x', n);
		io_put(out, STR(p, n));
		io_put(out, S("\r\n"));
	}
	char *p = arena_alloc(l->a, 100000);

	memset(p, 'y', 100000);
	io_put(out, STR(p, 100000));
	io_put(out, S("\r\nlast\r\n"));
	CHECK_NUM(io_flush(out), OK);
	io_close(&out);
}

static void test_long_lines(void)
{
	for (int strict = 0; strict < 2; strict++) {
		struct link l = link_new();
		struct group *g = group_new();
		struct str s;

		io_strict_crlf(l.io, strict);
		CHECK_NUM(group_spawn(g, "long", send_long, &l), OK);
		for (size_t n = 16 * 1024 - 3; n < 16 * 1024 + 3; n++) {
			enum err e = io_line(l.io, l.a, 16 * 1024, &s);

			CHECK_NUM(e, n > 16 * 1024 ? E_LIMIT : OK);
			if (!e)
				CHECK_NUM(s.n, n);
		}
		CHECK_NUM(io_line(l.io, l.a, strict ? 100000 : 99999, &s), strict ? OK : E_LIMIT);
		CHECK_NUM(io_line(l.io, l.a, 4, &s), OK);
		CHECK_STR(s, "last");
		CHECK_NUM(io_line(l.io, l.a, 4, &s), E_CLOSED);
		group_close(&g);
		link_end(&l);
	}
}

static void test_takes(void)
{
	struct link l = link_new();
	struct str s;

	say(&l, S("line\r\n0123456789abcdefghij"));
	CHECK(!io_buffered(l.io));
	CHECK_NUM(io_line(l.io, l.a, 100, &s), OK);
	CHECK(io_buffered(l.io));
	CHECK_NUM(io_take(l.io, l.a, 4, &s), OK);
	CHECK_STR(s, "0123");
	CHECK_NUM(io_take(l.io, l.a, 0, &s), OK);
	CHECK_NUM(s.n, 0);
	CHECK_NUM(io_some(l.io, 3, &s), OK);
	CHECK_STR(s, "456");
	CHECK_NUM(io_skip(l.io, 3), OK);
	CHECK_NUM(io_some(l.io, 100, &s), OK);
	CHECK_STR(s, "abcdefghij");
	CHECK(!io_buffered(l.io));

	struct group *g = group_new();
	struct drip d = { l.peer, S("in pieces") };

	CHECK_NUM(group_spawn(g, "drip", drip, &d), OK);
	CHECK_NUM(io_take(l.io, l.a, 9, &s), OK);
	CHECK_STR(s, "in pieces");
	CHECK_NUM(io_take(l.io, l.a, 1, &s), E_CLOSED);
	CHECK_NUM(io_some(l.io, 1, &s), E_CLOSED);
	CHECK_NUM(io_skip(l.io, 1), E_CLOSED);
	group_close(&g);
	link_end(&l);
}

static void test_sending(void)
{
	struct link l = link_new();
	struct str s;

	io_put(l.io, S("held "));
	io_fmt(l.io, "%d", 7);
	CHECK_STR(hear(&l), "");
	io_deadline(l.io, clock_in(5));
	CHECK_NUM(io_line(l.io, l.a, 10, &s), E_TIMEOUT);
	CHECK_STR(hear(&l), "held 7"); /* the read that waited sent it */
	io_deadline(l.io, clock_in(5000));
	say(&l, S("there\r\n"));
	io_put(l.io, S("not yet"));
	CHECK_NUM(io_line(l.io, l.a, 10, &s), OK);
	CHECK_STR(hear(&l), ""); /* the read that need not wait did not */
	CHECK_NUM(io_flush(l.io), OK);
	CHECK_STR(hear(&l), "not yet");
	io_put(l.io, S("bye"));
	io_close(&l.io);
	CHECK_STR(hear(&l), "bye");
	link_end(&l);
}

/* A peer that does not read gets what fits, then the deadline ends it, and that sticks. */
static void test_backpressure(void)
{
	struct link l = link_new();
	char *p = mem_new(1024 * 1024);
	struct str s;
	int64_t start = clock_ms();

	io_deadline(l.io, clock_in(30));
	for (int i = 0; i < 20 && !io_failed(l.io); i++)
		io_put(l.io, STR(p, 1024 * 1024));
	CHECK_NUM(io_failed(l.io), E_TIMEOUT);
	CHECK(clock_ms() - start < 3000);
	io_put(l.io, S("no-op"));
	io_fmt(l.io, "no-op");
	CHECK_NUM(io_flush(l.io), E_TIMEOUT);
	CHECK_NUM(io_line(l.io, l.a, 10, &s), E_TIMEOUT);
	CHECK_NUM(io_wait(l.io, NULL, 0), E_TIMEOUT);
	link_end(&l);

	l = link_new();
	close(l.peer);
	io_put(l.io, S("into the void"));
	CHECK_NUM(io_flush(l.io), E_CLOSED); /* and no SIGPIPE */
	io_close(&l.io);
	arena_free(&l.a);
	free(p);
}

struct waits {
	struct io *io;
	struct signal *signal;
	enum err got[4];
	struct arena *a;
};

static void waits(void *arg)
{
	struct waits *w = arg;
	struct str s;

	w->got[0] = io_wait(w->io, w->signal, 0);
	w->got[1] = io_wait(w->io, w->signal, 1);
	w->got[2] = io_line(w->io, w->a, 100, &s);
	w->got[3] = io_wait(w->io, w->signal, 1);
}

static void test_wait(void)
{
	struct link l = link_new();
	struct signal s = { 0 };
	struct waits w = { .io = l.io, .signal = &s, .a = l.a };
	struct group *g = group_new();

	CHECK_NUM(group_spawn(g, "waits", waits, &w), OK);
	fiber_yield();
	signal_raise(&s);
	CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	say(&l, S("DONE\r\n"));
	CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	group_close(&g);
	CHECK_NUM(w.got[0], E_AGAIN);
	CHECK_NUM(w.got[1], OK);
	CHECK_NUM(w.got[2], OK);
	CHECK_NUM(w.got[3], E_CANCELED);
	io_deadline(l.io, clock_in(5));
	CHECK_NUM(io_wait(l.io, NULL, 0), E_TIMEOUT);
	io_deadline(l.io, clock_in(5000));
	shutdown(l.peer, SHUT_WR);
	CHECK_NUM(io_wait(l.io, NULL, 0), E_CLOSED);
	link_end(&l);
}

static void read_canceled(void *arg)
{
	struct waits *w = arg;
	struct str s;

	w->got[0] = io_line(w->io, w->a, 100, &s);
	w->got[1] = io_take(w->io, w->a, 1, &s);
	w->got[2] = io_some(w->io, 1, &s);
	io_put(w->io, S("x"));
	w->got[3] = io_flush(w->io);
}

/* A peer that sends without end does not keep the others from their turn. */
static void flood(void *arg)
{
	struct link *l = arg;

	CHECK_NUM(io_skip(l->io, 1ULL << 40), E_CANCELED);
}

static void feed(void *arg)
{
	struct io *out = io_new(dup(*(int *)arg));
	static char zeros[64 * 1024];

	while (!io_failed(out))
		io_put(out, STR(zeros, sizeof zeros));
	io_close(&out);
}

static void test_cancel(void)
{
	struct link l = link_new();
	struct waits w = { .io = l.io, .a = l.a };
	struct group *g = group_new();

	CHECK_NUM(group_spawn(g, "reads", read_canceled, &w), OK);
	fiber_yield();
	group_close(&g);
	for (size_t i = 0; i < LENGTH(w.got); i++)
		CHECK_NUM(w.got[i], E_CANCELED);
	link_end(&l);

	l = link_new();
	g = group_new();
	CHECK_NUM(group_spawn(g, "flood", flood, &l), OK);
	CHECK_NUM(group_spawn(g, "feed", feed, &l.peer), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	group_close(&g);
	link_end(&l);
}

static void test_goodbye(void)
{
	struct link l = link_new();
	char *long_text = mem_new(1000);

	memset(long_text, 'x', 1000);
	CHECK_STR(io_goodbye(l.io), "");
	io_set_goodbye(l.io, STR(long_text, 1000));
	CHECK_NUM(io_goodbye(l.io).n, 200);
	io_set_goodbye(l.io, S("the password was changed"));
	CHECK_STR(io_goodbye(l.io), "the password was changed");
	free(long_text);
	link_end(&l);
}

static int listen_on(int family, uint16_t *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr *addr = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t n = family == AF_INET ? sizeof v4 : sizeof v6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, addr, n) != 0 || listen(fd, 64) != 0 || getsockname(fd, addr, &n) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

static void accept_one(void *arg)
{
	int *fd = arg;

	CHECK_NUM(io_accept(fd[0], &fd[1]), OK);
}

static void test_sockets(int family, struct str ip)
{
	struct group *g = group_new();
	struct io *client = NULL, *server;
	uint16_t port;
	int fd[2] = { listen_on(family, &port), -1 };
	struct arena *a = arena_new(4096);
	struct str s;

	if (fd[0] < 0) {
		group_close(&g);
		arena_free(&a);
		return; /* a machine without IPv6 */
	}
	CHECK_NUM(group_spawn(g, "accept", accept_one, fd), OK);
	CHECK_NUM(io_connect(ip, port, clock_in(1000), &client), OK);
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	server = io_new(fd[1]);
	CHECK(str_eq(io_peer(server).ip, ip));
	CHECK_NUM(io_peer(server).local_port, port);
	CHECK_NUM(io_peer(client).port, port);
	CHECK_NUM(io_peer(server).port, io_peer(client).local_port);
	io_put(client, S("hello\r\n"));
	CHECK_NUM(io_flush(client), OK);
	CHECK_NUM(io_line(server, a, 10, &s), OK);
	CHECK_STR(s, "hello");
	io_set_peer(server, S("192.0.2.1"), 99);
	CHECK_STR(io_peer(server).ip, "192.0.2.1");
	CHECK_NUM(io_peer(server).port, 99);

	/* Octets nobody read do not turn the last reply into a reset. */
	io_put(client, S("never read\r\n"));
	CHECK_NUM(io_flush(client), OK);
	CHECK_NUM(fiber_sleep(clock_in(5)), OK);
	io_put(server, S("421 bye\r\n"));
	io_close(&server);
	io_deadline(client, clock_in(1000));
	CHECK_NUM(io_line(client, a, 10, &s), OK);
	CHECK_STR(s, "421 bye");
	io_close(&client);
	fd_forget(fd[0]);
	close(fd[0]);
	CHECK_NUM(io_connect(ip, port, clock_in(1000), &client), E_CLOSED); /* nobody listens */
	group_close(&g);
	arena_free(&a);
}

static void test_connect_errors(void)
{
	struct io *io = NULL;

	CHECK_NUM(io_connect(S("mail.example"), 25, clock_in(100), &io), E_SYNTAX);
	CHECK_NUM(io_connect(S_NONE, 25, clock_in(100), &io), E_SYNTAX);
	CHECK_NUM(io_connect(S("/nowhere/at/all"), 0, clock_in(100), &io), E_CLOSED);
	CHECK(!io);
}

/* No descriptor left is no reason to die, and the caller hears of it. */
static void test_no_descriptors(void)
{
	struct rlimit old, few;
	uint16_t port;
	int fd = listen_on(AF_INET, &port), client = socket(AF_INET, SOCK_STREAM, 0), got = -1;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_NUM(connect(client, (struct sockaddr *)&to, sizeof to), 0);
	CHECK_NUM(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)client + 1;
	CHECK_NUM(setrlimit(RLIMIT_NOFILE, &few), 0);
	CHECK_NUM(io_accept(fd, &got), E_AGAIN);
	CHECK_NUM(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK_NUM(io_accept(fd, &got), OK);
	close(got);
	close(client);
	fd_forget(fd);
	close(fd);
}

static void everything(void *arg)
{
	(void)arg;
	test_lines();
	test_look();
	test_long_lines();
	test_takes();
	test_sending();
	test_backpressure();
	test_wait();
	test_cancel();
	test_goodbye();
	test_sockets(AF_INET, S("127.0.0.1"));
	test_sockets(AF_INET6, S("::1"));
	test_connect_errors();
	test_no_descriptors();
}

int main(void)
{
	fiber_main(everything, NULL);
	return check_done();
}
