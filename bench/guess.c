/* SPDX-License-Identifier: ISC */
/*
 * bench/guess.c - logins over IMAP with TLS, each client from an address of its own in 127/8.
 *
 *   guess wrong PORT ADDRESSES RATE SECONDS
 *       so many addresses guess passwords, RATE a second together, each over one connection that
 *       is open before; prints "ready", and when standard input has a line it begins
 *   guess right PORT FIRST COUNT SECONDS NET PASSWORD
 *       user FIRST to FIRST+COUNT-1 log in from 127.NET.x.y, spread over the time, and a while
 *       later once more from there; prints the milliseconds from LOGIN to OK
 *
 * Both print JSON.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fiber/io.h"

enum { CONNECT_AT_ONCE = 32, AGAIN_MS = 3000, ANSWER_MS = 60000, NAMES = 1000 };

static struct {
	uint16_t port;
	unsigned count, first, net, ready;
	int64_t span_ms, every_ms, began, ends;
	struct str password;
	struct tls *tls;
	struct signal start, change;
	/* results */
	uint64_t sent, wrong, closed, later, lost, not_connected;
	double *first_ms, *again_ms; /* < 0: failed */
} all;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* From 127.net.x.y to 127.0.0.1, then TLS and the greeting. */
static enum err reach(unsigned net, unsigned i, struct arena *a, struct io **out)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct str line;

	from.sin_addr.s_addr = htonl(127u << 24 | net << 16 | (i / 250) << 8 | (i % 250 + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(all.port);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)) {
		if (fd >= 0)
			close(fd);
		return E_IO;
	}
	*out = io_new(fd);
	io_deadline(*out, clock_in(ANSWER_MS));
	enum err e = fiber_wait_fd(fd, FD_WRITE, clock_in(ANSWER_MS));
	if (!e)
		e = io_tls_connect(*out, all.tls, S("localhost"), false);
	if (!e)
		e = io_line(*out, a, 8192, &line);
	return e || str_starts(line, S("* OK")) ? e : E_DENIED;
}

/* The line with the tag, or the BYE. */
static enum err answer(struct io *io, struct arena *a, struct str *line)
{
	enum err e;

	io_deadline(io, clock_in(ANSWER_MS));
	do {
		arena_reset(a);
		e = io_line(io, a, 8192, line);
	} while (!e && !str_starts(*line, S("a ")) && !str_starts(*line, S("* BYE")));
	return e;
}

/* --- wrong ones --- */

static enum err guess(struct io *io, struct arena *a, unsigned i, unsigned turn)
{
	struct str line;

	all.sent++;
	io_fmt(io, "a LOGIN user%u@example.test wrong-%u-%u\r\n", (i * 7 + turn) % NAMES, i, turn);
	enum err e = answer(io, a, &line);

	if (e)
		return e;
	if (str_starts(line, S("a NO [AUTHENTICATIONFAILED]")))
		all.wrong++;
	else if (str_starts(line, S("a NO")))
		all.later++;
	else
		all.closed++;
	return str_starts(line, S("a NO")) ? OK : E_CLOSED;
}

static void guesser(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;
	struct arena *a = arena_new(64 * 1024);
	struct io *io = NULL;
	enum err e = reach(100, i, a, &io);

	e ? all.not_connected++ : all.ready++;
	signal_raise(&all.change);
	if (!e)
		e = signal_wait(&all.start, 0, NEVER);
	int64_t at = all.began + (int64_t)(i * (double)all.every_ms / all.count);
	for (unsigned turn = 0; !e && at < all.ends; turn++) {
		e = fiber_sleep(at);
		if (!e)
			e = guess(io, a, i, turn);
		while (at <= clock_ms())
			at += all.every_ms;
	}
	if (e && e != E_CLOSED)
		all.lost++;
	if (io)
		io_close(&io);
	arena_free(&a);
}

static void attack(void *arg)
{
	struct group *g = group_new();
	char octet;

	(void)arg;
	all.tls = tls_client_new();
	for (unsigned i = 0; i < all.count; i++) {
		while (i - all.ready - all.not_connected >= CONNECT_AT_ONCE)
			if (signal_wait(&all.change, all.change.count, NEVER))
				break;
		if (group_spawn(g, "guesser", guesser, (void *)(uintptr_t)i))
			break;
	}
	while (all.ready + all.not_connected < all.count)
		if (signal_wait(&all.change, all.change.count, NEVER))
			break;
	printf("ready\n");
	fflush(stdout);
	if (fiber_wait_fd(0, FD_READ, NEVER) || read(0, &octet, 1) < 0)
		fprintf(stderr, "guess: no standard input\n");
	all.began = clock_ms();
	all.ends = all.began + all.span_ms;
	signal_raise(&all.start);
	if (fiber_sleep(all.ends))
		fprintf(stderr, "guess: canceled\n");
	group_close(&g); /* whoever waits for an answer waits no longer */
	printf("{\"connected\": %u, \"sent\": %llu, \"wrong\": %llu, \"later\": %llu, "
	       "\"closed\": %llu}\n",
	       all.ready, (unsigned long long)all.sent, (unsigned long long)all.wrong,
	       (unsigned long long)all.later, (unsigned long long)all.closed);
	tls_release(&all.tls);
}

/* --- right ones --- */

static double log_in(unsigned i)
{
	struct arena *a = arena_new(64 * 1024);
	struct io *io = NULL;
	struct str line = S("");
	enum err e = reach(all.net, i, a, &io);
	int64_t began = now_us();

	if (!e) {
		io_fmt(io, "a LOGIN user%u@example.test \"%.*s\"\r\n", all.first + i,
		       FMT(all.password));
		e = answer(io, a, &line);
	}
	double ms = e || !str_starts(line, S("a OK")) ? -1 : (double)(now_us() - began) / 1000;

	if (io)
		io_close(&io);
	arena_free(&a);
	return ms;
}

static void owner(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;
	int64_t at = all.began + all.span_ms * i / all.count;

	if (fiber_sleep(at))
		return;
	all.first_ms[i] = log_in(i);
	if (fiber_sleep(clock_in(AGAIN_MS)))
		return;
	all.again_ms[i] = log_in(i);
}

static void print_list(const char *name, const double *ms, const char *end)
{
	printf("\"%s\": [", name);
	for (unsigned i = 0; i < all.count; i++)
		printf("%s%.3f", i ? ", " : "", ms[i]);
	printf("]%s", end);
}

static void owners(void *arg)
{
	struct group *g = group_new();

	(void)arg;
	all.tls = tls_client_new();
	all.first_ms = mem_new(all.count * sizeof(double));
	all.again_ms = mem_new(all.count * sizeof(double));
	all.began = clock_ms();
	for (unsigned i = 0; i < all.count; i++)
		if (group_spawn(g, "owner", owner, (void *)(uintptr_t)i))
			break;
	if (group_wait(g, NEVER))
		fprintf(stderr, "guess: canceled\n");
	group_close(&g);
	printf("{");
	print_list("first", all.first_ms, ", ");
	print_list("again", all.again_ms, "}\n");
	free(all.first_ms);
	free(all.again_ms);
	tls_release(&all.tls);
}

static unsigned number(const char *text)
{
	struct scan in = scan(str_of(text));
	unsigned n = (unsigned)scan_num(&in, 1000000);

	if (!scan_end(&in)) {
		fprintf(stderr, "guess: %s is no number\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc == 6 && strcmp(argv[1], "wrong") == 0) {
		unsigned rate = number(argv[4]);
		all.count = number(argv[3]);
		all.every_ms = rate ? (int64_t)all.count * 1000 / rate : 1000;
		all.span_ms = (int64_t)number(argv[5]) * 1000;
	} else if (argc == 8 && strcmp(argv[1], "right") == 0) {
		all.first = number(argv[3]);
		all.count = number(argv[4]);
		all.span_ms = (int64_t)number(argv[5]) * 1000;
		all.net = number(argv[6]);
		all.password = str_of(argv[7]);
	} else {
		fprintf(stderr, "usage: guess wrong PORT ADDRESSES RATE SECONDS\n"
				"       guess right PORT FIRST COUNT SECONDS NET PASSWORD\n");
		return 2;
	}
	all.port = (uint16_t)number(argv[2]);
	fiber_main(all.every_ms ? attack : owners, NULL);
	return 0;
}
