/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "fiber/io_priv.h"

enum { NO_DATA_COST = 4096 }; /* octets that a record without data counts for */

static void call(struct io *io)
{
	ERR_clear_error();
	io->blocked = false;
}

/* What a call on io->ssl that gave no result means; E_AGAIN and not io->blocked: it is to be
 * made again at once. */
static enum err failed(struct io *io, int ret)
{
	switch (SSL_get_error(io->ssl, ret)) {
	case SSL_ERROR_WANT_READ: io->want = FD_READ; return E_AGAIN;
	case SSL_ERROR_WANT_WRITE: io->want = FD_WRITE; return E_AGAIN;
	case SSL_ERROR_ZERO_RETURN: return E_CLOSED;
	default: io->tls_broken = true; return E_CLOSED;
	}
}

/* Whether the call is to be made again. A record without data is no progress that a peer would
 * wait for, and it may send many: key updates, tickets. */
static bool again(struct io *io, enum err *e)
{
	if (*e != E_AGAIN || io->blocked)
		return false;
	io_give_way(io, NO_DATA_COST);
	*e = fiber_canceled() ? E_CANCELED : OK;
	return *e == OK;
}

enum err tls_try_read(struct io *io, char *p, size_t n, size_t *done)
{
	enum err e;
	int ret;

	if (io->tls_broken)
		return E_CLOSED;
	do {
		call(io);
		ret = SSL_read_ex(io->ssl, p, n, done);
		if (ret > 0)
			return OK;
		e = failed(io, ret);
	} while (again(io, &e));
	return e;
}

enum err tls_try_write(struct io *io, const char *p, size_t n, size_t *done)
{
	enum err e;
	int ret;

	if (io->tls_broken)
		return E_CLOSED;
	do {
		call(io);
		ret = SSL_write_ex(io->ssl, p, n, done);
		if (ret > 0)
			return OK;
		e = failed(io, ret);
	} while (again(io, &e));
	return e;
}

void tls_goodbye(struct io *io)
{
	if (!io->ssl)
		return;
	/* After a write that stuck half way, close_notify would land inside its record. */
	if (!io->tls_broken && !io->stuck && SSL_is_init_finished(io->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(io->ssl);
	}
	SSL_free(io->ssl);
	ERR_clear_error();
	io->ssl = NULL;
	tls_release(&io->tls);
}

bool tls_holds(const struct io *io)
{
	return io->ssl && SSL_pending(io->ssl) > 0;
}

static enum err handshake(struct io *io)
{
	for (;;) {
		if (fiber_canceled())
			return E_CANCELED;
		call(io);
		int ret = SSL_do_handshake(io->ssl);

		if (ret == 1)
			return OK;
		enum err e = failed(io, ret);

		if (again(io, &e))
			continue;
		if (e == E_AGAIN)
			e = io_await(io, NULL, 0);
		if (e)
			return e;
	}
}

/* Where the socket has not ended, OpenSSL has something to say about the handshake. */
static enum err refused(struct io *io, enum err e)
{
	struct str reason = tls_reason();
	long verify = SSL_get_verify_result(io->ssl);

	io->tls_broken = true;
	if (e == E_CLOSED && !io->ended && reason.n)
		e = E_SYNTAX;
	if (SSL_get_verify_mode(io->ssl) & SSL_VERIFY_PEER && verify != X509_V_OK &&
	    e == E_SYNTAX) {
		reason = str_of(X509_verify_cert_error_string(verify));
		e = E_DENIED;
	}
	log_event(LOG_INFO, "tls.failed", KVE(e), KV("reason", reason));
	return e;
}

enum err tls_begin(struct io *io, struct tls *t)
{
	BUG_IF(io->ssl);
	enum err e = io_flush(io);

	if (e)
		return e;
	io->in_off = io->in_end = 0; /* in clear, and so perhaps of another: RFC 3207 4.2 */
	io_buffer_put(&io->in);
	io->ssl = SSL_new(t->ctx);
	BIO *bio = tls_bio_new(io);

	BUG_IF(!io->ssl || !bio); /* no memory */
	SSL_set_bio(io->ssl, bio, bio);
	io->tls = tls_hold(t);
	return OK;
}

enum err tls_finish(struct io *io)
{
	enum err e = handshake(io);

	if (e == OK)
		return OK;
	e = refused(io, e);
	io->stuck = e;
	return e;
}

enum err io_tls_accept(struct io *io, struct tls *t)
{
	enum err e = tls_begin(io, t);

	if (e)
		return e;
	SSL_set_accept_state(io->ssl);
	return tls_finish(io);
}

static const char *group_of(SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
	return SSL_get0_group_name(ssl);
#else
	int nid = (int)SSL_get_negotiated_group(ssl);

	return nid > 0 && !(nid & TLSEXT_nid_unknown) ? OBJ_nid2sn(nid) : NULL;
#endif
}

struct tls_info io_tls(const struct io *io)
{
	struct tls_info info = { .on = io->pretend_tls };

	if (info.on) {
		info.version = "TLSv1.3";
		info.cipher = "TLS_AES_256_GCM_SHA384";
		info.bits = 256;
	}
	if (!io->ssl)
		return info;
	if (!SSL_is_server(io->ssl))
		tls_judged(io->ssl, &info);
	if (!SSL_is_init_finished(io->ssl))
		return info;
	info.on = true;
	info.version = SSL_get_version(io->ssl);
	info.cipher = SSL_get_cipher_name(io->ssl);
	info.bits = SSL_get_cipher_bits(io->ssl, NULL);
	info.group = group_of(io->ssl);
	info.sni = str_of(SSL_get_servername(io->ssl, TLSEXT_NAMETYPE_host_name));
	if (!SSL_is_server(io->ssl))
		tls_proof(io->ssl, &info);
	return info;
}

void io_pretend_tls(struct io *io)
{
	io->pretend_tls = true;
}
