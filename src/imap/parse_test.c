/* SPDX-License-Identifier: ISC */
/* Tables of the grammar and of the matcher. */
#include "check.h"
#include "imap/parse_priv.h"
#include "mail/flags.h"

static struct arena *a;

static void literal_tails(void)
{
	static const struct {
		const char *line;
		bool is;
		uint64_t n;
		bool sync;
	} t[] = {
		{ "a {5}", true, 5, true },
		{ "a {5+}", true, 5, false },
		{ "{0}", true, 0, true },
		{ "{}", false },
		{ "{+}", false },
		{ "}", false },
		{ "+}", false },
		{ "", false },
		{ "a {5x}", false },
		{ "a {-5}", false },
		{ "a {5} ", false },
		{ "a 5}", false },
		{ "a {{7}", true, 7, true },
		{ "a {4294967296}", true, 4294967296, true },
		{ "a {99999999999999999999999999+}", true, UINT64_MAX, false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct imap_literal lit = { 0 };
		struct str head;
		bool is = imap_literal_tail(str_of(t[i].line), &head, &lit);

		CHECK_NUM(is, t[i].is);
		if (is && t[i].n == UINT64_MAX)
			CHECK(lit.n > UINT64_MAX / 100);
		else if (is)
			CHECK_NUM(lit.n, t[i].n);
		if (is)
			CHECK_NUM(lit.sync, t[i].sync);
	}
}

static void astrings(void)
{
	static const struct {
		struct str in;
		const char *out; /* NULL: not in the grammar */
		size_t rest;
	} t[] = {
		{ S("abc def"), "abc", 4 },
		{ S("a]b"), "a]b", 0 },
		{ S("\"\""), "", 0 },
		{ S("\"a b\" c"), "a b", 2 },
		{ S("\"a\\\"b\\\\c\""), "a\"b\\c", 0 },
		{ S("\"\\\\\""), "\\", 0 },
		{ S("\"\\x\""), NULL, 0 },
		{ S("\"abc"), NULL, 0 },
		{ S("\"abc\\"), NULL, 0 },
		{ S("\"a\rb\""), NULL, 0 },
		{ S("\"a\0b\""), NULL, 0 },
		{ S("{3}\r\nabc x"), "abc", 2 },
		{ S("{3+}\r\nabc"), "abc", 0 },
		{ S("{0}\r\n"), "", 0 },
		{ S("{4}\r\nabc"), NULL, 0 },
		{ S("{3}abc"), NULL, 0 },
		{ S("{3}\r\na\0c"), NULL, 0 },
		{ S("{99999999999}\r\n"), NULL, 0 },
		{ S(""), NULL, 0 },
		{ S(" a"), NULL, 0 },
		{ S("(a"), NULL, 0 },
		{ S("%"), NULL, 0 },
		{ S("a*b"), "a", 2 },
		{ S("\x7f"), NULL, 0 },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(t[i].in);
		struct str s = imap_astring(&in, a);

		CHECK_NUM(in.bad, t[i].out == NULL);
		if (in.bad || !t[i].out)
			continue;
		CHECK_STR(s, t[i].out);
		CHECK_NUM(in.rest.n, t[i].rest);
	}
}

static void mailboxes(void)
{
	static const struct {
		const char *in, *out; /* NULL: no possible name */
	} t[] = {
		{ "inbox", "INBOX" },
		{ "INBOX", "INBOX" },
		{ "a/b", "a/b" },
		{ "a/b/", "a/b" },
		{ "\"Entw&APw-rfe\"", "Entw\xc3\xbcrfe" },
		{ "a&-b", "a&b" },
		{ "a&b", NULL },
		{ "a&AGE-", NULL },
		{ "\"a//b\"", NULL },
		{ "\"/a\"", NULL },
		{ "\"\"", NULL },
		{ "\"a\tb\"", NULL },
		{ "\"\xc3\xbc\"", NULL },
	};
	const char *why;

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct str s = imap_mailbox(&in, a, &why);

		CHECK(scan_end(&in));
		if (t[i].out)
			CHECK_STR(s, t[i].out);
		else if (!CHECK(s.p == NULL))
			fprintf(stderr, "%s\n", t[i].in);
	}
	char *big = arena_alloc(a, 4000);

	memset(big, 'x', 4000);
	struct scan in = scan(STR(big, 4000));

	CHECK(imap_mailbox(&in, a, &why).p == NULL);
	CHECK(scan_end(&in));
	CHECK_STR(str_of(why), "the mailbox name is too long");
}

static void flag_lists(void)
{
	static const struct {
		const char *in;
		bool ok;
		uint64_t system;
		size_t keywords;
	} t[] = {
		{ "()", true, 0, 0 },
		{ "(\\Seen)", true, FLAG_SEEN, 0 },
		{ "(\\seen \\DELETED a b)", true, FLAG_SEEN | FLAG_DELETED, 2 },
		{ "(a A a)", true, 0, 1 },
		{ "(\\Recent)", false },
		{ "(\\*)", false },
		{ "(\\Whatever)", false },
		{ "(\\)", false },
		{ "( a)", false },
		{ "(a ", false },
		{ "a", false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct imap_flags f = imap_flag_list(&in, a);

		CHECK_NUM(scan_end(&in), t[i].ok);
		CHECK_NUM(f.system, t[i].system);
		CHECK_NUM(f.n, t[i].keywords);
	}
}

static void fetches(void)
{
	static const struct {
		const char *in;
		size_t n;          /* 0: not in the grammar */
		const char *label; /* of the last */
		bool marks;
	} t[] = {
		{ "ALL", 4 },
		{ "fast", 3 },
		{ "FULL", 5 },
		{ "(FLAGS UID)", 2 },
		{ "BODY", 1 },
		{ "BODYSTRUCTURE", 1 },
		{ "RFC822", 1, "RFC822", true },
		{ "RFC822.HEADER", 1, "RFC822.HEADER" },
		{ "RFC822.TEXT", 1, "RFC822.TEXT", true },
		{ "RFC822.SIZE", 1 },
		{ "BODY[]", 1, "BODY[]", true },
		{ "body.peek[]", 1, "BODY[]" },
		{ "BODY[HEADER]", 1, "BODY[HEADER]", true },
		{ "BODY.PEEK[header.fields (subject FROM)]", 1,
		  "BODY[HEADER.FIELDS (subject FROM)]" },
		{ "BODY.PEEK[HEADER.FIELDS.NOT (\"a(b\")]<3.4>", 1,
		  "BODY[HEADER.FIELDS.NOT (\"a(b\")]<3>" },
		{ "BODY.PEEK[1]", 1, "BODY[1]" },
		{ "BINARY[]", 1, "BINARY[]", true },
		{ "binary[1.2]<3.4>", 1, "BINARY[1.2]<3>", true },
		{ "(UID BINARY.PEEK[2])", 2, "BINARY[2]" },
		{ "BINARY.SIZE[2.1]", 1, "BINARY.SIZE[2.1]" },
		{ "BINARY.SIZE[2]<0.1>", 0 },
		{ "BINARY[1.MIME]", 0 },
		{ "BINARY[TEXT]", 0 },
		{ "BINARY[1.]", 0 },
		{ "BINARY", 0 },
		{ "BODY.PEEK[1.2.3.MIME]", 1, "BODY[1.2.3.MIME]" },
		{ "BODY.PEEK[1.HEADER]<0.1>", 1, "BODY[1.HEADER]<0>" },
		{ "(UID BODY.PEEK[TEXT]<0.4294967295>)", 2, "BODY[TEXT]<0>" },
		{ "(ALL)", 0 },
		{ "()", 0 },
		{ "( FLAGS)", 0 },
		{ "(FLAGS )", 0 },
		{ "(FLAGS", 0 },
		{ "FLAGS UID", 0 },
		{ "BODY[MIME]", 0 },
		{ "BODY[0]", 0 },
		{ "BODY[1.]", 0 },
		{ "BODY[.1]", 0 },
		{ "BODY[1.0]", 0 },
		{ "BODY[1..2]", 0 },
		{ "BODY[TEXT", 0 },
		{ "BODY[TEXT]<1>", 0 },
		{ "BODY[TEXT]<1.0>", 0 },
		{ "BODY[TEXT]<-1.5>", 0 },
		{ "BODY[TEXT]<4294967296.1>", 0 },
		{ "BODY[HEADER.FIELDS ()]", 0 },
		{ "BODY[HEADER.FIELDS (a:b)]", 0 },
		{ "BODY[HEADER.FIELDS]", 0 },
		{ "BODY[4294967296]", 0 },
		{ "BODY.PEEK", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct imap_fetch f;

		imap_fetch_items(&in, a, &f);
		if (!CHECK_NUM(scan_end(&in), t[i].n > 0))
			fprintf(stderr, "%s\n", t[i].in);
		if (!t[i].n || !scan_end(&in))
			continue;
		CHECK_NUM(f.n, t[i].n);
		CHECK_NUM(f.marks, t[i].marks);
		if (t[i].label)
			CHECK_STR(f.item[f.n - 1].label, t[i].label);
	}
}

static void searches(void)
{
	static const struct {
		const char *in;
		bool ok;
	} t[] = {
		{ "ALL", true },
		{ "1:*", true },
		{ "*", true },
		{ "UID 5,7:9 NOT SEEN", true },
		{ "OR SEEN (ANSWERED FLAGGED)", true },
		{ "NOT (OR FROM a TO \"b c\")", true },
		{ "HEADER X-A \"\"", true },
		{ "CHARSET UTF-8 SUBJECT {2+}\r\n\xc3\xbc", true },
		{ "BEFORE 1-Feb-1994 SINCE \"01-Jan-1990\"", true },
		{ "KEYWORD $Junk UNKEYWORD x LARGER 1 SMALLER 4294967295", true },
		{ "new old recent draft undraft", true },
		{ "", false },
		{ "SEEN ", false },
		{ "NOT", false },
		{ "OR SEEN", false },
		{ "(SEEN", false },
		{ "()", false },
		{ "SEEN)", false },
		{ "BEFORE 32-Feb-1994", false },
		{ "BEFORE tomorrow", false },
		{ "LARGER x", false },
		{ "LARGER 4294967296", false },
		{ "SUBJECT", false },
		{ "FROBNICATE", false },
		{ "UID x", false },
		{ "0", false },
		{ "SUBJECT \"\xff\"", false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct imap_search r = { .star_number = 10, .star_uid = 100 };

		imap_search_request(&in, a, &r);
		if (!CHECK_NUM(scan_end(&in), t[i].ok))
			fprintf(stderr, "%s\n", t[i].in);
		CHECK(!r.too_much);
	}
	struct scan in = scan(S("CHARSET KOI8-R SUBJECT x"));
	struct imap_search r = { 0 };

	imap_search_request(&in, a, &r);
	CHECK(r.badcharset);
	/* The cheapest key comes first. */
	in = scan(S("TEXT x FROM y SENTON 1-Jan-2020 SEEN"));
	imap_search_request(&in, a, &r);
	CHECK_NUM(r.key->first->kind, KEY_FLAGS);
	CHECK_NUM(r.key->first->next->kind, KEY_SENTON);
	CHECK_NUM(r.key->first->next->next->next->kind, KEY_TEXT);
	CHECK_NUM(r.key->cost, COST_MESSAGE);
}

static struct str deep(char open, size_t n, const char *inner, char close)
{
	char *text = arena_alloc(a, 2 * n + 16);

	memset(text, open, n);
	size_t len = str_of(inner).n;

	memcpy(text + n, inner, len);
	memset(text + n + len, close, n);
	return STR(text, 2 * n + len);
}

static void search_limits(void)
{
	struct imap_search r = { 0 };
	struct scan in = scan(deep('(', SEARCH_DEPTH_MAX - 1, "SEEN", ')'));

	imap_search_request(&in, a, &r);
	CHECK(scan_end(&in) && !r.too_much);
	in = scan(deep('(', 30000, "SEEN", ')'));
	imap_search_request(&in, a, &r);
	CHECK(in.bad && r.too_much);
	struct buf b = buf_new(65536);

	for (unsigned i = 0; i < 10000; i++)
		buf_put(&b, S("NOT "));
	buf_put(&b, S("SEEN"));
	r = (struct imap_search){ 0 };
	in = scan(buf_str(&b));
	imap_search_request(&in, a, &r);
	CHECK(in.bad && r.too_much);
	buf_clear(&b);
	for (unsigned i = 0; i <= SEARCH_KEYS_MAX; i++)
		buf_put(&b, i ? S(" SEEN") : S("SEEN"));
	r = (struct imap_search){ 0 };
	in = scan(buf_str(&b));
	imap_search_request(&in, a, &r);
	CHECK(in.bad && r.too_much);
	buf_free(&b);
}

static void sorts(void)
{
	static const struct {
		const char *in;
		bool ok;
		size_t n;
		enum imap_sort_key first;
		bool reverse;
	} t[] = {
		{ "(DATE) UTF-8 ALL", true, 1, SORT_DATE },
		{ "(reverse date subject) us-ascii seen unseen", true, 2, SORT_DATE, true },
		{ "(SUBJECT REVERSE SUBJECT) \"UTF-8\" ALL", true, 1, SORT_SUBJECT },
		{ "(TO SIZE FROM DISPLAYTO DISPLAYFROM DATE CC ARRIVAL SUBJECT) UTF-8 1:*", true, 9,
		  SORT_TO },
		{ "() UTF-8 ALL", false },
		{ "DATE UTF-8 ALL", false },
		{ "(DATE) UTF-8", false },
		{ "(DATE) UTF-8 ", false },
		{ "(DATE)  UTF-8 ALL", false },
		{ "(REVERSE REVERSE DATE) UTF-8 ALL", false },
		{ "(DATE REVERSE) UTF-8 ALL", false },
		{ "(NONSENSE) UTF-8 ALL", false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct imap_search r = { 0 };
		struct imap_sort s;

		imap_sort_request(&in, a, &s, &r);
		if (!CHECK_NUM(scan_end(&in), t[i].ok))
			fprintf(stderr, "%s\n", t[i].in);
		if (!t[i].ok)
			continue;
		CHECK_NUM(s.n, t[i].n);
		CHECK(s.by[0].key == t[i].first && s.by[0].reverse == t[i].reverse && r.key);
	}
	struct scan in = scan(S("(DATE) KOI8-R ALL"));
	struct imap_search r = { 0 };
	struct imap_sort s;
	enum imap_thread how;

	imap_sort_request(&in, a, &s, &r);
	CHECK(r.badcharset && !r.key);
	in = scan(S("orderedsubject utf-8 seen"));
	imap_thread_request(&in, a, &how, &r);
	CHECK(scan_end(&in) && how == THREAD_ORDEREDSUBJECT);
	in = scan(S("REFS UTF-8 ALL"));
	imap_thread_request(&in, a, &how, &r);
	CHECK(scan_end(&in) && how == THREAD_UNKNOWN);
	in = scan(S("RETURN (MIN max) ALL"));
	imap_search_request(&in, a, &r);
	CHECK(scan_end(&in) && r.returns == (RETURN_MIN | RETURN_MAX));
	in = scan(S("RETURN () ALL"));
	imap_search_request(&in, a, &r);
	CHECK(scan_end(&in) && r.returns == RETURN_ALL);
}

static void lists(void)
{
	static const struct {
		const char *in;
		bool ok, extended;
		unsigned select, give;
		size_t n;
	} t[] = {
		{ "\"\" *", true, false, 0, 0, 1 },
		{ "\"\" \"\"", true, false, 0, 0, 1 },
		{ "a% b]%", false },
		{ "() \"\" %", true, true, 0, 0, 1 },
		{ "(SUBSCRIBED REMOTE) \"\" (a b%)", true, true, 3, 1, 2 },
		{ "(subscribed recursivematch) \"\" *", true, true, 5, 1, 1 },
		{ "(SPECIAL-USE) \"\" * RETURN (CHILDREN)", true, true, 16, 24, 1 },
		{ "\"\" * RETURN ()", true, true, 0, 0, 1 },
		{ "(RECURSIVEMATCH) \"\" *", false },
		{ "(RECURSIVEMATCH REMOTE SPECIAL-USE) \"\" *", false },
		{ "(NONSENSE) \"\" *", false },
		{ "\"\" * RETURN (STATUS)", false },
		{ "\"\" * RETURN (STATUS ())", false },
		{ "\"\" * RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)", true, true, 0, 40, 1 },
		{ "\"\" * RETURN (CHILDREN STATUS (SIZE))", true, true, 0, 40, 1 },
		{ "(STATUS (SIZE)) \"\" *", false },
		{ "\"\" * RETURN", false },
		{ "\"\" ()", false },
		{ "\"\"", false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct scan in = scan(str_of(t[i].in));
		struct imap_list l;

		imap_list_request(&in, a, &l);
		if (!CHECK_NUM(scan_end(&in), t[i].ok))
			fprintf(stderr, "%s\n", t[i].in);
		if (!t[i].ok)
			continue;
		CHECK_NUM(l.extended, t[i].extended);
		CHECK_NUM(l.select, t[i].select);
		CHECK_NUM(l.give, t[i].give);
		CHECK_NUM(l.n, t[i].n);
	}
}

static void patterns(void)
{
	static const struct {
		const char *pattern, *name;
		bool yes, inbox;
	} t[] = {
		{ "*", "a/b", true },
		{ "*", "", true },
		{ "%", "a", true },
		{ "%", "a/b", false },
		{ "%/%", "a/b", true },
		{ "%/%", "a/b/c", false },
		{ "a/*", "a/b/c", true },
		{ "a/*", "a", false },
		{ "a%", "ab", true },
		{ "a%", "ab/c", false },
		{ "*c", "a/b/c", true },
		{ "%c", "a/c", false },
		{ "*%c", "a/c", true },
		{ "%*c", "a/c", true },
		{ "a*b*c", "aXbXbc", true },
		{ "a*b*c", "aXbXb", false },
		{ "a%b/*d", "axxb/c/d", true },
		{ "%b*", "a/b", false },
		{ "abc", "abc", true },
		{ "abc", "ab", false },
		{ "ab", "abc", false },
		{ "abc", "ABC", false },
		{ "inbox", "INBOX", true, true },
		{ "iNb%", "INBOX", true, true },
		{ "inbox/A", "INBOX/A", true, true },
		{ "inbox/a", "INBOX/A", false, true },
		{ "inbox", "INBOX", false, false },
		{ "", "", true },
		{ "", "a", false },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		struct imap_pattern *p = imap_pattern_new(a, str_of(t[i].pattern));

		if (!CHECK_NUM(imap_pattern_match(p, str_of(t[i].name), t[i].inbox), t[i].yes))
			fprintf(stderr, "%s %s\n", t[i].pattern, t[i].name);
	}
	/* What makes matchers that go back take for ever. */
	struct buf b = buf_new(4096);

	for (unsigned i = 0; i < 256; i++)
		buf_put(&b, S("*a"));
	buf_c(&b, 'b');
	char *name = arena_alloc(a, 512);

	memset(name, 'a', 512);
	struct imap_pattern *p = imap_pattern_new(a, buf_str(&b));

	for (unsigned i = 0; i < 100; i++)
		CHECK(!imap_pattern_match(p, STR(name, 512), false));
	memset(name, 'a', 511);
	name[511] = 'b';
	CHECK(imap_pattern_match(p, STR(name, 512), false));
	/* 512 literals, and one more */
	CHECK(imap_pattern_match(imap_pattern_new(a, STR(name, 512)), STR(name, 512), false));
	CHECK(!imap_pattern_match(imap_pattern_new(a, str_fmt(a, "%.*sx", 512, name)),
				  STR(name, 512), false));
	buf_free(&b);
}

static void folds(void)
{
	CHECK_STR(imap_fold(a, S("Gr\xc3\x9c\xc3\x9f"
				 "E")),
		  "gr\xc3\xbc\xc3\x9f"
		  "e");
	CHECK_STR(imap_fold(a, S("\xff"
				 "A")),
		  "\xef\xbf\xbd"
		  "a");
	CHECK_STR(imap_fold(a, S("")), "");
}

int main(void)
{
	a = arena_new(64 << 20);
	literal_tails();
	astrings();
	mailboxes();
	flag_lists();
	fetches();
	searches();
	search_limits();
	sorts();
	lists();
	patterns();
	folds();
	arena_free(&a);
	return check_done();
}
