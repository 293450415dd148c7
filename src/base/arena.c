/* SPDX-License-Identifier: ISC */
#include "base/base.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

/*
 * The address sanitizer sees only whole chunks: what is not handed out is marked for it here,
 * with a gap between neighbours.
 */
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP        ((size_t)16)
#define HIDE(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define GAP        ((size_t)0)
#define HIDE(p, n) ((void)(p), (void)(n))
#define SHOW(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN       ((size_t)16)
#define CHUNK_FIRST ((size_t)1024)
#define CHUNK_LAST  ((size_t)64 * 1024)

struct chunk {
	struct chunk *next;
	size_t size, at;
	_Alignas(16) char mem[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *arg);
	void *arg;
};

struct arena {
	size_t max, used;
	size_t next;          /* the size of the next chunk, with its head */
	struct chunk *chunks; /* newest first: the last one outlives a reset */
	struct chunk *big;    /* one allocation each; kept apart so that none outlives a reset */
	struct cleanup *cleanups; /* newest first; in the arena itself */
};

static size_t aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(ALIGN - 1);
}

struct arena *arena_new(size_t max)
{
	struct arena *a = NEW(struct arena);

	/* Half the address space is no limit at all, and sums below it cannot wrap. */
	a->max = aligned(max < SIZE_MAX / 2 ? max : SIZE_MAX / 2);
	a->next = CHUNK_FIRST;
	return a;
}

static struct chunk *chunk_new(struct chunk **list, size_t size)
{
	struct chunk *c = mem_new(sizeof(struct chunk) + size);

	c->size = size;
	c->next = *list;
	*list = c;
	HIDE(c->mem, size);
	return c;
}

/* Frees all of the list but its last `keep` (0 or 1) chunks. */
static void chunks_free(struct chunk **list, size_t keep)
{
	while (*list && (!keep || (*list)->next)) {
		struct chunk *c = *list;

		*list = c->next;
		SHOW(c->mem, c->size);
		free(c);
	}
}

static struct chunk *chunk_for(struct arena *a, size_t room)
{
	if (a->chunks && a->chunks->size - a->chunks->at >= room)
		return a->chunks;
	if (room > a->next - sizeof(struct chunk))
		return chunk_new(&a->big, room);

	struct chunk *c = chunk_new(&a->chunks, a->next - sizeof(struct chunk));

	if (a->next < CHUNK_LAST)
		a->next *= 2;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	static _Alignas(16) char nothing[16];

	if (n == 0)
		return nothing;
	BUG_IF(n > a->max || aligned(n) > a->max - a->used);

	size_t size = aligned(n);
	struct chunk *c = chunk_for(a, size + GAP);
	char *p = c->mem + c->at;

	c->at += size + GAP;
	a->used += size;
	SHOW(p, n);
	return p;
}

static void run_cleanups(struct arena *a)
{
	while (a->cleanups) {
		struct cleanup *c = a->cleanups;

		a->cleanups = c->next;
		c->fn(c->arg);
	}
}

void arena_reset(struct arena *a)
{
	run_cleanups(a);
	chunks_free(&a->big, 0);
	chunks_free(&a->chunks, 1);
	a->used = 0;
	a->next = CHUNK_FIRST;

	struct chunk *c = a->chunks;

	if (c) {
		SHOW(c->mem, c->size);
		memset(c->mem, 0, c->at);
		HIDE(c->mem, c->size);
		c->at = 0;
		a->next = CHUNK_FIRST * 2;
	}
}

void arena_free(struct arena **a)
{
	if (!*a)
		return;
	run_cleanups(*a);
	chunks_free(&(*a)->big, 0);
	chunks_free(&(*a)->chunks, 0);
	free(*a);
	*a = NULL;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

void arena_cleanup(struct arena *a, void (*fn)(void *arg), void *arg)
{
	struct cleanup *c = ARENA_NEW(a, struct cleanup);

	c->fn = fn;
	c->arg = arg;
	c->next = a->cleanups;
	a->cleanups = c;
}
