/* SPDX-License-Identifier: ISC */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H
/*
 * fiber.h - straight-line code that waits: fibers, groups, deadlines, signals, worker threads.
 *
 * A process has one loop (epoll) on its main thread; its fibers run there one at a time and
 * give way only in calls marked (suspends), so code between two of them needs no locks.
 * Deadlines are absolute, in milliseconds of clock_ms(); NEVER does not come.
 * A suspending call in a canceled fiber returns E_CANCELED, at once and from then on always:
 * let it unwind. Calls marked (not canceled) wait on all the same, and their wait is short.
 * A child of fork() may only exec or _exit: it would share the loop's descriptors, and the
 * worker threads are not there.
 *
 * Below: base/.
 */
#include "base/base.h"
#include "base/clock.h"
#include "base/log.h"

struct fiber;
struct loop;
struct group;

/*
 * Runs fn(arg) as the first fiber and the loop with it, until that fiber has returned.
 * One loop a thread, and only on the thread that calls this. fn ends its groups itself.
 */
void fiber_main(void (*fn)(void *arg), void *arg);

/* --- groups: every fiber but the first lives in one --- */

struct group *group_new(void);
/* Starts fn(arg) as a fiber of the group; it first runs when the caller suspends.
 * name is borrowed for ever (a literal). E_LIMIT: FIBERS_MAX live, or no memory for a stack. */
MUST enum err group_spawn(struct group *g, const char *name, void (*fn)(void *arg), void *arg);
unsigned group_size(const struct group *g);
void group_cancel(struct group *g);                          /* marks all its fibers canceled */
MUST enum err group_wait(struct group *g, int64_t deadline); /* (suspends) until it is empty */
/* (suspends, not canceled) Cancels all its fibers, waits for the last, frees it, sets NULL. */
void group_close(struct group **g);

/* Of a loop. Before Linux 6.13 a process has no more than 28,000 stacks: src/fiber/stack.c. */
enum { FIBERS_MAX = 65536, FIBER_STACK = 128 * 1024 };

/* --- the running fiber --- */

bool fiber_canceled(void);
struct fiber *fiber_self(void); /* for fiber_cancel; good until that fiber ends */
/* Cancels one fiber of a group, as group_cancel does all of them. It belongs to this loop and has
 * not ended: whoever keeps its handle is told by the fiber itself before it does. */
void fiber_cancel(struct fiber *f);
/* (suspends) Lets the others run once; those too whose descriptor, deadline or post has come
 * while this fiber was at work for some milliseconds. */
void fiber_yield(void);
MUST enum err fiber_sleep(int64_t deadline); /* (suspends) OK at the deadline */
enum { FD_READ = 1, FD_WRITE = 2 };
/* (suspends) Until fd is ready for one of what. One fiber at a time for each fd and direction.
 * The fd joins the loop at its first wait: call fd_forget before close(fd). E_TIMEOUT. */
MUST enum err fiber_wait_fd(int fd, unsigned what, int64_t deadline);
void fd_forget(int fd);
/* What the log lines of this fiber carry; borrowed until it is set anew or the fiber ends. */
void fiber_log_context(struct log_context *c);
/* Gives the untouched part of this fiber's stack back to the system: before a long wait. */
void fiber_trim_stack(void);

/* --- signals: something changed; a counter that fibers wait on --- */

/* Plain data owned by whoever raises it; zeroed is ready. Same thread only. */
struct signal {
	uint64_t count;
	struct waiter *waiters; /* private */
};
void signal_raise(struct signal *s); /* wakes all who wait, in the order they came */
/* (suspends) Until s->count differs from seen. E_TIMEOUT. s must outlive the wait. */
MUST enum err signal_wait(struct signal *s, uint64_t seen, int64_t deadline);

/* --- threads --- */

/* (suspends, not canceled) Runs fn(arg) on one of a few worker threads meanwhile. */
void work_run(void (*fn)(void *arg), void *arg);

/* A fiber waits for one other thread, once. Zeroed is ready; owned by the waiter. */
struct wake {
	struct fiber *fiber; /* private */
	struct wake *next;   /* private */
	bool done;           /* private */
};
void wake_wait(struct wake *w); /* (suspends, not canceled) until the post has come */
void wake_post(struct wake *w, struct loop *l); /* from any thread; w is not touched after */
struct loop *loop_this(void); /* the loop of this thread, to be handed to other threads */

/* A thread raises a signal of a loop's: the raise happens on the loop's thread, soon. */
struct signal_post;
struct signal_post *signal_post_new(struct signal *s); /* on the loop's thread */
void signal_post_free(struct signal_post **p); /* likewise, when no thread raises it any more */
void signal_post_raise(struct signal_post *p); /* from any thread */

#endif
