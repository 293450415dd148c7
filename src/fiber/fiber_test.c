/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fiber/fiber.h"

/* --- switching --- */

static unsigned turns;

static void turn(void *arg)
{
	for (int i = 0; i < 10; i++) {
		turns += *(unsigned *)arg;
		fiber_yield();
	}
}

static void switching(void)
{
	struct group *g = group_new();
	unsigned one = 1, ten = 10;

	CHECK_NUM(group_spawn(g, "one", turn, &one), OK);
	CHECK_NUM(group_spawn(g, "ten", turn, &ten), OK);
	CHECK_NUM(group_size(g), 2);
	CHECK_NUM(turns, 0); /* they first run when this one suspends */
	fiber_yield();
	CHECK_NUM(turns, 11);
	CHECK_NUM(group_wait(g, NEVER), OK);
	CHECK_NUM(turns, 110);
	group_close(&g);
	CHECK(!g);
	group_close(&g);
}

/* Long work that gives way now and then, until another fiber has found its octet. */
struct working {
	int fd;
	bool found;
	unsigned rounds;
};

static void work_long(void *arg)
{
	struct working *w = arg;

	while (!w->found && w->rounds < 50) {
		for (int64_t end = clock_ms() + 10; clock_ms() < end;)
			;
		w->rounds++;
		fiber_yield();
	}
}

static void wait_for_octet(void *arg)
{
	struct working *w = arg;

	w->found = fiber_wait_fd(w->fd, FD_READ, NEVER) == OK;
}

/* One busy fiber must not keep the loop from its descriptors. */
static void yielding(void)
{
	struct group *g = group_new();
	struct working w = { 0 };
	int pair[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	w.fd = pair[0];
	CHECK_NUM(group_spawn(g, "wait", wait_for_octet, &w), OK);
	fiber_yield();
	CHECK_NUM(write(pair[1], "x", 1), 1);
	CHECK_NUM(group_spawn(g, "work", work_long, &w), OK);
	CHECK_NUM(group_wait(g, NEVER), OK);
	CHECK(w.found);
	CHECK(w.rounds <= 3);
	group_close(&g);
	fd_forget(pair[0]);
	close(pair[0]);
	close(pair[1]);
}

static double kept;

/* Registers that calls keep, and floating point, live through switches. */
static void numbers(void *arg)
{
	uint64_t a = (uintptr_t)arg, b = a * 3, c = a * 5, d = a * 7, e = a * 11;
	double x = (double)a / 3;

	for (int i = 0; i < 100; i++) {
		fiber_yield();
		a += b, b += c, c += d, d += e, e += a;
		x = x * 1.0001 + (double)(e & 7);
	}
	kept += x + (double)(a & 0xffff);
}

static void registers(void)
{
	static char place[8];
	double want = 0;

	for (int alone = 1; alone >= 0; alone--) {
		struct group *g = group_new();

		kept = 0;
		for (size_t i = 0; i < sizeof place; i++) {
			CHECK_NUM(group_spawn(g, "numbers", numbers, (void *)(1000 + i)), OK);
			if (alone)
				CHECK_NUM(group_wait(g, NEVER), OK);
		}
		CHECK_NUM(group_wait(g, NEVER), OK);
		group_close(&g);
		if (alone)
			want = kept;
	}
	CHECK(want - kept < 1e-3 && kept - want < 1e-3);
}

/* --- time --- */

struct sleeper {
	int64_t at;
	unsigned *order, place;
};

static void sleeper(void *arg)
{
	struct sleeper *s = arg;

	CHECK_NUM(fiber_sleep(s->at), OK);
	s->place = ++*s->order;
}

static void sleeping(void)
{
	struct group *g = group_new();
	unsigned order = 0;
	struct sleeper all[50];
	int64_t start = clock_ms();

	/* 7 and 50 have no common divisor, so that each time comes once. */
	for (unsigned i = 0; i < LENGTH(all); i++) {
		all[i] = (struct sleeper){ .at = start + 50 + i * 7 % 50, .order = &order };
		CHECK_NUM(group_spawn(g, "sleeper", sleeper, &all[i]), OK);
	}
	fiber_yield();
	/* On a machine too busy to have begun all in time the order says nothing. */
	bool in_time = clock_ms() < start + 50;

	CHECK_NUM(group_wait(g, clock_in(10)), E_TIMEOUT);
	CHECK_NUM(group_wait(g, clock_in(5000)), OK);
	CHECK(clock_ms() - start >= 99);
	for (unsigned i = 0; i < LENGTH(all); i++)
		for (unsigned j = 0; j < LENGTH(all); j++)
			if (in_time && all[i].at < all[j].at && all[i].place > all[j].place)
				check_that(false, __FILE__, __LINE__,
					   "woken in the order of the deadlines");
	CHECK_NUM(fiber_sleep(clock_ms() - 5), OK); /* passed already */
	group_close(&g);
}

/* --- cancellation --- */

struct canceled {
	int fd;
	struct signal signal;
	struct group *inner;
	enum err got, again;
	unsigned kind;
};

static enum err wait_somehow(struct canceled *c)
{
	switch (c->kind) {
	case 0: return fiber_sleep(clock_in(60000));
	case 1: return fiber_wait_fd(c->fd, FD_READ, clock_in(60000));
	case 2: return fiber_wait_fd(c->fd, FD_READ, NEVER);
	case 3: return signal_wait(&c->signal, 0, NEVER);
	default: return group_wait(c->inner, NEVER);
	}
}

static void is_canceled(void *arg)
{
	struct canceled *c = arg;

	CHECK(!fiber_canceled());
	c->got = wait_somehow(c);
	CHECK(fiber_canceled());
	fiber_yield(); /* still works */
	c->again = wait_somehow(c);
	CHECK_NUM(fiber_sleep(0), E_CANCELED);
}

static void long_sleep(void *arg)
{
	*(enum err *)arg = fiber_sleep(clock_in(60000));
}

static void cancellation(void)
{
	struct canceled c[5] = { 0 };
	struct group *g = group_new();
	enum err inner = OK;
	int pair[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	struct group *sleeping_group = group_new();

	CHECK_NUM(group_spawn(sleeping_group, "sleep", long_sleep, &inner), OK);
	for (unsigned i = 0; i < LENGTH(c); i++) {
		c[i].kind = i;
		c[i].fd = i == 1 ? pair[0] : pair[1];
		c[i].inner = sleeping_group;
		CHECK_NUM(group_spawn(g, "canceled", is_canceled, &c[i]), OK);
	}
	fiber_yield();
	group_cancel(g);
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	for (unsigned i = 0; i < LENGTH(c); i++) {
		CHECK_NUM(c[i].got, E_CANCELED);
		CHECK_NUM(c[i].again, E_CANCELED);
	}
	CHECK_NUM(group_spawn(g, "new", turn, &(unsigned){ 0 }), OK); /* of use again */
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	group_close(&g);
	CHECK_NUM(inner, OK);
	group_close(&sleeping_group);
	CHECK_NUM(inner, E_CANCELED);
	fd_forget(pair[0]);
	fd_forget(pair[1]);
	close(pair[0]);
	close(pair[1]);
}

struct one {
	struct fiber *self;
	enum err slept;
};

static void can_be_ended(void *arg)
{
	struct one *o = arg;

	o->self = fiber_self();
	o->slept = fiber_sleep(clock_in(100));
}

/* One of a group is canceled; the others go on. */
static void one_of_many(void)
{
	struct group *g = group_new();
	struct one o[3] = { 0 };

	for (unsigned i = 0; i < LENGTH(o); i++)
		CHECK_NUM(group_spawn(g, "one", can_be_ended, &o[i]), OK);
	fiber_yield();
	fiber_cancel(o[1].self);
	CHECK_NUM(group_size(g), 3);
	fiber_yield();
	CHECK_NUM(group_size(g), 2);
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	CHECK_NUM(o[0].slept, OK);
	CHECK_NUM(o[1].slept, E_CANCELED);
	CHECK_NUM(o[2].slept, OK);
	group_close(&g);
}

static enum err late = OK;

static void late_child(void *arg)
{
	(void)arg;
	late = fiber_sleep(clock_in(60000));
}

static void spawns_when_canceled(void *arg)
{
	CHECK_NUM(fiber_sleep(clock_in(60000)), E_CANCELED);
	CHECK_NUM(group_spawn(*(struct group **)arg, "late", late_child, NULL), OK);
}

static void born_canceled(void)
{
	struct group *g = group_new(), *same = g;

	CHECK_NUM(group_spawn(g, "parent", spawns_when_canceled, &same), OK);
	fiber_yield();
	group_close(&g);
	CHECK_NUM(late, E_CANCELED);
}

/* --- signals --- */

static void signal_waiter(void *arg)
{
	struct signal *s = arg;

	for (uint64_t seen = 0; seen < 3; seen++)
		CHECK_NUM(signal_wait(s, seen, clock_in(5000)), OK);
	turns++;
}

struct queued {
	struct signal *s;
	unsigned *next, place;
};

static void queue_up(void *arg)
{
	struct queued *q = arg;

	CHECK_NUM(signal_wait(q->s, 0, clock_in(5000)), OK);
	q->place = (*q->next)++;
}

/* First come, first served; one that has left the queue does not matter. */
static void signals_in_order(void)
{
	struct signal s = { 0 };
	struct group *g = group_new();
	struct queued q[5];
	unsigned next = 0;

	for (unsigned i = 0; i < LENGTH(q); i++) {
		q[i] = (struct queued){ .s = &s, .next = &next };
		CHECK_NUM(group_spawn(g, "queued", queue_up, &q[i]), OK);
	}
	fiber_yield();
	CHECK_NUM(signal_wait(&s, 0, clock_in(1)), E_TIMEOUT);
	signal_raise(&s);
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	for (unsigned i = 0; i < LENGTH(q); i++)
		CHECK_NUM(q[i].place, i);
	group_close(&g);
}

static void signals(void)
{
	struct signal s = { 0 };
	struct group *g = group_new();

	turns = 0;
	CHECK_NUM(signal_wait(&s, 0, clock_in(5)), E_TIMEOUT);
	for (int i = 0; i < 5; i++)
		CHECK_NUM(group_spawn(g, "waiter", signal_waiter, &s), OK);
	for (int i = 0; i < 3; i++) {
		fiber_yield();
		signal_raise(&s);
	}
	CHECK_NUM(group_wait(g, clock_in(1000)), OK);
	CHECK_NUM(turns, 5);
	CHECK_NUM(signal_wait(&s, 0, NEVER), OK); /* it differs already */
	group_close(&g);
}

/* --- threads --- */

struct slow_job {
	pthread_t thread;
	const char *proto;
	unsigned n;
};

static void job(void *arg)
{
	struct slow_job *j = arg;

	j->thread = pthread_self();
	j->proto = log_current ? log_current->proto : NULL;
	usleep(1000);
	j->n++;
}

static void worker(void *arg)
{
	struct log_context log = { .proto = "test" };
	struct slow_job *j = arg;

	fiber_log_context(&log);
	for (int i = 0; i < 3; i++) {
		work_run(job, j);
		CHECK(!pthread_equal(j->thread, pthread_self()));
		CHECK_STR(str_of(j->proto), "test");
		CHECK(log_current == &log);
	}
}

static void work(void)
{
	struct group *g = group_new();
	struct slow_job jobs[40] = { 0 };
	struct log_context mine = { .proto = "mine" };

	fiber_log_context(&mine);
	for (size_t i = 0; i < LENGTH(jobs); i++)
		CHECK_NUM(group_spawn(g, "worker", worker, &jobs[i]), OK);
	fiber_yield();
	CHECK(log_current == &mine);
	group_close(&g); /* not canceled: all jobs are done all the same */
	for (size_t i = 0; i < LENGTH(jobs); i++)
		CHECK_NUM(jobs[i].n, 3);
	fiber_log_context(NULL);
}

struct poster {
	struct loop *loop;
	struct wake wake[3];
	struct signal_post *post;
};

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (size_t i = 0; i < LENGTH(p->wake); i++) {
		usleep(2000);
		wake_post(&p->wake[i], p->loop);
	}
	for (int i = 0; i < 1000; i++)
		signal_post_raise(p->post);
	return NULL;
}

static void posts(void)
{
	struct signal s = { 0 };
	struct poster p = { .loop = loop_this(), .post = signal_post_new(&s) };
	pthread_t thread;

	CHECK_NUM(pthread_create(&thread, NULL, post_all, &p), 0);
	for (size_t i = 0; i < LENGTH(p.wake); i++)
		wake_wait(&p.wake[i]);
	CHECK_NUM(signal_wait(&s, 0, clock_in(5000)), OK);
	CHECK(s.count >= 1 && s.count <= 1000);
	pthread_join(thread, NULL);
	fiber_yield();
	signal_post_raise(p.post); /* and freed before it arrives */
	signal_post_free(&p.post);
	CHECK(!p.post);
	wake_post(&p.wake[0], p.loop);
	CHECK_NUM(fiber_sleep(clock_in(2)), OK);
}

/* --- descriptors --- */

static void descriptors(void)
{
	int pair[2];
	char c;

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_READ, clock_in(5)), E_TIMEOUT);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_WRITE, clock_in(1000)), OK);
	CHECK_NUM(write(pair[1], "x", 1), 1);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_READ, clock_in(1000)), OK);
	CHECK_NUM(read(pair[0], &c, 1), 1);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_READ, clock_in(5)), E_TIMEOUT);
	fd_forget(pair[0]);
	CHECK_NUM(write(pair[1], "x", 1), 1);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_READ, clock_in(1000)), OK); /* joins anew */
	close(pair[1]);
	CHECK_NUM(read(pair[0], &c, 1), 1);
	CHECK_NUM(fiber_wait_fd(pair[0], FD_READ, clock_in(1000)), OK); /* the end is news too */
	fd_forget(pair[0]);
	close(pair[0]);

	FILE *plain = tmpfile();

	CHECK_NUM(fiber_wait_fd(fileno(plain), FD_READ, NEVER), OK); /* never blocks */
	fd_forget(fileno(plain));
	fclose(plain);
}

/* --- many --- */

static void parked(void *arg)
{
	turns++;
	fiber_trim_stack();
	CHECK_NUM(signal_wait(arg, 0, NEVER), OK);
	turns--;
}

static void many(void)
{
	enum { MANY = 10000 };
	struct group *g = group_new();
	struct signal s = { 0 };

	turns = 0;
	for (int i = 0; i < MANY; i++)
		if (group_spawn(g, "parked", parked, &s) != OK)
			check_that(false, __FILE__, __LINE__, "10,000 fibers at once");
	fiber_yield();
	CHECK_NUM(turns, MANY);
	CHECK_NUM(group_size(g), MANY);
	signal_raise(&s);
	CHECK_NUM(group_wait(g, clock_in(10000)), OK);
	CHECK_NUM(turns, 0);
	group_close(&g);
}

static void everything(void *arg)
{
	(void)arg;
	switching();
	yielding();
	registers();
	sleeping();
	cancellation();
	one_of_many();
	born_canceled();
	signals();
	signals_in_order();
	work();
	posts();
	descriptors();
	many();
}

/* --- what ends a process --- */

/* Each level takes a kilobyte; what the compiler cannot see into keeps it from a loop. */
__attribute__((noinline)) static unsigned deep(unsigned n)
{
	char room[1024];

	__asm__ volatile("" : : "r"(room) : "memory");
	unsigned below = n ? deep(n - 1) : 0;

	__asm__ volatile("" : : "r"(room) : "memory");
	return below + 1;
}

static void overflow(void *arg)
{
	(void)arg;
	_exit(deep(FIBER_STACK / 1024 + 64) == 1);
}

static void in_group(void *arg)
{
	struct group *g = group_new();

	(void)arg;
	if (group_spawn(g, "deep", overflow, NULL) != OK)
		_exit(3);
	_exit(group_wait(g, NEVER) == OK ? 4 : 5);
}

static void guard_page(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* without the report of a sanitizer */
		(void)signal(SIGBUS, SIG_DFL);
		fiber_main(in_group, NULL);
		_exit(5);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* --- the fake clock: last, as it stays --- */

static void stepper(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		fiber_yield();
		clock_fake_step(60 * 1000);
	}
}

static void fake(void *arg)
{
	struct group *g = group_new();

	(void)arg;
	clock_fake_step(1);
	int64_t start = clock_ms();

	CHECK_NUM(group_spawn(g, "stepper", stepper, NULL), OK);
	CHECK_NUM(fiber_sleep(clock_in(15 * 60 * 1000)), OK);
	CHECK(clock_ms() - start >= 15 * 60 * 1000);
	CHECK_NUM(group_wait(g, NEVER), OK);
	group_close(&g);
}

static void *step_later(void *arg)
{
	usleep(20000);
	clock_fake_step(3600 * 1000);
	return arg;
}

static void fake_from_thread(void *arg)
{
	pthread_t thread;

	(void)arg;
	CHECK_NUM(pthread_create(&thread, NULL, step_later, NULL), 0);
	CHECK_NUM(fiber_sleep(clock_in(3600 * 1000)), OK);
	pthread_join(thread, NULL);
}

int main(void)
{
	guard_page();
	fiber_main(everything, NULL);
	fiber_main(everything, NULL); /* a thread may run one loop after the other */
	fiber_main(fake, NULL);
	fiber_main(fake_from_thread, NULL);
	return check_done();
}
