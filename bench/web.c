/* SPDX-License-Identifier: ISC */
/*
 * Requests a second that the web pages answer: web SOCKET URI [SECONDS [AT-ONCE]]
 *
 * Speaks SCGI with the socket itself, a connection a request as nginx does, each time as a
 * browser with another address. Prints the rate and what one answer is long.
 */
#include <stdio.h>

#include "base/buf.h"
#include "fiber/io.h"

enum { AT_ONCE_MAX = 256, REPLY_MAX = 1 << 20 };

static struct load {
	struct str socket, uri;
	int64_t end;
	unsigned long done, failed;
	size_t octets;
} load;

static bool ask(unsigned long n, struct arena *a)
{
	struct buf head = buf_new(4096);
	struct io *io;
	size_t octets = 0;
	struct str part;

	if (io_connect(load.socket, 0, clock_in(5000), &io))
		return false;
	struct str ip = str_fmt(a, "10.%lu.%lu.%lu", n >> 16 & 255, n >> 8 & 255, n & 255);
	const struct str words[] = { S("CONTENT_LENGTH"), S("0"),   S("SCGI"),        S("1"),
				     S("REQUEST_METHOD"), S("GET"), S("REQUEST_URI"), load.uri,
				     S("REMOTE_ADDR"),    ip };
	for (size_t i = 0; i < LENGTH(words); i++) {
		buf_put(&head, words[i]);
		buf_c(&head, '\0');
	}
	io_deadline(io, clock_in(10000));
	io_fmt(io, "%zu:", head.n);
	io_put(io, buf_str(&head));
	io_put(io, S(","));
	buf_free(&head);
	enum err e = io_flush(io);
	bool good = false;
	for (; !e; octets += part.n) {
		e = io_some(io, REPLY_MAX, &part);
		if (!e && !octets)
			good = str_starts(part, S("Status: 200"));
		if (e)
			part.n = 0;
	}
	io_close(&io);
	load.octets = octets;
	return good && e == E_CLOSED;
}

static void client(void *arg)
{
	struct arena *a = arena_new(1 << 20);

	(void)arg;
	while (clock_ms() < load.end) {
		if (!ask(load.done + load.failed, a))
			load.failed++;
		else
			load.done++;
		arena_reset(a);
	}
	arena_free(&a);
}

struct args {
	int argc;
	char **argv;
};

static uint64_t number(struct args *args, int i, uint64_t otherwise)
{
	struct scan in = scan(i < args->argc ? str_of(args->argv[i]) : S(""));
	uint64_t n = scan_num(&in, 10000);

	return scan_end(&in) && n ? n : otherwise;
}

static void run(void *arg)
{
	struct args *args = arg;
	uint64_t seconds = number(args, 3, 5), at_once = number(args, 4, 32);
	struct group *g = group_new();

	load.socket = str_of(args->argv[1]);
	load.uri = str_of(args->argv[2]);
	load.end = clock_in((int64_t)seconds * 1000);
	for (uint64_t i = 0; i < at_once && i < AT_ONCE_MAX; i++)
		if (group_spawn(g, "client", client, NULL))
			break;
	if (group_wait(g, NEVER))
		return;
	group_close(&g);
	printf("%lu requests/s, %lu failed, %zu octets each\n", load.done / seconds, load.failed,
	       load.octets);
}

int main(int argc, char **argv)
{
	struct args args = { argc, argv };

	if (argc < 3) {
		fprintf(stderr, "usage: web SOCKET URI [SECONDS [AT-ONCE]]\n");
		return 2;
	}
	fiber_main(run, &args);
	return load.failed ? 1 : 0;
}
