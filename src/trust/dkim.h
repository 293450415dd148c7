/* SPDX-License-Identifier: ISC */
#ifndef TRUST_DKIM_H
#define TRUST_DKIM_H
/*
 * dkim.h - signatures of a domain on a message: RFC 6376, with the algorithms of RFC 8301 and
 * RFC 8463. Both sides; whoever signs has the private key elsewhere and is given a digest to sign.
 *
 * Suspends: never.
 * Memory:   results live in the arena or point into the text given. A header must be bounded first;
 *           a body goes by in pieces and needs none.
 */
#include "base/base.h"

enum { DKIM_DIGEST = 32 };

enum dkim_algorithm { DKIM_RSA = 1, DKIM_ED25519 };
const char *dkim_algorithm_word(enum dkim_algorithm a); /* "rsa-sha256" */

/* --- the body while it streams by --- */

/* Owner: caller. limit: only so many octets of the canonical form count (tag l); UINT64_MAX: all.
 */
struct dkim_body;
struct dkim_body *dkim_body_new(bool relaxed, uint64_t limit);
void dkim_body_add(struct dkim_body *b, struct str octets);
/* No more octets. False: there were fewer than the limit. */
bool dkim_body_end(struct dkim_body *b, uint8_t out[DKIM_DIGEST]);
void dkim_body_free(struct dkim_body **b); /* NULL is fine */

/* --- signing --- */

struct dkim_signing {
	enum dkim_algorithm algorithm;
	struct str domain, selector; /* A-labels */
	int64_t when;                /* UTC seconds */
	struct str header;           /* lines end with CRLF; the empty line may be there */
	const uint8_t *body;         /* of dkim_body_end, relaxed */
};
/* The field without its signature, and what is to be signed: by RSA as a SHA-256 digest (PKCS #1
 * 1.5), by Ed25519 as the message (RFC 8463 3). S_NONE: there are more fields than are signed. */
struct str dkim_field(struct arena *a, const struct dkim_signing *s, uint8_t digest[DKIM_DIGEST]);
/* The whole field with the signature, folded, with CRLF at the end. */
struct str dkim_signed(struct arena *a, struct str field, struct str signature);

/* --- verifying --- */

struct dkim_signature {
	enum dkim_algorithm algorithm;
	struct str domain, selector, identity; /* d, s, i ("@d" where it is not given) */
	struct str fields;                     /* h, colons between */
	struct str signature, body;            /* decoded */
	bool relaxed_header, relaxed_body;
	uint64_t limit;        /* l; UINT64_MAX: none */
	int64_t when, expires; /* t, x; -1: not given */
};
/* From the body of a DKIM-Signature field. E_SYNTAX; E_VERSION: a version or an algorithm that is
 * not known, or may not be used any more (rsa-sha1: RFC 8301 3.1). */
MUST enum err dkim_parse(struct arena *a, struct str field, struct dkim_signature *out);

struct dkim_key {
	enum dkim_algorithm algorithm;
	struct str key; /* decoded; "": it was withdrawn */
	bool testing;   /* t=y */
	bool strict;    /* t=s: the domain of i must be d */
};
/* From a TXT record. E_SYNTAX; E_VERSION: nothing that is known, or not for mail or SHA-256. */
MUST enum err dkim_key_parse(struct arena *a, struct str text, struct dkim_key *out);
/* The same for another service than "email", such as "tlsrpt": RFC 6376 3.6.1, RFC 8460 3. Where a
 * key is for all services it is for this one; mail is good enough for it too. */
MUST enum err dkim_key_parse_for(struct arena *a, struct str text, const char *service,
				 struct dkim_key *out);
/* "v=DKIM1; k=...; p=..." of a public key: DER of SubjectPublicKeyInfo (RSA), 32 octets (Ed25519).
 */
struct str dkim_key_record(struct arena *a, enum dkim_algorithm algorithm, struct str key);

/* field: the whole DKIM-Signature field that was parsed to s, as it stands in the header. body: of
 * dkim_body_end. Time (t, x) is the caller's to judge. E_DENIED: it does not verify; E_NOTFOUND:
 * the key was withdrawn; E_SYNTAX: a key that is none, too short (RFC 8301 3.2), of another
 * algorithm. */
MUST enum err dkim_verify(const struct dkim_signature *s, const struct dkim_key *k,
			  struct str header, struct str field, const uint8_t body[DKIM_DIGEST]);

#endif
