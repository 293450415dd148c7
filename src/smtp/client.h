/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H
/*
 * client.h - handing mail on to another server: one connection, one message after another.
 * RFC 5321, and of its extensions STARTTLS, AUTH PLAIN, PIPELINING, CHUNKING, BINARYMIME, SIZE,
 * 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES, LIMITS and REQUIRETLS.
 *
 *	c = smtp_client_new(&conf, io);
 *	if (smtp_client_greet(c, &outcome))
 *		while (smtp_client_ready(c) && there is mail)
 *			smtp_client_send(c, &mail, arena);     each rcpt[i].out tells
 *	smtp_client_quit(&c);
 *	io_close(&io);
 *
 * For:      the courier, who chooses the server and connects; this is all it needs to include.
 * Below:    fiber/, mail/.
 * Suspends: smtp_client_greet, _send and _quit.
 * Waiting:  each reply has the time of RFC 5321 4.5.3.2 (struct client_times), all of a message
 *           together has message_ms and what its octets take at rate: no server holds us for
 *           ever by a word now and then.
 * Once:     a server that has the whole message and answers nothing may have taken it:
 *           outcome.maybe. Whoever sends again then may send it twice, and never loses it
 *           (RFC 5321 4.5.3.2.6, 6.1).
 * Not done: the encoding is never changed. Where a message needs 8BITMIME, BINARYMIME or SMTPUTF8
 *           that the server does not offer, nothing is sent and the outcome says so. The caller
 *           may have another made of it (mail/recode.h).
 */
#include "base/base.h"
#include "fiber/io.h"
#include "mail/address.h"
#include "smtp/client_reply.h"
#include "smtp/param.h"

/* How far it had come. */
enum client_stage {
	AT_GREETING,
	AT_HELLO, /* EHLO, or HELO */
	AT_STARTTLS,
	AT_TLS, /* the handshake, and what was asked of it */
	AT_LOGIN,
	AT_RESET, /* RSET before a message */
	AT_MAIL,
	AT_RCPT,
	AT_DATA, /* the word, or before BDAT */
	AT_BODY, /* the message, and the reply to it */
	CLIENT_STAGES
};

enum client_why {
	WHY_SAID,       /* the server's reply says it: said */
	WHY_GONE,       /* it has closed the connection */
	WHY_SLOW,       /* it did not answer in time */
	WHY_BROKEN,     /* what it said is no SMTP: not a reply, or not one to this command */
	WHY_CANCELED,   /* we were told to stop */
	WHY_NO_TLS,     /* it does not offer TLS, which was asked for */
	WHY_TLS_FAILED, /* the handshake failed */
	WHY_UNPROVEN,   /* its certificate does not prove what was asked for */
	WHY_NO_LOGIN,   /* AUTH PLAIN is not offered */
	WHY_TOO_LARGE,  /* larger than its SIZE */
	WHY_8BITMIME,   /* the message needs what is not offered */
	WHY_BINARYMIME,
	WHY_SMTPUTF8,
	WHY_REQUIRETLS,
	WHY_DELIVERBY,
	WHY_ADDRESS,   /* an address or parameter that cannot be said in a command */
	WHY_LINE_ENDS, /* a CR or LF alone in the message: RFC 5321 2.3.8 */
	WHY_OURS,      /* the message could not be read: err */
	WHY_COUNT
};

enum client_verdict {
	NOT_TRIED, /* not in this connection or transaction (LIMITS): send again, nothing is wrong
		    */
	DELIVERED,
	TEMPORARY,
	PERMANENT
};

struct outcome {
	enum client_verdict verdict;
	enum client_stage stage;
	enum client_why why;
	enum err err;       /* WHY_OURS: what; else OK */
	struct answer said; /* WHY_SAID: the reply; else code is 0 */
	bool maybe;         /* TEMPORARY, but the server may have taken it */
};
/* A short English phrase for logs ("it has closed the connection"). Lives for ever. */
const char *client_why_text(enum client_why why);

/* --- the connection --- */

enum client_tls {
	TLS_NEVER,   /* in clear */
	TLS_IF_SO,   /* where it is offered; refused or not offered, then in clear. A handshake that
		      * fails ends the connection: the caller decides on a new one. */
	TLS_ALWAYS,  /* STARTTLS, or nothing is sent */
	TLS_AT_ONCE, /* from the first octet: RFC 8314 3.3 */
};

struct client_times { /* milliseconds: RFC 5321 4.5.3.2 */
	int64_t greeting, hello, tls, mail, rcpt, data, block, end, quit;
	int64_t login_ms;   /* all until the first message may go */
	int64_t message_ms; /* all of one message, but for its octets */
	uint64_t rate;      /* octets a second that the slowest server must take; not 0 */
};

/* All borrowed; they outlive the connection. */
struct client_conf {
	struct str name; /* who we are: for EHLO */
	enum client_tls secure;
	struct tls *tls;           /* of tls_client_new; NULL only with TLS_NEVER */
	struct tls_wish wish;      /* whom TLS shall reach, and by what proof (fiber/io.h). With
				    * TLS_BY_DANE and no usable record: encrypted, unproven. */
	struct str user, password; /* of a smart host, or none. Never said but over TLS that has
				    * been proven. */
	bool no_pipelining, no_chunking; /* for servers that offer what they cannot do */
	struct client_times times;
};
struct client_times client_times_default(void);

struct smtp_client;
/* io stays the caller's, who closes it afterwards. conf is copied, what it points to is not. */
struct smtp_client *smtp_client_new(const struct client_conf *conf, struct io *io);
/* Greeting, EHLO, TLS, login. False: out says why no mail goes here (TEMPORARY or PERMANENT, as the
 * server put it; another host of the same domain may know better). Texts live as long as c. */
bool smtp_client_greet(struct smtp_client *c, struct outcome *out);
/* (quick) May another message go over this connection? */
bool smtp_client_ready(const struct smtp_client *c);
/* Says QUIT where the connection still stands, waits a moment for the reply, frees, sets NULL. */
void smtp_client_quit(struct smtp_client **c);

/* (quick) What was learnt; lives as long as c and its io. TLS as it stands: version, cipher,
 * group, proof. */
struct client_info {
	struct offer offer;
	struct tls_info tls;
	struct answer said[CLIENT_STAGES]; /* the last reply at each stage up to AT_LOGIN */
	unsigned messages;                 /* begun in this connection */
};
struct client_info smtp_client_info(const struct smtp_client *c);

/* --- a message --- */

struct client_rcpt {
	struct path to;
	unsigned notify;  /* NOTIFY_...; 0: not told */
	struct str orcpt; /* "rfc822;" and xtext, as in struct rcpt_args; or none */
	/* results */
	struct answer said; /* to its RCPT; code 0: it was not asked or nothing came */
	struct outcome out;
};

struct client_mail {
	struct path from;
	enum body body;   /* what the octets need; BODY_7BIT: no octet above 127 */
	bool utf8;        /* the header needs SMTPUTF8; addresses are looked at here */
	bool require_tls; /* RFC 8689: only over proven TLS to a server that promises the same */
	int priority;     /* RFC 6710, told to who knows it; 0: as usual */
	bool by;          /* RFC 2852, told to who knows it; with */
	int64_t by_time;  /* seconds that are left, and */
	bool by_return;
	enum ret ret;
	struct str envid; /* xtext, or none */
	uint64_t size;    /* octets of the message, exactly */
	/* 1..max octets from off on, a view that lives until the next call; may suspend. Fewer
	 * octets than size: E_CORRUPT is told for it. Lines end by CR LF. */
	enum err (*read)(void *arg, uint64_t off, size_t max, struct str *out);
	void *arg;
	struct client_rcpt *rcpt;
	size_t nrcpt;
	/* results */
	bool dsn_told;                     /* the server has been told notify, orcpt, ret, envid */
	struct answer said[CLIENT_STAGES]; /* from AT_RESET on, but for AT_RCPT */
};

/* Sends it to all of rcpt and sets each one's result. Texts of results go into a: at most
 * (nrcpt + 8) * 1,100 octets. With RCPTMAX of the server the first so many are sent to, the others
 * are NOT_TRIED; so are all where smtp_client_ready does not hold. */
void smtp_client_send(struct smtp_client *c, struct client_mail *m, struct arena *a);

#endif
