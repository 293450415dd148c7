/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_GUARANTEE_H
#define KEEPER_GUARANTEE_H
/*
 * guarantee.h - over which lines the mail of an account may travel. Both are switches of the
 * account's owner and of the operator; what the configuration wants of all accounts holds too, and
 * the stricter one counts.
 *
 * The sending guarantee goes along with each mail into the queue, where its numbers are those of
 * enum queue_guard. The receiving guarantee is about the last step of the way, the one to us:
 * nobody can know what line a mail was on before.
 *
 * (quick) all.
 */
#include "base/base.h"

/* The least that a way out must offer: nothing, a cipher, a name that was proved (DANE, MTA-STS).
 */
enum guarantee {
	GUARANTEE_NONE,
	GUARANTEE_ENCRYPTED,
	GUARANTEE_AUTHENTICATED,
	GUARANTEES,
};

struct guarantees {
	enum guarantee sending;
	bool receiving; /* port 25 takes its mail over an encrypted line only */
};

/* The stricter one of each. */
struct guarantees guarantees_both(struct guarantees a, struct guarantees b);

const char *guarantee_word(enum guarantee sending);   /* "none", "encrypted", "authenticated" */
const char *guarantee_receiving_word(bool receiving); /* "any", "encrypted" */
/* False: no such word. */
bool guarantee_of(struct str word, enum guarantee *out);
bool guarantee_receiving_of(struct str word, bool *out);

#endif
