/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "check.h"
#include "trust/mx.h"

static struct arena *a;

enum { PART = 4 };

/* MX records as "10 mx1 20 mx2"; the route as names in order, those of equal preference sorted. */
struct record {
	uint16_t preference;
	const char *host;
};
static const struct {
	struct record mx[PART];
	enum dns_status answer;
	const char *own;
	enum mx_status status;
	const char *want;
} routes[] = {
	{ { { 10, "a" }, { 20, "b" } }, DNS_FOUND, "", MX_OK, "a b" },
	{ { { 20, "b" }, { 10, "a" } }, DNS_FOUND, "", MX_OK, "a b" },
	{ { { 30, "c" }, { 10, "a" }, { 20, "b" } }, DNS_FOUND, "", MX_OK, "a b c" },
	{ { { 0, "a" }, { 65535, "b" } }, DNS_FOUND, "", MX_OK, "a b" },
	{ { { 20, "a" }, { 10, "a" }, { 15, "b" } }, DNS_FOUND, "", MX_OK, "a b" },
	/* null MX: RFC 7505 3 */
	{ { { 0, "" } }, DNS_FOUND, "", MX_NULL, "" },
	{ { { 10, "" } }, DNS_FOUND, "", MX_NULL, "" },
	{ { { 0, "" }, { 10, "a" } }, DNS_FOUND, "", MX_OK, "a" },
	/* RFC 5321 5.1: this machine, and all that are not better */
	{ { { 10, "a" }, { 20, "ME" }, { 30, "b" } }, DNS_FOUND, "me", MX_OK, "a" },
	{ { { 10, "a" }, { 20, "me" }, { 20, "b" } }, DNS_FOUND, "me", MX_OK, "a" },
	{ { { 10, "me" }, { 20, "b" } }, DNS_FOUND, "me", MX_LOOP, "" },
	{ { { 10, "me" } }, DNS_FOUND, "me", MX_LOOP, "" },
	{ { { 10, "a" }, { 20, "b" } }, DNS_FOUND, "me", MX_OK, "a b" },
	/* no MX */
	{ { { 0, NULL } }, DNS_NODATA, "", MX_OK, "example.test" },
	{ { { 0, NULL } }, DNS_NODATA, "example.test", MX_LOOP, "" },
	{ { { 0, NULL } }, DNS_NXDOMAIN, "", MX_NODOMAIN, "" },
	{ { { 0, NULL } }, DNS_SERVFAIL, "", MX_LATER, "" },
	{ { { 0, NULL } }, DNS_BOGUS, "", MX_LATER, "" },
};

static struct str names(const struct mx_route *r)
{
	struct str s = S("");

	for (size_t i = 0; i < r->n; i++)
		s = str_fmt(a, "%.*s%s%.*s", FMT(s), i ? " " : "", FMT(r->host[i].name));
	return s;
}

static void test_routes(void)
{
	for (size_t i = 0; i < LENGTH(routes); i++) {
		struct dns_mx mx[PART];
		struct dns_answer answer = { .status = routes[i].answer,
					     .secure = i % 2,
					     .mx = mx };
		struct str own = str_of(routes[i].own);

		for (; answer.n < PART && routes[i].mx[answer.n].host; answer.n++)
			mx[answer.n] = (struct dns_mx){ routes[i].mx[answer.n].preference,
							str_of(routes[i].mx[answer.n].host) };
		struct mx_route r = mx_route(a, S("Example.test."), &answer, &own, own.n > 0, i);

		CHECK_NUM(r.status, routes[i].status);
		CHECK_STR(names(&r), routes[i].want);
		CHECK_NUM(r.secure, i % 2);
		CHECK_NUM(r.implicit, routes[i].answer == DNS_NODATA);
	}
}

/* Equals come in each order, the same with the same seed; others never change places. */
static void test_shuffle(void)
{
	struct dns_mx mx[] = { { 10, S("a") }, { 10, S("b") }, { 10, S("c") }, { 5, S("first") } };
	struct dns_answer answer = { .status = DNS_FOUND, .mx = mx, .n = LENGTH(mx) };
	const char *orders[] = { "first a b c", "first a c b", "first b a c",
				 "first b c a", "first c a b", "first c b a" };
	unsigned count[LENGTH(orders)] = { 0 }, total = 0;

	for (uint64_t seed = 0; seed < 600; seed++) {
		struct mx_route r = mx_route(a, S("x"), &answer, NULL, 0, seed);
		struct mx_route again = mx_route(a, S("x"), &answer, NULL, 0, seed);
		struct str got = names(&r);

		CHECK(str_eq(got, names(&again)));
		for (size_t i = 0; i < LENGTH(orders); i++)
			count[i] += str_is(got, orders[i]);
	}
	for (size_t i = 0; i < LENGTH(orders); i++) {
		CHECK(count[i] > 60 && count[i] < 140);
		total += count[i];
	}
	CHECK_NUM(total, 600);
}

/* More hosts than are tried: the best ones stay, and the loop is seen behind them. */
static void test_bound(void)
{
	struct dns_mx mx[DNS_RECORDS_MAX];
	struct dns_answer answer = { .status = DNS_FOUND, .mx = mx, .n = DNS_RECORDS_MAX };

	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		mx[i] = (struct dns_mx){ (uint16_t)(DNS_RECORDS_MAX - i), str_fmt(a, "h%u", i) };
	struct mx_route r = mx_route(a, S("x"), &answer, NULL, 0, 1);

	CHECK_NUM(r.n, MX_HOSTS_MAX);
	CHECK_NUM(r.host[0].preference, 1);
	CHECK_NUM(r.host[MX_HOSTS_MAX - 1].preference, MX_HOSTS_MAX);
	mx_cut(&r, 11);
	CHECK_NUM(r.n, 10);
	CHECK_NUM(r.status, MX_OK);
	mx_cut(&r, 1);
	CHECK_NUM(r.n, 0);
	CHECK_NUM(r.status, MX_LOOP);
	struct str own = S("h120"); /* preference 8 */

	r = mx_route(a, S("x"), &answer, &own, 1, 1);
	CHECK_NUM(r.n, 7);
}

/* --- addresses --- */

enum { V4 = 1, V6 = 2, LOOPBACK = 4 };
static const struct {
	const char *v6[PART], *v4[PART];
	unsigned machine;
	const char *want; /* families shuffled: with one address each, or all alike in number */
	bool own;
} addresses[] = {
	{ { "2001:db8::1" }, { "192.0.2.1" }, V4 | V6, "6 4", false },
	{ { "2001:db8::1" }, { "192.0.2.1", "192.0.2.2", "192.0.2.3" }, V4 | V6, "6 4 4 4", false },
	{ { "2001:db8::1", "2001:db8::2" },
	  { "192.0.2.1", "192.0.2.2" },
	  V4 | V6,
	  "6 4 6 4",
	  false },
	{ { "2001:db8::1", "2001:db8::2" }, { NULL }, V4 | V6, "6 6", false },
	{ { "2001:db8::1" }, { "192.0.2.1" }, V4, "4", false },
	{ { "2001:db8::1" }, { "192.0.2.1" }, V6, "6", false },
	{ { "2001:db8::1" }, { NULL }, V4, "", false },
	/* nobody's, or this machine's */
	{ { NULL }, { "127.0.0.1", "192.0.2.1" }, V4 | V6, "4", true },
	{ { "::1" }, { NULL }, V4 | V6, "", true },
	{ { "::1" }, { "127.0.0.1" }, V4 | V6 | LOOPBACK, "6 4", false },
	{ { "::", "ff02::1", "fe80::1", "febf::1" },
	  { "0.0.0.0", "224.0.0.1", "255.255.255.255" },
	  V4 | V6,
	  "",
	  false },
	{ { "::ffff:192.0.2.1" }, { NULL }, V4 | V6, "", false },
	{ { "2001:db8::99" }, { "192.0.2.1" }, V4 | V6, "6 4", true },
	{ { NULL }, { "192.0.2.99" }, V4 | V6, "4", true },
	{ { NULL }, { NULL }, V4 | V6, "", false },
};

static struct dns_answer answer_of(const char *const text[PART], struct dns_address *out)
{
	struct dns_answer x = { .address = out };

	for (; x.n < PART && text[x.n]; x.n++)
		CHECK(dns_address_parse(str_of(text[x.n]), &out[x.n]));
	x.status = x.n ? DNS_FOUND : DNS_NODATA;
	return x;
}

static void test_addresses(void)
{
	struct dns_address own[2], six[PART], four[PART];

	CHECK(dns_address_parse(S("192.0.2.99"), &own[0]));
	CHECK(dns_address_parse(S("2001:db8::99"), &own[1]));
	for (size_t i = 0; i < LENGTH(addresses); i++) {
		struct mx_machine m = { .v4 = addresses[i].machine & V4,
					.v6 = addresses[i].machine & V6,
					.loopback = addresses[i].machine & LOOPBACK,
					.address = own,
					.n = 2 };
		struct dns_answer v6 = answer_of(addresses[i].v6, six);
		struct dns_answer v4 = answer_of(addresses[i].v4, four);
		struct mx_addresses got = mx_addresses(a, &v6, &v4, &m, i);
		struct str s = S("");

		for (size_t j = 0; j < got.n; j++)
			s = str_fmt(a, "%.*s%s%c", FMT(s), j ? " " : "",
				    dns_address_v4(&got.address[j]) ? '4' : '6');
		CHECK_STR(s, addresses[i].want);
		CHECK_NUM(got.own, addresses[i].own);
	}
}

static void test_many_addresses(void)
{
	struct dns_address list[DNS_RECORDS_MAX];
	struct dns_answer none = { .status = DNS_SERVFAIL };
	struct dns_answer v4 = { .status = DNS_FOUND, .address = list, .n = DNS_RECORDS_MAX };
	struct mx_machine m = { .v4 = true };
	bool moved = false;

	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		CHECK(dns_address_parse(str_fmt(a, "192.0.2.%u", i), &list[i]));
	struct mx_addresses got = mx_addresses(a, &none, &v4, &m, 7);

	CHECK_NUM(got.n, MX_ADDRESSES_MAX);
	for (size_t i = 0; i < got.n; i++)
		moved |= memcmp(&got.address[i], &list[i], sizeof *list) != 0;
	CHECK(moved);
}

int main(void)
{
	a = arena_new(8 << 20);
	test_routes();
	test_shuffle();
	test_bound();
	test_addresses();
	test_many_addresses();
	arena_free(&a);
	return check_done();
}
