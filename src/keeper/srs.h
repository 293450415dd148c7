/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_SRS_H
#define KEEPER_SRS_H
/*
 * srs.h - the sender of a mail that is forwarded, as a local part of ours: so that SPF holds at the
 * next server, and a bounce finds its way back. docs/adr/0027-srs.md
 *
 *   SRS0=<mac>=<day>=<domain>=<local>    8 letters of HMAC-SHA-256, 2 of the day
 *   SRS0=<mac>=<day>==<id>               what does not fit: the sender is kept under id
 *
 * Upper and lower case do not matter, since servers change it. Never suspends.
 */
#include "base/base.h"
#include "mail/address.h"

enum {
	SRS_KEY = 32,       /* octets */
	SRS_LOCAL_MAX = 64, /* octets of a local part that every server takes: RFC 5321 4.5.3.1.1 */
	SRS_DAYS = 21,      /* it leads back so long */
	SRS_ID = 16,        /* letters */
};

bool srs_is(struct str local);
/* day: since 1970. E_LIMIT: it does not fit, or cannot stand there: srs_kept. */
MUST enum err srs_encode(struct arena *a, const uint8_t key[SRS_KEY], int64_t day,
			 struct path sender, struct str *local);
/* The id of a sender, the same all day. */
struct str srs_id(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct path sender);
struct str srs_kept(struct arena *a, const uint8_t key[SRS_KEY], int64_t day, struct str id);

struct srs {
	struct path sender; /* or empty, and: */
	struct str id;
	int64_t day; /* it was made */
};
/* E_NOTFOUND: it is none, was forged, or is too old. */
MUST enum err srs_parse(struct arena *a, const uint8_t key[SRS_KEY], int64_t today,
			struct str local, struct srs *out);

#endif
