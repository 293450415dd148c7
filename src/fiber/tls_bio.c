/* SPDX-License-Identifier: ISC */
#include <pthread.h>

#include <openssl/bio.h>

#include "fiber/io_priv.h"

/*
 * OpenSSL's own socket BIO does not tell whether it was the socket that had no more: SSL_read
 * also says WANT_READ behind a record that carried no data, and then octets may be waiting of
 * which an edge-triggered loop hears nothing again. This one notes it in the io. And it sends
 * without SIGPIPE.
 */
static int bio_result(BIO *bio, enum err e, size_t *done, int retry)
{
	struct io *io = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (e == OK)
		return 1;
	*done = 0;
	if (e == E_AGAIN) {
		io->blocked = true;
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
		return -1;
	}
	io->ended |= retry == BIO_FLAGS_READ;
	return 0;
}

static int bio_read(BIO *bio, char *p, size_t n, size_t *done)
{
	enum err e = io_try_recv(BIO_get_data(bio), p, n, done);

	return bio_result(bio, e, done, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *p, size_t n, size_t *done)
{
	enum err e = io_try_send(BIO_get_data(bio), p, n, done);

	return bio_result(bio, e, done, BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	const struct io *io = BIO_get_data(bio);

	(void)num, (void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH: return 1;
	case BIO_CTRL_EOF: return io->ended;
	default: return 0;
	}
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *method; /* for the life of the process */

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "io");
	BUG_IF(!method || !BIO_meth_set_read_ex(method, bio_read) ||
	       !BIO_meth_set_write_ex(method, bio_write) || !BIO_meth_set_ctrl(method, bio_ctrl) ||
	       !BIO_meth_set_create(method, bio_create));
}

BIO *tls_bio_new(struct io *io)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	BUG_IF(pthread_once(&once, make_method) != 0);
	BIO *bio = BIO_new(method);

	if (bio)
		BIO_set_data(bio, io);
	return bio;
}
