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
	{ "blanks behind a boundary", M "--b \t\r\n\r\none\r\n--b-- \r\n",
	  "MULTIPART/MIXED 0+45(2) 45+22(4) {TEXT/PLAIN 52+2(1) 54+3(0)}" },
	{ "a boundary that only begins alike", M "--b\r\n\r\n--a\r\n-b\r\n - -b\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+28(5) {TEXT/PLAIN 50+2(1) 52+14(2)}" },
	{ "LF alone in a multipart", "Content-Type: multipart/x; boundary=b\n\n--b\n\none\n--b--\n",
	  "MULTIPART/X 0+39(2) 39+15(4) {TEXT/PLAIN 43+1(1) 44+3(0)}" },
	{ "a part's header without an empty line", M "--b\r\nA: b\r\n--b--\r\n",
	  "MULTIPART/MIXED 0+45(2) 45+18(3) {TEXT/PLAIN 50+4(0) 54+0(0)}" },
	{ "parts without anything", M "--b\r\n--b\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+15(2) {TEXT/PLAIN 50+0(0) 50+0(0); TEXT/PLAIN 55+0(0) "
	  "55+0(0)}" },
	{ "a multipart without parts", M "text\r\n", "TEXT/PLAIN 0+45(2) 45+6(1)" },
	{ "a multipart without a boundary", "Content-Type: multipart/mixed\r\n\r\n--\r\n--b\r\n",
	  "TEXT/PLAIN 0+33(2) 33+9(2)" },
	{ "a multipart with an empty boundary",
	  "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n",
	  "TEXT/PLAIN 0+46(2) 46+4(1)" },
	{ "an inner multipart ended by the outer boundary",
	  M "--b\r\nContent-Type: multipart/y; "
	    "boundary=bb\r\n\r\n--bb\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+73(9) {MULTIPART/Y 50+42(2) 92+9(2) {TEXT/PLAIN 98+2(1) "
	  "100+1(0)}; TEXT/PLAIN 108+2(1) 110+1(0)}" },
	{ "an inner multipart with an epilogue",
	  M
	  "--b\r\nContent-Type: multipart/y; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\nq\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+71(8) {MULTIPART/Y 50+41(2) 91+18(4) {TEXT/PLAIN 96+2(1) "
	  "98+1(0)}}" },
	{ "an inner header ended by the outer boundary",
	  M "--b\r\nContent-Type: multipart/y; boundary=c\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+49(2) {TEXT/PLAIN 50+37(0) 87+0(0)}" },
	{ "a message inside", "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx\r\n",
	  "MESSAGE/RFC822 0+32(2) 32+11(3) {TEXT/PLAIN 32+8(2) 40+3(1)}" },
	{ "a message inside without anything", "Content-Type: message/global\r\n",
	  "MESSAGE/GLOBAL 0+30(1) 30+0(0) {TEXT/PLAIN 30+0(0) 30+0(0)}" },
	{ "a message inside that is encoded",
	  "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg==\r\n",
	  "APPLICATION/OCTET-STREAM 0+67(3) 67+10(1)" },
	/* Found by the fuzzer: the line end of the inner header is not the boundary's. */
	{ "a message inside that ends with its header",
	  M "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--b--",
	  "MULTIPART/MIXED 0+45(2) 45+50(5) {MESSAGE/RFC822 50+32(2) 82+8(2) {TEXT/PLAIN 82+8(2) "
	  "90+0(0)}}" },
	{ "a digest",
	  "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--b\r\n"
	  "Content-Type: text/x\r\n\r\ny\r\n--b--",
	  "MULTIPART/DIGEST 0+46(2) 46+55(9) {MESSAGE/RFC822 51+2(1) 53+9(2) {TEXT/PLAIN 53+8(2) "
	  "61+1(0)}; TEXT/X 69+24(2) 93+1(0)}" },
	{ "fields that come twice", "Content-Type: text/a\r\nContent-Type: text/b\r\n\r\n",
	  "TEXT/A 0+46(3) 46+0(0)" },
	{ "a type that is none", "Content-Type: nonsense\r\n\r\n", "TEXT/PLAIN 0+26(2) 26+0(0)" },
	{ "a folded type",
	  "Content-Type: multipart/mixed;\r\n boundary=\"b c\"\r\n\r\n--b c\r\n\r\nx",
	  "MULTIPART/MIXED 0+51(3) 51+10(2) {TEXT/PLAIN 58+2(1) 60+1(0)}" },
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

static struct str repeated(struct str s, size_t times)
{
	char *p = arena_alloc(a, s.n * times + 1);

	for (size_t i = 0; i < times; i++)
		memcpy(p + i * s.n, s.p, s.n);
	return STR(p, s.n * times);
}

static struct str glued(struct str x, struct str y)
{
	return str_fmt(a, "%.*s%.*s", FMT(x), FMT(y));
}

static size_t counted(const struct mime_part *p)
{
	size_t n = 1;

	for (const struct mime_part *c = p->first; c; c = c->next)
		n += counted(c);
	return n;
}

static void test_limits(void)
{
	/* A header of 10 MB: its beginning is looked at, its size is right. */
	struct str big = glued(S("Subject: s\r\n"), repeated(S("X: 0123456789\r\n"), 700000));
	struct mime_part *p = parsed(glued(glued(big, S("To: t\r\n\r\n")), S("x")), 5000);

	CHECK_NUM(p->header_size, big.n + 9);
	CHECK_NUM(p->header_lines, 700003);
	CHECK_NUM(p->body_size, 1);
	CHECK_STR(p->env->subject, "s");
	CHECK(!p->env->to.p);

	/* One field of 1 MB: as much as is looked at. */
	p = parsed(glued(S("Subject:"), repeated(S(" 123456789"), 100000)), 333);
	CHECK(p->env->subject.n > MIME_HEADER_MAX - 20 && p->env->subject.n < MIME_HEADER_MAX);

	/* Too deep: a leaf that says nothing; what is around goes on. */
	p = parsed(repeated(S("Content-Type: message/rfc822\r\n\r\n"), 200), 7);
	CHECK_NUM(counted(p), MIME_DEPTH_MAX);
	while (p->first)
		p = p->first;
	CHECK_STR(p->type, "APPLICATION");
	CHECK_NUM(p->body_size, (200 - MIME_DEPTH_MAX) * 32);

	/* Too many: the last one takes the rest. */
	p = parsed(glued(S(M), repeated(S("--b\r\n\r\n\r\n"), 20000)), 1000);
	CHECK_NUM(counted(p), MIME_PARTS_MAX);
	struct mime_part *last = p->first;

	while (last->next)
		last = last->next;
	CHECK_NUM(last->body_off + last->body_size, p->body_off + p->body_size);

	/* Boundaries: 200 octets are taken, 201 are not. */
	for (size_t n = MIME_BOUNDARY_MAX; n <= MIME_BOUNDARY_MAX + 1; n++) {
		struct str b = repeated(S("="), n);

		p = parsed(str_fmt(a,
				   "Content-Type: multipart/x; boundary=\"%.*s\"\r\n\r\n--%.*s\r\n",
				   FMT(b), FMT(b)),
			   11);
		CHECK(p->kind == (n == MIME_BOUNDARY_MAX ? MIME_MULTIPART : MIME_LEAF));
	}
}

/* What was made to be large fits the arena that the header promises, and the summary. */
static void test_bounds(void)
{
	static const char *const made[] = {
		"--b\r\nContent-Type: a/b;a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8\r\n\r\n",
		"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a,b,c,d,e,f,g,h,i,j,k\r\n\r\n",
		"--b\r\nContent-Description: \"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\r\n\r\n",
	};
	struct arena *outer = a;

	for (size_t i = 0; i <= LENGTH(made); i++) {
		struct str text = glued(S("From: "), repeated(S("a,"), 200000));
		struct summary s;

		if (i < LENGTH(made))
			text = glued(S(M), repeated(str_of(made[i]), 20000));
		a = arena_new(MIME_ARENA_MAX);
		struct str octets = summary_make(a, parsed(text, 4096));

		CHECK(octets.n < SUMMARY_MAX);
		CHECK(arena_used(a) < MIME_ARENA_MAX);
		CHECK(summary_open(octets, &s) == OK);
		/* The second would pass the maximum: it is told as one leaf. */
		CHECK(str_starts(s.body, S("(\"APPLICATION\" \"OCTET-STREAM\" NIL")) == (i == 1));
		arena_free(&a);
		a = outer;
	}
}

int main(void)
{
	a = arena_new(SIZE_MAX);
	test_trees();
	test_limits();
	test_bounds();
	arena_free(&a);
	return check_done();
}
