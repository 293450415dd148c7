/* SPDX-License-Identifier: ISC */
/* The canonical forms: the examples of RFC 6376 3.4.5, and the edges. */
#include "check.h"
#include "trust/canon.h"

static const struct {
	const char *in, *relaxed, *simple;
} bodies[] = {
	{ " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n", " C \r\nD \t E\r\n" }, /* RFC 6376 3.4.5 */
	{ "", "", "\r\n" },
	{ "\r\n\r\n", "", "\r\n" },
	{ " \t \r\n \r\n", "", " \t \r\n \r\n" },
	{ "a", "a\r\n", "a\r\n" },
	{ "a \t", "a\r\n", "a \t\r\n" },
	{ "a\r\n\r\n \r\nb\r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n \r\nb\r\n" },
	{ "a\rb\nc\r\n", "a\rb\nc\r\n", "a\rb\nc\r\n" }, /* alone they end no line */
	{ "a\r\r\nb\r", "a\r\r\nb\r\r\n", "a\r\r\nb\r\r\n" },
	{ "a \r\n", "a\r\n", "a \r\n" },
	{ "  a  b\t\tc  \r\n", " a b c\r\n", "  a  b\t\tc  \r\n" },
};

static const struct {
	const char *in, *relaxed;
} fields[] = {
	{ "A: X\r\n", "a:X\r\n" }, /* RFC 6376 3.4.5 */
	{ "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
	{ "SUBJect:AbC\r\n", "subject:AbC\r\n" },
	{ "Subject:\r\n", "subject:\r\n" },
	{ "Subject: \r\n \r\n", "subject:\r\n" },
	{ "Subject:\r\n a\r\n\t b\r\n", "subject:a b\r\n" },
	{ "X: a:b", "x:a:b" },
};

static void put(void *arg, struct str octets)
{
	buf_put(arg, octets);
}

/* In pieces of this size: what comes out is the same. */
static void test_body(struct str in, bool relaxed, size_t piece, const char *want)
{
	struct buf b = buf_new(65536);
	struct canon c = { .relaxed = relaxed, .put = put, .arg = &b };

	while (in.n) {
		canon_feed(&c, str_part(in, 0, piece));
		in = str_from(in, piece);
	}
	canon_end(&c);
	CHECK_STR(buf_str(&b), want);
	buf_free(&b);
}

static void test_long(void)
{
	struct buf in = buf_new(8192), out = buf_new(8192);
	struct canon c = { .relaxed = true, .put = put, .arg = &out };

	for (int i = 0; i < 1000; i++)
		buf_put(&in, S("\r\n"));
	buf_put(&in, S("end\r\n"));
	canon_feed(&c, buf_str(&in));
	canon_end(&c);
	CHECK(str_eq(buf_str(&in), buf_str(&out)));
	CHECK_NUM(c.octets, 2005);
	buf_free(&in);
	buf_free(&out);
}

int main(void)
{
	for (size_t i = 0; i < LENGTH(bodies); i++) {
		for (size_t piece = 1; piece < 40; piece += 3) {
			test_body(str_of(bodies[i].in), true, piece, bodies[i].relaxed);
			test_body(str_of(bodies[i].in), false, piece, bodies[i].simple);
		}
	}
	for (size_t i = 0; i < LENGTH(fields); i++) {
		struct buf b = buf_new(1024);

		canon_field(&b, true, str_of(fields[i].in));
		CHECK_STR(buf_str(&b), fields[i].relaxed);
		buf_clear(&b);
		canon_field(&b, false, str_of(fields[i].in));
		CHECK_STR(buf_str(&b), fields[i].in);
		buf_free(&b);
	}
	test_long();
	return check_done();
}
