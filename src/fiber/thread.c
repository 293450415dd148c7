/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "fiber/fiber_priv.h"

enum { THREADS_MAX = 4, THREAD_STACK = 1024 * 1024 };

/* A wake that nobody waits for; it raises a signal instead. */
struct signal_post {
	struct wake wake;
	struct signal *signal;
	struct loop *loop;
	_Atomic bool posted;
};

/* What marks a wake as a signal_post's: no fiber has this address. */
static char is_signal_post;

void wake_wait(struct wake *w)
{
	if (w->done)
		return;
	w->fiber = fiber_this();
	BUG_IF(fiber_park(&(struct want){
		       .why = "another thread", .fd = -1, .deadline = NEVER, .deaf = true }) != OK);
	BUG_IF(!w->done);
}

void wake_post(struct wake *w, struct loop *l)
{
	struct wake *newest = atomic_load(&l->posted);
	uint64_t one = 1;

	do
		w->next = newest;
	while (!atomic_compare_exchange_weak(&l->posted, &newest, w));
	/* Where others were posted before, their eventfd write is on its way. */
	if (!newest)
		while (write(l->event_fd, &one, sizeof one) < 0 && errno == EINTR)
			;
}

void wake_arrived(struct wake *w)
{
	if (w->fiber == (struct fiber *)&is_signal_post) {
		struct signal_post *p = (struct signal_post *)w;

		atomic_store(&p->posted, false); /* before the raise: a later post is news again */
		signal_raise(p->signal);
		return;
	}
	w->done = true;
	if (w->fiber)
		fiber_wake(w->fiber, OK);
}

struct signal_post *signal_post_new(struct signal *s)
{
	struct signal_post *p = NEW(struct signal_post);

	p->wake.fiber = (struct fiber *)&is_signal_post;
	p->signal = s;
	p->loop = loop_this();
	BUG_IF(!p->loop);
	return p;
}

void signal_post_raise(struct signal_post *p)
{
	if (!atomic_exchange(&p->posted, true))
		wake_post(&p->wake, p->loop);
}

void signal_post_free(struct signal_post **p)
{
	if (!*p)
		return;
	if (atomic_load(&(*p)->posted))
		poll_posts((*p)->loop); /* it may still lie among them */
	free(*p);
	*p = NULL;
}

/* --- the workers, shared by all loops of the process; they live as long as it does --- */

/* Lies on the stack of the fiber that waits for it: as many jobs at most as fibers. */
struct job {
	void (*fn)(void *arg);
	void *arg;
	struct log_context *log;
	struct loop *loop;
	struct wake finished;
	struct job *next;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **end;
	unsigned waiting, threads, idle;
} workers = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static void *work(void *unused)
{
	(void)unused;
	for (;;) {
		pthread_mutex_lock(&workers.lock);
		workers.idle++;
		while (!workers.first)
			pthread_cond_wait(&workers.more, &workers.lock);
		workers.idle--;
		workers.waiting--;
		struct job *j = workers.first;

		workers.first = j->next;
		pthread_mutex_unlock(&workers.lock);

		log_current = j->log;
		j->fn(j->arg);
		log_current = NULL;
		wake_post(&j->finished, j->loop);
	}
	return NULL;
}

/* Called with the lock. A system that gives no thread is no error while there is one. */
static void start_thread(void)
{
	pthread_attr_t attr;
	pthread_t id;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
	BUG_IF(pthread_attr_init(&attr) != 0);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (pthread_create(&id, &attr, work, NULL) == 0)
		workers.threads++;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	BUG_IF(!workers.threads);
}

void work_run(void (*fn)(void *arg), void *arg)
{
	struct job j = { .fn = fn, .arg = arg, .log = log_current, .loop = fiber_this()->loop };

	pthread_mutex_lock(&workers.lock);
	if (!workers.first)
		workers.end = &workers.first;
	*workers.end = &j;
	workers.end = &j.next;
	if (++workers.waiting > workers.idle && workers.threads < THREADS_MAX)
		start_thread();
	pthread_cond_signal(&workers.more);
	pthread_mutex_unlock(&workers.lock);
	wake_wait(&j.finished);
}
