/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H
/*
 * keeper.h - who lives here: domains, users, aliases, passwords. The side that asks.
 *
 * The keeper is the one process that sees password hashes; every other asks it over ipc with
 * the calls below. keeper/directory.h has the records, keeper/password.h the hashes,
 * keeper/serve.h the side that answers.
 *
 * For:      smtp, imap, pop3, ctl, proc.
 * Below:    ipc/, store/.
 * Suspends: every call. Each waits at most KEEPER_WAIT_MS (login: KEEPER_LOGIN_MS).
 * Memory:   results live in the arena passed in.
 * Errors:   any call may return E_AGAIN (the keeper is just being started anew, or the store
 *           is out of reach), E_CANCELED. Each call names its others.
 */
#include "base/base.h"
#include "guard/net.h"
#include "keeper/guarantee.h"
#include "keeper/sending.h"
#include "mail/address.h"

enum {
	KEEPER_WAIT_MS = 10000,
	KEEPER_LOGIN_MS = 60000,
	KEEPER_ADMIT_MS = 1000,
	ALIAS_TARGETS_MAX = 1000,
	ALIAS_DEPTH_MAX = 10
};

struct io;     /* a client's connection */
struct keeper; /* a connection to it that main replaces when the keeper starts anew */

struct keeper *keeper_new(void);
/* Takes over a socket to the (new) keeper; calls that wait for one go on. */
void keeper_connect(struct keeper *k, int fd);
void keeper_close(struct keeper **k);

/* What the keeper tells this process, and what it wants to know of its clients. */
struct session_end {      /* which sessions end: both must hold */
	uint32_t account; /* 0: of any, and of none */
	struct net from;  /* zeroed: from anywhere */
	uint64_t except;  /* the number of a connection that goes on; 0: none */
	struct str reason;
};
/* One that is open. */
struct session_row {
	struct str protocol, address; /* the listener's word, "imaps"; "" from no address */
	int64_t since;                /* UTC seconds: the connection, not the login */
};
enum { SESSIONS_MAX = 100 }; /* that are told of an account, each process */
struct keeper_orders {
	void (*end)(void *arg, const struct session_end *end);
	/* Those of an account, at most SESSIONS_MAX; texts in a, or such that live on. */
	size_t (*list)(void *arg, uint32_t account, struct arena *a, struct session_row *out);
	/* A login on the connection of this number (log_context.conn) was right. */
	void (*logged_in)(void *arg, uint64_t conn, uint32_t account);
	void *arg;
	void (*seal)(void *arg); /* store_seal; NULL: this process writes no blobs */
};
void keeper_obey(struct keeper *k, struct keeper_orders o); /* before the first connect */

/* --- where mail goes --- */

/* The account of nobody, into which other servers' reports about TLS go (tls-reports@ of each
 * domain of ours, keeper/route.h); the courier makes, reads and empties it. No user gets this
 * number. */
#define KEEPER_REPORTS_ACCOUNT UINT32_MAX
#define KEEPER_REPORTS_LOCAL   "tls-reports"
#define KEEPER_REPORTS_QUOTA   (64u << 20) /* octets */
struct route {
	uint32_t account;   /* 0: a recipient elsewhere, in `address` */
	struct str address; /* canonical user@domain of the account, or the recipient elsewhere */
	struct str mailbox; /* from user+detail@: the detail, else "" */
	uint64_t quota;     /* octets, 0: no limit */
	bool encrypted; /* the account takes mail over encrypted lines only: keeper/guarantee.h */
	bool expired;   /* the account takes no mail any more; then it is the only route */
	bool back; /* the only one, and elsewhere: somebody whose mail was forwarded, and who is
		    * to hear what became of it, and nothing else: keeper_rewrite */
};
/* Aliases expanded (several targets, catch-all, user+detail@, duplicates and loops taken out).
 * E_NOTFOUND: local domain, no such user; E_DENIED: not a domain of ours; E_LIMIT: expands to
 * too many; E_READONLY: the service takes no mail at present. RFC 5321 4.5.1: postmaster exists
 * in each domain of ours (and without a domain). */
MUST enum err keeper_route(struct keeper *k, struct path to, struct arena *a, struct route **out,
			   size_t *n);
/* Is it a domain of ours? E_NOTFOUND: no. */
MUST enum err keeper_domain(struct keeper *k, struct str domain);
/* Who stands as the sender of mail that an alias in `domain` sends on to another server: an address
 * there that leads back to him for three weeks; he himself, where he is of ours or nobody.
 * E_NOTFOUND: domain is not ours. docs/adr/0027-srs.md */
MUST enum err keeper_rewrite(struct keeper *k, struct path sender, struct str domain,
			     struct arena *a, struct str *out);

/* --- who may come in --- */

struct login {
	uint32_t account;
	struct str address; /* canonical user@domain */
	uint64_t quota;
	uint64_t serial; /* of the password that was looked at; in the keeper only */
	/* Lines for the client, German and English, ASCII: */
	struct str notice;  /* at OK: to be shown to the user, or ""; keeper/told.h */
	struct str closed;  /* at E_LIMIT */
	struct str refused; /* at E_DENIED, or "": the password was right, but the account is
			     * locked or has expired */
};
struct login_try {
	struct str user, password; /* as the client gave them */
	struct str ip;             /* the client's address, for the lockout */
	const char *proto;         /* "imap", "pop3", "submission" */
	bool tls;
	uint64_t conn; /* for the log; taken from the running fiber's context */
	uint16_t port;
	struct str program; /* as it calls itself, PROGRAM_MAX octets at most; "" if it does not */
};
enum { PROGRAM_MAX = 64 };
/* May this address speak to us at all just now? Asked before the greeting; quick, and OK where
 * the keeper does not answer: a login is looked at again. E_LIMIT: why is a line as in
 * login.closed. */
MUST enum err keeper_admit(struct keeper *k, struct str ip, struct arena *a, struct str *why);
/* (quick) The client of io is the webmail and says whose browser it speaks for: from now on that
 * address is the peer of io, and the one in the log. False: ip is no numeric address. Whether it
 * is locked out the login will say, and Roundcube shows what is said there. */
bool keeper_speaks_for(struct io *io, struct str ip);
/* E_DENIED: wrong user or password (the same for both, in the same time); E_LIMIT: this address
 * is locked out just now, the password was perhaps right; out->closed says until when. The
 * connection is to be ended with that line. Whoever has the password of an account that is locked
 * is told why, in out->refused; others learn nothing of it. */
MUST enum err keeper_login(struct keeper *k, const struct login_try *t, struct arena *a,
			   struct login *out);
/* The program that has just logged in says only now what it is called: t->program. For the
 * account's owner to read; nothing depends on it, so nothing is answered. (suspends) */
void keeper_program(struct keeper *k, uint32_t account, const struct login_try *t);
/* What became of a new password; the words are those of struct password_verdict. */
struct change {
	struct str word;   /* "ok", or why it is refused; "locked": the account is */
	struct str de, en; /* a sentence for the user, in German and English */
	unsigned score;    /* of one that is taken: 0 .. 4 */
	struct str advice_de, advice_en;
};
/* Its owner gives an account another password: t has the old one (no app password), and a wrong
 * one counts as at a login. OK: out says whether the new one is taken; if so no login remembers
 * the old one. E_DENIED, E_LIMIT as keeper_login. */
MUST enum err keeper_change_password(struct keeper *k, const struct login_try *t, struct str fresh,
				     struct arena *a, struct change *out);
/* May this account send just now, and as that address (its own, an alias that leads to it,
 * user+detail of either; the null path is nobody's, and free to all)? E_READONLY: nobody may send
 * at present. E_DENIED: not as this address; or, where *why is a line for the client, not at all.
 * *least: of the way out, for what the account sends.
 */
MUST enum err keeper_may_send(struct keeper *k, uint32_t account, struct path from, struct arena *a,
			      struct str *why, enum guarantee *least);
/* May the account take in another message of its owner's, and how much may it keep? E_READONLY;
 * E_DENIED: it is locked, has expired, or is gone. */
MUST enum err keeper_may_append(struct keeper *k, uint32_t account, uint64_t *quota);
/* How much an account may send, keeper/sending.h. Asked for each recipient; already: how many
 * recipients, and strangers among them, the message has. This counts nothing. */
MUST enum err keeper_sending_ask(struct keeper *k, uint32_t account, struct path to,
				 struct sending_counts already, struct sending_verdict *out);
/* The message is whole and about to be delivered: counts it, if it (still) fits. hash: what
 * keeper_sending_ask said of each recipient. */
MUST enum err keeper_sending_count(struct keeper *k, uint32_t account, const uint32_t *hash,
				   size_t n, struct sending_verdict *out);
/* Who signs mail of the domain of `from` (DKIM): none, where the domain has no keys. E_DENIED: the
 * account may not send as that address, or it is none of ours. account 0: the server's own mail,
 * from any address; a courier alone asks that, and nothing else. */
enum { SIGNERS_MAX = 4 };
struct keeper_signers {
	struct str domain; /* A-labels */
	struct {
		bool ed25519; /* else RSA */
		struct str selector;
	} by[SIGNERS_MAX];
	size_t n;
};
MUST enum err keeper_signers(struct keeper *k, uint32_t account, struct path from, struct arena *a,
			     struct keeper_signers *out);
/* One of these signs a digest of 32 octets. E_DENIED as above; E_NOTFOUND: it signs no more. */
MUST enum err keeper_sign(struct keeper *k, uint32_t account, struct path from, struct str selector,
			  struct str digest, struct arena *a, struct str *out);
/* The receiving guarantee of these accounts kept a recipient out: their owners hear of it in a day.
 * Quick for the caller: it does not wait for an answer. */
struct keeper_refusal {
	const uint32_t *account;
	size_t n;             /* at most ALIAS_TARGETS_MAX */
	struct path from, to; /* of MAIL and RCPT */
	struct str ip, host;  /* the server, and what it calls itself; "" if it has not yet */
};
void keeper_refused(struct keeper *k, const struct keeper_refusal *r);
/* A password that came over an unencrypted line: refused, remembered, logged. RFC 8314 4.
 * Quick for the caller: it does not wait for an answer. */
void keeper_cleartext(struct keeper *k, struct str user, struct str ip, const char *proto);

#endif
