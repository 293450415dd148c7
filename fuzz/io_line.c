/* SPDX-License-Identifier: ISC */
/*
 * Lines: whatever pieces the octets come in, io_line gives what a look at the whole gives.
 * Input: an octet of settings, an octet for the size of the pieces, then what the peer says.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "fiber/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct str text;
	bool strict;
	size_t max, piece;
	int peer;
};

/* The next line of text as RFC 5321 2.3.8 has it, or a bare LF; what is behind the last one is
 * left. False: no line more. */
static bool reference(struct str *text, bool strict, struct str *line)
{
	for (size_t i = 0; i < text->n; i++) {
		bool cr = i > 0 && text->p[i - 1] == '\r';

		if (text->p[i] != '\n' || (strict && !cr))
			continue;
		*line = str_part(*text, 0, cr ? i - 1 : i);
		*text = str_from(*text, i + 1);
		return true;
	}
	return false;
}

static void say(void *arg)
{
	struct input *in = arg;
	struct str rest = in->text;

	while (rest.n) {
		struct str part = str_part(rest, 0, in->piece);

		BUG_IF(write(in->peer, part.p, part.n) != (ssize_t)part.n);
		rest = str_from(rest, part.n);
		fiber_yield();
	}
	BUG_IF(shutdown(in->peer, SHUT_WR) != 0);
}

static void run(void *arg)
{
	struct input *in = arg;
	struct arena *a = arena_new(1024 * 1024);
	struct group *g = group_new();
	struct str want, got, rest = in->text;
	int pair[2];

	BUG_IF(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0);
	struct io *io = io_new(pair[0]);

	in->peer = pair[1];
	io_strict_crlf(io, in->strict);
	io_deadline(io, clock_in(60 * 1000));
	BUG_IF(group_spawn(g, "say", say, in) != OK);
	while (reference(&rest, in->strict, &want)) {
		enum err e = io_line(io, a, in->max, &got);

		BUG_IF(e != (want.n > in->max ? E_LIMIT : OK));
		BUG_IF(!e && !str_eq(want, got));
	}
	BUG_IF(io_line(io, a, in->max, &got) != E_CLOSED);
	group_close(&g);
	io_close(&io);
	close(pair[1]);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t maxima[] = { 1, 8, 512, 16383, 16384, 16385, 20000, 100000 };

	if (size < 2 || size > 48 * 1024)
		return 0;
	struct input in = {
		.text = STR((const char *)data + 2, size - 2),
		.strict = data[0] & 1,
		.max = maxima[data[0] >> 1 & 7],
		/* No more pieces than a socket has places for. */
		.piece = 1 + data[1] % 64 + size / 128,
	};

	fiber_main(run, &in);
	return 0;
}
