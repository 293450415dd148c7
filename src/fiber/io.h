/* SPDX-License-Identifier: ISC */
#ifndef FIBER_IO_H
#define FIBER_IO_H
/*
 * io.h - a connection: lines, counted octets and TLS, with one deadline and bounded buffers.
 *
 * Owner:    the fiber that made it; one fiber at a time.
 * Suspends: all but those marked (quick).
 * Sending:  io_put collects; what is owed goes out when the buffer is full, at io_flush, and
 *           before any read that would wait (so pipelined commands share one packet).
 *           A failed write sticks: later puts are no-ops and the next read or flush says it.
 * Errors:   E_CLOSED (peer gone or reset), E_TIMEOUT, E_CANCELED, E_IO.
 * Memory:   buffers come with the first octet and go when empty at a wait: an idle
 *           connection holds next to nothing.
 */
#include "base/base.h"
#include "fiber/fiber.h"
#include "fiber/tlsa.h"

struct io;
struct tls; /* a server's or client's TLS settings: certificate, versions, ciphers */

/* Takes over a connected, non-blocking socket; closes it with the io. */
struct io *io_new(int fd);
/* Sends what is owed if that needs no wait, says goodbye in TLS, closes, sets NULL. */
void io_close(struct io **io);

/* --- who is there (quick) --- */
struct io_peer {
	struct str ip; /* numeric; lives as long as the io; "" for a unix socket */
	uint16_t port;
	uint16_t local_port;
};
struct io_peer io_peer(const struct io *io);
/* Tests and trusted front ends: what io_peer shall say. ip is copied. */
void io_set_peer(struct io *io, struct str ip, uint16_t port);

/* Why its fiber is canceled, for the protocol's goodbye; "" where nothing was said: the server is
 * going down. why is copied, its first 200 octets. */
void io_set_goodbye(struct io *io, struct str why);
struct str io_goodbye(const struct io *io);

/* --- deadlines (quick) --- */
void io_deadline(struct io *io, int64_t deadline); /* for all that follows, until set anew */

/* --- reading --- */
/* One line into the arena, without its CRLF. A bare LF ends a line too unless io_strict_crlf;
 * NUL comes through. E_LIMIT: over max octets without the CRLF (the line is skipped to its end,
 * reading on is fine). */
MUST enum err io_line(struct io *io, struct arena *a, size_t max, struct str *out);
/* Exactly n octets into the arena. n is bounded by the caller. */
MUST enum err io_take(struct io *io, struct arena *a, size_t n, struct str *out);
/* 1..max octets of what comes next, as a view that lives until the next call on this io. */
MUST enum err io_some(struct io *io, size_t max, struct str *out);
MUST enum err io_skip(struct io *io, uint64_t n);
/* (quick) From now on only CRLF ends a line, a bare LF belongs to it: RFC 5321 2.3.8. */
void io_strict_crlf(struct io *io, bool on);
bool io_buffered(const struct io *io); /* (quick) octets of the peer wait here already */
/* Looks once, without waiting for the peer: OK: octets of its are here; E_AGAIN: none yet. */
MUST enum err io_look(struct io *io);
/* Waits until there is something to read (OK), or `other` has left `seen` (E_AGAIN; other
 * may be NULL). Trims buffers and stack first: made for IDLE. */
MUST enum err io_wait(struct io *io, struct signal *other, uint64_t seen);

/* --- writing --- */
void io_put(struct io *io, struct str s);
void io_fmt(struct io *io, const char *fmt, ...) PRINTF(2, 3); /* at most 4096 octets */
MUST enum err io_flush(struct io *io);
/* (quick) The first error that stuck, or OK: for long streams that want to stop early. */
enum err io_failed(const struct io *io);

/* --- TLS --- */
struct tls_info {
	bool on;
	const char *version; /* "TLSv1.3" */
	const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
	const char *group;   /* key exchange, or NULL where the library does not tell */
	int bits;
	struct str sni; /* what the client asked for; lives as long as the io */
	/* On a client's side: how the server proved who it is, and why its certificate would not do
	 * for what was asked for, whether that mattered or not; NULL: it would. Those two are told
	 * of a handshake that failed, too. */
	enum tls_proof { TLS_UNPROVEN, TLS_BY_NAME, TLS_BY_DANE } proof;
	const char *invalid;
	enum tls_fault {
		TLS_FAULTLESS,
		TLS_WRONG_NAME,
		TLS_EXPIRED,   /* or not valid yet */
		TLS_UNTRUSTED, /* not of an authority that we know */
		TLS_NO_MATCH,  /* with any TLSA record */
		TLS_FAULTY     /* in another way */
	} fault;
};
/* Handshake as a server. Octets that came in clear before it are dropped: RFC 3207 4.2.
 * E_SYNTAX: the handshake failed (logged with its reason). */
MUST enum err io_tls_accept(struct io *io, struct tls *t);
/* Handshake as a client; name for SNI and, if verify, for the certificate. E_DENIED: not valid. */
MUST enum err io_tls_connect(struct io *io, struct tls *t, struct str name, bool verify);
/* The same, when more is to be said: who is wanted, and the proof. */
enum { TLS_NAMES_MAX = 8 };
struct tls_wish {
	struct str name; /* for SNI and the certificate: a host name in ASCII, or an address */
	/* By DANE a server proves itself as RFC 7672 3 says: by its key or certificate (usage 3),
	 * where names and dates do not count, or by an issuer that stands in its chain (usage 2).
	 * Records that nobody can use (usages 0 and 1 among them) are as none; are all of them so,
	 * then TLS is still had but io_tls says TLS_UNPROVEN: RFC 7672 2.2. */
	enum tls_proof proof;
	const struct tlsa *tlsa; /* for TLS_BY_DANE; beyond TLSA_MAX they do not count */
	size_t ntlsa;
	const struct str *also; /* names that the certificate may have instead: RFC 7672 3.2.2 */
	size_t nalso;           /* at most TLS_NAMES_MAX */
};
MUST enum err io_tls_connect_as(struct io *io, struct tls *t, const struct tls_wish *wish);
struct tls_info io_tls(const struct io *io); /* (quick) */
void io_pretend_tls(struct io *io);          /* (quick) tests: io_tls says on, octets stay clear */

/* A server's settings from PEM text: TLS 1.2 and 1.3, ECDHE and AEAD only, tickets, no
 * renegotiation, no compression, SSL_MODE_RELEASE_BUFFERS. E_SYNTAX: why says what is wrong.
 * Reference counted: a reload makes a new one, open connections keep theirs. */
MUST enum err tls_server_new(struct str cert_pem, struct str key_pem, struct arena *a,
			     struct tls **out, struct str *why);
struct tls *tls_client_new(void); /* system trust store */
/* Trusts these certificates too, of authorities or servers. E_SYNTAX: no certificate, or a broken
 * one. Before its first connection. */
MUST enum err tls_client_trust(struct tls *t, struct str pem);
struct tls *tls_hold(struct tls *t);
void tls_release(struct tls **t);

/* --- sockets --- */
/* (suspends) Accepts the next connection, non-blocking, close-on-exec. E_AGAIN: no descriptor
 * free just now (the caller sleeps a moment). */
MUST enum err io_accept(int listen_fd, int *out);
/* (suspends) Connects to ip:port or, if ip starts with '/', to a unix socket. */
MUST enum err io_connect(struct str ip, uint16_t port, int64_t deadline, struct io **out);

#endif
