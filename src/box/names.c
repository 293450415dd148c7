/* SPDX-License-Identifier: ISC */
#include "box/names.h"

enum { SUBSCRIPTIONS_MAX = MAILBOXES_MAX };

static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;

	return str_cmp(a->name, b->name);
}

enum err names_load(struct account *ac, struct named **out, size_t *n)
{
	struct arena *a = tx_arena(ac->tx);
	struct key prefix = { "b/", 2 };
	struct str key = S(""), value;
	struct mailbox_record *rec = ARENA_NEW(a, struct mailbox_record);
	size_t max = ac->rec.mailboxes;
	enum err e;

	*out = ARENA_ARRAY(a, struct named, max);
	*n = 0;
	while (!(e = tx_next(ac->tx, KEY_MAILBOXES, key, &key, &value))) {
		uint64_t id;

		e = mailbox_decode(value, rec);
		if (!e && !key_number(key, &prefix, 8, &id))
			e = E_CORRUPT;
		if (!e && rec->removing)
			continue;
		if (!e && *n == max)
			e = E_CORRUPT;
		if (e)
			return layout_broken(e, key);
		(*out)[(*n)++] = (struct named){ rec->name, (uint32_t)id, value };
	}
	if (e != E_NOTFOUND)
		return e;
	qsort(*out, *n, sizeof **out, by_name);
	return OK;
}

const struct named *names_find(const struct named *v, size_t n, struct str name)
{
	struct named key = { .name = name };

	return n ? bsearch(&key, v, n, sizeof *v, by_name) : NULL;
}

bool names_within(struct str name, struct str top)
{
	return str_starts(name, top) && (name.n == top.n || name.p[top.n] == '/');
}

bool names_parent(struct str name, struct str *out)
{
	size_t at = str_rfind(name, '/');

	*out = str_part(name, 0, at);
	return at < name.n;
}

/* --- subscriptions: RFC 3501 6.3.6; they outlive the mailbox --- */

/* The names of one hash; none is fine. */
static enum err load(struct account *ac, const struct key *key, struct str **names, size_t *n)
{
	struct str value;
	enum err e = tx_get(ac->tx, key_str(key), &value);

	*n = 0;
	*names = NULL;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	return layout_broken(names_decode(value, tx_arena(ac->tx), names, n), key_str(key));
}

static size_t index_of(const struct str *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return i;
	return n;
}

bool names_subscribed(struct account *ac, struct str name)
{
	struct key key = key_subscription(name);
	struct str *names;
	size_t n;

	return !load(ac, &key, &names, &n) && index_of(names, n, name) < n;
}

enum err names_subscribe(struct account *ac, struct str name, bool on)
{
	struct key key = key_subscription(name);
	struct arena *a = tx_arena(ac->tx);
	struct str *names, *more;
	size_t n;
	enum err e = load(ac, &key, &names, &n);
	size_t at = index_of(names, n, name);

	if (e || on == (at < n))
		return e;
	/* Names of one hash share a value: a few may, thousands are made on purpose. */
	if (on && (ac->rec.subscriptions >= SUBSCRIPTIONS_MAX || n >= 100))
		return E_LIMIT;
	more = ARENA_ARRAY(a, struct str, n + 1);
	for (size_t i = 0; i < n; i++)
		more[i] = names[i];
	if (on)
		more[n++] = name;
	else
		more[at] = more[--n];
	ac->rec.subscriptions += on ? 1 : UINT32_MAX;
	account_modseq(ac);
	if (n)
		tx_put(ac->tx, key_str(&key), names_encode(a, more, n));
	else
		tx_del(ac->tx, key_str(&key));
	return OK;
}
