/* SPDX-License-Identifier: ISC */
/* guard/order.c - a list of those who are not decided yet, the latest at its end. */
#include "guard/order.h"

#include "base/clock.h"
#include "fiber/fiber.h"

struct order {
	struct order_place *last;
	struct signal left; /* somebody has */
};

struct order *order_new(void)
{
	return NEW(struct order);
}

void order_free(struct order **o)
{
	BUG_IF(*o && (*o)->last);
	free(*o);
	*o = NULL;
}

void order_join(struct order *o, const struct net *who, struct order_place *p)
{
	*p = (struct order_place){ .who = *who, .before = o->last, .joined = true };
	if (o->last)
		o->last->behind = p;
	o->last = p;
}

static bool is_first(const struct order_place *p)
{
	const struct order_place *other = p->before;

	while (other && !net_same(&other->who, &p->who))
		other = other->before;
	return !other;
}

enum err order_wait(struct order *o, const struct order_place *p)
{
	enum err e = OK;

	while (!e && !is_first(p))
		e = signal_wait(&o->left, o->left.count, NEVER);
	return e;
}

void order_leave(struct order *o, struct order_place *p)
{
	if (!p->joined)
		return;
	if (p->before)
		p->before->behind = p->behind;
	if (p->behind)
		p->behind->before = p->before;
	else
		o->last = p->before;
	*p = (struct order_place){ 0 };
	signal_raise(&o->left);
}
