/* SPDX-License-Identifier: ISC */
/* How a server proves to a client who it is: by name, by DANE, or not at all. */
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "check.h"
#include "fiber/io.h"

static struct arena *memory; /* of the whole program */
static struct tls *server_tls, *stranger, *friend;
static struct str ca_pem, key_digest, ca_digest, ca_whole;

/* --- an authority, and a server's certificate whose time is over where that is wanted --- */

static void extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	CHECK(ext && X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static X509 *certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by, long until,
			 bool named)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x), until);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject);
	if (issuer && named)
		extension(x, NID_subject_alt_name, "DNS:mail.test");
	if (!issuer)
		extension(x, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(x, by, EVP_sha256());
	return x;
}

static struct str pem_of(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str s = str_dup(memory, STR(p, (size_t)n));

	BIO_free(bio);
	return s;
}

static struct str digest(unsigned char *der, int n)
{
	char *sum = arena_alloc(memory, 32);

	CHECK(EVP_Digest(der, (size_t)n, (unsigned char *)sum, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(der);
	return STR(sum, 32);
}

/* named: by a subjectAltName, as it should be; else in its subject alone. */
static struct tls *make_server(long until, bool named)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = certificate(ca_key, "Authority", NULL, ca_key, 7200, false);
	X509 *x = certificate(key, "mail.test", ca, ca_key, until, named);
	BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem()),
	    *root = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	struct tls *t = NULL;
	struct str why;

	PEM_write_bio_X509(chain, x);
	PEM_write_bio_X509(chain, ca);
	PEM_write_bio_X509(root, ca);
	PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
	ca_pem = pem_of(root);
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	key_digest = digest(der, n);
	der = NULL;
	n = i2d_X509(ca, &der);
	ca_whole = str_dup(memory, STR((char *)der, (size_t)n));
	ca_digest = digest(der, n);
	struct str chain_pem = pem_of(chain), key_pem = pem_of(secret);

	CHECK_NUM(tls_server_new(chain_pem, key_pem, memory, &t, &why), OK);
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return t;
}

/* --- a connection --- */

struct serving {
	struct io *io;
	enum err got;
};

static void accept_tls(void *arg)
{
	struct serving *s = arg;

	s->got = io_tls_accept(s->io, server_tls);
	if (s->got == OK && io_flush(s->io))
		s->got = E_CLOSED;
}

static enum err meet(struct tls *t, const struct tls_wish *wish, struct tls_info *info)
{
	struct group *g = group_new();
	struct serving s = { 0 };
	int fd[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	s.io = io_new(fd[0]);
	struct io *client = io_new(fd[1]);

	io_deadline(s.io, clock_in(5000));
	io_deadline(client, clock_in(5000));
	CHECK_NUM(group_spawn(g, "accept", accept_tls, &s), OK);
	enum err e = io_tls_connect_as(client, t, wish);

	*info = io_tls(client);
	io_close(&client);
	group_close(&g);
	io_close(&s.io);
	return e;
}

/* --- the tables --- */

static void test_names(void)
{
	static const struct {
		const char *name;
		bool trusts;
		enum tls_proof wish, proof;
		enum err result;
		enum tls_fault fault;
	} table[] = {
		{ "mail.test", true, TLS_BY_NAME, TLS_BY_NAME, OK, TLS_FAULTLESS },
		{ "other.test", true, TLS_BY_NAME, TLS_UNPROVEN, E_DENIED, TLS_WRONG_NAME },
		{ "mail.test", false, TLS_BY_NAME, TLS_UNPROVEN, E_DENIED, TLS_UNTRUSTED },
		{ "192.0.2.1", true, TLS_BY_NAME, TLS_UNPROVEN, E_DENIED, TLS_WRONG_NAME },
		/* what nobody asked to be proven is told all the same */
		{ "mail.test", true, TLS_UNPROVEN, TLS_UNPROVEN, OK, TLS_FAULTLESS },
		{ "other.test", true, TLS_UNPROVEN, TLS_UNPROVEN, OK, TLS_WRONG_NAME },
		{ "mail.test", false, TLS_UNPROVEN, TLS_UNPROVEN, OK, TLS_UNTRUSTED },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		const struct tls_wish wish = { .name = str_of(table[i].name),
					       .proof = table[i].wish };
		struct tls_info info;
		enum err e = meet(table[i].trusts ? friend : stranger, &wish, &info);

		CHECK_NUM(e, table[i].result);
		if (e == OK)
			CHECK_NUM(info.proof, table[i].proof);
		CHECK_NUM(info.fault, table[i].fault);
		CHECK(!info.invalid == (info.fault == TLS_FAULTLESS));
		CHECK(e || (info.on && info.version && info.cipher && info.group));
	}
	const struct tls_wish no_names[] = { { .name = S("") }, { .name = S("a\0b") } };
	struct tls_info info;

	CHECK_NUM(meet(friend, &no_names[0], &info), E_SYNTAX);
	CHECK_NUM(meet(friend, &no_names[1], &info), E_SYNTAX);
}

static void test_dane(void)
{
	const struct str wrong = S("0123456789abcdef0123456789abcdef");
	const struct str also = S("mail.test");
	const struct tlsa key = { 3, 1, 1, key_digest }, ca = { 2, 0, 1, ca_digest };
	const struct tlsa bad_key = { 3, 1, 1, wrong }, bad_ca = { 2, 0, 1, wrong };
	const struct tlsa whole_ca = { 2, 0, 0, ca_whole };
	const struct tlsa pkix = { 1, 1, 1, key_digest }, pkix_ca = { 0, 0, 1, ca_digest };
	const struct tlsa cut = { 3, 1, 1, str_part(key_digest, 0, 31) };
	const struct tlsa odd = { 3, 1, 77, key_digest }, odder = { 3, 9, 1, key_digest };
	const struct {
		const char *name;
		size_t nalso;
		struct tlsa tlsa[3];
		size_t n;
		enum err result;
		int proof; /* of one that went well, else its fault */
	} table[] = {
		{ "mail.test", 0, { key }, 1, OK, TLS_BY_DANE },
		{ "other.test", 0, { key }, 1, OK, TLS_BY_DANE }, /* RFC 7672 3.1.1 */
		{ "mail.test", 0, { bad_key }, 1, E_DENIED, TLS_NO_MATCH },
		{ "mail.test", 0, { bad_key, key }, 2, OK, TLS_BY_DANE },
		{ "mail.test", 0, { ca }, 1, OK, TLS_BY_DANE },
		{ "mail.test", 0, { whole_ca }, 1, OK, TLS_BY_DANE },
		{ "other.test", 0, { ca }, 1, E_DENIED, TLS_WRONG_NAME }, /* RFC 7672 3.1.2 */
		{ "other.test", 1, { ca }, 1, OK, TLS_BY_DANE },
		{ "mail.test", 0, { bad_ca }, 1, E_DENIED, TLS_NO_MATCH },
		/* none that is of use: TLS, and nothing proven */
		{ "mail.test", 0, { pkix, pkix_ca }, 2, OK, TLS_UNPROVEN },
		{ "mail.test", 0, { cut, odd, odder }, 3, OK, TLS_UNPROVEN },
		{ "mail.test", 0, { cut }, 0, OK, TLS_UNPROVEN },
		/* one that is of use counts, whatever stands beside it */
		{ "mail.test", 0, { pkix, cut, bad_key }, 3, E_DENIED, TLS_NO_MATCH },
		{ "mail.test", 0, { odd, pkix, key }, 3, OK, TLS_BY_DANE },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		const struct tls_wish wish = { .name = str_of(table[i].name),
					       .proof = TLS_BY_DANE,
					       .tlsa = table[i].tlsa,
					       .ntlsa = table[i].n,
					       .also = &also,
					       .nalso = table[i].nalso };
		struct tls_info info;
		enum err e = meet(stranger, &wish, &info);

		int got = e ? (int)info.fault : (int)info.proof;

		if (!CHECK_NUM(e, table[i].result) || !CHECK_NUM(got, table[i].proof))
			fprintf(stderr, "  in row %zu\n", i);
	}
}

/* Usage 3 looks at no date, usage 2 does: RFC 7671 5.1. */
static void test_expired(void)
{
	tls_release(&server_tls);
	server_tls = make_server(-3600, true);
	const struct tlsa key = { 3, 1, 1, key_digest }, ca = { 2, 0, 1, ca_digest };
	struct tls_wish wish = {
		.name = S("mail.test"), .proof = TLS_BY_DANE, .tlsa = &key, .ntlsa = 1
	};
	struct tls_info info;

	CHECK_NUM(meet(stranger, &wish, &info), OK);
	CHECK_NUM(info.proof, TLS_BY_DANE);
	wish.tlsa = &ca;
	CHECK_NUM(meet(stranger, &wish, &info), E_DENIED);
	CHECK_NUM(info.fault, TLS_EXPIRED);
}

/* A name in the subject is one with DANE alone: RFC 8461 4.2, RFC 7672 3.2.3. */
static void test_subject(void)
{
	tls_release(&server_tls);
	server_tls = make_server(3600, false);
	CHECK_NUM(tls_client_trust(friend, ca_pem), OK);
	const struct tlsa ca = { 2, 0, 1, ca_digest };
	struct tls_wish wish = { .name = S("mail.test"), .proof = TLS_BY_NAME };
	struct tls_info info;

	CHECK_NUM(meet(friend, &wish, &info), E_DENIED);
	CHECK_NUM(info.fault, TLS_WRONG_NAME);
	wish.proof = TLS_UNPROVEN;
	CHECK_NUM(meet(friend, &wish, &info), OK);
	CHECK_NUM(info.fault, TLS_WRONG_NAME);
	wish = (struct tls_wish){
		.name = S("mail.test"), .proof = TLS_BY_DANE, .tlsa = &ca, .ntlsa = 1
	};
	CHECK_NUM(meet(stranger, &wish, &info), OK);
	CHECK_NUM(info.proof, TLS_BY_DANE);
}

static struct str der_digest(X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	return digest(der, n);
}

/* The trust anchor of usage 2 may be one that is itself issued; what is above it counts for nothing
 * and need not be there: RFC 7671 5.2. */
static void test_intermediate(void)
{
	EVP_PKEY *key[] = { EVP_EC_gen("P-256"), EVP_EC_gen("P-256"), EVP_EC_gen("P-256") };
	X509 *root = certificate(key[0], "Root", NULL, key[0], 7200, false);
	X509 *middle = certificate(key[1], "Middle", root, key[0], 7200, false);
	BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	struct str why;

	extension(middle, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(middle, key[0], EVP_sha256());
	X509 *x = certificate(key[2], "mail.test", middle, key[1], 3600, true);

	PEM_write_bio_X509(chain, x);
	PEM_write_bio_X509(chain, middle);
	PEM_write_bio_PrivateKey(secret, key[2], NULL, NULL, 0, NULL, NULL);
	struct str chain_pem = pem_of(chain), key_pem = pem_of(secret);
	struct tlsa by_middle = { 2, 0, 1, der_digest(middle) };
	struct tlsa by_root = { 2, 0, 1, der_digest(root) };
	struct tls_wish wish = {
		.name = S("mail.test"), .proof = TLS_BY_DANE, .tlsa = &by_middle, .ntlsa = 1
	};
	struct tls_info info;

	tls_release(&server_tls);
	CHECK_NUM(tls_server_new(chain_pem, key_pem, memory, &server_tls, &why), OK);
	CHECK_NUM(meet(stranger, &wish, &info), OK);
	CHECK_NUM(info.proof, TLS_BY_DANE);
	wish.name = S("other.test");
	CHECK_NUM(meet(stranger, &wish, &info), E_DENIED);
	CHECK_NUM(info.fault, TLS_WRONG_NAME);
	wish.name = S("mail.test");
	wish.tlsa = &by_root; /* which is not shown: RFC 7672 3.1.2 */
	CHECK_NUM(meet(stranger, &wish, &info), E_DENIED);
	for (size_t i = 0; i < LENGTH(key); i++)
		EVP_PKEY_free(key[i]);
	X509_free(root);
	X509_free(middle);
	X509_free(x);
}

/* The best key exchange that the library has: between us the hybrid one, where it is there. */
static void test_group(void)
{
	const struct tls_wish wish = { .name = S("mail.test") };
	struct tls_info info;
	bool hybrid = OPENSSL_VERSION_NUMBER >= 0x30500000L;

	CHECK_NUM(meet(stranger, &wish, &info), OK);
	CHECK_STR(str_of(info.version), "TLSv1.3");
	CHECK(str_iis(str_of(info.group), hybrid ? "X25519MLKEM768" : "X25519"));
}

static void quiet(void *arg, struct str line)
{
	(void)arg, (void)line;
}

static void all(void *arg)
{
	(void)arg;
	memory = arena_new(16 << 20);
	log_capture(quiet, NULL);
	stranger = tls_client_new();
	friend = tls_client_new();
	server_tls = make_server(3600, true);
	CHECK_NUM(tls_client_trust(friend, S("no certificate")), E_SYNTAX);
	CHECK_NUM(tls_client_trust(friend, str_part(ca_pem, 0, ca_pem.n - 40)), E_SYNTAX);
	CHECK_NUM(tls_client_trust(friend, ca_pem), OK);
	test_names();
	test_dane();
	test_group();
	test_expired();
	test_subject();
	test_intermediate();
	tls_release(&server_tls);
	tls_release(&stranger);
	tls_release(&friend);
	arena_free(&memory);
}

int main(void)
{
	fiber_main(all, NULL);
	return check_done();
}
