/* SPDX-License-Identifier: ISC */
/* web/sign.c - documents that a phone shall believe, signed with the server's certificate. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include "fiber/fiber.h"
#include "web/web_priv.h"

struct signer {
	X509 *cert;
	STACK_OF(X509) * chain; /* what leads from it to the root */
	EVP_PKEY *key;
};

/* The server's first, then the chain, as the TLS ports read the same file. */
static bool read_certificates(struct signer *s, struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
	X509 *x;

	BUG_IF(!bio || !s->chain);
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (!s->cert)
			s->cert = x;
		else
			BUG_IF(!sk_X509_push(s->chain, x));
	}
	BIO_free(bio);
	return s->cert != NULL;
}

enum err signer_new(struct str cert_pem, struct str key_pem, struct arena *a, struct signer **out,
		    struct str *why)
{
	struct signer *s = NEW(struct signer);
	BIO *bio = BIO_new_mem_buf(key_pem.n ? key_pem.p : "", (int)key_pem.n);

	BUG_IF(!bio);
	s->chain = sk_X509_new_null();
	s->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	bool good = read_certificates(s, cert_pem) && s->key;
	BIO_free(bio);
	ERR_clear_error();
	if (!good) {
		*why = str_fmt(a, "certificate or key cannot be used to sign");
		signer_free(&s);
	}
	*out = s;
	return good ? OK : E_SYNTAX;
}

void signer_free(struct signer **s)
{
	if (!*s)
		return;
	sk_X509_pop_free((*s)->chain, X509_free);
	X509_free((*s)->cert);
	EVP_PKEY_free((*s)->key);
	free(*s);
	*s = NULL;
}

static struct str fingerprint(const struct signer *s, struct arena *a)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	struct buf b = buf_new(4 * EVP_MAX_MD_SIZE);
	unsigned n = 0;

	if (X509_digest(s->cert, EVP_sha256(), octets, &n) != 1)
		n = 0;
	for (unsigned i = 0; i < n; i++)
		buf_fmt(&b, "%s%02X", i ? ":" : "", octets[i]);
	struct str text = str_dup(a, buf_str(&b));
	buf_free(&b);
	return text;
}

struct signer_facts signer_facts(const struct signer *s, struct arena *a)
{
	const ASN1_TIME *end = X509_get0_notAfter(s->cert);
	struct tm tm = { 0 };

	/* A time that makes no sense is long ago. */
	int64_t until = ASN1_TIME_to_tm(end, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
	return (struct signer_facts){
		.key = str_fmt(a, "%s, %d bit", EVP_PKEY_get0_type_name(s->key),
			       EVP_PKEY_get_bits(s->key)),
		.fingerprint = fingerprint(s, a),
		.until = until,
		.self_signed = X509_self_signed(s->cert, 0) == 1,
	};
}

struct job {
	struct signer *signer;
	struct str text;
	BIO *out; /* DER; NULL: it failed */
};

static void sign(void *arg)
{
	struct job *j = arg;
	BIO *in = BIO_new_mem_buf(j->text.p, (int)j->text.n);
	CMS_ContentInfo *cms = NULL;

	if (in)
		cms = CMS_sign(j->signer->cert, j->signer->key, j->signer->chain, in, CMS_BINARY);
	if (cms)
		j->out = BIO_new(BIO_s_mem());
	if (j->out && i2d_CMS_bio(j->out, cms) != 1) {
		BIO_free(j->out);
		j->out = NULL;
	}
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ERR_clear_error();
}

enum err signer_sign(struct signer *s, struct str text, struct arena *a, struct str *out)
{
	struct job j = { .signer = s, .text = text };
	char *p;

	work_run(sign, &j);
	if (!j.out)
		return E_IO;
	long n = BIO_get_mem_data(j.out, &p);
	*out = str_dup(a, STR(p, (size_t)n));
	BIO_free(j.out);
	return OK;
}
