/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_REFUSALS_H
#define KEEPER_REFUSALS_H
/*
 * refusals.h - who was refused because he came without encryption, in one account's list, and the
 * mail to its owner. Pure; keeper/refused.h keeps the lists.
 *
 * Refusals of the same sender, recipient and server share a row. An account has REFUSALS_MAX of
 * them, the first that come; of the others there is a count. Texts are what strangers said of
 * themselves: they are cut to REFUSAL_TEXT_MAX, and nothing of them but letters, digits and the
 * signs of addresses is kept, so that the mail says nothing in our name that they made up.
 *
 * Times are UTC seconds. A record begins with its version (1).
 */
#include "base/buf.h"
#include "mail/notice.h"

enum { REFUSALS_MAX = 50, REFUSAL_TEXT_MAX = 100, REFUSALS_OCTETS = 64 * 1024 };

struct refusal_row {
	struct str sender, to; /* addresses; sender "": the null path */
	struct str host, ip;   /* the server: as it called itself, and its address */
	int64_t first, last;
	uint32_t count;
};
struct refusals {
	int64_t since;   /* of the first one */
	uint32_t others; /* those without a row */
	size_t n;
	struct refusal_row row[REFUSALS_MAX]; /* in the order of their coming */
};

/* What may be kept of a stranger's text. */
struct str refusal_text(struct arena *a, struct str text);
bool refusal_same(const struct refusal_row *a, const struct refusal_row *b); /* but for the rest */
/* r is a sum of one or more; its texts are borrowed as long as l. */
void refusals_add(struct refusals *l, const struct refusal_row *r);

struct str refusals_record(struct arena *a, const struct refusals *l);
/* E_VERSION, E_CORRUPT. Texts point into the value. */
MUST enum err refusals_read(struct str value, struct refusals *out);

/* The mail to its owner, in German and English; from the postmaster of his domain. */
struct notice refusals_notice(struct arena *a, struct str address, const struct refusals *l);

#endif
