/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/flags.h"

int main(void)
{
	static const char *const good[] = { "a", "$Forwarded", "NonJunk", "x-y_z!", "+1", "a[b" };
	static const char *const bad[] = { "",   " ",   "a b", "\\Seen", "a*",   "%",        "(",
					   "a)", "{1}", "\"",  "a]",     "\x7f", "\xc3\xa4", "\t" };
	struct arena *a = arena_new(1024);
	char longest[KEYWORD_LEN_MAX + 1];

	CHECK_NUM(flag_system(S("\\seen")), FLAG_SEEN);
	CHECK_NUM(flag_system(S("\\Draft")), FLAG_DRAFT);
	CHECK_NUM(flag_system(S("\\Recent")), 0);
	CHECK_NUM(flag_system(S("Seen")), 0);
	for (size_t i = 0; i < LENGTH(flag_names); i++)
		CHECK_NUM(flag_system(str_of(flag_names[i])), 1 << i);
	for (size_t i = 0; i < LENGTH(good); i++)
		CHECK(keyword_ok(str_of(good[i])));
	for (size_t i = 0; i < LENGTH(bad); i++)
		CHECK(!keyword_ok(str_of(bad[i])));
	CHECK(!keyword_ok(STR("a\0b", 3)));
	memset(longest, 'k', sizeof longest);
	CHECK(keyword_ok(STR(longest, KEYWORD_LEN_MAX)));
	CHECK(!keyword_ok(STR(longest, KEYWORD_LEN_MAX + 1)));
	arena_free(&a);
	return check_done();
}
