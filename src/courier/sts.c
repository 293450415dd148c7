/* SPDX-License-Identifier: ISC */
/* courier/sts.c - a domain is asked about; one fetch for all who ask at the same time. */
#include "courier/sts.h"

#include "base/buf.h"
#include "courier/https.h"
#include "courier/sts_kept.h"
#include "mail/header.h"

enum {
	REFRESH_S = 86400,   /* RFC 8461 10.2 */
	LOOK_S = 3600,       /* between two looks for policies that want a refresh */
	REFRESHED_MAX = 4,   /* at a time, so that mail that waits comes first */
	DUE_MAX = 50,        /* taken at once */
	FAILURE_S = 600,     /* a policy host that failed is left alone so long */
	FAILURES_MAX = 1024, /* remembered; in a place by hash: the later one counts */
	FETCHES_MAX = 256,
	DNS_WAIT_MS = 20000,
	FETCH_MEMORY = 1 << 20
};

/* A policy that could not be had, and why. */
struct failure {
	char domain[DNS_NAME_MAX + 1], id[MTA_STS_ID_MAX + 1];
	int64_t until; /* ms */
	enum tlsrpt_result why;
	char text[80];
};

/* One under way; those who wait for it and its fiber hold it. */
struct fetch {
	struct sts *s;
	struct arena *a; /* owned */
	struct str domain, id;
	unsigned holders;
	bool over;
	enum err result;
	struct mta_sts policy;
	struct signal done;
	struct fetch *next;
};

struct sts {
	struct sts_conf conf;
	struct https *https;
	struct group *group;
	struct fetch *fetches;
	unsigned nfetches;
	struct signal fewer; /* fetches */
	struct failure *failures;
};

/* --- what went wrong --- */

static struct failure *place(struct sts *s, struct str domain)
{
	return &s->failures[str_ihash(domain) % FAILURES_MAX];
}

static void copy(char *to, size_t max, struct str from)
{
	snprintf(to, max, "%.*s", FMT(from));
}

static void remember(struct fetch *f, enum tlsrpt_result why, struct str text)
{
	struct failure *x = place(f->s, f->domain);

	copy(x->domain, sizeof x->domain, f->domain);
	copy(x->id, sizeof x->id, f->id);
	copy(x->text, sizeof x->text, text);
	x->until = clock_in(FAILURE_S * 1000);
	x->why = why;
	log_event(LOG_INFO, "sts.failed", KV("domain", f->domain), KV("why", text));
}

static const struct failure *remembered(struct sts *s, struct str domain, struct str id)
{
	const struct failure *x = place(s, domain);
	bool same = str_eq(str_of(x->domain), domain) && str_eq(str_of(x->id), id);

	return same && clock_ms() < x->until ? x : NULL;
}

bool sts_failure(struct sts *s, struct str domain, enum tlsrpt_result *why, struct str *text)
{
	const struct failure *x = place(s, domain);

	if (!str_ieq(str_of(x->domain), domain) || clock_ms() >= x->until)
		return false;
	*why = x->why;
	*text = str_of(x->text);
	return true;
}

/* --- fetching --- */

static void release(struct fetch **f)
{
	if (--(*f)->holders)
		return;
	struct arena *a = (*f)->a;
	*f = NULL;
	arena_free(&a);
}

/* RFC 8461 3.2: whatever its parameters are. */
static bool is_plain_text(struct arena *a, struct str type)
{
	struct content c;

	return content_type_parse(a, type, &c) && str_is(c.type, "text") &&
	       str_is(c.subtype, "plain");
}

static enum err read_answer(struct fetch *f, const struct https_answer *x)
{
	struct str text;
	enum err e = E_SYNTAX;

	if (x->status != 200) {
		text = str_fmt(f->a, "HTTP status %u", x->status);
		remember(f, TLSRPT_STS_POLICY_FETCH_ERROR, text);
	} else if (!is_plain_text(f->a, x->type)) {
		remember(f, TLSRPT_STS_POLICY_INVALID, S("not text/plain"));
	} else {
		e = mta_sts_policy(f->a, x->body, &f->policy);
		if (e)
			remember(f, TLSRPT_STS_POLICY_INVALID, S("not a policy"));
	}
	return e;
}

static void keep(struct fetch *f)
{
	int64_t now = clock_wall();
	struct sts_kept k = { f->id, now, now, f->policy };
	enum err e = sts_kept_put(f->s->conf.store, f->domain, &k);

	log_event(e ? LOG_WARN : LOG_DEBUG, "sts.kept", KV("domain", f->domain), KV("id", f->id),
		  KVN("mode", f->policy.mode), KVE(e));
}

static enum err fetch(struct fetch *f)
{
	struct str host = str_fmt(f->a, "mta-sts.%.*s", FMT(f->domain)), why = S("");
	struct https_answer x;
	enum err e = https_get(f->s->https, host, S("/.well-known/mta-sts.txt"), MTA_STS_FILE_MAX,
			       f->a, &x, &why);

	if (e == E_CANCELED)
		return e;
	if (e)
		remember(f,
			 e == E_DENIED  ? TLSRPT_STS_WEBPKI_INVALID
			 : e == E_LIMIT ? TLSRPT_STS_POLICY_INVALID
					: TLSRPT_STS_POLICY_FETCH_ERROR,
			 why);
	else
		e = read_answer(f, &x);
	if (!e)
		keep(f);
	return e;
}

static void run_fetch(void *arg)
{
	struct fetch *f = arg, **at;
	struct sts *s = f->s;

	f->result = fetch(f);
	f->over = true;
	for (at = &s->fetches; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	s->nfetches--;
	signal_raise(&f->done);
	signal_raise(&s->fewer);
	release(&f);
}

/* The one under way, or a new one; the caller holds it. NULL: there are too many. */
static struct fetch *start(struct sts *s, struct str domain, struct str id)
{
	struct fetch *f = s->fetches;

	while (f && !(str_eq(f->domain, domain) && str_eq(f->id, id)))
		f = f->next;
	if (f) {
		f->holders++;
		return f;
	}
	if (s->nfetches == FETCHES_MAX)
		return NULL;
	struct arena *a = arena_new(FETCH_MEMORY);
	f = ARENA_NEW(a, struct fetch);
	*f = (struct fetch){ .s = s, .a = a, .holders = 2, .next = s->fetches };
	f->domain = str_dup(a, domain);
	f->id = str_dup(a, id);
	if (group_spawn(s->group, "sts.fetch", run_fetch, f)) {
		arena_free(&a);
		return NULL;
	}
	s->fetches = f;
	s->nfetches++;
	return f;
}

static void give(struct arena *a, const struct mta_sts *from, struct mta_sts *out)
{
	*out = *from;
	out->mx = ARENA_ARRAY(a, struct str, from->nmx);
	for (size_t i = 0; i < from->nmx; i++)
		out->mx[i] = str_dup(a, from->mx[i]);
}

static enum err fetch_within(struct sts *s, struct str domain, struct str id, int64_t deadline,
			     struct arena *a, struct mta_sts *out)
{
	struct fetch *f;
	enum err e = OK;

	if (remembered(s, domain, id))
		return E_AGAIN;
	f = start(s, domain, id);
	if (!f)
		return E_AGAIN;
	while (!e && !f->over)
		e = signal_wait(&f->done, f->done.count, deadline);
	if (!e)
		e = f->result;
	if (!e)
		give(a, &f->policy, out);
	release(&f);
	return e == E_CANCELED ? e : e ? E_AGAIN : OK;
}

/* --- asking --- */

/* The id of its record. E_NOTFOUND: none, *proven or not; E_AGAIN: it cannot be had just now. */
static enum err ask_id(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
		       struct str *id, bool *proven)
{
	struct str name = str_fmt(a, "_mta-sts.%.*s", FMT(domain));
	struct dns_answer x;
	enum err e = dns_ask(s->conf.dns, name, DNS_TXT, deadline, a, &x);

	*proven = !e && x.secure;
	if (e)
		return e == E_CANCELED ? e : e == E_SYNTAX ? E_NOTFOUND : E_AGAIN;
	if (x.status != DNS_FOUND)
		return x.status == DNS_SERVFAIL || x.status == DNS_BOGUS ? E_AGAIN : E_NOTFOUND;
	return mta_sts_record(x.text, x.n, id);
}

enum err sts_policy(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
		    struct mta_sts *out)
{
	struct sts_kept k;
	struct str id;

	domain = str_lower(a, domain);
	enum err e = sts_kept_get(s->conf.store, domain, a, &k);
	bool kept = !e && !sts_over(&k, clock_wall()), proven;

	if (e && e != E_NOTFOUND && e != E_CORRUPT)
		return e;
	e = ask_id(s, domain, deadline, a, &id, &proven);
	if (!e && !(kept && str_eq(id, k.id)))
		e = fetch_within(s, domain, id, deadline, a, out);
	else if (!e)
		*out = k.policy;
	if ((e == E_NOTFOUND || e == E_AGAIN) &&
	    kept) { /* RFC 8461 5.1: what is kept goes on to count */
		*out = k.policy;
		e = OK;
	}
	return e;
}

enum err sts_kept_policy(struct store *st, struct str domain, struct arena *a, struct mta_sts *out)
{
	struct sts_kept k;
	enum err e = sts_kept_get(st, domain, a, &k);

	if (!e)
		*out = k.policy;
	return e;
}

/* --- refreshing --- */

/* Whoever keeps the record from us shall not outlast the policy: then it is fetched as it is known
 * (RFC 8461 10.2). Only who proves that the record is gone is believed. */
static enum err refresh(struct sts *s, struct str domain, struct arena *a)
{
	enum err e = OK;
	struct sts_kept k;
	struct fetch *f;
	struct str id;
	bool proven;

	while (!e && s->nfetches >= REFRESHED_MAX)
		e = signal_wait(&s->fewer, s->fewer.count, clock_in(HTTPS_WAIT_MS));
	if (e != E_CANCELED)
		e = ask_id(s, domain, clock_in(DNS_WAIT_MS), a, &id, &proven);
	if (e == E_AGAIN || (e == E_NOTFOUND && !proven)) {
		e = sts_kept_get(s->conf.store, domain, a, &k);
		id = k.id;
	}
	if (e)
		return e == E_CANCELED ? e : OK;
	f = start(s, domain, id);
	if (f)
		release(&f);
	return OK;
}

static enum err refresh_due(struct sts *s)
{
	int64_t now = clock_wall();
	struct sts_due d = { .now = now, .every = REFRESH_S, .max = DUE_MAX, .more = true };
	struct arena *a = arena_new(FETCH_MEMORY), *each = arena_new(FETCH_MEMORY);
	char after[KEY_MAX] = "";
	enum err e = OK;

	while (!e && d.more) {
		arena_reset(a);
		d.after = str_of(after);
		e = sts_kept_due(s->conf.store, a, &d);
		for (size_t i = 0; i < d.n && !e; i++) {
			arena_reset(each);
			e = refresh(s, d.domain[i], each);
		}
		if (!e)
			copy(after, sizeof after, d.last);
	}
	arena_free(&each);
	arena_free(&a);
	return e;
}

static void refresh_daily(void *arg)
{
	struct sts *s = arg;
	enum err e = OK;

	while (e != E_CANCELED) {
		e = refresh_due(s);
		if (e && e != E_CANCELED)
			log_event(LOG_WARN, "sts.refresh", KVE(e));
		if (e != E_CANCELED)
			e = fiber_sleep(clock_in(LOOK_S * 1000));
	}
}

enum err sts_new(const struct sts_conf *conf, struct sts **out)
{
	struct https_conf web = { .dns = conf->dns,
				  .ca_file = conf->ca_file,
				  .port = conf->port,
				  .loopback = conf->loopback };
	struct sts *s = NEW(struct sts);

	s->conf = *conf;
	s->https = https_new(&web);
	s->group = group_new();
	s->failures = mem_new(FAILURES_MAX * sizeof *s->failures);
	*out = s;
	enum err e = group_spawn(s->group, "sts.refresh", refresh_daily, s);
	if (e)
		sts_close(out);
	return e;
}

void sts_close(struct sts **s)
{
	if (!*s)
		return;
	https_stop((*s)->https);
	group_close(&(*s)->group);
	https_close(&(*s)->https);
	free((*s)->failures);
	free(*s);
	*s = NULL;
}
