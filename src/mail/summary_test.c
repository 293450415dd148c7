/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/mime.h"

static struct arena *a;

static struct str made(struct str text)
{
	struct mime_parser *p = mime_parser_new(a);

	mime_feed(p, text);
	return summary_make(a, mime_end(p));
}

static struct summary opened(struct str text)
{
	struct summary s;

	CHECK(summary_open(made(text), &s) == OK);
	return s;
}

/* The one that RFC 3501 8 shows, with a shorter body. */
static void test_example(void)
{
	struct summary s =
		opened(S("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
			 "From: Terry Gray <gray@cac.washington.edu>\r\n"
			 "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
			 "To: imap@cac.washington.edu\r\n"
			 "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
			 "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
			 "MIME-Version: 1.0\r\n"
			 "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
			 "one\r\ntwo\r\n"));

	CHECK_STR(s.envelope, "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
			      "\"IMAP4rev1 WG mtg summary and minutes\" "
			      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
			      "((NIL NIL \"imap\" \"cac.washington.edu\")) "
			      "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
			      "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
			      "\"<B27397-0100000@cac.washington.edu>\")");
	CHECK_STR(s.body, "(\"TEXT\" \"PLAIN\" (\"charset\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2)");
	CHECK_STR(s.bodystructure,
		  "(\"TEXT\" \"PLAIN\" (\"charset\" \"US-ASCII\") NIL NIL \"7BIT\" "
		  "10 2 NIL NIL NIL NIL)");
	CHECK_NUM(s.sent, 837595405);
	CHECK_NUM(s.sent_zone, -420);
	CHECK_STR(s.message_id, "B27397-0100000@cac.washington.edu");
	CHECK_STR(s.subject, "IMAP4rev1 WG mtg summary and minutes");
	CHECK_STR(s.to, "imap@cac.washington.edu");
}

static const struct {
	const char *header, *envelope;
} envelopes[] = {
	{ "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
	/* Empty is not absent, but of address lists: RFC 3501 7.4.2. */
	{ "Date:\r\nSubject: \r\nTo:\r\nIn-Reply-To:\r\nMessage-ID:\r\n",
	  "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")" },
	{ "From: a@b\r\nSender: c@d\r\nReply-To:\r\n",
	  "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"a\" \"b\")) NIL "
	  "NIL "
	  "NIL NIL NIL)" },
	{ "To: g: a@b;, undisclosed:;\r\n",
	  "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL "
	  "\"undisclosed\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)" },
	{ "Bcc: x <@r:a@b>, nobody\r\n", "(NIL NIL NIL NIL NIL NIL NIL ((\"x\" \"@r\" \"a\" "
					 "\"b\")(NIL NIL \"nobody\" \"\")) NIL NIL)" },
	{ "Subject: q\"b\\\r\n fold\r\nSubject: second\r\n",
	  "(NIL \"q\\\"b\\\\ fold\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Subject: \xc3\xa4\r\n", "(NIL {2}\r\n\xc3\xa4 NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Subject: a\rb\r\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Subject: =?utf-8?q?=C3=A4?=\r\n",
	  "(NIL \"=?utf-8?q?=C3=A4?=\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
};

static const struct {
	const char *text, *body, *structure;
} bodies[] = {
	{ "Content-Type: text/html\r\nContent-Transfer-Encoding: Quoted-Printable (x)\r\n"
	  "Content-ID: <i@d>\r\nContent-Description: d e\r\nContent-MD5: Q2hlY2s=\r\n"
	  "Content-Disposition: INLINE; filename=\"a \\\"b\"\r\nContent-Language: de, en-US\r\n"
	  "Content-Location: http://x.test/\r\n\r\nab",
	  "(\"TEXT\" \"HTML\" NIL \"<i@d>\" \"d e\" \"QUOTED-PRINTABLE\" 2 0)",
	  "(\"TEXT\" \"HTML\" NIL \"<i@d>\" \"d e\" \"QUOTED-PRINTABLE\" 2 0 \"Q2hlY2s=\" "
	  "(\"inline\" (\"filename\" \"a \\\"b\")) (\"de\" \"en-US\") \"http://x.test/\")" },
	{ "Content-Type: image/png; name*0*=utf-8''%C3; name*1*=%A4.png\r\n\r\n\r\n",
	  "(\"IMAGE\" \"PNG\" (\"name*\" \"utf-8''%C3%A4.png\") NIL NIL \"7BIT\" 2)",
	  "(\"IMAGE\" \"PNG\" (\"name*\" \"utf-8''%C3%A4.png\") NIL NIL \"7BIT\" 2 NIL NIL NIL "
	  "NIL)" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
	  "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\ny\r\n--b--",
	  "((\"TEXT\" \"PLAIN\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0)"
	  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 18 "
	  "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	  "(\"TEXT\" \"PLAIN\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 4 1) 3) \"MIXED\")",
	  "((\"TEXT\" \"PLAIN\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"
	  "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 18 "
	  "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	  "(\"TEXT\" \"PLAIN\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 4 1 NIL NIL NIL NIL) 3 "
	  "NIL NIL NIL NIL) \"MIXED\" (\"boundary\" \"b\") NIL NIL NIL)" },
};

/* The tree of RFC 3501 6.4.5; each body is the number of its part. */
#define PART(type, rest) "Content-Type: " type "\r\n\r\n" rest
static const char numbered[] = PART("multipart/mixed; boundary=a", "pre\r\n--a\r\n") PART(
	"text/plain", "[1]\r\n--a\r\n") PART("application/octet-stream",
					     "[2]\r\n--a\r\n") PART("message/rfc822",
								    "Subject: 3\r\n")
	PART("multipart/mixed; boundary=b", "--b\r\n") PART("text/plain", "[3.1]\r\n--b\r\n") PART(
		"application/octet-stream",
		"[3.2]\r\n--b--\r\n--a\r\n") PART("multipart/mixed; boundary=c", "--c\r\n")
		PART("image/gif", "[4.1]\r\n--c\r\n") PART("message/rfc822", "Subject: 4.2\r\n")
			PART("multipart/mixed; boundary=d", "--d\r\n") PART("text/plain",
									    "[4.2.1]\r\n--d\r\n")
				PART("multipart/alternative; boundary=e",
				     "--e\r\n") PART("text/plain", "[4.2.2.1]\r\n--e\r\n")
					PART("text/richtext",
					     "[4.2.2.2]\r\n--e--\r\n--d--\r\n--c--\r\n--a\r\n")
						PART("message/rfc822",
						     "Subject: 5\r\n\r\n[5.1]\r\n--a--\r\n");

static const struct {
	uint32_t path[5];
	size_t n;
	const char *begins; /* its body; NULL: there is none */
	bool message;
} numbers[] = {
	{ { 0 }, 0, "pre", true },
	{ { 1 }, 1, "[1]", false },
	{ { 2 }, 1, "[2]", false },
	{ { 3 }, 1, "Subject: 3\r\n", true },
	{ { 3, 1 }, 2, "[3.1]", false },
	{ { 3, 2 }, 2, "[3.2]", false },
	{ { 3, 3 }, 2, NULL, false },
	{ { 4 }, 1, "--c\r\n", false },
	{ { 4, 1 }, 2, "[4.1]", false },
	{ { 4, 2 }, 2, "Subject: 4.2\r\n", true },
	{ { 4, 2, 1 }, 3, "[4.2.1]", false },
	{ { 4, 2, 2 }, 3, "--e\r\n", false },
	{ { 4, 2, 2, 1 }, 4, "[4.2.2.1]", false },
	{ { 4, 2, 2, 2 }, 4, "[4.2.2.2]", false },
	{ { 5 }, 1, "Subject: 5\r\n", true },
	{ { 5, 1 }, 2, "[5.1]", false },
	{ { 5, 2 }, 2, NULL, false },
	{ { 5, 1, 1 }, 3, NULL, false },
	{ { 6 }, 1, NULL, false },
	{ { 0 }, 1, NULL, false },
	{ { 1, 1 }, 2, NULL, false },
	{ { 4294967295 }, 1, NULL, false },
};

static void test_parts(void)
{
	struct str text = str_of(numbered);
	struct summary s = opened(text);
	struct part_info i;

	for (size_t k = 0; k < LENGTH(numbers); k++) {
		enum err e = summary_part(&s, numbers[k].path, numbers[k].n, &i);
		struct str body = str_part(text, i.body_off, i.body_size);

		CHECK(e == (numbers[k].begins ? OK : E_NOTFOUND));
		if (!e && numbers[k].begins &&
		    !CHECK(str_starts(body, str_of(numbers[k].begins)) &&
			   i.message == numbers[k].message))
			fprintf(stderr, "  part %zu: %.*s\n", k, FMT(body));
	}
	CHECK(summary_part(&s, (uint32_t[]){ 5 }, 1, &i) == OK);
	CHECK_STR(str_part(text, i.header_off, i.header_size),
		  "Content-Type: message/rfc822\r\n\r\n");
	CHECK_STR(str_part(text, i.msg_header_off, i.msg_header_size), "Subject: 5\r\n\r\n");
	CHECK_STR(str_part(text, i.msg_body_off, i.msg_body_size), "[5.1]");
	CHECK_STR(i.encoding, "7BIT");

	/* A message that is nothing but a message. */
	text = S("Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx");
	s = opened(text);
	CHECK(summary_part(&s, NULL, 0, &i) == OK);
	CHECK_NUM(i.msg_header_off, 0);
	CHECK(summary_part(&s, (uint32_t[]){ 1 }, 1, &i) == OK && i.kind == MIME_MESSAGE);
	CHECK_STR(str_part(text, i.msg_header_off, i.msg_header_size), "Subject: in\r\n\r\n");
	CHECK(summary_part(&s, (uint32_t[]){ 1, 1 }, 2, &i) == OK);
	CHECK_STR(str_part(text, i.body_off, i.body_size), "x");
}

static void test_broken(void)
{
	struct str octets = made(S("Subject: s\r\n\r\nx"));
	char *copy = arena_alloc(a, octets.n + 1);
	struct summary s;

	for (size_t n = 0; n < octets.n; n++)
		CHECK(summary_open(str_part(octets, 0, n), &s) == E_CORRUPT);
	memcpy(copy, octets.p, octets.n);
	CHECK(summary_open(STR(copy, octets.n + 1), &s) == E_CORRUPT);
	copy[0] = 2;
	CHECK(summary_open(STR(copy, octets.n), &s) == E_VERSION);
}

static void test_threads(void)
{
	struct envelope_fields none = { 0 }, e = { .message_id = S("<a@b>") };
	uint64_t root = thread_id(&e);

	/* This number is stored with messages: it never changes. */
	CHECK(root == UINT64_C(0xe6ac991904e00a72));
	CHECK_NUM(thread_id(&none), 0);
	e = (struct envelope_fields){ .message_id = S("<c@d>"), .in_reply_to = S("<a@b>") };
	CHECK(thread_id(&e) == root);
	e.references = S("<a@b> <x@y>");
	e.in_reply_to = S("<x@y>");
	CHECK(thread_id(&e) == root);
	e = (struct envelope_fields){ .message_id = S(" a@b (c)") };
	CHECK(thread_id(&e) == root);
	e = (struct envelope_fields){ .message_id = S("<c@d>"), .in_reply_to = S("your letter") };
	CHECK(thread_id(&e) != root && thread_id(&e));
	e = (struct envelope_fields){ .message_id = S("nothing") };
	CHECK_NUM(thread_id(&e), 0);
	/* Ids of nothing but blanks cost no memory and count for none. */
	char blanks[3 * 1000];

	for (size_t i = 0; i < 1000; i++)
		memcpy(blanks + 3 * i, i % 2 ? "< >" : "<\x01>", 3);
	e = (struct envelope_fields){ .references = STR(blanks, sizeof blanks),
				      .message_id = S("<a@b>") };
	CHECK(thread_id(&e) == root);
	CHECK_NUM(opened(S("Subject: s\r\n\r\n")).thread, 0);
	CHECK(opened(S("Subject: s\r\n\r\n")).sent == INT64_MIN);
	CHECK(opened(S("References: <a@b>\r\n\r\n")).thread == root);
}

int main(void)
{
	a = arena_new((size_t)1 << 30);
	test_example();
	for (size_t i = 0; i < LENGTH(envelopes); i++)
		CHECK_STR(opened(str_of(envelopes[i].header)).envelope, envelopes[i].envelope);
	for (size_t i = 0; i < LENGTH(bodies); i++) {
		struct summary s = opened(str_of(bodies[i].text));

		CHECK_STR(s.body, bodies[i].body);
		CHECK_STR(s.bodystructure, bodies[i].structure);
	}
	/* NUL cannot be sent. */
	CHECK_STR(str_part(opened(S("Subject: a\0b\r\n\r\n")).envelope, 5, 8), "{2}\r\nab ");
	test_parts();
	test_broken();
	test_threads();
	arena_free(&a);
	return check_done();
}
