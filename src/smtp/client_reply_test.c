/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "smtp/client_reply.h"

/* Feeds lines divided by '\n'; what the last of them gave. */
static enum answer_step feed(struct answer_parser *p, struct str text, bool hello)
{
	enum answer_step step = ANSWER_MORE;

	answer_begin(p, hello);
	for (struct str rest = text; step == ANSWER_MORE; rest = str_from(rest, 1)) {
		size_t n = str_find(rest, '\n');

		step = answer_line(p, STR(rest.p, n));
		rest = str_from(rest, n);
		if (!rest.n)
			break;
	}
	return step;
}

static void test_replies(struct arena *a)
{
	static const struct {
		struct str in;
		enum answer_step step;
		unsigned code;
		const char *esc, *text;
	} table[] = {
		{ S("250 ok"), ANSWER_DONE, 250, "", "ok" },
		{ S("250"), ANSWER_DONE, 250, "", "" },
		{ S("250 "), ANSWER_DONE, 250, "", "" },
		{ S("250-a\n250 b"), ANSWER_DONE, 250, "", "a\nb" },
		{ S("250-a\n250-b\n250"), ANSWER_DONE, 250, "", "a\nb\n" },
		{ S("250-a"), ANSWER_MORE, 250, "", "a" },
		{ S("550 5.1.1 nobody"), ANSWER_DONE, 550, "5.1.1", "nobody" },
		{ S("550-5.1.1 nobody\n550 5.1.1 here"), ANSWER_DONE, 550, "5.1.1",
		  "nobody\nhere" },
		{ S("550-5.1.1 one\n550 5.7.1 two"), ANSWER_DONE, 550, "5.1.1", "one\ntwo" },
		{ S("450 4.7.100 wait"), ANSWER_DONE, 450, "4.7.100", "wait" },
		{ S("250 2.1.5"), ANSWER_DONE, 250, "2.1.5", "" },
		/* no enhanced codes: another class, not in the grammar, no space behind */
		{ S("550 4.1.1 odd"), ANSWER_DONE, 550, "", "4.1.1 odd" },
		{ S("354 3.0.0 go"), ANSWER_DONE, 354, "", "3.0.0 go" },
		{ S("250 2.1.1111 x"), ANSWER_DONE, 250, "", "2.1.1111 x" },
		{ S("250 2.01.1 x"), ANSWER_DONE, 250, "", "2.01.1 x" },
		{ S("250 2.1.5x"), ANSWER_DONE, 250, "", "2.1.5x" },
		{ S("250 2.1 x"), ANSWER_DONE, 250, "", "2.1 x" },
		/* no replies */
		{ S(""), ANSWER_BAD },
		{ S("25"), ANSWER_BAD },
		{ S("25x no"), ANSWER_BAD },
		{ S("150 no"), ANSWER_BAD },
		{ S("600 no"), ANSWER_BAD },
		{ S("250ok"), ANSWER_BAD },
		{ S("2500 ok"), ANSWER_BAD },
		{ S(" 250 ok"), ANSWER_BAD },
		{ S("HTTP/1.1 400 Bad Request"), ANSWER_BAD },
		{ S("250-a\n251 b"), ANSWER_BAD },
		{ S("250-a\nb"), ANSWER_BAD },
		{ S("\0250 ok"), ANSWER_BAD },
		{ S("2\0 ok"), ANSWER_BAD },
		/* what people will read has no controls in it */
		{ S("550 a\0b\x1b[2Jc\td\x7f"), ANSWER_DONE, 550, "", "a?b?[2Jc d?" },
		{ S("550 gr\xc3\xbc\xc3\x9f \xff"), ANSWER_DONE, 550, "", "gr\xc3\xbc\xc3\x9f ?" },
		{ S("550 \xe2\x80\xae\xc2\x85x"), ANSWER_DONE, 550, "", "??x" },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct answer_parser p;

		if (!CHECK_NUM(feed(&p, table[i].in, false), table[i].step))
			fprintf(stderr, "  of \"%.*s\"\n", FMT(table[i].in));
		if (table[i].step != ANSWER_BAD) {
			struct answer r = answer_end(&p, a);

			CHECK_NUM(r.code, table[i].code);
			CHECK_STR(str_of(r.esc), table[i].esc);
			CHECK_STR(r.text, table[i].text);
		}
		answer_free(&p);
	}
}

static void test_bounds(struct arena *a)
{
	struct answer_parser p;
	char line[600];

	answer_begin(&p, false);
	for (unsigned i = 0; i < ANSWER_LINES_MAX; i++)
		CHECK_NUM(answer_line(&p, S("250-and so on")), ANSWER_MORE);
	CHECK_NUM(answer_line(&p, S("250 the end")), ANSWER_BAD);
	answer_free(&p);

	memset(line, 'x', sizeof line);
	memcpy(line, "550-", 4);
	answer_begin(&p, false);
	for (unsigned i = 0; i < 10; i++)
		CHECK_NUM(answer_line(&p, STR(line, sizeof line)), ANSWER_MORE);
	CHECK_NUM(answer_line(&p, S("550 5.1.1 end")), ANSWER_DONE);
	struct answer r = answer_end(&p, a);

	CHECK_NUM(r.text.n, ANSWER_TEXT_MAX);
	CHECK_STR(str_of(r.esc), "5.1.1");
	answer_free(&p);
	/* of EHLO nothing is a code: RFC 2034 3 */
	CHECK_NUM(feed(&p, S("250 2.0.0 x"), true), ANSWER_DONE);
	CHECK_STR(answer_end(&p, a).text, "2.0.0 x");
	answer_free(&p);
}

static void test_offers(void)
{
	static const char *const lines[] = {
		"PIPELINING",
		"chunking",
		"BinaryMIME",
		"8BITMIME",
		"SMTPUTF8",
		"DSN",
		"STARTTLS",
		"ENHANCEDSTATUSCODES",
		"REQUIRETLS",
		"SIZE 35882577",
		"AUTH LOGIN plain",
		"LIMITS RCPTMAX=20 FOO=1 MAILMAX=5",
		"X-OWN thing",
		"",
		" ",
	};
	struct offer o = { 0 };

	for (size_t i = 0; i < LENGTH(lines); i++)
		offer_line(&o, str_of(lines[i]));
	CHECK(o.pipelining && o.chunking && o.binary && o.eightbit && o.utf8 && o.dsn);
	CHECK(o.starttls && o.enhanced && o.requiretls && o.size && o.auth_plain);
	CHECK_NUM(o.size_max, 35882577);
	CHECK_NUM(o.rcpt_max, 20);
	CHECK_NUM(o.mail_max, 5);

	static const char *const odd[] = {
		"SIZE",
		"SIZE x",
		"SIZE 99999999999999999999",
		"PIPELININGS",
		"XPIPELINING",
		"AUTH=PLAIN LOGIN",
		"LIMITS RCPTMAX=0",
		"LIMITS RCPTMAX=",
		"LIMITS MAILMAX",
		"LIMITS RCPTMAX=-1",
		"LIMITS MAILMAX=1x",
		"AUTH PLAINER",
	};

	o = (struct offer){ 0 };
	for (size_t i = 0; i < LENGTH(odd); i++)
		offer_line(&o, str_of(odd[i]));
	CHECK(o.size && !o.size_max && !o.pipelining && !o.auth_plain);
	CHECK(!o.rcpt_max && !o.mail_max);
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	test_replies(a);
	test_bounds(a);
	test_offers();
	arena_free(&a);
	return check_done();
}
