/* SPDX-License-Identifier: ISC */
#ifndef CTL_ROLL_H
#define CTL_ROLL_H
/*
 * roll.h - the keys of TLS and what the DNS promises of them (TLSA, RFC 7671 8): which there are,
 * which are published, and putting another into its place.
 *
 * Files beside tls.key (KEY):
 *   KEY.next        the private key that comes next; its certificate comes with its turn
 *   KEY.next.since  since when its TLSA record has been seen: "1 HASH SECONDS TTL"
 *   KEY.next.csr    a request for its certificate, where no authority is asked by ACME
 *   KEY.old         the public key that was used before
 *   KEY.new, CERTIFICATE.new  on their way into their places, see roll_put
 * A hash is that of a public key, as TLSA 3 1 1 has it: SHA-256 in hex; "": there is none.
 *
 * Memory: results live in the command's arena.
 */
#include "ctl/acme.h"
#include "ctl/ctl_priv.h"

enum {
	ROLL_WAITS = 2, /* TTLs from seeing a record to relying on it: servers of a zone differ */
	ROLL_HASHES_MAX = 4,
};

struct roll_keys {
	struct str cert_pem, key_pem, next_pem;
	struct cert cert;
	struct str now, key, next, old; /* hashes: of certificate, KEY, KEY.next, KEY.old */
	int64_t next_made, old_since;
	bool leftover; /* KEY.next took its place already: a crash came before it went */
};
/* KEY, where it cannot be read, is as if it were not there: that is no reason to say nothing.
 * E_SYNTAX, and those of file_read: why is a sentence. */
MUST enum err roll_read(struct ctl *c, struct roll_keys *out, struct str *why);
/* Those that are to be published: now, next (it, and KEY after a crash), old; each once. */
size_t roll_promised(const struct roll_keys *k, struct str out[ROLL_HASHES_MAX],
		     bool is_old[ROLL_HASHES_MAX]);
struct str roll_beside(struct ctl *c, const char *suffix); /* the path of KEY with it */

/* --- making --- */
struct str roll_kind(struct arena *a, struct str key_pem); /* "EC P-256" */
/* A private key of the same kind, PEM; "": the kind is not one that can be made. */
struct str roll_key_like(struct arena *a, struct str key_pem);
struct str roll_key_hash(struct arena *a, struct str key_pem);
struct str roll_key_public(struct arena *a, struct str key_pem); /* PEM */
/* A certificate by its own hand with the subject and the names of that one, for ten years. */
struct str roll_self_signed(struct arena *a, struct str key_pem, struct str like_pem);

/* --- files --- */
/* One at a time; held until the process ends. E_IO: another is at work; E_SYNTAX: certificate and
 * key are one file, which nobody can exchange so. */
MUST enum err roll_lock(struct ctl *c, struct str *why);
/* A key that took its place before a crash gets its certificate, which waits in
 * CERTIFICATE.new. *mended: so it was. */
MUST enum err roll_mend(struct ctl *c, bool *mended, struct str *why);
/* Certificate and key take their places, each in one step. The order leaves the server one pair
 * that fits at every moment (it takes CERTIFICATE.new where the other does not fit) and every key
 * that may be served among the promised. key as key_pem: the certificate alone. */
MUST enum err roll_put(struct ctl *c, struct str key_pem, struct str key, struct str chain,
		       struct str *why);
/* KEY.next is KEY by now: what was beside it for its turn goes. */
void roll_drop_next(struct ctl *c, struct str key_pem);
/* The running server reads them. False: why. */
bool roll_reload(struct ctl *c, struct str *why);

/* --- the DNS --- */
struct roll_published {
	enum {
		PROMISE_UNKNOWN, /* the DNS did not say: why */
		PROMISE_NONE, /* there are no records, or in no signed zone: nothing is promised */
		PROMISE_MADE
	} promise;
	struct str name, why;
	uint32_t ttl;
	struct str *hash; /* of the records 3 1 1 */
	size_t n, others; /* others: records of other kinds */
};
void roll_ask(struct ctl *c, struct roll_published *out);
bool roll_is_published(const struct roll_published *p, struct str hash);
/* Since when it has been seen, as far as is known, and from when on it may be relied on; 0: not.
 * Notes what is seen now. E_IO: that could not be noted; out is right all the same. */
struct roll_seen {
	int64_t since, ready;
};
MUST enum err roll_note(struct ctl *c, const struct roll_keys *k, const struct roll_published *p,
			struct roll_seen *out, struct str *why);
/* May a key without a record of its own be used just so? "": yes; else why not. */
struct str roll_objection(struct ctl *c);
/* The hash of the key that port 25 shows just now, if it is one of k; "": not known. */
struct str roll_served(struct ctl *c, const struct roll_keys *k);

/* `tecsmail acme` for another key: acme.c. The exit status; silent where all is well. */
int acme_roll(struct ctl *c, struct str key_pem);
/* Has an account with the authority been made here? */
bool acme_used(struct ctl *c);

#endif
