/* SPDX-License-Identifier: ISC */
/*
 * dial.c - one connection out of several addresses.
 *
 * A machine whose IPv6 leads nowhere shall not lose half a minute with each mail: an address that
 * has not answered within HEAD_START gets company by the next, and the first that answers is it
 * (RFC 8305 5). At most two are under way.
 */
#include "courier/line_priv.h"

enum { HEAD_START = 1000 /* ms */ };

struct call {
	struct dial *dial;
	size_t at;
	struct io *io;
	bool done;
	enum err err;
	struct signal *news;
};

static void call(void *arg)
{
	struct call *c = arg;
	struct dial *d = c->dial;
	struct arena *a = arena_new(256);
	int64_t until = clock_in(d->each_ms);

	c->err = io_connect(dns_address_text(a, &d->address[c->at]), d->port,
			    until < d->deadline ? until : d->deadline, &c->io);
	arena_free(&a);
	c->done = true;
	signal_raise(c->news);
}

static struct call *connected(struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].io)
			return &calls[i];
	return NULL;
}

static unsigned under_way(const struct call *calls, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += !calls[i].done;
	return count;
}

/* Starts the next one, if there is one and a place for it. */
static bool start(struct group *g, struct dial *d, struct call *calls, size_t *n, size_t *at,
		  struct signal *news)
{
	while (*at < d->n && d->tried[*at])
		++*at;
	if (*at == d->n || under_way(calls, *n) == 2 || clock_ms() >= d->deadline)
		return false;
	calls[*n] = (struct call){ .dial = d, .at = *at, .news = news };
	if (group_spawn(g, "connect", call, &calls[*n]))
		return false;
	++*n;
	++*at;
	return true;
}

/* One that was still under way when another had won may be tried later. */
static bool settle(struct dial *d, struct call *calls, size_t n, struct io **out, size_t *at)
{
	struct call *won = connected(calls, n);

	for (size_t i = 0; i < n; i++) {
		struct call *c = &calls[i];

		d->tried[c->at] = c == won || (c->err && c->err != E_CANCELED);
		if (c != won)
			io_close(&c->io);
	}
	if (!won)
		return false;
	*out = won->io;
	*at = won->at;
	return true;
}

bool line_dial(struct dial *d, struct io **out, size_t *at)
{
	struct call calls[MX_ADDRESSES_MAX];
	struct group *g = group_new();
	struct signal news = { 0 };
	size_t n = 0, next = 0;

	while (!connected(calls, n) && !fiber_canceled()) {
		uint64_t seen = news.count;
		bool more = start(g, d, calls, &n, &next, &news);

		if (!under_way(calls, n))
			break;
		(void)!signal_wait(&news, seen, more ? clock_in(HEAD_START) : NEVER);
	}
	group_close(&g);
	return settle(d, calls, n, out, at);
}
