/* SPDX-License-Identifier: ISC */
/* keeper/dkim_make.c - what OpenSSL does with the keys: on a worker thread, each takes a while. */
#include "keeper/dkim_make.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "fiber/fiber.h"

enum { RSA_BITS = 2048, DIGEST = 32, ED25519_OCTETS = 32, SIGNATURE_MAX = 1024 };

struct making {
	unsigned char *secret[2], *open[2]; /* OpenSSL's */
	int nsecret[2], nopen[2];
	unsigned char raw[ED25519_OCTETS];
	bool good;
};

static void make(void *arg)
{
	struct making *m = arg;
	EVP_PKEY *rsa = EVP_RSA_gen(RSA_BITS), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t n = sizeof m->raw;

	if (rsa && ed) {
		m->nsecret[0] = i2d_PrivateKey(rsa, &m->secret[0]);
		m->nsecret[1] = i2d_PrivateKey(ed, &m->secret[1]);
		m->nopen[0] = i2d_PUBKEY(rsa, &m->open[0]);
		m->good = m->nsecret[0] > 0 && m->nsecret[1] > 0 && m->nopen[0] > 0 &&
			  EVP_PKEY_get_raw_public_key(ed, m->raw, &n) == 1;
	}
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
	ERR_clear_error();
}

static struct str taken(struct arena *a, const unsigned char *p, int n)
{
	return str_dup(a, STR((const char *)p, (size_t)n));
}

enum err dkim_make(struct dkim_pair_key pair[2], int64_t now, struct arena *a)
{
	struct making m = { 0 };

	work_run(make, &m);
	for (size_t i = 0; i < 2 && m.good; i++)
		pair[i] = (struct dkim_pair_key){
			.kind = i ? KIND_ED25519 : KIND_RSA,
			.created = now,
			.changed = now,
			.secret = taken(a, m.secret[i], m.nsecret[i]),
			.open = i ? taken(a, m.raw, ED25519_OCTETS)
				  : taken(a, m.open[0], m.nopen[0]),
		};
	for (size_t i = 0; i < 2; i++) {
		OPENSSL_clear_free(m.secret[i], m.nsecret[i] > 0 ? (size_t)m.nsecret[i] : 0);
		OPENSSL_free(m.open[i]);
	}
	return m.good ? OK : E_IO;
}

/* --- signing --- */

struct signing {
	const struct dkim_pair_key *key;
	struct str digest;
	unsigned char out[SIGNATURE_MAX];
	size_t n;
	bool good;
};

static bool sign_rsa(EVP_PKEY *key, struct signing *s)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

	BUG_IF(!c);
	bool good = EVP_PKEY_sign_init(c) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
		    EVP_PKEY_sign(c, s->out, &s->n, (const unsigned char *)s->digest.p,
				  s->digest.n) == 1;
	EVP_PKEY_CTX_free(c);
	return good;
}

/* The digest is the message: RFC 8463 3. */
static bool sign_ed25519(EVP_PKEY *key, struct signing *s)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_IF(!c);
	bool good = EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestSign(c, s->out, &s->n, (const unsigned char *)s->digest.p,
				   s->digest.n) == 1;
	EVP_MD_CTX_free(c);
	return good;
}

static void sign(void *arg)
{
	struct signing *s = arg;
	const unsigned char *p = (const unsigned char *)s->key->secret.p;
	bool rsa = s->key->kind == KIND_RSA;
	EVP_PKEY *key = d2i_PrivateKey(rsa ? EVP_PKEY_RSA : EVP_PKEY_ED25519, NULL, &p,
				       (long)s->key->secret.n);

	s->n = sizeof s->out;
	if (key)
		s->good = rsa ? sign_rsa(key, s) : sign_ed25519(key, s);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

enum err dkim_sign(const struct dkim_pair_key *k, struct str digest, struct arena *a,
		   struct str *out)
{
	struct signing s = { .key = k, .digest = digest };

	if (digest.n != DIGEST)
		return E_SYNTAX;
	work_run(sign, &s);
	if (!s.good) {
		log_event(LOG_ERROR, "dkim.unsigned", KV("selector", k->selector));
		return E_IO;
	}
	*out = str_dup(a, STR((const char *)s.out, s.n));
	return OK;
}
