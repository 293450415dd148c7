/* SPDX-License-Identifier: ISC */
#ifndef BOX_LAYOUT_H
#define BOX_LAYOUT_H
/*
 * layout.h - what an account looks like in its partition. Private to the box room.
 * Never suspends. Why it is so: docs/adr/0003-mailbox-layout.md.
 *
 *   partition "a/%08x" (the account's number), keys, numbers in hex:
 *   i                    the account record
 *   b/%08x               mailbox: the mailbox record
 *   c/%08x/%08x          mailbox, uid / 2048: a chunk of the map, 32 entries for 64 UIDs each
 *   m/%08x/%08x          mailbox, uid / 64: a page, the records of these 64 UIDs
 *   x/%08x/%016x         mailbox, modseq: the UIDs expunged by that change
 *   k/%08x/%08x          mailbox, uid / 64: where the sort keys of this page are, if any are kept
 *   s/%016x              hash of a name: the subscribed names of that hash
 *   r                    what all receipts are together
 *   r/%016x              hash of a Message-ID: what became of that mail, which was sent from here
 *   q/%016x              number of a mail with receipts, in order of age: its r/ key
 *
 * Invariants, which box_check recounts:
 *   1. A page and its map entry name the same UIDs and the same \Seen and \Deleted; a page, a
 *      map entry or a chunk without messages does not exist.
 *   2. The modseq of a record <= that of its map entry <= of its chunk <= of its mailbox <= of
 *      the account. What lies under a number that has not risen has not changed.
 *   3. Counts and octets of a mailbox are the sums over its pages, those of the account the sums
 *      over its mailboxes that are not being removed.
 *   4. Every UID is below uidnext; every mailbox id below the account's next one.
 *   5. Each record holds one reference to its blob, that of sort keys too.
 *   6. Sort keys are kept of messages that are in their page, and of no others.
 *   7. Each r/ has the number of exactly one q/, which names it; r is the count and the octets of
 *      all r/, and no number is above its last one.
 *
 * Each value begins with its format version, an octet. Numbers are little-endian.
 */
#include "base/buf.h"
#include "box/box.h"

enum {
	LAYOUT_VERSION = 1,
	ACCOUNT_VERSION_WARNED = 2,
	PAGE_UIDS = 64,
	CHUNK_PAGES = 32,
	CHUNK_UIDS = PAGE_UIDS * CHUNK_PAGES,
	/* flags 8, modseq 8, arrived 5, saved 5, size 5, blob 16, thread 8 */
	RECORD_SIZE = 55,
	PAGE_SIZE_MAX = 1 + 8 + PAGE_UIDS * RECORD_SIZE,
	LOG_ENTRIES_MAX = 1000, /* expunges a mailbox remembers */
	LOG_RANGES_MAX = 16384, /* and the ranges of UIDs in all of them */
};

/* --- keys --- */

struct key {
	char c[32];
	size_t n;
};
static inline struct str key_str(const struct key *k)
{
	return (struct str){ k->c, k->n };
}
struct key key_partition(uint32_t account);
struct key key_mailbox(uint32_t id);
struct key key_chunk(uint32_t id, uint32_t chunk);
struct key key_page(uint32_t id, uint32_t page);
struct key key_log(uint32_t id, uint64_t modseq);
struct key key_sort(uint32_t id, uint32_t page);
struct key key_subscription(struct str name);
struct key key_receipt(struct str id);
struct key key_receipt_order(uint64_t number);
/* What all keys of a kind ('c', 'm', 'x', 'k') of a mailbox begin with. */
struct key key_prefix(char kind, uint32_t id);
/* The last number of a key; false if the key is not of this kind. */
bool key_number(struct str key, const struct key *prefix, size_t digits, uint64_t *out);
#define KEY_ACCOUNT       S("i")
#define KEY_MAILBOXES     S("b/")
#define KEY_SUBSCRIPTIONS S("s/")
#define KEY_RECEIPT_TALLY S("r")
#define KEY_RECEIPTS      S("r/")
#define KEY_RECEIPT_ORDER S("q/")

/* --- values: each decoder says E_VERSION or E_CORRUPT, each encoder allocates in the arena --- */

struct account_record {
	uint32_t next_id;     /* the next mailbox's; none is given twice */
	uint32_t inbox;       /* the mailbox that is INBOX: another one after RENAME INBOX */
	uint32_t uidvalidity; /* the last one given; they only rise */
	uint32_t mailboxes, subscriptions;
	uint64_t modseq; /* the last one given, in any mailbox */
	uint64_t octets, messages;
	bool warned; /* that the quota is near. Only then the value's version is 2 */
};
MUST enum err account_decode(struct str value, struct account_record *out);
struct str account_encode(struct arena *a, const struct account_record *r);

struct mailbox_record {
	bool removing; /* deleted; its pages go in further updates */
	unsigned use;
	struct str name;
	uint32_t uidvalidity, uidnext;
	uint32_t messages, unseen, deleted;
	uint32_t recent_from; /* messages from this UID on are \Recent to whoever comes next */
	uint64_t octets;
	uint64_t modseq;    /* the highest of any change to it */
	uint64_t log_floor; /* expunges up to this modseq are forgotten */
	uint32_t log_entries, log_ranges;
	size_t nkeywords;
	struct str keyword[KEYWORDS_MAX]; /* of bit FLAG_KEYWORD + index */
};
/* Texts point into value. */
MUST enum err mailbox_decode(struct str value, struct mailbox_record *out);
struct str mailbox_encode(struct arena *a, const struct mailbox_record *r);

struct map_entry {
	uint64_t present, seen, deleted; /* bit n: uid 64 * page + n */
	uint64_t modseq;                 /* of the last change to any of them */
};
struct chunk {
	uint64_t modseq; /* the highest of its entries, those that are gone too */
	struct map_entry entry[CHUNK_PAGES];
};
MUST enum err chunk_decode(struct str value, struct chunk *out);
/* Only the first octets: enough to see that nothing is new. */
MUST enum err chunk_modseq(struct str value, uint64_t *out);
struct str chunk_encode(struct arena *a, const struct chunk *c);

struct page {
	uint64_t present;
	struct msg msg[PAGE_UIDS]; /* by uid % 64; uid is set */
};
MUST enum err page_decode(struct str value, uint32_t number, struct page *out);
struct str page_encode(struct arena *a, const struct page *p);

/* Where the sort keys of a page are. */
struct key_page_record {
	uint64_t present; /* whose keys these are */
	struct blob_id blob;
};
MUST enum err keys_decode(struct str value, struct key_page_record *out);
struct str keys_encode(struct arena *a, const struct key_page_record *r);

MUST enum err log_decode(struct str value, struct arena *a, struct uidset *out);
struct str log_encode(struct arena *a, struct uidset gone);

/* The subscribed names of one hash. */
MUST enum err names_decode(struct str value, struct arena *a, struct str **out, size_t *n);
struct str names_encode(struct arena *a, const struct str *name, size_t n);

/* Logs where it stands that a stored value makes no sense, and gives e (E_CORRUPT, E_VERSION). */
enum err layout_broken(enum err e, struct str key);

/* --- masks --- */

static inline uint64_t bit64(unsigned n)
{
	return (uint64_t)1 << n;
}
static inline unsigned bits64(uint64_t mask)
{
	return (unsigned)__builtin_popcountll(mask);
}
static inline unsigned lowest64(uint64_t mask) /* mask is not 0 */
{
	return (unsigned)__builtin_ctzll(mask);
}

#endif
