/* SPDX-License-Identifier: ISC */
/* Who may be banned, what the kernel is told, and the list where the kernel is not ours. */
#include "check.h"
#include "proc/bans.h"
#include "proc/bans_text.h"

static struct arena *a;

/* want: the network as people write it, "" if it cannot be banned. */
static void who(const char *address, unsigned prefix, const char *want)
{
	struct net n;
	enum err e = ban_who(str_of(address), prefix, &n);

	CHECK(e == OK || e == E_SYNTAX);
	CHECK_STR(e ? S("") : net_text(a, &n), want);
	if (!e)
		CHECK(ban_prefix(&n) == prefix || str_starts(str_of(address), S("::ffff:")));
}

static void test_who(void)
{
	who("192.0.2.7", 32, "192.0.2.7");
	who("192.0.2.7", 24, "192.0.2.0/24");
	who("192.0.2.7", 31, "192.0.2.6/31");
	who("10.9.8.7", 8, "10.0.0.0/8");
	who("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64");
	who("2001:db8::1", 128, "2001:db8::1");
	who("2001:DB8::1", 16, "2001::/16");
	who("::ffff:192.0.2.7", 128, "192.0.2.7");
	who("::ffff:192.0.2.7", 120, "192.0.2.0/24");
	who("127.0.0.2", 32, "127.0.0.2");

	/* Too much of the world, or more bits than there are. */
	who("192.0.2.7", 7, "");
	who("192.0.2.7", 0, "");
	who("192.0.2.7", 33, "");
	who("192.0.2.7", 128, "");
	who("2001:db8::1", 15, "");
	who("2001:db8::1", 129, "");
	who("::ffff:192.0.2.7", 64, ""); /* taken for an IPv6 address with the default prefix */

	/* Who must be heard. */
	who("127.0.0.1", 32, "");
	who("127.0.0.2", 8, "");
	who("127.0.0.2", 30, "");
	who("::ffff:127.0.0.1", 128, "");
	who("0.0.0.0", 32, "");
	who("255.255.255.255", 32, "");
	who("224.0.0.1", 32, "");
	who("::1", 128, "");
	who("::1", 64, "");
	who("::", 128, "");
	who("fe80::1", 64, "");
	who("ff02::1", 128, "");

	/* No address. */
	who("", 32, "");
	who("192.0.2", 32, "");
	who("192.0.2.7/32", 32, "");
	who("192.0.2.256", 32, "");
	who("192.0.2.7 ", 32, "");
	who("192.0.2.7 }; flush ruleset", 32, "");
	who("fe80::1%eth0", 64, "");
	who("mail.example.test", 32, "");
	who("[2001:db8::1]", 64, "");
	CHECK_NUM(ban_who(STR("192.0.2.7\0", 10), 32, &(struct net){ 0 }), E_SYNTAX);
	CHECK_NUM(ban_who(STR("192.0.2.7\n", 10), 32, &(struct net){ 0 }), E_SYNTAX);
}

static void text(struct buf *b, const char *want)
{
	CHECK(!b->full);
	CHECK_STR(buf_str(b), want);
	buf_clear(b);
}

static void test_text(void)
{
	struct buf b = buf_new(4096);
	struct net v4, v6, v4_24;

	CHECK_NUM(ban_who(S("192.0.2.7"), 32, &v4), OK);
	CHECK_NUM(ban_who(S("192.0.2.7"), 23, &v4_24), OK);
	CHECK_NUM(ban_who(S("2001:db8:1:2::9"), 64, &v6), OK);

	ban_text_set(&b, &v4);
	text(&b, "add set inet tecsmail v4_32 { type ipv4_addr; flags timeout; }\n"
		 "add rule inet tecsmail input ip saddr @v4_32 counter drop\n");
	ban_text_set(&b, &v4_24);
	text(&b, "add set inet tecsmail v4_23 { type ipv4_addr; flags timeout; }\n"
		 "add rule inet tecsmail input ip saddr & 255.255.254.0 @v4_23 counter drop\n");
	ban_text_set(&b, &v6);
	text(&b, "add set inet tecsmail v6_64 { type ipv6_addr; flags timeout; }\n"
		 "add rule inet tecsmail input ip6 saddr & ffff:ffff:ffff:ffff:: @v6_64 counter "
		 "drop\n");
	ban_text_add(&b, &v6, 86400);
	text(&b, "add element inet tecsmail v6_64 { 2001:db8:1:2:: }\n"
		 "delete element inet tecsmail v6_64 { 2001:db8:1:2:: }\n"
		 "add element inet tecsmail v6_64 { 2001:db8:1:2:: timeout 86400s }\n");
	ban_text_remove(&b, &v4);
	text(&b, "add element inet tecsmail v4_32 { 192.0.2.7 }\n"
		 "delete element inet tecsmail v4_32 { 192.0.2.7 }\n");
	ban_text_end(&b);
	text(&b, "add table inet tecsmail\ndelete table inet tecsmail\n");
	ban_text_table(&b);
	CHECK(str_starts(buf_str(&b), S("add table inet tecsmail\ndelete table inet tecsmail\n")));
	CHECK(!b.full);
	buf_free(&b);
}

static struct str listed(const struct bans *b)
{
	struct str all = S("");
	struct ban ban;
	size_t at = 0;

	while (bans_next(b, &at, a, &ban))
		all = str_fmt(a, "%.*s %.*s/%u:%lld", FMT(all), FMT(ban.address), ban.prefix,
			      (long long)ban.seconds);
	return all;
}

/* Where the kernel is not asked at all. */
static void test_list(void)
{
	const struct ban some[] = { { S("192.0.2.7"), 32, 60 },
				    { S("nobody"), 32, 60 },
				    { S("2001:db8::9"), 64, 90 } },
			 others[] = { { S("192.0.2.8"), 32, 70 }, { S("192.0.2.7"), 32, 80 } };
	struct bans *b, *copy;

	bans_open_list(&b);
	CHECK_NUM(bans_set(b, some, LENGTH(some)), E_SYNTAX);
	CHECK_STR(listed(b), " 192.0.2.7/32:60 2001:db8::/64:90");
	bans_open_list(&copy);
	CHECK_NUM(bans_add(copy, S("192.0.2.9"), 32, 5), E_DENIED);
	bans_copy(copy, b);
	CHECK_NUM(bans_set(b, others, LENGTH(others)), E_DENIED);
	CHECK_STR(listed(b), " 192.0.2.7/32:80 192.0.2.8/32:70");
	CHECK_NUM(bans_remove(b, S("192.0.2.7"), 32), E_DENIED);
	CHECK_NUM(bans_remove(b, S("192.0.2.7"), 32), E_NOTFOUND);
	CHECK_STR(listed(b), " 192.0.2.8/32:70");
	CHECK_NUM(bans_set(b, NULL, 0), E_DENIED);
	CHECK_STR(listed(b), "");
	CHECK_STR(listed(copy), " 192.0.2.7/32:60 2001:db8::/64:90");
	bans_copy(copy, b);
	CHECK_STR(listed(copy), "");
	bans_close(&copy);
	bans_close(&b);
}

int main(void)
{
	a = arena_new(1 << 20);
	test_who();
	test_text();
	test_list();
	arena_free(&a);
	return check_done();
}
