/* SPDX-License-Identifier: ISC */
/*
 * The resolver against the name server of resolver_test.py, which starts this program:
 *
 *     resolver_test IP PORT SILENT-PORT REFUSING-PORT ANCHOR-FILE
 *
 * Everything below the root comes from there. On the silent port nobody ever answers.
 */
#include "check.h"
#include "dns/dns.h"

static struct {
	struct str ip, anchor;
	uint16_t port, silent, refusing;
} given;
static struct arena *a;
static struct dns *resolver;

static struct dns_answer ask(const char *name, enum dns_type type)
{
	struct dns_answer got = { 0 };
	enum err e = dns_ask(resolver, str_of(name), type, clock_in(5000), a, &got);

	if (!CHECK_NUM(e, OK))
		fprintf(stderr, "  asked for %s\n", name);
	return got;
}

#define YES  true, DNS_FOUND
#define OPEN false, DNS_FOUND

static const struct {
	const char *name;
	enum dns_type type;
	bool secure;
	enum dns_status status;
	size_t n;
	const char *end; /* of the CNAMEs; NULL: there are none */
} table[] = {
	{ "signed.test", DNS_MX, YES, 2, NULL },
	{ "SIGNED.test.", DNS_MX, YES, 2, NULL },
	{ "mx1.signed.test", DNS_A, YES, 2, NULL },
	{ "mx1.signed.test", DNS_AAAA, YES, 1, NULL },
	{ "mx2.signed.test", DNS_AAAA, true, DNS_NODATA, 0, NULL },
	{ "nobody.signed.test", DNS_A, true, DNS_NXDOMAIN, 0, NULL },
	{ "_25._tcp.mx1.signed.test", DNS_TLSA, YES, 2, NULL },
	{ "_25._tcp.mx2.signed.test", DNS_TLSA, true, DNS_NXDOMAIN, 0, NULL },
	{ "_mta-sts.signed.test", DNS_TXT, YES, 1, NULL },
	{ "alias.signed.test", DNS_A, YES, 2, "mx1.signed.test" },
	{ "twice.signed.test", DNS_A, YES, 2, "mx1.signed.test" },
	{ "alias.signed.test", DNS_CNAME, YES, 1, NULL },
	{ "dead.signed.test", DNS_A, true, DNS_NXDOMAIN, 0, "nobody.signed.test" },
	{ "null.signed.test", DNS_MX, YES, 1, NULL },
	{ "odd.signed.test", DNS_MX, true, DNS_SERVFAIL, 0, NULL },
	{ "many.signed.test", DNS_A, YES, DNS_RECORDS_MAX, NULL },
	/* NSEC3 */
	{ "hashed.test", DNS_MX, YES, 1, NULL },
	{ "nobody.hashed.test", DNS_MX, true, DNS_NXDOMAIN, 0, NULL },
	/* a delegation without DS */
	{ "plain.test", DNS_MX, OPEN, 1, NULL },
	{ "mx.plain.test", DNS_A, OPEN, 1, NULL },
	{ "nobody.plain.test", DNS_A, false, DNS_NXDOMAIN, 0, NULL },
	{ "plain.test", DNS_TXT, false, DNS_NODATA, 0, NULL },
	/* from a proven name to one that is not, and back: RFC 7672 2.2.2 */
	{ "out.signed.test", DNS_A, OPEN, 1, "mx.plain.test" },
	{ "out.signed.test", DNS_CNAME, YES, 1, NULL },
	{ "in.plain.test", DNS_A, OPEN, 2, "mx1.signed.test" },
	/* wrong: expired, changed after signing, signed by a key that the parent does not know */
	{ "expired.test", DNS_MX, false, DNS_BOGUS, 0, NULL },
	{ "mx.forged.test", DNS_A, false, DNS_BOGUS, 0, NULL },
	{ "_25._tcp.mx.forged.test", DNS_TLSA, YES, 1, NULL },
	{ "otherkey.test", DNS_MX, false, DNS_BOGUS, 0, NULL },
	{ "stripped.test", DNS_MX, false, DNS_BOGUS, 0, NULL },
	/* a zone whose server refuses every question */
	{ "refused.test", DNS_MX, false, DNS_SERVFAIL, 0, NULL },
	{ "localhost", DNS_A, false, DNS_FOUND, 1, NULL },
};

static void test_table(void)
{
	for (size_t i = 0; i < LENGTH(table); i++) {
		struct dns_answer got = ask(table[i].name, table[i].type);
		const char *end = table[i].end;

		bool ok = got.status == table[i].status && got.n == table[i].n &&
			  (table[i].status == DNS_SERVFAIL || got.secure == table[i].secure) &&
			  got.alias == (end != NULL) && (!end || str_is(got.name, end));
		if (!CHECK(ok))
			fprintf(stderr, "  %s %u: %s%s, %zu records, name %.*s; %.*s\n",
				table[i].name, table[i].type, got.secure ? "secure " : "",
				dns_status_text(got.status), got.n, FMT(got.name), FMT(got.why));
		CHECK(!got.why.n == (got.status < DNS_SERVFAIL));
		if (got.status == DNS_FOUND)
			CHECK(got.ttl > 0 && got.ttl <= 86400);
		arena_reset(a);
	}
}

static void test_records(void)
{
	struct dns_answer got = ask("signed.test", DNS_MX);
	bool first = got.n && got.mx[0].preference == 10;

	if (!CHECK_NUM(got.n, 2))
		return;
	CHECK_STR(got.mx[!first].host, "mx1.signed.test");
	CHECK_STR(got.mx[first].host, "mx2.signed.test");
	CHECK_NUM(got.mx[first].preference, 20);
	got = ask("mx1.signed.test", DNS_AAAA);
	CHECK_STR(dns_address_text(a, got.address), "::1");
	got = ask("_mta-sts.signed.test", DNS_TXT);
	CHECK_STR(got.text[0], "v=STSv1; id=20260101;");
	got = ask("alias.signed.test", DNS_CNAME);
	CHECK_STR(got.text[0], "mx1.signed.test");
	got = ask("null.signed.test", DNS_MX);
	CHECK_STR(got.mx[0].host, "");
	got = ask("_25._tcp.mx.forged.test", DNS_TLSA);
	CHECK_NUM(got.tlsa[0].usage, 3);
	CHECK_NUM(got.tlsa[0].selector, 1);
	CHECK_NUM(got.tlsa[0].matching, 1);
	CHECK_NUM(got.tlsa[0].data.n, 32);
	CHECK_NUM(got.tlsa[0].data.p[0], 0x5a);
}

static void test_names(void)
{
	struct dns_answer got;

	CHECK_NUM(dns_ask(resolver, S("a..b"), DNS_A, NEVER, a, &got), E_SYNTAX);
	CHECK_NUM(dns_ask(resolver, S("a b.test"), DNS_A, NEVER, a, &got), E_SYNTAX);
	got = ask(".", DNS_NS);
	CHECK_NUM(got.n, 1);
	CHECK(got.secure);
}

static void ask_many(void *arg)
{
	struct arena *own = arena_new(256 * 1024);
	struct dns_answer got;
	unsigned *left = arg;
	struct str name = str_fmt(own, "n%u.hashed.test", *left);

	CHECK_NUM(dns_ask(resolver, name, DNS_A, clock_in(10000), own, &got), OK);
	CHECK_NUM(got.status, DNS_NXDOMAIN);
	--*left;
	arena_free(&own);
}

/* More at a time than there are places; each gets its turn. */
static void test_many(void)
{
	enum { MANY = DNS_ASKED_MAX + 200 };
	struct group *g = group_new();
	unsigned left = MANY;

	for (unsigned i = 0; i < MANY; i++)
		CHECK_NUM(group_spawn(g, "ask", ask_many, &left), OK);
	CHECK_NUM(group_wait(g, clock_in(15000)), OK);
	CHECK_NUM(left, 0);
	group_close(&g);
}

static void ask_silent(void *arg)
{
	struct dns_answer got;

	*(enum err *)arg = dns_ask(resolver, S("b.silent.test"), DNS_A, NEVER, a, &got);
}

/* Deadlines hold, cancellation too, and what was given up does no harm. */
static void test_silence(void)
{
	struct group *g = group_new();
	struct dns_answer got;
	enum err canceled = OK;
	int64_t began = clock_ms();

	CHECK_NUM(dns_ask(resolver, S("a.silent.test"), DNS_A, clock_in(300), a, &got), E_TIMEOUT);
	CHECK(clock_ms() - began >= 300 && clock_ms() - began < 2000);
	CHECK_NUM(dns_ask(resolver, S("a.silent.test"), DNS_A, 0, a, &got), E_TIMEOUT);
	CHECK_NUM(group_spawn(g, "silent", ask_silent, &canceled), OK);
	CHECK_NUM(fiber_sleep(clock_in(20)), OK);
	group_close(&g);
	CHECK_NUM(canceled, E_CANCELED);
	got = ask("mx.plain.test", DNS_A);
	CHECK_NUM(got.status, DNS_FOUND);
}

/* Settings that cannot be: each with a sentence. */
static void test_refused(void)
{
	static const struct dns_server bad[] = { { S("mail.test"), 53 }, { S("127.0.0.1"), 0 } };
	static const struct str rubbish = S("this is no record");
	const struct dns_stub stub = { S("a..b"), { S("127.0.0.1"), 53 } };
	const struct {
		struct dns_conf conf;
		enum err want;
	} cases[] = {
		{ { .nanchors = 0 }, E_SYNTAX },
		{ { .anchor_file = S("/nowhere/root.key") }, E_NOTFOUND },
		{ { .anchor_file = given.anchor, .forward = &bad[0], .nforward = 1 }, E_SYNTAX },
		{ { .anchor_file = given.anchor, .forward = &bad[1], .nforward = 1 }, E_SYNTAX },
		{ { .anchor_file = given.anchor, .stubs = &stub, .nstubs = 1 }, E_SYNTAX },
		{ { .anchors = &rubbish, .nanchors = 1 }, E_SYNTAX },
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct str why = S_NONE;
		struct dns *d;

		CHECK_NUM(dns_new(&cases[i].conf, a, &d, &why), cases[i].want);
		CHECK(!d && why.n > 10);
	}
}

/* All of it by way of another server, whose answers are validated all the same. */
static void test_forward(void)
{
	const struct dns_server server = { given.ip, given.port };
	const struct dns_conf conf = { .anchor_file = given.anchor,
				       .forward = &server,
				       .nforward = 1 };
	struct str why;

	if (!CHECK_NUM(dns_new(&conf, a, &resolver, &why), OK))
		return;
	struct dns_answer got = ask(".", DNS_NS);

	CHECK(got.status == DNS_FOUND && got.secure);
	CHECK_STR(got.text[0], "ns");
	got = ask("nobody.example", DNS_MX);
	CHECK(got.status == DNS_NXDOMAIN && got.secure);
	got = ask("mx1.signed.test", DNS_A);
	CHECK(got.status == DNS_FOUND && got.secure);
	got = ask("localhost", DNS_A);
	CHECK(got.status == DNS_FOUND && !got.secure);
	dns_close(&resolver);
}

static void run(void *unused)
{
	const struct dns_server server = { given.ip, given.port };
	const struct dns_stub stubs[] = {
		{ S("."), server },
		{ S("signed.test"), server },
		{ S("hashed.test"), server },
		{ S("plain.test"), server },
		{ S("expired.test"), server },
		{ S("forged.test"), server },
		{ S("otherkey.test"), server },
		{ S("stripped.test"), server },
		{ S("refused.test"), { given.ip, given.refusing } },
		{ S("silent.test"), { given.ip, given.silent } },
	};
	const struct dns_conf conf = { .anchor_file = given.anchor,
				       .stubs = stubs,
				       .nstubs = LENGTH(stubs),
				       .cache_max = 4 << 20 };
	struct str why;

	(void)unused;
	test_refused();
	if (!CHECK_NUM(dns_new(&conf, a, &resolver, &why), OK)) {
		fprintf(stderr, "%.*s\n", FMT(why));
		return;
	}
	test_table();
	test_records();
	test_names();
	test_many();
	test_silence();
	dns_close(&resolver);
	CHECK(!resolver);
	dns_close(&resolver);
	test_forward();
}

static uint16_t port(const char *text)
{
	struct scan in = scan(str_of(text));

	return (uint16_t)scan_num(&in, 65535);
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fputs("resolver_test.py starts this\n", stderr);
		return 2;
	}
	given.ip = str_of(argv[1]);
	given.port = port(argv[2]);
	given.silent = port(argv[3]);
	given.refusing = port(argv[4]);
	given.anchor = str_of(argv[5]);
	a = arena_new(4 << 20);
	fiber_main(run, NULL);
	arena_free(&a);
	return check_done();
}
