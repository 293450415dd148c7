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

struct arena;

/* max: the most octets it may ever hold. Owner: caller. Costs no memory until first used. */
struct arena *arena_new(size_t max);
void arena_free(struct arena **a); /* runs the cleanups, sets NULL; NULL is fine */

void *arena_alloc(struct arena *a, size_t n); /* 16-octet aligned, zeroed; n may be 0 */
void arena_reset(struct arena *a);            /* runs the cleanups, gives chunks back but one */
size_t arena_used(const struct arena *a);     /* octets handed out since the last reset */

/* Calls fn(arg) at the next reset or free; the last one added runs first. */
void arena_cleanup(struct arena *a, void (*fn)(void *arg), void *arg);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
