/* SPDX-License-Identifier: ISC */
/* Every combination of what can be known of a host and what a sender may ask for. */
#include "check.h"
#include "trust/decide.h"

static struct arena *a;

enum policy { NONE, OFF, TEST, TEST_OTHER, ENFORCE, ENFORCE_OTHER, POLICIES };

/* What each of them asks for, in short: p plaintext may be, u TLS without proof, n by name, d by
 * DANE; S skip this host, L later, R refuse; + what fails is to be reported. The columns are the
 * guarantees: none, encrypted, authenticated. */
static const struct {
	enum dane_status dane;
	enum policy policy;
	const char *want[3];
	enum decide_why why[3];
} table[] = {
	{ DANE_NONE,
	  NONE,
	  { "pu", "u", "R" },
	  { DECIDE_OPPORTUNISTIC, DECIDE_GUARANTEE, DECIDE_UNPROVEN } },
	{ DANE_NONE,
	  OFF,
	  { "pu", "u", "R" },
	  { DECIDE_OPPORTUNISTIC, DECIDE_GUARANTEE, DECIDE_UNPROVEN } },
	{ DANE_NONE,
	  TEST,
	  { "pu+", "u+", "n" },
	  { DECIDE_MTA_STS_TESTING, DECIDE_MTA_STS_TESTING, DECIDE_MTA_STS } },
	{ DANE_NONE,
	  TEST_OTHER,
	  { "pu+", "u+", "S" },
	  { DECIDE_MTA_STS_TESTING, DECIDE_MTA_STS_TESTING, DECIDE_MTA_STS_MX } },
	{ DANE_NONE,
	  ENFORCE,
	  { "n", "n", "n" },
	  { DECIDE_MTA_STS, DECIDE_MTA_STS, DECIDE_MTA_STS } },
	{ DANE_NONE,
	  ENFORCE_OTHER,
	  { "S", "S", "S" },
	  { DECIDE_MTA_STS_MX, DECIDE_MTA_STS_MX, DECIDE_MTA_STS_MX } },
	{ DANE_PROVE, NONE, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_PROVE, OFF, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_PROVE, TEST, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_PROVE, TEST_OTHER, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_PROVE, ENFORCE, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_PROVE, ENFORCE_OTHER, { "d", "d", "d" }, { DECIDE_DANE, DECIDE_DANE, DECIDE_DANE } },
	{ DANE_ENCRYPT,
	  NONE,
	  { "u", "u", "R" },
	  { DECIDE_DANE_UNUSABLE, DECIDE_DANE_UNUSABLE, DECIDE_UNPROVEN } },
	{ DANE_ENCRYPT,
	  OFF,
	  { "u", "u", "R" },
	  { DECIDE_DANE_UNUSABLE, DECIDE_DANE_UNUSABLE, DECIDE_UNPROVEN } },
	{ DANE_ENCRYPT,
	  TEST,
	  { "u+", "u+", "n" },
	  { DECIDE_DANE_UNUSABLE, DECIDE_DANE_UNUSABLE, DECIDE_MTA_STS } },
	{ DANE_ENCRYPT,
	  TEST_OTHER,
	  { "u+", "u+", "S" },
	  { DECIDE_DANE_UNUSABLE, DECIDE_DANE_UNUSABLE, DECIDE_MTA_STS_MX } },
	{ DANE_ENCRYPT,
	  ENFORCE,
	  { "n", "n", "n" },
	  { DECIDE_MTA_STS, DECIDE_MTA_STS, DECIDE_MTA_STS } },
	{ DANE_ENCRYPT,
	  ENFORCE_OTHER,
	  { "S", "S", "S" },
	  { DECIDE_MTA_STS_MX, DECIDE_MTA_STS_MX, DECIDE_MTA_STS_MX } },
	{ DANE_LATER,
	  NONE,
	  { "L", "L", "L" },
	  { DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN } },
	{ DANE_LATER,
	  ENFORCE,
	  { "L", "L", "L" },
	  { DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN } },
	{ DANE_LATER,
	  ENFORCE_OTHER,
	  { "L", "L", "L" },
	  { DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN, DECIDE_DANE_UNKNOWN } },
};

static struct mta_sts policies[POLICIES];

static struct str text(const struct decision *d)
{
	static const char *const what[] = { "", "S", "L", "R" };

	if (d->what)
		return str_fmt(a, "%s%s", what[d->what], d->test_mta_sts ? "+" : "");
	return str_fmt(a, "%s%c%s", d->plaintext ? "p" : "", "und"[d->wish.proof],
		       d -> test_mta_sts ? "+" : "");
}

static void make_policies(void)
{
	for (enum policy p = OFF; p < POLICIES; p++) {
		const char *mode = p == OFF ? "none" : p <= TEST_OTHER ? "testing" : "enforce";
		bool other = p == TEST_OTHER || p == ENFORCE_OTHER;

		CHECK_NUM(mta_sts_policy(
				  a,
				  str_fmt(a, "version: STSv1\nmode: %s\nmx: %s.test\nmax_age: 9\n",
					  mode, other ? "other" : "mx"),
				  &policies[p]),
			  OK);
	}
}

static void test_table(void)
{
	struct tlsa t = { 3, 1, 1, S("digest") };

	for (size_t i = 0; i < LENGTH(table); i++)
		for (enum guarantee g = GUARANTEE_NONE; g <= GUARANTEE_AUTHENTICATED; g++) {
			struct dane dane = { .status = table[i].dane,
					     .base = S("base.test"),
					     .also = { S("d.test") },
					     .nalso = 1,
					     .tlsa = &t,
					     .n = 1 };
			struct decide_in in = { .host = S("mx.test"),
						.dane = &dane,
						.mta_sts = table[i].policy
								   ? &policies[table[i].policy]
								   : NULL,
						.guarantee = g };
			struct decision d = decide(&in);
			bool ok = CHECK_STR(text(&d), table[i].want[g]);

			ok = CHECK_STR(str_of(decide_why_text(d.why)),
				       decide_why_text(table[i].why[g])) &&
			     ok;
			/* Never plaintext where there are TLSA records or somebody forbids it. */
			ok = CHECK(!d.plaintext ||
				   (dane.status == DANE_NONE && g == GUARANTEE_NONE)) &&
			     ok;
			if (d.what == DECIDE_SEND && d.wish.proof == TLS_BY_DANE)
				ok = CHECK(d.wish.ntlsa == 1 && d.wish.nalso == 1 &&
					   str_is(d.wish.name, "base.test")) &&
				     ok;
			else if (d.what == DECIDE_SEND)
				ok = CHECK(!d.wish.ntlsa && d.wish.name.n) && ok;
			if (!ok)
				fprintf(stderr, "  row %zu, guarantee %d\n", i, (int)g);
		}
}

/* RFC 8689 5: policies are passed over, guarantees are not. */
static void test_optional(void)
{
	struct dane dane = { .status = DANE_LATER };
	struct decide_in in = { .host = S("mx.test"),
				.dane = &dane,
				.mta_sts = &policies[ENFORCE_OTHER],
				.tls_optional = true };
	struct decision d = decide(&in);

	CHECK_STR(text(&d), "pu");
	CHECK_NUM(d.why, DECIDE_TLS_OPTIONAL);
	in.guarantee = GUARANTEE_ENCRYPTED;
	d = decide(&in);
	CHECK_STR(text(&d), "L");
	dane.status = DANE_NONE;
	in.mta_sts = NULL;
	d = decide(&in);
	CHECK_STR(text(&d), "u");
}

int main(void)
{
	a = arena_new(1 << 20);
	make_policies();
	test_table();
	test_optional();
	for (enum decide_why why = 0; why < DECIDE_WHYS; why++)
		CHECK(decide_why_text(why) != NULL);
	arena_free(&a);
	return check_done();
}
