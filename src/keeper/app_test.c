/* SPDX-License-Identifier: ISC */
/* App passwords: their form, finding one among the most there may be, the list in the store. */
#include "base/clock.h"
#include "keeper/app.h"
#include "keeper/keeper_test.h"
#include "keeper/record.h"

static struct arena *a;

static void test_form(void)
{
	struct app app = { 0 }, other = { 0 };
	char text[APP_TEXT + 1], second[APP_TEXT + 1], chars[APP_CHARS];

	app_make(&app, text);
	app_make(&other, second);
	CHECK_NUM(strlen(text), APP_TEXT);
	CHECK(strcmp(text, second) != 0);
	CHECK(memcmp(app.salt, other.salt, APP_SALT) != 0);
	for (size_t i = 0; i < APP_TEXT; i++)
		CHECK((text[i] == '-') == (i % 5 == 4) && !strchr("lo01", text[i]));

	CHECK(app_read(str_of(text), chars));
	CHECK(app_find(&app, 1, chars) == &app);
	CHECK(app_find(&other, 1, chars) == NULL);
	CHECK(app_find(NULL, 0, chars) == NULL);
	chars[23] = chars[23] == 'a' ? 'b' : 'a';
	CHECK(app_find(&app, 1, chars) == NULL);
	/* As people type it. */
	CHECK(app_read(S("ABCD EFGH ijkm NPQR stuv wxyz"), chars));
	CHECK_STR(STR(chars, APP_CHARS), "abcdefghijkmnpqrstuvwxyz");
	CHECK(app_read(S("abcdefghijkmnpqrstuvwxyz"), chars));
	CHECK(!app_read(S("abcdefghijkmnpqrstuvwxy"), chars));
	CHECK(!app_read(S("abcdefghijkmnpqrstuvwxyzz"), chars));
	CHECK(!app_read(S("abcd-efgh-ijkl-npqr-stuv-wxyz"), chars));
	CHECK(!app_read(S("abcd-efgh-ijkm-npqr-stuv-wxy\0"), chars));
	CHECK(!app_read(S("Right-1-Horse"), chars));
	CHECK(!app_read(S(""), chars));
}

static void test_names(void)
{
	char text[APP_NAME_MAX + 1];
	uint8_t bits = 0;

	memset(text, 'x', sizeof(text));
	CHECK(app_name_ok(S("Anna's Telefon \xc3\xbc")));
	CHECK(app_name_ok(STR(text, APP_NAME_MAX)) && !app_name_ok(STR(text, sizeof(text))));
	CHECK(!app_name_ok(S("")) && !app_name_ok(S("a\nb")) && !app_name_ok(S("\xfc")));
	CHECK(app_protocols_read(S(""), &bits) == OK && bits == APP_ALL);
	CHECK(app_protocols_read(S("imap"), &bits) == OK && bits == APP_IMAP);
	CHECK(app_protocols_read(S("Submission,imap"), &bits) == OK);
	CHECK(bits == (APP_IMAP | APP_SUBMISSION));
	CHECK_STR(app_protocols_text(a, bits), "imap,submission");
	CHECK_STR(app_protocols_text(a, APP_ALL), "imap,pop3,submission");
	CHECK_NUM(app_protocols_read(S("imap,"), &bits), E_SYNTAX);
	CHECK_NUM(app_protocols_read(S(",imap"), &bits), E_SYNTAX);
	CHECK_NUM(app_protocols_read(S("smtp"), &bits), E_SYNTAX);
	CHECK_NUM(app_protocol("pop3"), APP_POP3);
	CHECK_NUM(app_protocol("password"), 0);
}

static void test_list(struct store *st)
{
	uint32_t account = test_user(st, a, "demo1@example.test"), id = 0;
	char text[APPS_MAX][APP_TEXT + 1], chars[APP_CHARS];
	struct apps l;
	struct str last;

	CHECK_NUM(directory_apps(st, account, a, &l), OK);
	CHECK_NUM(l.n, 0);
	for (uint32_t i = 0; i <= APPS_MAX; i++) {
		struct app app = { .name = str_fmt(a, "device %u", i),
				   .created = 1000 + i,
				   .protocols = APP_ALL };
		char past[APP_TEXT + 1];
		app_make(&app, i < APPS_MAX ? text[i] : past);
		CHECK_NUM(directory_app_add(st, account, &app), i < APPS_MAX ? OK : E_LIMIT);
		if (i == 0)
			CHECK_NUM(directory_app_add(st, account, &app), E_EXISTS);
	}
	CHECK_NUM(directory_apps(st, account, a, &l), OK);
	CHECK_NUM(l.n, APPS_MAX);
	CHECK_NUM(l.last, APPS_MAX);
	for (size_t i = 0; i < l.n; i++) {
		CHECK(app_read(str_of(text[i]), chars));
		CHECK(app_find(l.app, l.n, chars) == &l.app[i]);
	}
	CHECK_NUM(directory_app_used(st, account, 7, 5000), OK);
	CHECK_NUM(directory_app_used(st, account, 99, 5000), E_NOTFOUND);
	CHECK_NUM(directory_app_delete(st, account, S("device 0"), &id), OK);
	CHECK_NUM(id, 1);
	CHECK_NUM(directory_app_delete(st, account, S("device 0"), &id), E_NOTFOUND);
	CHECK_NUM(directory_apps(st, account, a, &l), OK);
	CHECK_NUM(l.n, APPS_MAX - 1);
	CHECK_NUM(l.app[5].id, 7);
	CHECK_NUM(l.app[5].used, 5000);
	CHECK_NUM(l.app[0].created, 1001);
	struct app again = { .name = S("device 0"), .protocols = APP_IMAP };
	app_make(&again, text[0]);
	CHECK_NUM(directory_app_add(st, account, &again), OK);
	CHECK_NUM(again.id, APPS_MAX + 1); /* a number is never given again */
	CHECK_NUM(directory_user_delete(st, test_name(a, "demo1@example.test"), &account), OK);
	CHECK_NUM(directory_apps(st, account, a, &l), OK);
	CHECK_NUM(l.n, 0);

	/* Records of a newer program, and damaged ones. */
	CHECK_NUM(apps_read(S("\2"), a, &l), E_VERSION);
	CHECK_NUM(apps_read(S(""), a, &l), E_CORRUPT);
	CHECK_NUM(apps_read(S("\1\0\0\0\0\377\0\0\0"), a, &l), E_CORRUPT);
	last = record_apps(a, &(struct apps){ .last = 3 });
	CHECK_NUM(apps_read(last, a, &l), OK);
	CHECK_NUM(apps_read(str_part(last, 0, last.n - 1), a, &l), E_CORRUPT);
}

/* Secrets as the first version of the program wrote them. */
static void test_versions(void)
{
	struct str first = S("\1"
			     "\5\0\0\0\0\0\0\0"
			     "\2\0\0\0\0\0\0\0"
			     "\3\0\0\0$y$");
	struct secret s = { 0 }, back = { 0 };

	CHECK_NUM(secret_read(first, a, &s), OK);
	CHECK_NUM(s.serial, 5);
	CHECK_NUM(s.changed, 2);
	CHECK_STR(s.hash, "$y$");
	CHECK_NUM(s.scram.iterations, 0);
	CHECK_NUM(secret_read(record_secret(a, &s), a, &back), OK);
	CHECK(back.serial == 5 && back.changed == 2 && str_is(back.hash, "$y$"));
	CHECK_NUM(scram_make(S("Right-1-Horse"), &s.scram), OK);
	struct str second = record_secret(a, &s);
	CHECK_NUM(secret_read(second, a, &back), OK);
	CHECK(memcmp(&back.scram, &s.scram, sizeof(s.scram)) == 0);
	for (size_t n = 0; n < second.n; n++)
		CHECK_NUM(secret_read(str_part(second, 0, n), a, &back), E_CORRUPT);
	CHECK_NUM(secret_read(S("\3"), a, &back), E_VERSION);
}

static void run(void *arg)
{
	(void)arg;
	a = arena_new(16 << 20);
	struct store *st = test_store(a);
	CHECK_NUM(directory_domain_add(st, S("example.test")), OK);
	test_form();
	test_names();
	test_list(st);
	test_versions();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
