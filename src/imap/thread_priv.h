/* SPDX-License-Identifier: ISC */
#ifndef IMAP_THREAD_PRIV_H
#define IMAP_THREAD_PRIV_H
/*
 * thread_priv.h - messages as trees of conversations: RFC 5256 3 "THREAD". Gives way to others.
 *
 * Messages are added in the order of the mailbox, then the tree is made of them. Nothing here
 * calls itself: a conversation may be as deep as the mailbox has messages.
 */
#include "imap/imap_priv.h"
#include "mail/sortkey.h"

struct node {
	uint32_t number; /* what is told; 0: a dummy, a message that is not there */
	bool reply;
	int64_t sent;
	uint64_t id; /* 0: no other message can name it */
	uint64_t subject;
	struct node *parent; /* by references, dummies among them */
	uint32_t below;      /* how many have it as parent */
	uint32_t kids;       /* of a dummy that stays */
	struct node *anchor; /* of a dummy, once it is known: what its children hang on */
	struct node *up;     /* the parent that is told; NULL: a root */
	struct node *first, *last, *next; /* told below it, and beside it */
};

/* Nodes by a number; one of no node is not found. */
struct node_table {
	struct arena *a;
	struct node **slot;
	uint64_t *key;
	size_t n, cap;
	uint64_t seed;
};

struct threads {
	struct arena *a;
	struct node_table ids;
	const void **node; /* the messages */
	size_t n, max;
	size_t nodes; /* dummies too */
	struct node root;
};
enum { THREAD_NODES_MAX = 2000000, THREAD_DEPTH_MAX = 1000 };

/* For at most max messages; all memory is the arena's. */
void threads_begin(struct threads *t, struct arena *a, size_t max);
/* E_LIMIT: THREAD_NODES_MAX */
MUST enum err threads_add(struct threads *t, uint32_t number, int64_t sent,
			  const struct sortkey *k);
/* (suspends) Makes the tree below t->root. */
void threads_by_references(struct threads *t);
void threads_by_subject(struct threads *t);

#endif
