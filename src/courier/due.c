/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "courier/due.h"

enum { TABLE_LEAST = 256 };
#define NEVER_32 UINT32_MAX

struct entry {
	struct entry *chain;
	uint32_t due[QUEUE_SHARDS]; /* UTC seconds: enough until 2106 */
	uint32_t first;             /* the least of them */
	uint32_t look;              /* in which it was noted last */
	unsigned at;                /* where due_take goes on */
	size_t length;
	char name[];
};

struct due {
	struct entry **table;
	size_t cap, n, max;
	uint32_t look;
};

struct due *due_new(size_t dests_max)
{
	struct due *d = NEW(struct due);

	d->max = dests_max;
	for (d->cap = TABLE_LEAST; d->cap < dests_max; d->cap *= 2)
		;
	d->table = mem_new(d->cap * sizeof(struct entry *));
	return d;
}

void due_free(struct due **d)
{
	if (!*d)
		return;
	for (size_t i = 0; i < (*d)->cap; i++)
		for (struct entry *e = (*d)->table[i], *next; e; e = next) {
			next = e->chain;
			free(e);
		}
	free((*d)->table);
	free(*d);
	*d = NULL;
}

static struct entry **find(const struct due *d, struct str name)
{
	struct entry **at = &d->table[str_hash(name) & (d->cap - 1)];

	while (*at && !str_eq(STR((*at)->name, (*at)->length), name))
		at = &(*at)->chain;
	return at;
}

static void find_first(struct entry *e)
{
	e->first = NEVER_32;
	for (unsigned i = 0; i < QUEUE_SHARDS; i++)
		if (e->due[i] < e->first)
			e->first = e->due[i];
}

static struct entry *add(struct due *d, struct entry **place, struct str name)
{
	struct entry *e = *place = mem_new(sizeof *e + name.n);

	memset(e->due, 0xff, sizeof e->due);
	e->first = NEVER_32;
	e->length = name.n;
	memcpy(e->name, name.p, name.n);
	d->n++;
	return e;
}

void due_look(struct due *d, unsigned shard)
{
	BUG_IF(shard >= QUEUE_SHARDS);
	d->look++;
}

enum err due_note(struct due *d, struct str name, unsigned shard, int64_t at, bool *earlier)
{
	struct entry **place = find(d, name), *e = *place;
	uint32_t when = at < 0 ? 0 : at >= NEVER_32 ? NEVER_32 - 1 : (uint32_t)at;

	*earlier = false;
	if (!e) {
		if (d->n == d->max)
			return E_LIMIT;
		e = add(d, place, name);
	}
	uint32_t before = e->due[shard];

	e->due[shard] = when;
	e->look = d->look;
	if (when < e->first) {
		e->first = when;
		*earlier = true;
	} else if (when > before && before == e->first) {
		find_first(e);
	}
	return OK;
}

void due_looked(struct due *d, unsigned shard)
{
	for (size_t i = 0; i < d->cap; i++)
		for (struct entry **at = &d->table[i], *e; (e = *at);) {
			if (e->look != d->look && e->due[shard] != NEVER_32) {
				e->due[shard] = NEVER_32;
				find_first(e);
			}
			if (e->first != NEVER_32) {
				at = &e->chain;
				continue;
			}
			*at = e->chain;
			d->n--;
			free(e);
		}
}

bool due_take(struct due *d, struct str name, int64_t now, unsigned *shard)
{
	struct entry *e = *find(d, name);

	for (unsigned i = 0; e && e->first <= now && i < QUEUE_SHARDS; i++) {
		unsigned s = (e->at + i) % QUEUE_SHARDS;

		if (e->due[s] > now)
			continue;
		e->due[s] = NEVER_32;
		find_first(e);
		e->at = s + 1;
		*shard = s;
		return true;
	}
	return false;
}

int64_t due_first(const struct due *d, struct str name)
{
	const struct entry *e = *find(d, name);

	return e && e->first != NEVER_32 ? e->first : QUEUE_NEVER;
}

size_t due_count(const struct due *d)
{
	return d->n;
}
