/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <signal.h>

#include "fiber/fiber_priv.h"

/* Fibers run between two looks at descriptors, timers and posts, if they are quick. */
enum { RUNS_PER_POLL = 64 };

static _Thread_local struct loop thread_loop;

/* All loops that run, for the debugger. */
struct loop *fiber_loops;
static pthread_mutex_t loops_lock = PTHREAD_MUTEX_INITIALIZER;

struct loop *loop_this(void)
{
	return thread_loop.ready_end ? &thread_loop : NULL;
}

struct fiber *fiber_this(void)
{
	BUG_IF(!thread_loop.running);
	return thread_loop.running;
}

struct fiber *fiber_self(void)
{
	return fiber_this();
}

static void make_ready(struct fiber *f)
{
	struct loop *l = f->loop;

	f->state = READY;
	f->next_ready = NULL;
	*l->ready_end = f;
	l->ready_end = &f->next_ready;
}

static void unlink_waits(struct fiber *f)
{
	struct loop *l = f->loop;

	timer_remove(&l->timers, f);
	if (f->fd >= 0) {
		struct watch *w = &l->watches[f->fd];

		if (w->reader == f)
			w->reader = NULL;
		if (w->writer == f)
			w->writer = NULL;
		f->fd = -1;
	}
	if (f->waiter.at) {
		*f->waiter.at = f->waiter.next;
		if (f->waiter.next)
			f->waiter.next->at = f->waiter.at;
		f->waiter.at = NULL;
	}
}

void fiber_wake(struct fiber *f, enum err why)
{
	if (f->state != PARKED)
		return;
	unlink_waits(f);
	f->woken_by = why;
	make_ready(f);
}

/* Gives the thread to the loop; returns when the loop runs this fiber again. */
static void suspend(struct fiber *f)
{
	f->log = log_current;
	context_switch(&f->context, &f->loop->context);
	f->state = RUNNING;
	f->waits_for = NULL;
	log_current = f->log;
}

static void link_signal(struct fiber *f, struct signal *s)
{
	struct waiter *w = &f->waiter;

	w->fiber = f;
	w->next = s->waiters;
	w->at = &s->waiters;
	if (w->next)
		w->next->at = &w->next;
	s->waiters = w;
}

static void link_fd(struct fiber *f, struct watch *watch, const struct want *w)
{
	BUG_IF((w->what & FD_READ) && watch->reader);
	BUG_IF((w->what & FD_WRITE) && watch->writer);
	f->fd = w->fd;
	f->what = w->what;
	if (w->what & FD_READ)
		watch->reader = f;
	if (w->what & FD_WRITE)
		watch->writer = f;
}

enum err fiber_park(const struct want *w)
{
	struct fiber *f = fiber_this();

	if (f->canceled && !w->deaf)
		return E_CANCELED;
	struct watch *watch = w->fd >= 0 ? poll_watch(f->loop, w->fd) : NULL;

	if (watch && watch->state == UNWATCHED)
		return E_IO;
	if (watch && (watch->state == ALWAYS_READY || (watch->edges & w->what))) {
		watch->edges = (unsigned char)(watch->edges & ~w->what);
		return OK;
	}
	if (w->deadline != NEVER && w->deadline <= clock_ms())
		return E_TIMEOUT;
	if (watch)
		link_fd(f, watch, w);
	if (w->signal)
		link_signal(f, w->signal);
	f->deadline = w->deadline;
	if (w->deadline != NEVER)
		timer_add(&f->loop->timers, f);
	f->deaf = w->deaf;
	f->waits_for = w->why;
	f->state = PARKED;
	suspend(f);
	return f->woken_by;
}

void fiber_yield(void)
{
	struct fiber *f = fiber_this();

	/* Whoever works long and gives way wants the loop to look who else has something to do. */
	if (poll_tick() != f->loop->polled)
		f->loop->runs = RUNS_PER_POLL;
	f->waits_for = "its turn";
	make_ready(f);
	suspend(f);
}

static void begin(void *arg)
{
	struct fiber *f = arg;
	struct loop *l = f->loop;

	context_entered(&l->context);
	f->state = RUNNING;
	log_current = NULL;
	f->fn(f->arg);
	if (f->group)
		group_leave(f);
	else
		l->over = true;
	f->state = ENDED;
	context_leave(&f->context, &l->context);
}

struct fiber *fiber_make(struct loop *l, const char *name, void (*fn)(void *), void *arg)
{
	char *stack = l->live < FIBERS_MAX ? stack_get(&l->stacks) : NULL;

	if (!stack)
		return NULL;
	size_t top = (FIBER_STACK - sizeof(struct fiber)) & ~(size_t)63;
	struct fiber *f = (struct fiber *)(stack + top);

	*f = (struct fiber){ .loop = l, .name = name, .fn = fn, .arg = arg, .fd = -1 };
	context_make(&f->context, stack + stack_guard(), top - stack_guard(), begin, f);
	f->at_of_all = &l->all;
	f->next_of_all = l->all;
	if (l->all)
		l->all->at_of_all = &f->next_of_all;
	l->all = f;
	l->live++;
	f->waits_for = "its first turn";
	make_ready(f);
	return f;
}

static char *stack_of(struct fiber *f)
{
	size_t top = (FIBER_STACK - sizeof *f) & ~(size_t)63;

	return (char *)f - top;
}

static void bury(struct loop *l, struct fiber *f)
{
	*f->at_of_all = f->next_of_all;
	if (f->next_of_all)
		f->next_of_all->at_of_all = f->at_of_all;
	l->live--;
	stack_put(&l->stacks, stack_of(f));
}

static void run(struct loop *l)
{
	while (!l->over) {
		struct fiber *f = l->ready;

		if (!f || l->runs == RUNS_PER_POLL) {
			poll_once(l, !f);
			l->runs = 0;
			continue;
		}
		l->runs++;
		l->ready = f->next_ready;
		if (!l->ready)
			l->ready_end = &l->ready;
		l->running = f;
		context_switch(&l->context, &f->context);
		l->running = NULL;
		if (f->state == ENDED)
			bury(l, f);
	}
}

static void list_loop(struct loop *l, bool add)
{
	pthread_mutex_lock(&loops_lock);
	struct loop **at = &fiber_loops;

	if (add) {
		l->next_loop = *at;
		*at = l;
	} else {
		while (*at != l)
			at = &(*at)->next_loop;
		*at = l->next_loop;
	}
	pthread_mutex_unlock(&loops_lock);
}

void fiber_main(void (*fn)(void *arg), void *arg)
{
	struct loop *l = &thread_loop;
	struct log_context *log = log_current;
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	BUG_IF(l->ready_end);
	sigaction(SIGPIPE, &ignore, NULL); /* a write to a dead pipe is an error, no end */
	l->ready = NULL;
	l->ready_end = &l->ready;
	l->over = false;
	l->runs = 0;
	poll_start(l);
	list_loop(l, true);
	BUG_IF(!fiber_make(l, "main", fn, arg));
	run(l);
	BUG_IF(l->live); /* a group was left open */
	list_loop(l, false);
	poll_end(l);
	stacks_free(&l->stacks);
	l->ready_end = NULL;
	log_current = log;
}

bool fiber_canceled(void)
{
	return fiber_this()->canceled;
}

enum err fiber_sleep(int64_t deadline)
{
	enum err e =
		fiber_park(&(struct want){ .why = "a moment", .fd = -1, .deadline = deadline });

	return e == E_TIMEOUT ? OK : e;
}

enum err fiber_wait_fd(int fd, unsigned what, int64_t deadline)
{
	return fiber_park(&(struct want){
		.why = "a descriptor", .fd = fd, .what = what, .deadline = deadline });
}

void fiber_log_context(struct log_context *c)
{
	fiber_this()->log = log_current = c;
}

void fiber_trim_stack(void)
{
	stack_trim(stack_of(fiber_this()), __builtin_frame_address(0));
}
