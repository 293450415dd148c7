/* SPDX-License-Identifier: ISC */
/*
 * Many fibers, and on lmdb two processes, change one mailbox at the same time: no UID comes
 * twice, no change is lost, every count is right at the end.
 */
#include <sys/wait.h>

#include "box/box_test.h"

enum { FIBERS = 50, EACH = 20, MOVED = 5, EXPUNGED = 3 };

static uint32_t uids[FIBERS][EACH];
static unsigned running;

static void flag_first(struct box *b, unsigned n)
{
	struct str keyword = str_fmt(mem, "fiber%u", n);
	struct flag_change ch = {
		.op = FLAG_ADD, .keywords = &keyword, .nkeywords = 1, .unless_after = UINT64_MAX
	};

	CHECK_NUM(box_flags(b, set_of("1"), &ch, mem, NULL), OK);
}

static void deliver_all(unsigned n)
{
	struct delivery d = { .account = 1, .flags = n & 1 ? FLAG_SEEN : 0 };

	for (unsigned i = 0; i < EACH; i++) {
		struct incoming *in = mail(n * EACH + i + 1);

		box_deliver(st, in, &d, 1);
		incoming_close(&in);
		CHECK_NUM(d.result, OK);
		CHECK(i == 0 || d.uid > uids[n][i - 1]);
		uids[n][i] = d.uid;
	}
}

static void one_fiber(void *arg)
{
	unsigned n = *(unsigned *)arg;
	struct box *b = open_box(1, "INBOX");
	struct uidset_builder move = { .a = mem }, drop = { .a = mem };
	struct uidset gone;
	struct copied c;

	flag_first(b, n);
	deliver_all(n);
	CHECK_NUM(box_sync(b, true, NULL), OK);
	for (unsigned i = 0; i < MOVED; i++)
		uidset_add(&move, uids[n][i]);
	for (unsigned i = MOVED; i < MOVED + EXPUNGED; i++)
		uidset_add(&drop, uids[n][i]);
	CHECK_NUM(box_copy(b, uidset_done(&move), S("Archive"), true, 0, mem, &c), OK);
	CHECK_NUM(uidset_count(c.to), MOVED);
	CHECK_NUM(box_expunge(b, uidset_done(&drop), true, mem, &gone), OK);
	CHECK_NUM(uidset_count(gone), EXPUNGED);
	box_close(&b);
	running--;
}

/* Fibers [first, last) of all at the same time, while a session looks on. */
static void run_fibers(unsigned first, unsigned last)
{
	static unsigned number[FIBERS];
	struct group *g = group_new();
	struct box *watcher = open_box(1, "INBOX");

	for (unsigned i = first; i < last; i++) {
		number[i] = i;
		running++;
		CHECK_NUM(group_spawn(g, "change", one_fiber, &number[i]), OK);
	}
	while (running) {
		uint64_t seen = box_signal(watcher)->count;

		CHECK_NUM(box_sync(watcher, true, NULL), OK);
		enum err e = signal_wait(box_signal(watcher), seen, clock_in(100));

		CHECK(e == OK || e == E_TIMEOUT);
	}
	CHECK_NUM(group_wait(g, clock_in(60000)), OK);
	group_close(&g);
	box_close(&watcher);
}

static int by_value(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static uint64_t thread[2 * FIBERS * EACH];
static size_t nthreads;

static enum err collect(void *arg, uint32_t number, const struct msg *m)
{
	(void)arg, (void)number;
	thread[nthreads++] = m->thread;
	return OK;
}

static void verify(void)
{
	struct box *b = open_box(1, "INBOX");
	struct msg first;

	CHECK_NUM(box_get(b, 1, &first), OK);
	CHECK_NUM(bits64(first.flags), FIBERS); /* nobody's keyword was lost */
	CHECK_NUM(box_view(b).exists, 1 + FIBERS * (EACH - MOVED - EXPUNGED));
	CHECK_NUM(box_view(b).uidnext, 2 + FIBERS * EACH);
	CHECK_NUM(box_each(b, every(), collect, NULL), OK);
	box_close(&b);
	b = open_box(1, "Archive");
	CHECK_NUM(box_view(b).exists, FIBERS * MOVED);
	CHECK_NUM(box_each(b, every(), collect, NULL), OK);
	box_close(&b);
	/* Each message has an id of its own: none is there twice. */
	qsort(thread, nthreads, sizeof *thread, by_value);
	for (size_t i = 1; i < nthreads; i++)
		CHECK(thread[i - 1] != thread[i]);
	CHECK_SOUND(1);
}

static void start(void)
{
	struct delivery d = { .account = 1 };
	struct incoming *in = mail(0);

	CHECK_NUM(box_account_create(st, 1), OK);
	box_deliver(st, in, &d, 1);
	incoming_close(&in);
	CHECK_NUM(d.uid, 1);
}

static void in_one_process(void)
{
	start();
	run_fibers(0, FIBERS);
	verify();
}

static void half(void)
{
	run_fibers(0, FIBERS / 2);
}

static void other_half(void)
{
	run_fibers(FIBERS / 2, FIBERS);
}

/* Runs body over the store in a process of its own. */
static pid_t in_process(void (*body)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	test_body = body;
	fiber_main(test_main, NULL);
	_exit(check_done());
}

static void wait_process(pid_t pid)
{
	int status = -1;

	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static int in_two_processes(void)
{
	test_engine = "lmdb";
	if (!mkdtemp(test_dir))
		return 1;
	wait_process(in_process(start));
	pid_t x = in_process(half), y = in_process(other_half);

	wait_process(x);
	wait_process(y);
	wait_process(in_process(verify));
	remove_tree(str_of(test_dir));
	return check_done();
}

int main(int argc, char **argv)
{
	if (argc > 1 && str_is(str_of(argv[1]), "processes"))
		return in_two_processes();
	return run_test(argc, argv, in_one_process);
}
