/* SPDX-License-Identifier: ISC */
/* FETCH BINARY, APPEND of a literal8: RFC 3516. */
#include "imap/dialog_test.h"
#include "base/encode.h"

static const char parts[] = "Subject: parts\n"
			    "Content-Type: multipart/mixed; boundary=b\n"
			    "\n"
			    "--b\n"
			    "Content-Transfer-Encoding: quoted-printable\n"
			    "\n"
			    "Gr=FC=DFe=\n"
			    " an alle  \n"
			    "\n"
			    "--b\n"
			    "Content-Type: application/octet-stream\n"
			    "Content-Transfer-Encoding: BASE64\n"
			    "\n"
			    "c2Vj\n"
			    "cmV0\n"
			    "--b\n"
			    "Content-Type: application/octet-stream\n"
			    "Content-Transfer-Encoding: base64\n"
			    "\n"
			    "YQBi\n"
			    "--b\n"
			    "Content-Transfer-Encoding: x-own\n"
			    "\n"
			    "x\n"
			    "--b\n"
			    "Content-Type: message/rfc822\n"
			    "\n"
			    "Content-Transfer-Encoding: base64\n"
			    "\n"
			    "aW4=\n"
			    "--b\n"
			    "\n"
			    "plain\n"
			    "--b--\n";

static const char *const fetches[][2] = {
	{ "BINARY.PEEK[1]", "BINARY[1] {15}\r\nGr\xfc\xdf"
			    "e an alle\r\n" },
	{ "BINARY.PEEK[2]", "BINARY[2] {6}\r\nsecret" },
	{ "BINARY.PEEK[2]<2.3>", "BINARY[2]<2> {3}\r\ncre" },
	{ "BINARY.PEEK[2]<4.100>", "BINARY[2]<4> {2}\r\net" },
	{ "BINARY.PEEK[2]<6.1>", "BINARY[2]<6> {0}\r\n" },
	{ "BINARY.PEEK[2]<4294967295.4294967295>", "BINARY[2]<4294967295> {0}\r\n" },
	{ "BINARY.SIZE[2]", "BINARY.SIZE[2] 6" },
	{ "(BINARY.SIZE[1] BINARY.SIZE[3] UID)", "BINARY.SIZE[1] 15 BINARY.SIZE[3] 3 UID 1" },
	{ "BINARY.PEEK[5]", "BINARY[5] {41}\r\nContent-Transfer-Encoding: base64\r\n\r\naW4=" },
	{ "BINARY.PEEK[5.1]", "BINARY[5.1] {2}\r\nin" },
	{ "BINARY.PEEK[6]", "BINARY[6] {5}\r\nplain" },
	{ "BINARY.PEEK[7]", "BINARY[7] NIL" },
	{ "BINARY.SIZE[7]", "BINARY.SIZE[7] 0" },
};

static void small(struct client *c)
{
	char line[128], want[512];

	CHECK(append(c, "INBOX", "", parts) == 1);
	CHECK(has(ask(c, "SELECT INBOX"), "T OK"));
	for (size_t i = 0; i < LENGTH(fetches); i++) {
		snprintf(line, sizeof line, "FETCH 1 %s", fetches[i][0]);
		snprintf(want, sizeof want, "* 1 FETCH (%s)\r\nT OK FETCH done\r\n", fetches[i][1]);
		ASK(c, line, want);
	}
	/* A NUL makes it a literal8. */
	struct str nul = ask(c, "FETCH 1 BINARY.PEEK[3]");

	CHECK(str_starts(nul, S("* 1 FETCH (BINARY[3] ~{3}\r\na\0b)\r\nT OK")));
	ASK(c, "FETCH 1 (BINARY.PEEK[4] BINARY.SIZE[4] UID)",
	    "* 1 FETCH (BINARY[4] NIL BINARY.SIZE[4] 0 UID 1)\r\n"
	    "T NO [UNKNOWN-CTE] the encoding of a part is not known here\r\n");
	CHECK(lacks(ask(c, "FETCH 1 FLAGS"), "Seen"));
	CHECK(has(ask(c, "FETCH 1 BINARY[2]"), "BINARY[2] {6}\r\nsecret FLAGS (\\Seen"));
	CHECK(has(ask(c, "FETCH 1 BINARY.PEEK[]<0.14>"), "BINARY[]<0> {14}\r\nSubject: parts)"));
}

/* Longer than a piece, in lines that no quantum of base64 ends with. */
static void large(struct client *c)
{
	enum { N = 300001 };
	char *octets = arena_alloc(c->a, N);
	uint64_t state = 1;

	for (size_t i = 0; i < N; i++) {
		state = state * 6364136223846793005u % 1000000007u;
		octets[i] = (char)(1 + state % 255);
	}
	struct arena *a = arena_new(8 << 20);
	struct str original = str_dup(a, STR(octets, N)), coded = base64_encode(a, original);
	struct buf b = buf_new(1 << 20);

	buf_put(&b, S("Content-Transfer-Encoding: base64\n\n"));
	for (; coded.n; coded = str_from(coded, 71)) {
		buf_put(&b, str_part(coded, 0, 71));
		buf_c(&b, '\n');
	}
	CHECK(append(c, "INBOX", "", str_c(a, buf_str(&b))) == 2);
	CHECK(has(ask(c, "FETCH 2 BINARY.SIZE[1]"), "BINARY.SIZE[1] 300001)"));
	struct str got = ask(c, "FETCH 2 BINARY.PEEK[1]");
	struct str head = S("* 2 FETCH (BINARY[1] {300001}\r\n");

	CHECK(str_starts(got, head) && str_eq(str_part(got, head.n, N), original));
	got = ask(c, "FETCH 2 BINARY.PEEK[1]<123456.100000>");
	head = S("* 2 FETCH (BINARY[1]<123456> {100000}\r\n");
	CHECK(str_starts(got, head) &&
	      str_eq(str_part(got, head.n, 100000), str_part(original, 123456, 100000)));
	buf_free(&b);
	arena_free(&a);
}

static void literal8(struct client *c)
{
	say(c, "a APPEND INBOX ~{9+}\r\nA: b\r\n\r\nc\r\n");
	CHECK(has(hear_reply(c, "a"), "a OK [APPENDUID "));
	say(c, "b APPEND INBOX (\\Seen) ~{9}\r\n");
	CHECK(has(hear(c), "+ "));
	io_put(c->io, S("A: b\r\n\r\n\0\r\n"));
	say(c, "");
	CHECK_STR(hear_reply(c, "b"), "b NO [UNKNOWN-CTE] a message cannot hold NUL octets\r\n");
	/* Nowhere else */
	say(c, "c SELECT ~{5+}\r\nINBOX\r\n");
	CHECK(has(hear_reply(c, "c"), "c BAD "));
	CHECK(has(ask(c, "NOOP"), "T OK"));
}

static void tests(void)
{
	struct client *c = client_new("alice");

	small(c);
	large(c);
	literal8(c);
	client_close(&c);
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
