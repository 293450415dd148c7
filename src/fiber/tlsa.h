/* SPDX-License-Identifier: ISC */
#ifndef FIBER_TLSA_H
#define FIBER_TLSA_H
/*
 * tlsa.h - what the DNS says of a server's certificate: RFC 6698 2.1. Plain data, read by the dns
 * room, judged by trust, and used by whoever speaks TLS as a client.
 */
#include "base/base.h"

struct tlsa {
	uint8_t usage, selector, matching;
	struct str data; /* a digest, or all of what the selector says */
};
enum { TLSA_MAX = 64 }; /* records of one name; those beyond do not count */

#endif
