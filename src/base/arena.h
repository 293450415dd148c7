/* SPDX-License-Identifier: ISC */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/*
 * arena.h - memory of one lifetime: a command, a transaction, a session.
 *
 * A function that takes an arena allocates there; one that takes none allocates nothing.
 * Memory is zeroed. Reaching the arena's maximum is a BUG: inputs are bounded first.
 * Not shared between threads at the same time.
 */
#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * max: the most octets it may ever hold, in steps of 16. Owner: caller.
 * Costs next to no memory until first used.
 */
struct arena *arena_new(size_t max);
void arena_free(struct arena **a); /* runs the cleanups, sets NULL; NULL is fine */

void *arena_alloc(struct arena *a, size_t n); /* 16-octet aligned, zeroed; n may be 0 */
void arena_reset(struct arena *a);            /* runs the cleanups, gives chunks back but one */
size_t arena_used(const struct arena *a);     /* handed out since then, in steps of 16 */

/* Calls fn(arg) at the next reset or free; the last one added runs first. */
void arena_cleanup(struct arena *a, void (*fn)(void *arg), void *arg);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_array((a), sizeof(type), (n)))

/* A product that wraps around is past every maximum. */
static inline void *arena_array(struct arena *a, size_t size, size_t n)
{
	return arena_alloc(a, n > SIZE_MAX / size ? SIZE_MAX : size * n);
}

#endif
