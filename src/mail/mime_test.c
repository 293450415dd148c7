/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/header.h"
#include "mail/mime.h"

static struct arena *a;

static struct mime_part *parsed(struct str text, size_t piece)
{
	struct mime_parser *p = mime_parser_new(a);

	for (size_t i = 0; i < text.n; i += piece)
		mime_feed(p, str_part(text, i, piece));
	return mime_end(p);
}

/* The tree as text: kind, type, header and body with their lines; children in braces. */
static void tree(struct str *s, const struct mime_part *p)
{
	*s = str_fmt(a, "%.*s%.*s/%.*s %llu+%llu(%u) %llu+%llu(%u)", FMT(*s), FMT(p->type),
		     FMT(p->subtype), (unsigned long long)p->header_off,
		     (unsigned long long)p->header_size, p->header_lines,
		     (unsigned long long)p->body_off, (unsigned long long)p->body_size,
		     p->body_lines);
	if (!p->first)
		return;
	*s = str_fmt(a, "%.*s {", FMT(*s));
	for (const struct mime_part *c = p->first; c; c = c->next) {
		*s = str_fmt(a, "%.*s%s", FMT(*s), c == p->first ? "" : "; ");
		tree(s, c);
	}
	*s = str_fmt(a, "%.*s}", FMT(*s));
}

#define M "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct {
	const char *what, *text, *tree;
} trees[] = {
	{ "nothing", "", "TEXT/PLAIN 0+0(0) 0+0(0)" },
	{ "no header", "\r\nhello\r\n", "TEXT/PLAIN 0+2(1) 2+7(1)" },
	{ "no body", "A: b\r\n", "TEXT/PLAIN 0+6(1) 6+0(0)" },
	{ "no line end", "A: b", "TEXT/PLAIN 0+4(0) 4+0(0)" },
	{ "plain", "A: b\r\n\r\nx\r\ny", "TEXT/PLAIN 0+8(2) 8+4(1)" },
	{ "LF alone", "A: b\n\nx\ny\n", "TEXT/PLAIN 0+6(2) 6+4(2)" },
	{ "two parts", M "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
	  "MULTIPART/MIXED 0+45(2) 45+31(7) {TEXT/PLAIN 50+2(1) 52+3(0); TEXT/PLAIN 62+2(1) "
	  "64+3(0)}" },
	{ "preamble and epilogue", M "p\r\n--b\r\n\r\none\r\n--b--\r\nq\r\n--b\r\n",
	  "MULTIPART/MIXED 0+45(2) 45+30(7) {TEXT/PLAIN 53+2(1) 55+3(0)}" },
	{ "no final boundary", M "--b\r\n\r\none\r\n",
	  "MULTIPART/MIXED 0+45(2) 45+12(3) {TEXT/PLAIN 50+2(1) 52+5(1)}" },
	{ "final boundary without a line end", M "--b\r\n\r\none\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+17(3) {TEXT/PLAIN 50+2(1) 52+3(0)}" },
	{ "a boundary at the very end", M "--b\r\n\r\n\r\n--b",
	  "MULTIPART/MIXED 0+45(2) 45+12(3) {TEXT/PLAIN 50+2(1) 52+0(0); TEXT/PLAIN 57+0(0) "
	  "57+0(0)}" },
};

static void test_trees(void)
{
	static const size_t sizes[] = { 1, 2, 3, 7, SIZE_MAX / 2 };

	for (size_t i = 0; i < LENGTH(trees); i++)
		for (size_t k = 0; k < LENGTH(sizes); k++) {
			struct str got = S("");

			tree(&got, parsed(str_of(trees[i].text), sizes[k]));
			if (!CHECK_STR(got, trees[i].tree))
				fprintf(stderr, "  in pieces of %zu: %s\n", sizes[k],
					trees[i].what);
		}
}

int main(void)
{
	a = arena_new(4 * (size_t)MIME_ARENA_MAX);
	test_trees();
	struct mime_part *p =
		parsed(S("From: \"J. Doe\" <j@example.test>\r\nTo: g: a@b, c@d;\r\n"
			 "Date: Tue, 24 Nov 2026 06:41:51 +0100\r\nSubject: x \"y\"\r\n"
			 "Message-ID: <1@2>\r\n" M "--b\r\n\r\none\r\n--b--\r\n"),
		       100);
	struct summary s;

	CHECK(summary_open(summary_make(a, p), &s) == OK);
	printf("%.*s\n%.*s\n%.*s\n", FMT(s.envelope), FMT(s.body), FMT(s.bodystructure));
	arena_free(&a);
	return check_done();
}
