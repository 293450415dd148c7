/* SPDX-License-Identifier: ISC */
#ifndef COURIER_POOL_H
#define COURIER_POOL_H
/*
 * pool.h - lines that stand idle for a moment, for the next mail of their destination.
 *
 * Suspends: pool_close. What is too many or too old is closed by fibers of the pool's own: no
 * sender waits for another server's goodbye.
 */
#include "courier/line.h"

struct pool;

/* max: lines; 0: none is kept. idle_ms: for how long. */
struct pool *pool_new(unsigned max, int64_t idle_ms);
/* Takes over the line; fresh lines are taken first. Sets NULL. */
void pool_put(struct pool *p, struct line **l);
/* Closes it without waiting. Sets NULL. */
void pool_drop(struct pool *p, struct line **l);
/* One that serves, and on which the other side has said nothing since; NULL: none. */
struct line *pool_take(struct pool *p, const struct line_want *want);
size_t pool_size(const struct pool *p);
/* Closes all; the goodbyes end at the deadline. Sets NULL. */
void pool_close(struct pool **p, int64_t deadline);

#endif
