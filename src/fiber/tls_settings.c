/* SPDX-License-Identifier: ISC */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "fiber/io_priv.h"

/* ECDHE and AEAD only, as far as TLS 1.2 goes: RFC 9325 4.2. */
static const char ciphers[] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
			      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
			      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
static const char suites[] = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
			     "TLS_AES_128_GCM_SHA256";

/* The first list that the library knows whole: the hybrid one came with OpenSSL 3.5. */
static const char *const groups[] = { "X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384" };

struct str tls_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(code);

	ERR_clear_error();
	if (!code)
		return S_NONE;
	return text ? str_of(text) : S("unknown");
}

static SSL_CTX *context(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	bool known = false;

	BUG_IF(!ctx); /* no memory, or a library that cannot be used at all */
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets hold all: RFC 5077 */
	SSL_CTX_set_max_cert_list(ctx, 100 * 1024);
	BUG_IF(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1);
	BUG_IF(SSL_CTX_set_cipher_list(ctx, ciphers) != 1);
	BUG_IF(SSL_CTX_set_ciphersuites(ctx, suites) != 1);
	for (size_t i = 0; i < LENGTH(groups) && !known; i++)
		known = SSL_CTX_set1_groups_list(ctx, groups[i]) == 1;
	BUG_IF(!known);
	ERR_clear_error();
	return ctx;
}

static struct tls *settings(SSL_CTX *ctx)
{
	struct tls *t = NEW(struct tls);

	t->refs = 1;
	t->ctx = ctx;
	return t;
}

/* A key that asks for a password has come to the wrong place: nobody is there to type it. */
static int no_password(char *buf, int size, int rw, void *asked)
{
	(void)buf, (void)size, (void)rw;
	*(bool *)asked = true;
	return -1;
}

static BIO *reader(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);

	BUG_IF(!bio);
	return bio;
}

/* The first certificate is the server's, those behind it lead up to the root: RFC 8446 4.4.2. */
static bool use_chain(SSL_CTX *ctx, struct str pem, struct arena *a, struct str *why)
{
	BIO *bio = reader(pem);
	unsigned n = 0;
	bool good = true;

	for (X509 *x; good && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
		good = n ? SSL_CTX_add1_chain_cert(ctx, x) == 1
			 : SSL_CTX_use_certificate(ctx, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	struct str reason = tls_reason();

	if (good && ended && n)
		return true;
	*why = !good || !ended ? str_fmt(a, "certificate %u cannot be used: %.*s", good ? n + 1 : n,
					 FMT(reason))
			       : S("there is no certificate in the file");
	return false;
}

static bool use_key(SSL_CTX *ctx, struct str pem, struct arena *a, struct str *why)
{
	BIO *bio = reader(pem);
	bool asked = false, good;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
	bool none = str_find_str(pem, S("PRIVATE KEY-----")) == pem.n;
	struct str reason = tls_reason();

	BIO_free(bio);
	if (!key) {
		*why = asked  ? S("the key is protected by a password; store it without one")
		       : none ? S("there is no private key in the file")
			      : str_fmt(a, "the key cannot be read: %.*s", FMT(reason));
		return false;
	}
	good = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	reason = tls_reason();
	if (!good)
		*why = str_fmt(a, "the key does not belong to the certificate: %.*s", FMT(reason));
	return good;
}

enum err tls_server_new(struct str cert_pem, struct str key_pem, struct arena *a, struct tls **out,
			struct str *why)
{
	enum { PEM_MAX = 1024 * 1024 };

	if (cert_pem.n > PEM_MAX || key_pem.n > PEM_MAX) {
		*why = S("the file is larger than 1 MiB: this is no certificate or key");
		return E_SYNTAX;
	}
	SSL_CTX *ctx = context(TLS_server_method());

	if (!use_chain(ctx, cert_pem, a, why) || !use_key(ctx, key_pem, a, why)) {
		SSL_CTX_free(ctx);
		return E_SYNTAX;
	}
	*out = settings(ctx);
	return OK;
}

struct tls *tls_client_new(void)
{
	SSL_CTX *ctx = context(TLS_client_method());

	if (SSL_CTX_set_default_verify_paths(ctx) != 1)
		log_event(LOG_WARN, "tls.no.trust.store", KV("reason", tls_reason()));
	BUG_IF(SSL_CTX_dane_enable(ctx) != 1);
	SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS); /* RFC 7672 3.1.1 */
	return settings(ctx);
}

enum err tls_client_trust(struct tls *t, struct str pem)
{
	BIO *bio = reader(pem);
	unsigned n = 0;
	bool good = true;

	for (X509 *x; good && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
		good = X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return good && ended && n ? OK : E_SYNTAX;
}

struct tls *tls_hold(struct tls *t)
{
	t->refs++;
	return t;
}

void tls_release(struct tls **t)
{
	if (*t && --(*t)->refs == 0) {
		SSL_CTX_free((*t)->ctx);
		free(*t);
	}
	*t = NULL;
}
