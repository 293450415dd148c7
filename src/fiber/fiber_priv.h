/* SPDX-License-Identifier: ISC */
#ifndef FIBER_FIBER_PRIV_H
#define FIBER_FIBER_PRIV_H
/*
 * fiber_priv.h - the inside of fibers and their loop. Private to the room.
 *
 * A fiber is RUNNING (one at most), READY (in the loop's queue) or PARKED. While it is parked it
 * may hang in up to three places at once: the timer heap, the watch of a descriptor, the list of
 * a signal. Whatever comes first calls fiber_wake, which takes it out of all of them.
 */
#include <stdatomic.h>

#include "fiber/context.h"
#include "fiber/fiber.h"

struct waiter {
	struct fiber *fiber;
	struct waiter *next, **at; /* at: what points here; NULL: in no list */
};

/* Lies at the upper end of its own stack: the page is in use anyway. */
struct fiber {
	struct context context;
	struct fiber *next_ready;
	enum fiber_state { READY, RUNNING, PARKED, ENDED } state;
	enum err woken_by;
	bool canceled;
	bool deaf; /* its present wait is not ended by cancellation */

	const char *waits_for; /* for people with a debugger */
	int fd;                /* -1: none */
	unsigned what;
	int64_t deadline;
	size_t timer; /* place in the heap + 1; 0: not in it */
	struct waiter waiter;

	struct loop *loop;
	struct group *group; /* NULL: the first fiber */
	struct fiber *next_in_group, **at_in_group;
	struct fiber *next_of_all, **at_of_all;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	struct log_context *log;
};

struct group {
	struct fiber *fibers;
	unsigned n;
	bool canceled; /* those that join now are canceled too; until it is empty */
	bool closing;
	struct signal emptied;
};

/* A descriptor in the epoll set: edge-triggered, so that a wait costs no system call. */
struct watch {
	struct fiber *reader, *writer;
	unsigned char edges; /* FD_READ, FD_WRITE: came while nobody waited */
	enum watch_state { UNWATCHED, WATCHED, ALWAYS_READY } state;
};

enum { STACKS_HOT = 16, STACKS_COLD = 240 };

/* Stacks to be used again: the hot ones as they were left, the cold ones without memory. */
struct stacks {
	char *hot[STACKS_HOT], *cold[STACKS_COLD];
	unsigned nhot, ncold;
};

struct timers {
	struct fiber **heap; /* by deadline, the earliest first */
	size_t n, cap;
};

/*
 * The loop of a thread. It lies in the thread's own storage and its eventfd is never closed:
 * another thread may still hold the pointer when fiber_main has returned.
 */
struct loop {
	struct context context; /* of the loop itself: fiber_main's caller */
	struct fiber *running;
	struct fiber *ready, **ready_end;
	struct fiber *all; /* tools/gdb-fibers.py walks them */
	struct loop *next_loop;
	unsigned live;
	bool over;      /* the first fiber has returned */
	unsigned runs;  /* of fibers since the last poll */
	int64_t polled; /* the tick of the last poll */

	int epoll_fd;
	struct watch *watches; /* by descriptor */
	size_t nwatches;
	struct timers timers;
	struct stacks stacks;

	int event_fd;
	_Atomic(struct wake *) posted; /* by other threads; the last one first */
};

/* stack.c */
char *stack_get(struct stacks *s); /* FIBER_STACK octets, the lowest page is the guard; or NULL */
void stack_put(struct stacks *s, char *stack);
void stack_trim(char *stack, const void *from); /* gives back the whole pages below from */
void stacks_free(struct stacks *s);
size_t stack_guard(void); /* octets at the low end that no one can touch */

/* timer.c */
void timer_add(struct timers *t, struct fiber *f); /* by f->deadline */
void timer_remove(struct timers *t, struct fiber *f);
static inline struct fiber *timer_first(const struct timers *t)
{
	return t->n ? t->heap[0] : NULL;
}

/* poll.c */
void poll_start(struct loop *l);
void poll_end(struct loop *l);
void poll_once(struct loop *l, bool wait); /* wakes whom descriptors, timers and posts concern */
int64_t poll_tick(void); /* goes on every few milliseconds; costs a few nanoseconds */
struct watch *poll_watch(struct loop *l, int fd); /* lives until the next call */
void poll_posts(struct loop *l);

/* loop.c */
struct want {
	const char *why;
	int fd; /* -1: none */
	unsigned what;
	struct signal *signal; /* NULL: none */
	int64_t deadline;
	bool deaf; /* waits on when canceled */
};
/* Suspends the running fiber until the first of: fd ready (OK), signal raised (E_AGAIN),
 * E_TIMEOUT, E_CANCELED, or fiber_wake with an answer of its own. */
MUST enum err fiber_park(const struct want *w);
void fiber_wake(struct fiber *f, enum err why); /* no-op unless it is parked */
struct fiber *fiber_this(void);                 /* a BUG outside of fibers */
/* For group_spawn and fiber_main; NULL: no more stacks. */
struct fiber *fiber_make(struct loop *l, const char *name, void (*fn)(void *), void *arg);
void group_leave(struct fiber *f); /* the last thing a fiber of a group does */

/* A post of another thread: what the loop's thread is to do with it. */
void wake_arrived(struct wake *w);

#endif
