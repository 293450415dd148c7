/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/encode.h"
#include "base/buf.h"
#include "mail/header.h"

static struct arena *a;

static void test_fields(void)
{
	struct str h =
		S("From x@y Mon\r\nA: 1\r\nnonsense\r\n lost\r\nB :\r\n 2\r\n\t3\nC:4\r\nA: 5\r\n"
		  "bad name: 6\r\n: 7\r\n\r\nD: 8\r\n");
	struct str rest = h;
	struct field f;

	CHECK(field_next(&rest, &f));
	CHECK_STR(f.name, "A");
	CHECK_STR(f.body, " 1");
	CHECK_STR(f.whole, "A: 1\r\n");
	CHECK(field_next(&rest, &f));
	CHECK_STR(f.name, "B");
	CHECK_STR(f.body, "\r\n 2\r\n\t3");
	CHECK_STR(f.whole, "B :\r\n 2\r\n\t3\n");
	CHECK(field_next(&rest, &f));
	CHECK_STR(f.whole, "C:4\r\n");
	CHECK(field_next(&rest, &f));
	CHECK_STR(f.body, " 5");
	CHECK(!field_next(&rest, &f));
	CHECK_STR(rest, "D: 8\r\n");
	CHECK(field_find(h, "a", &f));
	CHECK_STR(f.body, " 1");
	CHECK(!field_find(h, "D", &f));
	CHECK(field_find(S("X:"), "x", &f));
	CHECK_STR(f.body, "");
	CHECK_STR(header_unfold(a, S(" a\r\n b\n\tc \r\n")), "a b\tc");
	CHECK_STR(header_unfold(a, S("a\rb")), "a\rb");
	CHECK_STR(header_unfold(a, S(" \r\n ")), "");
}

static const struct {
	const char *in, *out;
} decodes[] = {
	{ "plain\r\n text", "plain text" },
	/* RFC 2047 8 */
	{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
	{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)" },
	{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
	{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
	{ "=?US-ASCII*EN?Q?Keith_Moore?= <m@x>", "Keith Moore <m@x>" },
	{ "=?iso-8859-1?q?J=F6rg?=", "J\xc3\xb6rg" },
	{ "=?UTF-8?b?SsO2cmc=?=", "J\xc3\xb6rg" },
	{ "=?utf-8?q?a_=C3?= =?UTF-8?b?pA==?= x", "a \xc3\xa4 x" },
	{ "=?utf-8?q?trailing_?= =?utf-8?q?blank?=", "trailing blank" },
	{ "a =?utf-8?q?b?= c =?utf-8?q?d?= ", "a b c d" },
	{ "=?iso-2022-jp?b?GyRCJCIbKEI=?=", "\xe3\x81\x82" },
	{ "=?windows-1252?q?=80?=", "\xe2\x82\xac" },
	{ "=?utf-8?q?=FF?=", "\xef\xbf\xbd" },
	{ "=?utf-8?q?with blank?=", "with blank" },
	{ "=?x-none?q?a?= =?utf-8?q?b?=", "=?x-none?q?a?= b" },
	{ "=?../../x?q?a?=", "=?../../x?q?a?=" },
	{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "=?utf-8?q?a", "=?utf-8?q?a" },
	{ "=?utf-8?q?a? =?utf-8?q?b?=", "=?utf-8?q?a? b" },
	{ "=?=?=?", "=?=?=?" },
	{ "=?utf-8?q?"
	  "?=",
	  "" },
	{ "x=?utf-8?q?y?=z", "xyz" },
};

static const struct {
	const char *in, *out; /* type/subtype, then name=value{raw} */
} types[] = {
	{ "text/plain", "text/plain" },
	{ "TEXT / Plain ; CHARSET = UTF-8", "text/plain charset=UTF-8{UTF-8}" },
	{ "text/plain; charset=us-ascii (Plain text)", "text/plain charset=us-ascii{us-ascii}" },
	{ "a/b; x=\"q \\\"q\\\" ; y=1\"; z=2", "a/b x=q \"q\" ; y=1{q \"q\" ; y=1} z=2{2}" },
	{ "a/b; x=one two; y=3", "a/b x=one two{one two} y=3{3}" },
	{ "a/b; x=a (1).pdf", "a/b x=a (1).pdf{a (1).pdf}" },
	{ "a/b x=1 y=2", "a/b x=1{1} y=2{2}" },
	{ "a/b;;; x; =3; y=2", "a/b y=2{2}" },
	{ "a/b; x=", "a/b x={}" },
	{ "a/b; x=\"never ends; y=2", "a/b x=never ends; y=2{never ends; y=2}" },
	{ "a/b; x=\"\\", "a/b x=\\{\\}" },
	/* RFC 2231 3, 4, 4.1 */
	{ "message/external-body; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/x\"",
	  "message/external-body access-type=URL{URL} "
	  "url=ftp://cs.utk.edu/x{ftp://cs.utk.edu/x}" },
	{ "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
	  "application/x-stuff title*=This is ***fun***"
	  "{us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A}" },
	{ "a/b; t*0*=us-ascii'en'This%20is%20; t*1*=%2A%2A%2Afun%2A%2A%2A%20; t*2=\"isn't 5%41!\"",
	  "a/b t*=This is ***fun*** isn't 5%41!"
	  "{us-ascii'en'This%20is%20%2A%2A%2Afun%2A%2A%2A%20isn't 5%2541!}" },
	{ "a/b; t*1=b; t*0=a; t*3=d", "a/b t=ab{ab}" },
	{ "a/b; t*1=b", "a/b" },
	{ "a/b; t*=iso-8859-1''%E4%zz%", "a/b t*=\xc3\xa4%zz%{iso-8859-1''%E4%zz%}" },
	{ "a/b; t*=nocharset", "a/b t*=nocharset{nocharset}" },
	{ "a/b; t*x=1; *=2", "a/b t*x=1{1} *=2{2}" },
	{ "a/b; n=\"=?utf-8?q?=C3=A4?=\"", "a/b n=\xc3\xa4{=?utf-8?q?=C3=A4?=}" },
	{ "text", NULL },
	{ "", NULL },
	{ "/x", NULL },
	{ "x/", NULL },
	{ "\xc3\xa4/x", NULL },
};

static struct str told(const struct content *c)
{
	struct str s = str_fmt(a, "%.*s/%.*s", FMT(c->type), FMT(c->subtype));

	for (const struct param *p = c->params; p; p = p->next)
		s = str_fmt(a, "%.*s %.*s%s=%.*s{%.*s}", FMT(s), FMT(p->name),
			    p->extended ? "*" : "", FMT(p->value), FMT(p->raw));
	return s;
}

static void test_params(void)
{
	struct content c;

	for (size_t i = 0; i < LENGTH(types); i++) {
		bool ok = content_type_parse(a, str_of(types[i].in), &c);

		if (!CHECK(ok == !!types[i].out))
			fprintf(stderr, "  %s\n", types[i].in);
		if (ok && types[i].out)
			CHECK_STR(told(&c), types[i].out);
	}
	CHECK(content_disposition_parse(a, S("Attachment; filename=\"x\"; filename*=utf-8''%C3%A4"),
					&c));
	CHECK_STR(c.type, "attachment");
	CHECK_STR(param_get(c.params, "filename"), "\xc3\xa4");
	CHECK(!param_get(c.params, "size").p);
	CHECK(!content_disposition_parse(a, S("; x=y"), &c));

	/* More than we take: bounded, and the first ones count. */
	struct str many = S("a/b");

	for (int i = 0; i < 300; i++)
		many = str_fmt(a, "%.*s; p%d=%d", FMT(many), i, i);
	CHECK(content_type_parse(a, many, &c));
	CHECK_STR(param_get(c.params, "p99"), "99");
	CHECK(!param_get(c.params, "p100").p);
}

static void test_msgids(void)
{
	struct str in = S("text <a@b>  <c\r\n @d> <> <e@f");
	size_t n;
	struct str *ids = header_msgids(a, in, 10, &n);

	CHECK_NUM(n, 2);
	CHECK_STR(ids[0], "a@b");
	CHECK_STR(ids[1], "c@d");
	header_msgids(a, in, 1, &n);
	CHECK_NUM(n, 1);
	header_msgids(a, S(""), 10, &n);
	CHECK_NUM(n, 0);
}

static const struct {
	const char *charset, *in;
	size_t max;
	const char *out; /* NULL: the charset is not known */
} texts[] = {
	{ "utf-8", "\xc3\xa4", 9, "\xc3\xa4" },
	{ "utf-8", "a\xc3\xa4", 2, "a" },
	{ "utf-8",
	  "\xff"
	  "b",
	  9,
	  "\xef\xbf\xbd"
	  "b" },
	{ "us-ascii", "abc", 2, "ab" },
	{ "", "abc", 9, "abc" },
	{ "iso-8859-1", "\xe4\xf6", 9, "\xc3\xa4\xc3\xb6" },
	{ "iso-8859-1", "\xe4\xf6", 3, "\xc3\xa4" },
	{ "ISO-8859-15", "\xa4", 9, "\xe2\x82\xac" },
	{ "koi8-r", "\xc1\xc2", 9, "\xd0\xb0\xd0\xb1" },
	{ "koi8-r", "\xc1\xc2", 3, "\xd0\xb0" },
	{ "gb18030", "\xb0\xa1\xb0", 9, "\xe5\x95\x8a\xef\xbf\xbd" },
	{ "euc-jp",
	  "\xff"
	  "a",
	  9,
	  "\xef\xbf\xbd"
	  "a" },
	{ "windows-1252", "\x80", 9, "\xe2\x82\xac" },
	{ "CP1251", "\xe0", 9, "\xd0\xb0" },
	{ "gb2312", "\xb0\xa1", 9, "\xe5\x95\x8a" },
	{ "ks_c_5601-1987", "\xb0\xa1", 9, "\xea\xb0\x80" },
	{ "x-sjis", "\x82\xa0", 9, "\xe3\x81\x82" },
	/* what one text leaves open is not the next one's */
	{ "iso-2022-jp", "\x1b$B$\"", 9, "\xe3\x81\x82" },
	{ "iso-2022-jp", "$B", 9, "$B" },
	{ "nonsense", "a", 9, NULL },
	{ "ISO-2022-CN-EXT", "a", 9, NULL }, /* libc's, but not mail's */
	{ "IBM1047", "a", 9, NULL },
	{ "utf-8//TRANSLIT", "a", 9, NULL },
	{ "a/b", "a", 9, NULL },
};

static const struct {
	const char *encoding, *in;
	size_t max;
	const char *out;
} ctes[] = {
	{ "BASE64", "aGVsbG8=", 99, "hello" },
	{ "base64", "aGVs\r\nbG8=\r\n", 99, "hello" },
	{ "base64", "aG*Vs bG8", 99, "hello" },
	{ "base64", "aGVsbG8=aGk=", 99, "hellohi" },
	{ "base64", "aGVsbG8=", 3, "hel" },
	{ "base64", "====", 9, "" },
	{ "quoted-printable", "a=3Db=C3=a4", 99, "a=b\xc3\xa4" },
	{ "quoted-printable", "one=\r\ntwo= \t\nthree=", 99, "onetwothree" },
	{ "quoted-printable", "pad  \r\nx\t\n", 99, "pad\r\nx\n" },
	{ "quoted-printable", "kept=20\r\n", 99, "kept \r\n" },
	{ "quoted-printable", "=XY=4", 99, "=XY=4" },
	{ "quoted-printable", "abc", 2, "ab" },
	{ "7BIT", "a=3D", 99, "a=3D" },
	{ "x-unknown", "abc", 2, "ab" },
};

/* Cut where cte_whole says, pieces of any size decode to what the whole does. */
static void test_pieces(void)
{
	static const char *const texts_in[][2] = {
		{ "base64", "c2VjcmV0IGlz\r\nIHRoZSBrZXk=\r\nYWJj\r\n" },
		{ "BASE64", "c2Vjc\nmV0I\nGlzI!\nHRoZ\nSBrZ\nXk=\n" },
		{ "quoted-printable", "a=\r\nb  \r\n=20=3D=\r\n=41 c\t\r\nlast =20\r\n" },
		{ "quoted-printable", "no end of a line at all =41=42 =43 and more" },
		{ "8bit", "any octets  " },
	};

	for (size_t i = 0; i < LENGTH(texts_in); i++) {
		struct str encoding = str_of(texts_in[i][0]), all = str_of(texts_in[i][1]);
		struct str want = cte_decode(a, encoding, all, 1000);

		for (size_t size = 12; size <= all.n; size++) {
			struct buf got = buf_new(1000);

			for (struct str rest = all; rest.n;) {
				struct str piece = str_part(rest, 0, size);

				if (piece.n < rest.n)
					piece.n = cte_whole(encoding, piece);
				CHECK(piece.n > 0);
				buf_put(&got, cte_decode(a, encoding, piece, piece.n));
				rest = str_from(rest, piece.n);
			}
			if (!CHECK(str_eq(buf_str(&got), want)))
				fprintf(stderr, "  %s in %zu\n", texts_in[i][1], size);
			buf_free(&got);
		}
	}
}

int main(void)
{
	struct str out;

	a = arena_new(64 * 1024 * 1024);
	test_fields();
	for (size_t i = 0; i < LENGTH(decodes); i++)
		if (!CHECK_STR(header_decode(a, str_of(decodes[i].in)), decodes[i].out))
			fprintf(stderr, "  %s\n", decodes[i].in);
	test_params();
	test_msgids();
	for (size_t i = 0; i < LENGTH(texts); i++) {
		enum err e = text_to_utf8(a, str_of(texts[i].charset), str_of(texts[i].in),
					  texts[i].max, &out);

		CHECK(e == (texts[i].out ? OK : E_NOTFOUND));
		CHECK_STR(out, texts[i].out ? texts[i].out : "");
	}
	for (size_t i = 0; i < LENGTH(ctes); i++)
		CHECK_STR(cte_decode(a, str_of(ctes[i].encoding), str_of(ctes[i].in), ctes[i].max),
			  ctes[i].out);
	test_pieces();
	arena_free(&a);
	return check_done();
}
