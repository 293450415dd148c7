/* SPDX-License-Identifier: ISC */
/*
 * Sort keys: worked out from summary and header when they are first asked for, then kept, those
 * of a page in one blob. Why not in the record of the page: docs/adr/0023-sort-keys.md.
 *
 * They belong to the page: the first message that goes takes the blob with it, as its texts are
 * in there. Whoever keeps new ones looks that all their messages are still there.
 */
#include "base/log.h"
#include "box/view.h"
#include "mail/sortkey.h"

enum {
	KEEP_LEAST = 16, /* keys of a page that is not full yet are kept so many at a time */
	HEADER_LOOK = 64 * 1024, /* octets of a header that references are looked for in */
	PIECE_MAX = 64 << 20,    /* what making one may use: a summary, a header, their decoding */
	KEYS_MAX = 1 + PAGE_UIDS * (1 + SORT_KEY_MAX),
};

/* One page on its way through. */
struct paged {
	uint32_t page;
	uint64_t present;    /* of the view */
	uint64_t here, made; /* keys: all that are there, and those of them that are new */
	uint64_t found;      /* messages of the set */
	struct msg msg[PAGE_UIDS];
	struct sortkey key[PAGE_UIDS]; /* texts in the arena of the page */
};

/* --- what is kept --- */

struct lookup {
	struct key key;
	struct key_page_record rec;
};

static enum err find_kept(struct tx *tx, void *arg)
{
	struct lookup *t = arg;
	struct str value;
	enum err e = tx_get(tx, key_str(&t->key), &value);

	return e ? e : keys_decode(value, &t->rec);
}

static enum err decode(struct str octets, struct paged *p)
{
	struct scan in = scan(octets);

	if (scan_u8(&in) != LAYOUT_VERSION)
		return E_VERSION;
	while (scan_more(&in)) {
		uint8_t slot = scan_u8(&in);

		if (slot >= PAGE_UIDS)
			return E_CORRUPT;
		sortkey_scan(&in, &p->key[slot]);
		if (!in.bad)
			p->here |= bit64(slot);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* What is not to be had is made anew. */
static void load(struct box *b, struct paged *p, struct arena *a)
{
	struct lookup t = { .key = key_sort(b->id, p->page) };
	struct str octets = S_NONE;
	enum err e = store_read(b->st, key_str(&b->partition), find_kept, &t);

	if (!e)
		e = blob_read(b->st, t.rec.blob, 0, KEYS_MAX, a, &octets);
	if (!e)
		e = decode(octets, p);
	if (e)
		p->here = 0;
	if (e && e != E_NOTFOUND)
		(void)layout_broken(e, key_str(&t.key));
}

/* --- making --- */

static enum err make(struct box *b, const struct msg *m, struct arena *a, struct sortkey *out)
{
	struct summary sum;
	struct part_info p;
	struct str header = S_NONE;
	enum err e = box_summary(b, m, a, &sum);

	if (!e && sortkey_wants_header(&sum)) {
		e = summary_part(&sum, NULL, 0, &p);
		if (!e)
			e = box_read(b, m, p.header_off,
				     p.header_size < HEADER_LOOK ? (size_t)p.header_size
								 : HEADER_LOOK,
				     a, &header);
	}
	if (!e)
		sortkey_make(a, &sum, header, out);
	return e;
}

/* A message that is damaged sorts as one that says nothing; one that has just gone is left out.
 * Summaries may be large: only what is made of them is kept in a. */
static enum err make_missing(struct box *b, struct paged *p, struct arena *a)
{
	struct arena *piece = arena_new(PIECE_MAX);
	enum err failed = OK;

	for (uint64_t left = p->found & ~p->here; !failed && left; left &= left - 1) {
		unsigned slot = lowest64(left);
		enum err e = make(b, &p->msg[slot], piece, &p->key[slot]);

		if (e == E_NOTFOUND) {
			p->found &= ~bit64(slot);
		} else if (e == E_CORRUPT || e == E_VERSION) {
			p->key[slot] = (struct sortkey){ .sent = INT64_MIN };
		} else if (e) {
			failed = e;
		} else {
			sortkey_dup(a, &p->key[slot]);
			p->here |= bit64(slot);
			p->made |= bit64(slot);
		}
		arena_reset(piece);
		fiber_yield();
		if (!failed && fiber_canceled())
			failed = E_CANCELED;
	}
	arena_free(&piece);
	return failed;
}

/* --- keeping --- */

struct keep {
	uint32_t id, page;
	uint64_t present;
	struct blob_id blob;
};

static enum err keep(struct tx *tx, void *arg)
{
	const struct keep *t = arg;
	struct key at = key_page(t->id, t->page), key = key_sort(t->id, t->page);
	struct page *page = ARENA_NEW(tx_arena(tx), struct page);
	struct key_page_record rec = { .present = t->present, .blob = t->blob };
	struct str value;
	enum err e = tx_get(tx, key_str(&at), &value);

	if (!e)
		e = page_decode(value, t->page, page);
	if (e || t->present & ~page->present)
		return e == E_NOTFOUND ? OK : e;
	keys_drop(tx, t->id, t->page);
	e = tx_blob_ref(tx, t->blob);
	if (!e)
		tx_put(tx, key_str(&key), keys_encode(tx_arena(tx), &rec));
	return e;
}

/* Pages whose keys are to be kept, some in one commit. */
struct keeping {
	struct box *b;
	struct keep keep[READ_PAGES];
	struct blob *blob[READ_PAGES];
	size_t n;
};

/* It is worth a try, no more: what fails is made again next time. */
static void keep_all(struct keeping *k)
{
	struct update u[READ_PAGES];

	for (size_t i = 0; i < k->n; i++)
		u[i] = (struct update){ .partition = key_str(&k->b->partition),
					.fn = keep,
					.arg = &k->keep[i] };
	if (k->n)
		store_update_all(k->b->st, u, k->n);
	for (size_t i = 0; i < k->n; i++) {
		if (u[i].result)
			log_event(LOG_WARN, "box.keys", KVE(u[i].result));
		blob_close(&k->blob[i]);
	}
	k->n = 0;
}

static bool worth_keeping(const struct box *b, const struct paged *p)
{
	bool full = (uint64_t)(p->page + 1) * PAGE_UIDS <= b->uidnext;

	return bits64(p->made) >= KEEP_LEAST || (p->made && full && (p->present & ~p->here) == 0);
}

static void keep_later(struct keeping *k, struct paged *p)
{
	struct buf octets = buf_new(KEYS_MAX);
	struct blob *blob = blob_new(k->b->st);
	struct keep *t = &k->keep[k->n];

	*t = (struct keep){ k->b->id, p->page, .present = p->here & p->present };
	buf_u8(&octets, LAYOUT_VERSION);
	for (uint64_t left = t->present; left; left &= left - 1) {
		buf_u8(&octets, (uint8_t)lowest64(left));
		sortkey_put(&octets, &p->key[lowest64(left)]);
	}
	BUG_IF(octets.full);
	enum err e = blob_write(blob, buf_str(&octets));

	if (!e)
		e = blob_finish(blob, S(""), &t->blob);
	buf_free(&octets);
	if (e) {
		blob_close(&blob);
		return;
	}
	k->blob[k->n++] = blob;
	if (k->n == READ_PAGES)
		keep_all(k);
}

/* --- each --- */

static enum err collect(void *arg, uint32_t number, const struct msg *m)
{
	struct paged *p = arg;

	(void)number;
	p->msg[m->uid % PAGE_UIDS] = *m;
	p->found |= bit64(m->uid % PAGE_UIDS);
	return OK;
}

static enum err one_page(struct keeping *k, struct paged *p, uint64_t mask, struct arena *a)
{
	struct part part = { p->page, mask };

	p->here = p->made = p->found = 0;
	enum err e = view_each(k->b, &part, 1, 0, collect, p);

	if (e || !p->found)
		return e;
	load(k->b, p, a);
	e = make_missing(k->b, p, a);
	if (!e && worth_keeping(k->b, p))
		keep_later(k, p);
	return e;
}

enum err box_each_key(struct box *b, struct uidset uids,
		      enum err (*fn)(void *arg, uint32_t number, const struct msg *m,
				     const struct sortkey *k),
		      void *arg)
{
	struct paged *p = NEW(struct paged);
	struct arena *a = arena_new(SIZE_MAX);
	struct walk w = { .b = b, .set = uids };
	struct keeping k = { .b = b };
	const struct view_page *page;
	uint64_t mask;
	enum err e = OK;

	while (!e && view_walk(&w, &page, &mask)) {
		p->page = page->number;
		p->present = page->present;
		e = one_page(&k, p, mask, a);
		for (uint64_t left = p->found; !e && left; left &= left - 1) {
			const struct msg *m = &p->msg[lowest64(left)];

			e = fn(arg, box_number(b, m->uid), m, &p->key[lowest64(left)]);
		}
		arena_reset(a);
		fiber_yield();
	}
	keep_all(&k);
	arena_free(&a);
	free(p);
	return e;
}
