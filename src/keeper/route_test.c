/* SPDX-License-Identifier: ISC */
/* Table tests: where mail goes, and who may send as whom. */
#include "keeper/keeper_test.h"
#include "keeper/route.h"

static struct arena *a;
static struct store *st;
static uint32_t demo1, demo2, dotted;

static const struct {
	const char *to;
	enum err err;
	const char *routes; /* "address" or "address#mailbox", sorted as they come */
} rows[] = {
	{ "demo1@example.test", OK, "demo1@example.test" },
	{ "DEMO1@Example.Test", OK, "demo1@example.test" },
	{ "demo1+news@example.test", OK, "demo1@example.test#news" },
	{ "Demo1+NeWs@example.test", OK, "demo1@example.test#NeWs" },
	{ "demo1+a+b@example.test", OK, "demo1@example.test#a+b" },
	{ "demo1+@example.test", E_NOTFOUND, "" },
	{ "+demo1@example.test", E_NOTFOUND, "" },
	{ "plus+sign@example.test", OK, "plus+sign@example.test" },
	{ "plus+sign+x@example.test", E_NOTFOUND, "" },
	{ "nobody@example.test", E_NOTFOUND, "" },
	{ "nobody@elsewhere.test", E_DENIED, "" },
	{ "nobody@[192.0.2.1]", E_DENIED, "" },
	{ "info@example.test", OK, "demo1@example.test demo2@example.test" },
	{ "info+x@example.test", OK, "demo1@example.test#x demo2@example.test#x" },
	{ "twice@example.test", OK, "demo1@example.test demo2@example.test" },
	{ "remote@example.test", OK, "someone@elsewhere.test demo1@example.test" },
	{ "loop1@example.test", OK, "demo2@example.test" },
	{ "self@example.test", E_NOTFOUND, "" },
	{ "dead@example.test", E_NOTFOUND, "" },
	{ "fixed@example.test", OK, "demo1@example.test#Lists" },
	{ "any@catch.test", OK, "demo2@example.test" },
	{ "tls-reports@example.test", OK, "tls-reports@example.test" },
	{ "TLS-Reports@catch.test", OK, "tls-reports@catch.test" },
	{ "tls-reports@own.test", OK, "demo2@example.test" }, /* an alias of its own */
	{ "tls-reports@elsewhere.test", E_DENIED, "" },
	{ "exact@catch.test", OK, "demo1@example.test" },
	{ "*@catch.test", OK, "demo2@example.test" },
	{ "user@catch.test", OK, "user@catch.test" },
	{ "deep0@example.test", E_LIMIT, "" },
	{ "deep3@example.test", OK, "demo1@example.test" },
	{ "postmaster@example.test", OK, "demo1@example.test" }, /* the oldest account */
	{ "PostMaster@own.test", OK, "demo2@example.test" },     /* an alias of its own */
	{ "postmaster@catch.test", OK, "demo2@example.test" },   /* the catch-all */
	{ "postmaster@elsewhere.test", E_DENIED, "" },
	{ "postmaster", OK, "demo1@example.test" }, /* RFC 5321 4.5.1 */
	{ "webmaster", E_NOTFOUND, "" },
};

static struct path path_of(const char *text)
{
	struct str s = str_of(text);
	size_t at = str_rfind(s, '@');

	return (struct path){ .local = str_part(s, 0, at), .domain = str_from(s, at + 1) };
}

static struct str routes_text(const struct route *r, size_t n)
{
	struct str out = S("");

	for (size_t i = 0; i < n; i++)
		out = str_fmt(a, "%.*s%s%.*s%s%.*s", FMT(out), i ? " " : "", FMT(r[i].address),
			      r[i].mailbox.n ? "#" : "", FMT(r[i].mailbox));
	return out;
}

static void test_rows(void)
{
	struct route_rules rules = { .detail = S("+"), .postmaster = S("") };

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct route *r;
		size_t n = 0;
		enum err e = route_find(st, &rules, path_of(rows[i].to), a, &r, &n);
		bool good = CHECK_NUM(e, rows[i].err);

		good &= e || CHECK_STR(routes_text(r, n), rows[i].routes);
		if (!good)
			fprintf(stderr, "  for %s\n", rows[i].to);
		for (size_t j = 0; j < n && !e; j++)
			CHECK((r[j].account == 0) == str_ends(r[j].address, S("elsewhere.test")));
	}
}

static void test_rules(void)
{
	struct route_rules rules = { .detail = S("-"), .postmaster = S("demo2@example.test") };
	struct route *r;
	size_t n;

	CHECK_NUM(route_find(st, &rules, path_of("demo1-x@example.test"), a, &r, &n), OK);
	CHECK_STR(routes_text(r, n), "demo1@example.test#x");
	CHECK_NUM(route_find(st, &rules, path_of("demo1+x@example.test"), a, &r, &n), E_NOTFOUND);
	CHECK_NUM(route_find(st, &rules, path_of("postmaster@example.test"), a, &r, &n), OK);
	CHECK_STR(routes_text(r, n), "demo2@example.test");
	CHECK_NUM(route_find(st, &rules, path_of("Postmaster"), a, &r, &n), OK);
	CHECK_STR(routes_text(r, n), "demo2@example.test");
	rules.detail = S("");
	CHECK_NUM(route_find(st, &rules, path_of("demo1-x@example.test"), a, &r, &n), E_NOTFOUND);
	rules.postmaster = S("postmaster@example.test"); /* of no use: the oldest account it is */
	CHECK_NUM(route_find(st, &rules, path_of("postmaster@example.test"), a, &r, &n), OK);
	CHECK_STR(routes_text(r, n), "demo1@example.test");
}

static void expire(const char *text, uint32_t last_day)
{
	struct user u = { .expires = last_day };

	CHECK_NUM(directory_user_set(st, test_name(a, text), SET_EXPIRES, a, &u), OK);
}

/* Who has expired gets no mail; where nobody else is left, the answer says so. */
static void test_expired(void)
{
	static const struct {
		const char *to, *routes;
		bool expired;
	} gone[] = {
		{ "demo1@example.test", "demo1@example.test", true },
		{ "demo1+news@example.test", "demo1@example.test#news", true },
		{ "exact@catch.test", "demo1@example.test", true },
		{ "info@example.test", "demo2@example.test", false },
		{ "remote@example.test", "someone@elsewhere.test", false },
		/* The oldest account is postmaster all the same: RFC 5321 4.5.1. */
		{ "postmaster@example.test", "demo1@example.test", false },
		{ "postmaster", "demo1@example.test", false },
	};
	struct route_rules rules = { .detail = S("+"), .postmaster = S("") };
	struct route *r;
	size_t n;

	expire("demo1@example.test", 20200101);
	for (size_t i = 0; i < LENGTH(gone); i++) {
		CHECK_NUM(route_find(st, &rules, path_of(gone[i].to), a, &r, &n), OK);
		if (!CHECK_STR(routes_text(r, n), gone[i].routes) ||
		    !CHECK(r->expired == gone[i].expired))
			fprintf(stderr, "  for %s\n", gone[i].to);
	}
	expire("demo1@example.test", 99991231);
	CHECK_NUM(route_find(st, &rules, path_of("info@example.test"), a, &r, &n), OK);
	CHECK_STR(routes_text(r, n), "demo1@example.test demo2@example.test");
	expire("demo1@example.test", 0);
}

static void test_may_send(void)
{
	struct route_rules rules = { .detail = S("+"), .postmaster = S("") };
	const struct {
		uint32_t account;
		const char *from;
		enum err err;
	} senders[] = {
		{ demo1, "demo1@example.test", OK },
		{ demo1, "Demo1+shop@example.test", OK },
		{ demo1, "demo2@example.test", E_DENIED },
		{ demo1, "info@example.test", OK },
		{ demo2, "info+x@example.test", OK },
		{ demo2, "twice@example.test", OK },
		{ demo1, "any@catch.test", E_DENIED },
		{ demo2, "any@catch.test", OK },
		{ demo2, "exact@catch.test", E_DENIED },
		{ demo1, "nobody@example.test", E_DENIED },
		{ demo1, "someone@elsewhere.test", E_DENIED },
		{ dotted, "plus+sign@example.test", OK },
		{ demo1, "deep0@example.test", E_DENIED },
		{ demo1, "", E_DENIED },
		{ demo1, "postmaster", E_DENIED },
		{ 0, "remote@example.test", E_DENIED },
		{ 4711, "demo1@example.test", E_DENIED },
	};

	for (size_t i = 0; i < LENGTH(senders); i++)
		if (!CHECK_NUM(route_may_send(st, &rules, senders[i].account,
					      path_of(senders[i].from), a),
			       senders[i].err))
			fprintf(stderr, "  for %s\n", senders[i].from);
}

/* As many targets as may be, and one more through a second alias. */
static void test_many(void)
{
	struct route_rules rules = { .detail = S("+"), .postmaster = S("") };
	struct name *targets = ARENA_ARRAY(a, struct name, ALIAS_TARGETS_MAX);
	struct route *r;
	size_t n;

	for (size_t i = 0; i < ALIAS_TARGETS_MAX; i++)
		targets[i] = (struct name){ str_fmt(a, "u%zu", i), S("elsewhere.test") };
	CHECK_NUM(directory_alias_add(st, test_name(a, "many@example.test"), targets,
				      ALIAS_TARGETS_MAX),
		  OK);
	CHECK_NUM(route_find(st, &rules, path_of("many@example.test"), a, &r, &n), OK);
	CHECK_NUM(n, ALIAS_TARGETS_MAX);
	test_alias(st, a, "more@example.test", "many@example.test demo1@example.test");
	CHECK_NUM(route_find(st, &rules, path_of("more@example.test"), a, &r, &n), E_LIMIT);
}

static void run(void *arg)
{
	static const char *const aliases[][2] = {
		{ "info@example.test", "demo1@example.test demo2@example.test" },
		{ "twice@example.test", "info@example.test demo2@example.test info@example.test" },
		{ "remote@example.test", "someone@elsewhere.test demo1@example.test" },
		{ "loop1@example.test", "loop2@example.test" },
		{ "loop2@example.test", "loop1@example.test demo2@example.test" },
		{ "self@example.test", "self@example.test" },
		{ "dead@example.test", "gone@example.test" },
		{ "fixed@example.test", "demo1+Lists@example.test" },
		{ "*@catch.test", "demo2@example.test" },
		{ "exact@catch.test", "demo1@example.test" },
		{ "postmaster@own.test", "demo2@example.test" },
		{ "tls-reports@own.test", "demo2@example.test" },
	};
	static const char *const domains[] = { "example.test", "catch.test", "own.test" };
	char from[64], to[64];

	(void)arg;
	a = arena_new(64 << 20);
	st = test_store(a);
	for (size_t i = 0; i < LENGTH(domains); i++)
		CHECK_NUM(directory_domain_add(st, str_of(domains[i])), OK);
	demo1 = test_user(st, a, "demo1@example.test");
	demo2 = test_user(st, a, "demo2@example.test");
	dotted = test_user(st, a, "plus+sign@example.test");
	test_user(st, a, "user@catch.test");
	for (size_t i = 0; i < LENGTH(aliases); i++)
		test_alias(st, a, aliases[i][0], aliases[i][1]);
	for (int i = 0; i < 13; i++) {
		snprintf(from, sizeof(from), "deep%d@example.test", i);
		snprintf(to, sizeof(to), i < 12 ? "deep%d@example.test" : "demo1@example.test",
			 i + 1);
		test_alias(st, a, from, to);
	}
	test_rows();
	test_rules();
	test_expired();
	test_may_send();
	test_many();
	store_close(&st);
	arena_free(&a);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
