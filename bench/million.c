/* SPDX-License-Identifier: ISC */
/*
 * What a mailbox costs with 100 and with 1,000,000 messages: opening it, bringing a view up to
 * date, walking all messages, and the memory that takes.
 *
 *   million [mem:|lmdb:DIR] [messages]
 */
#include <time.h>

#include "box/change.h"
#include "box/view.h"

enum { EACH_UPDATE = 16384, ROUNDS = 21 };

static struct store *st;
static struct arena *mem;
static const char *where = "mem:";
static uint32_t messages = 1000000;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Private memory of this process: without the pages of a mapped database. */
static long anonymous_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = 0;

	while (f && fgets(line, sizeof line, f)) {
		struct scan in = scan(str_trim(str_of(line)));

		if (!scan_opt(&in, "RssAnon:"))
			continue;
		in.rest = str_trim(in.rest);
		kib = (long)scan_num(&in, INT32_MAX);
	}
	if (f)
		fclose(f);
	return kib;
}

static void must(enum err e, const char *what)
{
	if (!e)
		return;
	fprintf(stderr, "%s: %s\n", what, err_text(e));
	exit(1);
}

/* --- a mailbox of n messages that share one blob --- */

struct fill {
	struct blob_id blob;
	uint32_t n;
};

static enum err fill(struct tx *tx, void *arg)
{
	const struct fill *f = arg;
	struct account ac;
	struct mailbox *mb;
	uint32_t uid;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_load(&ac, ac.rec.inbox, &mb);
	for (uint32_t i = 0; !e && i < f->n; i++) {
		struct msg m = { .size = 4,
				 .arrived = 1700000000 + i,
				 .blob = f->blob,
				 .flags = i % 10 ? FLAG_SEEN : 0 };

		e = tx_blob_ref(tx, f->blob);
		if (!e)
			e = mailbox_add(mb, &m, &uid);
	}
	if (!e)
		e = mailbox_save(mb);
	if (!e)
		account_save(&ac);
	return e;
}

static void make(uint32_t account, uint32_t n)
{
	struct key part = key_partition(account);
	struct blob *blob = blob_new(st);
	struct fill f;

	must(box_account_create(st, account), "account");
	must(blob_write(blob, S("mail")), "blob");
	must(blob_finish(blob, S(""), &f.blob), "blob");
	while (n) {
		f.n = n < EACH_UPDATE ? n : EACH_UPDATE;
		must(store_update(st, key_str(&part), fill, &f), "fill");
		n -= f.n;
	}
	blob_close(&blob);
}

/* --- measuring --- */

static int by_value(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static double open_ms(uint32_t account)
{
	double t[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct box *b;
		double start = now_ms();

		must(box_open(st, account, S("INBOX"), &b), "open");
		t[i] = now_ms() - start;
		box_close(&b);
	}
	qsort(t, ROUNDS, sizeof *t, by_value);
	return t[ROUNDS / 2];
}

static enum err count_chunks(struct tx *tx, void *arg)
{
	struct str key = S(""), value;
	unsigned *n = arg;

	while (!tx_next(tx, S("c/"), key, &key, &value))
		++*n;
	return OK;
}

struct seen {
	uint32_t n;
	long most_kib;
};

static enum err see(void *arg, uint32_t number, const struct msg *m)
{
	struct seen *s = arg;

	(void)m;
	s->n++;
	if (number % 50000 == 0 && anonymous_kib() > s->most_kib)
		s->most_kib = anonymous_kib();
	return OK;
}

static void measure(uint32_t account, uint32_t n)
{
	struct uidset all = uidset_one(mem, 1, UINT32_MAX), kept;
	struct flag_change ch = { .op = FLAG_ADD,
				  .flags = FLAG_FLAGGED,
				  .unless_after = UINT64_MAX };
	struct key part = key_partition(account);
	struct seen s = { 0 };
	struct box *b;
	unsigned chunks = 0;

	must(store_read(st, key_str(&part), count_chunks, &chunks), "count");
	printf("%u messages: open %.3f ms, keys read %u", n, open_ms(account), 2 + chunks);
	long before = anonymous_kib();

	must(box_open(st, account, S("INBOX"), &b), "open");
	printf(", view %ld KiB", anonymous_kib() - before);
	before = s.most_kib = anonymous_kib();
	double start = now_ms();

	must(box_each(b, all, see, &s), "each");
	printf("; walk of %u %.1f ms, %ld KiB more", s.n, now_ms() - start, s.most_kib - before);
	start = now_ms();
	struct uidset unseen = box_seen(b, mem, false);

	printf("; unseen %llu in %.3f ms", (unsigned long long)uidset_count(unseen),
	       now_ms() - start);
	start = now_ms();
	must(box_flags(b, uidset_one(mem, n / 2, n / 2), &ch, mem, &kept), "flags");
	printf("; one flag %.3f ms", now_ms() - start);
	start = now_ms();
	must(box_sync(b, true, NULL), "sync");
	printf(", sync %.3f ms", now_ms() - start);
	start = now_ms();
	must(box_flags(b, all, &ch, mem, &kept), "flags");
	printf("; all flags %.1f ms", now_ms() - start);
	start = now_ms();
	must(box_check(st, account, &(struct box_report){ 0 }), "check");
	printf("; check %.1f ms\n", now_ms() - start);
	box_close(&b);
}

static void run(void *arg)
{
	struct str why = S("");

	(void)arg;
	mem = arena_new(SIZE_MAX);
	if (store_open(str_of(where), mem, &st, &why)) {
		fprintf(stderr, "%.*s\n", FMT(why));
		exit(1);
	}
	double start = now_ms();

	make(1, 100);
	make(2, messages);
	printf("made in %.1f ms\n", now_ms() - start);
	measure(1, 100);
	measure(2, messages);
	store_close(&st);
	arena_free(&mem);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		where = argv[1];
	if (argc > 2) {
		struct scan in = scan(str_of(argv[2]));

		messages = (uint32_t)scan_num(&in, 100000000);
		if (!scan_end(&in) || !messages)
			return 2;
	}
	fiber_main(run, NULL);
	return 0;
}
