/* SPDX-License-Identifier: ISC */
/* Sessions under commands put together at random: each gets its reply, whatever it says. */
#include "imap/dialog_test.h"

static uint64_t state = 88172645463325252u;

static unsigned pick(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

static const char *const words[] = {
	"FETCH ",
	"STORE ",
	"SEARCH ",
	"COPY ",
	"MOVE ",
	"UID ",
	"SELECT ",
	"EXAMINE ",
	"LIST ",
	"LSUB ",
	"STATUS ",
	"SORT ",
	"THREAD ",
	"(REVERSE SUBJECT FROM) ",
	"REFERENCES ",
	"UTF-8 ",
	"RETURN (ALL MIN) ",
	"GETQUOTA ",
	"GETQUOTAROOT ",
	"CREATE ",
	"DELETE ",
	"RENAME ",
	"APPEND ",
	"EXPUNGE",
	"NOOP",
	"CHECK",
	"1:*",
	"1",
	"2:3",
	"*",
	"4294967295",
	"1,3,5",
	" ",
	" ",
	" ",
	"(",
	")",
	"\"",
	"\\",
	"FLAGS",
	"+FLAGS",
	"-FLAGS.SILENT",
	"(\\Seen)",
	"(\\Deleted $k)",
	"BODY[]",
	"BODY.PEEK[1.2]<0.9>",
	"BINARY.PEEK[1]<1.9>",
	"BINARY.SIZE[1]",
	"BODY[HEADER.FIELDS (Subject)]",
	"ENVELOPE",
	"ALL",
	"RFC822",
	"(FLAGS UID)",
	"INBOX",
	"Trash",
	"a/b",
	"%",
	"*",
	"\"\"",
	"&AGE-",
	"&",
	"{3+}\r\nabc",
	"{0+}\r\n",
	"OR ",
	"NOT ",
	"UNSEEN",
	"SUBJECT x",
	"BODY y",
	"SINCE 1-Feb-1994",
	"(MESSAGES UNSEEN)",
	"RETURN (CHILDREN)",
	"RETURN (STATUS (SIZE DELETED-STORAGE))",
	"(SUBSCRIBED)",
	"CHARSET UTF-8 ",
	"\x01",
	"\xff",
	"{99999+}",
	"[",
	"]",
	"<0.1>",
};

/* Forms that are whole, so that some of it does something. */
static const char *const whole[] = {
	"SELECT INBOX",
	"SELECT Trash",
	"FETCH 1:* (FLAGS BODY[TEXT]<0.5>)",
	"UID FETCH 1:* ALL",
	"STORE 1:* +FLAGS (\\Deleted)",
	"STORE 1 -FLAGS.SILENT ($k)",
	"UID STORE 2:4 FLAGS ($k \\Seen)",
	"EXPUNGE",
	"COPY 1:* Trash",
	"UID MOVE 1:2 INBOX",
	"SEARCH OR BODY b NOT SEEN",
	"NOOP",
	"UNSELECT",
	"CLOSE",
	"LIST \"\" *",
	"CREATE a/b",
	"RENAME a a2",
	"DELETE a2/b",
	"DELETE a/b",
	"APPEND INBOX {17+}\r\nSubject: b\r\n\r\nbb",
	"APPEND Trash ($k) {5+}\r\nhello",
};

static void command(struct buf *b)
{
	buf_clear(b);
	if (pick(2)) {
		buf_put(b, str_of(whole[pick(LENGTH(whole))]));
		return;
	}
	for (unsigned n = 1 + pick(8); n; n--) {
		const char *w = words[pick(LENGTH(words))];

		buf_put(b, str_of(w));
		if (w[0] == '{' && w[1] == '9') /* its octets */
			break;
	}
	if (str_ends(buf_str(b), S("{99999+}"))) {
		buf_put(b, S("\r\n"));
		for (unsigned i = 0; i < 99999 / 9; i++)
			buf_put(b, S("x LOGOUT\n"));
	}
}

static void tests(void)
{
	struct client *c[3];
	struct buf b = buf_new(1 << 20);
	char tag[16];

	for (unsigned i = 0; i < LENGTH(c); i++)
		c[i] = client_new("alice");
	for (unsigned n = 0; n < 4000; n++) {
		struct client **to = &c[pick(LENGTH(c))];

		command(&b);
		snprintf(tag, sizeof tag, "r%u", n);
		io_fmt((*to)->io, "%s ", tag);
		io_put((*to)->io, buf_str(&b));
		say(*to, "\r\n");
		io_deadline((*to)->io, clock_in(20000));
		struct str all = hear_reply(*to, tag);
		size_t last = str_rfind(str_part(all, 0, all.n ? all.n - 1 : 0), '\n');
		struct str reply = str_from(all, last == all.n - 1 ? 0 : last + 1);
		bool ended = str_starts(reply, S("* BYE"));

		if (!CHECK(ended || str_starts(reply, str_fmt((*to)->a, "%s ", tag))))
			fprintf(stderr, "%.*s\n--- %.*s\n", FMT(buf_str(&b)), FMT(all));
		if (ended) {
			client_close(to);
			*to = client_new("alice");
		}
	}
	for (unsigned i = 0; i < LENGTH(c); i++)
		client_close(&c[i]);
	buf_free(&b);
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
