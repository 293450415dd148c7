/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/buf.h"
#include "smtp/dots.h"

/* Feeds s in pieces of `step` octets; the message comes in out, the octets behind its end are
 * told as left. */
static struct dots feed(struct str s, size_t step, struct buf *out, size_t *left)
{
	struct dots d = { 0 };
	size_t at = 0;

	buf_clear(out);
	while (at < s.n && !d.ended) {
		struct str piece = str_part(s, at, step);
		size_t n = piece.n;

		while (piece.n && !d.ended)
			buf_put(out, dots_take(&d, &piece));
		at += n - piece.n;
	}
	*left = s.n - at;
	return d;
}

static const struct {
	struct str in;
	bool ended, bare;
	const char *out; /* NULL: of no interest, the message is refused */
	const char *left;
} table[] = {
	{ S("a\r\n.\r\n"), true, false, "a\r\n", "" },
	{ S(".\r\n"), true, false, "", "" },
	{ S(".\r\nQUIT\r\n"), true, false, "", "QUIT\r\n" },
	{ S("a\r\n.\r\n.\r\n"), true, false, "a\r\n", ".\r\n" },
	{ S("..\r\n.\r\n"), true, false, ".\r\n", "" },
	{ S("...\r\n.\r\n"), true, false, "..\r\n", "" },
	{ S(".a\r\n.\r\n"), true, false, "a\r\n", "" },
	{ S("a.\r\n.\r\n"), true, false, "a.\r\n", "" },
	{ S("a\r\n.b\r\n..c\r\n.\r\n"), true, false, "a\r\nb\r\n.c\r\n", "" },
	{ S("\r\n\r\n.\r\n"), true, false, "\r\n\r\n", "" },
	{ S("a\r\n."), false, false, "a\r\n", "" },
	{ S("a\r\n.\r"), false, false, "a\r\n", "" },
	{ S("a\0b\r\n.\r\n"), true, false, NULL, "" },
	/* the matrix of smuggling: none of these ends anything */
	{ S("a\n.\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r.\rb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\n.\r\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r.\r\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\n.\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\n.\rb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\n\n.\n\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\r\n.\r\r\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\n.\r\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\r\n.\n\r\n.\r\n"), true, true, NULL, "" },
	{ S("\n.\r\n"), false, true, NULL, "" },
	{ S("\r.\r\n"), false, true, NULL, "" },
	{ S("a\r\0\n.\r\nb\r\n.\r\n"), true, true, NULL, "" },
	{ S("a\nMAIL FROM:<x@y>\r\n.\r\n"), true, true, NULL, "" },
};

static void dots(void)
{
	struct buf out = buf_new(1024);

	for (size_t i = 0; i < LENGTH(table); i++) {
		for (size_t step = 1; step <= table[i].in.n; step++) {
			size_t left;
			struct dots d = feed(table[i].in, step, &out, &left);

			CHECK(d.ended == table[i].ended);
			CHECK(dots_bare(&d) == table[i].bare);
			CHECK_STR(str_from(table[i].in, table[i].in.n - left), table[i].left);
			if (table[i].out)
				CHECK_STR(buf_str(&out), table[i].out);
		}
	}
	buf_free(&out);
}

/* Every sequence of up to seven of the octets that matter, against the plain definition. */
static void every_sequence(void)
{
	static const char letters[] = { '\r', '\n', '.', 'a' };
	struct buf out = buf_new(64);
	char text[7];
	unsigned wrong = 0;

	for (unsigned code = 0; code < 1u << 14; code++) {
		for (unsigned i = 0; i < 7; i++)
			text[i] = letters[code >> 2 * i & 3];
		struct str all = STR(text, 7);
		size_t end = str_starts(all, S(".\r\n")) ? 3 : 0, left;

		for (size_t i = 0; !end && i + 5 <= all.n; i++)
			if (str_starts(str_from(all, i), S("\r\n.\r\n")))
				end = i + 5;
		bool bare = false;

		for (size_t i = 0; i < (end ? end : all.n); i++) {
			bare |= text[i] == '\n' && (i == 0 || text[i - 1] != '\r');
			bare |= text[i] == '\r' && i + 1 < all.n && text[i + 1] != '\n';
		}
		for (size_t step = 1; step <= 7; step++) {
			struct dots d = feed(all, step, &out, &left);

			wrong += d.ended != (end > 0) || d.bare != bare;
			wrong += d.ended && all.n - left != end;
		}
	}
	CHECK_NUM(wrong, 0);
	buf_free(&out);
}

static void watch(void)
{
	static const struct {
		struct str in;
		bool bare;
	} cases[] = {
		{ S("a\r\n.\r\nb\r\n"), false },
		{ S("a\nb"), true },
		{ S("a\rb"), true },
		{ S("a\r"), true },
		{ S("\n"), true },
		{ S("a\r\n\r\n"), false },
		{ S(".\r\n"), false },
		{ S(""), false },
		{ S("no end"), false },
		{ S("a\r\r\n"), true },
		{ S("\r\n"), false },
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].in.n; cut++) {
			struct dots d = { 0 };

			dots_watch(&d, str_part(cases[i].in, 0, cut));
			dots_watch(&d, str_from(cases[i].in, cut));
			CHECK(dots_bare(&d) == cases[i].bare);
		}
	}
}

int main(void)
{
	dots();
	every_sequence();
	watch();
	return check_done();
}
