/* SPDX-License-Identifier: ISC */
#ifndef QUEUE_EXPECT_H
#define QUEUE_EXPECT_H
/*
 * expect.h - what mail to a domain may expect: will the server there prove who it is, will the line
 * be encrypted? For a hint before sending; what is sent is decided anew (trust/decide.h).
 *
 * Two things are known of a domain: what it promises (DANE, MTA-STS, no mail at all), which the
 * courier looks up without connecting to anybody, and how the last line to it was. Records lie in
 * a partition of their own, in a table of fixed size: what nobody has learnt for long makes room.
 * Who wants to know of a domain leaves its name there, and a courier answers:
 *
 *	expect_want(st, a, domain, n, now)              whoever asks
 *	expect_wanted(st, a, now, out, max, &n)         the courier, when the partition changes
 *	expect_write(st, &news, 1, now)                 it has looked
 *	expect_get(st, a, domain, n, now, out)               whoever asks, again
 *
 * For:      courier (learns), web (asks). Below: store/store.h.
 * Suspends: every call may suspend the calling fiber, unless marked (quick).
 * Domains:  lower-case A-labels; longer than EXPECT_DOMAIN_MAX is never known, and no error.
 */
#include "queue/record.h"
#include "store/store.h"

enum {
	EXPECT_BUCKETS = 4096,
	EXPECT_WAYS = 8,            /* domains of a bucket: 32,768 in all */
	EXPECT_DOMAIN_MAX = 253,    /* RFC 1035 2.3.4 */
	EXPECT_WANTED_MAX = 200,    /* at once: what is beyond is not looked up */
	EXPECT_WANTED_S = 60,       /* then nobody waits for it any more */
	EXPECT_SEEN_S = 90 * 86400, /* so long the last line counts */
};
#define EXPECT_PARTITION "expect"

enum expect_proof {
	EXPECT_NO_PROOF,
	EXPECT_DANE,
	EXPECT_MTA_STS, /* a policy that is enforced */
	EXPECT_BY_NAME, /* all its mail goes to a smart host of ours, which proves its name */
	EXPECT_NO_MAIL, /* no such domain, or it takes none: RFC 7505 */
	EXPECT_PROOFS
};
enum expect_line { EXPECT_NEVER_SEEN, EXPECT_SEEN_PLAIN, EXPECT_SEEN_TLS, EXPECT_LINES };

struct expect {
	struct str domain;
	int64_t looked; /* when the proof was looked up; 0: never */
	int64_t until;  /* so long it counts */
	enum expect_proof proof;
	int64_t seen; /* when the line was; 0: never */
	enum expect_line line;
	struct str tls; /* its version */
	bool wanted;    /* of expect_get alone: somebody waits for a look at it */
};

/* (quick) What to tell people of it. */
enum expect_level {
	EXPECT_UNKNOWN,
	EXPECT_PLAIN,
	EXPECT_ENCRYPTED,
	EXPECT_AUTHENTICATED,
	EXPECT_RELAYED, /* proven as far as the smart host; beyond it nothing is known */
	EXPECT_NOWHERE,
	EXPECT_LEVELS
};
enum expect_level expect_level(const struct expect *e, int64_t now);
/* "authenticated": for JSON; lives for ever. */
const char *expect_level_word(enum expect_level l);
const char *expect_proof_word(enum expect_proof p);
/* (quick) Is it worth while to look the proof up (again)? */
bool expect_stale(const struct expect *e, int64_t now);

/* (quick) What a line, or the failure to have one, tells of its domain: facts as of a receipt.
 * False: nothing. Texts are those of facts. */
bool expect_of(struct str domain, const struct queue_reply *facts, int64_t now, struct expect *out);

/*
 * (quick) Makes *out, the update that adds what is new, to be handed to store_update_all: of each
 * of news the proof if `looked` is set, the line if `seen` is, and it is wanted no more. What it
 * knows already it does not write again within the hour. news must live until then.
 */
void expect_prepare(struct arena *a, const struct expect *news, size_t n, int64_t now,
		    struct update *out);
/* The same at once. */
MUST enum err expect_write(struct store *st, const struct expect *news, size_t n, int64_t now);

/* out[i]: of domain[i]; all but the domain is zero where nothing is known. */
MUST enum err expect_get(struct store *st, struct arena *a, const struct str *domain, size_t n,
			 int64_t now, struct expect *out);
/* Some courier shall look these up. What is beyond EXPECT_WANTED_MAX is left out. */
MUST enum err expect_want(struct store *st, struct arena *a, const struct str *domain, size_t n,
			  int64_t now);
/* What is wanted, at most max, the first first. */
MUST enum err expect_wanted(struct store *st, struct arena *a, int64_t now, struct str *out,
			    size_t max, size_t *n);

#endif
