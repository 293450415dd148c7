/* SPDX-License-Identifier: ISC */
#ifndef SMTP_INTAKE_H
#define SMTP_INTAKE_H
/*
 * intake.h - a message between its first octet and its delivery. What is wrong with it is
 * remembered, the rest of its octets is taken and dropped, and the end says why.
 */
#include "smtp/dots.h"
#include "smtp/head.h"
#include "smtp/session.h"
#include "smtp/sign.h"
#include "smtp/wish.h"

enum { HEADER_MAX = 1 << 20 }; /* octets of a submitted message's header */

struct intake {
	struct smtp *s;
	struct incoming *in; /* owned; NULL once refused */
	struct str id;       /* 16 hex digits: in Received and the log */
	struct dots dots;
	struct head head;
	struct wish wish;        /* of the header */
	bool header8, body8;     /* an octet above 127 came in it */
	uint32_t return_path;    /* octets of our field of that name, which comes first */
	struct buf header;       /* owned; submission: until it is whole */
	uint64_t size;           /* octets of the message as the client sent it */
	int64_t started;         /* ms */
	uint64_t read;           /* octets that came for it */
	struct reply refused;    /* code 0: not yet; the first reason stays */
	struct signing *signing; /* owned; NULL: nobody signs */
	void *digest;            /* owned; of the message, or NULL where nobody will ask */
};

/* Begins one for the transaction's recipients: our trace fields are in it already. It lives in
 * s->tx and closes with it. */
struct intake *intake_open(struct smtp *s);
void intake_take(struct intake *it, struct str octets); /* suspends; of the message, no dots */
void intake_refuse(struct intake *it, struct reply r);
/* No more octets. Code 0: ready to be delivered, else why it is not. Suspends. */
struct reply intake_finish(struct intake *it);

/* (suspends) May the user send, and as the sender of the transaction? Code 0: yes. */
struct reply envelope_permitted(struct smtp *s);

/* What a user's header lacks (Date, Message-ID, From: RFC 6409 8) is put into add, with an empty
 * line behind where there is no header at all. Refused unless who it says it is from is the
 * user: RFC 6409 6.1. author: the first address of From as it is then, in s->tx. Suspends. */
struct reply submit_header(struct smtp *s, struct str header, struct str id, struct buf *add,
			   struct path *author);

/* What became of a recipient's deliveries, deliver.c: the error that says most. */
enum err rcpt_result(struct smtp *s, const struct rcpt *r);
/* The message is over: delivers it, logs it, ends the transaction. Suspends. */
struct reply message_end(struct smtp *s, struct intake *it);

#endif
