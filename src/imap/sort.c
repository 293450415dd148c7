/* SPDX-License-Identifier: ISC */
/* imap/sort.c - SORT and UID SORT: RFC 5256 3, RFC 5957. */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/sortkey.h"

enum { SORT_MEMORY_MAX = 256 << 20, DEADLINE_EACH = 64 };

/* A message by the criteria that are asked for, in their order. */
struct row {
	uint32_t number; /* or the UID */
	union value {
		uint64_t num;
		struct str text;
	} v[];
};

struct sorting {
	struct imap *s;
	const struct imap_sort *by;
	struct arena *a;
	const void **row;
	size_t n;
};

static uint64_t from_signed(int64_t t)
{
	return (uint64_t)t ^ UINT64_C(1) << 63;
}

static bool is_text(enum imap_sort_key key)
{
	return key != SORT_ARRIVAL && key != SORT_DATE && key != SORT_SIZE;
}

static union value value(struct sorting *x, enum imap_sort_key key, const struct msg *m,
			 const struct sortkey *k)
{
	union value v = { 0 };

	switch (key) {
	case SORT_ARRIVAL: v.num = from_signed(m->arrived); break;
	case SORT_SIZE: v.num = m->size; break;
	case SORT_DATE: /* RFC 5256 2.2 */
		v.num = from_signed(k->sent == INT64_MIN ? m->arrived : k->sent);
		break;
	case SORT_CC: v.text = k->cc; break;
	case SORT_DISPLAYFROM: v.text = k->display_from; break;
	case SORT_DISPLAYTO: v.text = k->display_to; break;
	case SORT_FROM: v.text = k->from; break;
	case SORT_SUBJECT: v.text = k->base; break;
	case SORT_TO: v.text = k->to; break;
	case SORT_BY_COUNT: break;
	}
	if (is_text(key))
		v.text = str_dup(x->a, v.text);
	return v;
}

static enum err collect(void *arg, uint32_t number, const struct msg *m, const struct sortkey *k)
{
	struct sorting *x = arg;
	struct row *r = arena_alloc(x->a, sizeof *r + x->by->n * sizeof *r->v);

	r->number = x->s->by_uid ? m->uid : number;
	for (size_t i = 0; i < x->by->n; i++)
		r->v[i] = value(x, x->by->by[i].key, m, k);
	x->row[x->n++] = r;
	if (x->n % DEADLINE_EACH == 0)
		io_deadline(x->s->io, clock_in(x->s->srv->conf->stall_ms));
	if (arena_used(x->a) > SORT_MEMORY_MAX)
		return E_LIMIT;
	return fiber_canceled() ? E_CANCELED : io_failed(x->s->io);
}

/* Where records say all that is asked for. */
static enum err collect_record(void *arg, uint32_t number, const struct msg *m)
{
	return collect(arg, number, m, NULL);
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct imap_sort *by = arg;
	const struct row *x = left, *y = right;

	for (size_t i = 0; i < by->n; i++) {
		union value a = x->v[i], b = y->v[i];
		int c = is_text(by->by[i].key) ? str_cmp(a.text, b.text)
					       : (a.num > b.num) - (a.num < b.num);

		if (c)
			return by->by[i].reverse ? -c : c;
	}
	return 0; /* the order in the mailbox stays */
}

static enum err sort(struct sorting *x, struct uidset set)
{
	bool keys = false;
	size_t n = (size_t)uidset_count(set);

	if (n > SORT_MEMORY_MAX / sizeof *x->row)
		return E_LIMIT;
	x->row = ARENA_ARRAY(x->a, const void *, n);
	for (size_t i = 0; i < x->by->n; i++)
		keys |= x->by->by[i].key != SORT_ARRIVAL && x->by->by[i].key != SORT_SIZE;
	enum err e = keys ? box_each_key(x->s->box, set, collect, x)
			  : box_each(x->s->box, set, collect_record, x);

	if (!e)
		imap_order(x->row, ARENA_ARRAY(x->a, const void *, x->n), x->n, compare,
			   (void *)(uintptr_t)x->by);
	return e;
}

/* SORT (criteria) charset key ... */
struct done imap_cmd_sort(struct imap *s, struct scan *in)
{
	struct imap_sort by;
	struct imap_search r = imap_search_new(s);
	struct uidset set;

	imap_sort_request(in, s->cmd, &by, &r);
	struct done d =
		imap_search_refused(&r, in, "usage: SORT ([REVERSE] key ...) charset key ...");

	if (d.how != DONE_OK)
		return d;
	struct sorting x = { .s = s, .by = &by, .a = arena_new(CMD_ARENA_MAX) };
	enum err e = imap_find(s, r.key, &set);

	if (!e)
		e = sort(&x, set);
	if (!e) {
		buf_put(&s->out, S("* SORT"));
		for (size_t i = 0; i < x.n && !io_failed(s->io); i++)
			imap_put_found(s, ((const struct row *)x.row[i])->number);
		imap_send(s);
	}
	arena_free(&x.a);
	return e ? done_err(e) : done_ok("SORT done");
}
