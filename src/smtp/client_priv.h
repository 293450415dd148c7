/* SPDX-License-Identifier: ISC */
#ifndef SMTP_CLIENT_PRIV_H
#define SMTP_CLIENT_PRIV_H
/*
 * client_priv.h - the inside of a connection to another server. Private to the room.
 *
 * Once `dead`, nothing more is said or read: what the server would make of it is not known.
 */
#include "smtp/client.h"

struct smtp_client {
	struct client_conf conf;
	struct io *io;
	struct arena *session; /* texts of what was said before the first message */
	struct arena *scratch; /* one line, either way */
	struct offer offer;
	struct answer said[CLIENT_STAGES];
	unsigned messages;
	int64_t until; /* of greeting and login, then of the message under way */
	bool greeted, dead;
	bool dirty; /* a transaction may be open: RSET first */
};

/* The deadline of what comes next: ms from now, or the end of it all. */
void client_deadline(struct smtp_client *c, int64_t ms);
/* False, and the connection is dead: it has ended, or nobody asked for the octets that are here
 * already. o->stage is where. */
bool client_quiet(struct smtp_client *c, struct outcome *o);
/* (suspends) Sends what is owed and reads one reply; o gets it with a verdict, 2xx and 3xx as
 * DELIVERED. False: none came, o says why, and the connection is dead. It is dead after a 421 too.
 * offer: NULL, or what takes the lines of EHLO's. */
bool client_reply(struct smtp_client *c, enum client_stage at, struct arena *a, struct offer *offer,
		  struct outcome *o);
/* (suspends) The same; true only for a reply of this class (its first digit). 2 for 3 or 3 for 2:
 * WHY_BROKEN. */
bool client_expect(struct smtp_client *c, enum client_stage at, struct arena *a, unsigned kind,
		   struct outcome *o);
/* (suspends) False: the server has said something before we were at the end, or has gone. That can
 * only be a no, and behind it goes nothing any more. */
bool client_unanswered(struct smtp_client *c, enum client_stage at, struct arena *a,
		       struct outcome *o);
/* What to make of an error of io. The connection is dead. */
void client_lost(struct smtp_client *c, enum client_stage at, enum err e, struct outcome *o);

/* client_body.c (suspends): the message behind 354 or as one BDAT, to its final reply. */
void client_body(struct smtp_client *c, const struct client_mail *m, bool bdat, struct arena *a,
		 struct outcome *o);

#endif
