/* SPDX-License-Identifier: ISC */
#ifndef BASE_BASE_H
#define BASE_BASE_H
/*
 * base.h - what every room speaks: errors, text, arenas, the scanner.
 *
 * Below:    libc only.
 * Suspends: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define MUST              __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LENGTH(array)     (sizeof(array) / sizeof *(array))

/*
 * The closed list of what can go wrong in the world (not by our own mistake: BUG_IF, and not
 * by the peer's: a reply). Temporary ones may be tried again: err_temporary().
 */
enum err {
	OK = 0,
	E_NOTFOUND, /* the thing named does not exist */
	E_EXISTS,   /* the thing to be made exists already */
	E_DENIED,   /* not allowed to this caller */
	E_QUOTA,    /* the account is full */
	E_LIMIT,    /* a bound of ours is reached: too long, too many, too deep */
	E_SYNTAX,   /* not in the grammar */
	E_AGAIN,    /* out of reach just now; a change asked for may or may not have been made */
	E_NOSPACE,  /* the disk is full; nothing was changed */
	E_IO,       /* the system refused an operation; logged where it was found */
	E_CORRUPT,  /* stored octets fail their checksum or make no sense */
	E_VERSION,  /* stored data has a format version that this program does not know */
	E_CLOSED,   /* the peer has gone */
	E_TIMEOUT,  /* the deadline has passed */
	E_CANCELED, /* the fiber's group is being closed */
	E_READONLY, /* the operator lets nothing new in for now */
	ERR_COUNT
};

/* A short English phrase for logs ("not found"); never for a peer. Lives for ever. */
const char *err_text(enum err e);

/* True where trying again later may succeed: AGAIN, NOSPACE, IO, QUOTA, TIMEOUT, CANCELED,
 * READONLY. */
bool err_temporary(enum err e);

/* Our own mistakes end the process; main starts a new one. Writes file, line, condition. */
#define BUG_IF(cond) ((cond) ? bug(__FILE__, __LINE__, #cond) : (void)0)
_Noreturn void bug(const char *file, int line, const char *what);

/* Zeroed memory, or the process ends: every input is bounded before it comes here. */
void *mem_new(size_t n);
void *mem_grow(void *p, size_t old, size_t n); /* the new part is zeroed */
#define NEW(type) ((type *)mem_new(sizeof(type)))

#include "base/str.h"
#include "base/arena.h"
#include "base/scan.h"

#endif
