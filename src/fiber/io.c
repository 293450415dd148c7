/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "fiber/io_priv.h"

enum {
	BURST = 256 * 1024, /* octets: then the others get their turn */
	FORMAT_MAX = 4096,
	POOL_MAX = 64, /* buffers kept for the next connection that wakes */
};

static _Thread_local struct {
	char *free[POOL_MAX];
	unsigned n;
} pool;

char *io_buffer_get(void)
{
	if (pool.n)
		return pool.free[--pool.n];
	char *p = malloc(IO_BUFFER);

	return p ? p : mem_new(IO_BUFFER); /* which says why the process ends */
}

void io_buffer_put(char **p)
{
#ifdef CONTEXT_ASAN
	free(*p); /* views that outlive their buffer shall be found */
#else
	if (*p && pool.n < POOL_MAX)
		pool.free[pool.n++] = *p;
	else
		free(*p);
#endif
	*p = NULL;
}

static size_t held(const struct io *io)
{
	return io->in_end - io->in_off;
}

enum err io_try_recv(struct io *io, char *p, size_t n, size_t *done)
{
	ssize_t got;

	do
		got = recv(io->fd, p, n, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		*done = (size_t)got;
		return OK;
	}
	io->want = FD_READ;
	return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) ? E_CLOSED : E_AGAIN;
}

enum err io_try_send(struct io *io, const char *p, size_t n, size_t *done)
{
	ssize_t put;

	do
		put = send(io->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	if (put >= 0) {
		*done = (size_t)put;
		return OK;
	}
	io->want = FD_WRITE;
	return errno != EAGAIN && errno != EWOULDBLOCK ? E_CLOSED : E_AGAIN;
}

enum err io_try_read(struct io *io, char *p, size_t n, size_t *done)
{
	return io->ssl ? tls_try_read(io, p, n, done) : io_try_recv(io, p, n, done);
}

enum err io_try_write(struct io *io, const char *p, size_t n, size_t *done)
{
	return io->ssl ? tls_try_write(io, p, n, done) : io_try_send(io, p, n, done);
}

void io_give_way(struct io *io, size_t moved)
{
	io->burst += moved;
	if (io->burst < BURST)
		return;
	io->burst = 0;
	fiber_yield();
}

/* --- writing --- */

/* Sends all of p, or sets io->stuck. */
static void send_all(struct io *io, const char *p, size_t n)
{
	while (n && !io->stuck) {
		size_t done = 0;
		enum err e = fiber_canceled() ? E_CANCELED : io_try_write(io, p, n, &done);

		if (e == E_AGAIN) {
			io->burst = 0;
			e = fiber_wait_fd(io->fd, io->want, io->deadline);
		}
		if (e)
			io->stuck = e;
		p += done;
		n -= done;
		if (!e)
			io_give_way(io, done);
	}
}

enum err io_flush(struct io *io)
{
	if (io->out_n)
		send_all(io, io->out, io->out_n);
	io->out_n = 0;
	return io->stuck;
}

void io_put(struct io *io, struct str s)
{
	while (s.n && !io->stuck) {
		/* What would fill the buffer alone needs no copy. */
		if (io->out_n == 0 && s.n >= IO_BUFFER) {
			send_all(io, s.p, s.n);
			return;
		}
		if (!io->out)
			io->out = io_buffer_get();
		struct str part = str_part(s, 0, IO_BUFFER - io->out_n);

		memcpy(io->out + io->out_n, part.p, part.n);
		io->out_n += part.n;
		s = str_from(s, part.n);
		if (io->out_n == IO_BUFFER && io_flush(io))
			return;
	}
}

void io_fmt(struct io *io, const char *fmt, ...)
{
	va_list args;

	if (io->stuck)
		return;
	if (IO_BUFFER - io->out_n <= FORMAT_MAX && io_flush(io))
		return;
	if (!io->out)
		io->out = io_buffer_get();
	va_start(args, fmt);
	int n = vsnprintf(io->out + io->out_n, FORMAT_MAX + 1, fmt, args);
	va_end(args);
	BUG_IF(n < 0 || n > FORMAT_MAX);
	io->out_n += (size_t)n;
}

enum err io_failed(const struct io *io)
{
	return io->stuck;
}

/* --- reading --- */

enum err io_await(struct io *io, struct signal *other, uint64_t seen)
{
	if (held(io) == 0)
		io_buffer_put(&io->in);
	if (io->out_n == 0)
		io_buffer_put(&io->out);
	io->burst = 0;
	if (other && other->count != seen)
		return E_AGAIN;
	return fiber_park(&(struct want){ .why = "the peer",
					  .fd = io->fd,
					  .what = io->want,
					  .signal = other,
					  .deadline = io->deadline });
}

/* One look at the socket; the read that would wait first sends what is owed. */
static enum err read_some(struct io *io, char *p, size_t n, size_t *done)
{
	if (fiber_canceled())
		return E_CANCELED;
	enum err e = io_try_read(io, p, n, done);

	if (e == OK)
		io_give_way(io, *done);
	if (e != E_AGAIN)
		return e;
	unsigned want = io->want;

	e = io_flush(io);
	io->want = want;
	return e ? e : E_AGAIN;
}

/* Reads into the free end of the buffer, which must have one; waits if it must. */
static enum err fill(struct io *io)
{
	for (;;) {
		size_t done;

		if (!io->in)
			io->in = io_buffer_get();
		if (held(io) == 0)
			io->in_off = io->in_end = 0;
		enum err e = read_some(io, io->in + io->in_end, IO_BUFFER - io->in_end, &done);

		if (e == OK) {
			io->in_end += done;
			return OK;
		}
		if (e == E_AGAIN)
			e = io_await(io, NULL, 0);
		if (e)
			return e;
	}
}

static void compact(struct io *io)
{
	size_t n = held(io);

	if (io->in_off && n)
		memmove(io->in, io->in + io->in_off, n);
	io->in_off = 0;
	io->in_end = n;
}

/* Octets of what is held up to and with the end of the line, seen octets were searched before;
 * *eol is the length of the line end. 0: no end yet. */
static size_t line_length(const struct io *io, size_t seen, size_t *eol)
{
	const char *p = io->in + io->in_off, *end = io->in + io->in_end;

	for (const char *at = p + seen; at < end; at++) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			return 0;
		bool cr = at > p && at[-1] == '\r';

		if (!cr && io->strict_crlf)
			continue;
		*eol = cr ? 2 : 1;
		return (size_t)(at - p) + 1;
	}
	return 0;
}

/* Moves what is held over to where long lines are put together, but for a CR at its end: the
 * LF may follow. */
static void spill(struct io *io, struct buf *longer)
{
	size_t n = held(io);

	if (n && io->in[io->in_end - 1] == '\r')
		n--;
	buf_put(longer, STR(io->in + io->in_off, n));
	io->in_off += n;
	compact(io);
}

static enum err get_line(struct io *io, struct arena *a, size_t max, struct buf *longer,
			 struct str *out)
{
	size_t seen = 0, n = 0, eol = 0;

	while (!io->in || (n = line_length(io, seen, &eol)) == 0) {
		seen = held(io);
		if (io->in_end == IO_BUFFER)
			compact(io);
		if (seen > max + 1 || seen == IO_BUFFER) {
			spill(io, longer);
			seen = held(io);
		}
		if (longer->full)
			longer->n = 0;
		enum err e = fill(io);

		if (e)
			return e;
	}
	struct str last = STR(io->in + io->in_off, n - eol);

	io->in_off += n;
	if (longer->full || longer->n + last.n > max)
		return E_LIMIT;
	char *line = arena_alloc(a, longer->n + last.n);

	if (longer->n)
		memcpy(line, longer->p, longer->n);
	if (last.n)
		memcpy(line + longer->n, last.p, last.n);
	*out = STR(line, longer->n + last.n);
	return OK;
}

enum err io_line(struct io *io, struct arena *a, size_t max, struct str *out)
{
	struct buf longer = buf_new(max);
	enum err e = io->stuck ? io->stuck : get_line(io, a, max, &longer, out);

	buf_free(&longer);
	return e;
}

/* Up to n octets of what is held. */
static struct str pick(struct io *io, size_t n)
{
	struct str s = str_part(STR(io->in + io->in_off, held(io)), 0, n);

	io->in_off += s.n;
	return s;
}

enum err io_take(struct io *io, struct arena *a, size_t n, struct str *out)
{
	char *p = arena_alloc(a, n);
	size_t have = 0;

	if (io->stuck)
		return io->stuck;
	if (held(io)) {
		struct str s = pick(io, n);

		memcpy(p, s.p, s.n);
		have = s.n;
	}
	/* The rest goes where it shall lie; never an octet more is read. */
	while (have < n) {
		size_t done = 0;
		enum err e = read_some(io, p + have, n - have, &done);

		if (e == E_AGAIN)
			e = io_await(io, NULL, 0);
		if (e)
			return e;
		have += done;
	}
	*out = STR(p, n);
	return OK;
}

enum err io_some(struct io *io, size_t max, struct str *out)
{
	enum err e = io->stuck;

	if (!e && held(io) == 0)
		e = fill(io);
	if (!e)
		*out = pick(io, max);
	return e;
}

enum err io_skip(struct io *io, uint64_t n)
{
	struct str s;

	while (n) {
		enum err e = io_some(io, n < IO_BUFFER ? (size_t)n : IO_BUFFER, &s);

		if (e)
			return e;
		n -= s.n;
	}
	return io->stuck;
}

bool io_buffered(const struct io *io)
{
	return held(io) || tls_holds(io);
}

enum err io_look(struct io *io)
{
	size_t done;

	if (io->stuck)
		return io->stuck;
	if (held(io))
		return OK;
	if (!io->in)
		io->in = io_buffer_get();
	io->in_off = io->in_end = 0;
	enum err e = io_try_read(io, io->in, IO_BUFFER, &done);

	if (e)
		io_buffer_put(&io->in);
	else
		io->in_end = done;
	return e;
}

enum err io_wait(struct io *io, struct signal *other, uint64_t seen)
{
	bool trimmed = false;

	for (;;) {
		size_t done;

		if (io->stuck)
			return io->stuck;
		if (fiber_canceled())
			return E_CANCELED;
		if (held(io))
			return OK;
		if (!io->in)
			io->in = io_buffer_get();
		io->in_off = io->in_end = 0;
		enum err e = read_some(io, io->in, IO_BUFFER, &done);

		if (e == OK) {
			io->in_end = done;
			return OK;
		}
		if (e == E_AGAIN) {
			if (!trimmed)
				fiber_trim_stack();
			trimmed = true;
			e = io_await(io, other, seen);
		}
		if (e)
			return e;
	}
}

void io_strict_crlf(struct io *io, bool on)
{
	io->strict_crlf = on;
}

void io_deadline(struct io *io, int64_t deadline)
{
	io->deadline = deadline;
}
