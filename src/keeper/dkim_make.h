/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_DKIM_MAKE_H
#define KEEPER_DKIM_MAKE_H
/* dkim_make.h - two new keys, RSA first; their state and selectors are not set. (suspends) E_IO. */
#include "keeper/dkim.h"

MUST enum err dkim_make(struct dkim_pair_key pair[2], int64_t now, struct arena *a);

#endif
