/* SPDX-License-Identifier: ISC */
/* Two sessions on one mailbox: who hears what, and numbers that do not shift. */
#include "imap/dialog_test.h"

static struct client *a, *b;

static void fill(unsigned n)
{
	static const char text[] = "Subject: x\n\nbody\n";

	for (unsigned i = 0; i < n; i++)
		CHECK(append(a, "INBOX", "", text) > 0);
}

static void select_both(void)
{
	CHECK(has(ask(a, "SELECT INBOX"), "T OK [READ-WRITE]"));
	CHECK(has(ask(b, "SELECT INBOX"), "T OK [READ-WRITE]"));
}

static void flags_of_others(void)
{
	ASK(a, "STORE 2 +FLAGS (\\Flagged)",
	    "* 2 FETCH (FLAGS (\\Flagged \\Recent))\r\nT OK STORE done\r\n");
	ASK(b, "NOOP", "* 2 FETCH (FLAGS (\\Flagged))\r\nT OK NOOP done\r\n");
	ASK(b, "NOOP", "T OK NOOP done\r\n");
	ASK(a, "NOOP", "T OK NOOP done\r\n");
	/* In silence for the one who does it, not for the other. */
	ASK(a, "STORE 1:2 +FLAGS.SILENT (\\Answered)", "T OK STORE done\r\n");
	ASK(b, "NOOP",
	    "* 1 FETCH (FLAGS (\\Answered))\r\n"
	    "* 2 FETCH (FLAGS (\\Answered \\Flagged))\r\nT OK NOOP done\r\n");
	/* Keywords come with the names of them. */
	ASK(a, "STORE 1 +FLAGS.SILENT ($Todo)",
	    "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Todo)\r\n"
	    "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Todo \\*)] these "
	    "are "
	    "kept\r\nT OK STORE done\r\n");
	struct str s = ask(b, "FETCH 1 FLAGS");

	CHECK(has(s, "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Todo)\r\n"));
	CHECK(has(s, "* 1 FETCH (FLAGS (\\Answered $Todo))\r\nT OK"));
	/* \Seen by BODY[] is told to the other. */
	CHECK(has(ask(a, "FETCH 3 BODY[TEXT]"), "FLAGS (\\Seen \\Recent))"));
	ASK(b, "NOOP", "* 3 FETCH (FLAGS (\\Seen))\r\nT OK NOOP done\r\n");
}

/* What another session changed meanwhile is news even under .SILENT. */
static void silence_broken(void)
{
	ASK(b, "STORE 1 FLAGS.SILENT (\\Draft)", "T OK STORE done\r\n");
	ASK(a, "STORE 1:2 +FLAGS.SILENT (\\Flagged)",
	    "* 1 FETCH (FLAGS (\\Flagged \\Draft \\Recent))\r\nT OK STORE done\r\n");
	ASK(a, "NOOP", "T OK NOOP done\r\n");
	ASK(b, "NOOP", "* 1 FETCH (FLAGS (\\Flagged \\Draft))\r\nT OK NOOP done\r\n");
}

/* RFC 3501 2.3.2: one session hears of a message as \Recent, also if it came meanwhile. */
static void recent_once(void)
{
	fill(1);
	CHECK(has(ask(a, "UNSELECT"), "T OK"));
	CHECK(has(ask(b, "SELECT INBOX"), "* 0 RECENT\r\n"));
	CHECK(has(ask(a, "SELECT INBOX"), "* 0 RECENT\r\n"));
}

static void expunges(void)
{
	ASK(a, "STORE 2,4 +FLAGS.SILENT (\\Deleted)", "T OK STORE done\r\n");
	ASK(a, "EXPUNGE", "* 4 EXPUNGE\r\n* 2 EXPUNGE\r\nT OK EXPUNGE done\r\n");
	/* b's numbers hold through FETCH, STORE and SEARCH; what is gone is left out. */
	struct str s = ask(b, "FETCH 1:6 UID");

	CHECK(lacks(s, "EXPUNGE\r\n"));
	CHECK(has(s, "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\n* 5 FETCH (UID 5)\r\n* 6 FETCH "
		     "(UID 6)\r\n"));
	CHECK(has(s, "T NO [EXPUNGEISSUED] some of the messages are gone\r\n"));
	CHECK(has(ask(b, "FETCH 3 UID"), "* 3 FETCH (UID 3)\r\nT OK"));
	CHECK(has(ask(b, "STORE 2:3 +FLAGS (\\Seen)"), "T NO [EXPUNGEISSUED]"));
	CHECK(has(ask(b, "STORE 2:3 +FLAGS.SILENT (\\Seen)"), "T OK STORE done"));
	CHECK(lacks(ask(b, "SEARCH ALL"), "EXPUNGE"));
	/* UID commands may tell, before their reply. */
	s = ask(b, "UID FETCH 5 UID");
	CHECK(has(s, "* 5 FETCH (UID 5)\r\n* 4 EXPUNGE\r\n* 2 EXPUNGE\r\nT OK FETCH done\r\n"));
	CHECK(has(ask(b, "FETCH 1:4 UID"), "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 3)\r\n* 3 FETCH "
					   "(UID 5)\r\n* 4 FETCH (UID 6)\r\n"
					   "T OK"));
}

/* A command that is here already was written with the old numbers. */
static void pipelined(void)
{
	ASK(a, "STORE 1 +FLAGS.SILENT (\\Deleted)", "T OK STORE done\r\n");
	ASK(a, "EXPUNGE", "* 1 EXPUNGE\r\nT OK EXPUNGE done\r\n");
	say(b, "p NOOP\r\nq FETCH 2 UID\r\nr NOOP\r\n");
	CHECK(lacks(hear_reply(b, "p"), "EXPUNGE"));
	CHECK(has(hear_reply(b, "q"), "* 2 FETCH (UID 3)\r\nq OK"));
	CHECK(has(hear_reply(b, "r"), "* 1 EXPUNGE\r\nr OK"));
}

static void idling(void)
{
	say(b, "i IDLE\r\n");
	CHECK_STR(hear(b), "+ idling\r\n");
	fill(1);
	CHECK_STR(hear(b), "* 4 EXISTS\r\n");
	CHECK(has(hear(b), " RECENT\r\n"));
	CHECK(has(ask(a, "STORE 1 FLAGS (\\Seen \\Deleted)"), "* 1 FETCH (FLAGS ("));
	CHECK_STR(hear(b), "* 1 FETCH (FLAGS (\\Seen \\Deleted))\r\n");
	CHECK(has(ask(a, "EXPUNGE"), "* 1 EXPUNGE\r\n"));
	CHECK_STR(hear(b), "* 1 EXPUNGE\r\n");
	say(b, "DONE\r\n");
	CHECK_STR(hear(b), "i OK IDLE done\r\n");
	say(b, "j IDLE\r\nDONE\r\nk NOOP\r\n");
	CHECK_STR(hear(b), "+ idling\r\n");
	CHECK_STR(hear(b), "j OK IDLE done\r\n");
	CHECK_STR(hear(b), "k OK NOOP done\r\n");
	say(b, "l IDLE\r\nNOOP\r\n");
	CHECK_STR(hear(b), "+ idling\r\n");
	CHECK_STR(hear(b), "l BAD DONE ends IDLE\r\n");
	CHECK(has(ask(b, "IDLE x"), "T BAD usage: IDLE"));
	/* Nothing selected: it waits all the same. */
	ASK(b, "UNSELECT", "T OK UNSELECT done\r\n");
	say(b, "m IDLE\r\n");
	CHECK_STR(hear(b), "+ idling\r\n");
	fill(1);
	say(b, "done\r\n");
	CHECK_STR(hear(b), "m OK IDLE done\r\n");
}

static void deleted(void)
{
	ASK(a, "CREATE shared", "T OK CREATE done\r\n");
	CHECK(has(ask(b, "SELECT shared"), "T OK"));
	ASK(a, "RENAME shared renamed", "T OK RENAME done\r\n");
	ASK(b, "NOOP", "T OK NOOP done\r\n"); /* RFC 2180 3.4 */
	CHECK(append(a, "renamed", "", "x\n") > 0);
	CHECK(has(ask(b, "NOOP"), "* 1 EXISTS\r\n"));
	struct client *idler = client_new("alice");

	CHECK(has(ask(idler, "SELECT renamed"), "T OK"));
	say(idler, "i IDLE\r\n");
	CHECK_STR(hear(idler), "+ idling\r\n");
	ASK(a, "DELETE renamed", "T OK DELETE done\r\n");
	CHECK(has(hear(idler), "* BYE another session deleted the mailbox"));
	client_close(&idler);
	CHECK(has(ask(b, "FETCH 1 FLAGS"), "* BYE another session deleted the mailbox\r\n"));
	CHECK_NUM(hear(b).n, 0);
	client_close(&b);
	b = client_new("alice");
}

static void tests(void)
{
	a = client_new("alice");
	b = client_new("alice");
	fill(6);
	select_both();
	flags_of_others();
	silence_broken();
	expunges();
	pipelined();
	idling();
	recent_once();
	deleted();
	client_close(&a);
	client_close(&b);
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
