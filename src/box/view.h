/* SPDX-License-Identifier: ISC */
#ifndef BOX_VIEW_H
#define BOX_VIEW_H
/*
 * view.h - an open mailbox: what its session knows of it. Private to the box room.
 *
 * The view is the map of the mailbox at one modseq, page by page, with the messages that have
 * gone since but were not told yet. Message numbers come from counting bits.
 */
#include "box/change.h"

struct view_page {
	uint32_t number;  /* uid / 64 */
	uint32_t before;  /* messages in the pages before this one */
	uint64_t present; /* in the view */
	uint64_t gone;    /* of those: not in the store any more */
	uint64_t seen, deleted, recent;
};

struct pages {
	struct view_page *v; /* ascending */
	size_t n, cap;
};

struct box {
	struct store *st;
	struct key partition;
	struct watch *watch;
	uint32_t id;
	bool inbox; /* opened as INBOX */
	bool deleted;
	struct pages pages;
	uint32_t uidvalidity, uidnext;
	uint32_t exists, recent, unseen, first_unseen, gone; /* counted by view_count */
	uint32_t recent_to; /* whose \Recent it is is settled for UIDs below this */
	uint64_t modseq;
	size_t nkeywords;
	struct str keyword[KEYWORDS_MAX]; /* in text */
	char *text;
	bool keywords_owed; /* to be told */
	struct quota_warning warning;
};

/* Appends a page behind all others; it is zeroed but for its number. */
struct view_page *view_add_page(struct pages *p, uint32_t number);
void view_count(struct box *b); /* after pages have changed */
void view_keywords(struct box *b, const struct mailbox_record *r);
uint64_t view_flags(const struct box *b); /* bits that box_flag_name knows */

/* Walks the pages of the view that hold UIDs of a set. */
struct walk {
	const struct box *b;
	struct uidset set;
	size_t page, range; /* where to look on */
};
/* The next page and the messages of the view in it that are in the set; false at the end. */
bool view_walk(struct walk *w, const struct view_page **page, uint64_t *mask);

/* Adds the UIDs of a page that are in mask; pages ascending. */
void view_add_mask(struct uidset_builder *set, uint32_t page, uint64_t mask);

/* A page and which messages of it matter: what reads and updates of bounded size are made of. */
struct part {
	uint32_t page;
	uint64_t mask;
};
/* The next parts of the set in the view, as long as there are at most max parts and messages
 * (a page is never divided). 0: the end. */
size_t view_parts(struct walk *w, struct part *part, size_t max, size_t messages);

/* Calls fn for the messages of the parts that are still there and have a modseq above since;
 * READ_PAGES at most are in memory at a time. */
enum { READ_PAGES = 8 };
MUST enum err view_each(struct box *b, const struct part *part, size_t n, uint64_t since,
			enum err (*fn)(void *arg, uint32_t number, const struct msg *m), void *arg);

#endif
