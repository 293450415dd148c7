/* SPDX-License-Identifier: ISC */
#ifndef IMAP_DIALOG_TEST_H
#define IMAP_DIALOG_TEST_H
/*
 * dialog_test.h - clients for the tests of sessions: the real server on socket pairs, a store in
 * memory, and a keeper that knows alice and bob with the password "secret".
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "check.h"
#include "box/box.h"
#include "fiber/io.h"
#include "imap/imap.h"
#include "base/buf.h"
#include "keeper/keeper.h"
#include "store/store.h"

enum { ANSWER_MAX = 64 << 20 };

static struct imap_conf conf;
static struct imap_server server = { .conf = &conf };
static struct group *sessions;
static unsigned cleartexts; /* passwords that came in clear */
static enum err keeper_says;
static enum err append_says;
static const char *notice, *refused; /* NULL: none */
static uint64_t quota;
static char login_ip[64]; /* of the last login */
static char program[80];  /* what called itself, at the last login or behind it */

void keeper_program(struct keeper *k, uint32_t account, const struct login_try *t)
{
	(void)k;
	CHECK_NUM(account, 1);
	snprintf(program, sizeof program, "later: %.*s", FMT(t->program));
}

enum err keeper_login(struct keeper *k, const struct login_try *t, struct arena *a,
		      struct login *out)
{
	(void)k;
	snprintf(login_ip, sizeof login_ip, "%.*s", FMT(t->ip));
	snprintf(program, sizeof program, "%.*s", FMT(t->program));
	out->closed = S("closed until 14:35: 5 wrong passwords");
	if (keeper_says)
		return keeper_says;
	bool alice = str_is(t->user, "alice"), bob = str_is(t->user, "bob");

	if ((!alice && !bob) || !str_is(t->password, "secret"))
		return E_DENIED;
	*out = (struct login){ .refused = str_of(refused) };
	if (refused)
		return E_DENIED;
	*out = (struct login){ .account = alice ? 1 : 2,
			       .address = str_fmt(a, "%.*s@example.test", FMT(t->user)),
			       .quota = quota,
			       .notice = str_of(notice) };
	return OK;
}

enum err keeper_may_append(struct keeper *k, uint32_t account, uint64_t *may_keep)
{
	(void)k, (void)account;
	*may_keep = quota;
	return append_says;
}

void keeper_cleartext(struct keeper *k, struct str user, struct str ip, const char *proto)
{
	(void)k;
	(void)user;
	(void)ip;
	(void)proto;
	cleartexts++;
}

struct client {
	struct io *io;
	struct arena *a;
	struct buf heard; /* the last answer */
	unsigned tag;
	int fd;
};

static inline void serve(void *arg)
{
	struct io *io = arg;

	imap_serve(&server, io);
	io_close(&io);
}

static inline bool hear_line(struct client *c)
{
	struct str line;

	for (;;) {
		if (io_line(c->io, c->a, 16 << 20, &line))
			return false;
		buf_put(&c->heard, line);
		buf_put(&c->heard, S("\r\n"));
		size_t open = str_rfind(line, '{');
		struct scan in = scan(str_from(line, open));

		scan_lit(&in, "{");
		uint64_t n = scan_num(&in, ANSWER_MAX);

		scan_lit(&in, "}");
		if (!scan_end(&in))
			return true;
		struct str octets;

		if (io_take(c->io, c->a, (size_t)n, &octets))
			return false;
		buf_put(&c->heard, octets);
	}
}

/* One response, with its literals, CRLF at the end. Empty: the server has gone. */
static inline struct str hear(struct client *c)
{
	buf_clear(&c->heard);
	arena_reset(c->a);
	hear_line(c);
	return buf_str(&c->heard);
}

static inline void say(struct client *c, const char *octets)
{
	io_put(c->io, str_of(octets));
	CHECK(io_flush(c->io) == OK);
}

/* Hears up to the reply of this tag, or the end. */
static inline struct str hear_reply(struct client *c, const char *tag)
{
	struct str head = str_fmt(c->a, "%s ", tag);
	char mark[64];

	snprintf(mark, sizeof mark, "%.*s", FMT(head));
	buf_clear(&c->heard);
	for (;;) {
		size_t at = c->heard.n;

		arena_reset(c->a);
		if (!hear_line(c) || str_starts(str_from(buf_str(&c->heard), at), str_of(mark)))
			return buf_str(&c->heard);
	}
}

/* Sends a command (tag and CRLF are added) and gives all of the answer, the tag as "T". */
static inline struct str ask(struct client *c, const char *command)
{
	char tag[16];

	snprintf(tag, sizeof tag, "t%u", ++c->tag);
	io_put(c->io, str_of(tag));
	io_put(c->io, S(" "));
	io_put(c->io, str_of(command));
	io_put(c->io, S("\r\n"));
	CHECK(io_flush(c->io) == OK);
	struct str all = hear_reply(c, tag);
	size_t at = str_find_str(all, str_fmt(c->a, "%s ", tag));

	/* The tag of the reply, which is the last line. */
	while (at < all.n) {
		size_t next = str_find_str(str_from(all, at + 1), str_fmt(c->a, "\n%s ", tag));

		if (at + 1 + next >= all.n)
			break;
		at += next + 2;
	}
	if (at >= all.n)
		return all;
	struct str reply = str_dup(c->a, str_from(all, at + str_of(tag).n));

	c->heard.n = at;
	buf_put(&c->heard, S("T"));
	buf_put(&c->heard, reply);
	return buf_str(&c->heard);
}

static inline bool has(struct str s, const char *what)
{
	if (str_find_str(s, str_of(what)) < s.n)
		return true;
	fprintf(stderr, "not in it: %s\n--- it is:\n%.*s---\n", what, FMT(s));
	return false;
}

static inline bool lacks(struct str s, const char *what)
{
	if (str_find_str(s, str_of(what)) >= s.n)
		return true;
	fprintf(stderr, "should not be in it: %s\n--- it is:\n%.*s---\n", what, FMT(s));
	return false;
}

#define ASK(c, command, want) CHECK_STR(ask((c), (command)), (want))

/* A connection on which TLS seems to be on; the greeting is heard. */
static inline struct client *connect_new(bool tls)
{
	int fd[2];
	struct client *c = NEW(struct client);
	struct io *far;

	BUG_IF(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
	c->io = io_new(fd[0]);
	c->fd = fd[0];
	far = io_new(fd[1]);
	io_set_peer(far, S("192.0.2.1"), 1234);
	if (tls)
		io_pretend_tls(far);
	c->a = arena_new(ANSWER_MAX);
	c->heard = buf_new(ANSWER_MAX);
	io_deadline(c->io, clock_in(30000));
	BUG_IF(group_spawn(sessions, "imap", serve, far));
	return c;
}

static inline struct client *client_new(const char *user)
{
	struct client *c = connect_new(true);
	char login[64];

	CHECK(has(hear(c), "* OK [CAPABILITY IMAP4rev1 "));
	if (user) {
		snprintf(login, sizeof login, "LOGIN %s secret", user);
		CHECK(has(ask(c, login), "T OK [CAPABILITY IMAP4rev1 "));
	}
	return c;
}

static inline void client_close(struct client **c)
{
	io_close(&(*c)->io);
	arena_free(&(*c)->a);
	buf_free(&(*c)->heard);
	free(*c);
	*c = NULL;
}

/* APPENDs a message; LF stands for CRLF. The UID, or 0. */
static inline uint32_t append(struct client *c, const char *mailbox, const char *flags,
			      const char *text)
{
	struct buf b = buf_new(ANSWER_MAX);

	for (const char *p = text; *p; p++) {
		if (*p == '\n')
			buf_c(&b, '\r');
		buf_c(&b, *p);
	}
	io_fmt(c->io, "app APPEND %s %s%s{%zu+}\r\n", mailbox, flags, *flags ? " " : "", b.n);
	io_put(c->io, buf_str(&b));
	io_put(c->io, S("\r\n"));
	buf_free(&b);
	CHECK(io_flush(c->io) == OK);
	struct str all = hear_reply(c, "app");
	size_t at = str_find_str(all, S("[APPENDUID "));
	struct scan in = scan(str_from(all, at));

	scan_lit(&in, "[APPENDUID ");
	scan_num(&in, UINT32_MAX);
	scan_lit(&in, " ");
	uint32_t uid = (uint32_t)scan_num(&in, UINT32_MAX);

	if (in.bad)
		fprintf(stderr, "%.*s", FMT(all));
	return in.bad ? 0 : uid;
}

struct dialogs {
	void (*tests)(void);
	const char *store;
};

static inline void dialogs(void *arg)
{
	struct dialogs *d = arg;
	struct arena *a = arena_new(1 << 20);
	struct str why;
	enum err e = store_open(str_of(d->store), a, &server.store, &why);

	BUG_IF(e);
	conf = IMAP_CONF_DEFAULT;
	conf.hostname = S("mail.example.test");
	conf.message_max = 1 << 20;
	sessions = group_new();
	d->tests();
	group_close(&sessions);
	store_close(&server.store);
	arena_free(&a);
}

/* Runs the tests in a loop with a store: in memory, or with the argument "lmdb" on the disk. */
static inline int dialog_main(void (*tests)(void), int argc, char **argv)
{
	struct dialogs d = { tests, "mem:" };
	char dir[] = "/tmp/imap-test-XXXXXX", where[64], remove[64];
	bool lmdb = argc > 1 && str_is(str_of(argv[1]), "lmdb");

	log_start("imap-test", LOG_ERROR);
	if (lmdb) {
		BUG_IF(!mkdtemp(dir));
		snprintf(where, sizeof where, "lmdb:%s", dir);
		snprintf(remove, sizeof remove, "rm -r %s", dir);
		d.store = where;
	}
	fiber_main(dialogs, &d);
	if (lmdb)
		CHECK(system(remove) == 0);
	return check_done();
}

#endif
