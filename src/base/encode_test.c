/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/encode.h"

static void base64(struct arena *a)
{
	static const char *const good[][2] = {
		{ "", "" }, /* RFC 4648 10 */
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};
	static const char *const bad[] = {
		"Z",    "Zg",   "Zg=",      "Zg===",    "=",     "==",           "====",
		"Zh==", "Zm9=", "Zg==Zg==", "Zm9v\r\n", "Zm 9",  "Zm9v\r\nZm9v", "Zm-_",
		"Z===", "Zg=a", "=Zg=",     "Zm9\xff",  "Zm\n=",
	};
	struct str out;

	for (size_t i = 0; i < LENGTH(good); i++) {
		CHECK_STR(base64_encode(a, str_of(good[i][0])), good[i][1]);
		CHECK(base64_decode(a, str_of(good[i][1]), &out));
		CHECK_STR(out, good[i][0]);
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
		if (!CHECK(!base64_decode(a, str_of(bad[i]), &out)))
			fprintf(stderr, "  row %zu: %s\n", i, bad[i]);
	CHECK(base64_decode(a, S("AHUAcA=="), &out));
	CHECK(str_eq(out, S("\0u\0p")));
	CHECK_STR(base64_encode(a, S("\0u\0p")), "AHUAcA==");
}

static void hex(struct arena *a)
{
	struct str out;

	CHECK_STR(hex_encode(a, S("\x00\x9f\xff")), "009fff");
	CHECK_STR(hex_encode(a, S_NONE), "");
	CHECK(hex_decode(a, S("009fFF"), &out));
	CHECK(str_eq(out, S("\x00\x9f\xff")));
	CHECK(hex_decode(a, S(""), &out));
	CHECK(out.n == 0);
	CHECK(!hex_decode(a, S("0"), &out));
	CHECK(!hex_decode(a, S("0g"), &out));
	CHECK(!hex_decode(a, S("-1"), &out));
}

static void utf8(void)
{
	static const struct {
		const char *text;
		uint32_t first;
		size_t n; /* of the first character; 0: wrong */
	} rows[] = {
		{ "a", 'a', 1 },
		{ "\x7f", 0x7f, 1 },
		{ "\xc2\x80", 0x80, 2 },
		{ "\xdf\xbf", 0x7ff, 2 },
		{ "\xe0\xa0\x80", 0x800, 3 },
		{ "\xed\x9f\xbf", 0xd7ff, 3 },
		{ "\xee\x80\x80", 0xe000, 3 },
		{ "\xef\xbf\xbf", 0xffff, 3 },
		{ "\xf0\x90\x80\x80", 0x10000, 4 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff, 4 },
		{ "\x80", 0, 0 },
		{ "\xc0\x80", 0, 0 }, /* overlong */
		{ "\xc1\xbf", 0, 0 },
		{ "\xe0\x9f\xbf", 0, 0 },
		{ "\xf0\x8f\xbf\xbf", 0, 0 },
		{ "\xed\xa0\x80", 0, 0 }, /* surrogates */
		{ "\xed\xbf\xbf", 0, 0 },
		{ "\xf4\x90\x80\x80", 0, 0 }, /* beyond */
		{ "\xf5\x80\x80\x80", 0, 0 },
		{ "\xff", 0, 0 },
		{ "\xc2", 0, 0 }, /* cut */
		{ "\xe2\x82", 0, 0 },
		{ "\xf0\x90\x80", 0, 0 },
		{ "\xc2z", 0, 0 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str whole = str_of(rows[i].text), s = whole;
		uint32_t c = utf8_next(&s);
		char out[4];

		CHECK_NUM(utf8_ok(whole), rows[i].n > 0);
		CHECK_NUM(whole.n - s.n, rows[i].n ? rows[i].n : 1);
		CHECK_NUM(c, rows[i].n ? rows[i].first : UINT32_MAX);
		if (rows[i].n)
			CHECK(str_eq(STR(out, utf8_put(out, c)), whole));
	}
	struct str end = S_NONE;

	CHECK_NUM(utf8_next(&end), 0);
	CHECK(utf8_ok(S_NONE) && utf8_ok(S("a\0b")));
	CHECK_STR(utf8_part(S("gr\xc3\xbcn"), 5), "gr\xc3\xbcn");
	CHECK_STR(utf8_part(S("gr\xc3\xbcn"), 4), "gr\xc3\xbc");
	CHECK_STR(utf8_part(S("gr\xc3\xbcn"), 3), "gr");
	CHECK_STR(utf8_part(S("\xf0\x9f\x99\x82"), 3), "");
	CHECK_STR(utf8_part(S("\x80\x80"), 1), "");
	CHECK(utf8_ok(S("more than eight octets, gr\xc3\xbc\xc3\x9f"
			"e, and more behind")));
	CHECK(!utf8_ok(S("more than eight octets, gr\xfc"
			 "e, and more behind")));
	CHECK(!utf8_ok(S("eight888\xc3")));
	CHECK(str_ascii(S("a~ \t\r\n")) && str_ascii(S_NONE));
	CHECK(!str_ascii(S("a\x7f")) && !str_ascii(S("a\0")) && !str_ascii(S("a\xc3\xbc")));
}

static void utf7_good(struct arena *a)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "INBOX", "INBOX" },
		{ "&", "&-" },
		{ "&&", "&-&-" },
		{ "R&D", "R&-D" },
		{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc", "&AOQA9gD8-" },
		{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		  "~peter/mail/&U,BTFw-/&ZeVnLIqe-" }, /* RFC 3501 5.1.3 */
		{ "\xe5\x8f\xb0&", "&U,A-&-" },
		{ "&\xe5\x8f\xb0", "&-&U,A-" },
		{ "\xe2\x98\xba!", "&Jjo-!" },
		{ "Hi Mom -\xe2\x98\xba-!", "Hi Mom -&Jjo--!" },
		{ "\xf0\x9f\x93\xa7", "&2D3c5w-" },
		{ "\xf4\x8f\xbf\xbf", "&2,,f,w-" },
		{ "\x01"
		  "a\x01",
		  "&AAE-a&AAE-" },
		{ "\x7f", "&AH8-" },
		{ "\xef\xbf\xbd", "&,,0-" },
	};
	struct str out;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		CHECK_STR(utf7_encode(a, str_of(rows[i][0])), rows[i][1]);
		CHECK(utf7_decode(a, str_of(rows[i][1]), &out));
		CHECK_STR(out, rows[i][0]);
	}
	CHECK_STR(utf7_encode(a, S("\xff")), "&,,0-");

	/* The longest results for their text, at lengths where a digit more or less could hide. */
	for (size_t n = 1; n < 40; n++) {
		char *text = arena_alloc(a, n * 3), *controls = arena_alloc(a, n * 2);

		for (size_t i = 0; i < n; i++) {
			memcpy(text + 3 * i, "\xe5\x8f\xb0", 3);
			memcpy(controls + 2 * i, "\x01z", 2);
		}
		CHECK(utf7_decode(a, utf7_encode(a, STR(text, n * 3)), &out));
		CHECK(str_eq(out, STR(text, n * 3)));
		CHECK(utf7_decode(a, utf7_encode(a, STR(controls, n * 2)), &out));
		CHECK(str_eq(out, STR(controls, n * 2)));
	}
}

static void utf7_bad(struct arena *a)
{
	static const char *const rows[] = {
		"&",                  /* no end */
		"a&APw",              /* no end */
		"a&APw b",            /* no end */
		"&AGE-",              /* "a" stands for itself */
		"&AOQAYQ-",           /* the same behind another */
		"&ACY-",              /* and "&" has its own form */
		"&U,A-&UxA-",         /* a shift out and in for nothing */
		"&U,BTFw-&ZeVnLIqe-", /* RFC 3501 5.1.3 names this one */
		"&AP-",               /* not a whole unit */
		"&A-",                /* the same */
		"&APx-",              /* left-over bits that are not zero */
		"&APwA-",             /* a digit too many */
		"&APw=-",             /* padding */
		"&AP/8-",             /* "/" is no digit here */
		"&AP w-",             /* space */
		"&2D0-",              /* a high surrogate alone */
		"&3Oc-",              /* a low one alone */
		"&3OfYPQ-",           /* the wrong way round */
		"&2D3YPQ-",           /* two high ones */
		"&2D0AYQ-",           /* a high one and a letter */
		"\xc3\xbc",           /* UTF-8 itself */
		"a\x01",              /* controls */
		"a\x7f",
	};
	struct str out;

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (!CHECK(!utf7_decode(a, str_of(rows[i]), &out)))
			fprintf(stderr, "  row %zu: %s\n", i, rows[i]);
}

static void spelled(struct arena *a)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain text, 100 %", "plain text, 100 %" },
		{ "\xc3\x84\xc3\x96\xc3\x9c \xc3\xa4\xc3\xb6\xc3\xbc \xc3\x9f",
		  "AeOeUe aeoeue ss" },
		{ "\xe2\x80\x9e"
		  "a"
		  "\xe2\x80\x9c \xe2\x80\x93 \xe2\x80\xa6",
		  "\"a\" - ..." },
		{ "5\xc2\xa0\xe2\x82\xac", "5 EUR" },
		{ "caf\xc3\xa9 \xe5\x8f\xb0 \xc3\xb1", "cafe ? ?" },
		{ "a\r\nb\tc\x7f"
		  "d",
		  "a  b c d" },
		{ "\xff\xc3", "??" }, /* not UTF-8 */
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		CHECK_STR(ascii_spell(a, str_of(rows[i][0])), rows[i][1]);
	CHECK_STR(ascii_spell(a, STR("a\0b", 3)), "a b");
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	base64(a);
	hex(a);
	utf8();
	utf7_good(a);
	utf7_bad(a);
	spelled(a);
	arena_free(&a);
	return check_done();
}
