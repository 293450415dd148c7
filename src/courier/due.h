/* SPDX-License-Identifier: ISC */
#ifndef COURIER_DUE_H
#define COURIER_DUE_H
/*
 * due.h - which of the queue's shards have something for a destination, and when. Never suspends.
 *
 * Kept for destinations, never for mails: a little over 300 octets for each, whatever is queued.
 * It is what the last look at each shard said, less what was taken since: a hint where to lease
 * from, which the next look corrects.
 */
#include "queue/queue.h"

struct due;

struct due *due_new(size_t dests_max);
void due_free(struct due **d);

/* A shard was looked at: each destination of it is noted, then those that were not are cleared. */
void due_look(struct due *d, unsigned shard);
/* at: UTC seconds. E_LIMIT: too many destinations. *earlier: it is due sooner than was known. */
MUST enum err due_note(struct due *d, struct str name, unsigned shard, int64_t at, bool *earlier);
void due_looked(struct due *d, unsigned shard);

/* A shard that has something for it now, one after the other; it is cleared there. False: none. */
bool due_take(struct due *d, struct str name, int64_t now, unsigned *shard);
/* The earliest of its shards; QUEUE_NEVER: none. */
int64_t due_first(const struct due *d, struct str name);
size_t due_count(const struct due *d);

#endif
