/* SPDX-License-Identifier: ISC */
/* keeper/speak.c - the webmail's connections, which count as the browser's. */
#include "base/log.h"
#include "fiber/io.h"
#include "keeper/keeper.h"

bool keeper_speaks_for(struct io *io, struct str ip)
{
	struct net address;

	if (!net_address(ip, &address))
		return false;
	struct arena *a = arena_new(4096);

	io_set_peer(io, net_text(a, &address), 0);
	arena_free(&a);
	if (log_current) {
		log_current->ip = io_peer(io).ip;
		log_current->port = 0;
	}
	return true;
}
