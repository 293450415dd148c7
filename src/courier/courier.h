/* SPDX-License-Identifier: ISC */
#ifndef COURIER_COURIER_H
#define COURIER_COURIER_H
/*
 * courier.h - brings the queue's mail to other servers, and tells senders what became of it.
 *
 * For:      the process `courier`. Below: queue/, courier/line.h, smtp/client.h, box/.
 * Suspends: courier_new, courier_close.
 * Memory:   for destinations (under 1 KB each, DESTS_MAX) and for tries (connections), never for
 *           mails: docs/adr/0034-courier.md.
 * Once:     a part is worked on under a lease, and its result is written as soon as the reply is
 *           there. Who dies between sends again what the other side may have already.
 * Several:  couriers of one store may be many, in one process or on many machines.
 */
#include "courier/line.h"
#include "keeper/keeper.h"
#include "queue/queue.h"

struct courier;

struct courier_conf {
	struct str holder;   /* as the leases name it: no other living process has this name */
	struct str hostname; /* in reports */
	struct str spool;    /* a folder for mail that gets another encoding */
	struct queue_plan plan;
	unsigned number, couriers; /* of this store: the shards of the others can wait a moment */
	unsigned connections;      /* of all tries at the same time; at least 2 */
	unsigned per_destination;
	unsigned idle_max; /* lines that are kept for more mail */
	int64_t idle_ms;   /* and how long */
};

/* All is borrowed, the texts of conf too, and outlives it. Begins to work at once. first: leases of
 * the holder are of an earlier life, and are given back before. E_LIMIT: no fibers. */
MUST enum err courier_new(const struct courier_conf *conf, struct store *store,
			  struct keeper *keeper, struct line_net *net, bool first,
			  struct courier **out);
/* Begins nothing more, waits until the deadline for what is being sent, then cuts it off, gives
 * back what it has, sets NULL. */
void courier_close(struct courier **c, int64_t deadline);

struct courier_stats {
	size_t destinations, quick, slow; /* known; tries under way */
	size_t idle;                      /* lines */
};
struct courier_stats courier_stats(const struct courier *c);

#endif
