/* SPDX-License-Identifier: ISC */
/* smtp/xclient.c - the webmail says whose browser it speaks for: Postfix's XCLIENT, of which
 * Roundcube sends one attribute. */
#include "smtp/session.h"

/* "203.0.113.9", "IPV6:2001:db8::1": xtext of which no octet needs to be encoded. */
bool xclient_addr(struct scan *in, struct str *ip)
{
	scan_lit(in, "ADDR=");
	bool v6 = scan_opt(in, "IPV6:");

	*ip = scan_word(in);
	return scan_end(in) && ip->n && str_has(*ip, ':') == v6;
}

/* XCLIENT ADDR=address. The session begins anew, HELO or EHLO come next. */
struct reply smtp_cmd_xclient(struct smtp *s, struct scan *in)
{
	struct str ip;

	if (s->spoken_for)
		return reply(503, "5.5.1", "the browser's address is told already");
	if (!xclient_addr(in, &ip) || !keeper_speaks_for(s->io, ip))
		return reply(501, "5.5.4", "usage: XCLIENT ADDR=address");
	s->spoken_for = true;
	s->helo = S_NONE;
	smtp_reset(s);
	return reply(220, NULL, str_c(s->cmd, s->conf->hostname));
}
