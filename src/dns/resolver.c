/* SPDX-License-Identifier: ISC */
/*
 * libunbound in a thread of its own; a fiber fetches what is done and wakes who asked.
 *
 * A question whose fiber no longer waits is not taken back (it is abandoned): libunbound ends it
 * by itself, and what it finds is in the cache for the next try.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>
#include <unistd.h>

#include "dns/answer.h"

enum { CACHE_USUAL = 16 << 20 }; /* octets */

struct question {
	struct dns *dns;
	struct ub_result *result; /* owned; NULL: none */
	bool done, abandoned;
	struct signal came;
	struct question *next, **at; /* in the list of all */
};

struct dns {
	struct ub_ctx *ctx;
	struct group *fetcher;
	struct question *all;
	unsigned asked;
	struct signal turn; /* one of DNS_ASKED_MAX is free again */
};

const char *dns_status_text(enum dns_status s)
{
	static const char *const words[] = { "found", "nodata", "nxdomain", "servfail", "bogus" };

	return words[s];
}

/* --- what libunbound has to say, in our log; it has one for the whole process --- */

static ssize_t log_line(void *cookie, const char *p, size_t n)
{
	struct str s = str_trim(STR(p, n));

	(void)cookie;
	/* [time] libunbound[process:thread] error: text */
	for (unsigned i = 0; i < 2 && str_has(s, ']'); i++)
		s = str_trim(str_from(s, str_find(s, ']') + 1));
	if (s.n)
		log_event(LOG_WARN, "dns", KV("said", s));
	return (ssize_t)n;
}

static FILE *log_file(void)
{
	static FILE *f;

	if (!f) {
		f = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = log_line });
		BUG_IF(!f);
		setvbuf(f, NULL, _IOLBF, 2048);
	}
	return f;
}

/* --- set-up --- */

static bool set(struct ub_ctx *ctx, const char *option, const char *value)
{
	return ub_ctx_set_option(ctx, option, value) == 0;
}

static bool set_number(struct ub_ctx *ctx, const char *option, size_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%zu", n);
	return set(ctx, option, text);
}

static bool set_bounds(struct ub_ctx *ctx, size_t cache)
{
	cache = cache ? cache : CACHE_USUAL;
	/* Records need twice what messages need (unbound.conf(5)); keys and absences the rest. */
	return set_number(ctx, "rrset-cache-size:", cache / 8 * 4) &&
	       set_number(ctx, "msg-cache-size:", cache / 8 * 2) &&
	       set_number(ctx, "key-cache-size:", cache / 8) &&
	       set_number(ctx, "neg-cache-size:", cache / 8) &&
	       set_number(ctx, "num-queries-per-thread:", DNS_ASKED_MAX) &&
	       set_number(ctx, "outgoing-range:", DNS_ASKED_MAX) &&
	       set(ctx, "cache-max-ttl:", "86400") && set(ctx, "cache-max-negative-ttl:", "3600") &&
	       set(ctx, "do-not-query-localhost:", "no");
}

static bool server_text(struct arena *a, const struct dns_server *s, char **out)
{
	struct dns_address checked;

	*out = str_c(a, str_fmt(a, "%.*s@%u", FMT(s->ip), s->port));
	return s->port && dns_address_parse(s->ip, &checked);
}

/* The names that a resolver answers by itself, as "test" (RFC 6761 6.2), are asked for there. */
static bool set_stub(struct ub_ctx *ctx, struct arena *a, const struct dns_stub *s)
{
	char *server, *zone = str_c(a, s->zone);
	char *local = str_c(a, str_fmt(a, "%s transparent", zone));

	return dns_name_ok(s->zone) && server_text(a, &s->server, &server) &&
	       ub_ctx_set_stub(ctx, zone, server, 0) == 0 &&
	       (str_is(s->zone, ".") || set(ctx, "local-zone:", local));
}

/* The same for all that another server is asked for: it may know a network's own names. */
static bool set_forward(struct ub_ctx *ctx, const struct dns_conf *c)
{
	return !c->nforward || (set(ctx, "local-zone:", "test transparent") &&
				set(ctx, "local-zone:", "home.arpa transparent"));
}

static enum err set_up(struct ub_ctx *ctx, const struct dns_conf *c, struct arena *a,
		       struct str *why)
{
	char *text;

	ub_ctx_debugout(ctx, log_file());
	*why = S("libunbound does not take its settings");
	if (!set_bounds(ctx, c->cache_max) || !set_forward(ctx, c) || ub_ctx_async(ctx, 1))
		return E_IO;
	for (size_t i = 0; i < c->nforward; i++)
		if (!server_text(a, &c->forward[i], &text) || ub_ctx_set_fwd(ctx, text)) {
			*why = str_fmt(a, "not the address of a name server: %s", text);
			return E_SYNTAX;
		}
	for (size_t i = 0; i < c->nstubs; i++)
		if (!set_stub(ctx, a, &c->stubs[i])) {
			*why = str_fmt(a, "no such zone: %.*s", FMT(c->stubs[i].zone));
			return E_SYNTAX;
		}
	for (size_t i = 0; i < c->nanchors; i++)
		if (ub_ctx_add_ta(ctx, str_c(a, c->anchors[i])))
			return E_IO;
	*why = S("no trust anchor: without one nothing in the DNS can be proven");
	if (!c->anchor_file.n)
		return c->nanchors ? OK : E_SYNTAX;
	text = str_c(a, c->anchor_file);
	*why = str_fmt(a, "the trust anchor %s cannot be read (package dns-root-data)", text);
	if (access(text, R_OK) != 0)
		return E_NOTFOUND;
	return ub_ctx_add_ta_file(ctx, text) ? E_IO : OK;
}

/* --- questions --- */

static void question_end(struct question *q)
{
	struct dns *d = q->dns;

	if (q->next)
		q->next->at = q->at;
	*q->at = q->next;
	ub_resolve_free(q->result);
	free(q);
	d->asked--;
	signal_raise(&d->turn);
}

static struct question *question_new(struct dns *d)
{
	struct question *q = NEW(struct question);

	*q = (struct question){ .dns = d, .next = d->all, .at = &d->all };
	if (q->next)
		q->next->at = &q->next;
	d->all = q;
	d->asked++;
	return q;
}

/* Called by ub_process, on the loop's thread. */
static void came(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;

	q->result = error ? NULL : result;
	q->done = true;
	if (q->abandoned)
		question_end(q);
	else
		signal_raise(&q->came);
}

static void fetch(void *arg)
{
	struct dns *d = arg;

	while (fiber_wait_fd(ub_fd(d->ctx), FD_READ, NEVER) == OK)
		if (ub_process(d->ctx))
			log_event(LOG_ERROR, "dns", KVC("error", "libunbound's thread is gone"));
}

/*
 * What libunbound does while it starts and ends takes buffers of 64 KB on the stack, more than a
 * fiber has: a worker thread does it. Such a one takes no signals, so neither does the thread that
 * libunbound starts there.
 */
struct start {
	struct dns *dns;
	const struct dns_conf *conf;
	struct arena *arena;
	struct question *first; /* which makes libunbound read its settings and start its thread */
	enum err result;
	struct str why;
};

static void start(void *arg)
{
	struct start *s = arg;
	struct ub_ctx *ctx = s->dns->ctx = ub_ctx_create();

	BUG_IF(!ctx); /* no memory */
	s->result = set_up(ctx, s->conf, s->arena, &s->why);
	if (s->result)
		return;
	/* It answers this by itself: RFC 6761 6.3. */
	if (!ub_resolve_async(ctx, "localhost.", DNS_A, 1, s->first, came, NULL))
		return;
	s->result = E_SYNTAX;
	s->why = S("the trust anchor is not made of DNSKEY or DS records, or there is no thread or "
		   "descriptor left for the resolver");
}

static void end(void *ctx)
{
	ub_ctx_delete(ctx);
}

enum err dns_new(const struct dns_conf *conf, struct arena *a, struct dns **out, struct str *why)
{
	struct dns *d = NEW(struct dns);
	struct start s = { .dns = d, .conf = conf, .arena = a, .first = question_new(d) };

	s.first->abandoned = true;
	work_run(start, &s);
	if (!s.result) {
		d->fetcher = group_new();
		s.result = group_spawn(d->fetcher, "dns", fetch, d);
		s.why = s.result ? S("there is no fiber left for the resolver") : S_NONE;
	}
	if (s.result)
		dns_close(&d);
	*why = s.why;
	*out = d;
	return s.result;
}

void dns_close(struct dns **dns)
{
	struct dns *d = *dns;

	if (!d)
		return;
	if (d->fetcher) {
		group_close(&d->fetcher);
		fd_forget(ub_fd(d->ctx));
	}
	work_run(end, d->ctx);
	while (d->all) {
		BUG_IF(!d->all->abandoned);
		question_end(d->all);
	}
	free(d);
	*dns = NULL;
}

/* Waits for its turn, then for the answer: in *out, which then is the caller's to end. */
static enum err ask(struct dns *d, const char *name, enum dns_type type, int64_t deadline,
		    struct question **out)
{
	while (d->asked >= DNS_ASKED_MAX) {
		enum err e = signal_wait(&d->turn, d->turn.count, deadline);

		if (e)
			return e;
	}
	struct question *q = question_new(d);

	if (ub_resolve_async(d->ctx, name, (int)type, 1, q, came, NULL)) {
		question_end(q);
		return E_IO;
	}
	while (!q->done) {
		enum err e = signal_wait(&q->came, q->came.count, deadline);

		if (e && !q->done) {
			q->abandoned = true;
			return e;
		}
	}
	*out = q;
	return OK;
}

enum err dns_ask(struct dns *d, struct str name, enum dns_type type, int64_t deadline,
		 struct arena *a, struct dns_answer *out)
{
	struct question *q;

	*out = (struct dns_answer){ .status = DNS_SERVFAIL, .why = S("the resolver failed") };
	if (!dns_name_ok(name))
		return E_SYNTAX;
	/* The final dot: no search list, whatever the machine's resolv.conf says. */
	struct str full = str_ends(name, S(".")) ? name : str_fmt(a, "%.*s.", FMT(name));
	enum err e = ask(d, str_c(a, full), type, deadline, &q);

	if (e)
		return e;
	if (q->result)
		dns_answer_read(a, q->result, type, out);
	question_end(q);
	return OK;
}
