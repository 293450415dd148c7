/* SPDX-License-Identifier: ISC */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "check.h"
#include "trust/dane.h"

static struct arena *a;

/* --- records --- */

#define D32 "abcdefghijklmnopqrstuvwxyz012345"
#define D64 D32 D32
#define DER "\x30\x03\x02\x01\x05"

static const struct {
	struct tlsa t;
	bool usable;
} records[] = {
	{ { 3, 1, 1, S(D32) }, true },
	{ { 3, 0, 1, S(D32) }, true },
	{ { 2, 0, 1, S(D32) }, true },
	{ { 2, 1, 2, S(D64) }, true },
	{ { 3, 1, 2, S(D64) }, true },
	{ { 0, 0, 1, S(D32) }, false },
	{ { 1, 1, 1, S(D32) }, false },
	{ { 4, 1, 1, S(D32) }, false },
	{ { 255, 255, 255, S("") }, false },
	{ { 3, 2, 1, S(D32) }, false },
	{ { 3, 1, 3, S(D32) }, false },
	{ { 3, 1, 1, S(D64) }, false },
	{ { 3, 1, 1, S("") }, false },
	{ { 3, 1, 2, S(D32) }, false },
	{ { 3, 1, 0, S("") }, false },
	/* octets that are neither a certificate nor a key: OpenSSL would leave them out, and then
	 * nothing would be proven */
	{ { 3, 1, 0, S(DER) }, false },
	{ { 2, 0, 0, S(DER) }, false },
	{ { 3, 1, 0, S("\x30\x80\x00\x00") }, false },
};

static struct str copy(unsigned char *der, int n)
{
	struct str s = str_dup(a, STR((char *)der, n > 0 ? (size_t)n : 0));

	OPENSSL_free(der);
	return s;
}

/* A whole certificate or a whole key, each where it belongs, to the last octet. */
static void test_whole_records(void)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	unsigned char *der = NULL;
	X509 *x = X509_new();

	X509_set_pubkey(x, pair);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_sign(x, pair, EVP_sha256());
	int n = i2d_X509(x, &der);
	struct str cert = copy(der, n);

	der = NULL;
	n = i2d_PUBKEY(pair, &der);
	struct str key = copy(der, n);
	struct str longer = str_fmt(a, "%.*s%c", FMT(cert), 0);
	const struct {
		struct tlsa t;
		bool usable;
	} table[] = {
		{ { 3, 0, 0, cert }, true },
		{ { 2, 0, 0, cert }, true },
		{ { 3, 1, 0, key }, true },
		{ { 2, 1, 0, key }, true },
		{ { 1, 1, 0, key }, false },
		{ { 3, 1, 0, cert }, false },
		{ { 3, 0, 0, key }, false },
		{ { 3, 0, 0, longer }, false },
		{ { 3, 0, 0, str_part(cert, 0, cert.n - 1) }, false },
		{ { 3, 1, 0, str_part(key, 0, key.n - 1) }, false },
	};

	for (size_t i = 0; i < LENGTH(table); i++)
		if (!CHECK_NUM(dane_usable(&table[i].t), table[i].usable))
			fprintf(stderr, "  whole record %zu\n", i);
	X509_free(x);
	EVP_PKEY_free(pair);
}

static void test_records(void)
{
	for (size_t i = 0; i < LENGTH(records); i++)
		if (!CHECK_NUM(dane_usable(&records[i].t), records[i].usable))
			fprintf(stderr, "  record %zu\n", i);
}

/* --- which names to ask for: RFC 7672 2.2.1 to 2.2.3 --- */

enum proof { NO, SECURE, ALIAS, ALIAS_SECURE, MISSING, FAILED, FORGED };
static struct dns_answer answer(enum proof p)
{
	struct dns_answer x = { .status = DNS_FOUND, .name = S("host.test"), .n = 1 };

	x.secure = p == SECURE || p == ALIAS_SECURE;
	x.alias = p == ALIAS || p == ALIAS_SECURE;
	if (x.alias)
		x.name = S("end.test");
	if (p >= MISSING)
		x = (struct dns_answer){ .status = p == MISSING  ? DNS_NODATA
						   : p == FAILED ? DNS_SERVFAIL
								 : DNS_BOGUS };
	return x;
}

static const struct {
	bool mx_secure;
	enum proof v6, v4, cname; /* cname: NO where it is not wanted */
	bool wants;
	const char *bases; /* NULL: later */
} bases[] = {
	{ true, SECURE, SECURE, NO, false, "host.test" },
	{ true, MISSING, SECURE, NO, false, "host.test" },
	{ true, SECURE, MISSING, NO, false, "host.test" },
	{ true, FAILED, SECURE, NO, false, "host.test" },
	{ true, ALIAS_SECURE, ALIAS_SECURE, NO, false, "end.test host.test" },
	{ true, MISSING, ALIAS_SECURE, NO, false, "end.test host.test" },
	{ true, NO, NO, NO, false, "" },
	{ true, MISSING, MISSING, NO, false, "" },
	{ true, ALIAS, ALIAS, SECURE, true, "host.test" },
	{ true, ALIAS, MISSING, SECURE, true, "host.test" },
	{ true, ALIAS, ALIAS, NO, true, "" },
	{ true, ALIAS, ALIAS, FAILED, true, NULL },
	{ true, ALIAS, ALIAS, FORGED, true, NULL },
	{ true, FORGED, SECURE, NO, false, NULL },
	{ true, MISSING, FORGED, NO, false, NULL },
	{ true, FAILED, FAILED, NO, false, NULL },
	{ true, MISSING, FAILED, NO, false, NULL },
	{ false, SECURE, SECURE, NO, false, "" },
	{ false, ALIAS, ALIAS, NO, false, "" },
	{ false, ALIAS_SECURE, ALIAS_SECURE, NO, false, "" },
	{ false, FORGED, SECURE, NO, false, NULL },
};

static void test_bases(void)
{
	for (size_t i = 0; i < LENGTH(bases); i++) {
		struct dns_answer v6 = answer(bases[i].v6), v4 = answer(bases[i].v4);
		struct dns_answer cname = answer(bases[i].cname);
		bool wants = dane_wants_cname(bases[i].mx_secure, &v6, &v4);
		struct dane_bases got = dane_bases(S("host.test"), bases[i].mx_secure, &v6, &v4,
						   wants ? &cname : NULL);
		struct str s = S("");

		for (size_t j = 0; j < got.n; j++)
			s = str_fmt(a, "%.*s%s%.*s", FMT(s), j ? " " : "", FMT(got.name[j]));
		bool ok = CHECK_NUM(wants, bases[i].wants);

		ok = CHECK_NUM(got.later, !bases[i].bases) && ok;
		if (bases[i].bases)
			ok = CHECK_STR(s, bases[i].bases) && ok;
		if (!ok)
			fprintf(stderr, "  bases %zu\n", i);
	}
	CHECK_STR(dane_question(a, S("mx.test"), 25), "_25._tcp.mx.test");
}

/* --- what the answers say --- */

static struct tlsa good = { 3, 1, 1, S(D32) }, strong = { 3, 1, 2, S(D64) },
		   pkix = { 1, 1, 1, S(D32) }, broken = { 3, 1, 2, S(D32) },
		   issuer = { 2, 0, 1, S(D32) };

static const struct {
	enum dns_status status[DANE_BASES_MAX];
	bool secure[DANE_BASES_MAX];
	size_t nasked;
	const struct tlsa *tlsa[3];
	enum dane_status want;
	size_t usable, base;
} verdicts[] = {
	{ { DNS_FOUND }, { true }, 1, { &good }, DANE_PROVE, 1, 0 },
	{ { DNS_FOUND }, { true }, 1, { &good, &pkix }, DANE_PROVE, 1, 0 },
	{ { DNS_FOUND }, { true }, 1, { &good, &issuer }, DANE_PROVE, 2, 0 },
	{ { DNS_FOUND }, { true }, 1, { &pkix }, DANE_ENCRYPT, 0, 0 },
	{ { DNS_FOUND }, { true }, 1, { &pkix, &broken }, DANE_ENCRYPT, 0, 0 },
	/* RFC 7671 9: the stronger digest of a kind alone counts, if it is one */
	{ { DNS_FOUND }, { true }, 1, { &good, &strong }, DANE_PROVE, 1, 0 },
	{ { DNS_FOUND }, { true }, 1, { &good, &broken }, DANE_PROVE, 1, 0 },
	{ { DNS_FOUND }, { true }, 1, { &issuer, &strong }, DANE_PROVE, 2, 0 },
	/* RFC 7672 2.2: records without proof are as none */
	{ { DNS_FOUND }, { false }, 1, { &good }, DANE_NONE, 0, 0 },
	{ { DNS_NODATA }, { true }, 1, { NULL }, DANE_NONE, 0, 0 },
	{ { DNS_NXDOMAIN }, { true }, 1, { NULL }, DANE_NONE, 0, 0 },
	{ { DNS_NXDOMAIN }, { false }, 1, { NULL }, DANE_NONE, 0, 0 },
	{ { DNS_SERVFAIL }, { false }, 1, { NULL }, DANE_LATER, 0, 0 },
	{ { DNS_BOGUS }, { false }, 1, { NULL }, DANE_LATER, 0, 0 },
	/* the host's own name after the name at the end of its CNAMEs: RFC 7672 2.2.3 */
	{ { DNS_NXDOMAIN, DNS_FOUND }, { true, true }, 2, { &good }, DANE_PROVE, 1, 1 },
	{ { DNS_FOUND, DNS_FOUND }, { true, true }, 2, { &good }, DANE_PROVE, 1, 0 },
	{ { DNS_FOUND, DNS_BOGUS }, { true, false }, 2, { &good }, DANE_PROVE, 1, 0 },
	{ { DNS_NODATA, DNS_BOGUS }, { true, false }, 2, { &good }, DANE_LATER, 0, 0 },
	{ { DNS_BOGUS, DNS_FOUND }, { false, true }, 2, { &good }, DANE_LATER, 0, 0 },
};

static void test_verdicts(void)
{
	const struct dane_bases two = { .name = { S("end.test"), S("host.test") }, .n = 2 };

	for (size_t i = 0; i < LENGTH(verdicts); i++) {
		struct tlsa list[3];
		struct dns_answer x[DANE_BASES_MAX];
		size_t n = 0;

		for (; n < 3 && verdicts[i].tlsa[n]; n++)
			list[n] = *verdicts[i].tlsa[n];
		for (size_t j = 0; j < DANE_BASES_MAX; j++)
			x[j] = (struct dns_answer){ .status = verdicts[i].status[j],
						    .secure = verdicts[i].secure[j],
						    .tlsa = list,
						    .n = n };
		struct dane d = dane_judge(a, &two, x, verdicts[i].nasked, S("d.test"), NULL);
		bool ok = CHECK_NUM(d.status, verdicts[i].want);

		ok = CHECK_NUM(d.n, verdicts[i].usable) && ok;
		if (d.status == DANE_PROVE || d.status == DANE_ENCRYPT)
			ok = CHECK(str_eq(d.base, two.name[verdicts[i].base])) && ok;
		if (!ok)
			fprintf(stderr, "  verdict %zu\n", i);
	}
}

/* RFC 7672 3.2.2 */
static void test_reference_names(void)
{
	const struct dane_bases one = { .name = { S("mx.test") }, .n = 1 };
	struct dns_answer x = { .status = DNS_FOUND, .secure = true, .tlsa = &issuer, .n = 1 };
	struct dns_answer mx = { .status = DNS_FOUND, .secure = true, .name = S("real.test") };
	struct dane d = dane_judge(a, &one, &x, 1, S("Domain.test."), &mx);

	CHECK_STR(d.base, "mx.test");
	CHECK_NUM(d.nalso, 2);
	CHECK_STR(d.also[0], "Domain.test");
	CHECK_STR(d.also[1], "real.test");
	mx.secure = false;
	CHECK_NUM(dane_judge(a, &one, &x, 1, S("domain.test"), &mx).nalso, 1);
	mx = (struct dns_answer){ .secure = true, .name = S("domain.test") };
	CHECK_NUM(dane_judge(a, &one, &x, 1, S("domain.test"), &mx).nalso, 1);
	CHECK_NUM(dane_judge(a, &one, &x, 1, S("mx.test"), NULL).nalso, 0);
}

static void test_bounds(void)
{
	const struct dane_bases none = { 0 }, later = { .later = true },
				one = { .name = { S("mx.test") }, .n = 1 };
	struct tlsa many[DNS_RECORDS_MAX];
	struct dns_answer x = { .status = DNS_FOUND, .secure = true, .tlsa = many };

	for (x.n = 0; x.n < LENGTH(many); x.n++)
		many[x.n] = good;
	CHECK_NUM(dane_judge(a, &one, &x, 1, S("d.test"), NULL).n, TLSA_MAX);
	CHECK_NUM(dane_judge(a, &none, NULL, 0, S("d.test"), NULL).status, DANE_NONE);
	CHECK_NUM(dane_judge(a, &later, NULL, 0, S("d.test"), NULL).status, DANE_LATER);
}

int main(void)
{
	a = arena_new(1 << 20);
	test_records();
	test_whole_records();
	test_bases();
	test_verdicts();
	test_reference_names();
	test_bounds();
	arena_free(&a);
	return check_done();
}
