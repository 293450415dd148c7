/* SPDX-License-Identifier: ISC */
/* tls_client.c - whom a client wants to reach, and how the server proves to be it: RFC 7672. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "fiber/io_priv.h"

enum { NAME_MAX_OCTETS = 255, USAGE_TA = 2, USAGE_EE = 3 };

static bool name_c(struct str name, char out[NAME_MAX_OCTETS + 1])
{
	if (name.n == 0 || name.n > NAME_MAX_OCTETS || str_has(name, 0))
		return false;
	memcpy(out, name.p, name.n);
	out[name.n] = 0;
	return true;
}

/* Gives how many records count; < 0: out of memory or the like. */
static int add_tlsa(SSL *ssl, const struct tls_wish *w)
{
	size_t n = w->ntlsa < TLSA_MAX ? w->ntlsa : TLSA_MAX;
	int usable = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tlsa *t = &w->tlsa[i];

		/* PKIX-TA and PKIX-EE are not for mail: RFC 7672 3.1.3 */
		if (t->usage != USAGE_TA && t->usage != USAGE_EE)
			continue;
		/* 0 and below: of a kind that is not known here, or octets that make no sense */
		if (SSL_dane_tlsa_add(ssl, t->usage, t->selector, t->matching,
				      (const unsigned char *)t->data.p, t->data.n) > 0)
			usable++;
	}
	ERR_clear_error();
	return usable;
}

/* Names that the certificate may have instead; an address has none. */
static bool add_names(SSL *ssl, const struct tls_wish *w)
{
	char name[NAME_MAX_OCTETS + 1];

	if (w->nalso > TLS_NAMES_MAX)
		return false;
	for (size_t i = 0; i < w->nalso; i++)
		if (!name_c(w->also[i], name) || SSL_add1_host(ssl, name) != 1)
			return false;
	return true;
}

/* A name of digits is an address: no SNI for it (RFC 6066 3), and another kind of match. The
 * subject is no place for a name (RFC 8461 4.2) but with DANE (RFC 7672 3.2.3). */
static bool set_name(SSL *ssl, const char *name, bool dane)
{
	unsigned subject = dane ? 0 : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	bool is_ip = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;

	if (is_ip)
		return true;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | subject);
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

static bool set_wish(SSL *ssl, const struct tls_wish *w)
{
	char name[NAME_MAX_OCTETS + 1];

	if (!name_c(w->name, name) || !set_name(ssl, name, w->proof == TLS_BY_DANE))
		return false;
	if (w->proof == TLS_BY_NAME)
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	if (w->proof == TLS_BY_DANE) {
		if (SSL_dane_enable(ssl, name) != 1)
			return false;
		if (add_tlsa(ssl, w) > 0)
			SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	}
	return add_names(ssl, w);
}

enum err io_tls_connect_as(struct io *io, struct tls *t, const struct tls_wish *wish)
{
	enum err e = tls_begin(io, t);

	if (e)
		return e;
	SSL_set_connect_state(io->ssl);
	if (!set_wish(io->ssl, wish)) {
		ERR_clear_error();
		io->stuck = E_SYNTAX;
		return E_SYNTAX;
	}
	return tls_finish(io);
}

enum err io_tls_connect(struct io *io, struct tls *t, struct str name, bool verify)
{
	const struct tls_wish wish = { .name = name, .proof = verify ? TLS_BY_NAME : TLS_UNPROVEN };

	return io_tls_connect_as(io, t, &wish);
}

static enum tls_fault fault_of(long result)
{
	switch (result) {
	case X509_V_OK: return TLS_FAULTLESS;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return TLS_WRONG_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return TLS_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED: return TLS_UNTRUSTED;
	case X509_V_ERR_DANE_NO_MATCH: return TLS_NO_MATCH;
	default: return TLS_FAULTY;
	}
}

void tls_judged(SSL *ssl, struct tls_info *info)
{
	long result = SSL_get_verify_result(ssl);

	info->fault = fault_of(result);
	if (result != X509_V_OK)
		info->invalid = X509_verify_cert_error_string(result);
}

void tls_proof(SSL *ssl, struct tls_info *info)
{
	if (!(SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER))
		return;
	info->proof = SSL_get0_dane_authority(ssl, NULL, NULL) >= 0 ? TLS_BY_DANE : TLS_BY_NAME;
}
