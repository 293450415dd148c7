/* SPDX-License-Identifier: ISC */
/* EXPUNGE: RFC 3501 6.4.3, RFC 4315 2.1. Large sets go by several updates. */
#include "box/view.h"

/* Of one update: messages, each of which lets go of a blob, and pages. */
enum { EXPUNGE_MESSAGES = 1024, EXPUNGE_PAGES = 512 };

struct expunging {
	uint32_t id;
	bool all;
	struct part part[EXPUNGE_PAGES];
	size_t n;
	uint64_t gone[EXPUNGE_PAGES]; /* result */
};

static enum err expunge_page(struct mailbox *mb, const struct expunging *t, size_t i,
			     uint64_t *gone)
{
	const struct page *page;
	enum err e = mailbox_page(mb, t->part[i].page, &page);

	*gone = 0;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	for (uint64_t left = page->present & t->part[i].mask; left; left &= left - 1) {
		const struct msg *m = &page->msg[lowest64(left)];

		if (t->all || m->flags & FLAG_DELETED) {
			*gone |= bit64(lowest64(left));
			tx_blob_unref(mb->ac->tx, m->blob);
		}
	}
	if (*gone)
		mailbox_remove(mb, *gone);
	return OK;
}

static enum err expunge(struct tx *tx, void *arg)
{
	struct expunging *t = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_load(&ac, t->id, &mb);
	for (size_t i = 0; !e && i < t->n; i++)
		e = expunge_page(mb, t, i, &t->gone[i]);
	if (!e)
		e = mailbox_save(mb);
	if (!e)
		account_save(&ac);
	return e;
}

/* --- which messages --- */

struct finding {
	struct box *b;
	struct walk w;
	struct uidset_builder found; /* in the caller's arena */
	bool more;
};

/* Those of the set that the map says are \Deleted now: the view may be older. */
static enum err find_deleted(struct tx *tx, void *arg)
{
	struct finding *t = arg;
	struct chunk *c = ARENA_NEW(tx_arena(tx), struct chunk);
	const struct view_page *page;
	uint32_t loaded = UINT32_MAX;
	uint64_t mask;
	enum err e = OK;

	t->w = (struct walk){ .b = t->b, .set = t->w.set };
	t->found = (struct uidset_builder){ .a = t->found.a };
	while (view_walk(&t->w, &page, &mask)) {
		struct key key = key_chunk(t->b->id, page->number / CHUNK_PAGES);
		struct str value;

		if (loaded != page->number / CHUNK_PAGES) {
			*c = (struct chunk){ 0 };
			e = tx_get(tx, key_str(&key), &value);
			if (!e)
				e = chunk_decode(value, c);
			if (e && e != E_NOTFOUND)
				return layout_broken(e, key_str(&key));
			loaded = page->number / CHUNK_PAGES;
		}
		view_add_mask(&t->found, page->number,
			      mask & c->entry[page->number % CHUNK_PAGES].deleted);
	}
	return OK;
}

enum err box_expunge(struct box *b, struct uidset set, bool all, struct arena *a,
		     struct uidset *gone)
{
	struct finding find = { .b = b, .w = { .set = set }, .found = { .a = a } };
	struct uidset_builder done = { .a = a };
	enum err e = all ? OK : store_read(b->st, key_str(&b->partition), find_deleted, &find);
	struct walk w = { .b = b, .set = all ? set : uidset_done(&find.found) };
	struct expunging *t = NEW(struct expunging);

	t->id = b->id;
	t->all = all;
	while (!e && (t->n = view_parts(&w, t->part, EXPUNGE_PAGES, EXPUNGE_MESSAGES)) > 0) {
		e = store_update(b->st, key_str(&b->partition), expunge, t);
		for (size_t i = 0; !e && i < t->n; i++)
			view_add_mask(&done, t->part[i].page, t->gone[i]);
	}
	*gone = uidset_done(&done);
	free(t);
	return e;
}
