/* SPDX-License-Identifier: ISC */
/* STARTTLS with a real handshake: what came in clear is forgotten. RFC 3501 6.2.1, 3207 4.2 */
#include "imap/dialog_test.h"
#include <openssl/pem.h>
#include <openssl/x509.h>

static struct str pem(struct arena *a, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(a, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static struct tls *settings(struct arena *a)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *key_bio = BIO_new(BIO_s_mem()), *cert_bio = BIO_new(BIO_s_mem());
	struct tls *tls = NULL;
	struct str why;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert_bio, x);
	PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	struct str cert = pem(a, cert_bio);

	CHECK(tls_server_new(cert, pem(a, key_bio), a, &tls, &why) == OK);
	return tls;
}

static void tests(void)
{
	struct arena *a = arena_new(1 << 20);
	struct tls *trust = tls_client_new();

	server.tls = settings(a);
	struct client *c = connect_new(false);

	CHECK(has(hear(c), " STARTTLS LOGINDISABLED] "));
	/* What is smuggled in before the handshake is never carried out. */
	say(c, "a STARTTLS\r\nb NOOP\r\n");
	CHECK_STR(hear(c), "a OK begin TLS now\r\n");
	CHECK(io_tls_connect(c->io, trust, S("mail.example.test"), false) == OK);
	CHECK(has(ask(c, "CAPABILITY"), "AUTH=PLAIN AUTH=LOGIN\r\nT OK"));
	CHECK(has(ask(c, "STARTTLS"), "T BAD TLS is on already"));
	CHECK(has(ask(c, "LOGIN alice secret"), "T OK [CAPABILITY"));
	CHECK(append(c, "INBOX", "", "Subject: x\n\ny\n") > 0);
	CHECK(has(ask(c, "SELECT INBOX"), "* 1 EXISTS"));
	CHECK(has(ask(c, "FETCH 1 BODY[]"), "BODY[] {17}\r\nSubject: x\r\n\r\ny\r\n"));
	ASK(c, "LOGOUT", "* BYE logging out\r\nT OK LOGOUT done\r\n");
	client_close(&c);

	c = connect_new(false);
	hear(c);
	say(c, "a STARTTLS\r\n");
	CHECK_STR(hear(c), "a OK begin TLS now\r\n");
	say(c, "garbage instead of a handshake\r\n");
	hear_line(c); /* an alert, perhaps */
	client_close(&c);
	tls_release(&server.tls);
	tls_release(&trust);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
