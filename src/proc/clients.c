/* SPDX-License-Identifier: ISC */
/* proc/clients.c - the clients of a process, found by their number and their address. */
#include "proc/clients.h"

enum { CHAINS = 1024 };

struct clients {
	struct client_row *conn[CHAINS], *from[CHAINS];
};

struct clients *clients_new(void)
{
	return NEW(struct clients);
}

void clients_free(struct clients **c)
{
	for (size_t i = 0; *c && i < CHAINS; i++)
		BUG_IF((*c)->conn[i] || (*c)->from[i]);
	free(*c);
	*c = NULL;
}

/* Numbers come in steps that all workers share: CONN_STEP. */
static size_t chain_of_conn(uint64_t conn)
{
	return conn / CONN_STEP % CHAINS;
}

/* Who floods one chain slows down the counting of his own connections, which are bounded. */
static size_t chain_of_net(const struct net *n)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < sizeof n->octets; i++)
		h = (h ^ n->octets[i]) * 16777619;
	return h % CHAINS;
}

void clients_add(struct clients *c, struct client_row *row)
{
	struct client_row **conn = &c->conn[chain_of_conn(row->conn)];
	struct client_row **from = &c->from[chain_of_net(&row->from)];

	row->fiber = fiber_self();
	row->by_conn = *conn;
	row->at_conn = conn;
	if (*conn)
		(*conn)->at_conn = &row->by_conn;
	*conn = row;
	row->by_from = *from;
	row->at_from = from;
	if (*from)
		(*from)->at_from = &row->by_from;
	*from = row;
}

void clients_remove(struct client_row *row)
{
	*row->at_conn = row->by_conn;
	if (row->by_conn)
		row->by_conn->at_conn = row->at_conn;
	*row->at_from = row->by_from;
	if (row->by_from)
		row->by_from->at_from = row->at_from;
}

unsigned clients_from(const struct clients *c, const struct net *from)
{
	unsigned n = 0;

	for (const struct client_row *r = c->from[chain_of_net(from)]; r; r = r->by_from)
		n += net_same(&r->from, from);
	return n;
}

void clients_logged_in(struct clients *c, uint64_t conn, uint32_t account)
{
	for (struct client_row *r = c->conn[chain_of_conn(conn)]; r; r = r->by_conn)
		if (r->conn == conn)
			r->account = account;
}

static bool concerns(const struct client_row *r, const struct session_end *end)
{
	struct net address;

	if (end->account && r->account != end->account)
		return false;
	if (end->except && r->conn == end->except)
		return false;
	return !end->from.bits ||
	       (net_address(io_peer(r->io).ip, &address) && net_has(&end->from, &address));
}

unsigned clients_end(struct clients *c, const struct session_end *end)
{
	unsigned n = 0;

	for (size_t i = 0; i < CHAINS; i++)
		for (struct client_row *r = c->conn[i]; r; r = r->by_conn) {
			if (!concerns(r, end))
				continue;
			io_set_goodbye(r->io, end->reason);
			fiber_cancel(r->fiber);
			n++;
		}
	return n;
}

size_t clients_list(const struct clients *c, uint32_t account, struct arena *a,
		    struct session_row *out)
{
	size_t n = 0;

	for (size_t i = 0; i < CHAINS; i++)
		for (const struct client_row *r = c->conn[i]; r && n < SESSIONS_MAX; r = r->by_conn)
			if (r->account == account)
				out[n++] = (struct session_row){ str_of(r->service),
								 str_dup(a, io_peer(r->io).ip),
								 r->began };
	return n;
}
