/* SPDX-License-Identifier: ISC */
/* Tests of the lists of those who came without encryption: from the mx's call to the owner's mail.
 */
#include "keeper/refused.h"

#include "base/clock.h"
#include "base/log.h"
#include "box/box.h"
#include "keeper/keeper_test.h"
#include "keeper/serve_priv.h"

enum { DAY_S = 24 * 3600 };

static struct arena *a;
static struct store *st;
static uint32_t anna, ben;

static struct refusal_row row(const char *sender, int64_t when)
{
	return (struct refusal_row){ .sender = str_of(sender),
				     .to = S("anna@example.test"),
				     .host = S("mail.far.test"),
				     .ip = S("192.0.2.7"),
				     .first = when,
				     .last = when,
				     .count = 1 };
}

static void test_list(void)
{
	struct refusals *l = ARENA_NEW(a, struct refusals), *again = ARENA_NEW(a, struct refusals);

	for (unsigned i = 0; i < 3; i++) {
		struct refusal_row r = row("eve@far.test", 1000 + i);
		refusals_add(l, &r);
	}
	CHECK(l->n == 1 && l->since == 1000);
	CHECK(l->row[0].count == 3 && l->row[0].first == 1000 && l->row[0].last == 1002);
	for (unsigned i = 0; i < REFUSALS_MAX + 7; i++) {
		struct refusal_row r = row(str_c(a, str_fmt(a, "e%u@far.test", i)), 2000);
		refusals_add(l, &r);
	}
	CHECK_NUM(l->n, REFUSALS_MAX);
	CHECK_NUM(l->others, 8);
	struct refusal_row full = row("eve@far.test", 3000);
	full.count = UINT32_MAX;
	refusals_add(l, &full);
	CHECK_NUM(l->row[0].count, UINT32_MAX);

	struct str value = refusals_record(a, l);
	CHECK_NUM(refusals_read(value, again), OK);
	CHECK(again->n == l->n && again->others == 8 && again->since == 1000);
	CHECK(refusal_same(&again->row[REFUSALS_MAX - 1], &l->row[REFUSALS_MAX - 1]));
	for (size_t n = 1; n < value.n; n++)
		CHECK_NUM(refusals_read(str_part(value, 0, n), again), E_CORRUPT);
	CHECK_NUM(refusals_read(S(""), again), E_CORRUPT);
	CHECK_NUM(refusals_read(S("\x02"), again), E_VERSION);
}

static void test_text(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "eve@far.test", "eve@far.test" },
		{ "mail-1.far.test", "mail-1.far.test" },
		{ "[192.0.2.7]", "[192.0.2.7]" },
		{ "Call now: http://x.test/\n\n", "Call?now??http?//x.test/??" },
		{ "\"a b\"@far.test", "?a?b?@far.test" },
		{ "m\xc3\xb6ller@far.test", "m??ller@far.test" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		CHECK_STR(refusal_text(a, str_of(rows[i].in)), rows[i].out);
	CHECK_NUM(refusal_text(a, STR((char *)arena_alloc(a, 500), 500)).n, REFUSAL_TEXT_MAX);
}

/* --- with a keeper, by the clock --- */

static struct keeping *keeping;
static struct keeper *k;

/* What was reported gets there while something else is asked. */
static void report(void)
{
	for (unsigned turn = 0; turn < 10; turn++)
		CHECK_NUM(keeper_domain(k, S("example.test")), OK);
}

static void refuse(uint32_t account, const char *sender, const char *to)
{
	struct keeper_refusal r = { .account = &account,
				    .n = 1,
				    .from = { str_of(sender), S("far.test") },
				    .to = { str_of(to), S("example.test") },
				    .ip = S("192.0.2.7"),
				    .host = S("mail.far.test") };

	keeper_refused(k, &r);
}

/* Time goes on: the fibers that wait for it have their turns. */
static void later(int64_t s)
{
	for (unsigned i = 0; i < 3; i++) {
		clock_fake_step(i ? 2000 : s * 1000);
		report();
		report();
	}
}

static size_t waiting(uint32_t account)
{
	struct refusals *l = ARENA_NEW(a, struct refusals);

	CHECK_NUM(refused_list(st, account, a, l), OK);
	return l->n;
}

static uint32_t mails(uint32_t account)
{
	struct mailbox_info info = { 0 };

	CHECK_NUM(box_status(st, account, S("INBOX"), a, &info), OK);
	return info.messages;
}

/* The account's first mail. */
static struct str mail(uint32_t account)
{
	struct box *box;
	struct msg m;
	struct str text = S("");

	if (!CHECK_NUM(box_open(st, account, S("INBOX"), &box), OK))
		return text;
	if (CHECK_NUM(box_get(box, box_uid(box, 1), &m), OK))
		CHECK_NUM(box_read(box, &m, 0, 65536, a, &text), OK);
	box_close(&box);
	return text;
}

static bool says(uint32_t account, const char *text)
{
	struct str whole = mail(account);

	return str_find_str(whole, str_of(text)) < whole.n;
}

static void test_told(void)
{
	refuse(anna, "eve", "anna");
	refuse(anna, "eve", "anna");
	refuse(ben, "bot", "all");
	report();
	later(3600);
	refuse(anna, "mallory", "anna");
	later(60);
	CHECK_NUM(waiting(anna), 2);
	CHECK(!mails(anna) && !mails(ben));
	later(DAY_S - 3600 - 200);
	CHECK(!mails(anna) && !mails(ben));
	later(300);
	CHECK(mails(anna) == 1 && mails(ben) == 1);
	CHECK(!waiting(anna) && !waiting(ben));
	CHECK(says(anna, "From: Postmaster <postmaster@example.test>\r\nTo: <anna@example.test>"));
	CHECK(says(anna, "Subject: Unverschluesselte Mails abgewiesen / Unencrypted mail was"));
	CHECK(says(anna, "eve@far.test -> anna@example.test\r\n"
			 "    mail.far.test [192.0.2.7], 2 x, "));
	CHECK(says(anna, "mallory@far.test -> anna@example.test\r\n"));
	CHECK(says(ben, "bot@far.test -> all@example.test\r\n"));
	later(2 * DAY_S);
	CHECK(mails(anna) == 1 && mails(ben) == 1);
	/* The next day begins with the next one. */
	refuse(anna, "eve", "anna");
	report();
	later(DAY_S - 100);
	CHECK_NUM(mails(anna), 1);
	later(200);
	CHECK_NUM(mails(anna), 2);
}

/* What was written is told by the next keeper; so much is kept of one that ends. */
static void test_kept(const struct keeping_conf *conf)
{
	refuse(ben, "late", "ben");
	report();
	refused_close(&keeping->refused);
	CHECK_NUM(waiting(ben), 1);
	CHECK_NUM(refused_new(st, conf->refused_tell_s, &keeping->refused), OK);
	report();
	later(DAY_S + 100);
	CHECK_NUM(mails(ben), 2);
}

static void test_gone(void)
{
	uint32_t carl = test_user(st, a, "carl@example.test"), account;

	refuse(carl, "eve", "carl");
	refuse(4711, "eve", "nobody");
	later(10);
	CHECK(waiting(carl) == 1 && waiting(4711) == 1);
	CHECK_NUM(directory_user_delete(st, test_name(a, "carl@example.test"), &account), OK);
	CHECK(waiting(carl) == 0);
	later(DAY_S + 100);
	CHECK_NUM(waiting(4711), 0);
}

static void test_flood(void)
{
	for (unsigned i = 0; i < 20; i++) {
		for (unsigned j = 0; j < 50; j++)
			refuse(anna, str_c(a, str_fmt(a, "s%u.%u", i, j)), "anna");
		report();
	}
	later(10);
	CHECK_NUM(waiting(anna), REFUSALS_MAX);
	later(DAY_S + 100);
	CHECK_NUM(mails(anna), 3);
}

static void test_all(void *arg)
{
	struct keeping_conf conf = { .refused_tell_s = DAY_S };
	struct peer *asked, *denied;
	int fds[2];

	(void)arg;
	clock_fake_step(0);
	a = arena_new(64 << 20);
	st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	anna = test_user(st, a, "anna@example.test");
	ben = test_user(st, a, "ben@example.test");
	CHECK_NUM(keeping_new(st, &conf, &keeping), OK);
	CHECK_NUM(ipc_pair(fds), OK);
	asked = peer_new(fds[0], keeping_service(keeping, FACE_MX));
	k = keeper_new();
	keeper_connect(k, fds[1]);
	test_list();
	test_text();
	test_told();
	test_kept(&conf);
	test_gone();
	test_flood();
	/* A session has nobody to refuse. */
	CHECK_NUM(ipc_pair(fds), OK);
	denied = peer_new(fds[0], keeping_service(keeping, FACE_SESSION));
	keeper_connect(k, fds[1]);
	refuse(ben, "eve", "ben");
	later(10);
	CHECK_NUM(waiting(ben), 0);
	keeper_close(&k);
	peer_close(&asked);
	peer_close(&denied);
	keeping_close(&keeping);
	store_close(&st);
	arena_free(&a);
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

int main(void)
{
	log_capture(quiet, NULL);
	fiber_main(test_all, NULL);
	return check_done();
}
