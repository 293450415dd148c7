/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/buf.h"
#include "pop3/stuff.h"

static void put(struct buf *out, struct stuff *st, struct str in)
{
	while (in.n) {
		struct str insert, run = stuff_take(st, &in, &insert);

		buf_put(out, insert);
		buf_put(out, run);
	}
}

static void stuff(void)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "", ".\r\n" },
		{ "a\r\n", "a\r\n.\r\n" },
		{ "a", "a\r\n.\r\n" },
		{ "a\r", "a\r\n.\r\n" },
		{ ".\r\n", "..\r\n.\r\n" },
		{ ".", "..\r\n.\r\n" },
		{ "..\r\n.a\r\nb.\r\n", "...\r\n..a\r\nb.\r\n.\r\n" },
		{ "a\nb\n.\nc\r\n", "a\r\nb\r\n..\r\nc\r\n.\r\n" },
		{ "\n.\n", "\r\n..\r\n.\r\n" },
		{ "\n\n", "\r\n\r\n.\r\n" },
		{ "a\r.\rb\r\n", "a\r.\rb\r\n.\r\n" },
		{ "a\r\r\n.\r\n", "a\r\r\n..\r\n.\r\n" },
		{ "\r\n\r\n.\r\n", "\r\n\r\n..\r\n.\r\n" },
	};
	struct buf out = buf_new(256);

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str in = str_of(table[i].in);

		for (size_t step = 1; step <= in.n + 1; step++) {
			struct stuff st = { 0 };

			buf_clear(&out);
			for (size_t at = 0; at < in.n; at += step)
				put(&out, &st, str_part(in, at, step));
			buf_put(&out, stuff_end(&st));
			CHECK_STR(buf_str(&out), table[i].out);
		}
	}
	buf_free(&out);
}

static void top(void)
{
	static const struct {
		const char *in;
		uint32_t lines;
		const char *out;
	} table[] = {
		{ "A: b\r\n\r\none\r\ntwo\r\n", 0, "A: b\r\n\r\n" },
		{ "A: b\r\n\r\none\r\ntwo\r\n", 1, "A: b\r\n\r\none\r\n" },
		{ "A: b\r\n\r\none\r\ntwo\r\n", 2, "A: b\r\n\r\none\r\ntwo\r\n" },
		{ "A: b\r\n\r\none\r\ntwo\r\n", UINT32_MAX, "A: b\r\n\r\none\r\ntwo\r\n" },
		{ "A: b\r\n", 0, "A: b\r\n" },
		{ "\r\nbody\r\nmore\r\n", 1, "\r\nbody\r\n" },
		{ "\n\n\n", 1, "\n\n" },
		{ "", 5, "" },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str in = str_of(table[i].in);

		for (size_t cut = 0; cut <= in.n; cut++) {
			struct top t = { .lines = table[i].lines };
			size_t n = top_take(&t, str_part(in, 0, cut));

			n += top_take(&t, str_from(in, cut));
			CHECK_STR(str_part(in, 0, n), table[i].out);
		}
	}
}

int main(void)
{
	stuff();
	top();
	return check_done();
}
