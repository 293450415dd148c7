/* SPDX-License-Identifier: ISC */
#include "mail/uidset.h"

static bool set_char(char c)
{
	return ascii_digit(c) || c == ',' || c == ':' || c == '*';
}

/* seq-number: RFC 3501 9. A "*" may be 0, a number may not. */
static uint32_t seq_number(struct scan *in, uint32_t star)
{
	if (scan_opt(in, "*"))
		return star;
	uint32_t v = (uint32_t)scan_num(in, UINT32_MAX);

	if (v == 0)
		scan_fail(in);
	return v;
}

static int by_first(const void *x, const void *y)
{
	const struct uid_range *a = x, *b = y;

	return (a->first > b->first) - (a->first < b->first);
}

static bool sorted(const struct uid_range *r, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (r[i].first < r[i - 1].first)
			return false;
	return true;
}

/* Adds a range that begins no earlier than the last one; joins what overlaps or touches. */
static void append(struct uid_range *r, size_t *n, uint32_t first, uint32_t last)
{
	struct uid_range *prev = *n ? &r[*n - 1] : NULL;

	if (prev && (prev->last == UINT32_MAX || first <= prev->last + 1)) {
		if (last > prev->last)
			prev->last = last;
		return;
	}
	r[(*n)++] = (struct uid_range){ first, last };
}

struct uidset uidset_scan(struct scan *in, struct arena *a, uint32_t star)
{
	/* Counted first: the arena holds what is needed and nothing that was outgrown. */
	struct scan ahead = *in;
	struct str text = scan_span(&ahead, set_char);
	size_t max = 1, n = 0, merged = 0;

	for (size_t i = 0; i < text.n; i++)
		max += text.p[i] == ',';
	if (in->bad || max > UIDSET_RANGES_MAX) {
		scan_fail(in);
		return (struct uidset){ 0 };
	}
	struct uid_range *r = ARENA_ARRAY(a, struct uid_range, max);

	do {
		uint32_t x = seq_number(in, star);
		uint32_t y = scan_opt(in, ":") ? seq_number(in, star) : x;

		if (x && y)
			r[n++] = (struct uid_range){ x < y ? x : y, x < y ? y : x };
	} while (scan_opt(in, ","));
	if (in->bad)
		return (struct uidset){ 0 };
	if (!sorted(r, n))
		qsort(r, n, sizeof *r, by_first);
	for (size_t i = 0; i < n; i++)
		append(r, &merged, r[i].first, r[i].last);
	return (struct uidset){ r, merged };
}

void uidset_put(struct buf *b, struct uidset s)
{
	for (size_t i = 0; i < s.n; i++) {
		const struct uid_range *r = &s.range[i];

		buf_fmt(b, "%s%u", i ? "," : "", r->first);
		if (r->last > r->first)
			buf_fmt(b, ":%u", r->last);
	}
}

/* The index of the first range that ends at uid or later; s.n if there is none. */
static size_t range_at(struct uidset s, uint32_t uid)
{
	size_t low = 0, high = s.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s.range[mid].last < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool uidset_has(struct uidset s, uint32_t uid)
{
	size_t i = range_at(s, uid);

	return i < s.n && s.range[i].first <= uid;
}

uint64_t uidset_count(struct uidset s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (uint64_t)s.range[i].last - s.range[i].first + 1;
	return n;
}

/* Each range of the result ends where one of either set ends or begins: at most the sum. */
struct uidset uidset_minus(struct arena *a, struct uidset from, struct uidset what)
{
	struct uid_range *out = ARENA_ARRAY(a, struct uid_range, from.n + what.n);
	size_t n = 0, w = 0;

	for (size_t i = 0; i < from.n; i++) {
		uint64_t at = from.range[i].first; /* 64 bits: one past the last UID is a number */
		uint64_t last = from.range[i].last;

		while (w < what.n && what.range[w].last < at)
			w++;
		for (size_t k = w; k < what.n && what.range[k].first <= last; k++) {
			if (what.range[k].first > at)
				append(out, &n, (uint32_t)at, what.range[k].first - 1);
			at = (uint64_t)what.range[k].last + 1;
		}
		if (at <= last)
			append(out, &n, (uint32_t)at, (uint32_t)last);
	}
	return (struct uidset){ out, n };
}

struct uidset uidset_both(struct arena *a, struct uidset x, struct uidset y)
{
	struct uid_range *out = ARENA_ARRAY(a, struct uid_range, x.n + y.n);
	size_t n = 0, i = 0, k = 0;

	while (i < x.n && k < y.n) {
		struct uid_range p = x.range[i], q = y.range[k];
		uint32_t first = p.first > q.first ? p.first : q.first;
		uint32_t last = p.last < q.last ? p.last : q.last;

		if (first <= last)
			append(out, &n, first, last);
		if (p.last <= q.last)
			i++;
		else
			k++;
	}
	return (struct uidset){ out, n };
}

struct uidset uidset_union(struct arena *a, struct uidset x, struct uidset y)
{
	struct uid_range *out = ARENA_ARRAY(a, struct uid_range, x.n + y.n);
	size_t n = 0, i = 0, k = 0;

	while (i < x.n || k < y.n) {
		bool from_x = k == y.n || (i < x.n && x.range[i].first <= y.range[k].first);
		struct uid_range r = from_x ? x.range[i++] : y.range[k++];

		append(out, &n, r.first, r.last);
	}
	return (struct uidset){ out, n };
}

struct uidset uidset_one(struct arena *a, uint32_t first, uint32_t last)
{
	BUG_IF(first == 0 || first > last);
	struct uid_range *r = ARENA_NEW(a, struct uid_range);

	*r = (struct uid_range){ first, last };
	return (struct uidset){ r, 1 };
}

void uidset_add(struct uidset_builder *b, uint32_t uid)
{
	uidset_add_range(b, uid, uid);
}

void uidset_add_range(struct uidset_builder *b, uint32_t first, uint32_t last)
{
	BUG_IF(first == 0 || first > last);
	BUG_IF(b->n && first <= b->range[b->n - 1].last);
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 8;
		struct uid_range *r = ARENA_ARRAY(b->a, struct uid_range, cap);

		if (b->n)
			memcpy(r, b->range, b->n * sizeof *r);
		b->range = r;
		b->cap = cap;
	}
	append(b->range, &b->n, first, last);
}

struct uidset uidset_done(const struct uidset_builder *b)
{
	return (struct uidset){ b->range, b->n };
}

uint32_t uidset_first(struct uidset s)
{
	return s.n ? s.range[0].first : 0;
}

uint32_t uidset_next(struct uidset s, uint32_t after)
{
	if (after == UINT32_MAX)
		return 0;
	size_t i = range_at(s, after + 1);

	if (i == s.n)
		return 0;
	return s.range[i].first > after ? s.range[i].first : after + 1;
}
