/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/buf.h"

static void builds(void)
{
	struct buf b = buf_new(1000);

	CHECK_STR(buf_str(&b), "");
	buf_put(&b, S_NONE);
	buf_put(&b, S("* "));
	buf_fmt(&b, "%d EXISTS", 3);
	buf_c(&b, '!');
	CHECK_STR(buf_str(&b), "* 3 EXISTS!");
	for (int i = 0; i < 10; i++)
		buf_fmt(&b, "%050d", i);
	CHECK_NUM(b.n, 511);
	CHECK(str_ends(buf_str(&b), S("0009")));
	buf_drop(&b, 501);
	CHECK_STR(buf_str(&b), "0000000009");
	buf_drop(&b, 0);
	buf_drop(&b, 10);
	CHECK_STR(buf_str(&b), "");
	CHECK(!b.full);

	char *at = buf_space(&b, 1000);

	CHECK(at != NULL);
	memset(at, 'x', 1000);
	b.n += 1000;
	CHECK(buf_space(&b, 1) == NULL);
	CHECK(b.full);
	buf_free(&b);
	CHECK(b.p == NULL && b.max == 1000 && !b.full);
}

/* Every way to pass the maximum adds nothing and sticks. */
static void fills(void)
{
	for (int way = 0; way < 5; way++) {
		struct buf b = buf_new(10);

		buf_put(&b, S("12345678"));
		CHECK(!b.full);
		switch (way) {
		case 0: buf_put(&b, S("abc")); break;
		case 1: buf_fmt(&b, "%s", "abc"); break;
		case 2: buf_u32(&b, 7); break;
		case 3: buf_blob(&b, S("")); break;
		case 4: CHECK(buf_space(&b, SIZE_MAX) == NULL); break;
		}
		CHECK(b.full);
		buf_c(&b, 'd');
		CHECK_STR(buf_str(&b), "12345678");
		buf_clear(&b);
		buf_fmt(&b, "%s", "1234567890");
		CHECK(!b.full);
		CHECK_STR(buf_str(&b), "1234567890");
		buf_c(&b, 'd');
		CHECK(b.full);
		buf_free(&b);
	}
	struct buf none = buf_new(0);

	buf_put(&none, S(""));
	buf_fmt(&none, "%s", "");
	CHECK(!none.full);
	buf_c(&none, 'a');
	CHECK(none.full);
	buf_free(&none);
}

static void numbers(void)
{
	struct buf b = buf_new(100);

	buf_u8(&b, 0xfe);
	buf_u16(&b, 0x0102);
	buf_u32(&b, 0x01020304);
	buf_u64(&b, UINT64_C(0x0102030405060708));
	buf_blob(&b, S("blob"));
	buf_blob(&b, S_NONE);
	CHECK(str_starts(buf_str(&b), S("\xfe\x02\x01\x04\x03\x02\x01\x08")));

	struct scan in = scan(buf_str(&b));

	CHECK_NUM(scan_u8(&in), 0xfe);
	CHECK_NUM(scan_u16(&in), 0x0102);
	CHECK_NUM(scan_u32(&in), 0x01020304);
	CHECK_NUM(scan_u64(&in), 0x0102030405060708);
	CHECK_STR(scan_blob(&in), "blob");
	CHECK_STR(scan_blob(&in), "");
	CHECK(scan_end(&in));
	CHECK_NUM(scan_u8(&in), 0);
	CHECK(in.bad);

	/* Cut anywhere, the reader says so. */
	for (size_t n = 0; n < b.n; n++) {
		in = scan(str_part(buf_str(&b), 0, n));
		scan_u8(&in);
		scan_u16(&in);
		scan_u32(&in);
		scan_u64(&in);
		scan_blob(&in);
		scan_blob(&in);
		CHECK(in.bad);
	}
	buf_free(&b);
	in = scan(S("\xff\xff\xff\xff"));
	CHECK_STR(scan_blob(&in), "");
	CHECK(in.bad);
}

static void small_numbers(void)
{
	struct scan in = scan(STR("\1\4\5", 3));

	CHECK_NUM(scan_version(&in, 1), OK);
	CHECK_NUM(scan_below(&in, 5), 4);
	CHECK(!in.bad);
	CHECK_NUM(scan_below(&in, 5), 0);
	CHECK(in.bad);
	CHECK_NUM(scan_version(&in, 1), E_CORRUPT);
	in = scan(S("\2"));
	CHECK_NUM(scan_version(&in, 1), E_VERSION);
	in = scan(S(""));
	CHECK_NUM(scan_version(&in, 1), E_CORRUPT);
	CHECK_NUM(scan_below(&in, 5), 0);
}

int main(void)
{
	builds();
	fills();
	numbers();
	small_numbers();
	return check_done();
}
