/* SPDX-License-Identifier: ISC */
/* SORT, THREAD, SEARCH RETURN. */
#include "imap/dialog_test.h"

/* A mailbox of its own with these messages in it, one after the other, selected. */
static void mailbox(struct client *c, const char *name, const char *const *text, size_t n)
{
	char line[128];

	snprintf(line, sizeof line, "CREATE %s", name);
	ASK(c, line, "T OK CREATE done\r\n");
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof line, "\"01-Jan-2020 00:00:%02zu +0000\"", i);
		CHECK(append(c, name, line, text[i]) == i + 1);
	}
	snprintf(line, sizeof line, "SELECT %s", name);
	CHECK(has(ask(c, line), "T OK [READ-WRITE]"));
}

static void dialog(struct client *c, const char *const (*t)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ASK(c, t[i][0], t[i][1]))
			fprintf(stderr, "  %s\n", t[i][0]);
}

/* --- SORT: RFC 5256 3, RFC 5957 --- */

static const char *const letters[] = {
	"From: Zoe <a@x>\nTo: bob@x\nCc: k@x\nSubject: Re: beta\n"
	"Date: 1 Jan 2020 10:00:00 +0000\n\nlonger than the others by far\n",
	"From: \"Adam\" <c@x>\nTo: Alice <zz@x>\nSubject: [l] Alpha\n"
	"Date: 1 Jan 2020 09:00:00 -0500\n\nx\n",
	"From: b@x\nTo: \nSubject: =?utf-8?q?=C3=84rger?=\nDate: 1 Jan 2020 11:00:00 +0000\n\nxy\n",
	"From: B@x\nTo: Alice <yy@x>\nSubject: Beta (fwd)\nDate: 1 Jan 2020 10:00:00 "
	"+0000\n\nxyz\n",
	"Date: 1 Jan 2019 10:00:00 +0000\n\n\n",
};

static const char *const sorts[][2] = {
	{ "SORT (ARRIVAL) UTF-8 ALL", "* SORT 1 2 3 4 5\r\nT OK SORT done\r\n" },
	{ "SORT (REVERSE ARRIVAL) US-ASCII ALL", "* SORT 5 4 3 2 1\r\nT OK SORT done\r\n" },
	{ "sort (date) us-ascii all", "* SORT 5 1 4 3 2\r\nT OK SORT done\r\n" },
	{ "SORT (REVERSE DATE) UTF-8 ALL", "* SORT 2 3 1 4 5\r\nT OK SORT done\r\n" },
	{ "SORT (SUBJECT) UTF-8 ALL", "* SORT 5 2 3 1 4\r\nT OK SORT done\r\n" },
	{ "SORT (SUBJECT REVERSE DATE) UTF-8 1:4", "* SORT 2 3 1 4\r\nT OK SORT done\r\n" },
	{ "SORT (FROM) UTF-8 ALL", "* SORT 5 1 3 4 2\r\nT OK SORT done\r\n" },
	{ "SORT (DISPLAYFROM) UTF-8 ALL", "* SORT 5 2 3 4 1\r\nT OK SORT done\r\n" },
	{ "SORT (TO) UTF-8 ALL", "* SORT 3 5 1 4 2\r\nT OK SORT done\r\n" },
	{ "SORT (DISPLAYTO) UTF-8 ALL", "* SORT 3 5 2 4 1\r\nT OK SORT done\r\n" },
	{ "SORT (DISPLAYTO REVERSE TO) UTF-8 ALL", "* SORT 3 5 2 4 1\r\nT OK SORT done\r\n" },
	{ "SORT (CC SIZE) UTF-8 ALL", "* SORT 5 3 4 2 1\r\nT OK SORT done\r\n" },
	{ "SORT (SIZE) UTF-8 UNSEEN SUBJECT beta", "* SORT 4 1\r\nT OK SORT done\r\n" },
	{ "SORT (SIZE) UTF-8 TEXT nothing", "* SORT\r\nT OK SORT done\r\n" },
	{ "UID SORT (REVERSE DATE SUBJECT) UTF-8 UID 2:3", "* SORT 2 3\r\nT OK SORT done\r\n" },
	{ "SORT (DATE) KOI8-R ALL",
	  "T NO [BADCHARSET (US-ASCII UTF-8)] this charset is not known here\r\n" },
};

static void sorting(void)
{
	struct client *c = client_new("alice");

	mailbox(c, "sort", letters, LENGTH(letters));
	dialog(c, sorts, LENGTH(sorts));
	CHECK(has(ask(c, "SORT () UTF-8 ALL"), "T BAD usage: SORT"));
	CHECK(has(ask(c, "SORT (NONSENSE) UTF-8 ALL"), "T BAD usage: SORT"));
	CHECK(has(ask(c, "SORT (REVERSE) UTF-8 ALL"), "T BAD usage: SORT"));
	CHECK(has(ask(c, "SORT (DATE) ALL"), "T BAD usage: SORT"));
	CHECK(has(ask(c, "SORT (DATE) UTF-8"), "T BAD usage: SORT"));
	/* Numbers stay while it runs; by UID they need not: RFC 5256 3 */
	struct client *other = client_new("alice");

	CHECK(has(ask(other, "SELECT sort"), "T OK"));
	CHECK(has(ask(other, "STORE 2 +FLAGS.SILENT \\Deleted"), "T OK"));
	CHECK(has(ask(other, "EXPUNGE"), "* 2 EXPUNGE"));
	CHECK(has(ask(c, "SORT (DATE) UTF-8 ALL"), "* SORT 5 1 4 3\r\nT OK"));
	CHECK(has(ask(c, "UID SORT (DATE) UTF-8 ALL"), "* SORT 5 1 4 3\r\n"));
	ASK(c, "SORT (DATE) UTF-8 ALL", "* SORT 4 1 3 2\r\nT OK SORT done\r\n");
	client_close(&other);
	client_close(&c);
}

/* --- THREAD: RFC 5256 3 --- */

#define MAIL(id, refs, subject, day)                                       \
	"Message-ID: <" id "@x>\n" refs "Subject: " subject "\nDate: " day \
	" Jan 2020 10:00:00 +0000\n\nx\n"

static const char *const talk[] = {
	MAIL("1", "", "hello", "1"),                               /* 1 */
	MAIL("2", "References: <1@x>\n", "Re: hello", "3"),        /* 2 */
	MAIL("3", "In-Reply-To: <1@x>\n", "Re: hello", "2"),       /* 3 */
	MAIL("4", "References: <1@x> <2@x>\n", "other", "4"),      /* 4 */
	MAIL("5", "References: <gone@x>\n", "first", "5"),         /* 5 */
	MAIL("6", "References: <gone@x>\n", "second", "6"),        /* 6 */
	MAIL("7", "References: <lost@x>\n", "alone", "7"),         /* 7 */
	MAIL("8", "", "Re: solo", "8"),                            /* 8 */
	MAIL("9", "", "solo", "9"),                                /* 9 */
	MAIL("10", "", "Twin", "10"),                              /* 10 */
	MAIL("11", "", "twin", "11"),                              /* 11 */
	MAIL("12", "References: <13@x>\n", "loop a", "12"),        /* 12 */
	MAIL("13", "References: <12@x>\n", "loop b", "13"),        /* 13 */
	MAIL("1", "References: <9@x>\n", "same id", "14"),         /* 14 */
	MAIL("15", "References: <a@x> <b@x> <c@x>\n", "d1", "15"), /* 15 */
	MAIL("16", "References: <a@x> <b@x>\n", "d2", "16"),       /* 16 */
	MAIL("17", "", "", "17"),                                  /* 17 */
	MAIL("18", "", "", "18"),                                  /* 18 */
};

static void threading(void)
{
	struct client *c = client_new("alice");

	mailbox(c, "thread", talk, LENGTH(talk));
	ASK(c, "THREAD REFERENCES UTF-8 ALL",
	    "* THREAD (1 (3)(2 4))((5)(6))(7)(9 (8)(14))((10)(11))(13 12)((15)(16))(17)(18)\r\n"
	    "T OK THREAD done\r\n");
	ASK(c, "UID THREAD ORDEREDSUBJECT US-ASCII ALL",
	    "* THREAD (1 (3)(2))(4)(5)(6)(7)(8 9)(10 11)(12)(13)(14)(15)(16)(17 18)\r\n"
	    "T OK THREAD done\r\n");
	/* Only what is searched for is told, whatever refers to it. */
	ASK(c, "THREAD REFERENCES UTF-8 2:4", "* THREAD ((3)(2 4))\r\nT OK THREAD done\r\n");
	ASK(c, "THREAD REFERENCES UTF-8 SUBJECT nothing", "* THREAD\r\nT OK THREAD done\r\n");
	ASK(c, "UID THREAD REFERENCES UTF-8 UID 5", "* THREAD (5)\r\nT OK THREAD done\r\n");
	ASK(c, "THREAD REFS UTF-8 ALL",
	    "T BAD the algorithms are REFERENCES and ORDEREDSUBJECT\r\n");
	CHECK(has(ask(c, "THREAD REFERENCES UTF-8"), "T BAD usage: THREAD"));
	CHECK(has(ask(c, "THREAD REFERENCES ALL"), "T BAD usage: THREAD"));
	CHECK(has(ask(c, "THREAD REFERENCES LATIN1 ALL"), "T NO [BADCHARSET"));
	client_close(&c);
}

static uint64_t state = 88172645463325252u;

static unsigned pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

enum { MANY = 300 };

/* Each number once, and brackets that close. */
static void well_formed(struct str all)
{
	bool told[MANY + 1] = { false };
	unsigned depth = 0, count = 0;
	struct scan in = scan(all);

	scan_lit(&in, "* THREAD ");
	while (scan_more(&in) && !scan_at(&in, '\r')) {
		if (scan_opt(&in, "("))
			depth++;
		else if (scan_opt(&in, ")"))
			CHECK(depth-- > 0);
		else if (!scan_opt(&in, " ")) {
			uint64_t n = scan_num(&in, MANY);

			if (!CHECK(!in.bad && n && !told[n]))
				return;
			told[n] = true;
			count++;
		}
	}
	CHECK_NUM(depth, 0);
	CHECK_NUM(count, MANY);
}

static void any_threads(void)
{
	struct client *c = client_new("bob");

	ASK(c, "CREATE many", "T OK CREATE done\r\n");
	for (unsigned i = 0; i < MANY; i++) {
		struct buf b = buf_new(4096);

		buf_fmt(&b, "Message-ID: <%u@x>\nSubject: %s%u\nReferences:", pick(MANY),
			pick(2) ? "Re: " : "", pick(MANY));
		for (unsigned n = pick(5); n; n--)
			buf_fmt(&b, " <%u@x>", pick(2 * MANY));
		buf_fmt(&b, "\nDate: %u Jan 2020 10:00:00 +0000\n\nx\n", 1 + pick(28));
		CHECK(append(c, "many", "", str_c(c->a, buf_str(&b))) == i + 1);
		buf_free(&b);
	}
	CHECK(has(ask(c, "SELECT many"), "* 300 EXISTS"));
	well_formed(ask(c, "THREAD REFERENCES UTF-8 ALL"));
	well_formed(ask(c, "THREAD ORDEREDSUBJECT UTF-8 ALL"));
	well_formed(ask(c, "THREAD REFERENCES UTF-8 ALL")); /* from keys that were kept */
	client_close(&c);
}

/* A conversation deeper than any stack would like, told as one line of numbers. */
static void deep(void)
{
	struct client *c = client_new("bob");
	enum { DEEP = 2500 };
	char text[128];

	ASK(c, "CREATE deep", "T OK CREATE done\r\n");
	for (unsigned i = 1; i <= DEEP; i++) {
		snprintf(text, sizeof text, "Message-ID: <%u@x>\nReferences: <%u@x>\n\nx\n", i,
			 i - 1);
		CHECK(append(c, "deep", "", text) == i);
	}
	CHECK(has(ask(c, "SELECT deep"), "T OK"));
	struct str all = ask(c, "THREAD REFERENCES UTF-8 ALL");

	CHECK(has(all, "* THREAD (1 2 3 4 5 "));
	CHECK(has(all, " 2499 2500)\r\n"));
	client_close(&c);
}

/* --- SEARCH RETURN: RFC 4731 --- */

static const char *const searches[][2] = {
	{ "SEARCH RETURN (MIN COUNT) ALL",
	  "* ESEARCH (TAG \"T\") MIN 1 COUNT 4\r\nT OK SEARCH done\r\n" },
	{ "SEARCH RETURN () ALL", "* ESEARCH (TAG \"T\") ALL 1:4\r\nT OK SEARCH done\r\n" },
	{ "UID SEARCH RETURN (ALL MIN MAX COUNT) CHARSET UTF-8 ALL",
	  "* ESEARCH (TAG \"T\") UID MIN 1 MAX 5 COUNT 4 ALL 1,3:5\r\nT OK SEARCH done\r\n" },
	{ "UID SEARCH RETURN (all) OR SUBJECT alpha SUBJECT beta",
	  "* ESEARCH (TAG \"T\") UID ALL 1,4\r\nT OK SEARCH done\r\n" },
	{ "SEARCH RETURN (MIN MAX ALL) SUBJECT nothing",
	  "* ESEARCH (TAG \"T\")\r\nT OK SEARCH done\r\n" },
	{ "UID SEARCH RETURN (COUNT) SEEN",
	  "* ESEARCH (TAG \"T\") UID COUNT 0\r\nT OK SEARCH done\r\n" },
};

static void esearch(void)
{
	struct client *c = client_new("alice");

	CHECK(has(ask(c, "SELECT sort"), "* 4 EXISTS"));
	for (size_t i = 0; i < LENGTH(searches); i++) {
		char want[256], tag[16];
		struct str w = str_of(searches[i][1]);
		size_t at = str_find_str(w, S("\"T\""));

		snprintf(tag, sizeof tag, "t%u", c->tag + 1);
		snprintf(want, sizeof want, "%.*s%s%.*s", (int)at + 1, w.p, tag,
			 (int)(w.n - at - 2), w.p + at + 2);
		ASK(c, searches[i][0], want);
	}
	CHECK(has(ask(c, "SEARCH RETURN (NONSENSE) ALL"), "T BAD usage: SEARCH"));
	CHECK(has(ask(c, "SEARCH RETURN (MIN)"), "T BAD usage: SEARCH"));
	CHECK(has(ask(c, "SEARCH RETURN ALL"), "T BAD usage: SEARCH"));
	client_close(&c);
}

static void tests(void)
{
	sorting();
	threading();
	any_threads();
	deep();
	esearch();
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
