/* SPDX-License-Identifier: ISC */
/* Signatures: the example of RFC 8463 A.3 verifies and is made again; what was changed does not. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/encode.h"
#include "check.h"
#include "trust/dkim.h"

static struct arena *a;

#define ED_FIELD                                                          \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"   \
	" d=football.example.com; i=@football.example.com;\r\n"           \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"         \
	" subject : date : message-id : from : subject : date;\r\n"       \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define RSA_FIELD                                                         \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"       \
	" d=football.example.com; i=@football.example.com;\r\n"           \
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"   \
	" date : message-id : from : subject : date;\r\n"                 \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"           \
	" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n" \
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n" \
	" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define HEADER                                             \
	"From: Joe SixPack <joe@football.example.com>\r\n" \
	"To: Suzie Q <suzie@shopping.example.net>\r\n"     \
	"Subject: Is dinner ready?\r\n"                    \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"  \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define BODY   "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define ED_KEY "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_KEY                                                                 \
	"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"  \
	"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC" \
	"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3" \
	"Ip3G+2kryOTIKT+l/K4w3QIDAQAB"

static void hash_body(const char *text, bool relaxed, uint64_t limit, uint8_t out[DKIM_DIGEST],
		      bool whole)
{
	struct dkim_body *b = dkim_body_new(relaxed, limit);

	dkim_body_add(b, str_of(text));
	CHECK(dkim_body_end(b, out) == whole);
	dkim_body_free(&b);
}

static enum err verify(const char *field, const char *key, const char *header, const char *body)
{
	struct dkim_signature s;
	struct dkim_key k;
	uint8_t digest[DKIM_DIGEST];
	struct str f = str_of(field);

	enum err e = dkim_parse(a, str_from(f, str_find(f, ':') + 1), &s);
	if (!e)
		e = dkim_key_parse(a, str_of(key), &k);
	if (e)
		return e;
	hash_body(body, s.relaxed_body, s.limit, digest, true);
	return dkim_verify(&s, &k, str_of(header), f, digest);
}

static void test_example(void)
{
	CHECK_NUM(verify(ED_FIELD, ED_KEY, HEADER, BODY), OK);
	CHECK_NUM(verify(RSA_FIELD, RSA_KEY, HEADER, BODY), OK);
	CHECK_NUM(verify(RSA_FIELD, RSA_KEY, ED_FIELD RSA_FIELD HEADER "\r\n", BODY), OK);
	CHECK_NUM(verify(ED_FIELD, RSA_KEY, HEADER, BODY), E_SYNTAX); /* another algorithm */
	CHECK_NUM(verify(ED_FIELD, "v=DKIM1; k=ed25519; p=", HEADER, BODY), E_NOTFOUND);
	CHECK_NUM(verify(ED_FIELD, "v=DKIM1; k=ed25519; p=AAAA", HEADER, BODY), E_SYNTAX);
	CHECK_NUM(verify(ED_FIELD, ED_KEY, HEADER, BODY "x"), E_DENIED);
	CHECK_NUM(verify(ED_FIELD, ED_KEY, HEADER, BODY "\r\n"), OK); /* 3.4.4 b */
	CHECK_NUM(verify(ED_FIELD, ED_KEY, HEADER "X-Other: 1\r\n", BODY), OK);
	CHECK_NUM(verify(ED_FIELD, ED_KEY, "Subject: other\r\n" HEADER, BODY), E_DENIED);
	CHECK_NUM(verify(ED_FIELD, ED_KEY, "From: other\r\n" HEADER, BODY), E_DENIED);
	CHECK_NUM(verify(RSA_FIELD, RSA_KEY, HEADER "From: other\r\n", BODY), E_DENIED);
}

/* The bodies' hashes that RFC 6376 3.4.3 and 3.4.4 tell. */
static void test_empty(void)
{
	uint8_t d[DKIM_DIGEST];

	hash_body("", false, UINT64_MAX, d, true);
	CHECK_STR(base64_encode(a, STR((char *)d, DKIM_DIGEST)),
		  "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
	hash_body("", true, UINT64_MAX, d, true);
	CHECK_STR(base64_encode(a, STR((char *)d, DKIM_DIGEST)),
		  "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	hash_body("abc\r\n", true, 3, d, true);
	hash_body("abc\r\n", true, 6, d, false);
}

#define GOOD \
	"v=1;a=rsa-sha256;d=a.b;s=s;h=from;bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;b=AAAA"

static const struct {
	const char *field;
	enum err want;
} parses[] = {
	{ GOOD, OK },
	{ GOOD ";", OK },
	{ GOOD ";c=relaxed", OK },
	{ GOOD ";c=simple/relaxed;t=1;x=2;l=5;i=x@c.a.b", OK },
	{ GOOD ";unknown=1", OK },
	{ GOOD ";t=1;t=1", E_SYNTAX },
	{ GOOD ";t=2;x=1", E_SYNTAX },
	{ GOOD ";c=strict", E_SYNTAX },
	{ GOOD ";i=@ba.b", E_SYNTAX },
	{ GOOD ";i=@c", E_SYNTAX },
	{ GOOD ";l=-1", E_SYNTAX },
	{ GOOD ";q=dns/other", E_VERSION },
	{ GOOD ";x", E_SYNTAX },
	{ "v=2;a=rsa-sha256", E_VERSION },
	{ "v=1;a=rsa-sha1;d=a.b", E_VERSION }, /* RFC 8301 3.1 */
	{ "v=1;a=rsa-sha256;d=a.b;s=s;h=to;bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;b=AAAA",
	  E_SYNTAX }, /* From must be signed */
	{ "v=1;a=rsa-sha256;d=a.b;s=s/x;h=from;bh=AAAA;b=AAAA", E_SYNTAX },
	{ "", E_SYNTAX },
	{ ";;;", E_SYNTAX },
};

static const struct {
	const char *text;
	enum err want;
} keys[] = {
	{ RSA_KEY, OK },
	{ "p=AAAA", OK },
	{ "v=DKIM1; p=AAAA; t=y:s; s=email; h=sha1:sha256", OK },
	{ "p=AAAA; v=DKIM1", E_VERSION },
	{ "v=DKIM2; p=AAAA", E_VERSION },
	{ "v=DKIM1; k=dsa; p=AAAA", E_VERSION },
	{ "v=DKIM1; h=sha1; p=AAAA", E_VERSION },
	{ "v=DKIM1; s=other; p=AAAA", E_VERSION },
	{ "v=DKIM1; k=rsa", E_SYNTAX },
	{ "v=DKIM1; p=A*", E_SYNTAX },
	{ "", E_SYNTAX },
};

static void test_tables(void)
{
	struct dkim_signature s;
	struct dkim_key k;

	for (size_t i = 0; i < LENGTH(parses); i++)
		if (!CHECK(dkim_parse(a, str_of(parses[i].field), &s) == parses[i].want))
			fprintf(stderr, "%s\n", parses[i].field);
	for (size_t i = 0; i < LENGTH(keys); i++)
		if (!CHECK(dkim_key_parse(a, str_of(keys[i].text), &k) == keys[i].want))
			fprintf(stderr, "%s\n", keys[i].text);
}

/* --- our own signatures --- */

static struct str sign(EVP_PKEY *key, bool rsa, const uint8_t digest[DKIM_DIGEST])
{
	static unsigned char sig[1024];
	size_t n = sizeof sig;

	if (rsa) {
		EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
		CHECK(EVP_PKEY_sign_init(c) == 1 &&
		      EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
		      EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
		      EVP_PKEY_sign(c, sig, &n, digest, DKIM_DIGEST) == 1);
		EVP_PKEY_CTX_free(c);
	} else {
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		CHECK(EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
		      EVP_DigestSign(c, sig, &n, digest, DKIM_DIGEST) == 1);
		EVP_MD_CTX_free(c);
	}
	return STR((char *)sig, n);
}

static struct str public_of(EVP_PKEY *key, bool rsa)
{
	unsigned char raw[32], *der = NULL;
	size_t n = sizeof raw;

	if (!rsa) {
		CHECK(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
		return str_dup(a, STR((char *)raw, n));
	}
	int len = i2d_PUBKEY(key, &der);
	struct str s = str_dup(a, STR((char *)der, (size_t)len));
	OPENSSL_free(der);
	return s;
}

static void test_round(bool rsa, const char *header, const char *body)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t bh[DKIM_DIGEST], digest[DKIM_DIGEST];
	enum dkim_algorithm alg = rsa ? DKIM_RSA : DKIM_ED25519;

	hash_body(body, true, UINT64_MAX, bh, true);
	struct dkim_signing s = { alg, S("example.org"), S("sel"), 1700000000, str_of(header), bh };
	struct str field = dkim_field(a, &s, digest);
	struct str whole = dkim_signed(a, field, sign(key, rsa, digest));
	const char *f = str_c(a, whole);
	const char *k = str_c(a, dkim_key_record(a, alg, public_of(key, rsa)));
	EVP_PKEY_free(key);

	CHECK_NUM(verify(f, k, header, body), OK);
	struct str with = str_fmt(a, "%s%s", f, header);
	CHECK_NUM(verify(f, k, str_c(a, with), body), OK);
	static const char *const added[] = { "From: x@y\r\n", "Subject: x\r\n", "to: x@y\r\n",
					     "Reply-To: x@y\r\n", "Content-Type: text/html\r\n" };
	for (size_t i = 0; i < LENGTH(added); i++) {
		with = str_fmt(a, "%s%s", added[i], header);
		CHECK_NUM(verify(f, k, str_c(a, with), body), E_DENIED);
	}
	with = str_fmt(a, "Received: x\r\n%s", header);
	CHECK_NUM(verify(f, k, str_c(a, with), body), OK);
	CHECK_NUM(verify(f, k, header, "other\r\n"), E_DENIED);
	for (struct str rest = whole; rest.n; rest = str_from(rest, str_find(rest, '\n') + 1))
		CHECK(str_find(rest, '\n') <= 79);
}

static void test_many_fields(void)
{
	struct buf b = buf_new(1 << 20);
	uint8_t bh[DKIM_DIGEST] = { 0 }, digest[DKIM_DIGEST];

	for (int i = 0; i < 5000; i++)
		buf_put(&b, S("To: x@y\r\n"));
	struct dkim_signing s = { DKIM_RSA, S("a.b"), S("s"), 0, buf_str(&b), bh };
	CHECK(dkim_field(a, &s, digest).p == NULL);
	buf_free(&b);
}

int main(void)
{
	a = arena_new(16 << 20);
	test_example();
	test_empty();
	test_tables();
	for (int rsa = 0; rsa < 2; rsa++) {
		test_round(rsa, HEADER "\r\n", BODY);
		test_round(rsa,
			   "from:  a@example.org\r\nTO:\r\n\tb@c,\r\n d@e\r\nTo: f@g\r\n"
			   "References: <1@2>\r\nMIME-Version: 1.0\r\n",
			   "");
		test_round(rsa, "From: a@b\r\n", "no line end");
	}
	test_many_fields();
	arena_free(&a);
	return check_done();
}
