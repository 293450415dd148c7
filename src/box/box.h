/* SPDX-License-Identifier: ISC */
#ifndef BOX_BOX_H
#define BOX_BOX_H
/*
 * box.h - accounts, mailboxes and messages, whatever engine keeps them.
 *
 * For:      smtp (delivery), imap, pop3, ctl; this is all they may include.
 * Below:    store/store.h; this room is written once and knows no engine.
 * Suspends: every call may suspend the calling fiber, unless marked (quick).
 * Durable:  when a call that changes something returns OK, the change survives power loss.
 * Memory:   results live in the arena passed in; arguments are borrowed for the call only.
 * Errors:   any call may return E_AGAIN (engine out of reach: a change asked for may or may
 *           not have been made), E_NOSPACE, E_IO, E_CORRUPT, E_VERSION. Each names its others.
 * Terms:    UID and UIDVALIDITY RFC 9051 2.3.1.1, flags 2.3.2, mod-sequence RFC 7162 3.1,
 *           EMAILID and THREADID RFC 8474.
 * Names:    UTF-8, hierarchy separator '/', INBOX in any case is the inbox; at most
 *           MAILBOX_NAME_MAX octets, no control characters, no empty level.
 */
#include "base/base.h"
#include "mail/flags.h"
#include "mail/mime.h"
#include "mail/uidset.h"
#include "store/store.h"

enum { MAILBOX_NAME_MAX = 512, MAILBOX_DEPTH_MAX = 32, MAILBOXES_MAX = 10000 };

struct box; /* an open mailbox; one per session that selected it */

/* --- accounts --- */

/* An account is a number the keeper gave. Makes INBOX, Drafts, Sent, Junk, Trash, Archive;
 * fine if it is there already. */
MUST enum err box_account_create(struct store *st, uint32_t account);
/* Removes every mailbox and message. Fine if there is none. */
MUST enum err box_account_delete(struct store *st, uint32_t account);
/* Takes away what a crash inside box_delete left behind; box_delete does so too. */
MUST enum err box_sweep(struct store *st, uint32_t account);
/* Walks the account and recounts everything: fault gets a sentence for each that is found, and
 * may suspend. E_CORRUPT: there are some; E_NOTFOUND: no such account. */
struct box_report {
	void (*fault)(void *arg, struct str sentence);
	void *arg;
};
MUST enum err box_check(struct store *st, uint32_t account, const struct box_report *r);
/* octets and messages kept now (for quota). */
struct box_usage {
	uint64_t octets, messages;
};
MUST enum err box_usage(struct store *st, uint32_t account, struct box_usage *out);

/* --- mailboxes --- */

/* Special uses, RFC 6154 2, as bits; one mailbox has at most one. */
enum { USE_DRAFTS = 1, USE_SENT = 2, USE_JUNK = 4, USE_TRASH = 8, USE_ARCHIVE = 16 };

struct mailbox_info {
	uint32_t id; /* never given again within the account */
	struct str name;
	unsigned use;
	bool subscribed;
	bool exists; /* false: only a subscription of this name is left, or only children are */
	uint32_t messages, recent, unseen, deleted, uidnext, uidvalidity;
	uint64_t octets, modseq;
};
/* All mailboxes, by name in octet order, INBOX first. Names that exist only as a parent of
 * others or as a subscription come with exists false. */
MUST enum err box_list(struct store *st, uint32_t account, struct arena *a,
		       struct mailbox_info **out, size_t *n);
MUST enum err box_status(struct store *st, uint32_t account, struct str name, struct arena *a,
			 struct mailbox_info *out); /* E_NOTFOUND */
/* E_EXISTS; E_SYNTAX (the name); E_LIMIT. Makes missing parents. use: 0 or one, RFC 6154 3. */
MUST enum err box_create(struct store *st, uint32_t account, struct str name, unsigned use);
/* E_NOTFOUND; E_DENIED (INBOX). Children and the subscription stay. RFC 3501 6.3.4 */
MUST enum err box_delete(struct store *st, uint32_t account, struct str name);
/* Children move along, missing parents are made; INBOX leaves its messages to the new name and
 * its children stay: sessions that have it open see it as deleted. RFC 3501 6.3.5.
 * E_NOTFOUND, E_EXISTS, E_SYNTAX, E_LIMIT, E_DENIED (below itself). */
MUST enum err box_rename(struct store *st, uint32_t account, struct str from, struct str to);
/* The name need not exist. E_SYNTAX, E_LIMIT. */
MUST enum err box_subscribe(struct store *st, uint32_t account, struct str name, bool on);
bool mailbox_name_ok(struct str name); /* (quick) */
/* INBOX in capitals (above others too), one trailing '/' taken off. All calls here do so. */
struct str mailbox_name_clean(struct arena *a, struct str name); /* (quick) */

/* --- taking a message in --- */

/* A message on its way into mailboxes: its octets go to a blob and through the MIME parser
 * at once. Owner: caller, who closes it. */
struct incoming;
struct incoming *incoming_new(struct store *st);
/* E_LIMIT: over 1 TiB. */
MUST enum err incoming_write(struct incoming *in, struct str octets);
MUST enum err incoming_finish(struct incoming *in); /* no more writes; before it is delivered */
uint64_t incoming_size(const struct incoming *in);  /* (quick) */
struct blob_id incoming_blob(const struct incoming *in); /* (quick) after finish; it is held until
							    the close */
const struct summary *incoming_summary(const struct incoming *in); /* (quick) after finish */
void incoming_close(struct incoming **in);                         /* (quick) sets NULL */

/* Who is warned when what he keeps comes near his quota: at `percent` of it a mail goes to his
 * INBOX, quota or not, together with what fills it; once, until it has fallen by a ninth of that
 * (from 90 to 80). */
struct quota_warning {
	uint64_t quota;     /* octets; 0: never */
	unsigned percent;   /* 0: never */
	struct str address; /* of the account */
};

struct delivery {
	uint32_t account;
	struct str mailbox; /* "" or one that does not exist: INBOX */
	uint64_t quota;     /* octets the account may hold; 0: no limit */
	struct quota_warning warning;
	uint64_t flags;           /* system flags only */
	struct str keywords[4];   /* .p NULL ends */
	enum err result;          /* OK, E_QUOTA, E_NOTFOUND (no such account), or any */
	uint32_t mailbox_id, uid; /* where it went */
};
/* Delivers to each account, all in one commit where the engine can. A message goes to each of
 * them exactly once if its result is OK, not at all otherwise (but see E_AGAIN). */
void box_deliver(struct store *st, struct incoming *in, struct delivery *d, size_t n);
/* The same, and other updates in that commit: mail that leaves the house, from the queue. */
void box_deliver_also(struct store *st, struct incoming *in, struct delivery *d, size_t n,
		      struct update *also, size_t nalso);

/* Writes to the inbox of an account, quota or not; of n, id and now are made here. */
struct notice;
MUST enum err box_tell(struct store *st, uint32_t account, const struct notice *n);

/* --- an open mailbox --- */

struct msg {
	uint32_t uid;        /* 1 .. 2^32-1, ascending in order of arrival */
	uint64_t modseq;     /* 1 .. 2^63-1; new at every change of the message */
	uint64_t size;       /* octets with CRLF line ends; RFC 9051 2.3.4 */
	int64_t arrived;     /* INTERNALDATE, UTC seconds since 1970; RFC 9051 2.3.3 */
	int64_t saved;       /* when it came into this mailbox, RFC 8514 */
	uint64_t flags;      /* bit n is box_flag_name(n); bits 0-4 are the system flags */
	struct blob_id blob; /* its octets; also its EMAILID: copies share it */
	uint64_t thread;     /* THREADID */
};

/* Opens a mailbox. E_NOTFOUND. Owner: caller, who closes it before the store. Cost does not
 * grow with the messages beyond their map (32 octets for 64 messages). */
MUST enum err box_open(struct store *st, uint32_t account, struct str name, struct box **out);
void box_close(struct box **b); /* sets NULL */
/* (quick) What a box_copy that comes near the quota does; address lives as long as b. */
void box_warning(struct box *b, struct quota_warning w);

/*
 * (quick) What this session knows of the mailbox: as of box_open or the last box_sync, however
 * much other sessions change it meanwhile. Message numbers are those of this view.
 */
struct box_view {
	uint32_t id, uidvalidity, uidnext, exists, recent, unseen;
	uint32_t first_unseen; /* message number, 0: none */
	uint64_t modseq;       /* HIGHESTMODSEQ */
	uint64_t keywords;     /* which keyword bits are in use */
	bool deleted;          /* someone deleted the mailbox: close it */
};
struct box_view box_view(const struct box *b);
struct str box_flag_name(const struct box *b, unsigned bit); /* (quick) lives until box_sync */
uint32_t box_uid(const struct box *b, uint32_t number);      /* (quick) 0: no such message number */
uint32_t box_number(const struct box *b, uint32_t uid);      /* (quick) 0: not in the view */
/* (quick) Message numbers to UIDs; numbers beyond the view are left out and *beyond set. */
struct uidset box_uids(const struct box *b, struct arena *a, struct uidset numbers, bool *beyond);
/* (quick) Only those UIDs that the view holds. */
struct uidset box_known(const struct box *b, struct arena *a, struct uidset uids);
bool box_is_recent(const struct box *b, uint32_t uid); /* (quick) RFC 3501 2.3.2 */
/* Takes the \Recent of the messages of the view for this session; SELECT does, EXAMINE does
 * not. Again, when the mailbox is left: else who comes next sees what came meanwhile as recent
 * too. E_NOTFOUND: it is gone. */
MUST enum err box_take_recent(struct box *b);

/*
 * Brings the view up to date and tells what is different, in this order: for each message that
 * has gone its number at that moment (highest first, so earlier ones do not shift; only if
 * expunges), then exists/recent if there are new messages, then keywords, then each message that
 * the view had and that changed since. Without expunges the gone ones stay in the view for now.
 * tell and each function in it may be NULL. After an error what was not told is told next time.
 */
struct box_changes {
	void *arg;
	void (*expunged)(void *arg, uint32_t number, uint32_t uid);
	void (*exists)(void *arg, uint32_t exists, uint32_t recent);
	void (*changed)(void *arg, uint32_t number, const struct msg *m);
	void (*keywords)(void *arg); /* the mailbox has new keywords */
};
MUST enum err box_sync(struct box *b, bool expunges, const struct box_changes *tell);
/* (quick) Raised when the account changed: what IDLE waits on; then box_sync says what. */
struct signal *box_signal(struct box *b);

/* --- reading --- */

/* Calls fn for each message of the set that the view holds, ascending, in batches of a page:
 * constant memory, fn may suspend. A message that was expunged meanwhile but still is in the view
 * is left out. fn's error ends the walk and is the result; fn must not call box_sync. */
MUST enum err box_each(struct box *b, struct uidset uids,
		       enum err (*fn)(void *arg, uint32_t number, const struct msg *m), void *arg);
/* The same, only those with a modseq above since: pages without any are not read. */
MUST enum err box_each_since(struct box *b, struct uidset uids, uint64_t since,
			     enum err (*fn)(void *arg, uint32_t number, const struct msg *m),
			     void *arg);
MUST enum err box_get(struct box *b, uint32_t uid, struct msg *out); /* E_NOTFOUND: it is gone */
/* The same as box_each with what SORT and THREAD want of the message, which lives until fn
 * returns. Where it is asked for the first time it is worked out, and kept for the next. */
struct sortkey;
MUST enum err box_each_key(struct box *b, struct uidset uids,
			   enum err (*fn)(void *arg, uint32_t number, const struct msg *m,
					  const struct sortkey *k),
			   void *arg);
/* The stored summary, in the arena; E_NOTFOUND. */
MUST enum err box_summary(struct box *b, const struct msg *m, struct arena *a, struct summary *out);
/* Octets [off, off+n) of a message, fewer at its end; n at most 1 MiB. E_NOTFOUND. */
MUST enum err box_read(struct box *b, const struct msg *m, uint64_t off, size_t n, struct arena *a,
		       struct str *out);

/* --- changing --- */

struct flag_change {
	enum { FLAG_ADD, FLAG_CLEAR, FLAG_REPLACE } op;
	uint64_t flags;             /* system flags and keyword bits already known */
	const struct str *keywords; /* further keywords by name; made where missing */
	size_t nkeywords;
	uint64_t unless_after; /* leave messages of a higher modseq alone, UINT64_MAX: none;
				  RFC 7162 3.1.3 */
};
/* Changes flags of each message of set (of the view), or puts it in *kept if unless_after
 * forbids it (kept may be NULL). UIDs that are gone are skipped. E_LIMIT: no bit left for a
 * new keyword; E_NOTFOUND: the mailbox is gone. The view does not change: box_sync tells
 * the changes, this session's own too. A message whose flags stay as they were keeps its modseq
 * and is not told (RFC 7162 3.1). Sets over 16,000 messages go by several updates. */
MUST enum err box_flags(struct box *b, struct uidset set, const struct flag_change *ch,
			struct arena *a, struct uidset *kept);

/* Adds a finished message. m gives arrived, and flags (system); keywords by name. The result's
 * uid and the mailbox's uidvalidity for APPENDUID. E_QUOTA, E_NOTFOUND (mailbox), E_LIMIT. */
struct append {
	struct incoming *in;
	int64_t arrived;
	uint64_t flags;
	const struct str *keywords;
	size_t nkeywords;
	uint64_t quota;
	struct quota_warning warning;
	uint32_t uid, uidvalidity; /* results */
};
MUST enum err box_append(struct store *st, uint32_t account, struct str mailbox, struct append *ap);

/* Copies or moves the set (of the view) to a mailbox of the same account, flags and dates kept.
 * *from and *to: the UIDs of both sides, pairwise, ascending (COPYUID). Up to 4,096 messages go
 * in one update, all or none. Beyond that a MOVE that fails has moved what *out says, and a COPY
 * that fails is taken back (but for a crash). A keyword for which the target has no bit left is
 * left out. E_NOTFOUND (target: RFC 3501 6.4.7 TRYCREATE), E_QUOTA, E_LIMIT (UIDs). RFC 6851 */
struct copied {
	struct uidset from, to;
	uint32_t uidvalidity;
};
MUST enum err box_copy(struct box *b, struct uidset set, struct str target, bool move,
		       uint64_t quota, struct arena *a, struct copied *out);

/* Removes for good those messages of set (of the view) that are \Deleted; RFC 3501 6.4.3, RFC
 * 4315 2.1. box_sync tells them to this session too. all: without asking for \Deleted (POP3).
 * By several updates where there are many; *gone is right at an error too. */
MUST enum err box_expunge(struct box *b, struct uidset set, bool all, struct arena *a,
			  struct uidset *gone);

/* UIDs expunged since a modseq; all of 1..uidnext-1 that are not there, where the log does not
 * reach so far back. Not those that are in the view. RFC 7162 3.2.6 (VANISHED) */
MUST enum err box_vanished(struct box *b, uint64_t since, struct arena *a, struct uidset *out);

/* (quick) The messages of the view that are (or are not) \Seen, \Deleted: by the map alone. */
struct uidset box_seen(const struct box *b, struct arena *a, bool seen);
struct uidset box_deleted(const struct box *b, struct arena *a);

#endif
