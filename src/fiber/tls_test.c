/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "fiber/io.h"

static struct arena *memory; /* of the whole program */
static struct tls *server_tls, *client_tls;

/* --- certificates made up here --- */

static struct str pem_of(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(memory, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static X509 *certificate(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	char alt[64];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(x, subject);
	(void)snprintf(alt, sizeof alt, "DNS:%s", name);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);

	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x, key, EVP_sha256());
	return x;
}

static void make_pem(const char *name, struct str *cert, struct str *key_pem, struct str *locked)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate(key, name);
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	*cert = pem_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	*key_pem = pem_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), (const unsigned char *)"pw", 2, NULL,
				 NULL);
	*locked = pem_of(bio);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* --- both ends of a connection --- */

struct ends {
	int fd[2];
	struct io *server, *client;
	enum err got;
	struct group *g;
};

static void ends_new(struct ends *e)
{
	*e = (struct ends){ .g = group_new() };
	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e->fd), 0);
	e->server = io_new(e->fd[0]);
	e->client = io_new(e->fd[1]);
	io_deadline(e->server, clock_in(5000));
	io_deadline(e->client, clock_in(5000));
}

static void ends_close(struct ends *e)
{
	group_close(&e->g);
	io_close(&e->server);
	io_close(&e->client);
}

static void accept_tls(void *arg)
{
	struct ends *e = arg;

	e->got = io_tls_accept(e->server, server_tls);
}

static void greet(struct ends *e)
{
	CHECK_NUM(group_spawn(e->g, "accept", accept_tls, e), OK);
	CHECK_NUM(io_tls_connect(e->client, client_tls, S("mail.test"), false), OK);
	CHECK_NUM(group_wait(e->g, clock_in(5000)), OK);
	CHECK_NUM(e->got, OK);
}

static void test_handshake(void)
{
	struct ends e;
	struct str s;

	ends_new(&e);
	CHECK(!io_tls(e.server).on);
	greet(&e);
	struct tls_info i = io_tls(e.server);

	CHECK(i.on);
	CHECK_STR(str_of(i.version), "TLSv1.3");
	CHECK_STR(str_of(i.cipher), "TLS_AES_256_GCM_SHA384");
	CHECK_NUM(i.bits, 256);
	CHECK(i.group && *i.group);
	CHECK_STR(i.sni, "mail.test");
	io_put(e.client, S("EHLO me\r\nNOOP\r\n"));
	CHECK_NUM(io_flush(e.client), OK);
	CHECK_NUM(io_line(e.server, memory, 100, &s), OK);
	CHECK_STR(s, "EHLO me");
	CHECK(io_buffered(e.server));
	CHECK_NUM(io_line(e.server, memory, 100, &s), OK);
	CHECK_STR(s, "NOOP");
	CHECK(!io_buffered(e.server));
	io_put(e.server, S("221 bye\r\n"));
	io_close(&e.server);
	CHECK_NUM(io_line(e.client, memory, 100, &s), OK);
	CHECK_STR(s, "221 bye");
	CHECK_NUM(io_line(e.client, memory, 100, &s), E_CLOSED);
	ends_close(&e);
}

/* The record layer's own buffer holds octets that the socket no longer shows. */
static void test_buffered_record(void)
{
	struct ends e;
	struct str s;

	ends_new(&e);
	greet(&e);
	io_put(e.client, S("0123456789"));
	CHECK_NUM(io_flush(e.client), OK);
	CHECK_NUM(io_take(e.server, memory, 4, &s), OK); /* read past the buffer of the io */
	CHECK_STR(s, "0123");
	CHECK(io_buffered(e.server));
	CHECK_NUM(io_wait(e.server, NULL, 0), OK);
	CHECK_NUM(io_some(e.server, 100, &s), OK);
	CHECK_STR(s, "456789");
	CHECK(!io_buffered(e.server));
	ends_close(&e);
}

static void send_much(void *arg)
{
	struct ends *e = arg;
	static char text[3 * 1024 * 1024 + 7];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 7 % 251);
	io_put(e->client, S("begin"));
	io_put(e->client, STR(text, sizeof text));
	e->got = io_flush(e->client);
}

static void test_much(void)
{
	struct ends e;
	struct str s;
	size_t n = 0;
	bool same = true;

	ends_new(&e);
	greet(&e);
	CHECK_NUM(group_spawn(e.g, "much", send_much, &e), OK);
	CHECK_NUM(io_skip(e.server, 5), OK);
	while (n < 3 * 1024 * 1024 + 7 && io_some(e.server, 9999, &s) == OK)
		for (size_t i = 0; i < s.n; i++, n++)
			same = same && s.p[i] == (char)(n * 7 % 251);
	CHECK_NUM(n, 3 * 1024 * 1024 + 7);
	CHECK(same);
	CHECK_NUM(group_wait(e.g, clock_in(5000)), OK);
	CHECK_NUM(e.got, OK);
	ends_close(&e);
}

/* A command in clear behind STARTTLS is not heard: RFC 3207 4.2. */
static void test_injection(void)
{
	struct ends e;
	struct str s;

	ends_new(&e);
	io_put(e.client, S("STARTTLS\r\nMAIL FROM:<evil@example>\r\n"));
	CHECK_NUM(io_flush(e.client), OK);
	CHECK_NUM(io_line(e.server, memory, 100, &s), OK);
	CHECK(io_buffered(e.server));
	io_put(e.server, S("220 go ahead\r\n"));
	CHECK_NUM(group_spawn(e.g, "accept", accept_tls, &e), OK);
	CHECK_NUM(io_line(e.client, memory, 100, &s), OK); /* the handshake sent what was owed */
	CHECK_STR(s, "220 go ahead");
	CHECK_NUM(io_tls_connect(e.client, client_tls, S("mail.test"), false), OK);
	io_put(e.client, S("EHLO again\r\n"));
	CHECK_NUM(io_flush(e.client), OK);
	CHECK_NUM(group_wait(e.g, clock_in(5000)), OK);
	CHECK_NUM(io_line(e.server, memory, 100, &s), OK);
	CHECK_STR(s, "EHLO again");
	ends_close(&e);
}

static char last_log[1024];

static void keep_log(void *arg, struct str line)
{
	(void)arg;
	line = str_part(line, 0, sizeof last_log - 1);
	memcpy(last_log, line.p, line.n);
	last_log[line.n] = 0;
}

static bool logged(const char *what)
{
	return str_find_str(str_of(last_log), str_of(what)) < strlen(last_log);
}

static void test_refused(void)
{
	static const struct {
		const char *octets;
		size_t n;
		enum err want;
	} table[] = {
		{ "EHLO I speak no TLS\r\n", 21, E_SYNTAX },
		{ "\x16\x03\x01\xff\xff\x01\0\0", 8, E_SYNTAX },
		{ "\x16\x03\x01\0\x05\x01\0\0\x01\0", 10, E_SYNTAX },
		{ "\x15\x03\x01\0\x02\x02\x28", 7, E_SYNTAX },
		{ "", 0, E_CLOSED },
		{ "\x16\x03", 2, E_CLOSED },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct ends e;
		struct str s;

		ends_new(&e);
		last_log[0] = 0;
		io_put(e.client, STR(table[i].octets, table[i].n));
		CHECK_NUM(io_flush(e.client), OK);
		io_close(&e.client);
		enum err got = io_tls_accept(e.server, server_tls);

		CHECK_NUM(got, table[i].want);
		CHECK(logged("event=tls.failed"));
		CHECK(io_line(e.server, memory, 10, &s) != OK);
		ends_close(&e);
	}
}

static void test_slow(void)
{
	struct ends e;

	ends_new(&e);
	io_deadline(e.server, clock_in(10));
	CHECK_NUM(io_tls_accept(e.server, server_tls), E_TIMEOUT); /* nothing ever comes */
	ends_close(&e);

	ends_new(&e);
	CHECK_NUM(group_spawn(e.g, "accept", accept_tls, &e), OK);
	fiber_yield();
	group_close(&e.g);
	CHECK_NUM(e.got, E_CANCELED);
	ends_close(&e);

	/* A peer that stops reading ends a flush at its deadline, and closing still waits for
	 * nothing. */
	ends_new(&e);
	greet(&e);
	char *p = mem_new(4 * 1024 * 1024);

	io_deadline(e.server, clock_in(20));
	io_put(e.server, STR(p, 4 * 1024 * 1024));
	CHECK_NUM(io_flush(e.server), E_TIMEOUT);
	ends_close(&e);
	free(p);
}

static void test_verify(void)
{
	struct ends e;

	ends_new(&e);
	CHECK_NUM(group_spawn(e.g, "accept", accept_tls, &e), OK);
	CHECK_NUM(io_tls_connect(e.client, client_tls, S("mail.test"), true), E_DENIED);
	CHECK(logged("self-signed") || logged("self signed"));
	CHECK_NUM(group_wait(e.g, clock_in(5000)), OK);
	ends_close(&e);
}

/* The one certificate that the client trusts here, and for its own name only. */
static void test_trusted(struct str cert)
{
	char path[] = "/tmp/tls-test-XXXXXX";
	int fd = mkstemp(path);
	struct ends e;

	CHECK_NUM(write(fd, cert.p, cert.n), cert.n);
	close(fd);
	setenv("SSL_CERT_FILE", path, 1);
	struct tls *trusting = tls_client_new(), *before = client_tls;

	client_tls = trusting;
	for (int right = 0; right < 2; right++) {
		ends_new(&e);
		CHECK_NUM(group_spawn(e.g, "accept", accept_tls, &e), OK);
		CHECK_NUM(io_tls_connect(e.client, trusting,
					 right ? S("mail.test") : S("other.test"), true),
			  right ? OK : E_DENIED);
		CHECK_NUM(group_wait(e.g, clock_in(5000)), OK);
		ends_close(&e);
	}
	client_tls = before;
	tls_release(&trusting);
	unlink(path);
	unsetenv("SSL_CERT_FILE");
}

/* An old client, and one that wants no forward secrecy. */
static void raw_client(struct ends *e, int version, const char *ciphers)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	CHECK(!ciphers || SSL_CTX_set_cipher_list(ctx, ciphers) == 1);
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, e->fd[1]);
	SSL_set_connect_state(ssl);
	for (int i = 0; i < 50 && SSL_do_handshake(ssl) != 1; i++)
		CHECK_NUM(fiber_sleep(clock_in(1)), OK);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void test_versions(void)
{
	static const struct {
		int version;
		const char *ciphers;
		enum err want;
	} table[] = {
		{ TLS1_1_VERSION, NULL, E_SYNTAX },
		{ TLS1_2_VERSION, "AES256-GCM-SHA384", E_SYNTAX },
		{ TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384", E_SYNTAX },
		{ TLS1_2_VERSION, NULL, OK },
		{ TLS1_3_VERSION, NULL, OK },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct ends e;

		ends_new(&e);
		CHECK_NUM(group_spawn(e.g, "accept", accept_tls, &e), OK);
		raw_client(&e, table[i].version, table[i].ciphers);
		CHECK_NUM(group_wait(e.g, clock_in(1000)), OK);
		CHECK_NUM(e.got, table[i].want);
		if (!table[i].want && table[i].version == TLS1_2_VERSION)
			CHECK_STR(str_of(io_tls(e.server).version), "TLSv1.2");
		ends_close(&e);
	}
}

/* Sockets that hold next to nothing: the handshake has to wait for room to write as well. */
static void test_tight(struct tls *large)
{
	struct ends e;
	struct tls *before = server_tls;
	struct str s;
	int least = 1;

	server_tls = large;
	ends_new(&e);
	for (int i = 0; i < 2; i++)
		CHECK_NUM(setsockopt(e.fd[i], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
	greet(&e);
	io_put(e.client, S("through\r\n"));
	CHECK_NUM(io_flush(e.client), OK);
	CHECK_NUM(io_line(e.server, memory, 100, &s), OK);
	CHECK_STR(s, "through");
	ends_close(&e);
	server_tls = before;
}

struct line_of {
	struct ends *ends;
	struct str line;
	enum err got;
};

static void accept_and_read(void *arg)
{
	struct line_of *l = arg;

	l->got = io_tls_accept(l->ends->server, server_tls);
	if (!l->got)
		l->got = io_line(l->ends->server, memory, 100, &l->line);
}

/* Drives an attempt on a raw client's ssl, and the others between attempts. */
static bool raw_do(SSL *ssl, int (*attempt)(SSL *ssl))
{
	for (int i = 0; i < 200; i++) {
		if (attempt(ssl) > 0)
			return true;
		if (fiber_sleep(clock_in(1)) != OK)
			return false;
	}
	return false;
}

static int raw_write(SSL *ssl)
{
	return SSL_write(ssl, "line\r\n", 6);
}

/* Records that carry no data, one behind the other: RFC 8446 4.6.3. */
static void test_key_updates(void)
{
	struct ends e;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);

	ends_new(&e);
	struct line_of l = { .ends = &e };

	CHECK_NUM(group_spawn(e.g, "reads", accept_and_read, &l), OK);
	SSL_set_fd(ssl, e.fd[1]);
	SSL_set_connect_state(ssl);
	CHECK(raw_do(ssl, SSL_do_handshake));
	for (int i = 0; i < 300; i++) {
		CHECK_NUM(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		if (!raw_do(ssl, SSL_do_handshake))
			check_that(false, __FILE__, __LINE__, "key update sent");
	}
	CHECK(raw_do(ssl, raw_write));
	CHECK_NUM(group_wait(e.g, clock_in(5000)), OK);
	CHECK_NUM(l.got, OK);
	CHECK_STR(l.line, "line");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ends_close(&e);
}

static bool why_has(struct str cert, struct str key, const char *word)
{
	struct tls *t = NULL;
	struct str why = S_NONE;
	enum err e = tls_server_new(cert, key, memory, &t, &why);

	CHECK(!t);
	if (e == E_SYNTAX && str_find_str(why, str_of(word)) < why.n)
		return true;
	fprintf(stderr, "why: %.*s\n", FMT(why));
	return false;
}

static void everything(void *arg)
{
	struct str cert, key, locked, other_cert, other_key, other_locked, why;

	(void)arg;
	log_capture(keep_log, NULL);
	make_pem("mail.test", &cert, &key, &locked);
	make_pem("other.test", &other_cert, &other_key, &other_locked);
	CHECK(why_has(S_NONE, key, "no certificate"));
	CHECK(why_has(key, key, "no certificate"));
	CHECK(why_has(str_fmt(memory,
			      "%.*s-----BEGIN CERTIFICATE-----\nMIIB\n"
			      "-----END CERTIFICATE-----\n",
			      FMT(cert)),
		      key, "certificate 2 cannot be used"));
	CHECK(why_has(cert, S_NONE, "no private key"));
	CHECK(why_has(cert, cert, "no private key"));
	CHECK(why_has(cert, locked, "password"));
	CHECK(why_has(cert, other_key, "does not belong"));
	CHECK(why_has(cert, S("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
		      "cannot be read"));
	struct str chain = str_fmt(memory, "%.*s%.*s", FMT(cert), FMT(other_cert));

	CHECK_NUM(tls_server_new(chain, key, memory, &server_tls, &why), OK);
	client_tls = tls_client_new();
	test_handshake();
	test_buffered_record();
	test_much();
	test_injection();
	test_refused();
	test_slow();
	test_verify();
	test_trusted(cert);
	test_versions();
	test_key_updates();
	for (int i = 0; i < 5; i++)
		chain = str_fmt(memory, "%.*s%.*s", FMT(chain), FMT(chain));
	struct tls *large;

	CHECK_NUM(tls_server_new(chain, key, memory, &large, &why), OK);
	test_tight(large);
	tls_release(&large);
	struct ends e;

	ends_new(&e);
	greet(&e);
	tls_release(&server_tls); /* open connections keep it */
	tls_release(&client_tls);
	CHECK(!server_tls && io_tls(e.server).on);
	ends_close(&e);
	ends_new(&e);
	io_pretend_tls(e.server);
	CHECK(io_tls(e.server).on);
	ends_close(&e);
	log_capture(NULL, NULL);
}

int main(void)
{
	memory = arena_new(16 * 1024 * 1024);
	fiber_main(everything, NULL);
	arena_free(&memory);
	return check_done();
}
