/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "mail/header.h"
#include "mail/recode.h"

static struct arena *a;

static struct mime_part *parsed(struct str text)
{
	struct mime_parser *p = mime_parser_new(a);

	mime_feed(p, text);
	return mime_end(p);
}

/* What becomes of it, in pieces of this size; "-" and "!" for E_EXISTS and E_DENIED. */
static struct str recoded(struct str text, size_t piece)
{
	struct recoder *r = recoder_new(a, parsed(text));
	struct buf out = buf_new(RECODE_OUT), all = buf_new(1 << 20);

	for (size_t i = 0; i < text.n; i += piece)
		recode_look(r, str_part(text, i, piece));
	enum err e = recode_begin(r);

	for (size_t i = 0; i < text.n && !e; i += piece) {
		recode_write(r, str_part(text, i, piece), &out);
		buf_put(&all, buf_str(&out));
	}
	struct str s = e == E_EXISTS ? S("-") : e ? S("!") : str_dup(a, buf_str(&all));

	buf_free(&out);
	buf_free(&all);
	return s;
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define QP    "Content-Transfer-Encoding: quoted-printable\r\n"
#define B64   "Content-Transfer-Encoding: base64\r\n"
#define EIGHT "Content-Transfer-Encoding: 8bit\r\n"
#define TEN   "0123456789"

static const struct {
	const char *what, *text, *want;
} rows[] = {
	{ "nothing to do", "A: b\r\n\r\nhello\r\n", "-" },
	{ "8bit by name alone", EIGHT "\r\nhello\r\n", "-" },
	{ "a text", "A: b\r\n\r\ngr\xc3\xbc\xc3\x9f\x65\r\n",
	  "A: b\r\n" QP "\r\ngr=C3=BC=C3=9Fe\r\n" },
	{ "its old encoding goes", "A: b\r\n" EIGHT "C: d\r\n\r\n\xc3\xbc\r\n",
	  "A: b\r\nC: d\r\n" QP "\r\n=C3=BC\r\n" },
	{ "no header", "\r\n\xc3\xbc\r\n", QP "\r\n=C3=BC\r\n" },
	{ "equals sign, blanks at the end of a line, tab", "\r\n\xfc = a \t\r\nb \r\n",
	  QP "\r\n=FC =3D a =09\r\nb=20\r\n" },
	{ "a blank at the very end", "\r\n\xfc ", QP "\r\n=FC=20" },
	{ "a long line", "\r\n\xfc" TEN TEN TEN TEN TEN TEN TEN TEN "\r\n",
	  QP "\r\n=FC" TEN TEN TEN TEN TEN TEN TEN "01=\r\n23456789\r\n" },
	{ "no text", "Content-Type: image/png\r\n\r\n\x89PNG\r\n",
	  "Content-Type: image/png\r\n" B64 "\r\niVBORw0K\r\n" },
	{ "a text with NUL is none", "\r\na\0b\r\n", B64 "\r\nYQBiDQo=\r\n" },
	{ "binary and ASCII: LF alone", "Content-Transfer-Encoding: binary\r\n\r\na\nb",
	  B64 "\r\nYQpi\r\n" },
	{ "binary: CR at the end of a part",
	  MIXED "\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\na\r\r\n--b--\r\n",
	  MIXED "\r\n--b\r\n" B64 "\r\nYQ0=\r\n--b--\r\n" },
	{ "a text with LF alone", "\r\n\xc3\xbc\nb", B64 "\r\nw7wKYg==\r\n" },
	{ "only the part that needs it",
	  MIXED EIGHT "\r\np\xff\r\n--b\r\n\r\none\r\n--b\r\n" EIGHT "\r\n\xc3\xbc\r\n--b--\r\n",
	  MIXED "Content-Transfer-Encoding: 7bit\r\n\r\np?\r\n--b\r\n\r\none\r\n--b\r\n" QP
		"\r\n=C3=BC\r\n--b--\r\n" },
	{ "base64 in a part", MIXED "\r\n--b\r\nContent-Type: a/b\r\n\r\n\xff\r\n--b--\r\n",
	  MIXED "\r\n--b\r\nContent-Type: a/b\r\n" B64 "\r\n/w==\r\n--b--\r\n" },
	{ "a message in a message",
	  "Content-Type: message/rfc822\r\n" EIGHT "\r\nSubject: x\r\n\r\n\xfc\r\n",
	  "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: x\r\n" QP
	  "\r\n=FC\r\n" },
	{ "an empty body beside", MIXED "\r\n--b\r\n\r\n--b\r\n\r\n\xfc\r\n--b--\r\n",
	  MIXED "\r\n--b\r\n\r\n--b\r\n" QP "\r\n=FC\r\n--b--\r\n" },
	{ "what is signed",
	  "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xfc\r\n--b--\r\n", "!" },
	{ "what has no encoding", "Content-Type: message/partial\r\n\r\n\xfc\r\n", "!" },
	{ "a field beyond ASCII stays", "A: \xc3\xbc\r\n\r\n\xfc\r\n",
	  "A: \xc3\xbc\r\n" QP "\r\n=FC\r\n" },
	{ "no base64 that it says it is", "Content-Type: a/b\r\n" B64 "\r\n\xff\r\n", "-" },
};

static struct str text_of(size_t i)
{
	if (str_is(str_of(rows[i].what), "a text with NUL is none"))
		return STR("\r\na\0b\r\n", 7);
	return str_of(rows[i].text);
}

static void test_table(void)
{
	static const size_t piece[] = { 1, 2, 3, 7, 1000 };

	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t k = 0; k < LENGTH(piece); k++)
			if (!CHECK_STR(recoded(text_of(i), piece[k]), rows[i].want))
				fprintf(stderr, "  %s, in pieces of %zu\n", rows[i].what, piece[k]);
}

/* Whatever it was is there again when it is decoded, and no line is longer than 76 octets. */
static void test_there_and_back(void)
{
	static const char chars[] = "abc =.\t\r\n\xc3\xbc\xff";
	static const char *const type[] = { "text/plain", "a/b" };

	for (unsigned round = 0; round < 2000; round++) {
		struct buf b = buf_new(1 << 16);
		struct str encoding = S("quoted-printable");
		uint32_t x = round * 2654435761u + 1;

		buf_fmt(&b, "Content-Type: %s\r\n\r\n", type[round & 1]);
		size_t head = b.n;

		for (unsigned i = 0; i < round % 300; i++) {
			x = x * 1664525 + 1013904223;
			char c = chars[(x >> 24) % (sizeof chars - 1)];

			if (c == '\r' || c == '\n')
				buf_put(&b, S("\r\n"));
			else if (c)
				buf_c(&b, c);
		}
		buf_put(&b, S("\xfc\r\n"));
		struct str got = recoded(buf_str(&b), 1 + round % 50);
		struct mime_part *p = parsed(got);
		struct str body = str_from(got, (size_t)p->body_off);

		if (round & 1)
			encoding = S("base64");
		struct str again = cte_decode(a, encoding, body, 1 << 16);

		if (!CHECK(str_eq(again, str_from(buf_str(&b), head))))
			fprintf(stderr, "round %u: %.*s\n", round, FMT(got));
		for (struct str rest = body; rest.n;) {
			size_t n = str_find(rest, '\n');

			CHECK(n <= 77);
			rest = str_from(rest, n + 1);
		}
		buf_free(&b);
		arena_reset(a);
	}
}

int main(void)
{
	a = arena_new(8 * (size_t)MIME_ARENA_MAX);
	test_table();
	test_there_and_back();
	arena_free(&a);
	return check_done();
}
