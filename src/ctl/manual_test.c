/* SPDX-License-Identifier: ISC */
/* The manual knows every command, option and key, and none that is not there. */
#include "check.h"
#include "ctl/ctl_priv.h"

static struct arena *a;

static struct str page(const char *dir, const char *name)
{
	struct str text = S(""), why = S("");

	if (file_read(str_fmt(a, "%s/%s", dir, name), 1 << 20, a, &text, &why))
		fprintf(stderr, "%.*s\n", FMT(why));
	CHECK(text.n > 0);
	return text;
}

/* The page without what roff makes of a minus sign and fonts. */
static struct str plain(struct str page)
{
	struct buf b = buf_new(1 << 20);

	for (size_t i = 0; i < page.n; i++)
		if (page.p[i] != '\\' && page.p[i] != '"')
			buf_c(&b, page.p[i]);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static bool has(struct str text, struct str what)
{
	return str_find_str(text, what) < text.n;
}

static void test_keys(struct str text)
{
	struct str key, rest = text;
	size_t keys = 0, entries = 0;

	for (; (key = config_key(keys, a)).p; keys++)
		if (!CHECK(has(text, str_fmt(a, ".TP\n.B %.*s\n(", FMT(key)))))
			fprintf(stderr, "  tecsmail.conf(5) has no entry for %.*s\n", FMT(key));
	for (;; entries++) {
		size_t at = str_find_str(rest, S(".TP\n.B "));
		if (at == rest.n)
			break;
		rest = str_from(rest, at + 7);
	}
	CHECK_NUM(entries, keys);
}

static void test_commands(struct str text)
{
	const struct command *c;

	for (size_t i = 0; (c = ctl_command(i)); i++)
		if (!CHECK(has(text, str_fmt(a, ".B %s", c->name)) ||
			   has(text, str_fmt(a, ".BI %s ", c->name)) ||
			   has(text, str_fmt(a, ".BR %s ", c->name))))
			fprintf(stderr, "  tecsmail(1) has no entry for %s\n", c->name);
	const char *word;
	for (size_t i = 0; (word = ctl_option(i)); i++)
		if (!CHECK(has(text, str_of(word))))
			fprintf(stderr, "  tecsmail(1) does not have %s\n", word);
	CHECK(has(text, S("--help")));
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: manual-test FOLDER\n");
		return 2;
	}
	a = arena_new(16 << 20);
	test_keys(page(argv[1], "tecsmail.conf.5"));
	test_commands(plain(page(argv[1], "tecsmail.1")));
	arena_free(&a);
	return check_done();
}
