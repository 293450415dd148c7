/* SPDX-License-Identifier: ISC */
#ifndef IMAP_PARSE_PRIV_H
#define IMAP_PARSE_PRIV_H
/*
 * parse_priv.h - the grammar of RFC 3501 9 on a scanner; functions are named like its rules.
 *
 * A command is one text: its lines with CRLF between, literals standing in it as they came:
 * "{5}\r\nhello". Results point into the text or the arena. Never suspends.
 */
#include "base/base.h"
#include "mail/uidset.h"

struct imap_literal {
	uint64_t n;
	bool sync; /* the client waits for "+ " before it sends the octets; not so RFC 7888 */
};
/* Does the line announce a literal? RFC 3501 4.3, RFC 7888 3. A number too long to be read is
 * UINT64_MAX. head: the line without the announcement. */
bool imap_literal_tail(struct str line, struct str *head, struct imap_literal *out);

bool imap_atom_char(char c);
struct str imap_tag(struct scan *in);
struct str imap_atom(struct scan *in);
struct str imap_string(struct scan *in, struct arena *a);  /* quoted or literal, without NUL */
struct str imap_nstring(struct scan *in, struct arena *a); /* .p is NULL for NIL */
struct str imap_astring(struct scan *in, struct arena *a);
struct str imap_list_mailbox(struct scan *in, struct arena *a);

/* A mailbox name as UTF-8, INBOX in capitals. If it is in the grammar but no possible name,
 * the result has .p NULL and *why is a sentence. RFC 3501 5.1 */
struct str imap_mailbox(struct scan *in, struct arena *a, const char **why);

enum { FLAGS_MAX = 128 };
struct imap_flags {
	uint64_t system;
	const struct str *keywords;
	size_t n;
};
struct imap_flags imap_flag_list(struct scan *in, struct arena *a);  /* "(" flags ")" */
struct imap_flags imap_flags_bare(struct scan *in, struct arena *a); /* flag *(SP flag) */

/* --- FETCH: RFC 3501 6.4.5 --- */

struct imap_section {
	const uint32_t *path; /* {2, 1} is "2.1" */
	size_t depth;
	enum { SEC_ALL, SEC_HEADER, SEC_FIELDS, SEC_FIELDS_NOT, SEC_TEXT, SEC_MIME } what;
	const struct str *fields;
	size_t nfields;
	bool peek, partial;
	uint32_t off, n; /* if partial */
};
struct imap_item {
	enum {
		ITEM_FLAGS,
		ITEM_UID,
		ITEM_INTERNALDATE,
		ITEM_SIZE,
		ITEM_ENVELOPE,
		ITEM_BODY,
		ITEM_BODYSTRUCTURE,
		ITEM_SECTION,
		ITEM_BINARY, /* RFC 3516 4.2 */
		ITEM_BINARY_SIZE
	} kind;
	struct imap_section sec;
	struct str label; /* of a section: what the answer calls it, "BODY[1]<0>" */
};
enum { FETCH_ITEMS_MAX = 256, FETCH_FIELDS_MAX = 256 };
struct imap_fetch {
	struct imap_item *item;
	size_t n;
	bool marks;   /* sets \Seen */
	bool summary; /* asks for what the summary holds */
	bool has_uid, has_flags;
};
void imap_fetch_items(struct scan *in, struct arena *a, struct imap_fetch *out);

/* --- APPEND: RFC 3501 6.3.11 --- */

struct imap_append {
	struct str mailbox; /* .p NULL: why says what is wrong with it */
	const char *why;
	struct imap_flags flags;
	bool dated, binary; /* binary: literal8, RFC 3516 7 */
	int64_t arrived;
};
/* All up to the message's literal. */
void imap_append_head(struct scan *in, struct arena *a, struct imap_append *out);

/* --- STATUS: RFC 3501 6.3.10, RFC 7889 5, RFC 8438 2, RFC 9208 4.1.4 --- */

enum imap_status_item {
	ST_MESSAGES,
	ST_RECENT,
	ST_UIDNEXT,
	ST_UIDVALIDITY,
	ST_UNSEEN,
	ST_APPENDLIMIT,
	ST_SIZE,
	ST_DELETED,
	ST_DELETED_STORAGE,
	ST_COUNT
};
struct imap_status {
	enum imap_status_item item[ST_COUNT]; /* as asked, each once at most */
	size_t n;
};
const char *imap_status_name(enum imap_status_item i);
void imap_status_items(struct scan *in, struct imap_status *out); /* "(" items ")" */

/* --- LIST: RFC 5258 6, RFC 6154 6, RFC 5819 4 --- */

enum { LIST_PATTERNS_MAX = 64 };
enum {
	LIST_SUBSCRIBED = 1,
	LIST_REMOTE = 2,
	LIST_RECURSIVE = 4,
	LIST_CHILDREN = 8,
	LIST_USE = 16,
	LIST_STATUS = 32, /* with items */
};
struct imap_list {
	unsigned select, give; /* LIST_... */
	bool extended;
	struct imap_status status; /* of LIST_STATUS */
	struct str reference;
	const struct str *pattern; /* as they came: modified UTF-7 */
	size_t n;
};
void imap_list_request(struct scan *in, struct arena *a, struct imap_list *out);

/* Does a name match a pattern with "%" and "*"? Time is linear in both, whatever they are.
 * inbox: the name's first five octets are INBOX, in any case. */
struct imap_pattern;
struct imap_pattern *imap_pattern_new(struct arena *a, struct str pattern);
bool imap_pattern_match(const struct imap_pattern *p, struct str name, bool inbox);
bool imap_pattern_is_broad(const struct imap_pattern *p); /* ends in "%": RFC 3501 6.3.8 */

/* --- SEARCH: RFC 3501 6.4.4 --- */

enum { SEARCH_DEPTH_MAX = 50, SEARCH_KEYS_MAX = 1000 };
enum imap_key_kind {
	/* by the map of the mailbox or by its records */
	KEY_ALL,
	KEY_FLAGS, /* all bits of num */
	KEY_NUMBERS,
	KEY_UIDS,
	KEY_KEYWORD,
	KEY_RECENT,
	KEY_BEFORE,
	KEY_ON,
	KEY_SINCE,
	KEY_LARGER,
	KEY_SMALLER,
	/* by the summary */
	KEY_SENTBEFORE,
	KEY_SENTON,
	KEY_SENTSINCE,
	/* by the message's header */
	KEY_HEADER,
	/* by the message */
	KEY_BODY,
	KEY_TEXT,
	/* of others */
	KEY_NOT,
	KEY_OR,
	KEY_AND
};
enum imap_key_cost { COST_RECORD, COST_SUMMARY, COST_HEADER, COST_MESSAGE };
struct imap_key {
	enum imap_key_kind kind;
	enum imap_key_cost cost;
	uint64_t num;           /* flags or octets */
	int64_t day;            /* the midnight that begins it */
	struct str field;       /* of HEADER */
	struct str text;        /* folded: imap_fold */
	struct uidset set;      /* of KEY_NUMBERS, KEY_UIDS */
	struct imap_key *first; /* NOT: one, OR: two, AND: any number, the cheapest first */
	struct imap_key *next;
};
enum { RETURN_MIN = 1, RETURN_MAX = 2, RETURN_ALL = 4, RETURN_COUNT = 8 }; /* RFC 4731 3.1 */
struct imap_search {
	struct imap_key *key;           /* a KEY_AND */
	unsigned returns;               /* RETURN_...; 0: a SEARCH response is wanted */
	uint32_t star_number, star_uid; /* set by the caller: what "*" means */
	bool badcharset;
	bool too_much; /* failed at SEARCH_DEPTH_MAX or SEARCH_KEYS_MAX */
};
void imap_search_request(struct scan *in, struct arena *a, struct imap_search *out);

/* --- SORT and THREAD: RFC 5256 5, RFC 5957 5 --- */

enum imap_sort_key {
	SORT_ARRIVAL,
	SORT_CC,
	SORT_DATE,
	SORT_DISPLAYFROM,
	SORT_DISPLAYTO,
	SORT_FROM,
	SORT_SIZE,
	SORT_SUBJECT,
	SORT_TO,
	SORT_BY_COUNT
};
struct imap_sort {
	struct imap_sort_by {
		enum imap_sort_key key;
		bool reverse;
	} by[SORT_BY_COUNT]; /* each key once at most */
	size_t n;
};
void imap_sort_request(struct scan *in, struct arena *a, struct imap_sort *sort,
		       struct imap_search *out);
enum imap_thread { THREAD_REFERENCES, THREAD_ORDEREDSUBJECT, THREAD_UNKNOWN };
void imap_thread_request(struct scan *in, struct arena *a, enum imap_thread *how,
			 struct imap_search *out);

/* Text in which case makes no difference; what is no UTF-8 becomes U+FFFD. */
struct str imap_fold(struct arena *a, struct str utf8);

#endif
