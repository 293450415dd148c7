/* SPDX-License-Identifier: ISC */
/*
 * POP3: a message as the lines of a response. Read back as a client does, however the pieces
 * fell, it is the message again; no line of it is a dot alone, by LF alone neither.
 */
#include "base/buf.h"
#include "pop3/stuff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send(struct buf *out, struct str text, size_t step)
{
	struct stuff st = { 0 };

	for (size_t at = 0; at < text.n; at += step) {
		struct str piece = str_part(text, at, step);

		while (piece.n) {
			size_t before = piece.n;
			struct str insert, run = stuff_take(&st, &piece, &insert);

			BUG_IF(piece.n == before);
			buf_put(out, insert);
			buf_put(out, run);
		}
	}
	buf_put(out, stuff_end(&st));
}

/* As a client reads it that takes LF for the end of a line. */
static void receive(struct str sent, struct str text)
{
	struct buf got = buf_new(sent.n + 1), want = buf_new(2 * text.n + 2);
	bool ended = false;

	while (sent.n) {
		size_t n = str_find(sent, '\n');
		struct str line = str_part(sent, 0, n + 1);

		BUG_IF(ended || !str_ends(line, S("\r\n")));
		ended = str_is(line, ".\r\n");
		if (!ended)
			buf_put(&got, str_starts(line, S(".")) ? str_from(line, 1) : line);
		sent = str_from(sent, n + 1);
	}
	BUG_IF(!ended);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (!i || text.p[i - 1] != '\r'))
			buf_c(&want, '\r');
		buf_c(&want, text.p[i]);
	}
	if (text.n && text.p[text.n - 1] != '\n')
		buf_put(&want, str_ends(text, S("\r")) ? S("\n") : S("\r\n"));
	BUG_IF(!str_eq(buf_str(&got), buf_str(&want)));
	buf_free(&got);
	buf_free(&want);
}

static void top(struct str text)
{
	uint32_t lines = text.n ? (unsigned char)text.p[0] % 4 : 0;
	struct top whole = { .lines = lines }, parts = { .lines = lines };
	size_t n = top_take(&whole, text), m = 0;

	for (size_t i = 0; i < text.n; i++)
		m += top_take(&parts, str_part(text, i, 1));
	BUG_IF(n != m || n > text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size);
	struct buf one = buf_new(3 * size + 8), two = buf_new(3 * size + 8);

	send(&one, text, size + 1);
	send(&two, text, size ? data[0] % 7u + 1 : 1);
	BUG_IF(one.full || !str_eq(buf_str(&one), buf_str(&two)));
	receive(buf_str(&one), text);
	top(text);
	buf_free(&one);
	buf_free(&two);
	return 0;
}
