/* SPDX-License-Identifier: ISC */
/* guard/hashing.c - lines that take turns. */
#include "guard/hashing.h"

#include <unistd.h>

#include <sodium.h>

#include "fiber/fiber.h"

struct place { /* of one who waits, on his stack */
	struct place *next;
	struct signal told;
	enum { WAITING, SERVED, REFUSED } state;
};

struct line {
	struct line *next;
	uint64_t who;
	struct place *first;
	unsigned n;
};

static const unsigned room[HASHING_RANKS] = {
	[HASHING_KNOWN] = HASHES_KNOWN_MAX,
	[HASHING_STRANGER] = HASHES_STRANGERS_MAX,
	[HASHING_SUSPECT] = HASHES_SUSPECTS_MAX,
};

struct rank {
	struct line *first; /* whose turn is next */
	unsigned waiting;
};

struct hashing {
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* nobody shall choose to stand in another's line
						    */
	unsigned at_once, running;
	uint64_t turns;
	struct rank rank[HASHING_RANKS];
	int64_t marked[HASHES_WRONG_PLACES]; /* clock_ms() of the last time, by key; 0: never */
};

struct hashing *hashing_new(void)
{
	struct hashing *h = NEW(struct hashing);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	BUG_IF(sodium_init() < 0);
	randombytes_buf(h->secret, sizeof h->secret);
	h->at_once = cores < 1 ? 1 : cores > HASHES_AT_ONCE ? HASHES_AT_ONCE : (unsigned)cores;
	return h;
}

void hashing_free(struct hashing **h)
{
	for (int i = 0; *h && i < HASHING_RANKS; i++)
		BUG_IF((*h)->rank[i].waiting > 0);
	free(*h);
	*h = NULL;
}

static uint64_t key_of(const struct hashing *h, struct str who)
{
	uint64_t key;

	crypto_shorthash((uint8_t *)&key, (const uint8_t *)who.p, who.n, h->secret);
	return key;
}

static void mark(struct hashing *h, uint64_t key)
{
	h->marked[key % HASHES_WRONG_PLACES] = clock_ms();
}

void hashing_wrong(struct hashing *h, struct str who)
{
	mark(h, key_of(h, who));
}

static bool suspect(const struct hashing *h, uint64_t key)
{
	int64_t at = h->marked[key % HASHES_WRONG_PLACES];

	return at && clock_ms() - at < HASHES_SUSPECT_MS;
}

/* Where the line of who is in the list, or where a new one is to come: the end. */
static struct line **line_of(struct rank *r, uint64_t who)
{
	struct line **at = &r->first;

	while (*at && (*at)->who != who)
		at = &(*at)->next;
	return at;
}

static void join(struct rank *r, uint64_t who, struct place *p)
{
	struct line **at = line_of(r, who);

	if (!*at) {
		*at = NEW(struct line);
		(*at)->who = who;
	}
	struct place **end = &(*at)->first;
	while (*end)
		end = &(*end)->next;
	*end = p;
	(*at)->n++;
	r->waiting++;
}

/* Takes p out of the line at *at, and the line away with its last place. */
static void leave(struct rank *r, struct line **at, const struct place *p)
{
	struct line *l = *at;
	struct place **i = &l->first;

	while (*i != p)
		i = &(*i)->next;
	*i = p->next;
	r->waiting--;
	if (--l->n > 0)
		return;
	*at = l->next;
	free(l);
}

static void tell(struct place *p, bool served)
{
	p->state = served ? SERVED : REFUSED;
	signal_raise(&p->told);
}

/* Makes room in a full rank for one more of who. */
static bool make_room(struct rank *r, uint64_t who)
{
	struct line **longest = &r->first, **own = line_of(r, who);

	for (struct line **at = longest; *at; at = &(*at)->next)
		if ((*at)->n > (*longest)->n)
			longest = at;
	if ((*own ? (*own)->n : 0) + 1 >= (*longest)->n)
		return false;
	struct place *last = (*longest)->first;
	while (last->next)
		last = last->next;
	leave(r, longest, last);
	tell(last, false);
	return true;
}

static struct rank *next_rank(struct hashing *h)
{
	uint64_t turn = ++h->turns;
	int first = turn % 8 == 0   ? HASHING_SUSPECT
		    : turn % 4 == 0 ? HASHING_STRANGER
				    : HASHING_KNOWN;

	for (int i = 0; i < HASHING_RANKS; i++) {
		struct rank *r = &h->rank[(first + i) % HASHING_RANKS];
		if (r->waiting)
			return r;
	}
	return NULL;
}

/* The first of the first line is served; the line goes to the end. */
static void serve_next(struct hashing *h)
{
	struct rank *r = next_rank(h);

	if (!r)
		return;
	struct line *l = r->first, **end = &r->first;
	struct place *p = l->first;
	bool more = l->n > 1;

	h->running++;
	leave(r, &r->first, p);
	tell(p, true);
	if (!more)
		return;
	r->first = l->next;
	l->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = l;
}

static enum err refuse(struct hashing *h, enum hashing_rank rank, uint64_t key)
{
	if (rank != HASHING_KNOWN)
		mark(h, key);
	return E_AGAIN;
}

enum err hashing_begin(struct hashing *h, enum hashing_rank rank, struct str who)
{
	uint64_t key = key_of(h, who);
	struct place p = { 0 };

	if (h->running < h->at_once) {
		h->running++;
		return OK;
	}
	if (rank == HASHING_STRANGER && suspect(h, key))
		rank = HASHING_SUSPECT;
	struct rank *r = &h->rank[rank];
	if (r->waiting == room[rank] && !make_room(r, key))
		return refuse(h, rank, key);
	join(r, key, &p);
	enum err e = signal_wait(&p.told, 0, clock_in(HASHES_WAITING_MS));
	if (p.state == WAITING)
		leave(r, line_of(r, key), &p);
	else if (p.state == SERVED && e == E_CANCELED)
		hashing_end(h);
	if (e == E_CANCELED)
		return e;
	return p.state == SERVED ? OK : refuse(h, rank, key);
}

void hashing_end(struct hashing *h)
{
	h->running--;
	serve_next(h);
}
