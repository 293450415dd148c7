/* SPDX-License-Identifier: ISC */
/*
 * A whole dialog of the client of SMTP with a server that says anything: each time it has heard
 * something it says the next piece of the input, pieces being divided by an octet 1. Whatever it
 * is, every recipient has a verdict in the end, and nobody counts as delivered without a message
 * that went out whole.
 */
#include <sys/socket.h>

#include "fiber/io.h"
#include "smtp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RCPTS = 3 };
static const struct str body = { "Subject: x\r\n\r\n.\r\nx\r\n", 20 };

static struct {
	struct str input;
	int fd;
	bool whole; /* the message has been read to its end */
} run;

static enum err read_body(void *arg, uint64_t off, size_t max, struct str *out)
{
	(void)arg;
	*out = str_part(body, (size_t)off, max < 9 ? max : 9);
	run.whole = off + out->n == body.n;
	return OK;
}

static void serve(void *arg)
{
	struct io *io = io_new(run.fd);
	struct str rest = run.input, s;
	bool first = true;

	(void)arg;
	while (rest.n) {
		size_t n = str_find(rest, 1);

		/* who waits for us while we wait for it shall not wait long */
		io_deadline(io, clock_in(2));
		if (!first && io_some(io, 65536, &s))
			break;
		first = false;
		io_put(io, STR(rest.p, n));
		if (io_flush(io))
			break;
		rest = str_from(rest, n + 1);
	}
	io_close(&io);
}

static void judge(const struct client_rcpt *r, bool greeted)
{
	const struct outcome *o = &r->out;

	BUG_IF(!greeted && o->verdict != NOT_TRIED);
	BUG_IF(o->verdict == DELIVERED && (!run.whole || o->said.code / 100 != 2));
	BUG_IF(o->verdict == PERMANENT && o->why == WHY_SAID && o->said.code / 100 != 5);
	BUG_IF(o->maybe && (o->verdict != TEMPORARY || !run.whole || o->stage != AT_BODY));
	BUG_IF(o->said.text.n > ANSWER_TEXT_MAX);
}

static void talk(struct io *io, struct arena *a)
{
	struct client_conf conf = { .name = S("me.test"), .times = client_times_default() };
	struct client_rcpt rcpt[RCPTS];
	struct client_mail mail = { .from = { S("me"), S("here.test"), false },
				    .size = body.n,
				    .read = read_body,
				    .rcpt = rcpt,
				    .nrcpt = RCPTS };
	struct outcome o;

	conf.times.login_ms = conf.times.message_ms = conf.times.quit = 20;
	for (size_t i = 0; i < RCPTS; i++)
		rcpt[i] = (struct client_rcpt){ .to = { S("a"), S("far.test"), false } };
	struct smtp_client *c = smtp_client_new(&conf, io);
	bool greeted = smtp_client_greet(c, &o);

	BUG_IF(greeted != (o.verdict == DELIVERED) || (!greeted && smtp_client_ready(c)));
	for (unsigned times = 0; times < 2; times++) {
		bool ready = smtp_client_ready(c);

		run.whole = false;
		smtp_client_send(c, &mail, a);
		for (size_t i = 0; i < RCPTS; i++) {
			judge(&rcpt[i], greeted);
			BUG_IF(ready && times == 0 && rcpt[i].out.verdict == NOT_TRIED &&
			       !smtp_client_info(c).offer.rcpt_max);
		}
	}
	smtp_client_quit(&c);
}

static void both(void *arg)
{
	struct group *g = group_new();
	struct arena *a = arena_new(1 << 20);
	int fd[2];

	(void)arg;
	BUG_IF(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
	run.fd = fd[0];
	struct io *io = io_new(fd[1]);

	BUG_IF(group_spawn(g, "server", serve, NULL));
	talk(io, a);
	io_close(&io);
	group_close(&g);
	arena_free(&a);
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_capture(quiet, NULL);
	run.input = STR((const char *)data, size);
	fiber_main(both, NULL);
	return 0;
}
