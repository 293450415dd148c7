/* SPDX-License-Identifier: ISC */
#include <sodium.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mail/address.h"
#include "queue/queue_priv.h"

enum { CHANCE_BITS = 22, COLLISIONS_MAX = 100 };
/* Of a destination, what is due first goes first; a mail goes before those that came so much before
 * it, for each step of its priority: RFC 6710 5.1. */
enum { PRIORITY_S = 60 };
_Static_assert((1 << CHANCE_BITS) % QUEUE_SHARDS == 0, "chance chooses the shard");

struct queue_putting {
	struct queue_put *put;
	struct queue_part *part;
	size_t n;
	uint64_t id; /* where the search for a free one begins */
};

/* Ordered by domain; what is of one domain keeps its order. */
struct addressed {
	struct str domain;
	const struct queue_recipient *r;
};

static int by_domain(const void *x, const void *y)
{
	const struct addressed *a = x, *b = y;
	int c = str_cmp(a->domain, b->domain);

	return c ? c : (a->r > b->r) - (a->r < b->r);
}

static enum err look(struct arena *a, const struct queue_put *p, struct addressed *out)
{
	for (size_t i = 0; i < p->n; i++) {
		struct str address = p->rcpt[i].address;
		struct str domain = str_from(address, str_rfind(address, '@') + 1);

		if (address.n > QUEUE_ADDRESS_MAX || p->rcpt[i].orcpt.n > QUEUE_ORCPT_MAX)
			return E_LIMIT;
		if (!domain.n || domain_ascii(a, domain, &out[i].domain))
			return E_SYNTAX;
		if (out[i].domain.n > QUEUE_DOMAIN_MAX)
			return E_LIMIT;
		out[i].r = &p->rcpt[i];
	}
	qsort(out, p->n, sizeof *out, by_domain);
	return OK;
}

/* How many of n are of the first one's domain, as far as they fit into one part. */
static size_t together(const struct addressed *to, size_t n)
{
	size_t i = 1;

	while (i < n && i < QUEUE_PART_MAX && str_eq(to[i].domain, to[0].domain))
		i++;
	return i;
}

static enum err divide(struct arena *a, struct queue_putting *g)
{
	const struct queue_put *p = g->put;
	struct addressed *to = ARENA_ARRAY(a, struct addressed, p->n);
	int64_t next = p->m.submitted;
	enum err e = look(a, p, to);

	if (e)
		return e;
	if (p->m.hold_until > next)
		next = p->m.hold_until;
	else if (p->m.priority > 0)
		next -= p->m.priority * PRIORITY_S;
	g->part = ARENA_ARRAY(a, struct queue_part, QUEUE_PARTS_MAX);
	for (size_t i = 0; i < p->n; i++) {
		struct queue_part *part = g->n ? &g->part[g->n - 1] : NULL;

		if (!part || part->n == QUEUE_PART_MAX || !str_eq(part->domain, to[i].domain)) {
			if (g->n == QUEUE_PARTS_MAX)
				return E_LIMIT;
			part = &g->part[g->n];
			part->number = (uint32_t)g->n++;
			part->domain = to[i].domain;
			part->rcpt =
				ARENA_ARRAY(a, struct queue_recipient, together(to + i, p->n - i));
		}
		part->rcpt[part->n++] = (struct queue_recipient){ .address = to[i].r->address,
								  .orcpt = to[i].r->orcpt,
								  .notify = to[i].r->notify,
								  .next = next };
	}
	return OK;
}

/* An id is not part of the values, so that it can be chosen where none other has it. */
static enum err free_id(struct tx *tx, uint64_t from, uint64_t *out)
{
	struct str value;

	for (unsigned i = 0; i < COLLISIONS_MAX; i++) {
		*out = from + (uint64_t)i * QUEUE_SHARDS;
		enum err e = tx_get(tx, key_message(tx_arena(tx), *out), &value);

		if (e)
			return e == E_NOTFOUND ? OK : e;
	}
	return E_LIMIT;
}

static enum err write_all(struct tx *tx, void *arg)
{
	struct queue_putting *g = arg;
	struct queue_message *m = &g->put->m;
	struct str value;
	enum err e = free_id(tx, g->id, &m->id);

	if (e)
		return e;
	m->parts = (uint32_t)g->n;
	e = queue_message_encode(tx_arena(tx), m, &value);
	if (!e)
		e = tx_blob_ref(tx, m->blob);
	if (e)
		return e == E_NOTFOUND ? E_CORRUPT : e; /* the caller holds the blob */
	tx_put(tx, key_message(tx_arena(tx), m->id), value);
	for (size_t i = 0; i < g->n && !e; i++) {
		g->part[i].id = m->id;
		e = put_part(tx, NULL, &g->part[i]);
	}
	return e;
}

enum err queue_prepare(struct arena *a, struct queue_put *p, struct update *out)
{
	struct str value;
	enum err e = queue_message_encode(a, &p->m, &value);

	if (e)
		return e;
	if (!p->n)
		return E_SYNTAX;
	if (p->n > (size_t)QUEUE_PARTS_MAX * QUEUE_PART_MAX)
		return E_LIMIT;
	p->own = ARENA_NEW(a, struct queue_putting);
	p->own->put = p;
	p->own->id =
		(uint64_t)clock_wall_ms() << CHANCE_BITS | randombytes_uniform(1 << CHANCE_BITS);
	e = divide(a, p->own);
	if (e)
		return e;
	*out = (struct update){ .partition = queue_partition(a, queue_shard(p->own->id)),
				.fn = write_all,
				.arg = p->own };
	return OK;
}

enum err queue_add(struct store *st, struct arena *a, struct queue_put *p)
{
	struct update u;
	enum err e = queue_prepare(a, p, &u);

	return e ? e : store_update(st, u.partition, u.fn, u.arg);
}
