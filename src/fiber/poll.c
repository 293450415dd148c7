/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fiber/fiber_priv.h"

enum {
	EVENTS_AT_ONCE = 256,
	/* Where the clock is a test's, real time only sets how soon a step of it is noticed. */
	FAKE_CLOCK_MS = 1,
	/* The longest sleep: a clock that turns fake meanwhile is noticed that late. */
	SLEEP_MAX_MS = 10000,
};

void poll_start(struct loop *l)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.fd = -1 };

	if (l->event_fd <= 0)
		l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	BUG_IF(l->event_fd < 0 || l->epoll_fd < 0);
	/* Edge-triggered: every write is news, so the counter never needs to be read. */
	BUG_IF(epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->event_fd, &ev) != 0);
}

void poll_end(struct loop *l)
{
	close(l->epoll_fd);
	free(l->watches);
	free(l->timers.heap);
	l->watches = NULL;
	l->nwatches = 0;
	l->timers = (struct timers){ 0 };
}

struct watch *poll_watch(struct loop *l, int fd)
{
	size_t i = (size_t)fd;

	BUG_IF(fd < 0);
	if (i >= l->nwatches) {
		size_t n = l->nwatches ? l->nwatches : 64;

		while (n <= i)
			n *= 2;
		l->watches = mem_grow(l->watches, l->nwatches * sizeof *l->watches,
				      n * sizeof *l->watches);
		l->nwatches = n;
	}
	struct watch *w = &l->watches[i];

	if (w->state == UNWATCHED) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
					  .data.fd = fd };

		if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
			w->state = WATCHED;
		else if (errno == EPERM) /* a plain file: it never blocks */
			w->state = ALWAYS_READY;
		else
			BUG_IF(errno != ENOMEM && errno != ENOSPC);
	}
	return w;
}

void fd_forget(int fd)
{
	struct loop *l = loop_this();

	if (!l || fd < 0 || (size_t)fd >= l->nwatches)
		return;
	struct watch *w = &l->watches[fd];

	BUG_IF(w->reader || w->writer);
	/* Closing alone is not enough where another process has a copy of the descriptor. */
	if (w->state == WATCHED)
		(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*w = (struct watch){ 0 };
}

static void happened(struct loop *l, const struct epoll_event *ev)
{
	unsigned edges = 0;

	if (ev->data.fd < 0)
		return; /* posts: they are looked at after every poll */
	struct watch *w = &l->watches[ev->data.fd];

	if (ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		edges |= FD_READ;
	if (ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		edges |= FD_WRITE;
	w->edges = (unsigned char)(w->edges | edges);
	if (w->reader && (edges & FD_READ)) {
		w->edges &= (unsigned char)~FD_READ;
		fiber_wake(w->reader, OK);
	}
	if (w->writer && (edges & FD_WRITE)) {
		w->edges &= (unsigned char)~FD_WRITE;
		fiber_wake(w->writer, OK);
	}
}

static int64_t true_ms(void)
{
	struct timespec t;

	BUG_IF(clock_gettime(CLOCK_MONOTONIC, &t) != 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int sleep_ms(const struct loop *l)
{
	const struct fiber *first = timer_first(&l->timers);

	if (!first)
		return -1;
	int64_t before = true_ms(), now = clock_ms(), after = true_ms();

	if (first->deadline <= now)
		return 0;
	if (now < before || now > after)
		return FAKE_CLOCK_MS;
	return first->deadline - now < SLEEP_MAX_MS ? (int)(first->deadline - now) : SLEEP_MAX_MS;
}

static void expire(struct loop *l)
{
	struct fiber *f = timer_first(&l->timers);

	if (!f)
		return;
	for (int64_t now = clock_ms(); f && f->deadline <= now; f = timer_first(&l->timers))
		fiber_wake(f, E_TIMEOUT);
}

void poll_posts(struct loop *l)
{
	struct wake *newest = atomic_exchange(&l->posted, NULL), *oldest = NULL;

	while (newest) {
		struct wake *w = newest;

		newest = w->next;
		w->next = oldest;
		oldest = w;
	}
	while (oldest) {
		struct wake *w = oldest;

		oldest = w->next;
		wake_arrived(w); /* w may be gone behind this */
	}
}

int64_t poll_tick(void)
{
	struct timespec t;

	BUG_IF(clock_gettime(CLOCK_MONOTONIC_COARSE, &t) != 0);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void poll_once(struct loop *l, bool wait)
{
	static _Thread_local struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(l->epoll_fd, events, EVENTS_AT_ONCE, wait ? sleep_ms(l) : 0);

	BUG_IF(n < 0 && errno != EINTR);
	l->polled = poll_tick();
	for (int i = 0; i < n; i++)
		happened(l, &events[i]);
	poll_posts(l);
	expire(l);
}
