/* SPDX-License-Identifier: ISC */
/* proc/bans_text.c - who may be banned, and the commands of nft(8) for it. */
#include "proc/bans_text.h"

#include <arpa/inet.h>

#define TABLE "inet tecsmail"

enum { LEAST_V4 = NET_V4_BITS + 8, LEAST_V6 = 16 };

/* Who must be heard, whatever else is decided: the machine itself and its neighbours' routers. */
static const char *const never[] = {
	"127.0.0.1", "0.0.0.0/8", "224.0.0.0/4", "255.255.255.255",
	"::/96",     "fe80::/10", "ff00::/8",
};

enum err ban_who(struct str address, unsigned prefix, struct net *out)
{
	bool v4 = !str_has(address, ':');

	if (str_has(address, '\0') || !net_address(address, out) || prefix > (v4 ? 32 : 128))
		return E_SYNTAX;
	unsigned bits = prefix + (v4 ? NET_V4_BITS : 0);
	if (bits < (unsigned)(net_is_v4(out) ? LEAST_V4 : LEAST_V6))
		return E_SYNTAX;
	*out = net_cut(*out, (uint8_t)bits);
	for (size_t i = 0; i < LENGTH(never); i++) {
		struct net must;
		BUG_IF(!net_parse(str_of(never[i]), &must));
		if (net_has(&must, out) || net_has(out, &must))
			return E_SYNTAX;
	}
	return OK;
}

unsigned ban_prefix(const struct net *who)
{
	return who->bits - (net_is_v4(who) ? NET_V4_BITS : 0u);
}

/* The octets alone: all of it that comes from outside, and nothing but what inet_ntop writes. */
static void put_address(struct buf *out, const struct net *who, const uint8_t octets[16])
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = net_is_v4(who);

	BUG_IF(!inet_ntop(v4 ? AF_INET : AF_INET6, octets + (v4 ? 12 : 0), text, sizeof text));
	buf_put(out, str_of(text));
}

static void put_set(struct buf *out, const struct net *like)
{
	buf_fmt(out, "%s_%u", net_is_v4(like) ? "v4" : "v6", ban_prefix(like));
}

static void put_element(struct buf *out, const char *verb, const struct net *who, int64_t seconds)
{
	buf_fmt(out, "%s element " TABLE " ", verb);
	put_set(out, who);
	buf_put(out, S(" { "));
	put_address(out, who, who->octets);
	if (seconds)
		buf_fmt(out, " timeout %llds", (long long)seconds);
	buf_put(out, S(" }\n"));
}

void ban_text_end(struct buf *out)
{
	/* "delete" of what is not there would fail. */
	buf_put(out, S("add table " TABLE "\n"
		       "delete table " TABLE "\n"));
}

/*
 * The rules stand before those of the sets. Over the loopback comes what the machine sends
 * itself; of it only 127.0.0.2 and above are strangers, so that a policy can be tried on one
 * machine. Neighbour discovery is the link's business: without it a banned network that the
 * router has an address in would take the router along.
 */
void ban_text_table(struct buf *out)
{
	ban_text_end(out);
	buf_put(out,
		S("add table " TABLE " { comment \"who is banned; see: tecsmail guard list\"; }\n"
		  "add chain " TABLE " input "
		  "{ type filter hook input priority -10; policy accept; }\n"
		  "add rule " TABLE " input iif lo ip saddr 127.0.0.1 accept\n"
		  "add rule " TABLE " input iif lo ip saddr != 127.0.0.0/8 accept\n"
		  "add rule " TABLE " input iif lo meta nfproto ipv6 accept\n"
		  "add rule " TABLE " input icmpv6 type "
		  "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept\n"));
}

void ban_text_set(struct buf *out, const struct net *like)
{
	bool v4 = net_is_v4(like);
	struct net mask = *like;

	buf_put(out, S("add set " TABLE " "));
	put_set(out, like);
	buf_fmt(out, " { type ipv%c_addr; flags timeout; }\n", v4 ? '4' : '6');
	buf_fmt(out, "add rule " TABLE " input %s saddr ", v4 ? "ip" : "ip6");
	if (like->bits < 128) {
		memset(mask.octets, 0xff, sizeof mask.octets);
		mask.bits = 128;
		mask = net_cut(mask, like->bits);
		buf_put(out, S("& "));
		put_address(out, like, mask.octets);
		buf_c(out, ' ');
	}
	buf_c(out, '@');
	put_set(out, like);
	buf_put(out, S(" counter drop\n"));
}

void ban_text_add(struct buf *out, const struct net *who, int64_t seconds)
{
	/* To "add" what is there does not change its time before Linux 6.12. */
	ban_text_remove(out, who);
	put_element(out, "add", who, seconds);
}

void ban_text_remove(struct buf *out, const struct net *who)
{
	put_element(out, "add", who, 0);
	put_element(out, "delete", who, 0);
}
