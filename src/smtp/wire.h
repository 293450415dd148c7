/* SPDX-License-Identifier: ISC */
#ifndef SMTP_WIRE_H
#define SMTP_WIRE_H
/*
 * wire.h - the client's octets, with those given back that came behind the end of DATA in the
 * same piece: the next command may be there already (RFC 2920 3.1).
 * Suspends: all but those marked (quick). Errors as in fiber/io.h.
 */
#include "smtp/session.h"

/* A command line into a, without its line end. E_LIMIT: too long, skipped to its end. */
MUST enum err wire_line(struct smtp *s, struct arena *a, size_t max, struct str *out);
/* 1..max octets, a view that lives until the next call. */
MUST enum err wire_some(struct smtp *s, size_t max, struct str *out);
void wire_back(struct smtp *s, size_t n); /* (quick) the last n octets of that view */
void wire_drop(struct smtp *s);           /* (quick) forgets them: RFC 3207 4.2 */

#endif
