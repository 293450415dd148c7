/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_FORWARD_H
#define KEEPER_FORWARD_H
/*
 * forward.h - senders of forwarded mail: rewritten, and found again for a bounce. Keys: "r" of
 * "secret" is the one of srs.h, made when it is first needed; partition "srs" has those senders
 * that do not fit into a local part, <day>/<id> -> version, text; "n" is how many they are. Anybody
 * can write one by a RCPT for an alias, so they are bounded: beyond FORWARD_KEPT the first go,
 * which leads some bounces nowhere and holds up no mail. docs/adr/0027-srs.md
 *
 * Suspends: all. Errors: those of the store, and as each says.
 */
#include "keeper/directory.h"

enum { FORWARD_KEPT = 200000 };

/* As keeper_rewrite. */
MUST enum err forward_rewrite(struct store *st, struct path sender, struct str domain,
			      struct arena *a, struct str *out);
/* `to` is an address that srs_is of: whose mail was forwarded, as a route back to him. E_NOTFOUND:
 * forged, too old, or forgotten; E_DENIED: not in a domain of ours. */
MUST enum err forward_back(struct store *st, struct path to, struct arena *a, struct route *out);

#endif
