/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H
/*
 * session.h - one client and its transaction, shared by the files of this room only.
 */
#include "base/base.h"
#include "base/buf.h"
#include "box/box.h"
#include "fiber/io.h"
#include "keeper/keeper.h"
#include "smtp/param.h"
#include "smtp/reply.h"
#include "smtp/smtp.h"

/* RFC 5321 4.1.4; CHUNK: BDAT is under way; BROKEN: it failed, only RSET leads out. */
enum { START = 1, READY = 2, MAIL = 4, RCPT = 8, CHUNK = 16, BROKEN = 32, ANY = 63 };

enum {
	LINE_MAX_SMTP = 4608,   /* octets: RFC 5321 4.5.3.1.4 asks for 512; a SASL response fits */
	READ_MAX = 32 * 1024,   /* octets of a message looked at in one go */
	TARGETS_MAX = 4096,     /* mailboxes that all recipients of a transaction may expand to */
	CMD_MEMORY = 8 << 20,   /* octets; an alias of 1,000 targets and the From field fit */
	TOLD_MAX = 20,          /* refused recipients of a session that get a log line */
	RECIPIENTS_MAX = 10000, /* of a transaction, whatever the configuration allows */
	HELO_MAX = 255, /* octets kept of the name a client gives itself: RFC 5321 4.5.3.1.2 */
	SESSION_MEMORY = 64 << 10, /* octets; a login */
	TX_MEMORY = 32 << 20, /* octets; TARGETS_MAX deliveries, 10,000 recipients and a header */
};

/* Which of the transaction's deliveries a recipient stands for. */
struct target {
	bool away;    /* in smtp.away */
	size_t index; /* else in smtp.to */
	struct target *next;
};
struct rcpt {
	struct rcpt_args args;
	struct target *targets;
	uint32_t hash; /* of a user's recipient, for keeper_sending_count */
	struct rcpt *next;
};

struct leaving;

struct smtp {
	const struct smtp_server *srv; /* borrowed */
	const struct smtp_conf *conf;  /* borrowed */
	struct io *io;                 /* the caller's */
	enum smtp_kind kind;
	unsigned state;
	struct arena *cmd;     /* owned; emptied before each command */
	struct arena *tx;      /* owned; emptied by RSET and after a message */
	struct arena *session; /* owned */
	struct buf ahead;      /* owned; read beyond the end of DATA: smtp/wire.h */
	struct str last;       /* the view that wire_some gave last */

	char helo_octets[HELO_MAX];
	struct str helo;    /* in helo_octets; empty: no EHLO yet */
	bool esmtp;         /* it said EHLO or LHLO */
	bool starting_tls;  /* the handshake follows the reply */
	bool spoken_for;    /* XCLIENT has said for whom */
	bool authenticated; /* then login is whose session it is, in session */
	struct login login;
	unsigned errors;     /* since the last message */
	unsigned told;       /* refused recipients that were logged */
	int64_t idle_until;  /* ms */
	int64_t login_until; /* ms; a guest's time where users log in */

	/* the transaction, in tx */
	struct mail_args mail;
	enum guarantee least; /* of the way out: a user's */
	int64_t hold_until;   /* UTC seconds; 0: at once */
	int64_t deliver_by;   /* likewise; 0: whenever */
	struct rcpt *first, **last_rcpt;
	unsigned nrcpt;
	uint32_t strangers; /* of these; a user's */
	struct delivery *to;
	size_t nto, cap_to;
	struct leaving *away; /* recipients at other servers, each address once */
	size_t naway, cap_away;
	size_t ntargets;
	struct intake *intake; /* BDAT: the message so far */
};

/* Gives up the transaction, with all that was taken of a message. */
void smtp_reset(struct smtp *s);
/* Writes a reply; only the dispatcher does, and 354 and 334 before more is read. */
void reply_put(struct smtp *s, struct reply r);
/* What a failed read means for the client. */
struct reply reply_read(const struct smtp *s, enum err e);
static inline unsigned recipients_max(const struct smtp *s)
{
	unsigned n = s->conf->recipients_max;

	return n < RECIPIENTS_MAX ? n : RECIPIENTS_MAX;
}
/* Does the session take mail from users? */
static inline bool is_submission(const struct smtp *s)
{
	return s->kind == SMTP_SUBMISSION || s->kind == SMTP_INTERNAL;
}
/* PARAM_... that this session offers now. RFC 4865 is for submission alone; so are here those whose
 * service we give to our users only. RFC 8689 4.1: over TLS, on every port. Reports for strangers,
 * whose sender may be anybody, are no service: docs/adr/0035-no-reports-for-strangers.md */
static inline unsigned params_offered(const struct smtp *s)
{
	unsigned user = is_submission(s) ? PARAM_BY | PARAM_PRIORITY : 0;

	if (is_submission(s) && s->conf->hold_max)
		user |= PARAM_HOLD;
	if (s->kind != SMTP_MX)
		user |= PARAM_DSN;
	return user | (io_tls(s->io).on ? PARAM_REQUIRETLS : 0);
}
/* Can nobody listen? RFC 8314 4 */
static inline bool is_private(const struct smtp *s)
{
	return s->kind == SMTP_INTERNAL || io_tls(s->io).on;
}

/* The receiving guarantee, guarantee.c: on a line that others may hear, who has it is left out of
 * the routes and will be told. Code 0: somebody is left. */
struct reply guarantee_rcpt(struct smtp *s, struct path to, struct route *routes, size_t *n);
/* How much a user may send, sending.c. Suspends. Code 0: the recipient fits; *hash is for his
 * struct rcpt. */
struct reply sending_rcpt(struct smtp *s, struct path to, uint32_t *hash, bool *stranger);
/* Code 0: the message, about to be delivered, is counted. */
struct reply sending_message(struct smtp *s);

struct reply smtp_cmd_auth(struct smtp *s, struct scan *in);
struct reply smtp_cmd_xclient(struct smtp *s, struct scan *in);
struct reply smtp_cmd_mail(struct smtp *s, struct scan *in);
struct reply smtp_cmd_rcpt(struct smtp *s, struct scan *in);
struct reply smtp_cmd_data(struct smtp *s, struct scan *in);
struct reply smtp_cmd_bdat(struct smtp *s, struct scan *in);

#endif
