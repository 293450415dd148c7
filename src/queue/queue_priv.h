/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_QUEUE_PRIV_H
#define QUEUE_QUEUE_PRIV_H
/*
 * queue_priv.h - keys and steps inside one transaction, shared by the files of this room.
 *
 *   partition "q/%02x" (the id's lowest bits), keys, numbers in hex:
 *   m/%016x                      id: the message
 *   p/%016x/%04x                 id, number: a part
 *   w/<32 of hash>/%016x/%016x/%04x  destination, due, id, number: the destination's name
 *
 * Invariants: a message has as many parts as it says, and goes with the last; it holds the one
 * reference to its blob; each part has exactly one w key, of its destination and its due time.
 */
#include "queue/queue.h"

struct str key_message(struct arena *a, uint64_t id);
struct str key_part(struct arena *a, uint64_t id, uint32_t number);
struct str key_parts(struct arena *a, uint64_t id); /* what the keys of its parts begin with */
struct str key_waits(struct arena *a, struct str destination);
struct str key_wait(struct arena *a, const struct queue_part *p);
/* The numbers of a part's key, and of a w key. */
bool key_part_take(struct str key, struct queue_place *out);
bool key_wait_take(struct str key, int64_t *due, struct queue_place *out);

/* E_NOTFOUND. What they give lives until fn returns. */
MUST enum err get_message(struct tx *tx, uint64_t id, struct queue_message *out);
MUST enum err get_part(struct tx *tx, struct queue_place which, struct queue_part *out);
/* Writes a part in the place of what it was; before: NULL for a new one. */
MUST enum err put_part(struct tx *tx, const struct queue_part *before, const struct queue_part *p);
/* Takes a part away, and with the last one the message. */
MUST enum err remove_part(struct tx *tx, const struct queue_part *p);
/* Message and part as the arena's own. */
MUST enum err copy_job(struct arena *a, struct str message, struct str part, struct queue_job *j);

#endif
