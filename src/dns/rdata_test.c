/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "check.h"
#include "dns/rdata.h"

static struct arena *a;

#define LONG "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890" /* 63 octets */

/* NULL: refused. */
static const struct {
	struct str in;
	const char *out;
} names[] = {
	{ S("\4mail\7example\3org\0"), "mail.example.org" },
	{ S("\4MaIl\7EXAMPLE\3org\0"), "mail.example.org" },
	{ S("\0"), "" },
	{ S("\5_dmarc\0"), NULL },
	{ S("\6_dmarc\0"), "_dmarc" },
	{ S("\77" LONG "\0"), LONG },
	{ S("\100" LONG "x\0"), NULL },
	{ S("\77" LONG "\77" LONG "\77" LONG "\75abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
	    "wxyz012345678\0"),
	  LONG "." LONG "." LONG ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678" },
	{ S("\77" LONG "\77" LONG "\77" LONG "\76abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"
	    "wxyz0123456789\0"),
	  NULL },
	{ S(""), NULL },
	{ S("\4mail"), NULL },
	{ S("\4mai"), NULL },
	{ S("\4mail\0x"), NULL },
	{ S("\300\14"), NULL }, /* a pointer */
	{ S("\3a.b\0"), NULL },
	{ S("\3a\\b\0"), NULL },
	{ S("\3a b\0"), NULL },
	{ S("\3a\0b\0"), NULL },
	{ S("\3a\nb\0"), NULL },
	{ S("\2\303\244\0"), NULL },
};

static void test_names(void)
{
	for (size_t i = 0; i < LENGTH(names); i++) {
		struct str out;
		enum err e = rdata_name(a, names[i].in, &out);

		CHECK_NUM(e, names[i].out ? OK : E_SYNTAX);
		if (!e && names[i].out)
			CHECK_STR(out, names[i].out);
	}
}

static void test_mx(void)
{
	struct dns_mx mx;

	CHECK_NUM(rdata_mx(a, S("\1\2\2mx\3org\0"), &mx), OK);
	CHECK_NUM(mx.preference, 258);
	CHECK_STR(mx.host, "mx.org");
	CHECK_NUM(rdata_mx(a, S("\0\0\0"), &mx), OK); /* RFC 7505 3 */
	CHECK_NUM(mx.preference, 0);
	CHECK_STR(mx.host, "");
	CHECK_NUM(rdata_mx(a, S("\0\12"), &mx), E_SYNTAX);
	CHECK_NUM(rdata_mx(a, S("\0"), &mx), E_SYNTAX);
	CHECK_NUM(rdata_mx(a, S(""), &mx), E_SYNTAX);
	CHECK_NUM(rdata_mx(a, S("\0\12\2mx\0\0"), &mx), E_SYNTAX);
}

static void test_scope(void)
{
	static const struct {
		const char *address;
		enum dns_scope scope;
	} table[] = {
		{ "0.0.0.0", DNS_NOWHERE },
		{ "0.1.2.3", DNS_NOWHERE },
		{ "1.0.0.1", DNS_OUTER },
		{ "127.0.0.1", DNS_LOOPBACK },
		{ "127.9.9.9", DNS_LOOPBACK },
		{ "128.0.0.1", DNS_OUTER },
		{ "169.254.169.254", DNS_LINK },
		{ "169.253.0.1", DNS_OUTER },
		{ "10.1.2.3", DNS_INNER },
		{ "11.1.2.3", DNS_OUTER },
		{ "172.16.0.1", DNS_INNER },
		{ "172.31.9.9", DNS_INNER },
		{ "172.32.0.1", DNS_OUTER },
		{ "192.168.9.9", DNS_INNER },
		{ "192.169.0.1", DNS_OUTER },
		{ "100.64.0.1", DNS_INNER },
		{ "100.127.9.9", DNS_INNER },
		{ "100.128.0.1", DNS_OUTER },
		{ "223.9.9.9", DNS_OUTER },
		{ "224.0.0.1", DNS_NOWHERE },
		{ "255.255.255.255", DNS_NOWHERE },
		{ "::", DNS_NOWHERE },
		{ "::1", DNS_LOOPBACK },
		{ "::2", DNS_OUTER },
		{ "fe80::1", DNS_LINK },
		{ "febf::1", DNS_LINK },
		{ "fec0::1", DNS_OUTER },
		{ "fc00::1", DNS_INNER },
		{ "fdff::1", DNS_INNER },
		{ "ff02::1", DNS_NOWHERE },
		{ "2001:db8::1", DNS_OUTER },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct dns_address x;

		CHECK(dns_address_parse(str_of(table[i].address), &x));
		if (!CHECK_NUM(dns_address_scope(&x), table[i].scope))
			fprintf(stderr, "  for %s\n", table[i].address);
	}
}

static void test_address(void)
{
	static const struct {
		struct str in;
		const char *out;
	} table[] = {
		{ S("\300\0\2\1"), "192.0.2.1" },
		{ S("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1" },
		{ S("\300\0\2"), NULL },
		{ S("\300\0\2\1\1"), NULL },
		{ S(""), NULL },
	};
	struct dns_address got, again;

	for (size_t i = 0; i < LENGTH(table); i++) {
		enum err e = rdata_address(table[i].in, &got);

		CHECK_NUM(e, table[i].out ? OK : E_SYNTAX);
		if (e)
			continue;
		CHECK_STR(dns_address_text(a, &got), table[i].out);
		CHECK_NUM(dns_address_v4(&got), table[i].in.n == 4);
		CHECK(dns_address_parse(str_of(table[i].out), &again));
		CHECK(memcmp(&got, &again, sizeof got) == 0);
	}
	CHECK(!dns_address_parse(S("192.0.2"), &got));
	CHECK(!dns_address_parse(S("192.0.2.1\0"), &got));
	CHECK(!dns_address_parse(S(""), &got));
	CHECK(!dns_address_parse(S("mail.example.org"), &got));
	CHECK(!dns_address_parse(S("fe80::1%eth0"), &got));
}

static void test_txt(void)
{
	static const struct {
		struct str in;
		const char *out;
	} table[] = {
		{ S("\3abc"), "abc" },  { S("\3abc\2de"), "abcde" },
		{ S("\0"), "" },        { S("\0\1a"), "a" },
		{ S(""), NULL },        { S("\4abc"), NULL },
		{ S("\1a\377"), NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str out;
		enum err e = rdata_txt(a, table[i].in, &out);

		CHECK_NUM(e, table[i].out ? OK : E_SYNTAX);
		if (!e && table[i].out)
			CHECK_STR(out, table[i].out);
	}
}

static void test_tlsa(void)
{
	struct tlsa t = rdata_tlsa(a, S("\3\1\1digest"));

	CHECK_NUM(t.usage, 3);
	CHECK_NUM(t.selector, 1);
	CHECK_NUM(t.matching, 1);
	CHECK_STR(t.data, "digest");
	CHECK_NUM(rdata_tlsa(a, S("\3\1\1")).data.n, 0);
	CHECK_NUM(rdata_tlsa(a, S("\3\1")).usage, 255);
	CHECK_NUM(rdata_tlsa(a, S("")).usage, 255);
}

static void test_name_ok(void)
{
	static const char *const good[] = { "",
					    ".",
					    "org",
					    "example.org",
					    "example.org.",
					    "_25._tcp.mx.a",
					    LONG,
					    "*.example.org" };
	static const char *const bad[] = { "..",   ".org",   "a..b",         "org..", "a b",
					   "a\\b", LONG "x", "\303\244.org", "a\n" };

	for (size_t i = 0; i < LENGTH(good); i++)
		CHECK(dns_name_ok(str_of(good[i])) || !fprintf(stderr, "%s\n", good[i]));
	for (size_t i = 0; i < LENGTH(bad); i++)
		CHECK(!dns_name_ok(str_of(bad[i])) || !fprintf(stderr, "%s\n", bad[i]));
	CHECK(dns_name_ok(S(LONG "." LONG "." LONG ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs"
				 "tuvwxyz012345678.")));
	CHECK(!dns_name_ok(S(LONG "." LONG "." LONG ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs"
				  "tuvwxyz0123456789")));
}

int main(void)
{
	a = arena_new(1 << 20);
	test_names();
	test_mx();
	test_address();
	test_scope();
	test_txt();
	test_tlsa();
	test_name_ok();
	arena_free(&a);
	return check_done();
}
