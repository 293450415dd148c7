/* SPDX-License-Identifier: ISC */
/*
 * proc/courier.c - the process that talks to other servers.
 *
 * Who:    "courier0", "courier1", ...: one is enough for most.
 * Holds:  the store, a socket to the keeper; no TLS key is ever used.
 * May:    connect to the DNS, to mail servers and web servers, work on the queue, bring reports to
 *         mailboxes, have the server's own mail signed, read what comes for tls-reports.
 * Not:    listen, see passwords of users, read their mailboxes.
 *
 * New settings are a new courier; the old one ends what it has begun.
 */
#include <stdlib.h>

#include "courier/courier.h"
#include "courier/expect.h"
#include "courier/sts.h"
#include "courier/tlsrpt.h"
#include "proc/child.h"

enum {
	STOP_MS = 8 * 1000,         /* for what is being sent when the process ends */
	RELOAD_MS = 60 * 60 * 1000, /* and when it goes on with new settings */
	IDLE_LINES_MAX = 100,
};

/* What works by one generation of the settings. */
struct work {
	struct settings *settings;
	struct arena *arena;
	struct line_net *net;
	struct sts *sts;
	struct tlsrpt *tlsrpt;
	struct courier_expect expect;
	struct group *beside; /* fibers that look up what is asked */
	struct courier *courier;
};

/* One courier a process. */
static struct work *present;
static struct group *past;         /* a fiber for each that still ends */
static struct outward_files files; /* as main told them last */
static struct arena *files_arena;

static void work_close(struct work *w, int64_t deadline)
{
	courier_close(&w->courier, deadline);
	group_close(&w->beside);
	if (w->net)
		line_net_join(w->net, NULL, NULL);
	sts_close(&w->sts);
	tlsrpt_close(&w->tlsrpt);
	line_net_close(&w->net);
	arena_free(&w->arena);
	settings_release(&w->settings);
	free(w);
}

static unsigned number(const char *name)
{
	struct str s = str_of(name);
	struct scan in = scan(str_from(s, sizeof "courier" - 1));

	return (unsigned)scan_num(&in, 1000);
}

static struct courier_conf courier_conf(const struct child *c, struct arena *a)
{
	const struct config *g = &c->settings->config;

	return (struct courier_conf){
		.holder = str_fmt(a, "%s@%.*s", c->name, FMT(g->hostname)),
		.hostname = g->hostname,
		.spool = g->state,
		.plan = config_plan(g),
		.number = number(c->name),
		.couriers = g->workers_courier ? g->workers_courier : 1,
		.connections = g->outbound.connections,
		.per_destination = g->outbound.per_destination,
		.idle_max = g->outbound.idle_ms ? IDLE_LINES_MAX : 0,
		.idle_ms = g->outbound.idle_ms,
	};
}

/* What other domains promise of TLS, and what became of it. */
static enum err trust_new(const struct child *c, struct work *w)
{
	const struct config *g = &w->settings->config;
	struct dns *dns = line_net_dns(w->net);
	struct sts_conf sts = { .store = c->store,
				.dns = dns,
				.ca_file = g->https.authorities,
				.port = (uint16_t)g->https.port,
				.loopback = g->outbound.loopback };
	struct tlsrpt_conf reports = { .store = c->store,
				       .dns = dns,
				       .keeper = c->keeper,
				       .send = g->tlsrpt.send,
				       .hostname = g->hostname,
				       .contact = g->tlsrpt.contact,
				       .ca_file = g->https.authorities,
				       .port = (uint16_t)g->https.port,
				       .loopback = g->outbound.loopback };
	enum err e = sts_new(&sts, &w->sts);

	return e ? e : tlsrpt_new(&reports, &w->tlsrpt);
}

/* E_SYNTAX, E_NOTFOUND, E_IO: why is a sentence in a. */
static enum err work_new(struct child *c, bool first, struct arena *a, struct work **out,
			 struct str *why)
{
	struct work *w = NEW(struct work);

	w->settings = settings_hold(c->settings);
	w->beside = group_new();
	w->arena = arena_new(1 << 20);
	struct courier_conf courier = courier_conf(c, w->arena);
	struct outward_files own = { str_dup(w->arena, files.passwords),
				     str_dup(w->arena, files.authorities) };
	struct line_conf line;
	enum err e = outward_conf(&w->settings->config, &own, w->arena, &line, why);

	if (!e)
		e = line_net_new(&line, a, &w->net, why);
	if (!e)
		e = trust_new(c, w);
	if (!e) {
		line_net_join(w->net, w->sts, w->tlsrpt);
		w->expect = (struct courier_expect){ c->store, w->net };
		e = group_spawn(w->beside, "expect", courier_expect, &w->expect);
	}
	if (!e)
		e = courier_new(&courier, c->store, c->keeper, w->net, first, &w->courier);
	if (e)
		work_close(w, 0);
	*out = e ? NULL : w;
	return e;
}

static enum err begin(struct child *c, bool first)
{
	struct arena *a = arena_new(64 << 10);
	struct str why = S_NONE;
	struct work *w;
	enum err e = work_new(c, first, a, &w, &why);

	if (e)
		log_event(LOG_ERROR, "courier.refused", KV("reason", why), KVE(e));
	else
		present = w;
	arena_free(&a);
	return e;
}

static enum err start(struct child *c)
{
	past = group_new();
	return begin(c, true);
}

static void end(void *arg)
{
	work_close(arg, clock_in(RELOAD_MS));
}

static void configure(struct child *c)
{
	struct work *old = present;

	if (old && !begin(c, false) && group_spawn(past, "courier.past", end, old))
		work_close(old, 0);
}

static void take_files(struct child *c, const struct outward_files *told)
{
	(void)c;
	arena_free(&files_arena);
	files_arena = arena_new(2 * OUTWARD_FILE_MAX + 1024);
	files = (struct outward_files){ str_dup(files_arena, told->passwords),
					str_dup(files_arena, told->authorities) };
}

static void stop(struct child *c)
{
	(void)c;
	arena_free(&files_arena);
	if (present)
		work_close(present, clock_in(STOP_MS));
	present = NULL;
	if (past)
		group_close(&past);
}

const struct role role_courier = { "courier", NULL, NULL, start, configure, stop, take_files };
