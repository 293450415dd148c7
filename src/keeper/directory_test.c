/* SPDX-License-Identifier: ISC */
/* Tests of the records: what is made, refused, listed, removed, and what a crash leaves. */
#include "box/box.h"
#include "keeper/keeper_test.h"
#include "keeper/record.h"

static struct arena *a;
static const struct secret horse = { .hash = { HORSE, sizeof(HORSE) - 1 } };
static struct store *st;

static void test_domains(void)
{
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	CHECK_NUM(directory_domain_add(st, S("example.test")), E_EXISTS);
	CHECK_NUM(directory_domain_add(st, S("example.org")), OK);
	CHECK_NUM(directory_domain_delete(st, S("example.net")), E_NOTFOUND);
	CHECK_NUM(directory_domain_delete(st, S("example.org")), OK);
	CHECK_NUM(directory_domain_delete(st, S("example.org")), E_NOTFOUND);

	/* The shorter name is not in the way of the longer. */
	CHECK_NUM(directory_domain_add(st, S("example.tes")), OK);
	CHECK_NUM(directory_domain_delete(st, S("example.tes")), OK);
}

static void test_users(void)
{
	uint32_t account = 0, one = test_user(st, a, "Demo1@example.test");
	struct user u = { 0 };
	struct mailbox_info box;

	CHECK(one > 0);
	CHECK_NUM(directory_user_add(st, test_name(a, "demo1@example.test"), &horse, 0, &account),
		  E_EXISTS);
	CHECK_NUM(directory_user_add(st, test_name(a, "demo1@example.org"), &horse, 0, &account),
		  E_NOTFOUND);
	CHECK_NUM(directory_user(st, test_name(a, "DEMO1@example.test"), a, &u), OK);
	CHECK_NUM(u.account, one);
	CHECK_NUM(u.state, USER_ACTIVE);
	CHECK_STR(name_text(a, u.name), "demo1@example.test");
	CHECK_NUM(box_status(st, one, S("INBOX"), a, &box), OK);
	CHECK_NUM(directory_domain_delete(st, S("example.test")), E_DENIED);

	/* Numbers are never given again, and all goes that was the user's. */
	struct secret s = { 0 };
	CHECK_NUM(directory_secret(st, one, a, &s), OK);
	CHECK_NUM(directory_user_delete(st, test_name(a, "demo1@example.test"), &account), OK);
	CHECK_NUM(account, one);
	CHECK_NUM(directory_user_delete(st, test_name(a, "demo1@example.test"), &account),
		  E_NOTFOUND);
	CHECK_NUM(directory_secret(st, one, a, &s), E_NOTFOUND);
	CHECK_NUM(box_status(st, one, S("INBOX"), a, &box), E_NOTFOUND);
	CHECK(test_user(st, a, "demo1@example.test") > one);
}

static void test_secrets(void)
{
	struct secret before = { 0 }, after = { 0 };
	struct user u = { 0 };

	CHECK_NUM(directory_user(st, test_name(a, "demo1@example.test"), a, &u), OK);
	CHECK_NUM(directory_secret(st, u.account, a, &before), OK);
	CHECK_STR(before.hash, HORSE);
	CHECK_NUM(directory_secret_set(st, u.account, S("$y$another")), OK);
	CHECK_NUM(directory_secret(st, u.account, a, &after), OK);
	CHECK_STR(after.hash, "$y$another");
	CHECK(after.serial > before.serial);
}

static void test_aliases(void)
{
	struct name targets[2] = { test_name(a, "demo1@example.test"),
				   test_name(a, "x@elsewhere.test") };
	struct name info = test_name(a, "Info@example.test");
	uint32_t account;

	CHECK_NUM(directory_alias_add(st, info, targets, 2), OK);
	CHECK_NUM(directory_alias_add(st, info, targets, 1), E_EXISTS);
	CHECK_NUM(directory_alias_add(st, test_name(a, "demo1@example.test"), targets, 1),
		  E_EXISTS);
	CHECK_NUM(directory_alias_add(st, test_name(a, "x@elsewhere.test"), targets, 1),
		  E_NOTFOUND);
	CHECK_NUM(directory_alias_add(st, test_name(a, "y@example.test"), targets, 0), E_LIMIT);
	CHECK_NUM(directory_user_add(st, info, &horse, 0, &account), E_EXISTS);
	CHECK_NUM(directory_alias_delete(st, test_name(a, "y@example.test")), E_NOTFOUND);
	CHECK_NUM(directory_alias_delete(st, info), OK);
	CHECK_NUM(directory_alias_delete(st, info), E_NOTFOUND);
}

static void test_lists(void)
{
	struct page p = { .max = 2, .domain = S("many.test") };
	struct user *u;
	char text[64];
	size_t n = 0;

	CHECK_NUM(directory_domain_add(st, S("many.test")), OK);
	CHECK_NUM(directory_domain_add(st, S("many.test2")), OK);
	test_user(st, a, "other@many.test2");
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "user%d@many.test", i);
		test_user(st, a, text);
	}
	do {
		CHECK_NUM(directory_users(st, &p, a, &u), OK);
		for (size_t i = 0; i < p.n; i++, n++) {
			snprintf(text, sizeof(text), "user%zu", n);
			CHECK_STR(u[i].name.local, text);
		}
		p.after = p.last;
	} while (p.more && n < 100);
	CHECK_NUM(n, 5);

	struct domain_row *d;
	p = (struct page){ .max = 10 };
	CHECK_NUM(directory_domains(st, &p, a, &d), OK);
	CHECK_NUM(p.n, 3);
	CHECK(!p.more);
	CHECK_STR(d[0].domain, "example.test");
	CHECK_STR(d[2].domain, "many.test2");

	struct alias *l;
	test_alias(st, a, "*@many.test", "user1@many.test user2@many.test");
	p = (struct page){ .max = 10 };
	CHECK_NUM(directory_aliases(st, &p, a, &l), OK);
	CHECK_NUM(p.n, 1);
	CHECK_STR(name_text(a, l[0].name), "*@many.test");
	CHECK_NUM(l[0].ntargets, 2);
}

/* As a crash between two steps of directory_user_add or _delete leaves it. */
static enum err half_done(struct tx *tx, void *arg)
{
	uint32_t account = *(uint32_t *)arg;
	struct name n = { S("half"), S("example.test") };

	tx_put(tx, key_account(tx_arena(tx), 'x', account), record_name(tx_arena(tx), n));
	return OK;
}

static void test_leftovers(void)
{
	uint32_t account = 4711;
	struct mailbox_info box;
	struct secret s;

	CHECK_NUM(store_update(st, S(DIRECTORY_PARTITION), half_done, &account), OK);
	CHECK_NUM(directory_secret_set(st, account, S(HORSE)), OK);
	CHECK_NUM(box_account_create(st, account), OK);
	CHECK_NUM(directory_erase_all(st), OK);
	CHECK_NUM(directory_secret(st, account, a, &s), E_NOTFOUND);
	CHECK_NUM(box_status(st, account, S("INBOX"), a, &box), E_NOTFOUND);
	CHECK_NUM(directory_erase_all(st), OK);

	struct user u;
	CHECK_NUM(directory_user(st, test_name(a, "user1@many.test"), a, &u), OK);
	CHECK_NUM(box_status(st, u.account, S("INBOX"), a, &box), OK);
}

static enum err future(struct tx *tx, void *arg)
{
	(void)arg;
	tx_put(tx, S("u/example.test/future"),
	       S("\xff"
		 "whatever"));
	tx_put(tx, S("u/example.test/broken"),
	       S("\x01"
		 "?"));
	tx_put(tx, S("u/example.test/empty"), S(""));
	return OK;
}

static void test_versions(void)
{
	struct user u;

	CHECK_NUM(store_update(st, S(DIRECTORY_PARTITION), future, NULL), OK);
	CHECK_NUM(directory_user(st, test_name(a, "future@example.test"), a, &u), E_VERSION);
	CHECK_NUM(directory_user(st, test_name(a, "broken@example.test"), a, &u), E_CORRUPT);
	CHECK_NUM(directory_user(st, test_name(a, "empty@example.test"), a, &u), E_CORRUPT);
}

static void run(void *arg)
{
	(void)arg;
	a = arena_new(16 << 20);
	st = test_store(a);
	test_domains();
	test_users();
	test_secrets();
	test_aliases();
	test_lists();
	test_leftovers();
	test_versions();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
