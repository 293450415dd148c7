/* SPDX-License-Identifier: ISC */
/*
 * bench/fill.c - puts mail into the queue of a store, for bench/queue.
 *
 *   fill STORE MAILS OCTETS DOMAIN...
 *
 * Mail number i goes to somebody at DOMAIN i modulo their number; its field X-Id is
 * "i@DOMAIN". STORE is what the configuration calls it ("lmdb:/var/lib/tecsmail/store"), with no
 * courier at work on it meanwhile. Prints the seconds it took.
 */
#include <stdio.h>

#include "base/base.h"
#include "base/clock.h"
#include "box/box.h"
#include "queue/queue.h"

enum { BATCH = 200 }; /* mails a commit */

struct filling {
	char **argv;
	uint64_t mails, octets;
	unsigned domains;
};

static struct incoming *message(struct store *st, const struct filling *f, uint64_t i,
				struct str domain)
{
	struct incoming *in = incoming_new(st);
	struct arena *a = arena_new(64 << 10);
	static const char line[] =
		"A line of text, as there are many in a mail that is not short.\r\n";
	uint64_t n;
	struct str head =
		str_fmt(a,
			"From: <a@bench.example>\r\nTo: <b@%.*s>\r\nSubject: bench\r\n"
			"X-Id: %llu@%.*s\r\nMessage-ID: <%llu@bench.example>\r\n\r\n",
			FMT(domain), (unsigned long long)i, FMT(domain), (unsigned long long)i);

	BUG_IF(incoming_write(in, head) != OK);
	for (n = head.n; n < f->octets; n += sizeof line - 1)
		BUG_IF(incoming_write(in, STR(line, sizeof line - 1)) != OK);
	BUG_IF(incoming_finish(in) != OK);
	arena_free(&a);
	return in;
}

/* One commit. */
static void batch(struct store *st, const struct filling *f, uint64_t from, size_t n)
{
	struct arena *a = arena_new(8 << 20);
	struct incoming *in[BATCH];
	struct queue_put *put = ARENA_ARRAY(a, struct queue_put, n);
	struct queue_recipient *rcpt = ARENA_ARRAY(a, struct queue_recipient, n);
	struct update u[BATCH];

	for (size_t i = 0; i < n; i++) {
		struct str domain = str_of(f->argv[(from + i) % f->domains]);

		in[i] = message(st, f, from + i, domain);
		rcpt[i].address = str_fmt(a, "b@%.*s", FMT(domain));
		put[i].m = (struct queue_message){
			.sender = S("a@bench.example"),
			.submitted = clock_wall(),
			.size = incoming_size(in[i]),
			.blob = incoming_blob(in[i]),
		};
		put[i].rcpt = &rcpt[i];
		put[i].n = 1;
		BUG_IF(queue_prepare(a, &put[i], &u[i]) != OK);
	}
	store_update_all(st, u, n);
	for (size_t i = 0; i < n; i++) {
		BUG_IF(u[i].result != OK);
		incoming_close(&in[i]);
	}
	arena_free(&a);
}

static void fill(void *arg)
{
	const struct filling *f = arg;
	struct arena *a = arena_new(1 << 20);
	struct store *st;
	struct str why;
	int64_t began = clock_ms();

	if (store_open(str_of(f->argv[-3]), a, &st, &why)) {
		fprintf(stderr, "fill: %.*s\n", FMT(why));
		exit(1);
	}
	for (uint64_t i = 0; i < f->mails; i += BATCH)
		batch(st, f, i, f->mails - i < BATCH ? (size_t)(f->mails - i) : BATCH);
	store_close(&st);
	arena_free(&a);
	printf("%.3f\n", (double)(clock_ms() - began) / 1000);
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: fill STORE MAILS OCTETS DOMAIN...\n");
		return 2;
	}
	struct filling f = { argv + 4, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
			     (unsigned)argc - 4 };

	fiber_main(fill, &f);
	return 0;
}
