/* SPDX-License-Identifier: ISC */
#ifndef FIBER_IO_PRIV_H
#define FIBER_IO_PRIV_H
/*
 * io_priv.h - the inside of a connection. Private to the room.
 *
 * Both buffers come from a pool of equal ones and go back whenever the fiber is about to wait
 * with them empty. OpenSSL lives behind the three transport functions: one attempt each, that
 * says E_AGAIN and what to wait for.
 */
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "fiber/fiber_priv.h"
#include "fiber/io.h"

enum { IO_BUFFER = 16 * 1024 }; /* octets; a TLS record at its largest: RFC 8446 5.1 */

struct io {
	int fd;
	unsigned want;  /* after E_AGAIN of an attempt: FD_READ or FD_WRITE */
	enum err stuck; /* the first failure to write */
	bool strict_crlf;
	bool pretend_tls;
	bool tls_broken; /* no more may be said through ssl: SSL_shutdown(3) */
	bool blocked;    /* the socket said so to the last call on ssl */
	bool ended;      /* a read from the socket found its end or an error */
	SSL *ssl;        /* NULL: in clear */
	struct tls *tls;
	int64_t deadline;
	char *in; /* octets [in_off, in_end) are held */
	size_t in_off, in_end;
	char *out;
	size_t out_n;
	size_t burst; /* octets moved since the fiber last gave way */
	uint16_t port, local_port;
	char ip[INET6_ADDRSTRLEN];
	char *goodbye; /* owned; NULL: none */
};

char *io_buffer_get(void);
void io_buffer_put(char **p);

/* (suspends) What the last attempt wanted; and gives back the empty buffers first. */
MUST enum err io_await(struct io *io, struct signal *other, uint64_t seen);
/* (suspends) Lets other fibers run where a connection that never has to wait would not. */
void io_give_way(struct io *io, size_t moved);

/* One attempt. OK: *done octets of at most n. E_AGAIN: io->want says what for. */
MUST enum err io_try_read(struct io *io, char *p, size_t n, size_t *done);
MUST enum err io_try_write(struct io *io, const char *p, size_t n, size_t *done);

/* The same in clear, whatever io->ssl is. */
MUST enum err io_try_recv(struct io *io, char *p, size_t n, size_t *done);
MUST enum err io_try_send(struct io *io, const char *p, size_t n, size_t *done);

/* tls.c: the same through io->ssl */
MUST enum err tls_try_read(struct io *io, char *p, size_t n, size_t *done);
MUST enum err tls_try_write(struct io *io, const char *p, size_t n, size_t *done);
void tls_goodbye(struct io *io); /* close_notify if it needs no wait; frees ssl */
bool tls_holds(const struct io *io);
MUST enum err tls_begin(struct io *io, struct tls *t);
MUST enum err tls_finish(struct io *io); /* (suspends) the handshake */

/* tls_client.c */
void tls_judged(SSL *ssl, struct tls_info *info); /* sets fault and invalid */
void tls_proof(SSL *ssl, struct tls_info *info);  /* of a handshake that went well */

/* tls_bio.c: OpenSSL's way to the socket of io, who outlives it */
BIO *tls_bio_new(struct io *io);

/* tls_settings.c */
struct tls {
	unsigned refs;
	SSL_CTX *ctx;
};
struct str tls_reason(void); /* of the last failure in OpenSSL's queue, which it empties */

#endif
