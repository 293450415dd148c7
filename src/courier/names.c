/* SPDX-License-Identifier: ISC */
/* names.c - destinations, and what the configuration says of them. */
#include "courier/line_priv.h"

bool line_fits(struct str pattern, struct str name)
{
	if (str_is(pattern, "*"))
		return true;
	if (!str_starts(pattern, S("*.")))
		return str_ieq(pattern, name);
	struct str tail = str_from(pattern, 1);

	return name.n > tail.n && str_ieq(str_from(name, name.n - tail.n), tail);
}

static bool number(struct str text, uint16_t *port)
{
	struct scan in = scan(text);
	uint16_t n = (uint16_t)scan_num(&in, 65535);

	if (!scan_end(&in) || !n)
		return false;
	*port = n;
	return true;
}

bool line_literal(struct str destination, struct str *host, uint16_t *port)
{
	size_t end = str_rfind(destination, ']');
	struct str behind = str_from(destination, end + 1);

	if (!str_starts(destination, S("[")) || end == destination.n)
		return false;
	*host = str_part(destination, 1, end - 1);
	if (str_istarts(*host, S("IPv6:"))) /* RFC 5321 4.1.3 */
		*host = str_from(*host, 5);
	size_t colon = str_find(*host, ':');

	/* of an IPv6 address there would be two */
	if (colon == str_rfind(*host, ':') && colon < host->n) {
		if (!number(str_from(*host, colon + 1), port))
			return false;
		*host = str_part(*host, 0, colon);
	}
	if (behind.n && (behind.p[0] != ':' || !number(str_from(behind, 1), port)))
		return false;
	return host->n > 0;
}

const struct line_relay *line_relay_of(const struct line_net *net, struct str destination)
{
	struct str host;
	uint16_t port = 0;
	bool literal = line_literal(destination, &host, &port);

	for (size_t i = 0; i < net->conf.nrelay; i++) {
		const struct line_relay *r = &net->conf.relay[i];
		bool it = literal ? str_ieq(r->host, host) && (!port || port == r->port)
				  : line_fits(r->pattern, destination);
		if (it)
			return r;
	}
	return NULL;
}

static enum queue_guard least_of(const struct line_net *net, struct str name)
{
	for (size_t i = 0; i < net->conf.nleast; i++)
		if (line_fits(net->conf.least[i].pattern, name))
			return net->conf.least[i].guard;
	return QUEUE_ANY;
}

enum queue_guard line_guard(const struct line_net *net, struct str domain, enum queue_guard guard)
{
	enum queue_guard least = least_of(net, domain);

	return least > guard ? least : guard;
}

enum queue_guard line_least(const struct line_net *net, struct str destination)
{
	const struct line_relay *relay = line_relay_of(net, destination);
	struct str host = destination;
	uint16_t port;

	if (relay)
		host = relay->host;
	else
		(void)line_literal(destination, &host, &port);
	return line_guard(net, host, least_of(net, destination));
}
