/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "courier/line_priv.h"

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} table[] = {
		{ "*", "a.test", true },
		{ "*", "", true },
		{ "a.test", "a.test", true },
		{ "A.test", "a.TEST", true },
		{ "a.test", "b.a.test", false },
		{ "*.a.test", "b.a.test", true },
		{ "*.a.test", "c.b.A.test", true },
		{ "*.a.test", "a.test", false },
		{ "*.a.test", ".a.test", false },
		{ "*.a.test", "ba.test", false },
		{ "", "", true },
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK(line_fits(str_of(table[i].pattern), str_of(table[i].name)) ==
			   table[i].fits))
			fprintf(stderr, "  %s %s\n", table[i].pattern, table[i].name);
}

static void test_literals(void)
{
	static const struct {
		const char *text, *host; /* NULL: none */
		uint16_t port;
	} table[] = {
		{ "[mx.test]", "mx.test", 25 },
		{ "[mx.test:587]", "mx.test", 587 },
		{ "[mx.test]:587", "mx.test", 587 },
		{ "[192.0.2.1]", "192.0.2.1", 25 },
		{ "[192.0.2.1:2525]", "192.0.2.1", 2525 },
		{ "[IPv6:2001:db8::1]", "2001:db8::1", 25 },
		{ "[ipv6:::1]", "::1", 25 },
		{ "[::1]:26", "::1", 26 },
		{ "mx.test", NULL, 0 },
		{ "mx.test]", NULL, 0 },
		{ "[mx.test", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "[:25]", NULL, 0 },
		{ "[mx.test:0]", NULL, 0 },
		{ "[mx.test:x]", NULL, 0 },
		{ "[mx.test]x", NULL, 0 },
		{ "[mx.test]:", NULL, 0 },
		{ "[mx.test]:65536", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str host;
		uint16_t port = 25;
		bool is = line_literal(str_of(table[i].text), &host, &port);

		if (!CHECK(is == (table[i].host != NULL)))
			fprintf(stderr, "  %s\n", table[i].text);
		if (!is || !table[i].host)
			continue;
		CHECK_STR(host, table[i].host);
		CHECK_NUM(port, table[i].port);
	}
}

/* The first that fits counts; a domain's and its way's are both kept to. */
static void test_least(void)
{
	static const struct line_least least[] = {
		{ S("free.a.test"), QUEUE_ANY },
		{ S("*.a.test"), QUEUE_ENCRYPTED },
		{ S("relay.test"), QUEUE_AUTHENTICATED },
		{ S("*"), QUEUE_ANY },
	};
	static const struct line_relay relay[] = {
		{ .pattern = S("r.test"), .host = S("relay.test"), .port = 587 },
		{ .pattern = S("*"), .host = S("other.test"), .port = 25 },
	};
	struct line_net net = { .conf = { .least = least, .nleast = LENGTH(least) } };
	static const struct {
		const char *destination, *domain;
		enum queue_guard direct, relayed;
	} table[] = {
		{ "free.a.test", "", QUEUE_ANY, QUEUE_ANY },
		{ "b.a.test", "", QUEUE_ENCRYPTED, QUEUE_ENCRYPTED },
		{ "[relay.test]", "b.a.test", QUEUE_AUTHENTICATED, QUEUE_AUTHENTICATED },
		{ "[relay.test:26]", "free.a.test", QUEUE_AUTHENTICATED, QUEUE_AUTHENTICATED },
		{ "[192.0.2.1]", "b.a.test", QUEUE_ENCRYPTED, QUEUE_ENCRYPTED },
		{ "r.test", "", QUEUE_ANY, QUEUE_AUTHENTICATED },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str destination = str_of(table[i].destination);
		struct str domain = str_of(table[i].domain);

		net.conf.nrelay = 0;
		CHECK_NUM(line_guard(&net, domain, line_least(&net, destination)), table[i].direct);
		net.conf.relay = relay;
		net.conf.nrelay = LENGTH(relay);
		CHECK_NUM(line_guard(&net, domain, line_least(&net, destination)),
			  table[i].relayed);
	}
	CHECK_NUM(line_guard(&net, S("b.a.test"), QUEUE_AUTHENTICATED), QUEUE_AUTHENTICATED);
	CHECK(line_relay_of(&net, S("r.test")) == &relay[0]);
	CHECK(line_relay_of(&net, S("x.test")) == &relay[1]);
	CHECK(line_relay_of(&net, S("[relay.test]")) == &relay[0]);
	CHECK(line_relay_of(&net, S("[relay.test:587]")) == &relay[0]);
	CHECK(!line_relay_of(&net, S("[relay.test:25]")));
	CHECK(!line_relay_of(&net, S("[x.test]")));
}

int main(void)
{
	test_patterns();
	test_literals();
	test_least();
	return check_done();
}
