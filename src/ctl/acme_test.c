/* SPDX-License-Identifier: ISC */
/* Keys, requests and certificates; files that take each other's place; which call is a hook's. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "ctl/acme.h"
#include "proc/config.h"

static struct arena *a;

static EVP_PKEY *key_of(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return key;
}

/* As an authority would sign it, with the request's own key. */
static struct str sign(struct str request, struct str key_pem, int64_t seconds)
{
	BIO *in = BIO_new_mem_buf(request.p, (int)request.n), *out = BIO_new(BIO_s_mem());
	X509_REQ *q = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
	EVP_PKEY *key = key_of(key_pem);
	X509 *x = X509_new();
	char *p;

	CHECK(q && X509_REQ_verify(q, key) == 1);
	STACK_OF(X509_EXTENSION) *l = X509_REQ_get_extensions(q);
	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), seconds);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"An Authority", -1, -1, 0);
	X509_set_pubkey(x, key);
	for (int i = 0; i < sk_X509_EXTENSION_num(l); i++)
		X509_add_ext(x, sk_X509_EXTENSION_value(l, i), -1);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(out, x);
	long n = BIO_get_mem_data(out, &p);
	struct str pem = str_dup(a, STR(p, (size_t)n));
	sk_X509_EXTENSION_pop_free(l, X509_EXTENSION_free);
	X509_free(x);
	X509_REQ_free(q);
	EVP_PKEY_free(key);
	BIO_free(in);
	BIO_free(out);
	return pem;
}

static void test_names(void)
{
	struct names l = { 0 }, few = { 0 };

	CHECK(names_add(&l, S("mail.example.org")) && names_add(&l, S("MAIL.example.org")));
	CHECK_NUM(l.n, 1);
	for (unsigned i = 0; i < ACME_NAMES_MAX - 1; i++)
		CHECK(names_add(&l, str_fmt(a, "n%u.example.org", i)));
	CHECK(!names_add(&l, S("more.example.org")));
	CHECK(names_add(&l, S("n7.example.org")));
	CHECK(names_add(&few, S("n7.example.org")) && names_cover(&l, &few));
	names_drop(&l, S("N7.example.org"));
	CHECK_NUM(l.n, ACME_NAMES_MAX - 1);
	CHECK(!names_cover(&l, &few));
}

static void test_certificate(void)
{
	struct names names = { { S("mail.example.org"), S("mta-sts.xn--bcher-kva.example") }, 2 };
	struct str key = cert_key_new(a), other = cert_key_new(a), request, why = S_NONE;
	struct cert cert;

	CHECK_NUM(cert_request(key, &names, a, &request, &why), OK);
	struct str pem = sign(request, key, 86400);
	CHECK_NUM(cert_read(pem, a, &cert), OK);
	CHECK_NUM(cert.names.n, 2);
	CHECK(names_cover(&cert.names, &names));
	CHECK_STR(cert.issuer, "CN=An Authority");
	CHECK(!cert.self_signed);
	CHECK(cert.until - clock_wall() > 86390 && cert.until - clock_wall() <= 86400);
	CHECK(cert_fits(pem, key, a, &why));
	CHECK(!cert_fits(pem, other, a, &why) && why.n);
	CHECK(!cert_fits(S(""), key, a, &why));

	CHECK_NUM(cert_read(S("no certificate"), a, &cert), E_SYNTAX);
	CHECK_NUM(cert_read(key, a, &cert), E_SYNTAX);
	CHECK_NUM(cert_request(pem, &names, a, &request, &why), E_SYNTAX);
	CHECK(str_starts(why, S("the key cannot be used for a request: ")));
}

static mode_t mode_of(struct str path)
{
	struct stat st = { 0 };

	CHECK(stat(str_c(a, path), &st) == 0);
	return st.st_mode & 07777;
}

static struct str text_of(struct str path)
{
	struct str text = S("(none)"), why;

	if (file_read(path, 1000, a, &text, &why))
		return S("(none)");
	return text;
}

static void test_files(void)
{
	char folder[] = "/tmp/acme-test-XXXXXX";
	struct str why = S_NONE;

	CHECK(mkdtemp(folder) != NULL);
	struct str path = str_fmt(a, "%s/a/b/key.pem", folder);
	struct str fresh = str_fmt(a, "%.*s.new", FMT(path));
	CHECK_NUM(file_prepare(path, S("one"), 0600, a, &why), E_IO);
	CHECK(str_find_str(why, S("key.pem.new: No such file")) < why.n);
	CHECK_NUM(folder_make(str_fmt(a, "%s/a/b", folder), 0711, a, &why), OK);
	CHECK_NUM(folder_make(str_fmt(a, "%s/a/b", folder), 0700, a, &why), OK);
	CHECK_NUM(mode_of(str_fmt(a, "%s/a/b", folder)), 0711);

	CHECK_NUM(file_prepare(path, S("one"), 0600, a, &why), OK);
	CHECK_STR(text_of(path), "(none)");
	CHECK_NUM(mode_of(fresh), 0600);
	CHECK_NUM(file_switch(path, a, &why), OK);
	CHECK_STR(text_of(path), "one");

	/* A group that may read it goes on to; others never, unless all may. */
	static const struct {
		mode_t had, wanted, got;
	} rows[] = { { 0640, 0600, 0640 }, { 0644, 0600, 0640 }, { 0400, 0600, 0400 },
		     { 0600, 0644, 0600 }, { 0644, 0644, 0644 }, { 0777, 0600, 0660 } };
	for (size_t i = 0; i < LENGTH(rows); i++) {
		CHECK(chmod(str_c(a, path), rows[i].had) == 0);
		CHECK_NUM(file_prepare(path, S("two"), rows[i].wanted, a, &why), OK);
		CHECK_NUM(file_switch(path, a, &why), OK);
		CHECK_NUM(mode_of(path), rows[i].got);
	}
	CHECK_STR(text_of(path), "two");
	CHECK_NUM(file_switch(path, a, &why), E_IO); /* nothing is prepared: it stays */
	CHECK_STR(text_of(path), "two");

	/* What lies in its way is no way out of the folder. */
	CHECK(symlink("/tmp/acme-test-elsewhere", str_c(a, fresh)) == 0);
	CHECK_NUM(file_prepare(path, S("three"), 0600, a, &why), OK);
	CHECK(access("/tmp/acme-test-elsewhere", F_OK) != 0);
	CHECK(unlink(str_c(a, fresh)) == 0 && unlink(str_c(a, path)) == 0);
	CHECK(rmdir(str_c(a, str_fmt(a, "%s/a/b", folder))) == 0);
	CHECK(rmdir(str_c(a, str_fmt(a, "%s/a", folder))) == 0 && rmdir(folder) == 0);
}

static int hook(const char *method, const char *type, const char *token)
{
	char words[6][64] = { "tecsmail" };
	char *argv[7] = { 0 };
	const char *const rest[] = { method, type, "n.example.org", token, "token.print" };

	for (size_t i = 0; i < LENGTH(rest); i++)
		snprintf(words[i + 1], sizeof words[0], "%s", rest[i]);
	for (size_t i = 0; i < LENGTH(words); i++)
		argv[i] = words[i];
	return acme_is_hook(6, argv) ? acme_hook(argv) : -1;
}

static void test_hook(void)
{
	char folder[] = "/tmp/acme-test-XXXXXX";
	struct str why = S_NONE;

	CHECK_NUM(hook("begin", "http-01", "t_-9"), -1); /* nobody waits for one */
	CHECK(mkdtemp(folder) != NULL);
	struct str inner = str_fmt(a, "%s/.well-known/acme-challenge", folder);
	struct str refused = str_fmt(a, "%s/refused", folder);
	struct str file = str_fmt(a, "%.*s/t_-9", FMT(inner));
	CHECK_NUM(folder_make(inner, 0755, a, &why), OK);
	setenv("TECSMAIL_ACME_CHALLENGES", folder, 1);
	setenv("TECSMAIL_ACME_REFUSED", str_c(a, refused), 1);

	CHECK_NUM(hook("list", "http-01", "t_-9"), -1);
	CHECK_NUM(hook("begin", "dns-01", "t_-9"), 1);
	CHECK_NUM(hook("begin", "http-01", "../t"), 1);
	CHECK_NUM(hook("begin", "http-01", ""), 1);
	CHECK_NUM(hook("begin", "http-01", "t_-9"), 0);
	CHECK_STR(text_of(file), "token.print");
	CHECK_NUM(mode_of(file), 0644);
	CHECK_NUM(hook("done", "http-01", "t_-9"), 0);
	CHECK_STR(text_of(file), "(none)");
	CHECK_STR(text_of(refused), "(none)");
	CHECK_NUM(hook("begin", "http-01", "t_-9"), 0);
	CHECK_NUM(hook("failed", "http-01", "t_-9"), 0);
	CHECK_STR(text_of(file), "(none)");
	CHECK_STR(text_of(refused), "n.example.org");
	CHECK(unlink(str_c(a, refused)) == 0 && rmdir(str_c(a, inner)) == 0);
	CHECK(rmdir(str_c(a, str_fmt(a, "%s/.well-known", folder))) == 0 && rmdir(folder) == 0);
}

int main(void)
{
	a = arena_new(16 << 20);
	test_names();
	test_certificate();
	test_files();
	test_hook();
	arena_free(&a);
	return check_done();
}
