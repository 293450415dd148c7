/* SPDX-License-Identifier: ISC */
/* Table tests of web/parse.h. */
#include "base/buf.h"
#include "check.h"
#include "web/parse.h"

static struct arena *a;

static void test_scgi(void)
{
	static const struct {
		struct str head;
		bool good;
	} table[] = {
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "1\0"),
		  true },
		{ S("CONTENT_LENGTH\0"
		    "27\0SCGI\0"
		    "1\0REQUEST_METHOD\0POST\0X\0\0"),
		  true },
		{ S(""), false },
		{ S("SCGI\0"
		    "1\0CONTENT_LENGTH\0"
		    "0\0"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "2\0"),
		  false },
		{ S("CONTENT_LENGTH\0\0SCGI\0"
		    "1\0"),
		  false },
		{ S("CONTENT_LENGTH\0-1\0SCGI\0"
		    "1\0"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "1"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "1\0A\0b\0A\0c\0"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "1\0\0c\0"),
		  false },
		{ S("CONTENT_LENGTH\0"
		    "0\0SCGI\0"
		    "1\0A"),
		  false },
	};
	struct buf b = buf_new(SCGI_HEAD_MAX);
	struct scgi out;

	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK(scgi_parse(table[i].head, &out) == table[i].good))
			fprintf(stderr, "  row %zu\n", i);
	CHECK(scgi_parse(S("CONTENT_LENGTH\0"
			   "27\0SCGI\0"
			   "1\0REQUEST_METHOD\0POST\0REQUEST_URI\0"
			   "/x?y\0REMOTE_ADDR\0::1\0HTTP_COOKIE\0a=b\0"),
			 &out));
	CHECK_NUM(out.length, 27);
	CHECK_STR(out.method, "POST");
	CHECK_STR(out.uri, "/x?y");
	CHECK_STR(out.address, "::1");
	CHECK_STR(out.cookie, "a=b");
	CHECK_STR(out.languages, "");

	buf_put(&b, S("CONTENT_LENGTH\0"
		      "0\0SCGI\0"
		      "1\0"));
	for (unsigned i = 2; i < SCGI_VARIABLES_MAX; i++) {
		buf_fmt(&b, "V%u", i);
		buf_put(&b, S("\0\0"));
	}
	CHECK(scgi_parse(buf_str(&b), &out));
	buf_put(&b, S("W\0\0"));
	CHECK(!scgi_parse(buf_str(&b), &out));
	buf_free(&b);
}

/* What a browser sends twice counts once; what the front end says it may say once. */
static void test_scgi_twice(void)
{
	struct scgi out;

	CHECK(scgi_parse(S("CONTENT_LENGTH\0"
			   "27\0SCGI\0"
			   "1\0HTTP_VIA\0a\0HTTP_COOKIE\0a=b\0HTTP_VIA\0b\0HTTP_COOKIE\0a=c\0"
			   "REMOTE_ADDR\0::2\0"),
			 &out));
	CHECK_STR(out.cookie, "a=b");
	CHECK_STR(out.address, "::2");
	CHECK(!scgi_parse(S("CONTENT_LENGTH\0"
			    "0\0SCGI\0"
			    "1\0REMOTE_ADDR\0::1\0REMOTE_ADDR\0::2\0"),
			  &out));
}

static void test_uri(void)
{
	struct str path, query;

	CHECK(uri_split(S("/a/b?c=d?e"), &path, &query));
	CHECK_STR(path, "/a/b");
	CHECK_STR(query, "c=d?e");
	CHECK(uri_split(S("/"), &path, &query));
	CHECK_STR(query, "");
	CHECK(!uri_split(S(""), &path, &query));
	CHECK(!uri_split(S("http://x/"), &path, &query));
	CHECK(!uri_split(S("/a b"), &path, &query));
	CHECK(!uri_split(S("/a\r\nSet-Cookie:x"), &path, &query));
	CHECK(!uri_split(S("/\xc3\xa4"), &path, &query));
}

static void test_form(void)
{
	static const struct {
		const char *text, *name, *value; /* value NULL: the whole is refused */
	} table[] = {
		{ "a=b", "a", "b" },
		{ "a=b&c=d", "c", "d" },
		{ "a=b+c%2Bd%26", "a", "b c+d&" },
		{ "a=", "a", "" },
		{ "a", "a", "" },
		{ "a=b=c", "a", "b=c" },
		{ "a=%C3%BC", "a", "\xc3\xbc" },
		{ "%61=b", "a", "b" },
		{ "=b", "", NULL },
		{ "&", "", NULL },
		{ "a=b&&c=d", "", NULL },
		{ "a=b&a=c", "", NULL },
		{ "a=b&%61=c", "", NULL },
		{ "a=%", "", NULL },
		{ "a=%4", "", NULL },
		{ "a=%zz", "", NULL },
		{ "a=%00", "", NULL },
		{ "a=%0A", "", NULL },
		{ "a=%7F", "", NULL },
		{ "a=%FC", "", NULL },
		{ "a=%ED%A0%80", "", NULL },
	};
	static const char *const both[] = { "a", "c", NULL }, *const one[] = { "a", NULL };
	struct buf b = buf_new(2 * BODY_MAX);
	struct fields f;

	for (size_t i = 0; i < LENGTH(table); i++) {
		bool good = form_parse(a, str_of(table[i].text), &f);
		if (!CHECK(good == (table[i].value != NULL)))
			fprintf(stderr, "  \"%s\"\n", table[i].text);
		if (good && table[i].value)
			CHECK_STR(form_get(&f, table[i].name), table[i].value);
	}
	CHECK(form_parse(a, S(""), &f) && f.n == 0);
	CHECK(form_parse(a, S("a=1&c=2"), &f));
	CHECK(form_has_only(&f, both) && !form_has_only(&f, one) && !form_get(&f, "b").p);
	CHECK(form_parse(a, S("a=1"), &f) && !form_has_only(&f, both));

	for (unsigned i = 0; i < FIELDS_MAX_FORM; i++)
		buf_fmt(&b, "%sf%u=", i ? "&" : "", i);
	CHECK(form_parse(a, buf_str(&b), &f) && f.n == FIELDS_MAX_FORM);
	buf_put(&b, S("&one=more"));
	CHECK(!form_parse(a, buf_str(&b), &f));
	buf_clear(&b);
	buf_put(&b, S("a="));
	for (unsigned i = 0; i < FIELD_MAX; i++)
		buf_c(&b, 'x');
	CHECK(form_parse(a, buf_str(&b), &f));
	buf_c(&b, 'x');
	CHECK(!form_parse(a, buf_str(&b), &f));
	buf_free(&b);
}

static void test_cookies(void)
{
	CHECK_STR(cookie_get(S("a=b; c=d"), S("c")), "d");
	CHECK_STR(cookie_get(S("a=b;c=d"), S("a")), "b");
	CHECK_STR(cookie_get(S("a=b; a=c"), S("a")), "b");
	CHECK_STR(cookie_get(S("a=b=c"), S("a")), "b=c");
	CHECK(!cookie_get(S("a=b"), S("b")).p);
	CHECK(!cookie_get(S("xa=b; a"), S("a")).p);
	CHECK(!cookie_get(S(""), S("a")).p);
	CHECK(!cookie_get(S("A=b"), S("a")).p);
}

static void test_languages(void)
{
	static const struct {
		const char *header;
		enum lang want;
	} table[] = {
		{ "", LANG_DE },
		{ "*", LANG_DE },
		{ "de", LANG_DE },
		{ "de-AT, en;q=0.9", LANG_DE },
		{ "en-US,en;q=0.9,de;q=0.8", LANG_EN },
		{ "en;q=0.8, de;q=0.9", LANG_DE },
		{ "EN", LANG_EN },
		{ "fr", LANG_EN },
		{ "fr, *;q=0.1", LANG_DE },
		{ "fr, de;q=0.1", LANG_DE },
		{ "fr, de;q=0", LANG_EN },
		{ "de;q=0.123, en;q=0.124", LANG_EN },
		{ "de ; q=0.5 , en", LANG_EN },
		{ "de;q=x, en;q=0.1", LANG_EN },
		{ "de;q=2, en;q=0.1", LANG_EN },
		{ "deutsch", LANG_EN },
		{ ",,,;;;=", LANG_EN },
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK_NUM(lang_accept(str_of(table[i].header)), table[i].want))
			fprintf(stderr, "  \"%s\"\n", table[i].header);
}

static void test_xml_email(void)
{
	static const struct {
		const char *xml, *want; /* NULL: none */
	} table[] = {
		{ "<a><EMailAddress>x@y</EMailAddress></a>", "x@y" },
		{ "<EMailAddress> x@y\r\n</EMailAddress>", "x@y" },
		{ "<n:EMailAddress>x@y</n:EMailAddress>", "x@y" },
		{ "<EMailAddress>x@y", NULL },
		{ "<EMailAddress><b>x@y</b></EMailAddress>", NULL },
		{ "<EMailAddress></EMailAddress>", NULL },
		{ "<EMailAddress>&lt;@y</EMailAddress>", NULL },
		{ "<EMailAddress>\xfc@y</EMailAddress>", NULL },
		{ "<EMailAddress>x\001@y</EMailAddress>", NULL },
		{ "<EMailAddress", NULL },
		{ "<", NULL },
		{ "", NULL },
		{ "<!-- > <EMailAddress>x@y</EMailAddress>", "x@y" },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str got = xml_email(str_of(table[i].xml));
		if (table[i].want)
			CHECK_STR(got, table[i].want);
		else
			CHECK(!got.p);
	}
}

int main(void)
{
	a = arena_new(4 << 20);
	test_scgi();
	test_scgi_twice();
	test_uri();
	test_form();
	test_cookies();
	test_languages();
	test_xml_email();
	arena_free(&a);
	return check_done();
}
