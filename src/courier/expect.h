/* SPDX-License-Identifier: ISC */
#ifndef COURIER_EXPECT_H
#define COURIER_EXPECT_H
/*
 * expect.h - what a domain promises to those who send it mail, looked up without connecting to its
 * servers: for the hint before sending (queue/expect.h).
 *
 * For: the courier process, which runs one courier_expect beside its tries. Below: line.h.
 */
#include "courier/line.h"
#include "queue/expect.h"

/* (suspends) By the same way as mail would take: smart host, MX, DANE, MTA-STS. Authenticated is
 * what every host that mail would go to proves, of the first few. What cannot be told in time is
 * no proof that counts for some minutes only. Never later than the deadline by more than a moment.
 */
struct expect line_expect(struct line_net *net, struct str domain, int64_t deadline);

struct courier_expect { /* borrowed */
	struct store *store;
	struct line_net *net;
};
/* A fiber: answers what is wanted, a few at a time, until it is canceled. arg: the struct. */
void courier_expect(void *arg);

#endif
