/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ipc/ipc.h"

enum { ECHO = 1, FAIL, OPEN, READ_FD, SLOW, BLOB, BACK };

/* A process as the tests need it: it serves, and may call back. */
struct side {
	struct peer *peer;
	struct arena *arena;
	unsigned served, canceled;
};

static enum err serve_echo(struct message *m, struct buf *out)
{
	struct str s = scan_blob(&m->in);

	if (!scan_end(&m->in))
		return E_SYNTAX;
	buf_blob(out, s);
	return OK;
}

static enum err serve_open(int *out_fd)
{
	int ends[2];

	CHECK_NUM(pipe2(ends, O_CLOEXEC), 0);
	CHECK_NUM(write(ends[1], "piped", 5), 5);
	close(ends[1]);
	*out_fd = ends[0];
	return OK;
}

static enum err serve_read_fd(struct message *m, struct buf *out)
{
	char text[16];
	ssize_t n = m->fd >= 0 ? read(m->fd, text, sizeof text) : -1;

	if (m->fd >= 0)
		close(m->fd);
	if (n < 0)
		return E_NOTFOUND;
	buf_put(out, STR(text, (size_t)n));
	return OK;
}

static enum err serve(void *arg, struct message *m, struct arena *a, struct buf *out, int *out_fd)
{
	struct side *s = arg;
	struct message back;
	enum err e;

	s->served++;
	switch (m->type) {
	case ECHO: return serve_echo(m, out);
	case OPEN: return serve_open(out_fd);
	case READ_FD: return serve_read_fd(m, out);
	case SLOW:
		e = fiber_sleep(clock_in(30 * 1000));
		s->canceled += e == E_CANCELED;
		return e;
	case BLOB:
		for (uint32_t n = scan_u32(&m->in); n; n--)
			buf_c(out, 'x');
		return OK;
	case BACK:
		e = ipc_call(s->peer, ECHO, m->in.rest, -1, clock_in(5000), a, &back);
		if (!e)
			buf_put(out, back.in.rest);
		return e;
	default: return E_NOTFOUND;
	}
}

static void connect_sides(struct side *a, struct side *b)
{
	int fds[2];

	CHECK_NUM(ipc_pair(fds), OK);
	*a = (struct side){ .arena = arena_new(64 * 1024 * 1024) };
	*b = (struct side){ .arena = arena_new(64 * 1024 * 1024) };
	a->peer = peer_new(fds[0], (struct ipc_service){ serve, a });
	b->peer = peer_new(fds[1], (struct ipc_service){ serve, b });
}

static void close_sides(struct side *a, struct side *b)
{
	peer_close(&a->peer);
	peer_close(&b->peer);
	arena_free(&a->arena);
	arena_free(&b->arena);
}

static struct str blob(struct arena *a, struct str s)
{
	struct buf b = buf_new(IPC_MAX);

	buf_blob(&b, s);
	struct str copy = str_dup(a, buf_str(&b));

	buf_free(&b);
	return copy;
}

static enum err call(struct side *s, uint32_t type, struct str fields, struct message *m)
{
	return ipc_call(s->peer, type, fields, -1, clock_in(5000), s->arena, m);
}

static void both_ways(void)
{
	struct side a, b;
	struct message m;

	connect_sides(&a, &b);
	CHECK_NUM(call(&a, ECHO, blob(a.arena, S("to b")), &m), OK);
	CHECK_NUM(m.type, ECHO);
	CHECK_NUM(m.fd, -1);
	CHECK_STR(scan_blob(&m.in), "to b");
	CHECK(scan_end(&m.in));
	CHECK_NUM(call(&b, ECHO, blob(b.arena, S("to a")), &m), OK);
	CHECK_STR(scan_blob(&m.in), "to a");
	CHECK_NUM(call(&a, ECHO, S("not a blob"), &m), E_SYNTAX);
	CHECK_NUM(call(&a, FAIL, S_NONE, &m), E_NOTFOUND);
	CHECK_NUM(call(&a, BACK, blob(a.arena, S("and back")), &m), OK);
	CHECK_STR(scan_blob(&m.in), "and back");
	close_sides(&a, &b);
}

static void descriptors(void)
{
	struct side a, b;
	struct message m;
	char text[16] = "";
	int ends[2];

	connect_sides(&a, &b);
	CHECK_NUM(call(&a, OPEN, S_NONE, &m), OK);
	CHECK(m.fd >= 0);
	CHECK_NUM(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	CHECK_NUM(read(m.fd, text, sizeof text), 5);
	CHECK_STR(STR(text, 5), "piped");
	close(m.fd);

	CHECK_NUM(pipe2(ends, O_CLOEXEC), 0);
	CHECK_NUM(write(ends[1], "mine", 4), 4);
	CHECK_NUM(ipc_call(a.peer, READ_FD, S_NONE, ends[0], clock_in(5000), a.arena, &m), OK);
	CHECK_STR(m.in.rest, "mine");
	CHECK(fcntl(ends[0], F_GETFD) >= 0); /* the caller keeps its copy */
	close(ends[0]);
	close(ends[1]);
	CHECK_NUM(call(&a, READ_FD, S_NONE, &m), E_NOTFOUND);
	close_sides(&a, &b);
}

static void large(void)
{
	struct side a, b;
	struct message m;
	char *text = mem_new(IPC_MAX);
	uint32_t n = IPC_MAX;

	memset(text, 'y', IPC_MAX);
	connect_sides(&a, &b);
	CHECK_NUM(call(&a, ECHO, blob(a.arena, STR(text, IPC_MAX - 4)), &m), OK);
	CHECK_NUM(scan_blob(&m.in).n, IPC_MAX - 4);
	CHECK_NUM(call(&a, BLOB, STR((char *)&n, sizeof n), &m), OK);
	CHECK_NUM(m.in.rest.n, IPC_MAX);
	close_sides(&a, &b);
	free(text);
}

struct many {
	struct side *side;
	unsigned done, failed;
};

static void call_once(void *arg)
{
	struct many *w = arg;
	struct arena *a = arena_new(2 * IPC_MAX);
	char *text = mem_new(64 * 1024);
	struct message m;
	enum err e = ipc_call(w->side->peer, ECHO, blob(a, STR(text, 64 * 1024)), -1,
			      clock_in(20000), a, &m);

	if (e || scan_blob(&m.in).n != 64 * 1024)
		w->failed++;
	w->done++;
	free(text);
	arena_free(&a);
}

/* More than a socket holds, and more than are served at once. */
static void many_at_once(void)
{
	struct side a, b;
	struct many w = { .side = &a };
	struct group *g = group_new();

	connect_sides(&a, &b);
	for (int i = 0; i < 1500; i++)
		CHECK_NUM(group_spawn(g, "caller", call_once, &w), OK);
	CHECK_NUM(group_wait(g, clock_in(30000)), OK);
	CHECK_NUM(w.done, 1500);
	CHECK_NUM(w.failed, 0);
	CHECK_NUM(b.served, 1500);
	group_close(&g);
	close_sides(&a, &b);
}

struct waiting {
	struct side *side;
	enum err got;
	bool ended;
};

static void wait_slow(void *arg)
{
	struct waiting *w = arg;
	struct message m;

	w->got = ipc_call(w->side->peer, SLOW, S_NONE, -1, clock_in(20000), w->side->arena, &m);
	w->ended = true;
}

static void until_served(const struct side *s)
{
	for (int i = 0; i < 5000 && !s->served; i++)
		CHECK_NUM(fiber_sleep(clock_in(1)), OK);
}

static void deaths(void)
{
	struct side a, b;
	struct waiting w = { .side = &a };
	struct group *g = group_new();
	struct message m;

	connect_sides(&a, &b);
	CHECK_NUM(group_spawn(g, "slow", wait_slow, &w), OK);
	until_served(&b);
	CHECK(!w.ended);
	CHECK_NUM(b.served, 1);
	uint64_t seen = peer_signal(a.peer)->count;
	peer_close(&b.peer);
	CHECK_NUM(b.canceled, 1);
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK_NUM(w.got, E_CLOSED);
	CHECK_NUM(signal_wait(peer_signal(a.peer), seen, clock_in(1000)), OK);
	CHECK(peer_gone(a.peer));
	CHECK_NUM(call(&a, ECHO, S_NONE, &m), E_CLOSED);
	close_sides(&a, &b);

	/* The caller's own end is closed under it. */
	connect_sides(&a, &b);
	w = (struct waiting){ .side = &a };
	CHECK_NUM(group_spawn(g, "slow", wait_slow, &w), OK);
	until_served(&b);
	peer_close(&a.peer);
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK_NUM(w.got, E_CLOSED);
	close_sides(&a, &b);

	/* The caller is canceled, or waits no longer; later answers find nobody. */
	connect_sides(&a, &b);
	w = (struct waiting){ .side = &a };
	CHECK_NUM(group_spawn(g, "slow", wait_slow, &w), OK);
	until_served(&b);
	group_close(&g);
	CHECK_NUM(w.got, E_CANCELED);
	CHECK_NUM(ipc_call(a.peer, SLOW, S_NONE, -1, clock_in(20), a.arena, &m), E_TIMEOUT);
	CHECK_NUM(call(&a, ECHO, blob(a.arena, S("x")), &m), OK);
	close_sides(&a, &b);
}

/* A peer that does not read: the caller's deadline holds while the socket is full. */
static void stuck(void)
{
	int fds[2];
	struct message m;
	struct arena *a = arena_new(16 * 1024 * 1024);
	char *text = mem_new(IPC_MAX);
	enum err e = OK;

	CHECK_NUM(ipc_pair(fds), OK);
	struct peer *p = peer_new(fds[0], (struct ipc_service){ 0 });

	for (int i = 0; i < 8; i++) {
		e = ipc_call(p, ECHO, STR(text, IPC_MAX), -1, clock_in(10), a, &m);
		CHECK_NUM(e, E_TIMEOUT);
	}
	CHECK(!peer_gone(p));
	peer_close(&p);
	close(fds[1]);
	arena_free(&a);
	free(text);
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

static void malformed(void)
{
	static const struct {
		const char *p;
		size_t n;
	} table[] = {
		{ "x", 1 },
		{ "\x03\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0", 16 },     /* kind */
		{ "\x01\2\0\0\1\0\0\0\1\0\0\0\0\0\0\0", 16 },     /* descriptor mark */
		{ "\x02\0\xff\xff\1\0\0\0\1\0\0\0\0\0\0\0", 16 }, /* error */
		{ "\x01\0\0\0\1\0\0\0\1\0\0\0\0\0\0", 15 },       /* short */
	};

	log_capture(quiet, NULL);
	for (size_t i = 0; i < LENGTH(table); i++) {
		int fds[2];

		CHECK_NUM(ipc_pair(fds), OK);
		struct peer *p = peer_new(fds[0], (struct ipc_service){ 0 });

		CHECK_NUM(send(fds[1], table[i].p, table[i].n, 0), table[i].n);
		CHECK_NUM(signal_wait(peer_signal(p), 0, clock_in(1000)), OK);
		CHECK(peer_gone(p));
		peer_close(&p);
		close(fds[1]);
	}
	log_capture(NULL, NULL);
}

static void loop_for_guests(void *arg)
{
	struct side *s = arg;

	ipc_accept_loop((int)s->served, (struct ipc_service){ serve, s });
}

static void named(void)
{
	char dir[] = "/tmp/ipc-test-XXXXXX";
	struct side host = { 0 };
	struct arena *a = arena_new(1024 * 1024);
	struct group *g = group_new();
	struct peer *p, *q;
	struct message m;
	struct stat st;
	int fd;

	CHECK(mkdtemp(dir) != NULL);
	struct str path = str_fmt(a, "%s/ctl", dir);

	CHECK_NUM(ipc_connect(path, clock_in(100), &p), E_CLOSED);
	CHECK_NUM(ipc_listen(path, &fd), OK);
	close(fd);
	CHECK_NUM(ipc_listen(path, &fd), OK); /* replaces the old one */
	CHECK_NUM(stat(str_c(a, path), &st), 0);
	CHECK_NUM(st.st_mode & 0777, 0600);
	host.served = (unsigned)fd;
	CHECK_NUM(group_spawn(g, "guests", loop_for_guests, &host), OK);
	CHECK_NUM(ipc_connect(path, clock_in(1000), &p), OK);
	CHECK_NUM(ipc_connect(path, clock_in(1000), &q), OK);
	CHECK_NUM(ipc_call(p, ECHO, blob(a, S("1")), -1, clock_in(1000), a, &m), OK);
	CHECK_NUM(ipc_call(q, ECHO, blob(a, S("2")), -1, clock_in(1000), a, &m), OK);
	CHECK_STR(scan_blob(&m.in), "2");
	peer_close(&q);
	group_close(&g);
	CHECK_NUM(ipc_call(p, ECHO, blob(a, S("3")), -1, clock_in(1000), a, &m), E_CLOSED);
	peer_close(&p);
	close(fd);
	unlink(str_c(a, path));
	rmdir(dir);
	arena_free(&a);
}

static void run(void *arg)
{
	(void)arg;
	both_ways();
	descriptors();
	large();
	many_at_once();
	deaths();
	stuck();
	malformed();
	named();
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
