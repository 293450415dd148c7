/* SPDX-License-Identifier: ISC */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H
/*
 * session.h - one client, shared by the files of this room only.
 */
#include "base/base.h"
#include "box/box.h"
#include "fiber/io.h"
#include "keeper/keeper.h"
#include "mail/sasl.h"
#include "pop3/pop3.h"
#include "pop3/stuff.h"

/* RFC 1939 4, 5; UPDATE is what QUIT does and no state of ours. */
enum { AUTHORIZATION = 1, TRANSACTION = 2, BOTH = 3 };

enum {
	LINE_MAX_POP3 = SASL_LINE_MAX + 64,
	CHUNK = 64 * 1024,    /* octets of a message read at once */
	CMD_MEMORY = 2 << 20, /* octets; a chunk, a batch of UIDs, a login fit */
	RATE_MIN = 4096,      /* octets a second that the slowest reader must take */
	EXPUNGE_BATCH = 4096, /* messages removed in one update */
};

struct pop3 {
	const struct pop3_server *srv; /* borrowed */
	struct io *io;                 /* the caller's */
	struct arena *cmd;             /* owned; emptied before each command */
	unsigned state;
	unsigned errors;
	int64_t login_until; /* ms; a guest's time */
	bool starting_tls;   /* the handshake follows the response */
	char user_octets[SASL_USER_MAX];
	struct str user; /* of USER, in user_octets; RFC 1939 7 */
	char account_octets[SASL_USER_MAX];

	/* TRANSACTION */
	struct box *box; /* owned; never synced: message numbers stay as they were */
	uint32_t exists, uidvalidity, uidnext;
	uint8_t *deleted; /* owned; a bit a message, from the first DELE on */
	uint32_t ndeleted;

	/* what the running command's body sends */
	struct msg msg;
	struct top top;
};

/* What a command answers; only the dispatcher writes it. */
struct answer {
	bool ok;
	bool bye;         /* the session ends with it */
	const char *text; /* with a response code in front where there is one: RFC 2449 8 */
	/* Multi-line: writes the lines and the end. An error here ends the session: the client
	 * sees no end and does not take what it has for the whole. Suspends. */
	enum err (*body)(struct pop3 *s);
};
static inline struct answer good(const char *text)
{
	return (struct answer){ .ok = true, .text = text };
}
static inline struct answer bad(const char *text)
{
	return (struct answer){ .text = text };
}

struct answer pop3_cmd_capa(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_stls(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_user(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_pass(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_auth(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_stat(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_list(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_uidl(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_retr(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_top(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_dele(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_rset(struct pop3 *s, struct scan *in);
struct answer pop3_cmd_quit(struct pop3 *s, struct scan *in);

/* What a failed read means for the client; .text NULL: it has gone. */
struct answer answer_read(struct pop3 *s, enum err e);

#endif
