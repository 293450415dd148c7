/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_INVITE_H
#define KEEPER_INVITE_H
/*
 * invite.h - the token of an invitation: 32 characters of an alphabet of 32, 160 random bits. It
 * goes into a link and is kept nowhere; what is kept is its BLAKE2b, by which it is found. Pure.
 */
#include "base/base.h"

enum { INVITE_TEXT = 32, INVITE_DIGEST = 32 };
enum { INVITE_FOR_S = 7 * 24 * 3600, INVITE_FOR_MAX_S = 366 * 24 * 3600 };

void invite_make(char text[INVITE_TEXT + 1], uint8_t digest[INVITE_DIGEST]);
bool invite_read(struct str text, uint8_t digest[INVITE_DIGEST]); /* false: no token */

#endif
