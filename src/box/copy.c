/* SPDX-License-Identifier: ISC */
/*
 * COPY and MOVE within an account: RFC 3501 6.4.7, RFC 6851.
 *
 * Up to COPY_MESSAGES go in one update: all or nothing. More go by several. A MOVE that fails
 * between has moved each message either whole or not at all, and *out says which. A COPY that
 * fails takes back what it has copied; one that a crash ends there cannot.
 */
#include "base/clock.h"
#include "box/view.h"
#include "box/warn.h"

enum { COPY_MESSAGES = 4096, COPY_PAGES = 1024 };

struct copying {
	uint32_t id;
	struct str target;
	bool move;
	uint64_t quota;  /* the first update looks at it, for all of the set */
	uint64_t octets; /* which the whole set has, 0: do not ask */
	int64_t now;
	struct warner warner;
	struct part part[COPY_PAGES];
	size_t n;
	/* results */
	uint32_t from[COPY_MESSAGES], to[COPY_MESSAGES];
	size_t count;
	uint32_t target_id, uidvalidity;
};

/* Bits of one mailbox's keywords as those of another; one that finds no room is left out. */
static enum err map_flags(const struct mailbox *from, struct mailbox *to, uint64_t flags,
			  uint64_t *map, uint64_t *out)
{
	*out = flags & FLAG_SYSTEM;
	for (uint64_t left = flags & ~(uint64_t)FLAG_SYSTEM; left; left &= left - 1) {
		unsigned bit = lowest64(left);
		enum err e = OK;

		if (bit - FLAG_KEYWORD >= from->rec.nkeywords)
			continue;
		if (from == to)
			map[bit] = bit64(bit);
		else if (!map[bit])
			e = mailbox_keywords(to, &from->rec.keyword[bit - FLAG_KEYWORD], 1,
					     &map[bit]);
		if (e && e != E_LIMIT)
			return e;
		*out |= map[bit];
	}
	return OK;
}

/* The messages, and if they move, away with them. */
static enum err collect(struct mailbox *mb, struct copying *t, struct msg *msg)
{
	const struct page *page;

	t->count = 0;
	for (size_t i = 0; i < t->n; i++) {
		enum err e = mailbox_page(mb, t->part[i].page, &page);
		uint64_t here = e ? 0 : page->present & t->part[i].mask;

		if (e && e != E_NOTFOUND)
			return e;
		for (uint64_t left = here; left; left &= left - 1)
			msg[t->count++] = page->msg[lowest64(left)];
		if (t->move && here)
			mailbox_remove(mb, here);
	}
	return OK;
}

/* A move takes its reference along. */
static enum err put_all(struct mailbox *from, struct mailbox *to, struct copying *t,
			struct msg *msg)
{
	uint64_t map[64] = { 0 };

	for (size_t i = 0; i < t->count; i++) {
		enum err e = t->move ? OK : tx_blob_ref(to->ac->tx, msg[i].blob);

		if (e == E_NOTFOUND)
			e = E_CORRUPT;
		t->from[i] = msg[i].uid;
		msg[i].saved = t->now;
		if (!e)
			e = map_flags(from, to, msg[i].flags, map, &msg[i].flags);
		if (!e)
			e = mailbox_add(to, &msg[i], &t->to[i]);
		if (e)
			return e;
	}
	return OK;
}

/* A move fills nothing. */
static enum err look(struct account *ac, struct copying *t, const struct msg *msg)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < t->count && !t->move; i++)
		octets += msg[i].size;
	return octets ? warn_look(ac, &t->warner, octets) : OK;
}

static enum err copy(struct tx *tx, void *arg)
{
	struct copying *t = arg;
	struct msg *msg = ARENA_ARRAY(tx_arena(tx), struct msg, COPY_MESSAGES);
	struct account ac;
	struct mailbox *from, *to;
	enum err e = account_load(tx, &ac);

	t->count = 0;
	if (!e)
		e = mailbox_load(&ac, t->id, &from);
	if (!e)
		e = mailbox_find(&ac, t->target, &to);
	if (e)
		return e;
	if (to->id == from->id) /* both sides of it are one record */
		to = from;
	if (t->octets && t->quota && ac.rec.octets + t->octets > t->quota)
		return E_QUOTA;
	t->target_id = to->id;
	t->uidvalidity = to->rec.uidvalidity;
	t->warner.due = false;
	e = collect(from, t, msg);
	if (!e)
		e = look(&ac, t, msg);
	if (!e)
		e = put_all(from, to, t, msg);
	if (!e)
		e = warn_put(&ac, &t->warner, from, to, t->now);
	if (!e)
		e = mailbox_save(from);
	if (!e && to != from)
		e = mailbox_save(to);
	if (!e)
		account_save(&ac);
	return e;
}

void box_warning(struct box *b, struct quota_warning w)
{
	b->warning = w;
}

/* --- all of them --- */

static enum err add_size(void *arg, uint32_t number, const struct msg *m)
{
	uint64_t *octets = arg;

	(void)number;
	*octets += m->size;
	return OK;
}

/* Takes back the copies of the updates that went through. If that fails too, they stay. */
static void take_back(struct box *b, struct str target, struct uidset copies)
{
	uint32_t account;
	struct scan in = scan(str_from(key_str(&b->partition), 2));
	struct arena *a = arena_new(SIZE_MAX);
	struct box *to;
	struct uidset gone;

	account = (uint32_t)scan_hex(&in, 8);
	if (copies.n && !box_open(b->st, account, target, &to)) {
		(void)!box_expunge(to, copies, true, a, &gone);
		box_close(&to);
	}
	arena_free(&a);
}

static enum err copy_all(struct box *b, struct uidset set, struct copying *t,
			 struct uidset_builder *from, struct uidset_builder *to)
{
	struct walk w = { .b = b, .set = set };
	enum err e = OK;
	bool first = true;

	for (;;) {
		t->n = view_parts(&w, t->part, COPY_PAGES, COPY_MESSAGES);
		/* Of an empty set too it is said whether there is such a target. */
		if (t->n == 0 && !first)
			return OK;
		e = store_update(b->st, key_str(&b->partition), copy, t);
		if (warn_again(b->st, &t->warner))
			e = store_update(b->st, key_str(&b->partition), copy, t);
		if (e)
			return e;
		for (size_t i = 0; i < t->count; i++) {
			uidset_add(from, t->from[i]);
			uidset_add(to, t->to[i]);
		}
		t->octets = 0;
		first = false;
	}
}

enum err box_copy(struct box *b, struct uidset set, struct str target, bool move, uint64_t quota,
		  struct arena *a, struct copied *out)
{
	struct uidset_builder from = { .a = a }, to = { .a = a };
	struct copying *t = NEW(struct copying);
	enum err e = OK;

	t->id = b->id;
	t->target = mailbox_name_clean(a, str_part(target, 0, MAILBOX_NAME_MAX + 2));
	t->move = move;
	t->quota = quota;
	t->now = clock_wall();
	t->warner.w = &b->warning;
	if (!move && quota)
		e = box_each(b, set, add_size, &t->octets);
	if (!e)
		e = copy_all(b, set, t, &from, &to);
	if (e && !move) {
		take_back(b, t->target, uidset_done(&to));
		from.n = to.n = 0;
	}
	*out = (struct copied){ uidset_done(&from), uidset_done(&to), t->uidvalidity };
	warn_close(&t->warner);
	free(t);
	return e;
}
