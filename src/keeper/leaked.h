/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_LEAKED_H
#define KEEPER_LEAKED_H
/*
 * leaked.h - the operator's list of leaked passwords: a file of sorted lines, each the SHA-1 of
 * one in hex (or its first LEAKED_DIGITS_MIN digits and more), ":" and a count behind it or not.
 * That is the form in which such lists are published.
 *
 * Memory:   the file is mapped, not read; a look-up touches some 40 pages of it.
 * Suspends: never, but a look-up may wait for the disk: call it through work_run.
 */
#include "base/base.h"

enum { LEAKED_DIGITS_MIN = 10, LEAKED_LINE_MAX = 128 };

struct leaked;

/* fd: the file, open for reading; it is borrowed and may be closed then. E_SYNTAX: does not
 * begin with such a line; E_IO. */
MUST enum err leaked_open(int fd, struct leaked **out);
struct leaked *leaked_hold(struct leaked *l); /* one more owner; NULL is fine */
void leaked_close(struct leaked **l);         /* the last one unmaps it; NULL is fine */

/* *out: it is on the list. E_CORRUPT: there is something else than such lines. */
MUST enum err leaked_find(const struct leaked *l, struct str password, bool *out);

#endif
