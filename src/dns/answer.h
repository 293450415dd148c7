/* SPDX-License-Identifier: ISC */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H
/*
 * answer.h - what libunbound found, as an answer of ours. Never suspends. Private to the room.
 */
#include "dns/dns.h"

struct ub_result;

/* type is one of enum dns_type. The result is not kept. */
void dns_answer_read(struct arena *a, const struct ub_result *r, enum dns_type type,
		     struct dns_answer *out);

#endif
