/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CLIENT_TEST_H
#define SMTP_CLIENT_TEST_H
/*
 * client_test.h - the client of SMTP against servers that follow a script.
 *
 * A script is lines: "> text" the server says, "< text" it expects a line that begins so, "* text"
 * it says without an end of line, "." it reads the message to its final dot, "# n" it reads n
 * octets, "T" it does a handshake, "_" it sends nothing more and waits, "!" it hangs up, "^" it
 * sends what it has said and gives the client its turn. At the end it reads until the client has
 * gone.
 */
#include "rig.h"
#include "smtp/client.h"

static struct {
	const char *script;
	struct buf got;           /* all that it has read, lines ended by LF */
	bool wrong, quit, failed; /* failed: the handshake */
} peer;

static struct client_conf conf;
static struct str body;
static enum err body_error;
static uint64_t body_error_at;

/* --- the server --- */

static inline bool hear_line(struct io *io, struct str *line)
{
	static struct arena *a;

	arena_free(&a);
	a = arena_new(64 * 1024);
	*line = S_NONE;
	if (io_line(io, a, 16384, line)) {
		arena_free(&a);
		return false;
	}
	buf_put(&peer.got, *line);
	buf_c(&peer.got, '\n');
	peer.quit |= str_is(*line, "QUIT");
	return true;
}

static inline void expect_script(struct io *io, struct str want)
{
	struct str line;

	if (hear_line(io, &line) && str_starts(line, want))
		return;
	peer.wrong = true;
	fprintf(stderr, "  the script wants \"%.*s\"\n", FMT(want));
}

static inline void read_octets(struct io *io, struct str number)
{
	struct scan in = scan(number);
	uint64_t n = scan_num(&in, 1 << 20);
	struct str s;

	if (io_take(io, rig.arena, n, &s))
		peer.wrong = true;
	else
		buf_put(&peer.got, s);
}

static inline void read_message(struct io *io)
{
	struct str line = S_NONE;

	do
		if (!hear_line(io, &line))
			peer.wrong = true;
	while (!peer.wrong && !str_is(line, "."));
}

static inline void say_script(struct io *io, struct str text, bool whole)
{
	/* "\0" of the script is an octet NUL */
	size_t n = str_find_str(text, S("\\0"));

	io_put(io, str_part(text, 0, n));
	if (n < text.n) {
		io_put(io, S("\0"));
		io_put(io, str_from(text, n + 2));
	}
	if (whole)
		io_put(io, S("\r\n"));
}

static inline void serve(struct io *io, int kind)
{
	struct str rest = str_of(peer.script), line;

	(void)kind;
	io_deadline(io, clock_in(10000));
	while (rest.n && !peer.wrong) {
		size_t n = str_find(rest, '\n');
		struct str text = n > 2 ? STR(rest.p + 2, n - 2) : S_NONE;

		switch (*rest.p) {
		case '>':
		case '*': say_script(io, text, *rest.p == '>'); break;
		case '<': expect_script(io, text); break;
		case '.': read_message(io); break;
		case '#': read_octets(io, text); break;
		case 'T': peer.failed = io_tls_accept(io, rig.server_tls) != OK; break;
		case '^':
			peer.wrong |= io_flush(io) != OK;
			fiber_yield();
			break;
		case '!': (void)!io_flush(io); return;
		case '_': break;
		default: BUG_IF(true);
		}
		rest = str_from(rest, n + 1);
	}
	while (hear_line(io, &line))
		if (str_is(line, "QUIT") && peer.script[0] == '>')
			io_put(io, S("221 bye\r\n"));
}

/* --- the client --- */

static inline enum err read_body(void *arg, uint64_t off, size_t max, struct str *out)
{
	(void)arg;
	if (body_error && off >= body_error_at)
		return body_error;
	/* pieces of 7 octets, for all that lies across their borders */
	*out = str_part(body, (size_t)off, max < 7 ? max : 7);
	return OK;
}

static inline void tell(struct buf *b, const struct outcome *o)
{
	static const char *const verdicts[] = { "none", "sent", "temp", "perm" };
	static const char *const stages[] = { "greeting", "hello", "starttls", "tls",  "login",
					      "reset",    "mail",  "rcpt",     "data", "body" };
	static const char *const whys[] = { "said",    "gone",    "slow",     "broken",  "canceled",
					    "notls",   "tlsfail", "unproven", "nologin", "large",
					    "8bit",    "binary",  "utf8",     "reqtls",  "by",
					    "address", "lineend", "ours" };

	if (b->n)
		buf_put(b, S("; "));
	buf_put(b, str_of(verdicts[o->verdict]));
	if (o->verdict == NOT_TRIED || o->verdict == DELIVERED)
		return;
	buf_fmt(b, " %s %s", stages[o->stage], whys[o->why]);
	if (o->said.code)
		buf_fmt(b, " %u", o->said.code);
	if (o->said.esc[0])
		buf_fmt(b, " %s", o->said.esc);
	if (o->maybe)
		buf_put(b, S(" maybe"));
}

static inline struct path address(const char *text)
{
	struct path p = { 0 };

	if (*text)
		CHECK_NUM(path_parse(rig.arena, str_of(text), &p), OK);
	return p;
}

static struct client_rcpt rcpts[5];
static struct client_mail mail;

static inline void set_mail(unsigned n)
{
	static const char *const to[] = { "a@far.test", "b@far.test", "c@far.test", "d@far.test",
					  "e@far.test" };

	mail = (struct client_mail){ .from = address("me@example.test"),
				     .size = body.n,
				     .read = read_body,
				     .rcpt = rcpts,
				     .nrcpt = n };
	for (unsigned i = 0; i < n; i++)
		rcpts[i] = (struct client_rcpt){ .to = address(to[i]) };
}

static inline struct smtp_client *begin(const char *script, struct client **c, struct outcome *o)
{
	peer.script = script;
	peer.wrong = peer.quit = false;
	buf_clear(&peer.got);
	*c = dial(0, false);
	struct smtp_client *s = smtp_client_new(&conf, (*c)->io);

	smtp_client_greet(s, o);
	return s;
}

/* Both sides to their end; what happened to whom. */
static inline struct str run(const char *script, unsigned times)
{
	struct buf told = buf_new(4096);
	struct outcome o;
	struct client *c;
	struct smtp_client *s = begin(script, &c, &o);

	if (o.verdict != DELIVERED)
		tell(&told, &o);
	for (unsigned i = 0; o.verdict == DELIVERED && i < times; i++) {
		smtp_client_send(s, &mail, rig.arena);
		for (size_t j = 0; j < mail.nrcpt; j++)
			tell(&told, &mail.rcpt[j].out);
	}
	buf_put(&told, smtp_client_ready(s) ? S(" +") : S(" -"));
	smtp_client_quit(&s);
	CHECK(!s);
	hang_up(c);
	CHECK(!peer.wrong);
	struct str r = str_dup(rig.arena, buf_str(&told));

	buf_free(&told);
	return r;
}

static inline void check_run(const char *script, unsigned times, const char *want)
{
	if (!CHECK_STR(run(script, times), want))
		fprintf(stderr, "  with the script\n%s\n  got\n%.*s\n", script,
			FMT(buf_str(&peer.got)));
}

static inline bool got(const char *text)
{
	struct str s = buf_str(&peer.got);

	return check_that(str_find_str(s, str_of(text)) < s.n, __FILE__, __LINE__, text);
}

#define HELLO(offers) "> 220 mx\n< EHLO me.test\n> 250-mx\n" offers "> 250 HELP\n"
#define SIMPLE        HELLO("")
#define PIPE          HELLO("> 250-PIPELINING\n")
#define ENVELOPE2     "< MAIL FROM:<me@example.test>\n< RCPT TO:<a@far.test>\n< RCPT TO:<b@far.test>\n"
#define MAIL_OK       "< MAIL\n> 250 ok\n"
#define A_OK          "< RCPT TO:<a@far.test>\n> 250 ok\n"
#define ONE           MAIL_OK A_OK "< DATA\n> 354 go\n.\n> 250 ok\n"
#define B_OK          "< RCPT TO:<b@far.test>\n> 250 ok\n"

struct row {
	const char *script, *want;
};
static inline void rows(const struct row *row, size_t n, unsigned rcpt, unsigned times)
{
	for (size_t i = 0; i < n; i++) {
		set_mail(rcpt);
		check_run(row[i].script, times, row[i].want);
	}
}

static inline void script_open(void)
{
	(void)rig_keeper;
	rig_open(serve);
	peer.got = buf_new(4 << 20);
	body = S("x\r\n");
	conf = (struct client_conf){ .name = S("me.test"), .times = client_times_default() };
	conf.times.quit = 100;
}

static inline void script_close(void)
{
	buf_free(&peer.got);
	rig_close();
}

#endif
