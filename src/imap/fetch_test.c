/* SPDX-License-Identifier: ISC */
/* FETCH, SEARCH, STORE, COPY, MOVE, EXPUNGE, APPEND of one session. */
#include "imap/dialog_test.h"

static const char nested[] = "Subject: outer\n"
			     "From: Alice <alice@example.test>\n"
			     "To: bob@example.test\n"
			     "Date: Wed, 17 Jul 1996 02:23:25 -0700\n"
			     "Message-ID: <1@example.test>\n"
			     "MIME-Version: 1.0\n"
			     "Content-Type: multipart/mixed; boundary=b1\n"
			     "\n"
			     "preamble\n"
			     "--b1\n"
			     "Content-Type: text/plain; charset=iso-8859-1\n"
			     "Content-Transfer-Encoding: quoted-printable\n"
			     "\n"
			     "Gr=FC=DFe\n"
			     "--b1\n"
			     "Content-Type: message/rfc822\n"
			     "\n"
			     "Subject: inner\n"
			     "\n"
			     "inside\n"
			     "--b1\n"
			     "Content-Type: application/octet-stream\n"
			     "Content-Transfer-Encoding: base64\n"
			     "\n"
			     "c2VjcmV0\n"
			     "--b1--\n";

static const char simple[] = "Subject: =?utf-8?q?Caf=C3=A9?= plan\n"
			     "From: Bob <bob@example.test>\n"
			     "Bcc: carol@example.test\n"
			     "Date: 1 Feb 2020 23:30:00 -0500\n"
			     "X-A: one\n"
			     "\n"
			     "line one\n"
			     "line two\n";

static void items(struct client *c)
{
	ASK(c, "FETCH 2 (UID FLAGS INTERNALDATE RFC822.SIZE)",
	    "* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" "
	    "RFC822.SIZE 157)\r\nT OK FETCH done\r\n");
	CHECK(has(ask(c, "FETCH 2 ALL"),
		  "* 2 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 "
		  "09:44:25 +0000\" RFC822.SIZE 157 ENVELOPE (\"1 Feb 2020"));
	CHECK(has(ask(c, "UID FETCH 1:* UID"), "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\nT OK"));
	CHECK(has(ask(c, "UID FETCH 2 RFC822.SIZE"), "* 2 FETCH (UID 2 RFC822.SIZE 157)\r\n"));
	CHECK(has(ask(c, "FETCH 1 BODY"),
		  "(BODY ((\"TEXT\" \"PLAIN\" (\"charset\" \"iso-8859-1\")"));
	CHECK(has(ask(c, "FETCH 1 BODYSTRUCTURE"), "\"MIXED\" (\"boundary\" \"b1\")"));
	ASK(c, "UID FETCH 100 FLAGS", "T OK FETCH done\r\n");
	CHECK(has(ask(c, "UID FETCH 100:* UID"), "* 2 FETCH (UID 2)\r\n"));
	ASK(c, "FETCH 3 FLAGS", "T BAD usage: FETCH set items, numbers within the mailbox\r\n");
	ASK(c, "FETCH 0 FLAGS", "T BAD usage: FETCH set items, numbers within the mailbox\r\n");
	CHECK(has(ask(c, "FETCH * UID"), "* 2 FETCH (UID 2)\r\n"));
	CHECK(has(ask(c, "FETCH 1"), "T BAD usage"));
	CHECK(has(ask(c, "FETCH 1 (FLAGS) x"), "T BAD usage"));
}

static void sections(struct client *c)
{
	static const char *const t[][2] = {
		{ "BODY.PEEK[1]", "BODY[1] {9}\r\nGr=FC=DFe)" },
		{ "BODY.PEEK[1.MIME]", "BODY[1.MIME] {93}\r\nContent-Type: text/plain; "
				       "charset=iso-8859-1\r\nContent-Transfer-Encoding: "
				       "quoted-printable\r\n\r\n)" },
		{ "BODY.PEEK[2]", "BODY[2] {24}\r\nSubject: inner\r\n\r\ninside)" },
		{ "BODY.PEEK[2.HEADER]", "BODY[2.HEADER] {18}\r\nSubject: inner\r\n\r\n)" },
		{ "BODY.PEEK[2.TEXT]", "BODY[2.TEXT] {6}\r\ninside)" },
		{ "BODY.PEEK[2.1]", "BODY[2.1] {6}\r\ninside)" },
		{ "BODY.PEEK[2.HEADER.FIELDS (subject)]",
		  "BODY[2.HEADER.FIELDS (subject)] {18}\r\nSubject: inner\r\n\r\n)" },
		{ "BODY.PEEK[1.HEADER]", "BODY[1.HEADER] NIL)" },
		{ "BODY.PEEK[4]", "BODY[4] NIL)" },
		{ "BODY.PEEK[1.1]", "BODY[1.1] NIL)" },
		{ "BODY.PEEK[3]<2.4>", "BODY[3]<2> {4}\r\nVjcm)" },
		{ "BODY.PEEK[3]<8.4>", "BODY[3]<8> {0}\r\n)" },
		{ "BODY.PEEK[3]<6.100>", "BODY[3]<6> {2}\r\nV0)" },
		{ "BODY.PEEK[HEADER.FIELDS (To X-None \"date\")]",
		  "BODY[HEADER.FIELDS (To X-None date)] {63}\r\nTo: bob@example.test\r\n"
		  "Date: Wed, 17 Jul 1996 02:23:25 -0700\r\n\r\n)" },
		{ "BODY.PEEK[HEADER.FIELDS.NOT (To Date From Message-ID MIME-Version "
		  "Content-Type)]",
		  " {18}\r\nSubject: outer\r\n\r\n)" },
		{ "BODY.PEEK[HEADER.FIELDS (To)]<4.3>", "BODY[HEADER.FIELDS (To)]<4> {3}\r\nbob)" },
		{ "BODY.PEEK[HEADER.FIELDS (none)]", "BODY[HEADER.FIELDS (none)] {2}\r\n\r\n)" },
		{ "BODY.PEEK[TEXT]<0.10>", "BODY[TEXT]<0> {10}\r\npreamble\r\n)" },
		{ "BODY.PEEK[]<0.7>", "BODY[]<0> {7}\r\nSubject)" },
		{ "RFC822.HEADER", "RFC822.HEADER {206}\r\nSubject: outer\r\n" },
	};
	char line[256];

	for (size_t i = 0; i < LENGTH(t); i++) {
		snprintf(line, sizeof line, "FETCH 1 %s", t[i][0]);
		CHECK(has(ask(c, line), t[i][1]));
	}
	CHECK(has(ask(c, "FETCH 2 (BODY.PEEK[1] BODY.PEEK[TEXT])"),
		  "* 2 FETCH (BODY[1] {20}\r\nline one\r\nline two\r\n BODY[TEXT] {20}\r\n"));
	CHECK(has(ask(c, "FETCH 1 FLAGS"), "FLAGS (\\Recent)"));
	/* Not peeked: \Seen is set and told with it. */
	CHECK(has(ask(c, "FETCH 1:2 BODY[HEADER]<0.1>"),
		  "* 1 FETCH (BODY[HEADER]<0> {1}\r\nS FLAGS (\\Seen \\Recent))\r\n"
		  "* 2 FETCH (BODY[HEADER]<0> {1}\r\nS)\r\nT OK FETCH done\r\n"));
	ASK(c, "FETCH 1 FLAGS", "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nT OK FETCH done\r\n");
	ASK(c, "STORE 1 -FLAGS.SILENT (\\Seen)", "T OK STORE done\r\n");
	CHECK(has(ask(c, "UID FETCH 1 (FLAGS RFC822.TEXT)"),
		  "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) RFC822.TEXT {"));
	ASK(c, "NOOP", "T OK NOOP done\r\n");
}

static void stores(struct client *c)
{
	ASK(c, "STORE 1:2 FLAGS (\\Flagged)",
	    "* 1 FETCH (FLAGS (\\Flagged \\Recent))\r\n* 2 FETCH (FLAGS (\\Flagged \\Recent))\r\n"
	    "T OK STORE done\r\n");
	/* Nothing changes, and is told all the same. */
	ASK(c, "STORE 1 +FLAGS \\Flagged",
	    "* 1 FETCH (FLAGS (\\Flagged \\Recent))\r\nT OK STORE done\r\n");
	ASK(c, "UID STORE 2 -FLAGS (\\Flagged \\Draft)",
	    "* 2 FETCH (UID 2 FLAGS (\\Recent))\r\nT OK STORE done\r\n");
	ASK(c, "STORE 1 +FLAGS ($New)",
	    "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)\r\n"
	    "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New \\*)] these "
	    "are "
	    "kept\r\n"
	    "* 1 FETCH (FLAGS (\\Flagged $New \\Recent))\r\nT OK STORE done\r\n");
	/* A keyword made in silence: the flags of the mailbox are told, not those of the message.
	 */
	struct str s = ask(c, "STORE 2 +FLAGS.SILENT ($More)");

	CHECK(has(s, "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New $More)\r\n"));
	CHECK(lacks(s, "FETCH"));
	ASK(c, "STORE 1 -FLAGS.SILENT ($New)", "T OK STORE done\r\n");
	ASK(c, "STORE 1 -FLAGS.SILENT ($Never)", "T OK STORE done\r\n");
	ASK(c, "STORE 1 FLAGS.SILENT ()", "T OK STORE done\r\n");
	ASK(c, "FETCH 1:2 FLAGS",
	    "* 1 FETCH (FLAGS (\\Recent))\r\n"
	    "* 2 FETCH (FLAGS ($More \\Recent))\r\nT OK FETCH done\r\n");
	CHECK(has(ask(c, "STORE 1 FLAGS (\\Recent)"), "T BAD usage"));
	CHECK(has(ask(c, "STORE 1 FLAG (\\Seen)"), "T BAD usage"));
	CHECK(has(ask(c, "STORE 9 FLAGS (\\Seen)"), "T BAD usage"));
	ASK(c, "UID STORE 9 FLAGS (\\Seen)", "T OK STORE done\r\n");
	ASK(c, "STORE 2 FLAGS.SILENT (\\Seen)", "T OK STORE done\r\n");
}

/* All the bits there are, and one keyword more. */
static void many_keywords(void)
{
	struct client *c = client_new("alice");
	char line[64];

	CHECK(append(c, "Junk", "", "x\n") == 1);
	CHECK(has(ask(c, "SELECT Junk"), "\\*)]"));
	for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
		snprintf(line, sizeof line, "STORE 1 +FLAGS.SILENT (k%u)", i);
		CHECK(has(ask(c, line), "T OK STORE done"));
	}
	CHECK(has(ask(c, "STORE 1 +FLAGS (one.more)"), "T NO [LIMIT]"));
	CHECK(has(ask(c, "FETCH 1 FLAGS"), "(k0 k1 "));
	ASK(c, "SEARCH KEYWORD K58", "* SEARCH 1\r\nT OK SEARCH done\r\n");
	CHECK(has(ask(c, "STORE 1 -FLAGS (k0)"), "(FLAGS (k1 "));
	CHECK(lacks(ask(c, "SELECT Junk"), "\\*)]")); /* no more can be made */
	client_close(&c);
}

static void searches(struct client *c)
{
	static const char *const t[][2] = {
		{ "ALL", " 1 2" },
		{ "SEEN", " 2" },
		{ "UNSEEN", " 1" },
		{ "NOT SEEN", " 1" },
		{ "DELETED", "" },
		{ "UNDELETED", " 1 2" },
		{ "2:*", " 2" },
		{ "5:9", "" },
		{ "UID 1 SEEN", "" },
		{ "UID 1,2 SEEN", " 2" },
		{ "NOT UID 1", " 2" },
		{ "RECENT", " 1 2" },
		{ "NEW", " 1" },
		{ "OLD", "" },
		{ "NOT NEW", " 2" },
		{ "FLAGGED", "" },
		{ "UNFLAGGED UNANSWERED UNDRAFT", " 1 2" },
		{ "KEYWORD $More", "" },
		{ "UNKEYWORD $Unheard", " 1 2" },
		{ "ON 17-Jul-1996", " 2" },
		{ "BEFORE 18-Jul-1996", " 2" },
		{ "BEFORE 17-Jul-1996", "" },
		{ "SINCE 18-Jul-1996", " 1" },
		{ "SENTON 1-Feb-2020", " 2" },
		{ "SENTBEFORE 18-Jul-1996", " 1" },
		{ "SENTSINCE 2-Feb-2020", "" },
		{ "LARGER 157", " 1" },
		{ "SMALLER 158", " 2" },
		{ "FROM alice", " 1" },
		{ "FROM ALICE@", " 1" },
		{ "BCC carol", " 2" },
		{ "CC carol", "" },
		{ "TO bob SUBJECT outer", " 1" },
		{ "SUBJECT inner", "" },
		{ "SUBJECT \"\"", " 1 2" },
		{ "HEADER x-a \"\"", " 2" },
		{ "HEADER X-A ONE", " 2" },
		{ "HEADER X-B \"\"", "" },
		{ "CHARSET UTF-8 SUBJECT {5+}\r\nCAF\xc3\x89", " 2" },
		{ "BODY {7+}\r\nGR\xc3\x9c\xc3\x9f"
		  "E",
		  " 1" },
		{ "BODY inside", " 1" },
		{ "BODY inner", " 1" },
		{ "BODY outer", "" },
		{ "BODY c2VjcmV0", "" },
		{ "BODY \"line two\"", " 2" },
		{ "TEXT outer", " 1" },
		{ "TEXT \"x-a: one\"", " 2" },
		{ "TEXT plan", " 2" },
		{ "OR SUBJECT outer BODY two", " 1 2" },
		{ "OR SEEN (UNSEEN SUBJECT outer)", " 1 2" },
		{ "NOT (OR SEEN FROM alice)", "" },
		{ "(((SEEN)))", " 2" },
	};
	char line[256], want[256];

	for (size_t i = 0; i < LENGTH(t); i++) {
		snprintf(line, sizeof line, "SEARCH %s", t[i][0]);
		snprintf(want, sizeof want, "* SEARCH%s\r\nT OK SEARCH done\r\n", t[i][1]);
		if (!CHECK_STR(ask(c, line), want))
			fprintf(stderr, "%s\n", line);
	}
	ASK(c, "UID SEARCH SEEN", "* SEARCH 2\r\nT OK SEARCH done\r\n");
	ASK(c, "SEARCH CHARSET KOI8-R SUBJECT x",
	    "T NO [BADCHARSET (US-ASCII UTF-8)] this charset is not known here\r\n");
	CHECK(has(ask(c, "SEARCH"), "T BAD usage"));
	char deep[4200] = "SEARCH ";

	memset(deep + 7, '(', 2000);
	memcpy(deep + 2007, "ALL", 3);
	memset(deep + 2010, ')', 2000);
	CHECK(has(ask(c, deep), "T NO [LIMIT]"));
}

static void copies(struct client *c)
{
	char want[256];
	struct str s = ask(c, "STATUS Trash (UIDVALIDITY)");
	unsigned validity = 0;

	CHECK(sscanf(s.p, "* STATUS \"Trash\" (UIDVALIDITY %u)", &validity) == 1);
	snprintf(want, sizeof want, "T OK [COPYUID %u 1:2 1:2] COPY done\r\n", validity);
	ASK(c, "COPY 1:2 Trash", want);
	CHECK(has(ask(c, "COPY 1 nowhere"), "T NO [TRYCREATE]"));
	CHECK(has(ask(c, "COPY 9 Trash"), "T BAD usage"));
	CHECK(has(ask(c, "COPY 1 \"a//b\""), "T NO [CANNOT]"));
	ASK(c, "UID COPY 99 Trash", "T OK no such messages, nothing done\r\n");
	/* To itself, then moved away */
	CHECK(has(ask(c, "COPY 1 INBOX"), "* 3 EXISTS\r\n"));
	snprintf(want, sizeof want,
		 "* OK [COPYUID %u 1,3 3:4] moved\r\n* 3 EXPUNGE\r\n* 1 EXPUNGE\r\nT OK MOVE "
		 "done\r\n",
		 validity);
	ASK(c, "UID MOVE 1,3:9 Trash", want);
	CHECK(has(ask(c, "MOVE 1 nowhere"), "T NO [TRYCREATE]"));
	CHECK(has(ask(c, "SELECT Trash"), "* 4 EXISTS\r\n"));
	CHECK(has(ask(c, "FETCH 2 (FLAGS INTERNALDATE)"), "\"17-Jul-1996 09:44:25 +0000\""));
	ASK(c, "STORE 1,2,4 +FLAGS.SILENT (\\Deleted)", "T OK STORE done\r\n");
	ASK(c, "UID EXPUNGE 2:3", "* 2 EXPUNGE\r\nT OK EXPUNGE done\r\n");
	ASK(c, "EXPUNGE", "* 3 EXPUNGE\r\n* 1 EXPUNGE\r\nT OK EXPUNGE done\r\n");
	ASK(c, "EXPUNGE", "T OK EXPUNGE done\r\n");
	CHECK(has(ask(c, "EXPUNGE 1"), "T BAD usage"));
	ASK(c, "FETCH 1:* UID", "* 1 FETCH (UID 3)\r\nT OK FETCH done\r\n");
	ASK(c, "STORE 1 +FLAGS.SILENT (\\Deleted)", "T OK STORE done\r\n");
	ASK(c, "EXPUNGE", "* 1 EXPUNGE\r\nT OK EXPUNGE done\r\n");
	/* An empty mailbox: "*" is nobody. */
	ASK(c, "FETCH 1:* FLAGS", "T OK FETCH done\r\n");
	ASK(c, "UID FETCH 1:* FLAGS", "T OK FETCH done\r\n");
	ASK(c, "SEARCH ALL", "* SEARCH\r\nT OK SEARCH done\r\n");
	ASK(c, "UID SEARCH 1:*", "* SEARCH\r\nT OK SEARCH done\r\n");
	CHECK(has(ask(c, "FETCH 1 FLAGS"), "T BAD"));
}

static void appends(void)
{
	struct client *c = client_new("bob");

	CHECK(has(ask(c, "APPEND nowhere {10}"), "T NO [TRYCREATE]"));
	CHECK(has(ask(c, "APPEND INBOX {99999999}"), "T NO [TOOBIG]"));
	CHECK(has(ask(c, "APPEND INBOX {0}"), "T NO [CANNOT]"));
	CHECK(has(ask(c, "APPEND \"a//b\" {10}"), "T NO [CANNOT]"));
	CHECK(has(ask(c, "APPEND INBOX"), "T BAD usage: APPEND"));
	CHECK(has(ask(c, "APPEND INBOX text"), "T BAD usage: APPEND"));
	say(c, "a APPEND INBOX (\\Bad) {5+}\r\nhello\r\n");
	CHECK(has(hear(c), "a BAD usage: APPEND"));
	say(c, "a APPEND nowhere {24+}\r\nb LOGOUT\r\nc LOGOUT\r\nyy\r\n\r\n");
	CHECK(has(hear(c), "a NO [TRYCREATE]"));
	io_put(c->io, S("a APPEND INBOX {5+}\r\nhe\0lo\r\n"));
	say(c, "");
	CHECK(has(hear(c), "a NO [CANNOT] a message cannot hold NUL"));
	say(c, "a APPEND INBOX {3+}\r\nabc trailing\r\n");
	CHECK(has(hear(c), "a BAD usage: APPEND"));
	say(c, "a APPEND INBOX {3+}\r\nabc {3+}\r\ndef\r\n"); /* MULTIAPPEND is not offered */
	CHECK(has(hear(c), "a BAD usage: APPEND"));
	/* Not let in just now: told before the message comes, or it is passed. */
	append_says = E_READONLY;
	CHECK(has(ask(c, "APPEND INBOX {10}"), "T NO [UNAVAILABLE] the service takes nothing new"));
	say(c, "a APPEND INBOX {3+}\r\nabc\r\n");
	CHECK(has(hear(c), "a NO [UNAVAILABLE]"));
	append_says = E_DENIED;
	CHECK(has(ask(c, "APPEND INBOX {10}"), "T NO [NOPERM]"));
	append_says = OK;
	/* Too large, sent unasked: it is passed. */
	io_put(c->io, S("a APPEND INBOX {1400000+}\r\n"));
	for (unsigned i = 0; i < 200000; i++)
		io_put(c->io, S("x NOOP\n"));
	say(c, "\r\n");
	CHECK(has(hear(c), "a NO [TOOBIG]"));
	quota = 100; /* since the login: what counts is what is so now */
	CHECK(has(ask(c, "APPEND INBOX {101}"), "T NO [OVERQUOTA]"));
	quota = 0;
	CHECK(has(ask(c, "STATUS INBOX (MESSAGES)"), "(MESSAGES 0)"));

	say(c, "a APPEND INBOX (\\Seen $A) \"17-Jul-1996 02:44:25 -0700\" {15}\r\n");
	CHECK_STR(hear(c), "+ send the message\r\n");
	say(c, "Subject: x\n\nab\n\r\n");
	CHECK(has(hear(c), "a OK [APPENDUID "));
	say(c, "b APPEND {5+}\r\nINBOX {3+}\r\nabc\r\n");
	CHECK(has(hear(c), "b OK [APPENDUID "));
	CHECK(has(ask(c, "SELECT INBOX"), "* 2 EXISTS"));
	/* Octets stay as they came, a bare LF as well. */
	CHECK(has(
		ask(c, "FETCH 1:2 (FLAGS INTERNALDATE BODY.PEEK[])"),
		"* 1 FETCH (FLAGS (\\Seen $A \\Recent) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" "
		"BODY[] {15}\r\nSubject: x\n\nab\n)\r\n* 2 FETCH (FLAGS (\\Recent)"));
	say(c, "c APPEND INBOX {3+}\r\nabc\r\n");
	CHECK(has(hear_reply(c, "c"), "* 3 EXISTS\r\n* 3 RECENT\r\nc OK [APPENDUID "));
	/* Cut in the middle: nothing is stored. */
	struct client *cut = client_new("bob");

	say(cut, "a APPEND INBOX {100+}\r\nonly a part");
	client_close(&cut);
	fiber_yield();
	ASK(c, "NOOP", "T OK NOOP done\r\n");
	client_close(&c);
}

/* A large message comes back octet by octet, by parts of it too. */
static void large(void)
{
	struct client *c = client_new("alice");
	struct buf text = buf_new(2 << 20);

	buf_put(&text, S("Subject: large\n\n"));
	for (unsigned i = 0; i < 12000; i++)
		buf_fmt(&text, "this is line number %u of it\n", i);
	buf_c(&text, '\0');
	CHECK(append(c, "Archive", "", text.p) == 1);
	CHECK(has(ask(c, "SELECT Archive"), "* 1 EXISTS"));
	struct str s = ask(c, "FETCH 1 BODY.PEEK[]");

	CHECK(has(s, "this is line number 11999 of it\r\n)\r\nT OK"));
	CHECK_NUM(s.n, text.n - 1 + 12002 +
			       str_of("* 1 FETCH (BODY[] {400000}\r\n)\r\nT OK FETCH done\r\n").n);
	CHECK(has(ask(c, "FETCH 1 BODY.PEEK[]<100000.30>"), "{30}\r\n"));
	ASK(c, "SEARCH BODY \"line number 11998 of\"", "* SEARCH 1\r\nT OK SEARCH done\r\n");
	ASK(c, "SEARCH BODY \"line number 12998 of\"", "* SEARCH\r\nT OK SEARCH done\r\n");
	/* Wherever the seam of the pieces is, a text across two lines is found. */
	for (unsigned i = 8600; i < 8800; i += 7) {
		char line[128];

		snprintf(
			line, sizeof line,
			"SEARCH BODY {%u+}\r\n%u of it\r\nthis is line number %u",
			(unsigned)snprintf(NULL, 0, "%u of it\r\nthis is line number %u", i, i + 1),
			i, i + 1);
		ASK(c, line, "* SEARCH 1\r\nT OK SEARCH done\r\n");
	}
	buf_free(&text);
	client_close(&c);
}

/* A message that came in with NUL octets and bare LFs: literals have no NUL. RFC 3501 9 */
static void odd_octets(void)
{
	struct client *c = client_new("bob");
	struct incoming *in = incoming_new(server.store);
	struct delivery d = { .account = 2, .mailbox = S("Junk") };

	CHECK(incoming_write(in, S("Subject: nul\0\n\na\0b\n")) == OK);
	CHECK(incoming_finish(in) == OK);
	box_deliver(server.store, in, &d, 1);
	incoming_close(&in);
	CHECK_NUM(d.result, OK);
	CHECK(has(ask(c, "SELECT Junk"), "* 1 EXISTS"));
	CHECK(has(ask(c, "FETCH 1 (RFC822.SIZE BODY.PEEK[])"),
		  "(RFC822.SIZE 19 BODY[] {19}\r\nSubject: nul\x80\n\na\x80"
		  "b\n)\r\n"));
	CHECK(has(ask(c, "FETCH 1 BODY.PEEK[HEADER.FIELDS (subject)]"),
		  " {16}\r\nSubject: nul\x80\n\r\n)\r\n"));
	client_close(&c);
}

/* A header larger than what is looked at: its first fields are found, all of it can be read. */
static void large_header(void)
{
	struct client *c = client_new("bob");
	struct buf text = buf_new(4 << 20);

	conf.message_max = 4 << 20;
	buf_put(&text, S("Subject: first\n"));
	while (text.n < 2 << 20)
		buf_fmt(&text, "X-Field-%zu: of many, each with a number of its own\n", text.n);
	buf_put(&text, S("X-Last: 1\n\nbody\n"));
	buf_c(&text, '\0');
	CHECK(append(c, "Sent", "", text.p) == 1);
	CHECK(has(ask(c, "SELECT Sent"), "* 1 EXISTS"));
	CHECK(has(ask(c, "FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject X-Last)]"),
		  " {18}\r\nSubject: first\r\n\r\n)\r\n"));
	CHECK(has(ask(c, "FETCH 1 BODY.PEEK[HEADER]"), "\r\nX-Last: 1\r\n\r\n)\r\nT OK"));
	ASK(c, "SEARCH SUBJECT FIRST", "* SEARCH 1\r\nT OK SEARCH done\r\n");
	CHECK(has(ask(c, "FETCH 1 BODY.PEEK[TEXT]"), " {6}\r\nbody\r\n)\r\n"));
	buf_free(&text);

	/* Who asks for much and reads nothing is let go. */
	unsigned before = group_size(sessions);

	conf.stall_ms = 100;
	say(c, "a FETCH 1 (BODY.PEEK[] BODY.PEEK[HEADER])\r\n");
	CHECK(fiber_sleep(clock_in(500)) == OK);
	CHECK_NUM(group_size(sessions), before - 1);
	conf.stall_ms = 60000;
	client_close(&c);
}

/* However many keys run through however long a header, the others are heard meanwhile. */
static void heavy_search(void)
{
	struct client *c = client_new("alice"), *other = client_new("bob");
	struct buf text = buf_new(1 << 20);
	char octet;

	for (unsigned i = 0; i < 40000; i++)
		buf_put(&text, S("a:\n"));
	buf_put(&text, S("\nbody\n"));
	buf_c(&text, '\0');
	ASK(c, "CREATE heavy", "T OK CREATE done\r\n");
	CHECK(append(c, "heavy", "", text.p) == 1);
	CHECK(has(ask(c, "SELECT heavy"), "* 1 EXISTS"));
	buf_clear(&text);
	buf_put(&text, S("a SEARCH"));
	for (unsigned i = 0; i < 200; i++)
		buf_fmt(&text, " NOT HEADER a b%u", i);
	buf_put(&text, S("\r\n"));
	buf_c(&text, '\0');
	say(c, text.p);
	ASK(other, "NOOP", "T OK NOOP done\r\n");
	CHECK(recv(c->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0); /* still at it */
	CHECK_STR(hear_reply(c, "a"), "* SEARCH 1\r\na OK SEARCH done\r\n");
	buf_free(&text);
	client_close(&c);
	client_close(&other);
}

static void tests(void)
{
	struct client *c = client_new("alice");

	CHECK(append(c, "INBOX", "", nested) == 1);
	CHECK(append(c, "INBOX", "(\\Seen) \"17-Jul-1996 02:44:25 -0700\"", simple) == 2);
	CHECK(has(ask(c, "SELECT INBOX"), "T OK [READ-WRITE]"));
	items(c);
	sections(c);
	stores(c);
	searches(c);
	copies(c);
	client_close(&c);
	many_keywords();
	appends();
	large();
	odd_octets();
	heavy_search();
	large_header();
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
