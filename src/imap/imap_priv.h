/* SPDX-License-Identifier: ISC */
#ifndef IMAP_IMAP_PRIV_H
#define IMAP_IMAP_PRIV_H
/*
 * imap_priv.h - a session and its commands.
 *
 * A command is a function that reads its arguments off the scanner and returns its result; only
 * session.c writes the tagged reply. What a command tells besides it writes itself, untagged.
 */
#include "box/box.h"
#include "fiber/io.h"
#include "imap/imap.h"
#include "imap/parse_priv.h"
#include "base/buf.h"
#include "keeper/keeper.h"

enum {
	TAG_MAX = 128,
	LINE_MAX_USER = 64 * 1024, /* octets of a line, of a literal, of a command's text */
	LINE_MAX_GUEST = 8 * 1024, /* the same before the login; SASL_LINE_MAX fits */
	LITERALS_MAX = 1000,       /* in one command */
	PIECE = 64 * 1024,         /* octets of a message at a time */
	OUT_MAX = 1 << 20,         /* octets of an untagged response that is built in memory */
	BAD_GUEST_MAX = 20,        /* commands not understood before the login */
	BAD_USER_MAX = 100,        /* and after it, one after the other */
	LOGIN_TRIES_MAX = 10,
};
/* Inputs are bounded; this is what the sets of a mailbox of many millions may take. */
#define CMD_ARENA_MAX     ((size_t)1 << 30)
#define SESSION_ARENA_MAX ((size_t)64 * 1024)

enum { GUEST = 1, USER = 2, SELECTED = 4, LOGGED_IN = 6, ANY = 7 }; /* RFC 3501 3 */

struct imap {
	const struct imap_server *srv;
	struct io *io;
	struct arena *arena; /* of the session */
	struct arena *cmd;   /* emptied before each command */
	struct buf out;      /* an untagged response being built */
	struct log_context log;
	struct login who;
	struct box *box; /* owned; NULL unless SELECTED */
	unsigned state;
	bool readonly;   /* EXAMINE */
	bool by_uid;     /* the command began with UID */
	bool ended;      /* no more commands are read */
	bool starttls;   /* the handshake follows the reply */
	bool spoken_for; /* ID has said whose browser it is */
	unsigned bad, tries;
	char program[PROGRAM_MAX]; /* as the client calls itself (ID), printable ASCII */
	size_t program_n;
	char tag[TAG_MAX];
	size_t tag_n; /* 0: no tag could be read */
	/* APPEND's message, announced and not yet read */
	bool waits;
	struct imap_literal literal;
};

static inline struct quota_warning imap_warning(const struct imap *s)
{
	return (struct quota_warning){ s->who.quota, s->srv->conf->quota_warning, s->who.address };
}

/* What becomes of a command. BYE: the connection ends with this text; GONE: without any. */
struct done {
	enum { DONE_OK, DONE_NO, DONE_BAD, DONE_BYE, DONE_GONE } how;
	struct str code; /* without the brackets; .n 0: none */
	const char *text;
};
struct done done_ok(const char *text);
struct done done_no(const char *code, const char *text); /* code may be NULL */
struct done done_bad(const char *text); /* not known, or its arguments not in the grammar */
struct done done_err(enum err e);       /* the one place where an error becomes a reply */
struct done done_io(enum err e);        /* the same for one of the connection's own */
struct done done_name(const char *why); /* a mailbox name that is no name */

/* --- reading: read.c --- */

/* (suspends) The next command's text; sets s->tag. Not DONE_OK: what to answer instead. */
struct done imap_read(struct imap *s, struct str *text);
/* (suspends) Skips n octets of a literal and the rest of its command. */
struct done imap_skip(struct imap *s, uint64_t n);

/* --- sets: view.c --- */

/* sequence-set as UIDs that the view holds. A number beyond the mailbox fails the scanner:
 * RFC 3501 9 "seq-number". */
struct uidset imap_set(struct scan *in, struct imap *s);
uint32_t imap_last_uid(const struct imap *s); /* what "*" means for UIDs; 0: no messages */

/* A large set in pieces of at most max messages, each in the arena of the caller. */
struct chunks {
	struct uidset set;
	size_t i;
	uint32_t from; /* within range i; 0: from its beginning */
};
bool imap_chunk(struct chunks *c, struct arena *a, uint32_t max, struct uidset *out);

/* --- telling: view.c --- */

void imap_put_num(struct buf *b, uint64_t n);
void imap_put_flags(struct buf *b, const struct imap *s, uint64_t flags, bool recent); /* "(...)" */
void imap_put_quoted(struct buf *b, struct str s); /* without control characters in it */
void imap_put_name(struct imap *s, struct buf *b, struct str mailbox);
/* Sends the response built in s->out, with CRLF behind it, and empties it. */
void imap_send(struct imap *s);
void imap_tell_flags(struct imap *s); /* "* FLAGS" and PERMANENTFLAGS */
/* "* n FETCH (FLAGS ...)" */
void imap_tell(struct imap *s, uint32_t number, uint32_t uid, uint64_t flags);

/* What the client must believe of the flags of some messages: no need to tell it again. */
struct belief {
	struct known {
		uint32_t uid;
		uint64_t flags;
	} * known; /* ascending */
	size_t n;
	uint64_t ignore; /* bits that tell nothing new: keywords that this very command made */
	struct uidset_builder *told; /* takes the UIDs that are told all the same; may be NULL */
};
/* (suspends) Tells what became of the mailbox since the last time. b may be NULL. */
struct done imap_sync(struct imap *s, bool expunges, const struct belief *b);

/* --- commands --- */

struct done imap_cmd_capability(struct imap *s, struct scan *in);
struct done imap_cmd_noop(struct imap *s, struct scan *in);
struct done imap_cmd_logout(struct imap *s, struct scan *in);
struct done imap_cmd_id(struct imap *s, struct scan *in);
struct done imap_cmd_namespace(struct imap *s, struct scan *in);
struct done imap_cmd_enable(struct imap *s, struct scan *in);
struct str imap_capabilities(struct imap *s); /* in s->cmd */

struct done imap_cmd_starttls(struct imap *s, struct scan *in);
struct done imap_cmd_login(struct imap *s, struct scan *in);
struct done imap_cmd_authenticate(struct imap *s, struct scan *in);
/* Can nobody listen? RFC 8314 4 */
static inline bool imap_private(const struct imap *s)
{
	return s->srv->internal || io_tls(s->io).on;
}
/* A command that announces a password in a literal, on a line in clear? */
bool imap_refuses_literal(const struct imap *s, struct str text);

struct done imap_cmd_select(struct imap *s, struct scan *in);
struct done imap_cmd_examine(struct imap *s, struct scan *in);
struct done imap_cmd_check(struct imap *s, struct scan *in);
struct done imap_cmd_close(struct imap *s, struct scan *in);
struct done imap_cmd_unselect(struct imap *s, struct scan *in);
struct done imap_cmd_expunge(struct imap *s, struct scan *in);
void imap_deselect(struct imap *s);

struct done imap_cmd_create(struct imap *s, struct scan *in);
struct done imap_cmd_delete(struct imap *s, struct scan *in);
struct done imap_cmd_rename(struct imap *s, struct scan *in);
struct done imap_cmd_subscribe(struct imap *s, struct scan *in);
struct done imap_cmd_unsubscribe(struct imap *s, struct scan *in);
struct done imap_cmd_status(struct imap *s, struct scan *in);
/* (suspends) "* STATUS ..." of a mailbox that exists; at an error it is not told. */
MUST enum err imap_tell_status(struct imap *s, const struct mailbox_info *info,
			       const struct imap_status *items);
struct done imap_cmd_getquota(struct imap *s, struct scan *in);
struct done imap_cmd_getquotaroot(struct imap *s, struct scan *in);
struct done imap_cmd_setquota(struct imap *s, struct scan *in);
struct done imap_cmd_list(struct imap *s, struct scan *in);
struct done imap_cmd_lsub(struct imap *s, struct scan *in);
void imap_put_use(struct buf *b, unsigned use); /* "\Sent", or nothing */
unsigned imap_use(struct str attribute);        /* 0: none of ours */

struct done imap_cmd_append(struct imap *s, struct scan *in);
struct done imap_cmd_idle(struct imap *s, struct scan *in);
struct done imap_cmd_fetch(struct imap *s, struct scan *in);
struct done imap_cmd_search(struct imap *s, struct scan *in);
struct done imap_cmd_sort(struct imap *s, struct scan *in);
struct done imap_cmd_thread(struct imap *s, struct scan *in);
struct done imap_cmd_store(struct imap *s, struct scan *in);
struct done imap_cmd_copy(struct imap *s, struct scan *in);
struct done imap_cmd_move(struct imap *s, struct scan *in);

/* --- finding messages: SEARCH, SORT, THREAD; search.c --- */

static inline struct imap_search imap_search_new(const struct imap *s)
{
	return (struct imap_search){ .star_number = box_view(s->box).exists,
				     .star_uid = imap_last_uid(s) };
}
/* DONE_OK, or why the request is not carried out. */
struct done imap_search_refused(const struct imap_search *r, const struct scan *in,
				const char *usage);
/* (suspends) The UIDs of those that match, in s->cmd. The key is used up. */
MUST enum err imap_find(struct imap *s, struct imap_key *key, struct uidset *out);
/* A line of any length in s->out: one number more, with a blank before it. */
void imap_put_found(struct imap *s, uint32_t n);
void imap_put_piece(struct imap *s); /* sends what is there, if it is enough */
/* (suspends) Sorts pointers, those that are equal stay in order; others get their turn. Room for
 * n of them is in tmp. order.c */
void imap_order(const void **v, const void **tmp, size_t n,
		int (*cmp)(const void *x, const void *y, void *arg), void *arg);

/* --- inside FETCH and SEARCH --- */

/* Octets of a message that a section names; fetch_body.c */
struct span {
	bool nil; /* there is no such part */
	uint64_t off, n;
	bool made; /* of chosen fields: the text itself is in `text` */
	struct str text;
};
/* (suspends) sum is the message's summary, or NULL where the whole message is asked for. */
MUST enum err imap_section_find(struct box *b, const struct msg *m, const struct summary *sum,
				const struct imap_section *sec, struct arena *a, struct span *out);
/* (suspends) Writes it as nstring, as NIL with *lost saying why if it cannot be read. An error:
 * it was broken off in the middle, and nothing but the end of the connection can follow. */
MUST enum err imap_section_send(struct imap *s, const struct msg *m, const struct span *span,
				struct arena *piece, enum err *lost);
/* (suspends) BINARY and BINARY.SIZE: what stands behind the label. *lost: it is told as NIL or 0;
 * E_SYNTAX: of an encoding that is not known. fetch_binary.c */
MUST enum err imap_binary_send(struct imap *s, const struct msg *m, const struct summary *sum,
			       const struct imap_item *item, struct arena *piece, enum err *lost);
/* (suspends) A header section, at most HEADER_READ_MAX octets of it. */
enum { HEADER_READ_MAX = 1 << 20 };
MUST enum err imap_header_read(struct box *b, const struct msg *m, uint64_t off, uint64_t n,
			       struct arena *a, struct str *out);

/* One message and what of it has been read so far; search_text.c */
struct looked {
	struct box *box;
	const struct msg *m;
	struct arena *a;     /* emptied for each message */
	struct arena *piece; /* emptied for each text */
	bool has_summary, has_header;
	struct summary sum;
	struct str header;
	unsigned cost; /* grows with what was read: when to give way */
	size_t passed; /* octets of headers looked at since it last gave way */
};
MUST enum err imap_looked_summary(struct looked *l);
MUST enum err imap_looked_header(struct looked *l, struct str field, struct str text, bool *yes);
MUST enum err imap_looked_message(struct looked *l, struct str text, bool header_too, bool *yes);

#endif
