/* SPDX-License-Identifier: ISC */
/* What LIST and STATUS tell: RFC 3501 6.3.8 - 6.3.10, RFC 5258 3. */
#include "box/names.h"

struct list {
	struct arena *a; /* the caller's */
	struct mailbox_info *v;
	size_t n, cap;
};

/* \Recent for whoever opens it next: the map says it, from recent_from on. */
static enum err count_recent(struct account *ac, uint32_t id, const struct mailbox_record *r,
			     uint32_t *out)
{
	uint32_t first = r->recent_from / CHUNK_UIDS;
	struct key prefix = key_prefix('c', id), before = key_chunk(id, first - 1);
	struct chunk *c = ARENA_NEW(tx_arena(ac->tx), struct chunk);
	struct str key = first ? key_str(&before) : S(""), value;
	uint64_t number;
	enum err e = OK;

	*out = 0;
	if (r->recent_from >= r->uidnext)
		return OK;
	while (!(e = tx_next(ac->tx, key_str(&prefix), key, &key, &value))) {
		e = chunk_decode(value, c);
		if (!e && !key_number(key, &prefix, 8, &number))
			e = E_CORRUPT;
		if (e)
			return layout_broken(e, key);
		for (unsigned i = 0; i < CHUNK_PAGES; i++) {
			uint64_t at = number * CHUNK_UIDS + i * PAGE_UIDS;
			uint64_t mask = UINT64_MAX;

			if (at + PAGE_UIDS <= r->recent_from)
				continue;
			if (at < r->recent_from)
				mask <<= r->recent_from - at;
			*out += bits64(c->entry[i].present & mask);
		}
	}
	return e == E_NOTFOUND ? OK : e;
}

static enum err info(struct account *ac, uint32_t id, const struct mailbox_record *r,
		     struct arena *a, struct mailbox_info *out)
{
	*out = (struct mailbox_info){
		.id = id,
		.name = str_dup(a, r->name),
		.use = r->use,
		.exists = true,
		.messages = r->messages,
		.unseen = r->unseen,
		.deleted = r->deleted,
		.uidnext = r->uidnext,
		.uidvalidity = r->uidvalidity,
		.octets = r->octets,
		.modseq = r->modseq,
	};
	return count_recent(ac, id, r, &out->recent);
}

/* --- one --- */

struct status {
	struct arena *a;
	struct str name;
	struct mailbox_info *out;
};

static enum err status(struct tx *tx, void *arg)
{
	struct status *s = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_find(&ac, s->name, &mb);
	if (!e)
		e = info(&ac, mb->id, &mb->rec, s->a, s->out);
	if (!e)
		s->out->subscribed = names_subscribed(&ac, s->name);
	return e;
}

enum err box_status(struct store *st, uint32_t account, struct str name, struct arena *a,
		    struct mailbox_info *out)
{
	struct key part = key_partition(account);
	struct status s = { a, S_NONE, out };

	*out = (struct mailbox_info){ 0 };
	if (name.n > MAILBOX_NAME_MAX + 1)
		return E_NOTFOUND;
	s.name = mailbox_name_clean(a, name);
	return store_read(st, key_str(&part), status, &s);
}

/* --- all --- */

static int by_name(const void *x, const void *y)
{
	const struct mailbox_info *a = x, *b = y;

	return str_cmp(a->name, b->name);
}

static int inbox_first(const void *x, const void *y)
{
	const struct mailbox_info *a = x, *b = y;
	bool ai = str_is(a->name, "INBOX"), bi = str_is(b->name, "INBOX");

	return ai || bi ? (int)bi - (int)ai : by_name(a, b);
}

static struct mailbox_info *add(struct list *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct mailbox_info *v = ARENA_ARRAY(l->a, struct mailbox_info, cap);

		if (l->n)
			memcpy(v, l->v, l->n * sizeof *v);
		l->v = v;
		l->cap = cap;
	}
	return &l->v[l->n++];
}

static struct mailbox_info *find(struct list *l, size_t n, struct str name)
{
	struct mailbox_info key = { .name = name };

	return n ? bsearch(&key, l->v, n, sizeof key, by_name) : NULL;
}

static void sort(struct list *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_name);
}

/* Names above others that are no mailboxes themselves (any more). The list is sorted, so those
 * below one name stand side by side and the first of them adds it. */
static void add_parents(struct list *l)
{
	size_t n = l->n;

	for (size_t i = 0; i < n; i++) {
		struct str above = l->v[i].name;

		while (names_parent(above, &above)) {
			if (i > 0 && names_within(l->v[i - 1].name, above))
				break;
			if (!find(l, n, above))
				add(l)->name = above;
		}
	}
	sort(l);
}

static enum err add_subscriptions(struct list *l, struct account *ac)
{
	struct str key = S(""), value, *names;
	size_t n = l->n, k;
	enum err e;

	while (!(e = tx_next(ac->tx, KEY_SUBSCRIPTIONS, key, &key, &value))) {
		e = layout_broken(names_decode(value, tx_arena(ac->tx), &names, &k), key);
		if (e)
			return e;
		for (size_t i = 0; i < k; i++) {
			struct mailbox_info *m = find(l, n, names[i]);

			if (!m) {
				m = add(l);
				m->name = str_dup(l->a, names[i]);
			}
			m->subscribed = true;
		}
	}
	return e == E_NOTFOUND ? OK : e;
}

static enum err list(struct tx *tx, void *arg)
{
	struct list *l = arg;
	struct account ac;
	struct named *v;
	size_t n;
	struct mailbox_record *rec = ARENA_NEW(tx_arena(tx), struct mailbox_record);
	enum err e = account_load(tx, &ac);

	*l = (struct list){ .a = l->a };
	if (!e)
		e = names_load(&ac, &v, &n);
	for (size_t i = 0; !e && i < n; i++) {
		e = mailbox_decode(v[i].value, rec);
		if (!e)
			e = info(&ac, v[i].id, rec, l->a, add(l));
	}
	if (e)
		return e;
	add_parents(l);
	e = add_subscriptions(l, &ac);
	if (!e && l->n)
		qsort(l->v, l->n, sizeof *l->v, inbox_first);
	return e;
}

enum err box_list(struct store *st, uint32_t account, struct arena *a, struct mailbox_info **out,
		  size_t *n)
{
	struct key part = key_partition(account);
	struct list l = { .a = a };
	enum err e = store_read(st, key_str(&part), list, &l);

	*out = e ? NULL : l.v;
	*n = e ? 0 : l.n;
	return e;
}
