/* SPDX-License-Identifier: ISC */
/* ctl/acme_cert.c - what a certificate says, a new key, and a request for names. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "ctl/acme.h"
#include "fiber/io.h"

bool names_have(const struct names *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_ieq(l->name[i], name))
			return true;
	return false;
}

bool names_add(struct names *l, struct str name)
{
	if (names_have(l, name))
		return true;
	if (l->n == ACME_NAMES_MAX)
		return false;
	l->name[l->n++] = name;
	return true;
}

void names_drop(struct names *l, struct str name)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++)
		if (!str_ieq(l->name[i], name))
			l->name[kept++] = l->name[i];
	l->n = kept;
}

bool names_cover(const struct names *l, const struct names *want)
{
	for (size_t i = 0; i < want->n; i++)
		if (!names_have(l, want->name[i]))
			return false;
	return true;
}

static BIO *reader(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)(pem.n < ACME_PEM_MAX ? pem.n : 0));

	BUG_IF(!bio);
	return bio;
}

static struct str written(BIO *bio, struct arena *a)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(a, STR(p, n > 0 ? (size_t)n : 0));

	BIO_free(bio);
	return s;
}

static void read_names(X509 *x, struct arena *a, struct names *out)
{
	GENERAL_NAMES *l = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; l && i < sk_GENERAL_NAME_num(l); i++) {
		int type;
		const ASN1_STRING *s = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(l, i), &type);
		if (type == GEN_DNS)
			(void)names_add(out,
					str_lower(a, STR((const char *)ASN1_STRING_get0_data(s),
							 (size_t)ASN1_STRING_length(s))));
	}
	GENERAL_NAMES_free(l);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	int days = 0, seconds = 0;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool good = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;

	ASN1_TIME_free(epoch);
	return good ? (int64_t)days * 86400 + seconds : 0;
}

enum err cert_read(struct str pem, struct arena *a, struct cert *out)
{
	BIO *bio = reader(pem), *text = BIO_new(BIO_s_mem());
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	*out = (struct cert){ 0 };
	BIO_free(bio);
	BUG_IF(!text);
	if (!x) {
		BIO_free(text);
		ERR_clear_error();
		return E_SYNTAX;
	}
	read_names(x, a, &out->names);
	X509_NAME_print_ex(text, X509_get_issuer_name(x), 0,
			   XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	out->issuer = written(text, a);
	out->self_signed = X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(x)) == 0;
	out->from = seconds_of(X509_get0_notBefore(x));
	out->until = seconds_of(X509_get0_notAfter(x));
	X509_free(x);
	return OK;
}

struct str cert_key_new(struct arena *a)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_secmem());

	BUG_IF(!key || !bio); /* no randomness, or no memory */
	BUG_IF(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1);
	EVP_PKEY_free(key);
	return written(bio, a);
}

bool cert_fits(struct str cert_pem, struct str key_pem, struct arena *a, struct str *why)
{
	struct tls *t; /* as the server will read them */

	if (tls_server_new(cert_pem, key_pem, a, &t, why))
		return false;
	tls_release(&t);
	return true;
}

static bool ask_for(X509_REQ *q, const struct names *names)
{
	GENERAL_NAMES *l = GENERAL_NAMES_new();
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool good = l != NULL;

	for (size_t i = 0; good && i < names->n; i++) {
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();
		BUG_IF(!g || !s);
		good = ASN1_STRING_set(s, names->name[i].p, (int)names->name[i].n) == 1;
		GENERAL_NAME_set0_value(g, GEN_DNS, s);
		good = sk_GENERAL_NAME_push(l, g) > 0 && good;
	}
	good = good && X509V3_add1_i2d(&extensions, NID_subject_alt_name, l, 0, 0) == 1 &&
	       X509_REQ_add_extensions(q, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(l);
	return good;
}

/* A key that asks for a password has come to the wrong place: nobody is there to type it. */
static int no_password(char *buf, int size, int rw, void *asked)
{
	(void)buf, (void)size, (void)rw, (void)asked;
	return -1;
}

enum err cert_request(struct str key_pem, const struct names *names, struct arena *a,
		      struct str *out, struct str *why)
{
	BIO *bio = reader(key_pem), *text = BIO_new(BIO_s_mem());
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	X509_REQ *q = X509_REQ_new();

	BIO_free(bio);
	BUG_IF(!q || !text);
	bool good = key && X509_REQ_set_version(q, X509_REQ_VERSION_1) == 1 &&
		    X509_REQ_set_pubkey(q, key) == 1 && ask_for(q, names) &&
		    X509_REQ_sign(q, key, EVP_sha256()) > 0 && PEM_write_bio_X509_REQ(text, q) == 1;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	*out = written(text, a);
	X509_REQ_free(q);
	EVP_PKEY_free(key);
	if (!good)
		*why = str_fmt(a, "the key cannot be used for a request: %s",
			       reason ? reason : "it is none");
	return good ? OK : E_SYNTAX;
}
