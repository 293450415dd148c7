/* SPDX-License-Identifier: ISC */
/*
 * bench/idle.c - many users who wait for mail: TLS, LOGIN, SELECT INBOX, IDLE; then it says
 * "idle N" and holds the connections until standard input ends.
 *
 *   idle PORT CONNECTIONS USER PASSWORD
 *
 * All from 127.0.0.1, which has ports enough for 20,000.
 */
#include <unistd.h>

#include "fiber/io.h"

struct crowd {
	uint16_t port;
	uint64_t connections, idle, failed;
	struct str user, password;
	struct tls *tls;
	struct signal end;
	struct signal changed;
};

/* Reads to the line that begins so. */
static enum err until(struct io *io, struct arena *a, const char *head)
{
	struct str line;
	enum err e;

	do {
		arena_reset(a);
		e = io_line(io, a, 8192, &line);
	} while (!e && !str_starts(line, str_of(head)));
	return e;
}

static void waiter(void *arg)
{
	struct crowd *c = arg;
	struct arena *a = arena_new(1 << 20);
	struct io *io = NULL;

	enum err e = io_connect(S("127.0.0.1"), c->port, clock_in(60000), &io);
	if (!e) {
		io_deadline(io, clock_in(120000));
		e = io_tls_connect(io, c->tls, S("localhost"), false);
	}
	if (!e)
		e = until(io, a, "* OK");
	if (!e) {
		io_fmt(io, "a LOGIN %.*s \"%.*s\"\r\n", FMT(c->user), FMT(c->password));
		e = until(io, a, "a OK");
	}
	if (!e) {
		io_put(io, S("b SELECT INBOX\r\n"));
		e = until(io, a, "b OK");
	}
	if (!e) {
		io_put(io, S("c IDLE\r\n"));
		e = until(io, a, "+");
	}
	arena_free(&a);
	e ? c->failed++ : c->idle++;
	if (e)
		fprintf(stderr, "idle: %s\n", err_text(e));
	signal_raise(&c->changed);
	if (!e && signal_wait(&c->end, 0, NEVER))
		fprintf(stderr, "idle: canceled\n");
	if (io)
		io_close(&io);
}

static void live(void *arg)
{
	enum { AT_ONCE = 64 };
	struct crowd *c = arg;
	struct group *g = group_new();
	char octet;

	c->tls = tls_client_new();
	for (uint64_t i = 0; i < c->connections; i++) {
		while (i - c->idle - c->failed >= AT_ONCE)
			if (signal_wait(&c->changed, c->changed.count, clock_in(60000)))
				break;
		if (group_spawn(g, "waiter", waiter, c))
			break;
	}
	while (c->idle + c->failed < c->connections)
		if (signal_wait(&c->changed, c->changed.count, clock_in(60000)))
			break;
	printf("idle %llu\n", (unsigned long long)c->idle);
	fflush(stdout);
	if (fiber_wait_fd(0, FD_READ, NEVER) || read(0, &octet, 1) < 0)
		fprintf(stderr, "idle: no standard input\n");
	signal_raise(&c->end);
	group_close(&g);
	tls_release(&c->tls);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: idle PORT CONNECTIONS USER PASSWORD\n");
		return 2;
	}
	struct scan port = scan(str_of(argv[1])), count = scan(str_of(argv[2]));
	struct crowd c = { .port = (uint16_t)scan_num(&port, 65535),
			   .connections = scan_num(&count, 20000),
			   .user = str_of(argv[3]),
			   .password = str_of(argv[4]) };

	if (!scan_end(&port) || !scan_end(&count))
		return 2;
	fiber_main(live, &c);
	return c.failed ? 1 : 0;
}
