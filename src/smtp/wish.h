/* SPDX-License-Identifier: ISC */
#ifndef SMTP_WISH_H
#define SMTP_WISH_H
/*
 * wish.h - what a message's header says of the lines it may travel over: "TLS-Required: No"
 * (RFC 8689 3), and our own "X-Tecsmail-Send: encrypted" or "authenticated", which is for us alone
 * and goes no further. docs/outbound.md. Never suspends.
 */
#include "base/base.h"
#include "base/buf.h"
#include "keeper/guarantee.h"

struct wish {
	bool tls_optional;
	enum guarantee least; /* the strictest that stands there */
	bool unknown; /* our field says what is no word of ours: nobody knows what is meant */
};
/* header: with or without its empty line; one that does not begin with a field is none. */
struct wish wish_look(struct str header);
/* Puts it without our own fields. */
void wish_put(struct buf *out, struct str header);

#endif
