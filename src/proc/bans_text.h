/* SPDX-License-Identifier: ISC */
#ifndef PROC_BANS_TEXT_H
#define PROC_BANS_TEXT_H
/*
 * bans_text.h - who may be banned, and what the kernel is told, as commands of nft(8). Pure.
 *
 * A set for each length of prefix in use: v4_32, v6_64, ... An address is in a set of networks
 * of one length or it is not, so bans never overlap; a set with intervals would refuse an
 * address within a banned network, and read all of its entries for each one that is added.
 */
#include "base/buf.h"
#include "guard/net.h"

/*
 * The network of an address, if it can be banned. E_SYNTAX: not a numeric address; more bits
 * than it has, or so few that half the world is meant; or the network has, or lies in, one that
 * must be heard: loopback (127.0.0.1, ::1), unspecified, link-local IPv6, multicast.
 */
MUST enum err ban_who(struct str address, unsigned prefix, struct net *out);
/* The bits of it as people count them: 32 for an IPv4 address. */
unsigned ban_prefix(const struct net *who);

/* The commands are appended, each with its newline, to be run in one transaction. */
void ban_text_table(struct buf *out); /* the table, empty, whatever was in it */
void ban_text_end(struct buf *out);   /* no table, whether there was one or not */
void ban_text_set(struct buf *out, const struct net *like); /* its set and the rule; once each */
/* The remaining time is set anew; the set must be there. seconds > 0. */
void ban_text_add(struct buf *out, const struct net *who, int64_t seconds);
void ban_text_remove(struct buf *out, const struct net *who); /* whether it was there or not */

#endif
