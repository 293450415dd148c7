/* SPDX-License-Identifier: ISC */
/* Whose sessions end, and whose connections count together. */
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "proc/clients.h"

static struct clients *clients;

struct visitor {
	uint64_t conn;
	const char *ip;
	uint32_t account;
	unsigned bits; /* of the network that it counts in */
	bool ended;
	char goodbye[64];
};

static struct net net_of(const char *text, unsigned bits)
{
	struct net n = { 0 };

	if (*text)
		CHECK(net_address(str_of(text), &n));
	return *text ? net_cut(n, (uint8_t)bits) : n;
}

static void visit(void *arg)
{
	struct visitor *v = arg;
	int pair[2];

	CHECK_NUM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	struct io *io = io_new(pair[0]);
	struct client_row row = { .conn = v->conn,
				  .io = io,
				  .from = net_of(v->ip, v->bits),
				  .service = "imaps",
				  .began = 17 };

	io_set_peer(io, str_of(v->ip), 1);
	clients_add(clients, &row);
	if (v->account)
		clients_logged_in(clients, v->conn, v->account);
	v->ended = fiber_sleep(clock_in(60000)) == E_CANCELED;
	snprintf(v->goodbye, sizeof v->goodbye, "%.*s", FMT(io_goodbye(io)));
	clients_remove(&row);
	io_close(&io);
	close(pair[1]);
}

static struct visitor visitors[] = {
	{ 1000, "192.0.2.1", 1, 128 },       { 2000, "192.0.2.1", 2, 128 },
	{ 3000, "192.0.2.1", 0, 128 },       { 4000, "192.0.2.2", 1, 128 },
	{ 5000, "2001:db8::1", 1, 64 },      { 6000, "2001:db8::ff:2", 3, 64 },
	{ 1024000, "2001:db8:1::1", 0, 64 }, { 2048000, "", 1, 0 }, /* in the same chain as 0 */
};

/* A letter for each visitor: e has ended, - goes on. All begin anew. */
static void ends(struct session_end end, const char *want)
{
	struct group *g = group_new();
	char got[LENGTH(visitors) + 1] = { 0 };
	unsigned n = 0;

	for (size_t i = 0; i < LENGTH(visitors); i++)
		CHECK_NUM(group_spawn(g, "visitor", visit, &visitors[i]), OK);
	fiber_yield();
	end.reason = S("because");
	unsigned told = clients_end(clients, &end);
	fiber_yield();
	for (size_t i = 0; i < LENGTH(visitors); i++) {
		got[i] = visitors[i].ended ? 'e' : '-';
		n += visitors[i].ended;
		CHECK_STR(str_of(visitors[i].goodbye), visitors[i].ended ? "because" : "");
	}
	CHECK_NUM(told, n);
	CHECK_STR(str_of(got), want);
	group_close(&g);
	for (size_t i = 0; i < LENGTH(visitors); i++)
		visitors[i] =
			(struct visitor){ visitors[i].conn, visitors[i].ip, visitors[i].account,
					  visitors[i].bits, false,          "" };
}

static void test_ends(void)
{
	ends((struct session_end){ .account = 1 }, "e--ee--e");
	ends((struct session_end){ .account = 1, .except = 4000 }, "e---e--e");
	ends((struct session_end){ .account = 4 }, "--------");
	ends((struct session_end){ .from = net_of("192.0.2.1", 128) }, "eee-----");
	ends((struct session_end){ .from = net_of("2001:db8::", 64) }, "----ee--");
	ends((struct session_end){ .from = net_of("2001:db8::", 64), .account = 3 }, "-----e--");
	ends((struct session_end){ .from = net_of("192.0.2.1", 128), .except = 3000 }, "ee------");
}

static void test_count(void)
{
	struct group *g = group_new();
	struct net a = net_of("192.0.2.1", 128), b = net_of("2001:db8::77", 64),
		   c = net_of("192.0.2.9", 128);

	for (size_t i = 0; i < LENGTH(visitors); i++)
		CHECK_NUM(group_spawn(g, "visitor", visit, &visitors[i]), OK);
	fiber_yield();
	CHECK_NUM(clients_from(clients, &a), 3);
	CHECK_NUM(clients_from(clients, &b), 2);
	CHECK_NUM(clients_from(clients, &c), 0);
	struct arena *arena = arena_new(1 << 20);
	struct session_row row[SESSIONS_MAX];
	CHECK_NUM(clients_list(clients, 1, arena, row), 4);
	CHECK(row[0].since == 17 && str_is(row[0].protocol, "imaps"));
	CHECK_NUM(clients_list(clients, 3, arena, row), 1);
	CHECK_STR(row[0].address, "2001:db8::ff:2");
	CHECK_NUM(clients_list(clients, 4, arena, row), 0);
	arena_free(&arena);
	group_close(&g);
	CHECK_NUM(clients_from(clients, &a), 0);
}

static void run(void *arg)
{
	(void)arg;
	clients = clients_new();
	test_ends();
	test_count();
	clients_free(&clients);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
