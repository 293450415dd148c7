/* SPDX-License-Identifier: ISC */
/* trust/dkim.c - the two hashes of a signature, and whether it verifies. */
#include "trust/dkim.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "mail/header.h"
#include "trust/canon.h"
#include "trust/dkim_priv.h"

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8192, ED25519_OCTETS = 32 };

const char *dkim_algorithm_word(enum dkim_algorithm a)
{
	return a == DKIM_ED25519 ? "ed25519-sha256" : "rsa-sha256";
}

/* --- the body --- */

struct dkim_body {
	struct canon canon;
	EVP_MD_CTX *md;
	uint64_t left; /* of the limit */
	bool limited;
};

static void hash(void *arg, struct str octets)
{
	struct dkim_body *b = arg;
	struct str part = str_part(octets, 0, b->left < octets.n ? (size_t)b->left : octets.n);

	BUG_IF(!EVP_DigestUpdate(b->md, part.p, part.n));
	b->left -= part.n;
}

struct dkim_body *dkim_body_new(bool relaxed, uint64_t limit)
{
	struct dkim_body *b = NEW(struct dkim_body);

	b->canon = (struct canon){ .relaxed = relaxed, .put = hash, .arg = b };
	b->left = limit;
	b->limited = limit != UINT64_MAX;
	b->md = EVP_MD_CTX_new();
	BUG_IF(!b->md || !EVP_DigestInit_ex(b->md, EVP_sha256(), NULL));
	return b;
}

void dkim_body_add(struct dkim_body *b, struct str octets)
{
	canon_feed(&b->canon, octets);
}

bool dkim_body_end(struct dkim_body *b, uint8_t out[DKIM_DIGEST])
{
	canon_end(&b->canon);
	BUG_IF(!EVP_DigestFinal_ex(b->md, out, NULL));
	return !b->limited || b->left == 0;
}

void dkim_body_free(struct dkim_body **b)
{
	if (!*b)
		return;
	EVP_MD_CTX_free((*b)->md);
	free(*b);
	*b = NULL;
}

/* --- the header --- */

struct place { /* a field, and whether it was taken already */
	struct field field;
	bool taken;
};

static size_t places(struct str header, struct place *out)
{
	struct str rest = header;
	size_t n = 0;

	while (n < DKIM_FIELDS_MAX && field_next(&rest, &out[n].field))
		n++;
	return n;
}

static struct place *last_of(struct place *list, size_t n, struct str name)
{
	while (n--)
		if (!list[n].taken && str_ieq(str_trim(list[n].field.name), name))
			return &list[n];
	return NULL;
}

static void digest_field(EVP_MD_CTX *md, bool relaxed, struct str whole)
{
	struct buf b = buf_new(whole.n + 2);

	canon_field(&b, relaxed, whole);
	BUG_IF(b.full || !EVP_DigestUpdate(md, b.p, b.n));
	buf_free(&b);
}

enum err dkim_header_digest(struct str header, struct str h, bool relaxed, struct str field,
			    uint8_t out[DKIM_DIGEST])
{
	struct place *list = mem_new(DKIM_FIELDS_MAX * sizeof *list);
	size_t n = places(header, list);
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	BUG_IF(!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL));
	while (h.n) {
		size_t end = str_find(h, ':');
		struct place *p = last_of(list, n, str_trim(str_part(h, 0, end)));

		if (p) {
			p->taken = true;
			digest_field(md, relaxed, p->field.whole);
		}
		h = str_from(h, end + 1);
	}
	digest_field(md, relaxed, field);
	BUG_IF(!EVP_DigestFinal_ex(md, out, NULL));
	EVP_MD_CTX_free(md);
	free(list);
	return n < DKIM_FIELDS_MAX ? OK : E_LIMIT;
}

/* --- verifying --- */

static EVP_PKEY *public_key(const struct dkim_key *k)
{
	const unsigned char *p = (const unsigned char *)k->key.p;

	if (k->algorithm == DKIM_ED25519)
		return k->key.n == ED25519_OCTETS
			       ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p, k->key.n)
			       : NULL;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)k->key.n);
	if (!key) { /* a bare RSAPublicKey, as some publish: RFC 6376 3.6.1 allows it */
		p = (const unsigned char *)k->key.p;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)k->key.n);
	}
	if (key && (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) < RSA_BITS_MIN ||
		    EVP_PKEY_get_bits(key) > RSA_BITS_MAX)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static bool verify_rsa(EVP_PKEY *key, struct str sig, const uint8_t digest[DKIM_DIGEST])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

	BUG_IF(!c);
	bool good =
		EVP_PKEY_verify_init(c) == 1 &&
		EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
		EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
		EVP_PKEY_verify(c, (const unsigned char *)sig.p, sig.n, digest, DKIM_DIGEST) == 1;
	EVP_PKEY_CTX_free(c);
	return good;
}

static bool verify_ed25519(EVP_PKEY *key, struct str sig, const uint8_t digest[DKIM_DIGEST])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	BUG_IF(!c);
	bool good =
		EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(c, (const unsigned char *)sig.p, sig.n, digest, DKIM_DIGEST) == 1;
	EVP_MD_CTX_free(c);
	return good;
}

/* Where the value of tag b begins and ends: RFC 6376 3.7. */
static bool find_b(struct str field, size_t *from, size_t *to)
{
	size_t at = str_find(field, ':') + 1;

	while (at < field.n) {
		size_t end = at + str_find(str_from(field, at), ';');
		size_t eq = str_find(str_part(field, at, end - at), '=');

		if (str_is(str_trim(str_part(field, at, eq)), "b") && eq < end - at) {
			*from = at + eq + 1;
			*to = end;
			return true;
		}
		at = end + 1;
	}
	return false;
}

/* The field without the value of b and without the last CRLF. */
static bool unsigned_field(struct str field, struct buf *out)
{
	size_t from, to;

	if (str_ends(field, S("\r\n")))
		field.n -= 2;
	if (!find_b(field, &from, &to))
		return false;
	buf_put(out, str_part(field, 0, from));
	buf_put(out, str_from(field, to));
	return true;
}

enum err dkim_verify(const struct dkim_signature *s, const struct dkim_key *k, struct str header,
		     struct str field, const uint8_t body[DKIM_DIGEST])
{
	struct buf bare = buf_new(field.n + 1);
	uint8_t digest[DKIM_DIGEST];
	enum err e = E_SYNTAX;

	if (!k->key.n)
		return E_NOTFOUND;
	EVP_PKEY *key = s->algorithm == k->algorithm ? public_key(k) : NULL;
	if (key && unsigned_field(field, &bare)) {
		bool good = !dkim_header_digest(header, s->fields, s->relaxed_header,
						buf_str(&bare), digest) &&
			    s->body.n == DKIM_DIGEST && memcmp(s->body.p, body, DKIM_DIGEST) == 0;
		if (good && s->algorithm == DKIM_RSA)
			good = verify_rsa(key, s->signature, digest);
		else if (good)
			good = verify_ed25519(key, s->signature, digest);
		e = good ? OK : E_DENIED;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	buf_free(&bare);
	return e;
}
