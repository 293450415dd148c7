/* SPDX-License-Identifier: ISC */
/* Tests of the records of a domain: which there are, and how a zone file writes them. */
#include "check.h"
#include "ctl/zone.h"

static struct arena *a;

static const struct zone_facts plain = {
	.domain = { "example.org", 11 },
	.hostname = { "mail.example.org", 16 },
	.helo = { "mail.example.org", 16 },
	.server = { "imap.example.org", 16 },
	.web = { "mail.example.org", 16 },
	.web_port = 443,
	.port = { .submissions = 465, .imaps = 993, .imap = 143 },
	.sts_mode = { "testing", 7 },
	.sts_max_age_s = 604800,
	.tlsa = { { { "00ff", 4 }, ZONE_NOW } },
	.ntlsa = 1,
	.caa = { "letsencrypt.org", 15 },
};

static struct str printed(const struct zone_facts *f)
{
	struct zone *z = ARENA_NEW(a, struct zone);
	struct buf b = buf_new(65536);

	zone_make(f, a, z);
	zone_print(z, &b);
	CHECK(!b.full);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static bool has(struct str text, const char *line)
{
	struct str want = str_fmt(a, "\n%s\n", line);

	return str_find_str(text, want) < text.n;
}

static void test_plain(void)
{
	static const char *const lines[] = {
		"example.org. 3600 IN MX 10 mail.example.org.",
		"example.org. 3600 IN TXT \"v=spf1 mx -all\"",
		"mail.example.org. 3600 IN TXT \"v=spf1 a -all\"",
		"_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; "
		"rua=mailto:postmaster@example.org\"",
		"mta-sts.example.org. 3600 IN CNAME mail.example.org.",
		"_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; "
		"rua=mailto:tls-reports@example.org\"",
		"_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 00ff",
		"example.org. 3600 IN CAA 0 issue \"letsencrypt.org\"",
		"_submissions._tcp.example.org. 3600 IN SRV 0 1 465 imap.example.org.",
		"_submission._tcp.example.org. 3600 IN SRV 0 0 0 .",
		"_imaps._tcp.example.org. 3600 IN SRV 0 1 993 imap.example.org.",
		"_imap._tcp.example.org. 3600 IN SRV 10 1 143 imap.example.org.",
		"_pop3s._tcp.example.org. 3600 IN SRV 0 0 0 .",
		"_pop3._tcp.example.org. 3600 IN SRV 0 0 0 .",
		"autoconfig.example.org. 3600 IN CNAME mail.example.org.",
		"autodiscover.example.org. 3600 IN CNAME mail.example.org.",
		"_autodiscover._tcp.example.org. 3600 IN SRV 0 1 443 mail.example.org.",
	};
	struct str text = printed(&plain);

	for (size_t i = 0; i < LENGTH(lines); i++)
		if (!CHECK(has(text, lines[i])))
			fprintf(stderr, "missing: %s\n", lines[i]);
	CHECK(str_find_str(text, S("_domainkey")) == text.n);
}

/* The id changes with the policy, and with nothing else. */
static void test_policy(void)
{
	struct zone_facts f = plain;
	struct str first = printed(&f), again = printed(&f);

	CHECK(str_eq(first, again));
	f.sts_mode = S("enforce");
	struct str second = printed(&f);
	size_t at = str_find_str(first, S("id="));
	CHECK(at < first.n && !str_eq(str_part(first, at, 19), str_part(second, at, 19)));
	f.sts_mode = S("off");
	CHECK(str_find_str(printed(&f), S("mta-sts")) == printed(&f).n);
}

static void test_elsewhere(void)
{
	struct zone_facts f = plain;

	f.hostname = f.helo = f.server = f.web = S("mx.notexample.org");
	f.tlsa[1].hash = S("1122");
	f.tlsa[1].which = ZONE_NEXT;
	f.tlsa[2].hash = S("3344");
	f.tlsa[2].which = ZONE_OLD;
	f.ntlsa = 3;
	struct str text = printed(&f);
	CHECK(has(text, ";_25._tcp.mx.notexample.org. 3600 IN TLSA 3 1 1 00ff"));
	CHECK(has(text, ";_25._tcp.mx.notexample.org. 3600 IN TLSA 3 1 1 1122"));
	CHECK(has(text, ";_25._tcp.mx.notexample.org. 3600 IN TLSA 3 1 1 3344"));
	CHECK(has(text, ";mx.notexample.org. 3600 IN CAA 0 issue \"letsencrypt.org\""));
	CHECK(has(text, "example.org. 3600 IN MX 10 mx.notexample.org."));
	CHECK(has(text, ";mx.notexample.org. 3600 IN TXT \"v=spf1 a -all\""));
	f.web = S("autoconfig.example.org"); /* its own CNAME would be a loop */
	text = printed(&f);
	CHECK(!has(text, "autoconfig.example.org. 3600 IN CNAME autoconfig.example.org."));
	CHECK(has(text, "autodiscover.example.org. 3600 IN CNAME autoconfig.example.org."));
}

static void test_dkim(void)
{
	struct zone_facts f = plain;
	struct buf b = buf_new(4096);
	char octets[256];

	f.nkeys = 1;
	f.key[0].selector = S("s1");
	f.key[0].value = S("v=DKIM1; k=ed25519; p=AAAA");
	CHECK(has(printed(&f), "s1._domainkey.example.org. 3600 IN TXT "
			       "\"v=DKIM1; k=ed25519; p=AAAA\""));
	CHECK(str_find_str(printed(&f), S("p=none")) < printed(&f).n);
	f.key[0].signs = true;
	CHECK(str_find_str(printed(&f), S("p=quarantine")) < printed(&f).n);
	memset(octets, 'x', sizeof octets);
	zone_print_text(&b, STR(octets, 256));
	CHECK_NUM(b.n, 256 + 5);
	CHECK(str_ends(buf_str(&b), S("x\" \"x\"")));
	buf_clear(&b);
	zone_print_text(&b, STR(octets, 255));
	CHECK_NUM(b.n, 255 + 2);
	buf_clear(&b);
	zone_print_text(&b, S("a\"\\\001"));
	CHECK_STR(buf_str(&b), "\"a\\\"\\\\\\001\"");
	buf_clear(&b);
	zone_print_text(&b, S(""));
	CHECK_STR(buf_str(&b), "\"\"");
	buf_free(&b);
}

int main(void)
{
	a = arena_new(4 << 20);
	test_plain();
	test_policy();
	test_elsewhere();
	test_dkim();
	arena_free(&a);
	return check_done();
}
