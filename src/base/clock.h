/* SPDX-License-Identifier: ISC */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
/*
 * clock.h - the two clocks, and a fake one for tests that wait 20 minutes in no time.
 */
#include <stdint.h>

#define NEVER INT64_MAX /* the deadline that does not come */

int64_t clock_ms(void);   /* monotonic milliseconds: for deadlines */
int64_t clock_wall(void); /* seconds since 1970, UTC: for people and records */
int64_t clock_wall_ms(void);

/* A deadline so many milliseconds from now; saturates at NEVER. */
int64_t clock_in(int64_t ms);

/* Tests only, from one thread: from the first call on both clocks move by these steps alone. */
void clock_fake_step(int64_t ms);
void clock_fake_set(int64_t ms); /* the wall clock alone: somebody has set it, ahead or back */

#endif
