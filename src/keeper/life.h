/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_LIFE_H
#define KEEPER_LIFE_H
/*
 * life.h - the life of the service: who may join, whether it takes mail, and when it ends; and
 * the sentences that users read about it and about their account.
 *
 * One record in "dir" under "s": u8 version (1), u8 mode, u32 last day, u64 changed, blob notice.
 * Without one the service is closed. It is read from the store where it counts, so that a change
 * is in effect at once, for all who share the store.
 *
 * Sentences are in German and English, UTF-8, for pages; life_line makes one line of ASCII for
 * protocols.
 */
#include "keeper/day.h"
#include "keeper/directory.h"

enum life_mode {
	LIFE_OPEN = 1,  /* who is invited may join */
	LIFE_CLOSED,    /* nobody joins; all else goes on */
	LIFE_READ_ONLY, /* nothing new: no mail in, none out; what is there can be fetched */
	LIFE_ENDED,     /* closed up to the last day, then read-only */
};
enum { LIFE_NOTICE_MAX = 300, REASON_MAX = 300 }; /* octets */

struct life {
	enum life_mode mode;
	uint32_t last_day; /* of LIFE_ENDED */
	int64_t changed;   /* UTC seconds; 0: never */
	struct str notice; /* the operator's words for all users, one line of UTF-8, or "" */
};
/* (suspends) */
MUST enum err life_read(struct store *st, struct arena *a, struct life *out);
MUST enum err life_write(struct store *st, const struct life *l);

const char *life_word(enum life_mode m); /* "open", "closed", "read-only", "ended" */
bool life_takes_mail(const struct life *l, int64_t now);

/* "active", "locked", "expired" or "send-blocked": the first of them that counts. */
enum user_standing { STANDS_ACTIVE, STANDS_LOCKED, STANDS_EXPIRED, STANDS_SEND_BLOCKED };
enum user_standing life_user(const struct user *u, int64_t now);
const char *life_user_word(const struct user *u, int64_t now);

/* What is to be said: de and en without a full stop, and the operator's words behind both. */
struct words {
	struct str de, en, add; /* each may be "" */
};
/* What users are told at a login. */
struct words life_notice(const struct life *l, int64_t now, struct arena *a);
/* Why nobody joins just now. */
struct words life_no_joining(const struct life *l, struct arena *a);
/* Why the account may not come in, or not send; nothing where it may. */
struct words life_refused(const struct user *u, int64_t now, struct arena *a);
struct words life_no_sending(const struct user *u, int64_t now, struct arena *a);
struct str life_line(struct arena *a, struct words w); /* "de / en: add"; "": nothing to say */
struct words life_sentences(struct arena *a, struct words w); /* whole; add is in both */

/* One line of UTF-8 without controls, of at most max octets? */
bool life_text_ok(struct str text, size_t max);

#endif
