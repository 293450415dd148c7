/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_TOLD_H
#define KEEPER_TOLD_H
/*
 * told.h - who was told what: a program that opens five connections, and again after each pause,
 * shall not show five windows each time. In memory only, and small: whose place is taken by
 * another is told once more. Never suspends.
 */
#include "base/base.h"

enum { TOLD_SLOTS = 4096, TOLD_EVERY_S = 3600 };

struct told {
	struct {
		uint64_t what;
		int64_t when;
	} slot[TOLD_SLOTS];
};
/* Is the account to be told this in this protocol now? Not if it was, within TOLD_EVERY_S. */
bool told_due(struct told *t, uint32_t account, const char *proto, struct str notice, int64_t now);

#endif
