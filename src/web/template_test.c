/* SPDX-License-Identifier: ISC */
/* Tests of templates, and of what each of ours makes of hostile values. */
#include "check.h"
#include "web/template.h"

static const struct value first[] = { { "x", { "one", 3 } } }, second[] = { { "x", { "", 0 } } };
static const struct values rows[] = { { first, 1 }, { second, 1 } };
static const struct value item[] = {
	{ "name", { "<a href=\"x\">'&", 14 } },
	{ "empty", { "", 0 } },
	{ "x", { "outside", 7 } },
	{ "rows", { "", 0 }, rows, 2 },
};

static void test_forms(void)
{
	static const struct {
		const char *text, *de, *en;
	} table[] = {
		{ "", "", "" },
		{ "plain } ] | text", "plain } ] | text", "plain } ] | text" },
		{ "{name}", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;",
		  "&lt;a href=&quot;x&quot;&gt;&#39;&amp;" },
		{ "{=name}", "<a href=\"x\">'&", "<a href=\"x\">'&" },
		{ "({empty})", "()", "()" },
		{ "[[ja||yes]]!", "ja!", "yes!" },
		{ "[[ja {x}||{x} yes]]", "ja outside", "outside yes" },
		{ "{?name}a{/name}{?empty}b{/empty}", "a", "a" },
		{ "{!name}a{/name}{!empty}b{/empty}", "b", "b" },
		{ "{?rows}list{/rows}", "list", "list" },
		{ "{#rows}<{x}>{/rows}", "<one><>", "<one><>" },
		{ "{#rows}{?x}{empty}{x}{/x}{!x}-{/x}{/rows}{x}", "one-outside", "one-outside" },
		{ "[[{?x}a{/x}||{!x}b{/x}]]", "a", "" },
	};
	struct values v = VALUES(item);
	struct buf b = buf_new(4096);

	for (size_t i = 0; i < LENGTH(table); i++) {
		for (int lang = LANG_DE; lang <= LANG_EN; lang++) {
			buf_clear(&b);
			template_render(&b, str_of(table[i].text), &v, (enum lang)lang);
			CHECK_STR(buf_str(&b), lang == LANG_DE ? table[i].de : table[i].en);
		}
	}
	buf_free(&b);
}

static void test_files(void)
{
	CHECK(page_file("layout.html").n > 100);
	CHECK(str_starts(page_file("style.css"), S(":root")));
}

int main(void)
{
	test_forms();
	test_files();
	return check_done();
}
