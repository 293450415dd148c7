/* SPDX-License-Identifier: ISC */
#ifndef BOX_CHANGE_H
#define BOX_CHANGE_H
/*
 * change.h - an account and its mailboxes inside one run of a read or an update. Private to the
 * box room. Never suspends.
 *
 * Everything lives in tx_arena and ends with the run. Records, a page and a chunk are decoded
 * once, changed in memory and written back by mailbox_save and account_save, so that all
 * invariants of layout.h are kept in this one place (change.c).
 */
#include "box/layout.h"

struct account {
	struct tx *tx;
	struct account_record rec;
	uint64_t modseq; /* this update's; 0: nothing has changed yet */
	bool dirty;
};
/* E_NOTFOUND: no such account. */
MUST enum err account_load(struct tx *tx, struct account *out);
void account_save(struct account *ac);
/* The one modseq that all changes of this update share. */
uint64_t account_modseq(struct account *ac);
/* now: seconds since 1970; at least one more than the last one. */
uint32_t account_uidvalidity(struct account *ac, int64_t now);

struct mailbox {
	struct account *ac;
	uint32_t id;
	struct mailbox_record rec;
	bool dirty;
	uint32_t chunk_number, page_number;
	bool chunk_here, chunk_dirty, page_here, page_dirty;
	struct chunk *chunk;
	struct page *page;
	struct uidset_builder gone; /* removed in this update, for the log */
};
/* Both: E_NOTFOUND, also if it is being removed. */
MUST enum err mailbox_load(struct account *ac, uint32_t id, struct mailbox **out);
MUST enum err mailbox_find(struct account *ac, struct str name, struct mailbox **out);
/* A new one, whose name the caller has looked at. E_LIMIT: MAILBOXES_MAX. */
MUST enum err mailbox_make(struct account *ac, struct str name, unsigned use, int64_t now,
			   struct mailbox **out);
MUST enum err mailbox_save(struct mailbox *mb);
void mailbox_touch(struct mailbox *mb); /* something about it changes now */

/* The page, to look at. E_NOTFOUND: none of its messages is there. */
MUST enum err mailbox_page(struct mailbox *mb, uint32_t number, const struct page **out);
/* A new message at the end. m: all but uid and modseq. The blob's reference is the caller's.
 * E_LIMIT: the UIDs are used up. */
MUST enum err mailbox_add(struct mailbox *mb, const struct msg *m, uint32_t *uid);
/* Of the page that mailbox_page gave last. The references are the caller's; pages ascending. The
 * sort keys of the page go. */
void mailbox_remove(struct mailbox *mb, uint64_t mask);
void mailbox_flag(struct mailbox *mb, unsigned slot, uint64_t flags);
/* The sort keys of a page, with their blob; fine if there are none. */
void keys_drop(struct tx *tx, uint32_t id, uint32_t page);
/* The bits of keywords by name, made where missing. E_LIMIT: no bit left (or no keyword at all);
 * *bits then has those that there are. */
MUST enum err mailbox_keywords(struct mailbox *mb, const struct str *name, size_t n,
			       uint64_t *bits);
/* Bits of this mailbox's keywords, known or not. */
uint64_t mailbox_flags_known(const struct mailbox_record *r);
int mailbox_keyword(const struct mailbox_record *r, struct str name); /* its bit, or -1 */

#endif
