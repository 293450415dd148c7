/* SPDX-License-Identifier: ISC */
/* imap/thread_tree.c - REFERENCES and ORDEREDSUBJECT: RFC 5256 3. The steps are named there. */
#include <sys/random.h>

#include "fiber/fiber.h"
#include "imap/thread_priv.h"

enum { YIELD_NODES = 4096, TABLE_LEAST = 64 };

static void give_way(size_t i)
{
	if (i % YIELD_NODES == YIELD_NODES - 1)
		fiber_yield();
}

/* --- nodes by number --- */

/* Who sends mail knows the hashes of its ids, but not the seed. */
static size_t place(const struct node_table *t, uint64_t key)
{
	uint64_t h = (key ^ t->seed) * (t->seed | 1);

	return (size_t)(h ^ h >> 32) & (t->cap - 1);
}

static void table_size(struct node_table *t, size_t cap)
{
	t->cap = cap;
	t->slot = ARENA_ARRAY(t->a, struct node *, cap);
	t->key = ARENA_ARRAY(t->a, uint64_t, cap);
}

static void table_begin(struct node_table *t, struct arena *a, size_t n)
{
	size_t cap = TABLE_LEAST;

	while (cap < 2 * n)
		cap *= 2;
	*t = (struct node_table){ .a = a };
	BUG_IF(getrandom(&t->seed, sizeof t->seed, 0) != sizeof t->seed);
	table_size(t, cap);
}

/* Where the node of this number stands, or would. */
static struct node **table_find(struct node_table *t, uint64_t key)
{
	size_t at = place(t, key);

	while (t->slot[at] && t->key[at] != key)
		at = (at + 1) & (t->cap - 1);
	t->key[at] = key;
	return &t->slot[at];
}

/* After a new one was put where table_find said. */
static void table_grow(struct node_table *t)
{
	struct node_table old = *t;

	if (++t->n < t->cap / 2)
		return;
	table_size(t, 2 * t->cap);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i])
			*table_find(t, old.key[i]) = old.slot[i];
}

/* --- step 1: links --- */

static struct node *node_new(struct threads *t)
{
	t->nodes++;
	return ARENA_NEW(t->a, struct node);
}

static struct node *node_of(struct threads *t, uint64_t id)
{
	struct node **at = table_find(&t->ids, id), *n = *at;

	if (n)
		return n;
	*at = n = node_new(t);
	n->id = id;
	table_grow(&t->ids);
	return n;
}

/* Is it among those above? What is deeper than any conversation counts as a loop as well. */
static bool is_above(const struct node *n, const struct node *below)
{
	unsigned depth = 0;

	for (; below; below = below->parent)
		if (below == n || ++depth > THREAD_DEPTH_MAX)
			return true;
	return false;
}

static void link_under(struct node *parent, struct node *n)
{
	if (parent == n || (n->below && is_above(n, parent)))
		return;
	n->parent = parent;
	parent->below++;
}

void threads_begin(struct threads *t, struct arena *a, size_t max)
{
	*t = (struct threads){ .a = a, .max = max, .node = ARENA_ARRAY(a, const void *, max) };
	table_begin(&t->ids, a, max);
}

/* The node of a message: its own, or the dummy that waits for it. Of two with the same id the
 * first has it. */
static struct node *message(struct threads *t, uint64_t id)
{
	struct node *n = id ? node_of(t, id) : node_new(t);

	return n->number ? node_new(t) : n;
}

enum err threads_add(struct threads *t, uint32_t number, int64_t sent, const struct sortkey *k)
{
	struct node *n, *before = NULL;

	if (t->nodes + k->nrefs + 2 > THREAD_NODES_MAX)
		return E_LIMIT;
	BUG_IF(t->n == t->max);
	n = message(t, k->id);
	n->number = number;
	n->sent = sent;
	n->reply = k->reply;
	n->subject = k->subject;
	t->node[t->n++] = n;
	for (size_t i = 0; i < k->nrefs; i++) { /* (A) */
		struct node *ref = node_of(t, k->refs[i]);

		if (before && !ref->parent)
			link_under(before, ref);
		before = ref;
	}
	if (n->parent) /* (B) */
		n->parent->below--;
	n->parent = NULL;
	if (before)
		link_under(before, n);
	return OK;
}

/* --- steps 2 and 3: only messages stay, and dummies with several of them at the top --- */

/* What a message hangs on when dummies between are gone: a message, the dummy at the top of them,
 * or nothing. */
static struct node *anchor(struct node *n)
{
	struct node *at = n->parent, *found;

	while (at && !at->number && !at->anchor && at->parent)
		at = at->parent;
	found = at && !at->number && at->anchor ? at->anchor : at;
	for (struct node *on = n->parent; on && on != at; on = on->parent)
		on->anchor = found;
	return found;
}

static void prune(struct threads *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct node *n = (struct node *)(uintptr_t)t->node[i];

		n->up = anchor(n);
		if (n->up && !n->up->number)
			n->up->kids++;
		give_way(i);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct node *n = (struct node *)(uintptr_t)t->node[i];

		if (n->up && !n->up->number && n->up->kids == 1)
			n->up = NULL;
	}
}

/* --- steps 4 and 6: siblings by date --- */

static int by_date(const void *x, const void *y, void *arg)
{
	const struct node *a = x, *b = y;

	(void)arg;
	if (a->sent != b->sent)
		return a->sent < b->sent ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

static void append(struct node *to, struct node *n)
{
	n->next = NULL;
	if (to->last)
		to->last->next = n;
	else
		to->first = n;
	to->last = n;
}

/* Lists of what is told below each: the messages are in order, so each list is. A dummy stands
 * where its first child does. */
static void build(struct threads *t)
{
	t->root.first = t->root.last = NULL;
	for (size_t i = 0; i < t->n; i++) {
		struct node *n = (struct node *)(uintptr_t)t->node[i];

		n->first = n->last = NULL;
		if (n->up && !n->up->number)
			n->up->first = n->up->last = NULL;
		give_way(i);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct node *n = (struct node *)(uintptr_t)t->node[i], *up = n->up;

		if (up && !up->number && !up->first)
			append(&t->root, up);
		append(up ? up : &t->root, n);
		give_way(i);
	}
}

static void order(struct threads *t)
{
	imap_order(t->node, ARENA_ARRAY(t->a, const void *, t->n), t->n, by_date, NULL);
}

/* --- step 5: threads of the same subject --- */

static bool dummy(const struct node *n)
{
	return !n->number;
}

static const struct node *speaker(const struct node *n)
{
	return dummy(n) ? n->first : n;
}

/* (B) One thread for each subject. */
static void find_subjects(struct threads *t, struct node_table *subjects)
{
	size_t i = 0;

	for (struct node *n = t->root.first; n; n = n->next) {
		const struct node *s = speaker(n);

		give_way(i++);
		if (!s->subject)
			continue;
		struct node **at = table_find(subjects, s->subject), *was = *at;

		if (!was || (!dummy(was) && (dummy(n) || (was->reply && !n->reply))))
			*at = n;
		if (!was)
			table_grow(subjects);
	}
}

/* (C) */
static void merge(struct threads *t, struct node **at, struct node *n)
{
	struct node *with = *at;

	if (dummy(n)) { /* then the other is one too */
		for (struct node *child = n->first; child; child = child->next)
			child->up = with;
	} else if (dummy(with) || (n->reply && !with->reply)) {
		n->up = with;
	} else {
		*at = node_new(t);
		n->up = with->up = *at;
	}
}

static void merge_subjects(struct threads *t)
{
	struct node_table subjects;
	size_t i = 0;

	table_begin(&subjects, t->a, TABLE_LEAST);
	find_subjects(t, &subjects);
	for (struct node *n = t->root.first; n; n = n->next) {
		const struct node *s = speaker(n);

		give_way(i++);
		if (!s->subject)
			continue;
		struct node **at = table_find(&subjects, s->subject);

		if (*at != n)
			merge(t, at, n);
	}
}

void threads_by_references(struct threads *t)
{
	prune(t);
	order(t);
	build(t);
	merge_subjects(t);
	build(t);
}

/* The first message of a subject, and all others below it. */
void threads_by_subject(struct threads *t)
{
	struct node_table subjects;

	order(t);
	table_begin(&subjects, t->a, TABLE_LEAST);
	for (size_t i = 0; i < t->n; i++) {
		struct node *n = (struct node *)(uintptr_t)t->node[i];
		struct node **at = table_find(&subjects, n->subject);

		n->up = *at;
		if (!*at) {
			*at = n;
			table_grow(&subjects);
		}
		give_way(i);
	}
	build(t);
}
