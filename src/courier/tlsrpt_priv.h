/* SPDX-License-Identifier: ISC */
#ifndef COURIER_TLSRPT_PRIV_H
#define COURIER_TLSRPT_PRIV_H
/* tlsrpt_priv.h - what the files of tlsrpt share. */
#include "courier/https.h"
#include "courier/tlsrpt_count.h"

enum { DAY_S = 86400 };

struct tlsrpt {
	struct tlsrpt_conf conf;
	struct https *https;
	struct group *group;

	/* What is counted and not in the store yet. */
	struct arena *arena; /* owned; of the texts */
	struct noted *noted; /* owned; NOTED_MAX of them */
	uint32_t *slot;      /* owned; 1 + the place in noted, by hash */
	size_t n;
	uint64_t lost;      /* sessions that found no room */
	struct signal full; /* it is time to go to the store */
};

void tlsrpt_send_daily(void *arg);    /* a fiber, tlsrpt_send.c; arg: the tlsrpt */
void tlsrpt_take_arriving(void *arg); /* a fiber, tlsrpt_take.c; likewise */

#endif
