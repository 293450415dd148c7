/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_ADMIN_PRIV_H
#define KEEPER_ADMIN_PRIV_H
/* admin_priv.h - what admin.c and admin_guard.c share. */
#include "keeper/admin.h"
#include "keeper/wire.h"

enum { ADMIN_PAGE = 4 * IPC_MAX }; /* an arena that holds one answer of a list */

/* Sends and frees the fields; in: what follows the result and its sentence. */
MUST enum err admin_ask(struct peer *p, uint32_t type, struct buf *fields, struct arena *a,
			struct scan *in, struct str *why);
/* The row of op_put_user. */
void admin_read_user(struct scan *in, struct arena *a, struct admin_row *r);
enum err admin_misunderstood(struct str *why); /* gives E_VERSION */

#endif
