/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_DAY_H
#define KEEPER_DAY_H
/*
 * day.h - days of the calendar, as people set them: a number like 20261231, 0 for none. What
 * ends with a day is there until its midnight, by the clock of the machine. Never suspends.
 */
#include "base/base.h"

/* "2026-12-31" or "31.12.2026"; E_SYNTAX: no day of the calendar from 2000 to 9999. */
MUST enum err day_parse(struct str text, uint32_t *out);
uint32_t day_of(int64_t utc); /* in the time zone of the machine */
/* Is it over? Never, if day is 0. */
bool day_over(uint32_t day, int64_t now);
struct str day_de(struct arena *a, uint32_t day); /* "31.12.2026" */
struct str day_en(struct arena *a, uint32_t day); /* "2026-12-31" */

#endif
