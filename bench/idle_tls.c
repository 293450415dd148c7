/* SPDX-License-Identifier: ISC */
/*
 * idle_tls - the memory of connections that do nothing: so many TLS servers wait in io_wait
 * while a child process holds their other ends. Run from a build without sanitizers:
 * build/bench/idle_tls [connections]
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "cert.h"
#include "fiber/io.h"

enum { AT_ONCE = 64 };

struct state {
	int listen_fd;
	uint16_t port;
	unsigned connections, greeted, failed;
	struct tls *tls;
	struct arena *a;
	struct group *g;
	struct signal change;
};

/* The kilobytes of one line of /proc/self/smaps_rollup. */
static unsigned long kib(const char *name)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	unsigned long v = 0;

	while (f && fgets(line, sizeof line, f))
		if (str_starts(str_of(line), str_of(name)))
			v = strtoul(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return v;
}

struct one {
	struct state *s;
	int fd;
};

static void serve(void *arg)
{
	struct one one = *(struct one *)arg;
	struct arena *a = arena_new(65536);
	struct io *io = io_new(one.fd);
	struct str line;

	free(arg);
	io_deadline(io, clock_in(300 * 1000));
	enum err e = io_tls_accept(io, one.s->tls);

	io_put(io, S("* OK hello\r\n"));
	if (!e)
		e = io_line(io, a, 100, &line);
	io_put(io, S("+ idling\r\n"));
	arena_free(&a);
	one.s->greeted++;
	one.s->failed += e != OK;
	signal_raise(&one.s->change);
	if (!e)
		(void)!io_wait(io, NULL, 0);
	io_close(&io);
}

/* --- the child: the clients --- */

static void client(void *arg)
{
	struct state *s = arg;
	struct arena *a = arena_new(65536);
	struct tls *t = s->tls;
	struct io *io = NULL;
	struct str line;
	enum err e = io_connect(S("127.0.0.1"), s->port, clock_in(60 * 1000), &io);

	if (!e) {
		io_deadline(io, clock_in(300 * 1000));
		e = io_tls_connect(io, t, S("localhost"), false);
	}
	if (!e)
		e = io_line(io, a, 100, &line);
	if (!e) {
		io_put(io, S("a IDLE\r\n"));
		e = io_line(io, a, 100, &line);
	}
	arena_free(&a);
	s->greeted++;
	signal_raise(&s->change);
	if (!e)
		(void)!io_wait(io, NULL, 0);
	io_close(&io);
}

static void clients(void *arg)
{
	struct state *s = arg;
	struct group *g = group_new();

	s->tls = tls_client_new();
	for (unsigned i = 0; i < s->connections; i++) {
		while (i - s->greeted >= AT_ONCE)
			(void)!signal_wait(&s->change, s->change.count, NEVER);
		BUG_IF(group_spawn(g, "client", client, s) != OK);
	}
	(void)!group_wait(g, clock_in(300 * 1000));
	group_close(&g);
	tls_release(&s->tls);
}

/* --- the parent: the servers --- */

static void servers(void *arg)
{
	struct state *s = arg;
	unsigned long before, after;

	s->g = group_new();
	s->tls = cert_tls(s->a);
	before = kib("Pss:");
	for (unsigned i = 0; i < s->connections; i++) {
		struct one *one = NEW(struct one);

		one->s = s;
		while (io_accept(s->listen_fd, &one->fd) != OK)
			(void)!fiber_sleep(clock_in(10));
		BUG_IF(group_spawn(s->g, "serve", serve, one) != OK);
	}
	while (s->greeted < s->connections)
		(void)!signal_wait(&s->change, s->change.count, NEVER);
	(void)!fiber_sleep(clock_in(500));
	after = kib("Pss:");
	printf("%u connections, %u failed: Pss %lu KiB -> %lu KiB, %.2f KiB each\n", s->connections,
	       s->failed, before, after, (double)(after - before) / s->connections);
	group_close(&s->g);
	tls_release(&s->tls);
}

static int listen_here(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t n = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	BUG_IF(bind(fd, (struct sockaddr *)&addr, n) != 0 || listen(fd, 512) != 0 ||
	       getsockname(fd, (struct sockaddr *)&addr, &n) != 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

int main(int argc, char **argv)
{
	struct state s = { .connections = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5000 };
	struct rlimit files;

	BUG_IF(getrlimit(RLIMIT_NOFILE, &files) != 0);
	files.rlim_cur = files.rlim_max;
	BUG_IF(setrlimit(RLIMIT_NOFILE, &files) != 0);
	s.a = arena_new(1024 * 1024);
	s.listen_fd = listen_here(&s.port);
	pid_t child = fork();

	if (child == 0) {
		close(s.listen_fd);
		fiber_main(clients, &s);
		_exit(0);
	}
	fiber_main(servers, &s);
	waitpid(child, NULL, 0);
	close(s.listen_fd);
	arena_free(&s.a);
	return 0;
}
