/* SPDX-License-Identifier: ISC */
#ifndef GUARD_ORDER_H
#define GUARD_ORDER_H
/*
 * order.h - the attempts of one address in the order in which they came.
 *
 * Some are found right at once (verified minutes ago, an app password), some on another core, and
 * a wrong one is counted when the store has it. So who guesses many at a time would learn of a
 * right one before the fifth wrong one closes the address. Therefore a right one waits until
 * all that came from its address before it are decided, and counted if they were wrong; and then it
 * is looked whether the address is closed. A wrong one need not wait: its own count comes first.
 *
 * Bounded by the calls that are served at once: a place lies on the stack of its fiber.
 */
#include "guard/net.h"

struct order;
struct order *order_new(void);
void order_free(struct order **o); /* when it is empty */

struct order_place {    /* zero: in no order */
	struct net who; /* private, as the rest */
	struct order_place *before, *behind;
	bool joined;
};
void order_join(struct order *o, const struct net *who, struct order_place *p);
/* (suspends) Until nobody of the same address is before p. E_CANCELED. */
MUST enum err order_wait(struct order *o, const struct order_place *p);
void order_leave(struct order *o, struct order_place *p); /* nothing where it has left */

#endif
