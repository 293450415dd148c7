/* SPDX-License-Identifier: ISC */
/* `tecsmail queue ...` on a store of its own, without a server: what it says, as people and
 * programs read it, and what it does. */
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "box/box.h"
#include "check.h"
#include "ctl/ctl_priv.h"
#include "keeper/directory.h"
#include "fiber/fiber.h"
#include "queue/receipt.h"

enum { WORDS = 24, OUTPUT_MAX = 1 << 20, MANY = 250 };

static char dir[] = "/tmp/tecsmail-queue-ctl-XXXXXX";
static struct arena *a;
static struct store *st;
static uint32_t account;
static const char *one, *two, *three; /* ids */
static struct str out;                /* what the last command said */

/* --- a queue --- */

static void with_store(void *fn)
{
	struct str why;

	if (!CHECK_NUM(store_open(str_fmt(a, "lmdb:%s/store", dir), a, &st, &why), OK))
		exit(1);
	(*(void (**)(void))fn)();
	store_close(&st);
}

static void on_store(void (*fn)(void))
{
	fiber_main(with_store, &fn);
}

static uint64_t put(const char *sender, const char *const *to, size_t n, const char *subject)
{
	struct queue_recipient r[8] = { 0 };
	struct queue_put p = { .m = { .sender = str_of(sender),
				      .submitted = clock_wall() - 600,
				      .account = account,
				      .size = 4600,
				      .guard = QUEUE_ENCRYPTED },
			       .rcpt = r,
			       .n = n };
	struct incoming *in = incoming_new(st);

	for (size_t i = 0; i < n; i++)
		r[i].address = str_of(to[i]);
	CHECK_NUM(incoming_write(in, str_fmt(a,
					     "From: Ann <ann@example.test>\r\n"
					     "Subject: %s\r\nMessage-ID: <%s@example.test>\r\n\r\n"
					     "secret words\r\n",
					     subject, subject)),
		  OK);
	CHECK_NUM(incoming_finish(in), OK);
	p.m.blob = incoming_blob(in);
	CHECK_NUM(queue_add(st, a, &p), OK);
	incoming_close(&in);
	return p.m.id;
}

static const char *id_of(uint64_t id)
{
	return str_c(a, queue_id_text(a, id));
}

/* One try of the part for a destination: what came of it. */
static void tried(const char *destination, enum queue_state state, struct queue_reply last)
{
	for (unsigned shard = 0; shard < QUEUE_SHARDS; shard++) {
		struct queue_lease l = { shard,         str_of(destination),
					 S("courier0"), clock_wall(),
					 100,           1 };
		struct queue_job j;
		struct update u[2];
		size_t n = 1;
		struct str id;

		CHECK_NUM(queue_lease(st, &l, a, &j, &n), OK);
		if (!n)
			continue;
		for (size_t i = 0; i < j.p.n; i++) {
			j.p.rcpt[i].state = state;
			j.p.rcpt[i].told = state != QUEUE_WAITING;
			j.p.rcpt[i].tries = 1;
			j.p.rcpt[i].next = clock_wall() + 60;
			j.p.rcpt[i].last = last;
		}
		CHECK_NUM(queue_message_id(st, &j.m, a, &id), OK);
		queue_result_prepare(a, &j, true, &u[0]);
		n = 1 + queue_receipt_prepare(a, &j, id, clock_wall(), &u[1]);
		store_update_all(st, u, n);
		CHECK(!u[0].result && (n == 1 || !u[1].result));
	}
}

static void fill(void)
{
	static const char *const to[] = { "bob@far.test", "Carl@far.test", "dora@wide.test" };
	static const char *const other[] = { "eve@far.test" };
	struct name n;

	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	CHECK_NUM(name_parse(a, S("ann@example.test"), false, &n), OK);
	CHECK_NUM(directory_user_add(st, n, &(struct secret){ .hash = S("$6$x") }, 0, &account),
		  OK);
	one = id_of(put("ann@example.test", to, 3, "one"));
	CHECK_NUM(fiber_sleep(clock_in(3)), OK); /* ids rise by the millisecond */
	two = id_of(put("ann@example.test", other, 1, "two\033[2J"));
	account = 0;
	CHECK_NUM(fiber_sleep(clock_in(3)), OK);
	three = id_of(put("", other, 1, "three"));
	account = 1;
}

static void deliver_wide(void)
{
	tried("wide.test", QUEUE_DELIVERED,
	      (struct queue_reply){ .when = clock_wall(),
				    .code = 250,
				    .status = { 2, 0, 0 },
				    .text = S("taken"),
				    .host = S("mx.wide.test"),
				    .ip = S("192.0.2.8"),
				    .tls = S("TLSv1.3"),
				    .cipher = S("TLS_AES_256_GCM_SHA384"),
				    .group = S("X25519MLKEM768"),
				    .auth = QUEUE_DANE });
}

/* --- commands --- */

/* Runs one and keeps what it writes to standard output; the words by single blanks. */
static PRINTF(1, 2) int run(const char *format, ...)
{
	char *argv[WORDS] = { str_c(a, S("tecsmail")) }, path[64], line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	struct scan in = scan(str_fmt(a, "-c %s/tecsmail.conf queue %s", dir, line));
	struct str why;
	int argc = 1;

	while (scan_more(&in) && argc < WORDS - 1)
		argv[argc++] = str_c(a, scan_word(&in));
	snprintf(path, sizeof path, "%s/output", dir);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	CHECK(freopen(path, "w", stdout));
	int status = ctl_main(argc, argv);
	fflush(stdout);
	CHECK(dup2(saved, STDOUT_FILENO) == STDOUT_FILENO);
	close(saved);
	CHECK_NUM(file_read(str_of(path), OUTPUT_MAX, a, &out, &why), OK);
	return status;
}

static bool says(const char *what)
{
	bool has = str_find_str(out, str_of(what)) < out.n;

	if (!has)
		fprintf(stderr, "not said: %s\n%.*s\n", what, FMT(out));
	return has;
}

static json_t *json(void)
{
	json_error_t e;
	json_t *j = json_loadb(out.p, out.n, 0, &e);

	if (!CHECK(j != NULL))
		fprintf(stderr, "%s\n%.*s\n", e.text, FMT(out));
	return j ? j : json_null();
}

/* How many entries fit. */
static size_t listed(const char *filter)
{
	CHECK_NUM(run("list --json %s", filter), EXIT_OK);
	json_t *j = json();
	size_t n = json_array_size(j);

	json_decref(j);
	return n;
}

/* What a change answered. */
static void changed(size_t n, size_t busy)
{
	json_t *j = json();

	CHECK_NUM(json_integer_value(json_object_get(j, "changed")), n);
	CHECK_NUM(json_integer_value(json_object_get(j, "busy")), busy);
	CHECK(json_is_true(json_object_get(j, "ok")) == !busy);
	json_decref(j);
}

static void test_list(void)
{
	CHECK_NUM(listed(""), 4);
	CHECK_NUM(listed("--to CARL@"), 1);
	CHECK_NUM(listed("--to nobody"), 0);
	CHECK_NUM(listed("--from <>"), 1);
	CHECK_NUM(listed("--from Ann@example.test --destination far.test"), 2);
	CHECK_NUM(listed("--held"), 0);
	CHECK_NUM(run("list"), EXIT_OK);
	CHECK(says(one) && says("ann@example.test, bob@far.test (+1)"));
	CHECK(says("<>, eve@far.test") && says("  4.5K  waiting  "));
	CHECK_NUM(run("list --to nobody"), EXIT_OK);
	CHECK(says("Nothing in the queue fits."));
	CHECK_NUM(run("list --json --to dora@wide.test"), EXIT_OK);
	json_t *j = json(), *row = json_array_get(j, 0);
	CHECK_STR(str_of(json_string_value(json_object_get(row, "id"))), one);
	CHECK_STR(str_of(json_string_value(json_object_get(row, "guarantee"))), "encrypted");
	CHECK(json_is_null(json_object_get(row, "courier")));
	json_decref(j);
}

static void test_summary(void)
{
	CHECK_NUM(run("summary --json"), EXIT_OK);
	json_t *j = json(), *all = json_object_get(j, "all");
	json_t *rows = json_object_get(j, "destinations");
	CHECK_NUM(json_integer_value(json_object_get(all, "entries")), 4);
	CHECK_NUM(json_integer_value(json_object_get(all, "waiting")), 5);
	CHECK_NUM(json_array_size(rows), 2);
	json_t *first = json_array_get(rows, 0);
	CHECK_STR(str_of(json_string_value(json_object_get(first, "destination"))), "far.test");
	CHECK_NUM(json_integer_value(json_object_get(first, "entries")), 3);
	CHECK(json_integer_value(json_object_get(first, "oldest")) > 1700000000);
	json_decref(j);
	CHECK_NUM(run("%s", ""), EXIT_OK);
	CHECK(says("DESTINATION  ENTRIES  WAITING  HELD") && says("wide.test"));
}

static void test_show(void)
{
	CHECK_NUM(run("show %s --lang en", one), EXIT_OK);
	CHECK(says("Sender       ann@example.test\n") && says("Subject      one\n"));
	CHECK(says("To far.test\nbob@far.test\n  The first try is made on "));
	CHECK(says("Asked for    encrypted only"));
	CHECK(str_find_str(out, S("secret words")) == out.n);
	CHECK_NUM(run("show %s --lang=de", one), EXIT_OK);
	CHECK(says("Betreff      one") && says("Der erste Versuch geschieht am "));
	CHECK_NUM(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
	CHECK_NUM(run("show %s", one), EXIT_OK);
	CHECK(says("Absender     ann@example.test"));
	CHECK(says("Größe        "));
	CHECK_NUM(setenv("LC_ALL", "C", 1), 0);
	CHECK_NUM(run("show %s", two), EXIT_OK); /* nothing in it leads a terminal */
	CHECK(says("Subject      two [2J"));
	CHECK_NUM(run("show %s --json", one), EXIT_OK);
	json_t *j = json(), *entry = json_array_get(json_object_get(j, "entries"), 0);
	json_t *r = json_array_get(json_object_get(entry, "recipients"), 0);
	CHECK_STR(str_of(json_string_value(json_object_get(j, "subject"))), "one");
	CHECK_STR(str_of(json_string_value(json_object_get(j, "message_id"))),
		  "<one@example.test>");
	CHECK(json_string_length(json_object_get(r, "sentence")) > 20);
	json_decref(j);
	CHECK_NUM(run("show %s --lang fr", one), EXIT_FAILED);
	CHECK_NUM(run("show 0000000000000"), EXIT_NOTFOUND);
	CHECK_NUM(run("show something"), EXIT_FAILED);
}

static void wait_for_bob(void)
{
	tried("far.test", QUEUE_WAITING,
	      (struct queue_reply){ .when = clock_wall(),
				    .code = 451,
				    .status = { 4, 7, 1 },
				    .text = S("come back\r\nlater"),
				    .host = S("mx.far.test"),
				    .ip = S("192.0.2.7"),
				    .tls = S("TLSv1.3"),
				    .cipher = S("TLS_AES_256_GCM_SHA384"),
				    .group = S("X25519MLKEM768"),
				    .auth = QUEUE_OPPORTUNISTIC });
}

static void test_receipts(void)
{
	CHECK_NUM(run("receipt %s", one), EXIT_NOTFOUND); /* no try yet */
	on_store(deliver_wide);
	CHECK_NUM(listed(""), 3);
	CHECK_NUM(run("receipt --lang en --user ann@example.test one@example.test"), EXIT_OK);
	CHECK(says("<one@example.test> of ann@example.test\ndora@wide.test: delivered, "));
	CHECK(says("  mx.wide.test [192.0.2.8], TLSv1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768, "
		   "encrypted, the server proved itself (DANE)\n  250 2.0.0 taken\n"));
	CHECK_NUM(run("receipt <one@example.test> --lang de"), EXIT_OK);
	CHECK(says("dora@wide.test: zugestellt, "));
	on_store(wait_for_bob);
	CHECK_NUM(run("receipt %s --json", one), EXIT_OK);
	json_t *j = json(), *rows = json_object_get(json_array_get(j, 0), "recipients");
	CHECK(json_array_size(j) == 1 && json_array_size(rows) == 3);
	json_decref(j);
	CHECK_NUM(run("receipt %s --lang en", three), EXIT_OK); /* nobody's mail */
	CHECK(says("eve@far.test: not delivered yet, ") && says("451 4.7.1 come back later\n"));
	CHECK_NUM(run("receipt unknown@example.test"), EXIT_NOTFOUND);
	CHECK_NUM(run("receipt --user nobody@example.test one@example.test"), EXIT_NOTFOUND);
	CHECK_NUM(run("show %s --lang en", one), EXIT_OK);
	CHECK(says("mx.far.test said: \"451 4.7.1 come back later\". "));
	CHECK(says("encrypted, the server did not prove itself; 1 try)"));
	CHECK_NUM(run("list"), EXIT_OK);
	CHECK(says("               mx.far.test: 451 4.7.1 come back later\n"));
}

static void take_lease(void)
{
	uint64_t id;
	size_t n;

	CHECK(queue_id_read(str_of(two), &id));
	struct queue_lease l = { queue_shard(id),    S("far.test"), S("courier1"),
				 clock_wall() + 100, 600,           1 };
	CHECK_NUM(queue_lease(st, &l, a, ARENA_NEW(a, struct queue_job), &n), OK);
	CHECK_NUM(n, 1);
}

static void test_orders(void)
{
	CHECK_NUM(run("hold --json %s %s", one, three), EXIT_OK);
	changed(2, 0);
	CHECK_NUM(listed("--held"), 2);
	CHECK_NUM(run("release --json --all --held --from ann@example.test --yes"), EXIT_OK);
	changed(1, 0);
	CHECK_NUM(listed("--held"), 1);
	CHECK_NUM(run("hold --json %s --destination elsewhere.test", one), EXIT_NOTFOUND);
	CHECK_NUM(run("move --json %s Smart.Example.Test", one), EXIT_OK);
	changed(1, 0);
	CHECK_NUM(listed("--destination [smart.example.test]"), 1);
	CHECK_NUM(run("show %s --lang en", one), EXIT_OK);
	CHECK(says("The next try (1 so far) is made at once; on "));
	CHECK_NUM(run("list"), EXIT_OK);
	CHECK(says("  waiting  at once  "));
	CHECK_NUM(run("move %s -", one), EXIT_OK);
	CHECK(says("1 entry to go another way, now"));
	CHECK_NUM(listed("--destination far.test"), 3);
	CHECK_NUM(run("move %s not_a..host", one), EXIT_FAILED);
	CHECK_NUM(run("retry --json %s 0000000000000", one), EXIT_NOTFOUND);
	CHECK_NUM(run("retry"), EXIT_FAILED);
	CHECK_NUM(run("retry --held --yes"), EXIT_FAILED); /* --all is not said */
	CHECK_NUM(run("retry --all %s", one), EXIT_FAILED);
	CHECK_NUM(run("retry --all"), EXIT_FAILED); /* nobody can be asked here, or says no */
	CHECK_NUM(run("retry x"), EXIT_FAILED);
	CHECK_NUM(run("move --all --yes"), EXIT_USAGE);

	on_store(take_lease);
	CHECK_NUM(run("delete --json %s", two), EXIT_FAILED);
	changed(0, 1);
	CHECK_NUM(run("list --json --to eve@far.test --from ann@example.test"), EXIT_OK);
	CHECK(says("\"courier\": \"courier1\"") && says("\"state\": \"sending\""));
	CHECK_NUM(run("delete --json --all --yes"), EXIT_FAILED); /* all others are gone */
	changed(2, 1);
	CHECK_NUM(listed(""), 1);
}

static void fill_many(void)
{
	static const char *const to[] = { "x@many.test" };

	for (unsigned i = 0; i < MANY; i++)
		put("ann@example.test", to, 1, "many");
}

/* More than a page, all of them once, the oldest first. */
static void test_pages(void)
{
	on_store(fill_many);
	CHECK_NUM(run("list --json --destination many.test"), EXIT_OK);
	json_t *j = json();
	CHECK_NUM(json_array_size(j), MANY);
	for (size_t i = 1; i < json_array_size(j); i++) {
		const char *was =
			json_string_value(json_object_get(json_array_get(j, i - 1), "id"));
		const char *is = json_string_value(json_object_get(json_array_get(j, i), "id"));
		CHECK(strcmp(was, is) < 0);
	}
	json_decref(j);
	CHECK_NUM(run("delete --json --all --destination many.test --yes"), EXIT_OK);
	changed(MANY, 0);
	CHECK_NUM(listed("--destination many.test"), 0);
}

static void test_empty(void)
{
	CHECK_NUM(run("list"), EXIT_OK);
	CHECK(says("The queue is empty."));
	CHECK_NUM(listed(""), 0);
	CHECK_NUM(run("summary"), EXIT_OK);
	CHECK(says("The queue is empty."));
	CHECK_NUM(run("retry --all --yes"), EXIT_OK);
	CHECK(says("0 entries to be tried now"));
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *where)
{
	(void)s, (void)flag, (void)where;
	return remove(path);
}

int main(void)
{
	char path[64];

	CHECK_NUM(setenv("LC_ALL", "C", 1), 0);
	a = arena_new(SIZE_MAX);
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/tecsmail.conf", dir);
	FILE *f = fopen(path, "w");
	CHECK(f && fprintf(f, "state = .\n") > 0 && fclose(f) == 0);
	test_empty();
	on_store(fill);
	test_list();
	test_summary();
	test_show();
	test_receipts();
	test_orders();
	test_pages();
	CHECK_NUM(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	arena_free(&a);
	return check_done();
}
