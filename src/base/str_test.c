/* SPDX-License-Identifier: ISC */
#include "check.h"

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void compares(void)
{
	static const struct {
		const char *a, *b;
		bool eq, ieq, starts, istarts, ends; /* a against b */
		int cmp;
	} rows[] = {
		{ "", "", true, true, true, true, true, 0 },
		{ NULL, "", true, true, true, true, true, 0 },
		{ "a", "", false, false, true, true, true, 1 },
		{ "", "a", false, false, false, false, false, -1 },
		{ "INBOX", "inbox", false, true, false, true, false, -1 },
		{ "inbox", "inbox", true, true, true, true, true, 0 },
		{ "inbox/a", "inbox", false, false, true, true, false, 1 },
		{ "inbox/a", "INBOX", false, false, false, true, false, 1 },
		{ "inbox/a", "/a", false, false, false, false, true, 1 },
		{ "\xe4", "a", false, false, false, false, false, 1 },
		{ "@", "`", false, false, false, false, false, -1 },
		{ "[", "{", false, false, false, false, false, -1 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str a = str_of(rows[i].a), b = str_of(rows[i].b);

		CHECK_NUM(str_eq(a, b), rows[i].eq);
		CHECK_NUM(str_ieq(a, b), rows[i].ieq);
		CHECK_NUM(str_is(a, rows[i].b), rows[i].eq);
		CHECK_NUM(str_iis(a, rows[i].b), rows[i].ieq);
		CHECK_NUM(str_starts(a, b), rows[i].starts);
		CHECK_NUM(str_istarts(a, b), rows[i].istarts);
		CHECK_NUM(str_ends(a, b), rows[i].ends);
		CHECK_NUM(sign(str_cmp(a, b)), rows[i].cmp);
		CHECK_NUM(sign(str_cmp(b, a)), -rows[i].cmp);
		CHECK_NUM(str_ihash(a) == str_ihash(b), rows[i].ieq);
		CHECK_NUM(str_hash(a) == str_hash(b), rows[i].eq);
	}
	CHECK(!str_eq(S("a\0b"), S("a\0c")));
	CHECK(str_hash(S("")) == UINT64_C(0xcbf29ce484222325));
	CHECK(str_hash(S("foobar")) == UINT64_C(0x85944171f73967e8));
}

static void parts(void)
{
	static const struct {
		const char *s;
		size_t off, n;
		const char *from, *part;
	} rows[] = {
		{ "", 0, 0, "", "" },
		{ "", 3, 3, "", "" },
		{ NULL, 0, 1, "", "" },
		{ NULL, 2, 1, "", "" },
		{ "abc", 0, 2, "abc", "ab" },
		{ "abc", 1, 1, "bc", "b" },
		{ "abc", 1, SIZE_MAX, "bc", "bc" },
		{ "abc", 3, 1, "", "" },
		{ "abc", SIZE_MAX, SIZE_MAX, "", "" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str s = str_of(rows[i].s);

		CHECK_STR(str_from(s, rows[i].off), rows[i].from);
		CHECK_STR(str_part(s, rows[i].off, rows[i].n), rows[i].part);
	}
	CHECK_STR(str_trim(S(" \t\r\n a b \r\n")), "a b");
	CHECK_STR(str_trim(S(" \t ")), "");
	CHECK_STR(str_trim(S_NONE), "");
	CHECK_STR(str_trim(S("a")), "a");
}

static void finds(void)
{
	static const struct {
		const char *s, *what;
		size_t first, last, text; /* of *what, of *what, of what */
	} rows[] = {
		{ "", "a", 0, 0, 0 },        { NULL, "a", 0, 0, 0 },   { "abcabc", "a", 0, 3, 0 },
		{ "abcabc", "ca", 2, 5, 2 }, { "abc", "cd", 2, 2, 3 }, { "abc", "x", 3, 3, 3 },
		{ "aab", "ab", 0, 1, 1 },    { "ab", "abc", 0, 0, 2 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str s = str_of(rows[i].s);

		CHECK_NUM(str_find(s, *rows[i].what), rows[i].first);
		CHECK_NUM(str_rfind(s, *rows[i].what), rows[i].last);
		CHECK_NUM(str_find_str(s, str_of(rows[i].what)), rows[i].text);
		CHECK_NUM(str_has(s, *rows[i].what), rows[i].first < s.n);
	}
	CHECK_NUM(str_find_str(S("abc"), S("")), 0);
	CHECK_NUM(str_find_str(S_NONE, S_NONE), 0);
	CHECK_NUM(str_find(S("a\0b"), '\0'), 1);
}

static void copies(struct arena *a)
{
	char text[] = "Text";
	struct str copy = str_dup(a, str_of(text)), lower = str_lower(a, str_of(text));

	text[0] = 'N';
	CHECK_STR(copy, "Text");
	CHECK_STR(lower, "text");
	CHECK_STR(str_lower(a, S("\xc4\xb0Z[")), "\xc4\xb0z[");
	CHECK(str_dup(a, S_NONE).p == NULL);
	CHECK(str_dup(a, S("")).p != NULL);
	CHECK(strcmp(str_c(a, S("path")), "path") == 0);
	CHECK(strcmp(str_c(a, S_NONE), "") == 0);

	CHECK_STR(str_fmt(a, "%.*s-%d", FMT(S("uid")), 7), "uid-7");
	CHECK_STR(str_fmt(a, "%.*s", FMT(S_NONE)), "");
	for (int n = 250; n < 260; n++) { /* about the length where it formats twice */
		struct str s = str_fmt(a, "%0*d", n, 1);

		CHECK_NUM(s.n, n);
		CHECK(s.p[0] == '0' && s.p[s.n - 1] == '1');
	}
}

int main(void)
{
	struct arena *a = arena_new(64 * 1024);

	compares();
	parts();
	finds();
	copies(a);
	arena_free(&a);
	return check_done();
}
