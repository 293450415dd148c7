/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SPOOL_H
#define SMTP_SPOOL_H
/*
 * spool.h - octets that have to wait: what must stand before them is known only when the last one
 * is there. SPOOL_MEMORY of them wait in memory, more in a file without a name, which is gone with
 * the process. Suspends.
 */
#include "base/buf.h"

enum { SPOOL_MEMORY = 256 << 10 };

struct spool {
	struct str folder; /* borrowed; where the file is made */
	struct buf piece;  /* owned; what is not in the file yet */
	int fd;            /* owned; -1: no file yet */
	uint64_t written;  /* octets in the file */
};
static inline struct spool spool_new(struct str folder)
{
	return (struct spool){ .folder = folder, .piece = buf_new(SPOOL_MEMORY), .fd = -1 };
}
MUST enum err spool_write(struct spool *s, struct str octets); /* E_NOSPACE, E_IO */
/* All of them, in order, to put, whose error ends it. */
MUST enum err spool_copy(struct spool *s, enum err (*put)(void *arg, struct str octets), void *arg);
void spool_close(struct spool *s); /* may be done twice */

#endif
