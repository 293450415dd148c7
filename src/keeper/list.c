/* SPDX-License-Identifier: ISC */
/* keeper/list.c - the directory a page at a time, so that no answer outgrows a message. */
#include "keeper/record.h"

struct listing {
	struct page *page;
	char kind;
	struct arena *a;
	void *rows;
	enum err (*row)(struct listing *l, size_t i, struct str key, struct str value);
};

static enum err walk(struct tx *tx, void *arg)
{
	struct listing *l = arg;
	struct page *p = l->page;
	struct str prefix =
		str_fmt(tx_arena(tx), "%c/%.*s%s", l->kind, FMT(p->domain), p->domain.n ? "/" : "");
	struct str after = p->after, key, value;
	enum err e = OK;

	p->n = 0;
	p->more = false;
	while (!(e = tx_next(tx, prefix, after, &key, &value))) {
		if (p->n == p->max) {
			p->more = true;
			break;
		}
		e = l->row(l, p->n, key, value);
		if (e)
			return e;
		p->n++;
		after = p->last = str_dup(l->a, key);
	}
	return e == E_NOTFOUND ? OK : e;
}

static enum err list(struct store *st, struct listing *l)
{
	l->page->last = S("");
	return store_read(st, S(DIRECTORY_PARTITION), walk, l);
}

static enum err domain_row(struct listing *l, size_t i, struct str key, struct str value)
{
	struct domain_row *r = (struct domain_row *)l->rows + i;

	r->domain = str_dup(l->a, str_from(key, 2));
	return domain_read(value, &r->created);
}

enum err directory_domains(struct store *st, struct page *p, struct arena *a,
			   struct domain_row **out)
{
	struct listing l = { p, 'd', a, ARENA_ARRAY(a, struct domain_row, p->max), domain_row };

	*out = l.rows;
	return list(st, &l);
}

static enum err user_row(struct listing *l, size_t i, struct str key, struct str value)
{
	(void)key;
	return user_read(value, l->a, (struct user *)l->rows + i);
}

enum err directory_users(struct store *st, struct page *p, struct arena *a, struct user **out)
{
	struct listing l = { p, 'u', a, ARENA_ARRAY(a, struct user, p->max), user_row };

	*out = l.rows;
	return list(st, &l);
}

static enum err alias_row(struct listing *l, size_t i, struct str key, struct str value)
{
	(void)key;
	return alias_read(value, l->a, (struct alias *)l->rows + i);
}

enum err directory_aliases(struct store *st, struct page *p, struct arena *a, struct alias **out)
{
	struct listing l = { p, 'l', a, ARENA_ARRAY(a, struct alias, p->max), alias_row };

	*out = l.rows;
	return list(st, &l);
}

static enum err invitation_row(struct listing *l, size_t i, struct str key, struct str value)
{
	(void)key;
	return invitation_read(value, l->a, (struct invitation *)l->rows + i);
}

enum err directory_invitations(struct store *st, struct page *p, struct arena *a,
			       struct invitation **out)
{
	struct listing l = { p, 'i', a, ARENA_ARRAY(a, struct invitation, p->max), invitation_row };

	*out = l.rows;
	return list(st, &l);
}
