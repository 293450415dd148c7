/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_CLIENT_PRIV_H
#define KEEPER_CLIENT_PRIV_H
/* client_priv.h - what the files of the side that asks share. */
#include "base/buf.h"
#include "keeper/dkim.h"
#include "keeper/own.h"
#include "keeper/wire.h"

enum { FIELDS_MAX = 16384 };

/* Sends the fields, which are freed; a full buffer was bounded first and is the peer's text. */
MUST enum err keeper_ask(struct keeper *k, uint32_t type, struct buf *fields, int64_t wait_ms,
			 struct arena *a, struct scan *in);
/* With the connection that the running fiber serves: the keeper's line about it says so. */
void keeper_put_path(struct buf *b, struct path p);
void keeper_put_try(struct buf *b, const struct login_try *t);
/* OK if all was well and all was used. */
MUST enum err keeper_eaten(const struct scan *in);
/* The answer of CALL_CHANGE and CALL_JUDGE. */
MUST enum err keeper_take_change(struct scan *in, struct change *out);
/* The rest of an answer: logins. False: not understood. */
bool keeper_take_logins(struct scan *in, struct arena *a, struct recent_login **out, size_t *n);

/* blob word, de, en. */
struct said;
void keeper_take_said(struct scan *in, struct said *out);

#endif
