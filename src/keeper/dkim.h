/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_DKIM_H
#define KEEPER_DKIM_H
/*
 * dkim.h - the keys with which a domain's mail is signed (RFC 6376, RFC 8463); partition "secret",
 * d/<domain>. Private keys never leave the keeper: who signs sends a digest.
 *
 * A pair (RSA and Ed25519) is next, then active, then retired, then gone:
 *   add     the first pair is active at once; another is next: published, not used yet
 *   rotate  next becomes active; what was active is retired: its private keys are destroyed, its
 *           public ones stay published for the mail that is under way
 *   retire  what is retired is gone
 *
 * For:      keeper only. Domains come in the form of keeper/address.h.
 * Suspends: every call, unless marked (quick).
 * Errors:   any call may return what store_update does. Each names its others.
 */
#include "base/base.h"
#include "store/store.h"

enum { DKIM_KEYS_MAX = 8 };
enum dkim_kind { KIND_RSA = 1, KIND_ED25519 };
enum dkim_state { DKIM_NEXT = 1, DKIM_ACTIVE, DKIM_RETIRED };

struct dkim_pair_key {
	struct str selector;
	uint8_t kind, state;
	int64_t created, changed; /* UTC seconds; changed: the state */
	struct str secret;        /* DER; "": retired */
	struct str open;          /* the public key: DER (RSA), 32 octets (Ed25519) */
};
struct dkim_keys {
	struct dkim_pair_key key[DKIM_KEYS_MAX];
	size_t n;
};

/* (quick) The record. E_VERSION, E_CORRUPT. */
struct str dkim_record(struct arena *a, const struct dkim_keys *k);
MUST enum err dkim_read(struct str value, struct arena *a, struct dkim_keys *out);

MUST enum err dkim_keys(struct store *st, struct str domain, struct arena *a,
			struct dkim_keys *out); /* none: OK */
/* E_EXISTS: there is a next pair already; E_LIMIT: too many are there. */
MUST enum err dkim_add(struct store *st, struct str domain, struct arena *a);
/* Unless forced, young ones are refused with E_DENIED: caches may not know a next pair that is
 * younger than DKIM_KNOWN_S, and mail signed by one that was active until DKIM_UNDER_WAY_S ago may
 * be under way. E_NOTFOUND: there is none. */
enum { DKIM_KNOWN_S = 2 * 3600, DKIM_UNDER_WAY_S = 7 * 86400 };
MUST enum err dkim_rotate(struct store *st, struct str domain, bool force);
MUST enum err dkim_retire(struct store *st, struct str domain, bool force);
MUST enum err dkim_forget(struct store *st, struct str domain); /* with the domain */

/* The signature of a digest of 32 octets. E_IO: the key cannot be used. */
MUST enum err dkim_sign(const struct dkim_pair_key *k, struct str digest, struct arena *a,
			struct str *out);

#endif
