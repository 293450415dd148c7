/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H
/*
 * queue.h - mail on its way to other servers: what is kept of it, and who may work on it.
 *
 * A message lies in the queue once; its recipients lie in parts, each of one destination and of at
 * most QUEUE_PART_MAX recipients. A courier takes a part by a lease. Why it is so, and the keys:
 * docs/adr/0025-queue.md.
 *
 * For:      smtp (puts), courier (works), ctl (looks and orders).
 * Below:    store/store.h.
 * Suspends: every call may suspend the calling fiber, unless marked (quick).
 * Durable:  as store_update says.
 * Memory:   results live in the arena passed in, which nobody else uses during the call.
 * Errors:   those of store.h, E_VERSION; each call names its others. What cannot be read, damaged
 *           or of a later version, holds up nothing else: queue_lease, queue_give_back and
 *           queue_list leave it out, and it is in the log.
 */
#include "queue/record.h"
#include "store/store.h"

enum {
	QUEUE_SHARDS = 64,     /* partitions, so that many couriers and machines can write */
	QUEUE_PARTS_MAX = 400, /* of one message: an update stays under 1,000 writes */
	QUEUE_LEASE_MAX = 100, /* parts taken by one call */
	QUEUE_PAGE_MAX = 1000, /* rows of one listing */
};

/* --- the name of a partition, for store_watch: it changes with every change to the queue --- */

struct str queue_partition(struct arena *a, unsigned shard); /* (quick) */
static inline unsigned queue_shard(uint64_t id)
{
	return (unsigned)(id % QUEUE_SHARDS);
}

/* --- putting a message in --- */

struct queue_put {
	struct queue_message m; /* all but id and parts */
	const struct queue_recipient *rcpt;
	size_t n;
	struct queue_putting *own; /* made by queue_prepare */
};
/*
 * (quick) Makes *out, the update that puts the message in, to be handed to store_update_all or
 * box_deliver_also together with those of local mailboxes: one commit. Of rcpt only address, orcpt
 * and notify count. If out->result is OK then, p->m.id is the message's id, and the queue holds a
 * reference to the blob of its own. All of p must live until then.
 * E_LIMIT: something is too long or there are too many destinations; E_SYNTAX: an address
 * without a domain that could be one, or no recipient at all.
 */
MUST enum err queue_prepare(struct arena *a, struct queue_put *p, struct update *out);
/* The same at once, with nothing beside it. */
MUST enum err queue_add(struct store *st, struct arena *a, struct queue_put *p);

/* --- working on it --- */

struct queue_destination {
	struct str name; /* a domain, or "[host]" where an operator or a smart host says the way */
	int64_t due;     /* when the first of its parts of this shard wants something; or later */
};
/* All destinations of a shard, at most max, in no order that means anything. E_LIMIT: there
 * are more, and *out has the first max. */
MUST enum err queue_destinations(struct store *st, unsigned shard, size_t max, struct arena *a,
				 struct queue_destination **out, size_t *n);

/* A part in a courier's hands. Texts are the arena's. */
struct queue_job {
	struct queue_message m;
	struct queue_part p; /* p.lease names this lease */
};
/*
 * Takes at most max parts of this destination that are due, until now + lease_s. One that another
 * has taken is not among them before its lease ends. A recipient is to be tried if it waits and
 * its next time has come; one that is over and not told is left from a courier that died: its
 * report is due (queue/schedule.h). *n may be 0.
 */
struct queue_lease {
	unsigned shard;
	struct str destination, holder; /* holder: whoever reads it wants to know */
	int64_t now;
	unsigned lease_s;
	size_t max;
};
MUST enum err queue_lease(struct store *st, const struct queue_lease *l, struct arena *a,
			  struct queue_job *out, size_t *n);
/* More time. E_NOTFOUND: the part is gone; E_DENIED: the lease is another's by now. */
MUST enum err queue_renew(struct store *st, struct queue_job *j, int64_t until);
/*
 * Writes what became of the recipients, as j->p.rcpt stands now (state, tries, next, last, told,
 * delay_told). done: the lease is given back, and the part, where no recipient waits or is held
 * and all are told, goes; with the last part the message and its reference. Else both stay, for a
 * report to be written first. E_NOTFOUND and E_DENIED as above: what was to be written is lost,
 * because an operator removed the part, or it is another courier's.
 */
MUST enum err queue_result(struct store *st, struct queue_job *j, bool done);
/* (quick) The same as an update, for store_update_all: results of several parts, and receipts, go
 * in one commit. j as it stands then; it must live until then. */
void queue_result_prepare(struct arena *a, struct queue_job *j, bool done, struct update *out);
/* The octets of a message from an offset on, as they are sent: at most max, fewer only at its end.
 */
MUST enum err queue_read(struct store *st, const struct queue_message *m, uint64_t off, size_t max,
			 struct arena *a, struct str *out);
/* Gives back what this holder has leased in a shard: for one whose earlier life is over, so that
 * nobody has to wait for its leases to end. *n: parts. */
MUST enum err queue_give_back(struct store *st, unsigned shard, struct str holder, size_t *n);

/* --- the operator's view --- */

struct queue_filter {
	struct str destination; /* empty: any; else exactly this */
	struct str sender;      /* likewise; "<>" is the null sender */
	struct str text;        /* in an address of a recipient; ASCII case ignored */
	bool only_held;
	uint32_t account; /* 0: any */
};
/* (quick) a is for a while. */
bool queue_fits(struct arena *a, const struct queue_filter *f, const struct queue_job *j);
struct queue_place { /* zeroed: from the first on */
	uint64_t id;
	uint32_t part;
};
/* The next rows after *from, oldest first, at most max; *from moves on. *n < max: no more. */
MUST enum err queue_list(struct store *st, const struct queue_filter *f, struct queue_place *from,
			 size_t max, struct arena *a, struct queue_job *out, size_t *n);
/* All parts of a message. E_NOTFOUND. */
MUST enum err queue_show(struct store *st, uint64_t id, struct arena *a, struct queue_job **out,
			 size_t *n);

/*
 * Orders, to one part or, with QUEUE_ALL, to all of a message: what waits is tried now; is held;
 * what is held is tried now; the part goes without a report; it goes by another host, as queue_via
 * takes it ("" is the way of its domain again), now. *n: parts changed. E_NOTFOUND: no such part;
 * E_DENIED: a courier has one of them just now, and nothing was changed; E_SYNTAX, E_LIMIT: the
 * host.
 */
/* A host as an operator writes it, as struct queue_part has it in via: "mx.example.org",
 * "[192.0.2.1]", "[IPv6:2001:db8::1]", with or without ":port". E_SYNTAX. */
MUST enum err queue_via(struct arena *a, struct str text, struct str *out);
enum queue_order { QUEUE_RETRY, QUEUE_HOLD, QUEUE_RELEASE, QUEUE_DELETE, QUEUE_MOVE };
enum { QUEUE_ALL = UINT32_MAX };
MUST enum err queue_order(struct store *st, enum queue_order what, struct queue_place which,
			  struct str host, int64_t now, size_t *n);

#endif
