/* SPDX-License-Identifier: ISC */
/* guard/slow.c - a table of names in sets, each with the addresses that were refused lately. */
#include "guard/slow.h"

struct refused {
	uint32_t address;
	uint32_t at; /* seconds, 0: empty */
};
struct target {
	uint64_t name;
	struct refused by[SLOW_ADDRESSES];
};
struct slow {
	struct target target[SLOW_NAMES / SLOW_WAYS][SLOW_WAYS];
};

struct slow_rules slow_rules_default(void)
{
	return (struct slow_rules){ .after = 5, .max_ms = 8000, .window_s = 20 * 60 };
}

struct slow *slow_new(void)
{
	return NEW(struct slow);
}

void slow_free(struct slow **s)
{
	free(*s);
	*s = NULL;
}

static const struct target *set_of(const struct slow *s, uint64_t name)
{
	return s->target[name % (SLOW_NAMES / SLOW_WAYS)];
}

/* A refusal at t counts until t + window_s, which is not in it any more; as in the lockout. */
static bool counts(const struct refused *r, const struct slow_rules *rules, int64_t now)
{
	return r->at && now < r->at + rules->window_s;
}

static unsigned count(const struct target *t, const struct slow_rules *r, int64_t now)
{
	unsigned n = 0;

	for (size_t i = 0; i < SLOW_ADDRESSES; i++)
		n += counts(&t->by[i], r, now);
	return n;
}

static uint32_t latest(const struct target *t)
{
	uint32_t at = 0;

	for (size_t i = 0; i < SLOW_ADDRESSES; i++)
		at = t->by[i].at > at ? t->by[i].at : at;
	return at;
}

static const struct target *find(const struct slow *s, uint64_t name)
{
	const struct target *set = set_of(s, name);

	for (size_t i = 0; i < SLOW_WAYS; i++)
		if (set[i].name == name && latest(&set[i]))
			return &set[i];
	return NULL;
}

/* Where a new name goes: to the place that is missed the least. */
static const struct target *least(const struct slow *s, const struct slow_rules *r, uint64_t name,
				  int64_t now)
{
	const struct target *set = set_of(s, name), *best = &set[0];

	for (size_t i = 1; i < SLOW_WAYS; i++) {
		unsigned n = count(&set[i], r, now), m = count(best, r, now);
		if (n < m || (n == m && latest(&set[i]) < latest(best)))
			best = &set[i];
	}
	return best;
}

void slow_refused(struct slow *s, const struct slow_rules *r, uint64_t name, uint32_t address,
		  int64_t now)
{
	uint32_t at = now > 0 ? (uint32_t)now : 1;
	struct target *t = (struct target *)find(s, name);
	size_t place = 0;

	if (!t) {
		t = (struct target *)least(s, r, name, now);
		*t = (struct target){ .name = name };
	}
	for (size_t i = 0; i < SLOW_ADDRESSES; i++) {
		if (t->by[i].at && t->by[i].address == address) {
			place = i;
			break;
		}
		if (t->by[i].at < t->by[place].at)
			place = i;
	}
	t->by[place] = (struct refused){ address, at };
}

int64_t slow_wait_ms(const struct slow *s, const struct slow_rules *r, uint64_t name, int64_t now)
{
	const struct target *t = find(s, name);
	int64_t ms = SLOW_FIRST_MS;

	if (!t || !r->after || r->max_ms <= 0)
		return 0;
	unsigned n = count(t, r, now);
	if (n < r->after)
		return 0;
	for (n -= r->after; n && ms < r->max_ms; n--)
		ms *= 2;
	return ms < r->max_ms ? ms : r->max_ms;
}
