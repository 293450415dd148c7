/* SPDX-License-Identifier: ISC */
/* ctl/roll_keys.c - private keys and their hashes: read, made, certified by their own hand. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "ctl/roll.h"

enum { SERIAL_OCTETS = 16, TEN_YEARS_S = 3650 * 86400, HOUR_S = 3600 };

static BIO *reader(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)(pem.n < ACME_PEM_MAX ? pem.n : 0));

	BUG_IF(!bio);
	return bio;
}

/* What was written to a BIO in memory, which it frees. */
static struct str written(BIO *bio, struct arena *a)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(a, STR(p, n > 0 ? (size_t)n : 0));

	BIO_free(bio);
	ERR_clear_error();
	return s;
}

static EVP_PKEY *private_of(struct str pem)
{
	BIO *bio = reader(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static EVP_PKEY *public_of(struct str pem)
{
	BIO *bio = reader(pem);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static X509 *certificate_of(struct str pem)
{
	BIO *bio = reader(pem);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return x;
}

/* RFC 6698 2.1.2, 2.1.3: selector 1, matching type 1. Takes the key. */
static struct str hash_of(struct arena *a, EVP_PKEY *key)
{
	unsigned char hash[EVP_MAX_MD_SIZE], *der = NULL;
	int n = key ? i2d_PUBKEY(key, &der) : 0;
	struct str out = S("");

	if (n > 0) {
		BUG_IF(!EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL));
		out = hex_encode(a, STR((const char *)hash, 32));
	}
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return out;
}

static struct str certificate_hash(struct arena *a, struct str pem)
{
	X509 *x = certificate_of(pem);
	struct str hash = hash_of(a, x ? X509_get_pubkey(x) : NULL);

	X509_free(x);
	return hash;
}

struct str roll_key_hash(struct arena *a, struct str key_pem)
{
	return hash_of(a, private_of(key_pem));
}

/* --- reading --- */

struct str roll_beside(struct ctl *c, const char *suffix)
{
	return str_fmt(c->arena, "%.*s%s", FMT(c->config.key), suffix);
}

/* A file that need not be there, and when it was written. */
static enum err read_if(struct ctl *c, const char *suffix, struct str *pem, int64_t *when,
			struct str *why)
{
	struct str path = roll_beside(c, suffix);
	enum err e = file_read(path, ACME_PEM_MAX, c->arena, pem, why);
	struct stat st;

	*when = 0;
	if (e == E_NOTFOUND)
		*pem = S("");
	else if (!e && stat(str_c(c->arena, path), &st) == 0)
		*when = st.st_mtime;
	return e == E_NOTFOUND ? OK : e;
}

enum err roll_read(struct ctl *c, struct roll_keys *out, struct str *why)
{
	struct str ignored, old = S("");
	enum err e = file_read(c->config.certificate, ACME_PEM_MAX, c->arena, &out->cert_pem, why);

	if (e)
		return e;
	if (cert_read(out->cert_pem, c->arena, &out->cert)) {
		*why = str_fmt(c->arena, "%.*s: there is no certificate in it",
			       FMT(c->config.certificate));
		return E_SYNTAX;
	}
	if (file_read(c->config.key, ACME_PEM_MAX, c->arena, &out->key_pem, &ignored))
		out->key_pem = S("");
	e = read_if(c, ".next", &out->next_pem, &out->next_made, why);
	if (!e)
		e = read_if(c, ".old", &old, &out->old_since, why);
	if (e)
		return e;
	out->now = certificate_hash(c->arena, out->cert_pem);
	out->key = roll_key_hash(c->arena, out->key_pem);
	out->next = roll_key_hash(c->arena, out->next_pem);
	out->old = hash_of(c->arena, public_of(old));
	out->leftover = out->next.n && str_eq(out->next, out->key);
	if (out->next.n || !out->next_pem.n)
		return OK;
	*why = str_fmt(c->arena, "%.*s: there is no private key in it",
		       FMT(roll_beside(c, ".next")));
	return E_SYNTAX;
}

size_t roll_promised(const struct roll_keys *k, struct str out[ROLL_HASHES_MAX],
		     bool is_old[ROLL_HASHES_MAX])
{
	const struct str all[ROLL_HASHES_MAX] = { k->now, k->key, k->next, k->old };
	size_t n = 0;

	for (size_t i = 0; i < ROLL_HASHES_MAX; i++) {
		bool twice = !all[i].n;

		for (size_t j = 0; j < n; j++)
			twice |= str_eq(out[j], all[i]);
		if (twice)
			continue;
		is_old[n] = i + 1 == ROLL_HASHES_MAX;
		out[n++] = all[i];
	}
	return n;
}

/* --- making --- */

struct str roll_kind(struct arena *a, struct str key_pem)
{
	EVP_PKEY *key = private_of(key_pem);
	char group[64] = "";
	struct str kind = S("");

	if (key && EVP_PKEY_is_a(key, "RSA"))
		kind = str_fmt(a, "RSA %d", EVP_PKEY_get_bits(key));
	else if (key && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
		kind = str_fmt(a, "EC %s", str_is(str_of(group), "prime256v1") ? "P-256" : group);
	else if (key)
		kind = str_dup(a, str_of(EVP_PKEY_get0_type_name(key)));
	EVP_PKEY_free(key);
	ERR_clear_error();
	return kind;
}

static EVP_PKEY *generate_like(const EVP_PKEY *key)
{
	char group[64];

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)EVP_PKEY_get_bits(key));
	if (EVP_PKEY_is_a(key, "EC"))
		return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1
			       ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", group)
			       : NULL;
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return EVP_PKEY_Q_keygen(NULL, NULL, EVP_PKEY_get0_type_name(key));
	return NULL;
}

struct str roll_key_like(struct arena *a, struct str key_pem)
{
	EVP_PKEY *key = private_of(key_pem), *fresh = key ? generate_like(key) : NULL;
	BIO *bio = BIO_new(BIO_s_secmem());

	BUG_IF(!bio);
	BUG_IF(fresh && PEM_write_bio_PrivateKey(bio, fresh, NULL, NULL, 0, NULL, NULL) != 1);
	EVP_PKEY_free(key);
	EVP_PKEY_free(fresh);
	return written(bio, a);
}

struct str roll_key_public(struct arena *a, struct str key_pem)
{
	EVP_PKEY *key = private_of(key_pem);
	BIO *bio = BIO_new(BIO_s_mem());

	BUG_IF(!bio);
	BUG_IF(key && PEM_write_bio_PUBKEY(bio, key) != 1);
	EVP_PKEY_free(key);
	return written(bio, a);
}

/* Who it is for is copied whole: names, and addresses. */
static bool copy_names(X509 *to, X509 *from)
{
	int at = X509_get_ext_by_NID(from, NID_subject_alt_name, -1);

	return X509_set_subject_name(to, X509_get_subject_name(from)) == 1 &&
	       X509_set_issuer_name(to, X509_get_subject_name(from)) == 1 &&
	       (at < 0 || X509_add_ext(to, X509_get_ext(from, at), -1) == 1);
}

static bool number(X509 *x)
{
	unsigned char octets[SERIAL_OCTETS];
	BIGNUM *n = RAND_bytes(octets, sizeof octets) == 1 ? BN_bin2bn(octets, sizeof octets, NULL)
							   : NULL;
	bool good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));

	BN_free(n);
	return good;
}

struct str roll_self_signed(struct arena *a, struct str key_pem, struct str like_pem)
{
	EVP_PKEY *key = private_of(key_pem);
	X509 *like = certificate_of(like_pem), *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	BUG_IF(!bio || !x);
	bool edwards = key && (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"));
	bool good = key && like && X509_set_version(x, X509_VERSION_3) == 1 && number(x) &&
		    X509_gmtime_adj(X509_getm_notBefore(x), -HOUR_S) &&
		    X509_gmtime_adj(X509_getm_notAfter(x), TEN_YEARS_S) &&
		    X509_set_pubkey(x, key) == 1 && copy_names(x, like) &&
		    X509_sign(x, key, edwards ? NULL : EVP_sha256()) > 0;
	BUG_IF(good && PEM_write_bio_X509(bio, x) != 1);
	X509_free(like);
	X509_free(x);
	EVP_PKEY_free(key);
	return written(bio, a);
}
