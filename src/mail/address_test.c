/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/encode.h"
#include "mail/address.h"

static struct arena *a;

/* name|route|mailbox|domain, "-" for NULL, entries with a blank between. */
static struct str listed(struct str field)
{
	struct str s = S("");

	for (struct address *at = address_list(a, field); at; at = at->next) {
		struct str part[] = { at->name, at->route, at->mailbox, at->domain };

		if (s.n)
			s = str_fmt(a, "%.*s ", FMT(s));
		for (size_t i = 0; i < LENGTH(part); i++)
			s = str_fmt(a, "%.*s%s%.*s", FMT(s), i ? "|" : "",
				    FMT(part[i].p ? part[i] : S("-")));
	}
	return s;
}

static const struct {
	const char *in, *out;
} lists[] = {
	{ "", "" },
	{ " \r\n ", "" },
	{ "a@b", "-|-|a|b" },
	{ "John Doe <jdoe@machine.example>", "John Doe|-|jdoe|machine.example" },
	{ "\"Joe Q. Public\" <john.q.public@example.com>",
	  "Joe Q. Public|-|john.q.public|example.com" },
	{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	  "Mary Smith|-|mary|x.test -|-|jdoe|example.org Who?|-|one|y.test" },
	{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
	  "-|-|boss|nil.test Giant; \"Big\" Box|-|sysservices|example.net" },
	{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
	  "-|-|A Group|- Ed Jones|-|c|a.test -|-|joe|where.test John|-|jdoe|one.test -|-|-|-" },
	{ "Undisclosed recipients:;", "-|-|Undisclosed recipients|- -|-|-|-" },
	{ "a@b, g:c@d;, e@f", "-|-|a|b -|-|g|- -|-|c|d -|-|-|- -|-|e|f" },
	{ "g: a@b", "-|-|g|- -|-|a|b -|-|-|-" },
	{ "g: h: a@b; c@d", "-|-|g|- -|-|a|b -|-|-|- -|-|c|d" },
	/* RFC 5322 A.5, A.6.1, A.6.3 */
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	  "Pete|-|pete|silly.test" },
	{ "Chris Jones <c@(Chris's host.)public.example>", "Chris Jones|-|c|public.example" },
	{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	  "-|-|Hidden recipients|- -|-|-|-" },
	{ "Mary Smith <@node.test,@b.test:mary@example.net>, , jdoe@test  . example",
	  "Mary Smith|@node.test,@b.test|mary|example.net -|-|jdoe|test.example" },
	{ "John Doe <jdoe@machine(comment).  example>", "John Doe|-|jdoe|machine.example" },
	{ "john . q @ example.test", "-|-|john.q|example.test" },
	{ "\"a . b\"@c", "-|-|a . b|c" },
	{ "x@[192.0.2.1]", "-|-|x|[192.0.2.1]" },
	/* what people write */
	{ "jdoe@example.test (John \\(J\\) Doe)", "John (J) Doe|-|jdoe|example.test" },
	{ "jdoe@example.test <jdoe@example.test>", "jdoe@example.test|-|jdoe|example.test" },
	{ "J [x] Doe <j@b>", "J [x] Doe|-|j|b" },
	{ "jdoe", "-|-|jdoe|" },
	{ "<jdoe>", "-|-|jdoe|" },
	{ "Nobody <>", "Nobody|-||" },
	{ "@b", "-|-||b" },
	{ "<a@b", "-|-|a|b" },
	{ "\"never ends <a@b>, c@d", "-|-|never ends <a@b>, c@d|" },
	{ "a@b junk, c@d", "-|-|a|b -|-|c|d" },
	{ "a@b; c@d", "-|-|a|b -|-|c|d" },
	{ "a@b@c", "-|-|a|b" },
	{ "))>>]], a@b", "-|-|a|b" },
	{ ",,;,:", "-|-||- -|-|-|-" },
	{ "=?utf-8?q?J=C3=B6rg?= <j@b>", "=?utf-8?q?J=C3=B6rg?=|-|j|b" },
	{ "J\xc3\xb6rg <j\xc3\xb6rg@b>", "J\xc3\xb6rg|-|j\xc3\xb6rg|b" },
	{ "Folded\r\n Name <a\r\n @b>", "Folded Name|-|a|b" },
	{ "\"Folded\r\n Quote\" <a@b>", "Folded Quote|-|a|b" },
};

static void test_lists(void)
{
	struct str many = S("");
	char *p = arena_alloc(a, 2 * (ADDRESSES_MAX + 5));
	size_t n = 0;

	for (size_t i = 0; i < LENGTH(lists); i++)
		if (!CHECK_STR(listed(str_of(lists[i].in)), lists[i].out))
			fprintf(stderr, "  %s\n", lists[i].in);
	for (size_t i = 0; i < ADDRESSES_MAX + 5; i++)
		memcpy(p + 2 * i, "a,", 2);
	many = STR(p, 2 * (ADDRESSES_MAX + 5));
	for (struct address *at = address_list(a, many); at; at = at->next)
		n++;
	CHECK_NUM(n, ADDRESSES_MAX);
}

#define L64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *in;
	bool null;
	const char *out; /* local|domain|rest, NULL: no path */
} paths[] = {
	{ "<a@b.test>", false, "a|b.test|" },
	{ "<a@b.test> SIZE=1", true, "a|b.test| SIZE=1" },
	{ "<>", true, "||" },
	{ "<>", false, NULL },
	{ "<Postmaster>", false, "Postmaster||" },
	{ "<Postmaster>", true, NULL },
	{ "<other>", false, NULL },
	{ "<a.b+c@d-e.test>", false, "a.b+c|d-e.test|" },
	{ "<\"a b\\\"c\\\\\"@d>", false, "a b\"c\\|d|" },
	{ "<\"\"@d>", false, "|d|" },
	{ "<\"a\x01\"@d>", false, NULL },
	{ "<\"a@d>", false, NULL },
	{ "<a@[192.0.2.1]>", false, "a|[192.0.2.1]|" },
	{ "<a@[IPv6:2001:db8::1]>", false, "a|[IPv6:2001:db8::1]|" },
	{ "<a@[300.0.2.1]>", false, NULL },
	{ "<a@[IPv6:xyz]>", false, NULL },
	{ "<a@[]>", false, NULL },
	{ "<@x.test,@y.test:a@b.test>", false, "a|b.test|" },
	{ "<@x.test:>", true, "||" },
	{ "<@x.test a@b>", false, NULL },
	{ "<j\xc3\xb6rg@ex\xc3\xa4mple.test>", false, "j\xc3\xb6rg|ex\xc3\xa4mple.test|" },
	{ "<j\xc3@b>", false, NULL },
	{ "<a@b", false, NULL },
	{ "a@b>", false, NULL },
	{ "<a..b@c>", false, NULL },
	{ "<.a@c>", false, NULL },
	{ "<a.@c>", false, NULL },
	{ "<a b@c>", false, NULL },
	{ "<a@b@c>", false, NULL },
	{ "<a@-b>", false, NULL },
	{ "<a@b->", false, NULL },
	{ "<a@b..c>", false, NULL },
	{ "<a@b.>", false, NULL },
	{ "<a@.b>", false, NULL },
	{ "<a@>", false, NULL },
	{ "<@b>", false, NULL },
	{ "< a@b>", false, NULL },
	{ "<" L64 L64 "@b>", false, L64 L64 "|b|" },
	{ "<" L64 L64 "x@b>", false, NULL },
	{ "<a@" L64 ">", false, NULL },
	{ "<a@b." L64 "." L64 "." L64 "." L64 ">", false, NULL },
};

static void test_paths(void)
{
	struct path p;

	for (size_t i = 0; i < LENGTH(paths); i++) {
		struct scan in = scan(str_of(paths[i].in));

		p = path_scan(&in, a, paths[i].null);
		struct str got =
			str_fmt(a, "%.*s|%.*s|%.*s", FMT(p.local), FMT(p.domain), FMT(in.rest));

		if (!CHECK(in.bad == !paths[i].out))
			fprintf(stderr, "  %s\n", paths[i].in);
		if (!in.bad && paths[i].out)
			CHECK_STR(got, paths[i].out);
	}
	CHECK(path_parse(a, S("\"a b\"@c"), &p) == OK);
	CHECK_STR(path_text(a, p), "\"a b\"@c");
	CHECK(!p.utf8);
	CHECK(path_parse(a, S("j\xc3\xb6@c"), &p) == OK && p.utf8);
	CHECK_STR(path_text(a, p), "j\xc3\xb6@c");
	CHECK(path_parse(a, S(""), &p) == E_SYNTAX);
	CHECK(path_parse(a, S("a"), &p) == E_SYNTAX);
	CHECK(path_parse(a, S("postmaster"), &p) == E_SYNTAX);
	CHECK(path_parse(a, S("a@b "), &p) == E_SYNTAX);
	CHECK(path_parse(a, S("<a@b>"), &p) == E_SYNTAX);
	CHECK_STR(path_text(a, (struct path){ 0 }), "");
	CHECK_STR(path_text(a, (struct path){ .local = S("x") }), "x");
}

static const struct {
	const char *in, *out;
} domains[] = {
	{ "Example.TEST", "example.test" },
	{ "a_b.test", "a_b.test" },
	{ "XN--exmple-cua.test", "xn--exmple-cua.test" },
	{ "ex\xc3\xa4mple.test", "xn--exmple-cua.test" },
	{ "EX\xc3\x84MPLE.test", "xn--exmple-cua.test" },
	{ "stra\xc3\x9f"
	  "e.test",
	  "xn--strae-oqa.test" },
	{ "[192.0.2.1]", "[192.0.2.1]" },
	{ "[IPv6:2001:DB8::1]", "[IPv6:2001:DB8::1]" },
	{ "[x]", NULL },
	{ "", NULL },
	{ "a..b", NULL },
	{ "a b", NULL },
	{ "a.test.", NULL },
	{ "\xff.test", NULL },
	{ "\xc3\xa4 .test", NULL },
	{ L64 ".test", NULL },
	{ L64 "\xc3\xa4.test", NULL },
};

int main(void)
{
	a = arena_new(64 * 1024 * 1024);
	test_lists();
	test_paths();
	for (size_t i = 0; i < LENGTH(domains); i++) {
		struct str out;
		enum err e = domain_ascii(a, str_of(domains[i].in), &out);

		if (!CHECK(e == (domains[i].out ? OK : E_SYNTAX)))
			fprintf(stderr, "  %s\n", domains[i].in);
		CHECK_STR(out, domains[i].out ? domains[i].out : "");
	}
	arena_free(&a);
	return check_done();
}
