/* SPDX-License-Identifier: ISC */
/*
 * bench/deliver.c - a load of mail: so many connections, each sending one message after the other.
 *
 *   deliver PORT CONNECTIONS MESSAGES OCTETS USERS
 *
 * To 127.0.0.1, in clear as between servers; message i goes to user<i mod USERS>@example.test.
 * Prints {"messages": .., "seconds": .., "refused": ..}.
 */
#include <time.h>

#include "base/buf.h"
#include "fiber/io.h"

struct load {
	uint16_t port;
	uint64_t connections, messages, octets, users;
	uint64_t begun, done, refused;
	struct str body;
};

static enum err expect(struct io *io, struct arena *a, char digit, struct load *l)
{
	struct str line;
	enum err e;

	do {
		arena_reset(a);
		e = io_line(io, a, 2048, &line);
	} while (!e && line.n > 3 && line.p[3] == '-');
	if (e)
		return e;
	if (line.n < 3 || line.p[0] != digit) {
		if (!l->refused++)
			fprintf(stderr, "deliver: refused: %.*s\n", FMT(line));
		return E_DENIED;
	}
	return OK;
}

static enum err one_message(struct io *io, struct arena *a, struct load *l, uint64_t n)
{
	io_deadline(io, clock_in(60000));
	io_fmt(io,
	       "MAIL FROM:<sender@elsewhere.test>\r\nRCPT TO:<user%llu@example.test>\r\nDATA\r\n",
	       (unsigned long long)(n % l->users));
	enum err e = expect(io, a, '2', l);
	if (!e)
		e = expect(io, a, '2', l);
	if (!e)
		e = expect(io, a, '3', l);
	if (e)
		return e;
	io_fmt(io, "Message-ID: <%llu@elsewhere.test>\r\n", (unsigned long long)n);
	io_put(io, l->body);
	io_put(io, S("\r\n.\r\n"));
	return expect(io, a, '2', l);
}

static void sender(void *arg)
{
	struct load *l = arg;
	struct arena *a = arena_new(1 << 20);
	struct io *io = NULL;

	enum err e = io_connect(S("127.0.0.1"), l->port, clock_in(10000), &io);
	if (!e) {
		io_deadline(io, clock_in(60000));
		e = expect(io, a, '2', l);
		io_put(io, S("EHLO bench.test\r\n"));
	}
	if (!e)
		e = expect(io, a, '2', l);
	while (!e && l->begun < l->messages) {
		uint64_t n = l->begun++;
		e = one_message(io, a, l, n);
		l->done += e == OK;
	}
	if (e)
		fprintf(stderr, "deliver: %s\n", err_text(e));
	if (io)
		io_close(&io);
	arena_free(&a);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void live(void *arg)
{
	struct load *l = arg;
	struct group *g = group_new();
	double start = seconds();

	for (uint64_t i = 0; i < l->connections; i++)
		if (group_spawn(g, "sender", sender, l))
			break;
	if (group_wait(g, NEVER))
		fprintf(stderr, "deliver: canceled\n");
	printf("{\"messages\": %llu, \"seconds\": %.3f, \"refused\": %llu}\n",
	       (unsigned long long)l->done, seconds() - start, (unsigned long long)l->refused);
	group_close(&g);
}

static uint64_t number(const char *text)
{
	struct scan in = scan(str_of(text));
	uint64_t n = scan_num(&in, 100000000);

	return scan_end(&in) ? n : 0;
}

/* Lines like those of real text: they compress as mail does, not to nothing. */
static void make_body(struct buf *b, uint64_t octets)
{
	uint64_t seed = 88172645463325252ULL;

	buf_put(b, S("From: <sender@elsewhere.test>\r\nTo: <user@example.test>\r\n"
		     "Date: Tue, 24 Nov 2026 06:41:51 +0000\r\nSubject: load\r\n\r\n"));
	while (b->n + 80 < octets) {
		for (int i = 0; i < 12; i++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			buf_fmt(b, "%05x ", (unsigned)(seed & 0xfffff));
		}
		buf_put(b, S("\r\n"));
	}
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: deliver PORT CONNECTIONS MESSAGES OCTETS USERS\n");
		return 2;
	}
	struct load l = { .port = (uint16_t)number(argv[1]),
			  .connections = number(argv[2]),
			  .messages = number(argv[3]),
			  .octets = number(argv[4]),
			  .users = number(argv[5]) };
	struct buf b = buf_new(64 << 20);

	if (!l.port || !l.connections || !l.users)
		return 2;
	make_body(&b, l.octets);
	l.body = buf_str(&b);
	fiber_main(live, &l);
	buf_free(&b);
	return l.done == l.messages ? 0 : 1;
}
