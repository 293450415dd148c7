/* SPDX-License-Identifier: ISC */
#ifndef BENCH_CERT_H
#define BENCH_CERT_H
/*
 * cert.h - a server's TLS settings with a key and a certificate made on the spot, good for a day
 * and for no name. Ends the program where it cannot.
 */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "fiber/io.h"

static inline struct str cert_pem(struct arena *a, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(a, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static inline struct tls *cert_tls(struct arena *a)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *cert = BIO_new(BIO_s_mem()), *pem = BIO_new(BIO_s_mem());
	struct tls *t;
	struct str why;

	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert, x);
	PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
	BUG_IF(tls_server_new(cert_pem(a, cert), cert_pem(a, pem), a, &t, &why) != OK);
	X509_free(x);
	EVP_PKEY_free(key);
	return t;
}

#endif
