/* SPDX-License-Identifier: ISC */
#include "box/view.h"

/* --- pages --- */

struct view_page *view_add_page(struct pages *p, uint32_t number)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 4;

		p->v = mem_grow(p->v, p->cap * sizeof *p->v, cap * sizeof *p->v);
		p->cap = cap;
	}
	struct view_page *page = &p->v[p->n++];

	*page = (struct view_page){ .number = number };
	return page;
}

/* The index of the first page that is not before number. */
static size_t pages_at(const struct pages *p, uint32_t number)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->v[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void view_count(struct box *b)
{
	b->exists = b->recent = b->unseen = b->first_unseen = b->gone = 0;
	for (size_t i = 0; i < b->pages.n; i++) {
		struct view_page *p = &b->pages.v[i];
		uint64_t unseen = p->present & ~p->seen;

		if (unseen && !b->first_unseen)
			b->first_unseen =
				b->exists + 1 + bits64(p->present & (bit64(lowest64(unseen)) - 1));
		p->before = b->exists;
		b->exists += bits64(p->present);
		b->recent += bits64(p->present & p->recent);
		b->unseen += bits64(unseen);
		b->gone += bits64(p->gone);
	}
}

/* --- keywords --- */

void view_keywords(struct box *b, const struct mailbox_record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nkeywords; i++)
		n += r->keyword[i].n;
	free(b->text);
	b->text = mem_new(n + 1);
	b->nkeywords = r->nkeywords;
	char *at = b->text;

	for (size_t i = 0; i < r->nkeywords; i++) {
		memcpy(at, r->keyword[i].p, r->keyword[i].n);
		b->keyword[i] = STR(at, r->keyword[i].n);
		at += r->keyword[i].n;
	}
}

uint64_t view_flags(const struct box *b)
{
	return bit64(FLAG_KEYWORD) * (bit64((unsigned)b->nkeywords) - 1) | FLAG_SYSTEM;
}

struct str box_flag_name(const struct box *b, unsigned bit)
{
	if (bit < FLAG_KEYWORD)
		return str_of(flag_names[bit]);
	return bit - FLAG_KEYWORD < b->nkeywords ? b->keyword[bit - FLAG_KEYWORD] : S_NONE;
}

/* --- numbers and UIDs --- */

struct box_view box_view(const struct box *b)
{
	return (struct box_view){
		.id = b->id,
		.uidvalidity = b->uidvalidity,
		.uidnext = b->uidnext,
		.exists = b->exists,
		.recent = b->recent,
		.unseen = b->unseen,
		.first_unseen = b->first_unseen,
		.modseq = b->modseq,
		.keywords = view_flags(b) & ~(uint64_t)FLAG_SYSTEM,
		.deleted = b->deleted,
	};
}

/* The index of the page with this message number, which is at most exists. */
static size_t page_of_number(const struct box *b, uint32_t number)
{
	size_t low = 0, high = b->pages.n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (b->pages.v[mid].before < number)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* mask without its lowest n bits that are set. */
static uint64_t drop_lowest(uint64_t mask, uint32_t n)
{
	while (n-- && mask)
		mask &= mask - 1;
	return mask;
}

uint32_t box_uid(const struct box *b, uint32_t number)
{
	if (number == 0 || number > b->exists)
		return 0;
	const struct view_page *p = &b->pages.v[page_of_number(b, number)];

	return p->number * PAGE_UIDS + lowest64(drop_lowest(p->present, number - p->before - 1));
}

static const struct view_page *page_of_uid(const struct box *b, uint32_t uid)
{
	size_t i = pages_at(&b->pages, uid / PAGE_UIDS);

	return i < b->pages.n && b->pages.v[i].number == uid / PAGE_UIDS ? &b->pages.v[i] : NULL;
}

uint32_t box_number(const struct box *b, uint32_t uid)
{
	const struct view_page *p = page_of_uid(b, uid);
	uint64_t bit = bit64(uid % PAGE_UIDS);

	if (!p || !(p->present & bit))
		return 0;
	return p->before + bits64(p->present & (bit - 1)) + 1;
}

bool box_is_recent(const struct box *b, uint32_t uid)
{
	const struct view_page *p = page_of_uid(b, uid);

	return p && p->present & p->recent & bit64(uid % PAGE_UIDS);
}

/* --- sets --- */

void view_add_mask(struct uidset_builder *set, uint32_t page, uint64_t mask)
{
	uint32_t base = page * PAGE_UIDS;

	while (mask) {
		unsigned first = lowest64(mask);
		uint64_t holes = ~mask & ~(bit64(first) - 1);
		unsigned end = holes ? lowest64(holes) : PAGE_UIDS;

		uidset_add_range(set, base + first, base + (end - 1));
		mask = end < PAGE_UIDS ? mask & ~(bit64(end) - 1) : 0;
	}
}

/* Numbers [first, last] of the view, as UIDs. */
static void add_numbers(const struct box *b, struct uidset_builder *set, uint32_t first,
			uint32_t last)
{
	for (size_t i = page_of_number(b, first); i < b->pages.n; i++) {
		const struct view_page *p = &b->pages.v[i];
		uint64_t mask = p->present;

		if (p->before >= last)
			return;
		if (first > p->before + 1)
			mask = drop_lowest(mask, first - p->before - 1);
		if (last < p->before + bits64(p->present))
			mask &= ~drop_lowest(p->present, last - p->before);
		view_add_mask(set, p->number, mask);
	}
}

struct uidset box_uids(const struct box *b, struct arena *a, struct uidset numbers, bool *beyond)
{
	struct uidset_builder set = { .a = a };

	*beyond = false;
	for (size_t i = 0; i < numbers.n; i++) {
		struct uid_range r = numbers.range[i];

		if (r.last > b->exists) {
			*beyond = true;
			r.last = b->exists;
		}
		if (r.first <= r.last)
			add_numbers(b, &set, r.first, r.last);
	}
	return uidset_done(&set);
}

/* Where in a page the ranges of a set are; *at skips those that end before it. */
static uint64_t set_mask(struct uidset set, size_t *at, uint32_t page)
{
	uint32_t base = page * PAGE_UIDS, end = base + (PAGE_UIDS - 1);
	uint64_t mask = 0;

	while (*at < set.n && set.range[*at].last < base)
		++*at;
	for (size_t i = *at; i < set.n && set.range[i].first <= end; i++) {
		struct uid_range r = set.range[i];
		unsigned first = r.first > base ? r.first - base : 0;
		unsigned last = r.last < end ? r.last - base : PAGE_UIDS - 1;

		mask |= UINT64_MAX << first & UINT64_MAX >> (PAGE_UIDS - 1 - last);
	}
	return mask;
}

bool view_walk(struct walk *w, const struct view_page **page, uint64_t *mask)
{
	const struct pages *pages = &w->b->pages;

	while (w->page < pages->n && w->range < w->set.n) {
		uint32_t from = w->set.range[w->range].first / PAGE_UIDS;

		if (pages->v[w->page].number < from) {
			w->page = pages_at(pages, from);
			continue;
		}
		*page = &pages->v[w->page++];
		*mask = (*page)->present & set_mask(w->set, &w->range, (*page)->number);
		if (*mask)
			return true;
	}
	return false;
}

size_t view_parts(struct walk *w, struct part *part, size_t max, size_t messages)
{
	const struct view_page *page;
	size_t n = 0, count = 0;
	uint64_t mask;

	while (n < max && count + PAGE_UIDS <= messages && view_walk(w, &page, &mask)) {
		part[n++] = (struct part){ page->number, mask };
		count += bits64(mask);
	}
	return n;
}

struct uidset box_known(const struct box *b, struct arena *a, struct uidset uids)
{
	struct uidset_builder set = { .a = a };
	struct walk w = { .b = b, .set = uids };
	const struct view_page *page;
	uint64_t mask;

	while (view_walk(&w, &page, &mask))
		view_add_mask(&set, page->number, mask);
	return uidset_done(&set);
}

struct uidset box_seen(const struct box *b, struct arena *a, bool seen)
{
	struct uidset_builder set = { .a = a };

	for (size_t i = 0; i < b->pages.n; i++) {
		const struct view_page *p = &b->pages.v[i];

		view_add_mask(&set, p->number, p->present & (seen ? p->seen : ~p->seen));
	}
	return uidset_done(&set);
}

struct uidset box_deleted(const struct box *b, struct arena *a)
{
	struct uidset_builder set = { .a = a };

	for (size_t i = 0; i < b->pages.n; i++)
		view_add_mask(&set, b->pages.v[i].number,
			      b->pages.v[i].present & b->pages.v[i].deleted);
	return uidset_done(&set);
}

struct signal *box_signal(struct box *b)
{
	return watch_signal(b->watch);
}
