/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "check.h"
#include "trust/mta_sts.h"

static struct arena *a;

#define ID32 "abcdefghijklmnopqrstuvwxyz012345"

/* NULL: as if there were no record. */
static const struct {
	const char *txt[3], *id;
} records[] = {
	{ { "v=STSv1; id=20160831085700Z;" }, "20160831085700Z" }, /* RFC 8461 3.1 */
	{ { "v=STSv1; id=1" }, "1" },
	{ { "v=STSv1;id=1" }, "1" },
	{ { "v=STSv1 \t; \t id=1 ; " }, "1" },
	{ { "v=STSv1; id=1; ext=a:b/c" }, "1" },
	{ { "v=STSv1; ext=x; id=1;" }, "1" },
	{ { "v=STSv1; id=" ID32 }, ID32 },
	{ { "v=spf1 -all", "v=STSv1; id=1;", "anything" }, "1" },
	{ { "v=STSv10; id=2;", "v=STSv1; id=1;" }, "1" },
	{ { NULL }, NULL },
	{ { "" }, NULL },
	{ { "v=STSv1" }, NULL },
	{ { "v=STSv1;" }, NULL },
	{ { "v=STSv1; id=" }, NULL },
	{ { "v=STSv1; id=1 2" }, NULL },
	{ { "v=STSv1; id=a-b" }, NULL },
	{ { "v=STSv1; id=" ID32 "6" }, NULL },
	{ { "v=STSv1; id=1; id=2" }, NULL },
	{ { "v=STSv1; id=1;;" }, NULL },
	{ { "v=STSv1; ID=1" }, NULL },
	{ { "v=stsv1; id=1" }, NULL },
	{ { "V=STSv1; id=1" }, NULL },
	{ { " v=STSv1; id=1" }, NULL },
	{ { "id=1; v=STSv1" }, NULL },
	{ { "v=STSv1; =x; id=1" }, NULL },
	{ { "v=STSv1; ext=; id=1" }, NULL },
	{ { "v=STSv1; ext=a=b; id=1" }, NULL },
	{ { "v=STSv1; _ext=a; id=1" }, NULL },
	{ { "v=STSv1; " ID32 "6=a; id=1" }, NULL },
	{ { "v=STSv1; id=1;", "v=STSv1; id=1;" }, NULL },
	{ { "v=STSv1; id=1;", "v=STSv1; broken" }, NULL },
};

static void test_records(void)
{
	for (size_t i = 0; i < LENGTH(records); i++) {
		struct str txt[3], id;
		size_t n = 0;

		for (; n < 3 && records[i].txt[n]; n++)
			txt[n] = str_of(records[i].txt[n]);
		enum err e = mta_sts_record(txt, n, &id);

		if (!CHECK_NUM(e, records[i].id ? OK : E_NOTFOUND))
			fprintf(stderr, "  %s\n", records[i].txt[0]);
		CHECK_STR(id, records[i].id ? records[i].id : "");
	}
}

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 604800\n"

static const struct {
	const char *file;
	enum err want;
	enum mta_sts_mode mode;
	uint32_t max_age;
	size_t nmx;
} policies[] = {
	/* RFC 8461 3.2 */
	{ "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
	  "mx: backupmx.example.com\r\nmax_age: 604800\r\n",
	  OK, MTA_STS_ENFORCE, 604800, 3 },
	{ HEAD "mx: a.test", OK, MTA_STS_ENFORCE, 604800, 1 },
	{ HEAD "mx: a.test\n\n", OK, MTA_STS_ENFORCE, 604800, 1 },
	{ HEAD "mx:a.test \t\n", OK, MTA_STS_ENFORCE, 604800, 1 },
	{ "mx: a.test\nmax_age: 1\nmode: testing\nversion: STSv1\n", OK, MTA_STS_TESTING, 1, 1 },
	{ "version: STSv1\nmode: none\nmax_age: 0\n", OK, MTA_STS_NONE, 0, 0 },
	{ "version: STSv1\nmode: none\nmx: a.test\nmax_age: 5\n", OK, MTA_STS_NONE, 5, 1 },
	{ HEAD "mx: a.test\nfuture-field: some value, \303\244\n", OK, MTA_STS_ENFORCE, 604800, 1 },
	/* of a field that stands there twice the first one counts */
	{ HEAD "mx: a.test\nmode: none\nmax_age: x\nversion: STSv2\n", OK, MTA_STS_ENFORCE, 604800,
	  1 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 9999999999\n", OK, MTA_STS_ENFORCE,
	  MTA_STS_AGE_MAX, 1 },
	{ "", E_SYNTAX, 0, 0, 0 },
	{ HEAD, E_SYNTAX, 0, 0, 0 },
	{ "version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1\n", E_SYNTAX, 0, 0, 0 },
	{ "mode: enforce\nmx: a.test\nmax_age: 1\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmx: a.test\nmax_age: 1\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 1s\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 10000000000\n", E_SYNTAX, 0, 0, 0 },
	{ "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 00000000001\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: \n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: *.\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: *\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: a.*.test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: *a.test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: a b.test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: a..test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: b\303\274cher.test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx a.test\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: a.test\n: x\n", E_SYNTAX, 0, 0, 0 },
	{ HEAD "mx: a.test\nx: \377\n", E_SYNTAX, 0, 0, 0 },
	{ "<html><body>not found</body></html>", E_SYNTAX, 0, 0, 0 },
};

static void test_policies(void)
{
	for (size_t i = 0; i < LENGTH(policies); i++) {
		struct mta_sts got;
		enum err e = mta_sts_policy(a, str_of(policies[i].file), &got);

		if (!CHECK_NUM(e, policies[i].want))
			fprintf(stderr, "  %s\n", policies[i].file);
		if (e)
			continue;
		CHECK_NUM(got.mode, policies[i].mode);
		CHECK_NUM(got.max_age, policies[i].max_age);
		CHECK_NUM(got.nmx, policies[i].nmx);
	}
}

static void test_bounds(void)
{
	char *p = arena_alloc(a, MTA_STS_FILE_MAX + 1);
	struct str text = S(HEAD);
	struct mta_sts got;

	for (unsigned i = 0; i < MTA_STS_MX_MAX; i++)
		text = str_fmt(a, "%.*smx: h%u.test\n", FMT(text), i);
	CHECK_NUM(mta_sts_policy(a, text, &got), OK);
	CHECK_NUM(got.nmx, MTA_STS_MX_MAX);
	text = str_fmt(a, "%.*smx: more.test\n", FMT(text));
	CHECK_NUM(mta_sts_policy(a, text, &got), E_LIMIT);
	memset(p, '\n', MTA_STS_FILE_MAX + 1);
	CHECK_NUM(mta_sts_policy(a, STR(p, MTA_STS_FILE_MAX + 1), &got), E_LIMIT);
	CHECK_NUM(mta_sts_policy(a, STR(p, MTA_STS_FILE_MAX), &got), E_SYNTAX);
}

static void test_hosts(void)
{
	static const struct {
		const char *host;
		bool known;
	} table[] = {
		{ "mail.example.com", true },
		{ "MAIL.example.com", true },
		{ "mail.example.com.", true },
		{ "x.mail.example.com", false },
		{ "example.com", false },
		{ "a.example.net", true },
		{ "A.EXAMPLE.NET", true },
		{ "a.b.example.net", false },
		{ "example.net", false },
		{ ".example.net", false },
		{ "aexample.net", false },
		{ "", false },
		{ ".", false },
		{ "*.example.net", true },
	};
	struct mta_sts policy;

	CHECK_NUM(mta_sts_policy(a, S(HEAD "mx: Mail.example.com\nmx: *.Example.net\n"), &policy),
		  OK);
	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK_NUM(mta_sts_knows(&policy, str_of(table[i].host)), table[i].known))
			fprintf(stderr, "  %s\n", table[i].host);
}

int main(void)
{
	a = arena_new(8 << 20);
	test_records();
	test_policies();
	test_bounds();
	test_hosts();
	arena_free(&a);
	return check_done();
}
