/* SPDX-License-Identifier: ISC */
#include "box/box.h"
#include "check.h"

static void ok(void)
{
	static const struct {
		const char *name;
		bool ok;
	} table[] = {
		{ "INBOX", true },
		{ "a/b/c", true },
		{ "B\xc3\xbc"
		  "cher",
		  true },
		{ "R&D", true },
		{ "..", true },
		{ "a.b", true },
		{ " a", true },
		{ "", false },
		{ "/", false },
		{ "/a", false },
		{ "a/", false },
		{ "a//b", false },
		{ "a%b", false },
		{ "*", false },
		{ "a\nb", false },
		{ "a\x7f", false },
		{ "\xc2\x85", false },     /* NEL */
		{ "\xe2\x80\xa8", false }, /* line separator */
		{ "\xff", false },
		{ "\xc3", false },
		{ "\xed\xa0\x80", false }, /* a surrogate */
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK_NUM(mailbox_name_ok(str_of(table[i].name)), table[i].ok))
			fprintf(stderr, "  %s\n", table[i].name);
	CHECK(!mailbox_name_ok(STR("a\0b", 3)));
}

static void limits(struct arena *a)
{
	char *p = arena_alloc(a, MAILBOX_NAME_MAX + 1);

	memset(p, 'x', MAILBOX_NAME_MAX + 1);
	CHECK(mailbox_name_ok(STR(p, MAILBOX_NAME_MAX)));
	CHECK(!mailbox_name_ok(STR(p, MAILBOX_NAME_MAX + 1)));
	for (size_t i = 1; i < 2 * MAILBOX_DEPTH_MAX; i += 2)
		p[i] = '/';
	CHECK(mailbox_name_ok(STR(p, 2 * MAILBOX_DEPTH_MAX - 1)));
	CHECK(!mailbox_name_ok(STR(p, 2 * MAILBOX_DEPTH_MAX + 1)));
}

int main(void)
{
	struct arena *a = arena_new(65536);

	ok();
	limits(a);
	CHECK_STR(mailbox_name_clean(a, S("inBox")), "INBOX");
	CHECK_STR(mailbox_name_clean(a, S("inbox/Sub")), "INBOX/Sub");
	CHECK_STR(mailbox_name_clean(a, S("Inboxes")), "Inboxes");
	CHECK_STR(mailbox_name_clean(a, S("a/inbox")), "a/inbox");
	CHECK_STR(mailbox_name_clean(a, S("a/")), "a");
	CHECK_STR(mailbox_name_clean(a, S("a//")), "a/");
	CHECK_STR(mailbox_name_clean(a, S("/")), "/");
	CHECK_STR(mailbox_name_clean(a, S("")), "");
	arena_free(&a);
	return check_done();
}
