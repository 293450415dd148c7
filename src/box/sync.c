/* SPDX-License-Identifier: ISC */
/*
 * Opening a mailbox and bringing its view up to date. Both read the map: opening is bringing an
 * empty view up to date. What lies under a modseq that has not risen is not looked at.
 */
#include "box/view.h"

struct reading {
	struct box *b;
	struct str name; /* open: by name; sync: by b->id */
	struct arena *a; /* the caller's; for changed */
	/* results */
	bool same; /* nothing is new: the rest is not set */
	bool deleted;
	struct pages pages;   /* the new view, what is gone marked */
	struct part *changed; /* messages of the old view in pages that have changed */
	size_t nchanged, cap;
	uint64_t modseq;
	uint32_t uidnext, uidvalidity, recent_from;
};

static void add_changed(struct reading *r, uint32_t page, uint64_t mask)
{
	if (r->nchanged == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		struct part *v = ARENA_ARRAY(r->a, struct part, cap);

		if (r->nchanged)
			memcpy(v, r->changed, r->nchanged * sizeof *v);
		r->changed = v;
		r->cap = cap;
	}
	r->changed[r->nchanged++] = (struct part){ page, mask };
}

/* One page of the new view from what it was and what the map says now. */
static void merge_page(struct reading *r, const struct view_page *old, uint32_t number,
		       const struct map_entry *en)
{
	static const struct view_page none;
	uint64_t uid = (uint64_t)number * PAGE_UIDS, recent = UINT64_MAX;

	if (!old)
		old = &none;
	if (!(old->present | en->present))
		return;
	if (r->recent_from >= uid + PAGE_UIDS)
		recent = 0;
	else if (r->recent_from > uid)
		recent <<= r->recent_from - uid;
	struct view_page *p = view_add_page(&r->pages, number);

	p->present = old->present | en->present;
	p->gone = old->present & ~en->present;
	p->seen = en->seen | (old->seen & p->gone);
	p->deleted = en->deleted | (old->deleted & p->gone);
	p->recent = old->recent | (en->present & ~old->present & recent);
	if (en->modseq > r->b->modseq && old->present & en->present)
		add_changed(r, number, old->present & en->present);
}

/* Takes over the old pages from index at on, below a page number: as they are, or as gone. */
static size_t keep(struct reading *r, size_t at, uint64_t below, bool gone)
{
	static const struct map_entry none;
	const struct pages *old = &r->b->pages;

	for (; at < old->n && old->v[at].number < below; at++) {
		if (gone)
			merge_page(r, &old->v[at], old->v[at].number, &none);
		else
			*view_add_page(&r->pages, old->v[at].number) = old->v[at];
	}
	return at;
}

/* A chunk that has changed; gives the first old page behind it. */
static size_t merge_chunk(struct reading *r, size_t at, uint32_t number, const struct chunk *c)
{
	const struct pages *old = &r->b->pages;

	for (uint32_t i = 0; i < CHUNK_PAGES; i++) {
		uint32_t page = number * CHUNK_PAGES + i;
		bool had = at < old->n && old->v[at].number == page;

		merge_page(r, had ? &old->v[at] : NULL, page, &c->entry[i]);
		at += had;
	}
	return at;
}

static enum err merge_map(struct reading *r, struct tx *tx, uint32_t id)
{
	struct chunk *c = ARENA_NEW(tx_arena(tx), struct chunk);
	struct key prefix = key_prefix('c', id);
	struct str key = S(""), value;
	uint64_t number, modseq;
	size_t at = 0;
	enum err e;

	while (!(e = tx_next(tx, key_str(&prefix), key, &key, &value))) {
		e = chunk_modseq(value, &modseq);
		if (!e && !key_number(key, &prefix, 8, &number))
			e = E_CORRUPT;
		if (!e && number > UINT32_MAX / CHUNK_UIDS)
			e = E_CORRUPT;
		if (!e && modseq > r->b->modseq)
			e = chunk_decode(value, c);
		if (e)
			return layout_broken(e, key);
		at = keep(r, at, number * CHUNK_PAGES, true);
		if (modseq > r->b->modseq)
			at = merge_chunk(r, at, (uint32_t)number, c);
		else
			at = keep(r, at, (number + 1) * CHUNK_PAGES, false);
	}
	keep(r, at, UINT64_MAX, true);
	return e == E_NOTFOUND ? OK : e;
}

/* May run again: everything it leaves behind is set anew. */
static enum err read_map(struct tx *tx, void *arg)
{
	struct reading *r = arg;
	struct box *b = r->b;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	r->pages.n = r->nchanged = 0;
	r->same = r->deleted = false;
	if (!e)
		e = r->name.n ? mailbox_find(&ac, r->name, &mb) : mailbox_load(&ac, b->id, &mb);
	if (e == E_NOTFOUND && !r->name.n) {
		r->deleted = true;
		return OK;
	}
	if (e)
		return e;
	/* RENAME of INBOX gives this mailbox another name, and the session another INBOX. */
	if (b->inbox && ac.rec.inbox != mb->id) {
		r->deleted = true;
		return OK;
	}
	r->same = mb->rec.modseq == b->modseq;
	if (r->same)
		return OK;
	b->id = mb->id;
	r->uidvalidity = mb->rec.uidvalidity;
	r->uidnext = mb->rec.uidnext;
	r->modseq = mb->rec.modseq;
	r->recent_from = mb->rec.recent_from;
	if (mb->rec.nkeywords != b->nkeywords) {
		view_keywords(b, &mb->rec);
		b->keywords_owed = true;
	}
	return merge_map(r, tx, mb->id);
}

/* The new pages become the view's. */
static void take_over(struct box *b, struct reading *r)
{
	free(b->pages.v);
	b->pages = r->pages;
	r->pages = (struct pages){ 0 };
	b->uidvalidity = r->uidvalidity;
	b->uidnext = r->uidnext;
	b->modseq = r->modseq;
	view_count(b);
}

/* --- open --- */

enum err box_open(struct store *st, uint32_t account, struct str name, struct box **out)
{
	struct arena *a = arena_new(4 * MAILBOX_NAME_MAX);
	struct box *b = NEW(struct box);
	struct reading r = { .b = b, .a = a };

	r.name = mailbox_name_clean(a, str_part(name, 0, MAILBOX_NAME_MAX + 2));
	b->st = st;
	b->partition = key_partition(account);
	/* Before it is read, so that no change falls between. */
	b->watch = store_watch(st, key_str(&b->partition));
	enum err e = r.name.n ? store_read(st, key_str(&b->partition), read_map, &r) : E_NOTFOUND;

	b->inbox = str_is(r.name, "INBOX");
	arena_free(&a);
	if (e) {
		free(r.pages.v);
		box_close(&b);
		return e;
	}
	take_over(b, &r);
	b->recent_to = r.recent_from;
	b->keywords_owed = false;
	*out = b;
	return OK;
}

void box_close(struct box **b)
{
	if (!*b)
		return;
	watch_close(&(*b)->watch);
	free((*b)->pages.v);
	free((*b)->text);
	free(*b);
	*b = NULL;
}

/* --- \Recent --- */

struct taking_recent {
	uint32_t id, upto;
	uint32_t was; /* result: what others had taken */
};

static enum err take_recent(struct tx *tx, void *arg)
{
	struct taking_recent *t = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_load(&ac, t->id, &mb);
	if (e)
		return e;
	t->was = mb->rec.recent_from;
	if (t->was >= t->upto)
		return OK;
	/* No modseq: no other session has to be told. */
	mb->rec.recent_from = t->upto;
	mb->dirty = true;
	return mailbox_save(mb);
}

enum err box_take_recent(struct box *b)
{
	struct taking_recent t = { .id = b->id, .upto = b->uidnext };
	enum err e;

	if (b->recent_to >= b->uidnext)
		return OK;
	e = store_update(b->st, key_str(&b->partition), take_recent, &t);
	if (e)
		return e;
	/* Another session was first with those from recent_to to was. */
	for (size_t i = 0; i < b->pages.n; i++) {
		struct view_page *p = &b->pages.v[i];

		for (uint64_t left = p->recent; left; left &= left - 1) {
			uint32_t uid = p->number * PAGE_UIDS + lowest64(left);

			if (uid >= b->recent_to && uid < t.was)
				p->recent &= ~bit64(lowest64(left));
		}
	}
	b->recent_to = b->uidnext;
	view_count(b);
	return OK;
}

/* --- sync --- */

/* Tells the numbers that go, highest first, and drops them from the new pages. */
static void expunge(const struct box *b, struct pages *pages, const struct box_changes *tell)
{
	size_t kept = 0;

	for (size_t i = pages->n; i-- > 0;) {
		for (uint64_t left = pages->v[i].gone; left;) {
			unsigned slot = 63 - (unsigned)__builtin_clzll(left);
			uint32_t uid = pages->v[i].number * PAGE_UIDS + slot;

			left &= ~bit64(slot);
			if (tell && tell->expunged)
				tell->expunged(tell->arg, box_number(b, uid), uid);
		}
	}
	for (size_t i = 0; i < pages->n; i++) {
		struct view_page *p = &pages->v[i];

		p->present &= ~p->gone;
		p->recent &= p->present;
		p->gone = 0;
		if (p->present)
			pages->v[kept++] = *p;
	}
	pages->n = kept;
}

static enum err tell_changed(void *arg, uint32_t number, const struct msg *m)
{
	const struct box_changes *tell = arg;

	tell->changed(tell->arg, number, m);
	return OK;
}

/* The view as it is, for expunging what was kept in it so far. */
static void copy_view(struct reading *r)
{
	const struct box *b = r->b;

	keep(r, 0, UINT64_MAX, false);
	r->uidvalidity = b->uidvalidity;
	r->uidnext = b->uidnext;
	r->modseq = b->modseq;
}

/* The view becomes what was read, and the differences are told. */
static enum err apply(struct box *b, struct reading *r, bool expunges,
		      const struct box_changes *tell)
{
	uint64_t modseq = b->modseq;
	uint32_t uidnext = b->uidnext;
	enum err e = OK;

	if (expunges)
		expunge(b, &r->pages, tell);
	take_over(b, r);
	if (tell && tell->exists && b->uidnext != uidnext)
		tell->exists(tell->arg, b->exists, b->recent);
	if (tell && tell->keywords && b->keywords_owed)
		tell->keywords(tell->arg);
	b->keywords_owed = false;
	if (tell && tell->changed)
		e = view_each(b, r->changed, r->nchanged, modseq, tell_changed, (void *)tell);
	/* What could not be told now is told next time. */
	if (e)
		b->modseq = modseq;
	return e;
}

enum err box_sync(struct box *b, bool expunges, const struct box_changes *tell)
{
	struct reading r = { .b = b, .same = true };
	enum err e;

	if (b->deleted)
		return OK;
	r.a = arena_new(SIZE_MAX);
	e = store_read(b->st, key_str(&b->partition), read_map, &r);
	b->deleted = !e && r.deleted;
	if (!e && r.same && expunges && b->gone) {
		copy_view(&r);
		r.same = false;
	}
	if (!e && !r.same && !r.deleted)
		e = apply(b, &r, expunges, tell);
	free(r.pages.v);
	arena_free(&r.a);
	return e;
}
