/* SPDX-License-Identifier: ISC */
/* guard/net.c - addresses and networks. */
#include "guard/net.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static struct net from_v4(const void *octets)
{
	struct net n = { .bits = 128 };

	memcpy(n.octets, mapped, sizeof mapped);
	memcpy(n.octets + sizeof mapped, octets, 4);
	return n;
}

bool net_address(struct str text, struct net *out)
{
	char c[INET6_ADDRSTRLEN] = { 0 };
	uint8_t v4[4];

	if (text.n == 0 || text.n >= sizeof c || str_has(text, 0))
		return false;
	memcpy(c, text.p, text.n);
	if (inet_pton(AF_INET, c, v4) == 1) {
		*out = from_v4(v4);
		return true;
	}
	*out = (struct net){ .bits = 128 };
	return inet_pton(AF_INET6, c, out->octets) == 1;
}

bool net_parse(struct str text, struct net *out)
{
	size_t slash = str_find(text, '/');

	if (!net_address(str_part(text, 0, slash), out))
		return false;
	if (slash == text.n)
		return true;
	bool v4 = !str_has(str_part(text, 0, slash), ':');
	struct scan in = scan(str_from(text, slash + 1));
	uint64_t bits = scan_num(&in, v4 ? 32 : 128);

	if (!scan_end(&in))
		return false;
	*out = net_cut(*out, (uint8_t)(bits + (v4 ? NET_V4_BITS : 0)));
	return true;
}

struct net net_cut(struct net n, uint8_t bits)
{
	if (bits >= n.bits)
		return n;
	n.bits = bits;
	for (unsigned i = 0; i < sizeof n.octets; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
		if (kept < 8)
			n.octets[i] &= (uint8_t)(0xff00u >> kept);
	}
	return n;
}

bool net_is_v4(const struct net *n)
{
	return n->bits >= NET_V4_BITS && memcmp(n->octets, mapped, sizeof mapped) == 0;
}

bool net_same(const struct net *a, const struct net *b)
{
	return a->bits == b->bits && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool net_has(const struct net *n, const struct net *inner)
{
	if (inner->bits < n->bits)
		return false;
	struct net cut = net_cut(*inner, n->bits);

	return net_same(&cut, n);
}

struct str net_text(struct arena *a, const struct net *n)
{
	char text[INET6_ADDRSTRLEN] = "?";
	bool v4 = net_is_v4(n);
	unsigned bits = n->bits;

	if (v4)
		inet_ntop(AF_INET, n->octets + sizeof mapped, text, sizeof text);
	else
		inet_ntop(AF_INET6, n->octets, text, sizeof text);
	if (bits == 128)
		return str_fmt(a, "%s", text);
	return str_fmt(a, "%s/%u", text, v4 ? bits - NET_V4_BITS : bits);
}

bool nets_have(struct nets list, const struct net *n)
{
	for (size_t i = 0; i < list.n; i++)
		if (net_has(&list.item[i], n))
			return true;
	return false;
}

bool nets_touch(struct nets list, const struct net *n)
{
	for (size_t i = 0; i < list.n; i++)
		if (net_has(n, &list.item[i]))
			return true;
	return nets_have(list, n);
}

size_t net_machine(struct net *out, size_t max)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all))
		return 0;
	for (struct ifaddrs *i = all; i && n < max; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			struct sockaddr_in v4;
			memcpy(&v4, i->ifa_addr, sizeof v4);
			out[n++] = from_v4(&v4.sin_addr);
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			struct sockaddr_in6 v6;
			memcpy(&v6, i->ifa_addr, sizeof v6);
			out[n].bits = 128;
			memcpy(out[n++].octets, &v6.sin6_addr, 16);
		}
	}
	freeifaddrs(all);
	return n;
}
