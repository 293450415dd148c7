/* SPDX-License-Identifier: ISC */
/*
 * ctl/acme_here.c - does a name lead to this machine? The authority will ask for a file under
 * each name (RFC 8555 8.3); here it is tried before, so that one name that leads elsewhere costs
 * the others nothing, and the operator reads which one and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/acme.h"

enum { ANSWER_MS = 5000, ANSWER_MAX = 8192, ADDRESSES_MAX = 8, SECRET = 16 };

enum answer { NOBODY, OTHER, WE };

struct asked {
	struct str name, path, secret;
	struct arena *a;
};

static bool ready(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - clock_ms();

	return left > 0 && poll(&p, 1, (int)left) == 1;
}

static bool dial(int fd, const struct addrinfo *to, int64_t deadline)
{
	int failed = 0;
	socklen_t n = sizeof failed;

	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return true;
	return errno == EINPROGRESS && ready(fd, POLLOUT, deadline) &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) == 0 && !failed;
}

/* One request, and as much of the answer as the secret needs. */
static enum answer talk(int fd, const struct asked *q, int64_t deadline)
{
	struct str request = str_fmt(q->a,
				     "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: tecsmail\r\n"
				     "Connection: close\r\n\r\n",
				     FMT(q->path), FMT(q->name));
	char *text = arena_alloc(q->a, ANSWER_MAX);
	size_t n = 0;
	ssize_t got;

	if (send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		return NOBODY;
	while (n < ANSWER_MAX && ready(fd, POLLIN, deadline)) {
		if ((got = recv(fd, text + n, ANSWER_MAX - n, 0)) <= 0)
			break;
		n += (size_t)got;
		if (str_find_str(STR(text, n), q->secret) < n)
			return WE;
	}
	return n ? OTHER : NOBODY;
}

static enum answer ask(const struct asked *q, const struct addrinfo *to)
{
	int64_t deadline = clock_in(ANSWER_MS);
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum answer answer = NOBODY;

	if (fd < 0)
		return NOBODY;
	if (dial(fd, to, deadline))
		answer = talk(fd, q, deadline);
	close(fd);
	return answer;
}

/* Whoever answers at any address must be we: the authority takes the one that it likes best. */
static struct str try_all(const struct asked *q, unsigned port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct str silent = S_NONE, why = S_NONE;
	char service[16], text[64];
	bool here = false;
	unsigned n = 0;

	snprintf(service, sizeof service, "%u", port);
	int rc = getaddrinfo(str_c(q->a, q->name), service, &hints, &found);
	if (rc)
		return str_fmt(q->a, "it has no address (%s)", gai_strerror(rc));
	for (struct addrinfo *to = found; to && n < ADDRESSES_MAX && !why.n;
	     to = to->ai_next, n++) {
		if (getnameinfo(to->ai_addr, to->ai_addrlen, text, sizeof text, NULL, 0,
				NI_NUMERICHOST))
			continue;
		enum answer answer = ask(q, to);
		here |= answer == WE;
		if (answer == OTHER)
			why = str_fmt(q->a, "another server answers at %s, port %u", text, port);
		else if (answer == NOBODY && !silent.n)
			silent = str_fmt(q->a, "nobody answers at %s, port %u", text, port);
	}
	freeaddrinfo(found);
	return why.n ? why : here ? S("") : silent.n ? silent : S("it has no address");
}

static bool put_secret(const char *path, struct str secret)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool good = fd >= 0 && write(fd, secret.p, secret.n) == (ssize_t)secret.n &&
		    fchmod(fd, 0644) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static struct str random_word(struct arena *a)
{
	unsigned char random[SECRET];
	char *text = arena_alloc(a, 2 * SECRET + 1);

	randombytes_buf(random, sizeof random);
	return str_of(sodium_bin2hex(text, 2 * SECRET + 1, random, sizeof random));
}

struct str acme_here(struct str name, unsigned port, struct str folder, struct arena *a)
{
	struct str file = str_fmt(a, "/.well-known/acme-challenge/%.*s", FMT(random_word(a)));
	/* Not the file's name: a page that says what it did not find is no proof. */
	struct asked q = { name, file, random_word(a), a };
	const char *path = str_c(a, str_fmt(a, "%.*s%.*s", FMT(folder), FMT(file)));
	struct str why = put_secret(path, q.secret)
				 ? try_all(&q, port)
				 : str_fmt(a, "%s cannot be written: %s", path, strerror(errno));

	(void)unlink(path);
	return why;
}
