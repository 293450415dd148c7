/* SPDX-License-Identifier: ISC */
#ifndef COURIER_POOL_H
#define COURIER_POOL_H
/*
 * pool.h - lines that stand idle for a moment, for the next mail of their destination.
 *
 * Suspends: pool_get, pool_close. What is too many or too old is closed by fibers of the pool's
 * own: no sender waits for another server's goodbye.
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
/*
 * One as pool_take gives it; or, with *out NULL, the right to open one, to be given back by
 * pool_leave if that fails. A smart host (relay; or NULL) has at most so many lines, in use or
 * idle: who comes beyond waits. False: not before the deadline, or all is ending.
 */
bool pool_get(struct pool *p, const struct line_want *want, const struct line_relay *relay,
	      unsigned most, int64_t deadline, struct line **out);
void pool_leave(struct pool *p, const struct line_relay *relay);
/* (quick) From now on no line is kept, and nobody waits for one. */
void pool_end(struct pool *p);
size_t pool_size(const struct pool *p);
/* Closes all; the goodbyes end at the deadline. Sets NULL. */
void pool_close(struct pool **p, int64_t deadline);

#endif
