/* SPDX-License-Identifier: ISC */
#ifndef GUARD_NET_H
#define GUARD_NET_H
/*
 * net.h - addresses and networks in one form: 128 bits, IPv4 as ::ffff:a.b.c.d (RFC 4291
 * 2.5.5.2), and how many bits of them count. Never suspends.
 */
#include "base/base.h"

enum { NET_V4_BITS = 96, NETS_MAX = 1024 };

struct net {
	uint8_t octets[16]; /* 0 behind the bits that count */
	uint8_t bits;       /* 0..128; of an IPv4 network 96 more than people write */
};
struct nets {
	const struct net *item;
	size_t n;
};

/* One address, numeric; false: none, as of a unix socket. */
bool net_address(struct str text, struct net *out);
/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". */
bool net_parse(struct str text, struct net *out);
struct net net_cut(struct net n, uint8_t bits);
bool net_is_v4(const struct net *n);
bool net_same(const struct net *a, const struct net *b);
bool net_has(const struct net *n, const struct net *inner); /* inner lies in n, or is n */
struct str net_text(struct arena *a, const struct net *n);  /* as net_parse takes it */
/* Does an item of the list contain n; or, the other way round, lie in it? */
bool nets_have(struct nets list, const struct net *n);
bool nets_touch(struct nets list, const struct net *n);
/* The addresses that the interfaces of this machine have just now. (a few system calls) */
size_t net_machine(struct net *out, size_t max);

#endif
