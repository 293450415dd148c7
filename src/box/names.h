/* SPDX-License-Identifier: ISC */
#ifndef BOX_NAMES_H
#define BOX_NAMES_H
/*
 * names.h - the tree of mailbox names inside one run of a read or an update. Private to the box
 * room. Never suspends; all in tx_arena.
 */
#include "box/change.h"

/* A mailbox that is not being removed. */
struct named {
	struct str name;
	uint32_t id;
	struct str value; /* its record */
};
/* All of them, by name in octet order. */
MUST enum err names_load(struct account *ac, struct named **out, size_t *n);
const struct named *names_find(const struct named *v, size_t n, struct str name);
/* Below it, or the same. */
bool names_within(struct str name, struct str top);
/* The next shorter name above; false at the top. */
bool names_parent(struct str name, struct str *out);

/* A name that is clean and ok. E_LIMIT: too many. */
MUST enum err names_subscribe(struct account *ac, struct str name, bool on);
bool names_subscribed(struct account *ac, struct str name);

#endif
