/* SPDX-License-Identifier: ISC */
/* Reading messages of an open mailbox, a few pages in memory at a time. */
#include "box/view.h"

/* --- pages --- */

struct batch {
	uint32_t id;
	const struct part *part;
	size_t n;
	uint64_t since;
	struct chunk *chunk;
	/* results */
	struct msg *msg; /* room for READ_PAGES pages */
	size_t count;
};

/* Whether the map says that the page has changed since; it may not be there at all. */
static enum err page_changed(struct tx *tx, struct batch *t, uint32_t page, uint32_t *loaded,
			     bool *out)
{
	uint32_t number = page / CHUNK_PAGES;
	struct key key = key_chunk(t->id, number);
	struct str value;

	if (*loaded != number) {
		enum err e = tx_get(tx, key_str(&key), &value);

		*t->chunk = (struct chunk){ 0 };
		if (!e)
			e = chunk_decode(value, t->chunk);
		if (e && e != E_NOTFOUND)
			return layout_broken(e, key_str(&key));
		*loaded = number;
	}
	*out = t->chunk->entry[page % CHUNK_PAGES].modseq > t->since;
	return OK;
}

static enum err read_page(struct tx *tx, struct batch *t, const struct part *part,
			  struct page *page)
{
	struct key key = key_page(t->id, part->page);
	struct str value;
	enum err e = tx_get(tx, key_str(&key), &value);

	if (e)
		return e == E_NOTFOUND ? OK : e;
	e = layout_broken(page_decode(value, part->page, page), key_str(&key));
	if (e)
		return e;
	for (uint64_t left = page->present & part->mask; left; left &= left - 1) {
		const struct msg *m = &page->msg[lowest64(left)];

		if (m->modseq > t->since)
			t->msg[t->count++] = *m;
	}
	return OK;
}

static enum err read_batch(struct tx *tx, void *arg)
{
	struct batch *t = arg;
	struct page *page = ARENA_NEW(tx_arena(tx), struct page);
	uint32_t loaded = UINT32_MAX;
	enum err e = OK;

	t->count = 0;
	for (size_t i = 0; !e && i < t->n; i++) {
		bool changed = true;

		if (t->since)
			e = page_changed(tx, t, t->part[i].page, &loaded, &changed);
		if (!e && changed)
			e = read_page(tx, t, &t->part[i], page);
	}
	return e;
}

/* One batch of at most READ_PAGES parts. */
static enum err batch_each(struct box *b, struct batch *t,
			   enum err (*fn)(void *arg, uint32_t number, const struct msg *m),
			   void *arg)
{
	enum err e = store_read(b->st, key_str(&b->partition), read_batch, t);

	for (size_t i = 0; !e && i < t->count; i++) {
		struct msg *m = &t->msg[i];
		uint32_t number = box_number(b, m->uid);

		m->flags &= view_flags(b);
		if (number)
			e = fn(arg, number, m);
	}
	return e;
}

static struct batch batch_new(const struct box *b, uint64_t since)
{
	return (struct batch){
		.id = b->id,
		.since = since,
		.chunk = NEW(struct chunk),
		.msg = mem_new(READ_PAGES * PAGE_UIDS * sizeof(struct msg)),
	};
}

static void batch_free(struct batch *t)
{
	free(t->chunk);
	free(t->msg);
}

enum err view_each(struct box *b, const struct part *part, size_t n, uint64_t since,
		   enum err (*fn)(void *arg, uint32_t number, const struct msg *m), void *arg)
{
	struct batch t = batch_new(b, since);
	enum err e = OK;

	for (size_t i = 0; !e && i < n; i += t.n) {
		t.part = part + i;
		t.n = n - i < READ_PAGES ? n - i : READ_PAGES;
		e = batch_each(b, &t, fn, arg);
	}
	batch_free(&t);
	return e;
}

/* --- each --- */

enum err box_each_since(struct box *b, struct uidset uids, uint64_t since,
			enum err (*fn)(void *arg, uint32_t number, const struct msg *m), void *arg)
{
	struct batch t = batch_new(b, since);
	struct walk w = { .b = b, .set = uids };
	struct part part[READ_PAGES];
	enum err e = OK;

	t.part = part;
	while (!e && (t.n = view_parts(&w, part, READ_PAGES, SIZE_MAX)) > 0)
		e = batch_each(b, &t, fn, arg);
	batch_free(&t);
	return e;
}

enum err box_each(struct box *b, struct uidset uids,
		  enum err (*fn)(void *arg, uint32_t number, const struct msg *m), void *arg)
{
	return box_each_since(b, uids, 0, fn, arg);
}

struct get {
	struct msg *out;
	bool found;
};

static enum err got(void *arg, uint32_t number, const struct msg *m)
{
	struct get *g = arg;

	(void)number;
	*g->out = *m;
	g->found = true;
	return OK;
}

enum err box_get(struct box *b, uint32_t uid, struct msg *out)
{
	struct part part = { uid / PAGE_UIDS, bit64(uid % PAGE_UIDS) };
	struct get g = { .out = out };
	enum err e = view_each(b, &part, 1, 0, got, &g);

	return e ? e : g.found ? OK : E_NOTFOUND;
}

/* --- octets --- */

enum err box_summary(struct box *b, const struct msg *m, struct arena *a, struct summary *out)
{
	struct str octets;
	enum err e = blob_summary(b->st, m->blob, a, &octets);

	return e ? e : summary_open(octets, out);
}

enum err box_read(struct box *b, const struct msg *m, uint64_t off, size_t n, struct arena *a,
		  struct str *out)
{
	return blob_read(b->st, m->blob, off, n, a, out);
}

/* --- vanished: RFC 7162 3.2.6 --- */

struct vanished {
	struct box *b;
	uint64_t since;
	struct arena *a;     /* ours */
	struct uid_range *v; /* results: what the log says, in the order of time */
	size_t n;
	bool forgotten; /* the log does not reach back that far */
};

static enum err read_log(struct tx *tx, void *arg)
{
	struct vanished *t = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_load(&ac, t->b->id, &mb);
	t->forgotten = e || t->since < mb->rec.log_floor;
	t->n = 0;
	if (t->forgotten)
		return e == E_NOTFOUND ? OK : e;
	struct key prefix = key_prefix('x', mb->id), after = key_log(mb->id, t->since);
	struct str key = key_str(&after), value;

	t->v = ARENA_ARRAY(t->a, struct uid_range, mb->rec.log_ranges);
	while (!(e = tx_next(tx, key_str(&prefix), key, &key, &value))) {
		struct uidset set;

		e = log_decode(value, tx_arena(tx), &set);
		if (!e && set.n > mb->rec.log_ranges - t->n)
			e = E_CORRUPT;
		if (e)
			return layout_broken(e, key);
		for (size_t i = 0; i < set.n; i++)
			t->v[t->n++] = set.range[i];
	}
	return e == E_NOTFOUND ? OK : e;
}

static int by_first(const void *x, const void *y)
{
	const struct uid_range *a = x, *b = y;

	return (a->first > b->first) - (a->first < b->first);
}

enum err box_vanished(struct box *b, uint64_t since, struct arena *a, struct uidset *out)
{
	struct vanished t = { .b = b, .since = since, .a = arena_new(SIZE_MAX) };
	struct uidset_builder set = { .a = a };
	enum err e = store_read(b->st, key_str(&b->partition), read_log, &t);

	*out = (struct uidset){ 0 };
	if (!e && !t.forgotten) {
		if (t.n)
			qsort(t.v, t.n, sizeof *t.v, by_first);
		for (size_t i = 0; i < t.n; i++) /* no UID goes twice: they do not overlap */
			uidset_add_range(&set, t.v[i].first, t.v[i].last);
		*out = uidset_done(&set);
		if (b->uidnext > 1)
			*out = uidset_both(a, *out, uidset_one(a, 1, b->uidnext - 1));
	} else if (!e && b->uidnext > 1) {
		*out = uidset_one(a, 1, b->uidnext - 1);
	}
	/* What this session still sees it is told by box_sync. */
	if (out->n)
		*out = uidset_minus(a, *out, box_known(b, a, *out));
	arena_free(&t.a);
	return e;
}
