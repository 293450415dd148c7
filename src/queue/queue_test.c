/* SPDX-License-Identifier: ISC */
/*
 * The queue on an engine: "mem", "lmdb"; or on lmdb "two" processes that deliver at the same time,
 * or "crash", a process that puts and delivers until it is killed.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "box/box.h"
#include "check.h"
#include "fiber/fiber.h"
#include "queue/queue_priv.h"

static struct store *st;
static struct arena *a;
static char dir[] = "/tmp/tecsmail-queue-XXXXXX";
static bool disk;

static void open_store(void)
{
	struct str why, where = disk ? str_fmt(a, "lmdb:%s/store", dir) : S("mem:");

	if (!CHECK_NUM(store_open(where, a, &st, &why), OK))
		exit(1);
}

static void fault(void *arg, struct str sentence)
{
	(void)arg;
	fprintf(stderr, "  %.*s\n", FMT(sentence));
}

static void progress(void *arg, uint64_t done, uint64_t of)
{
	(void)arg, (void)done, (void)of;
}

static enum err try_put(const char *const *to, size_t n, uint64_t *id)
{
	struct queue_recipient r[8] = { 0 };
	struct queue_put p = {
		.m = { .sender = S("a@example.test"), .submitted = 1000, .account = 3 },
		.rcpt = r,
		.n = n
	};
	struct blob *b = blob_new(st);
	enum err e = blob_write(b, S("Subject: x\r\n\r\nhello\r\n"));

	for (size_t i = 0; i < n; i++)
		r[i].address = str_of(to[i]);
	if (!e)
		e = blob_finish(b, S("summary"), &p.m.blob);
	if (!e)
		e = queue_add(st, a, &p);
	blob_close(&b);
	*id = p.m.id;
	return e;
}

static uint64_t put(const char *to)
{
	uint64_t id;

	CHECK_NUM(try_put(&to, 1, &id), OK);
	return id;
}

/* All due parts of a destination, in every shard. */
static size_t lease(const char *destination, int64_t now, struct queue_job *out, size_t max)
{
	size_t n = 0;

	for (unsigned shard = 0; shard < QUEUE_SHARDS && n < max; shard++) {
		struct queue_lease l = { shard, str_of(destination), S("test"), now, 100, max - n };
		size_t got;

		CHECK_NUM(queue_lease(st, &l, a, out + n, &got), OK);
		n += got;
	}
	return n;
}

static size_t count(struct queue_filter f)
{
	static struct queue_job rows[QUEUE_PAGE_MAX];
	struct queue_place from = { 0 };
	size_t n, all = 0;

	do {
		uint64_t last = 0;

		CHECK_NUM(queue_list(st, &f, &from, 7, a, rows, &n), OK);
		for (size_t i = 0; i < n; i++) {
			CHECK(rows[i].p.id >= last);
			last = rows[i].p.id;
		}
		all += n;
	} while (n == 7);
	return all;
}

static void deliver(struct queue_job *j)
{
	for (size_t i = 0; i < j->p.n; i++) {
		j->p.rcpt[i].state = QUEUE_DELIVERED;
		j->p.rcpt[i].told = true;
	}
}

static uint64_t blobs(void)
{
	struct store_stats s;

	CHECK_NUM(store_stats(st, &s), OK);
	return s.blobs;
}

static void order(enum queue_order what, uint64_t id, const char *host, enum err want, size_t parts)
{
	size_t n;

	CHECK_NUM(queue_order(st, what, (struct queue_place){ id, QUEUE_ALL }, str_of(host), 2000,
			      &n),
		  want);
	CHECK_NUM(n, parts);
}

static void division(void)
{
	const char *to[] = { "x@B.test", "y@a.test", "z@b.test", "\"q@x\"@c.test" };
	struct queue_job *rows;
	uint64_t id;
	size_t n;

	CHECK_NUM(try_put(to, LENGTH(to), &id), OK);
	CHECK_NUM(queue_show(st, id, a, &rows, &n), OK);
	CHECK_NUM(n, 3);
	CHECK_STR(rows[0].p.domain, "a.test");
	CHECK_STR(rows[1].p.domain, "b.test");
	CHECK_STR(rows[1].p.rcpt[0].address, "x@B.test");
	CHECK_STR(rows[1].p.rcpt[1].address, "z@b.test");
	CHECK_NUM(rows[1].m.parts, 3);
	CHECK_NUM(count((struct queue_filter){ .destination = S("b.test") }), 1);
	CHECK_NUM(count((struct queue_filter){ .text = S("Z@B") }), 1);
	CHECK_NUM(count((struct queue_filter){ .sender = S("<>") }), 0);
	CHECK_NUM(count((struct queue_filter){ .account = 3 }), 3);
	order(QUEUE_DELETE, id, "", OK, 3);
	order(QUEUE_DELETE, id, "", E_NOTFOUND, 0);
	CHECK_NUM(queue_show(st, id, a, &rows, &n), E_NOTFOUND);
	to[1] = "nobody@";
	CHECK_NUM(try_put(to, LENGTH(to), &id), E_SYNTAX);
	CHECK_NUM(try_put(to, 0, &id), E_SYNTAX);
	CHECK_NUM(blobs(), 0);
}

/* Two couriers: one has it, the other gets it when the lease is over, the first is too late. */
static void leases(void)
{
	uint64_t id = put("x@a.test");
	struct queue_job one, two, none;

	CHECK_NUM(lease("b.test", 1000, &none, 1), 0);
	CHECK_NUM(lease("a.test", 999, &none, 1), 0);
	CHECK_NUM(lease("a.test", 1000, &one, 1), 1);
	CHECK(one.p.id == id && one.p.lease && one.p.lease_until == 1100);
	CHECK_NUM(lease("a.test", 1099, &none, 1), 0);
	CHECK_NUM(queue_renew(st, &one, 1200), OK);
	CHECK_NUM(lease("a.test", 1199, &none, 1), 0);
	CHECK_NUM(lease("a.test", 1200, &two, 1), 1);
	CHECK(one.p.lease != two.p.lease);
	deliver(&one);
	CHECK_NUM(queue_result(st, &one, true), E_DENIED);
	CHECK_NUM(queue_renew(st, &one, 9999), E_DENIED);
	two.p.rcpt[0].next = 5000;
	two.p.rcpt[0].tries = 1;
	CHECK_NUM(queue_result(st, &two, true), OK);
	CHECK_NUM(queue_result(st, &two, true), E_DENIED); /* given back */
	CHECK_NUM(lease("a.test", 4999, &none, 1), 0);
	CHECK_NUM(lease("a.test", 5000, &two, 1), 1);
	CHECK_NUM(two.p.rcpt[0].tries, 1);
	deliver(&two);
	two.p.rcpt[0].told = false;
	CHECK_NUM(queue_result(st, &two, false), OK); /* the report comes first */
	CHECK_NUM(blobs(), 1);
	CHECK_NUM(lease("a.test", 5100, &one, 1), 1); /* its courier died over it */
	CHECK_NUM(one.p.rcpt[0].state, QUEUE_DELIVERED);
	one.p.rcpt[0].told = true;
	CHECK_NUM(queue_result(st, &one, true), OK);
	CHECK_NUM(queue_result(st, &one, true), E_NOTFOUND);
	CHECK_NUM(blobs(), 0);
}

struct spoiling {
	struct str key;
	struct str value; /* what stands there from now on */
	struct str was;
};

static enum err spoil(struct tx *tx, void *arg)
{
	struct spoiling *s = arg;
	struct str value;
	enum err e = tx_get(tx, s->key, &value);

	if (!e)
		s->was = str_dup(a, value);
	tx_put(tx, s->key, s->value);
	return e;
}

/* Another one in the same shard. */
static uint64_t put_beside(uint64_t id)
{
	uint64_t other = put("x@a.test");

	while (queue_shard(other) != queue_shard(id)) {
		order(QUEUE_DELETE, other, "", OK, 1);
		other = put("x@a.test");
	}
	return other;
}

/* What is of a later version or damaged holds up nothing that comes behind it. */
static void unreadable(void)
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t bad = put("x@a.test"), good;
		struct spoiling s = { .key = i & 1 ? key_part(a, bad, 0) : key_message(a, bad),
				      .value = i & 2 ? S("\x01") : S("\xff") };
		struct queue_lease l = { .shard = queue_shard(bad),
					 .destination = S("a.test"),
					 .holder = S("test"),
					 .now = 2000,
					 .lease_s = 100,
					 .max = 2 };
		struct str partition = queue_partition(a, l.shard);
		struct queue_job j[2];
		size_t n;

		CHECK_NUM(store_update(st, partition, spoil, &s), OK);
		good = put_beside(bad);
		CHECK_NUM(count((struct queue_filter){ 0 }), 1);
		CHECK_NUM(queue_lease(st, &l, a, j, &n), OK);
		CHECK_NUM(n, 1);
		CHECK(j[0].p.id == good);
		CHECK_NUM(queue_give_back(st, l.shard, S("test"), &n), OK);
		CHECK_NUM(n, 1);
		order(QUEUE_DELETE, good, "", OK, 1);
		s.value = s.was;
		CHECK_NUM(store_update(st, partition, spoil, &s), OK);
		order(QUEUE_DELETE, bad, "", OK, 1);
	}
	CHECK_NUM(blobs(), 0);
}

static void orders(void)
{
	uint64_t id = put("x@a.test");
	struct queue_job j, *rows;
	size_t n;

	order(QUEUE_HOLD, id, "", OK, 1);
	CHECK_NUM(count((struct queue_filter){ .only_held = true }), 1);
	CHECK_NUM(lease("a.test", 99999, &j, 1), 0);
	order(QUEUE_RELEASE, id, "", OK, 1);
	CHECK_NUM(count((struct queue_filter){ .only_held = true }), 0);
	order(QUEUE_MOVE, id, "Relay.Test", OK, 1);
	CHECK_NUM(lease("a.test", 99999, &j, 1), 0);
	CHECK_NUM(count((struct queue_filter){ .destination = S("[relay.test]") }), 1);
	CHECK_NUM(lease("[relay.test]", 2000, &j, 1), 1);
	CHECK_STR(j.p.via, "relay.test");
	order(QUEUE_HOLD, id, "", E_DENIED, 0);
	order(QUEUE_DELETE, id, "", E_DENIED, 0);
	j.p.rcpt[0].next = 9000;
	CHECK_NUM(queue_result(st, &j, true), OK);
	order(QUEUE_MOVE, id, "", OK, 1);
	order(QUEUE_RETRY, id, "", OK, 1);
	order(QUEUE_MOVE, id, "no host", E_SYNTAX, 0);
	CHECK_NUM(queue_show(st, id, a, &rows, &n), OK);
	CHECK_NUM(rows[0].p.rcpt[0].next, QUEUE_ORDERED);
	order(QUEUE_DELETE, id, "", OK, 1);
	CHECK_NUM(blobs(), 0);
}

static void vias(void)
{
	static const struct {
		const char *text, *via; /* NULL: none */
	} table[] = {
		{ "Mx.Example.TEST", "mx.example.test" },
		{ "mx.example.test:587", "mx.example.test:587" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "[192.0.2.1]", "192.0.2.1" },
		{ "[192.0.2.1]:2525", "192.0.2.1:2525" },
		{ "[IPv6:2001:db8::1]", "IPv6:2001:db8::1" },
		{ "[IPv6:2001:db8::1]:25", NULL },
		{ "mx.example.test:0", NULL },
		{ "mx.example.test:65536", NULL },
		{ "mx.example.test:", NULL },
		{ "mx.example.test:2x", NULL },
		{ ":25", NULL },
		{ "no host", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str got;
		enum err e = queue_via(a, str_of(table[i].text), &got);

		CHECK_NUM(e, table[i].via ? OK : E_SYNTAX);
		if (!e)
			CHECK_STR(got, table[i].via);
	}
}

static void destinations(void)
{
	uint64_t id[30];
	bool seen[3] = { false };

	for (unsigned i = 0; i < LENGTH(id); i++)
		id[i] = put(i % 3 == 0 ? "x@a.test" : i % 3 == 1 ? "x@b.test" : "y@c.test");
	CHECK_NUM(count((struct queue_filter){ 0 }), LENGTH(id));
	for (unsigned shard = 0; shard < QUEUE_SHARDS; shard++) {
		struct queue_destination *d;
		size_t n;

		CHECK_NUM(queue_destinations(st, shard, 10, a, &d, &n), OK);
		for (size_t i = 0; i < n; i++) {
			CHECK_NUM(d[i].due, 1000);
			seen[d[i].name.p[0] - 'a'] = true;
			for (size_t k = 0; k < i; k++)
				CHECK(!str_eq(d[i].name, d[k].name));
		}
	}
	CHECK(seen[0] && seen[1] && seen[2]);
	for (unsigned i = 0; i < LENGTH(id); i++)
		order(QUEUE_DELETE, id[i], "", OK, 1);
}

/* A watch of the partition hears of a put, and a queue outlives its process. */
static void restart(void)
{
	struct watch *w[QUEUE_SHARDS];
	uint64_t seen[QUEUE_SHARDS], id;
	struct queue_job *rows;
	size_t n;

	for (unsigned i = 0; i < QUEUE_SHARDS; i++) {
		w[i] = store_watch(st, queue_partition(a, i));
		seen[i] = watch_signal(w[i])->count;
	}
	id = put("x@a.test");
	n = queue_shard(id);
	CHECK_NUM(signal_wait(watch_signal(w[n]), seen[n], clock_in(10000)), OK);
	for (unsigned i = 0; i < QUEUE_SHARDS; i++)
		watch_close(&w[i]);
	if (disk) {
		store_close(&st);
		open_store();
	}
	CHECK_NUM(queue_show(st, id, a, &rows, &n), OK);
	CHECK_NUM(n, 1);
	order(QUEUE_DELETE, id, "", OK, 1);
}

/* A mailbox here and a recipient elsewhere: one commit, and each holds its own reference. */
static void beside(void)
{
	struct incoming *in = incoming_new(st);
	struct delivery d = { .account = 9 };
	struct queue_recipient r = { .address = S("x@a.test") };
	struct queue_put p = { .m.submitted = 1000, .rcpt = &r, .n = 1 };
	struct store_stats was, is;
	struct update u;

	CHECK_NUM(box_account_create(st, 9), OK);
	CHECK_NUM(incoming_write(in, S("Subject: x\r\n\r\nx\r\n")), OK);
	CHECK_NUM(incoming_finish(in), OK);
	p.m.blob = incoming_blob(in);
	CHECK_NUM(queue_prepare(a, &p, &u), OK);
	CHECK_NUM(store_stats(st, &was), OK);
	box_deliver_also(st, in, &d, 1, &u, 1);
	CHECK_NUM(store_stats(st, &is), OK);
	incoming_close(&in);
	CHECK(d.result == OK && d.uid == 1 && u.result == OK);
	CHECK_NUM(is.commits - was.commits, 1);
	CHECK_NUM(blobs(), 1);
	order(QUEUE_DELETE, p.m.id, "", OK, 1);
	CHECK_NUM(blobs(), 1);
	CHECK_NUM(box_account_delete(st, 9), OK);
}

/* --- a process that is killed --- */

enum { ROUNDS = 5, BURST_MS = 150 };

/* Says each id that it has put, and (negated) each that it has delivered. */
static void work(void *arg)
{
	int out = *(int *)arg;
	static struct queue_job j[QUEUE_LEASE_MAX];

	open_store();
	for (;;) {
		uint64_t id = put("x@a.test");

		(void)!write(out, &id, sizeof id);
		size_t n = id % 3 ? 0 : lease("a.test", clock_wall(), j, 2);

		for (size_t i = 0; i < n; i++) {
			deliver(&j[i]);
			if (queue_result(st, &j[i], true))
				continue;
			uint64_t gone = ~j[i].p.id;

			(void)!write(out, &gone, sizeof gone);
		}
		arena_reset(a);
	}
}

static uint64_t heard[1 << 20];
static size_t nheard;

static void one_round(void)
{
	int p[2];

	CHECK(pipe(p) == 0);
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		close(p[0]);
		a = arena_new(SIZE_MAX);
		fiber_main(work, &p[1]);
		_exit(1);
	}
	close(p[1]);
	usleep(BURST_MS * 1000);
	kill(pid, SIGKILL);
	while (nheard < LENGTH(heard) &&
	       read(p[0], &heard[nheard], sizeof heard[0]) == sizeof heard[0])
		nheard++;
	close(p[0]);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static bool heard_of(uint64_t id)
{
	for (size_t i = 0; i < nheard; i++)
		if (heard[i] == id)
			return true;
	return false;
}

/* What was put and is not delivered is there; what is delivered is not. A kill between the commit
 * and the word about it leaves at most one put, and one lease of two, that were not heard of. */
static void after_kills(void *arg)
{
	size_t lost = 0, back = 0, missing = 0;

	(void)arg;
	a = arena_new(SIZE_MAX);
	open_store();
	for (size_t i = 0; i < nheard; i++) {
		struct queue_job *rows;
		size_t n;
		bool gone = (int64_t)heard[i] < 0;
		enum err e = queue_show(st, gone ? ~heard[i] : heard[i], a, &rows, &n);

		back += gone && e == OK;
		if (!gone && e == E_NOTFOUND && !heard_of(~heard[i]))
			missing++;
		lost += e && e != E_NOTFOUND;
	}
	printf("%zu events before %u kills, %zu deliveries unheard of\n", nheard, ROUNDS, missing);
	CHECK(nheard > 0);
	CHECK_NUM(lost, 0);
	CHECK_NUM(back, 0);
	CHECK(missing <= ROUNDS);
	CHECK_NUM(store_verify(st, &(struct store_report){ fault, progress, NULL }), OK);
	store_close(&st);
	arena_free(&a);
}

/* --- two couriers --- */

enum { MAILS = 300, COURIERS = 2 };

static void fill(void *arg)
{
	(void)arg;
	a = arena_new(SIZE_MAX);
	open_store();
	for (unsigned i = 0; i < MAILS; i++)
		put("x@a.test");
	store_close(&st);
	arena_free(&a);
}

/* Says each id that it has delivered, until nothing is due. */
static void courier(void *arg)
{
	int out = *(int *)arg;
	static struct queue_job j[QUEUE_LEASE_MAX];
	size_t n;

	open_store();
	while ((n = lease("a.test", 2000, j, 5))) {
		for (size_t i = 0; i < n; i++) {
			(void)!write(out, &j[i].p.id, sizeof j[i].p.id);
			deliver(&j[i]);
			CHECK_NUM(queue_result(st, &j[i], true), OK);
		}
		arena_reset(a);
	}
	store_close(&st);
}

static int by_number(const void *x, const void *y)
{
	const uint64_t *m = x, *n = y;

	return (*m > *n) - (*m < *n);
}

/* Each mail is delivered by one of them. */
static void two_couriers(void)
{
	int p[2];

	fiber_main(fill, NULL);
	CHECK(pipe(p) == 0);
	fflush(stdout);
	for (unsigned i = 0; i < COURIERS; i++)
		if (fork() == 0) {
			close(p[0]);
			a = arena_new(SIZE_MAX);
			fiber_main(courier, &p[1]);
			_exit(check_failed != 0);
		}
	close(p[1]);
	while (read(p[0], &heard[nheard], sizeof heard[0]) == sizeof heard[0])
		nheard++;
	close(p[0]);
	for (unsigned i = 0; i < COURIERS; i++) {
		int status = 1;

		CHECK(wait(&status) > 0 && status == 0);
	}
	CHECK_NUM(nheard, MAILS);
	qsort(heard, nheard, sizeof heard[0], by_number);
	for (size_t i = 1; i < nheard; i++)
		CHECK(heard[i] != heard[i - 1]);
}

static void all(void *arg)
{
	(void)arg;
	a = arena_new(SIZE_MAX);
	open_store();
	division();
	leases();
	unreadable();
	orders();
	vias();
	destinations();
	beside();
	restart();
	CHECK_NUM(blobs(), 0);
	CHECK_NUM(store_verify(st, &(struct store_report){ fault, progress, NULL }), OK);
	store_close(&st);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	struct str engine = str_of(argc > 1 ? argv[1] : "mem");
	char command[64];

	disk = !str_is(engine, "mem");
	if (disk && !mkdtemp(dir))
		return 1;
	if (str_is(engine, "crash")) {
		for (unsigned i = 0; i < ROUNDS; i++)
			one_round();
		fiber_main(after_kills, NULL);
	} else if (str_is(engine, "two")) {
		two_couriers();
	} else {
		fiber_main(all, NULL);
	}
	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (disk)
		(void)!system(command);
	return check_done();
}
