/* SPDX-License-Identifier: ISC */
/*
 * bench/sink.c - a server that takes all mail and keeps none: the other end of bench/relay and
 * bench/queue, the same one for whoever is measured.
 *
 *   sink PORT LOG ADDRESS...
 *
 * STARTTLS with a certificate of its own, PIPELINING, CHUNKING. Of each mail that it took it writes
 * a line to LOG, before the reply: the milliseconds of the machine's clock, and what stands in its
 * field X-Id. Says "ready". Ends by a signal, or after an hour.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/scan.h"
#include "cert.h"
#include "fiber/io.h"

enum { LINE = 4096, READ = 32 * 1024, ID_MAX = 64, WAIT_MS = 300 * 1000, LIFE_MS = 3600 * 1000 };

static struct tls *tls;
static int log_fd;
static struct group *connections;

struct client {
	struct io *io;
	struct str ahead; /* of what io gave last */
	struct buf line;
	char id[ID_MAX];
	size_t nid;
	bool secure;
};

static enum err more(struct client *c)
{
	io_deadline(c->io, clock_in(WAIT_MS));
	return c->ahead.n ? OK : io_some(c->io, READ, &c->ahead);
}

/* The next command, without its line end. */
static enum err command(struct client *c, struct str *out)
{
	buf_clear(&c->line);
	for (;;) {
		enum err e = more(c);

		if (e)
			return e;
		size_t n = str_find(c->ahead, '\n');
		bool whole = n < c->ahead.n;

		buf_put(&c->line, str_part(c->ahead, 0, n));
		c->ahead = str_from(c->ahead, whole ? n + 1 : n);
		if (whole)
			break;
	}
	*out = buf_str(&c->line);
	if (str_ends(*out, S("\r")))
		out->n--;
	return c->line.full ? E_LIMIT : OK;
}

/* The field is looked for in the first octets that come. */
static void look(struct client *c, struct str octets)
{
	static const struct str field = { "\r\nX-Id: ", 8 };
	size_t at = str_find_str(octets, field);

	if (c->nid || at == octets.n)
		return;
	struct str id = str_from(octets, at + field.n);

	c->nid = str_find(id, '\r');
	if (c->nid >= sizeof c->id)
		c->nid = 0;
	memcpy(c->id, id.p, c->nid);
}

static void note(struct client *c)
{
	struct timespec now;
	char row[ID_MAX + 40];

	clock_gettime(CLOCK_MONOTONIC, &now);
	int n = snprintf(row, sizeof row, "%lld %.*s\n",
			 (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, (int)c->nid, c->id);
	BUG_IF(write(log_fd, row, (size_t)n) != n);
	c->nid = 0;
}

/* Up to the dot that stands alone. */
static enum err data(struct client *c)
{
	static const char end[] = "\r\n.\r\n";
	size_t state = 2; /* the octets of end that were there last; a line begins */

	io_put(c->io, S("354 go on\r\n"));
	while (state < 5) {
		enum err e = more(c);

		if (e)
			return e;
		look(c, c->ahead);
		size_t i = 0;

		while (i < c->ahead.n && state < 5) {
			if (state == 0) {
				const char *cr = memchr(c->ahead.p + i, '\r', c->ahead.n - i);

				if (!cr) {
					i = c->ahead.n;
					break;
				}
				i = (size_t)(cr - c->ahead.p);
			}
			char octet = c->ahead.p[i++];

			state = octet == end[state] ? state + 1 : octet == '\r' ? 1 : 0;
		}
		c->ahead = str_from(c->ahead, i);
	}
	note(c);
	io_put(c->io, S("250 2.0.0 taken\r\n"));
	return OK;
}

static enum err chunk(struct client *c, struct str args)
{
	struct scan in = scan(args);
	uint64_t left = scan_num(&in, UINT32_MAX);
	bool last = scan_opt(&in, " LAST");

	while (left) {
		enum err e = more(c);

		if (e)
			return e;
		struct str part =
			str_part(c->ahead, 0, left < c->ahead.n ? (size_t)left : c->ahead.n);

		look(c, part);
		left -= part.n;
		c->ahead = str_from(c->ahead, part.n);
	}
	if (last)
		note(c);
	io_put(c->io, S("250 2.0.0 taken\r\n"));
	return OK;
}

static enum err obey(struct client *c, struct str line)
{
	struct str verb = str_part(line, 0, str_find(line, ' '));

	if (str_iis(verb, "EHLO"))
		io_fmt(c->io,
		       "250-sink.test\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n"
		       "250-CHUNKING\r\n%s250 ENHANCEDSTATUSCODES\r\n",
		       c->secure ? "" : "250-STARTTLS\r\n");
	else if (str_iis(verb, "STARTTLS")) {
		io_put(c->io, S("220 2.0.0 go on\r\n"));
		enum err e = io_flush(c->io);

		c->secure = true;
		return e ? e : io_tls_accept(c->io, tls);
	} else if (str_iis(verb, "DATA"))
		return data(c);
	else if (str_iis(verb, "BDAT"))
		return chunk(c, str_from(line, 5));
	else if (str_iis(verb, "QUIT")) {
		io_put(c->io, S("221 2.0.0 bye\r\n"));
		(void)!io_flush(c->io);
		return E_CLOSED;
	} else
		io_put(c->io, S("250 2.0.0 fine\r\n"));
	return OK;
}

static void serve(void *arg)
{
	int *fd = arg;
	struct client c = { .io = io_new(*fd), .line = buf_new(LINE) };
	struct str line;
	enum err e = OK;

	free(fd);
	io_put(c.io, S("220 sink.test ESMTP\r\n"));
	while (!e) {
		e = command(&c, &line);
		if (!e)
			e = obey(&c, line);
	}
	io_close(&c.io);
	buf_free(&c.line);
}

static void accept_loop(void *arg)
{
	int listening = *(int *)arg;

	for (;;) {
		int *fd = NEW(int);
		enum err e = io_accept(listening, fd);

		if (e == E_AGAIN && fiber_sleep(clock_in(10)) == OK) {
			free(fd);
			continue;
		}
		if (e || group_spawn(connections, "client", serve, fd) != OK) {
			free(fd);
			return;
		}
	}
}

static int listen_at(const char *ip, unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	BUG_IF(inet_pton(AF_INET, ip, &to.sin_addr) != 1);
	if (bind(fd, (struct sockaddr *)&to, sizeof to) || listen(fd, 1024)) {
		perror(ip);
		exit(1);
	}
	return fd;
}

struct start {
	int *fd;
	int n;
};

static void start(void *arg)
{
	struct start *s = arg;
	struct arena *a = arena_new(1 << 20);
	struct group *g = group_new();

	tls = cert_tls(a);
	connections = group_new();
	for (int i = 0; i < s->n; i++)
		BUG_IF(group_spawn(g, "accept", accept_loop, &s->fd[i]) != OK);
	printf("ready\n");
	fflush(stdout);
	(void)!group_wait(g, clock_in(LIFE_MS));
	_exit(0);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc < 4) {
		fprintf(stderr, "usage: sink PORT LOG ADDRESS...\n");
		return 2;
	}
	BUG_IF(getrlimit(RLIMIT_NOFILE, &files) != 0);
	files.rlim_cur = files.rlim_max;
	BUG_IF(setrlimit(RLIMIT_NOFILE, &files) != 0);
	log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	BUG_IF(log_fd < 0);
	int fd[64];
	struct start s = { fd, 0 };

	for (int i = 3; i < argc && s.n < 64; i++)
		fd[s.n++] = listen_at(argv[i], (unsigned)strtoul(argv[1], NULL, 10));
	fiber_main(start, &s);
	return 0;
}
