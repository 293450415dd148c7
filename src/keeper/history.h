/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_HISTORY_H
#define KEEPER_HISTORY_H
/*
 * history.h - the recent logins of one account, and the places it came from. Pure.
 *
 * A visit is one login or refused attempt and those like it (same address, protocol, way and
 * result) that came within VISIT_GAP_S of the one before: they share a line with a count and
 * two times, of no more than VISIT_SPAN_S. An account has VISITS_MAX of them. Then the oldest
 * goes of the good or of the refused, whichever are more: who guesses from many addresses does
 * not wash away who came in.
 *
 * A place is an address as the lockout counts, from which a login was good. Of PLACES_MAX the
 * one goes whose last use is the longest ago.
 *
 * Times are UTC seconds. Records begin with their version (1).
 */
#include "base/buf.h"
#include "guard/net.h"

enum { VISITS_MAX = 50, VISIT_GAP_S = 600, VISIT_SPAN_S = 86400, PLACES_MAX = 64 };
enum { VISIT_PROTO_MAX = 24, VISIT_BY_MAX = 72, VISIT_PROGRAM_MAX = 64 }; /* octets */

enum visit_result {
	VISIT_OK = 1,
	VISIT_WRONG_PASSWORD,
	VISIT_NO_PASSWORD,  /* none is set */
	VISIT_NOT_PROTOCOL, /* the app password is for others */
	VISIT_LOCKED,       /* the account is not active */
};
/* A word for programs: "ok", "wrong_password", ...; "refused" for what is not known. */
const char *visit_word(uint8_t result);

struct visit {
	int64_t first, last;
	uint32_t count;
	uint8_t result;     /* enum visit_result */
	struct net ip;      /* no bits: none, as of a unix socket */
	struct str proto;   /* "imap" */
	struct str by;      /* "password", "app:NAME"; of the refused "" */
	struct str program; /* as the client called itself, "" where it did not */
};
bool visit_same(const struct visit *a, const struct visit *b); /* but for times and count */

struct history {
	struct visit visit[VISITS_MAX]; /* the latest first */
	size_t n;
};
/* v's texts are borrowed as long as h. */
void history_add(struct history *h, const struct visit *v);
struct str history_record(struct arena *a, const struct history *h);
/* E_VERSION, E_CORRUPT. Texts point into the value. */
MUST enum err history_read(struct str value, struct history *out);

struct place {
	struct net who;
	int64_t last;
};
struct places {
	struct place place[PLACES_MAX]; /* the latest first */
	size_t n;
};
void places_add(struct places *p, const struct net *who, int64_t now);
bool places_have(const struct places *p, const struct net *who);
struct str places_record(struct arena *a, const struct places *p);
MUST enum err places_read(struct str value, struct places *out);

#endif
