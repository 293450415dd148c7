/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/mime.h"
#include "mail/sortkey.h"

static struct arena *a;

/* RFC 5256 2.1 and 5 */
static const struct {
	const char *in, *out;
	bool reply;
} subjects[] = {
	{ "", "" },
	{ "   ", "" },
	{ "plain", "plain" },
	{ " two  \t blanks ", "two blanks" },
	{ "folded\r\n subject", "folded subject" },
	{ "Re: x", "x", true },
	{ "RE:x", "x", true },
	{ "re :x", "x", true },
	{ "Re[4]: x", "x", true },
	{ "Re [list] : x", "x", true },
	{ "Re [list]: x", "x", true },
	{ "Fw: x", "x", true },
	{ "Fwd: x", "x", true },
	{ "fwd [a]: x", "x", true },
	{ "Re: Fwd: re:  x", "x", true },
	{ "Re:", "", true },
	{ "Rex: x", "Rex: x" },
	{ "Aw: x", "Aw: x" }, /* no translations: RFC 5256 7 */
	{ "x (fwd)", "x", true },
	{ "x (FWD) (fwd)  ", "x", true },
	{ "(fwd)", "", true },
	{ "[list] x", "x" },
	{ "[a][b] [c] x", "x" },
	{ "[a] Re: [b] Fwd: x", "x", true },
	{ "[only]", "[only]" },
	{ "[a] [only]", "[only]" },
	{ "[a] [only] (fwd)", "[only]", true },
	{ "Re: [only]", "[only]", true },
	{ "[a[b] x", "[a[b] x" },
	{ "[open x", "[open x" },
	{ "a [b] c", "a [b] c" },
	{ "[fwd: x]", "x", true },
	{ "[Fwd: Re: [list] x (fwd)]", "x", true },
	{ "[fwd: [fwd: x]]", "x", true },
	{ "[fwd: [b]]", "[b]", true },
	{ "Re: [fwd: x] (fwd)", "x", true },
	{ "[fwd:]", "", true },
	{ "[fwd: x", "[fwd: x" },
	{ "Re: \xc3\x84rger", "\xc3\x84rger", true },
};

static void base_subjects(void)
{
	bool reply;

	for (size_t i = 0; i < LENGTH(subjects); i++) {
		struct str got = subject_base(a, str_of(subjects[i].in), &reply);

		CHECK_NUM(reply, subjects[i].reply);
		if (!CHECK_STR(got, subjects[i].out))
			fprintf(stderr, "  %s\n", subjects[i].in);
	}
	/* What would take for ever blob by blob */
	char *many = arena_alloc(a, SUBJECT_MAX);

	for (size_t i = 0; i < SUBJECT_MAX; i++)
		many[i] = "[x]"[i % 3];
	CHECK_STR(subject_base(a, STR(many, SUBJECT_MAX / 3 * 3), &reply), "[x]");
}

static void texts(void)
{
	CHECK_STR(sort_text(a, S("aBc-1"), 64), "ABC-1");
	CHECK_STR(sort_text(a, S("\xc3\xbc"), 64), "U\xcc\x88"); /* u umlaut, decomposed */
	CHECK_STR(sort_text(a, S("\xef\xac\x81"), 64), "fi"); /* a ligature: no simple title case */
	CHECK_STR(sort_text(a, S("\xff"), 64), "\xef\xbf\xbd");
	CHECK_STR(sort_text(a, S("abcdef"), 4), "ABCD");
	CHECK_STR(sort_text(a, S(""), 4), "");
	CHECK(sort_msgid(a, S("\"a\"@b")) == sort_msgid(a, S("a@b")));
	CHECK(sort_msgid(a, S("\"a\\+c\"@b")) == sort_msgid(a, S("a+c@b")));
	CHECK(sort_msgid(a, S("A@b")) != sort_msgid(a, S("a@b")));
	CHECK(sort_msgid(a, S("")) != 0);
}

static struct sortkey key_of(const char *header)
{
	struct mime_parser *p = mime_parser_new(a);
	struct summary sum;
	struct sortkey k;

	mime_feed(p, str_of(header));
	CHECK_NUM(summary_open(summary_make(a, mime_end(p)), &sum), OK);
	sortkey_make(a, &sum, sortkey_wants_header(&sum) ? str_of(header) : S(""), &k);
	return k;
}

static void keys(void)
{
	struct sortkey k = key_of("From: =?utf-8?q?J=C3=B6rg?= <Joe@b.test>\r\n"
				  "To: x@y.test, Z <z@y.test>\r\n"
				  "Cc: Friends: a@b, c@d;\r\n"
				  "Subject: Re: [l] =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
				  "Date: 31 Dec 2000 16:01:33 -0800\r\n"
				  "Message-ID: <3@b>\r\n"
				  "References: <1@b>\r\n <2@b>\r\n"
				  "In-Reply-To: <9@b>\r\n\r\n");

	CHECK_NUM(k.sent, 978307293);
	CHECK(k.reply);
	CHECK_STR(k.from, "JOE");
	CHECK_STR(k.display_from, "JO\xcc\x88RG");
	CHECK_STR(k.to, "X");
	CHECK_STR(k.display_to, "X@Y.TEST");
	CHECK_STR(k.cc, "FRIENDS");
	CHECK_STR(k.base, "GRU\xcc\x88\xc3\x9f"
			  "E");
	CHECK(k.id == sort_msgid(a, S("3@b")));
	CHECK_NUM(k.nrefs, 2);
	CHECK(k.refs[0] == sort_msgid(a, S("1@b")) && k.refs[1] == sort_msgid(a, S("2@b")));
	CHECK(k.subject == key_of("Subject: GR\xc3\x9c\xc3\x9f"
				  "E\r\n\r\n")
				   .subject);

	k = key_of("Message-ID: <3@b>\r\nReferences: none\r\nIn-Reply-To: <8@b> <9@b>\r\n\r\n");
	CHECK_NUM(k.nrefs, 1);
	CHECK(k.refs[0] == sort_msgid(a, S("8@b")));
	CHECK(k.sent == INT64_MIN && !k.subject && !k.reply && k.base.n == 0);

	k = key_of("\r\n");
	CHECK(k.nrefs == 0 && k.id == 0 && k.from.n == 0 && k.display_to.n == 0);
	/* Many references: the first and the last ones */
	struct buf b = buf_new(65536);

	buf_put(&b, S("Message-ID: <me@b>\r\nReferences:"));
	for (unsigned i = 0; i < 1000; i++)
		buf_fmt(&b, " <%u@b>\r\n", i);
	buf_put(&b, S("\r\n"));
	k = key_of(str_c(a, buf_str(&b)));
	CHECK_NUM(k.nrefs, SORT_REFS_MAX);
	CHECK(k.refs[0] == sort_msgid(a, S("0@b")) && k.refs[1] == sort_msgid(a, S("937@b")));
	CHECK(k.refs[SORT_REFS_MAX - 1] == sort_msgid(a, S("999@b")));
	buf_clear(&b);

	/* As octets and back */
	struct sortkey again;

	sortkey_put(&b, &k);
	struct scan in = scan(buf_str(&b));

	sortkey_scan(&in, &again);
	CHECK(scan_end(&in) && again.sent == k.sent && again.nrefs == k.nrefs && again.id == k.id);
	for (size_t n = 0; n < b.n; n++) {
		in = scan(str_part(buf_str(&b), 0, n));
		sortkey_scan(&in, &again);
		CHECK(in.bad);
	}
	buf_free(&b);
}

int main(void)
{
	a = arena_new(64 << 20);
	base_subjects();
	texts();
	keys();
	arena_free(&a);
	return check_done();
}
