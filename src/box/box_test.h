/* SPDX-License-Identifier: ISC */
#ifndef BOX_BOX_TEST_H
#define BOX_BOX_TEST_H
/*
 * box_test.h - what the tests of this room share. A test runs on the engine that its argument
 * names: "mem", or "lmdb" in a directory of its own that is removed at the end.
 */
#include <dirent.h>
#include <unistd.h>

#include "box/box.h"
#include "box/layout.h"
#include "check.h"
#include "fiber/fiber.h"

static struct store *st;
static struct arena *mem; /* of the test */
static char test_dir[] = "/tmp/tecsmail-box-XXXXXX";
static const char *test_engine;
static void (*test_body)(void);

static inline void open_store(void)
{
	struct str where = S("mem:"), why;

	if (str_is(str_of(test_engine), "lmdb"))
		where = str_fmt(mem, "lmdb:%s/store", test_dir);
	if (!CHECK_NUM(store_open(where, mem, &st, &why), OK)) {
		fprintf(stderr, "%.*s\n", FMT(why));
		exit(1);
	}
}

static inline void remove_tree(struct str path)
{
	struct arena *a = arena_new(65536);
	DIR *d = opendir(str_c(a, path));
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			remove_tree(str_fmt(a, "%.*s/%s", FMT(path), entry->d_name));
	if (d)
		closedir(d);
	(void)!remove(str_c(a, path));
	arena_free(&a);
}

static inline void print_fault(void *arg, struct str sentence)
{
	(void)arg;
	fprintf(stderr, "  %.*s\n", FMT(sentence));
}

static inline void no_progress(void *arg, uint64_t done, uint64_t of)
{
	(void)arg, (void)done, (void)of;
}

/* At the end the engine's own books must be right too: references, checksums. */
static inline void test_main(void *arg)
{
	(void)arg;
	mem = arena_new(SIZE_MAX);
	open_store();
	test_body();
	CHECK_NUM(store_verify(st, &(struct store_report){ print_fault, no_progress, NULL }), OK);
	store_close(&st);
	arena_free(&mem);
}

static inline int run_test(int argc, char **argv, void (*body)(void))
{
	test_engine = argc > 1 ? argv[1] : "mem";
	test_body = body;
	bool disk = str_is(str_of(test_engine), "lmdb");

	if (disk && !mkdtemp(test_dir))
		return 1;
	fiber_main(test_main, NULL);
	if (disk)
		remove_tree(str_of(test_dir));
	return check_done();
}

/* --- messages --- */

static inline struct incoming *mail_of(struct str text)
{
	struct incoming *in = incoming_new(st);

	CHECK_NUM(incoming_write(in, text), OK);
	CHECK_NUM(incoming_finish(in), OK);
	return in;
}

static inline struct incoming *mail(unsigned n)
{
	return mail_of(str_fmt(mem, "Message-ID: <%u@example.test>\r\nSubject: %u\r\n\r\n%u\r\n", n,
			       n, n));
}

/* Delivers one message; its UID, or 0. */
static inline uint32_t deliver(uint32_t account, const char *mailbox, uint64_t flags)
{
	static unsigned n;
	struct incoming *in = mail(++n);
	struct delivery d = { .account = account, .mailbox = str_of(mailbox), .flags = flags };

	box_deliver(st, in, &d, 1);
	incoming_close(&in);
	CHECK_NUM(d.result, OK);
	return d.result ? 0 : d.uid;
}

/* The same message n times, many in one commit; the last UID. */
static inline uint32_t deliver_many(uint32_t account, const char *mailbox, struct incoming *in,
				    unsigned n)
{
	static struct delivery d[500];
	uint32_t uid = 0;

	while (n) {
		unsigned now = n < LENGTH(d) ? n : LENGTH(d);

		for (unsigned i = 0; i < now; i++)
			d[i] = (struct delivery){ .account = account, .mailbox = str_of(mailbox) };
		box_deliver(st, in, d, now);
		for (unsigned i = 0; i < now; i++)
			CHECK(d[i].result == OK && d[i].uid > uid && (uid = d[i].uid));
		n -= now;
	}
	return uid;
}

/* --- soundness --- */

#define CHECK_SOUND(account) \
	CHECK_NUM(box_check(st, (account), &(struct box_report){ print_fault, NULL }), OK)

/* --- what box_sync tells, as text --- */

static struct buf told;

static inline void on_expunged(void *arg, uint32_t number, uint32_t uid)
{
	(void)arg;
	buf_fmt(&told, "-%u(%u) ", number, uid);
}

static inline void on_exists(void *arg, uint32_t exists, uint32_t recent)
{
	(void)arg;
	buf_fmt(&told, "=%u/%u ", exists, recent);
}

static inline void on_changed(void *arg, uint32_t number, const struct msg *m)
{
	(void)arg;
	buf_fmt(&told, "~%u(%u:%llx) ", number, m->uid, (unsigned long long)m->flags);
}

static inline void on_keywords(void *arg)
{
	(void)arg;
	buf_fmt(&told, "k ");
}

static const struct box_changes tell_all = { NULL, on_expunged, on_exists, on_changed,
					     on_keywords };

/* Syncs and gives what was told. */
static inline struct str sync_text(struct box *b, bool expunges)
{
	buf_free(&told);
	told = buf_new(1 << 20);
	CHECK_NUM(box_sync(b, expunges, &tell_all), OK);
	struct str text = str_trim(str_dup(mem, buf_str(&told)));

	buf_free(&told);
	return text;
}

static inline struct box *open_box(uint32_t account, const char *name)
{
	struct box *b = NULL;

	CHECK_NUM(box_open(st, account, str_of(name), &b), OK);
	return b;
}

static inline struct uidset every(void)
{
	return uidset_one(mem, 1, UINT32_MAX);
}

static inline struct str set_text(struct uidset s)
{
	struct buf b = buf_new(1 << 20);

	uidset_put(&b, s);
	struct str text = str_dup(mem, buf_str(&b));

	buf_free(&b);
	return text;
}

static inline struct uidset set_of(const char *text)
{
	struct scan in = scan(str_of(text));

	return uidset_scan(&in, mem, UINT32_MAX);
}

#endif
