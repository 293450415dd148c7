/* SPDX-License-Identifier: ISC */
/* guard/guard.c - decisions: who is heard, what a wrong password does, what it is told. */
#include "guard/guard.h"

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "guard/guard_priv.h"

enum { UNWRITTEN_S = 60, BUCKETS_AT_ONCE = 64 };

bool guard_exempt(const struct guard *g, const struct net *address)
{
	return nets_have((struct nets){ g->machine, g->nmachine }, address) ||
	       nets_have(g->conf.exempt, address);
}

/* A network with one of ours in it is never given to the kernel. */
static bool may_ban(const struct guard *g, const struct net *who)
{
	return !nets_touch((struct nets){ g->machine, g->nmachine }, who) &&
	       !nets_touch(g->conf.exempt, who);
}

const struct lockout_rules *guard_rules(const struct guard *g)
{
	return &g->conf.rules;
}

/* --- what is closed, in memory --- */

static struct net net_of(const struct shut *s)
{
	struct net n = { .bits = s->bits };

	memcpy(n.octets, s->octets, sizeof n.octets);
	return n;
}

static const struct shut *find(const struct shuts *in, const struct net *who)
{
	for (uint32_t i = 0; i < in->n; i++)
		if (in->item[i].bits == who->bits &&
		    memcmp(in->item[i].octets, who->octets, sizeof who->octets) == 0)
			return &in->item[i];
	return NULL;
}

static bool is_banned(const struct shut *s)
{
	return s && s->state == LOCKOUT_BANNED;
}

static void tell(struct guard *g, const struct shut *s, bool banned)
{
	struct net who = net_of(s);

	if (banned && may_ban(g, &who))
		g->news.banned(g->news.arg, &who, s->until);
	else
		g->news.free(g->news.arg, &who);
}

void guard_take(struct guard *g, unsigned bucket, struct shuts *fresh)
{
	struct shuts old = g->bucket[bucket];

	if ((int32_t)(fresh->changes - old.changes) < 0) {
		free(fresh->item);
		return;
	}
	g->bucket[bucket] = *fresh;
	for (uint32_t i = 0; i < fresh->n; i++) {
		struct net who = net_of(&fresh->item[i]);
		const struct shut *was = find(&old, &who);
		if (is_banned(&fresh->item[i]) &&
		    (!is_banned(was) || was->until != fresh->item[i].until))
			tell(g, &fresh->item[i], true);
	}
	for (uint32_t i = 0; i < old.n; i++) {
		struct net who = net_of(&old.item[i]);
		if (is_banned(&old.item[i]) && !is_banned(find(fresh, &who)))
			tell(g, &old.item[i], false);
	}
	free(old.item);
}

bool guard_counts(const struct guard *g, struct str ip, struct net *who)
{
	struct net address;

	if (!net_address(ip, &address) || guard_exempt(g, &address))
		return false;
	*who = lockout_key(address, &g->conf.rules);
	return true;
}

bool guard_closed(const struct guard *g, struct str ip, struct closed *out)
{
	struct net who;

	if (!guard_counts(g, ip, &who))
		return false;
	const struct shut *s = find(&g->bucket[guard_bucket(g, &who)], &who);

	if (!s || clock_wall() >= s->until)
		return false;
	*out = (struct closed){ (enum lockout_state)s->state, s->by_hand, s->until };
	return true;
}

size_t guard_count(const struct guard *g)
{
	int64_t now = clock_wall();
	size_t n = 0;

	for (unsigned b = 0; b < GUARD_BUCKETS; b++)
		for (uint32_t i = 0; i < g->bucket[b].n; i++)
			n += g->bucket[b].item[i].until > now;
	return n;
}

/* --- what people read --- */

/* "14:35 Uhr" and "14:35 CET"; another day is named. */
static void when(int64_t until, struct arena *a, struct str *de, struct str *en)
{
	time_t t = (time_t)until, now = (time_t)clock_wall();
	char day[32], clock[16], zone[16];
	struct tm at, today;

	localtime_r(&t, &at);
	localtime_r(&now, &today);
	strftime(clock, sizeof clock, "%H:%M", &at);
	strftime(zone, sizeof zone, "%Z", &at);
	bool same = at.tm_yday == today.tm_yday && at.tm_year == today.tm_year;

	strftime(day, sizeof day, "%d.%m.%Y ", &at);
	*de = str_fmt(a, "%s%s Uhr %s", same ? "" : day, clock, zone);
	strftime(day, sizeof day, "%Y-%m-%d ", &at);
	*en = str_fmt(a, "%s%s %s", same ? "" : day, clock, zone);
}

/* "24 Stunden" and "24 hours", in the largest unit that is whole. */
static void span(int64_t seconds, struct arena *a, struct str *de, struct str *en)
{
	static const struct {
		int64_t seconds;
		const char *de[2], *en[2]; /* of one, of several */
	} units[] = {
		{ 3600, { "Stunde", "Stunden" }, { "hour", "hours" } },
		{ 60, { "Minute", "Minuten" }, { "minute", "minutes" } },
		{ 1, { "Sekunde", "Sekunden" }, { "second", "seconds" } },
	};
	size_t i = 0;

	while (seconds % units[i].seconds)
		i++;
	long long n = seconds / units[i].seconds;
	*de = str_fmt(a, "%lld %s", n, units[i].de[n != 1]);
	*en = str_fmt(a, "%lld %s", n, units[i].en[n != 1]);
}

/* "3 Sperren in 24 Stunden", "5 wrong passwords". */
static void cause(const struct lockout_rules *r, const struct closed *c, struct arena *a,
		  struct str *de, struct str *en)
{
	struct str span_de, span_en;

	if (c->by_hand) {
		*de = S("vom Betreiber");
		*en = S("by the operator");
	} else if (c->state == LOCKOUT_BANNED) {
		span(r->day_s, a, &span_de, &span_en);
		*de = str_fmt(a, "%u %s in %.*s", r->blocks, r->blocks == 1 ? "Sperre" : "Sperren",
			      FMT(span_de));
		*en = str_fmt(a, "%u %s within %.*s", r->blocks,
			      r->blocks == 1 ? "block" : "blocks", FMT(span_en));
	} else {
		*de = str_fmt(a, "%u %s", r->errors,
			      r->errors == 1 ? "falsches Passwort" : "falsche Passwoerter");
		*en = str_fmt(a, "%u %s", r->errors,
			      r->errors == 1 ? "wrong password" : "wrong passwords");
	}
}

struct str guard_sentence(const struct guard *g, const struct closed *c, struct arena *a)
{
	int64_t until = (c->until + 59) / 60 * 60; /* never promised too early */
	struct str de, en, why_de, why_en;

	when(until, a, &de, &en);
	cause(&g->conf.rules, c, a, &why_de, &why_en);
	return str_fmt(a,
		       "Zugang gesperrt bis %.*s: %.*s / closed for your address until %.*s: %.*s",
		       FMT(de), FMT(why_de), FMT(en), FMT(why_en));
}

static void log_closed(const struct lockout *l, const char *reason, struct str user)
{
	struct arena *a = arena_new(4096);

	log_event(LOG_WARN, l->state == LOCKOUT_BANNED ? "lockout.ban" : "lockout.block",
		  KVC("reason", reason), KV("address", net_text(a, &l->who)),
		  KVN("seconds", l->length_s), KVN("blocks", l->nblocks), KV("user", user));
	arena_free(&a);
}

/* --- a wrong password --- */

static enum err fail(struct guard_update *c, struct lockout *l)
{
	c->effect = lockout_fail(l, &c->rules, c->now, c->what);
	return OK;
}

/* Which mistake it was: told only by who has the secret, and only where it matters. */
static uint32_t mistake(const struct guard *g, const struct wrong *w)
{
	struct buf b = buf_new(64 * 1024);
	uint64_t h;

	if (g->conf.rules.count_repeats)
		return 0;
	buf_blob(&b, w->user);
	buf_blob(&b, w->password);
	crypto_shorthash((uint8_t *)&h, (const uint8_t *)(b.p ? b.p : ""), b.n, g->secret);
	if (b.p)
		sodium_memzero(b.p, b.n);
	buf_free(&b);
	return (uint32_t)h ? (uint32_t)h : 1;
}

/* Its own place, or that of one whose time is over; NULL: all are closed just now. */
static struct shut *place_for(struct shuts *in, const struct net *who)
{
	struct shut *own = (struct shut *)find(in, who);
	int64_t now = clock_wall();

	for (uint32_t i = 0; !own && i < in->n; i++)
		if (now >= in->item[i].until)
			own = &in->item[i];
	if (own || in->n == BUCKET_RECORDS)
		return own;
	in->item = mem_grow(in->item, in->n * sizeof *own, (in->n + 1) * sizeof *own);
	return &in->item[in->n++];
}

static void close_unwritten(struct guard *g, const struct net *who, enum err why)
{
	struct shut *item = place_for(&g->bucket[guard_bucket(g, who)], who);
	struct arena *a = arena_new(4096);

	log_event(LOG_ERROR, "lockout.unwritten", KVE(why), KV("address", net_text(a, who)));
	arena_free(&a);
	if (!item || clock_wall() < item->until)
		return;
	*item = (struct shut){ .until = (uint32_t)(clock_wall() + UNWRITTEN_S),
			       .bits = who->bits,
			       .state = LOCKOUT_BLOCKED };
	memcpy(item->octets, who->octets, sizeof item->octets);
}

enum lockout_effect guard_failed(struct guard *g, const struct wrong *w, unsigned *failures)
{
	struct guard_update c = { .g = g, .apply = fail };

	*failures = 0;
	if (!guard_counts(g, w->ip, &c.who))
		return LOCKOUT_COUNTED;
	c.what = mistake(g, w);
	enum err e = guard_change(&c);

	if (e) {
		close_unwritten(g, &c.who, e);
		return LOCKOUT_COUNTED;
	}
	*failures = c.effect == LOCKOUT_CLOSED ? g->conf.rules.errors : c.after.nfails;
	if (c.effect == LOCKOUT_CLOSED)
		log_closed(&c.after,
			   c.after.state == LOCKOUT_BANNED ? "too many blocks within the day"
							   : "too many wrong passwords",
			   w->user);
	return c.effect;
}

/* --- the operator's --- */

bool guard_who(const struct guard *g, struct str text, struct net *out)
{
	if (!net_parse(text, out))
		return false;
	/* The list has networks of another prefix6 too, until their time is over. */
	if (find(&g->bucket[guard_bucket(g, out)], out))
		return true;
	struct net key = lockout_key(*out, &g->conf.rules);

	if (out->bits != 128 && !net_same(out, &key))
		return false;
	*out = key;
	return out->bits == 128 || (!net_is_v4(out) && out->bits == g->conf.rules.prefix6);
}

enum err guard_show(struct guard *g, const struct net *who, struct lockout *out)
{
	return guard_record(g, who, out);
}

static enum err release(struct guard_update *c, struct lockout *l)
{
	(void)c;
	if (lockout_is_blank(l))
		return E_NOTFOUND;
	lockout_release(l);
	return OK;
}

enum err guard_release(struct guard *g, const struct net *who)
{
	struct guard_update c = { .g = g, .apply = release, .who = *who };
	struct arena *a = arena_new(4096);
	enum err e = guard_change(&c);

	if (!e)
		log_event(LOG_WARN, "lockout.release", KVC("reason", "by the operator"),
			  KV("address", net_text(a, who)));
	arena_free(&a);
	return e;
}

enum guard_exempt guard_exempt_why(const struct guard *g, const struct net *n)
{
	if (nets_have((struct nets){ g->machine, g->nmachine }, n))
		return GUARD_MACHINE;
	if (nets_have(g->conf.exempt, n))
		return GUARD_NETWORK;
	return may_ban(g, n) ? GUARD_COUNTS : GUARD_AROUND;
}

static enum err block(struct guard_update *c, struct lockout *l)
{
	if (l->state != LOCKOUT_OPEN && l->until >= c->now + c->length_s)
		return E_EXISTS;
	lockout_close(l, &c->rules, c->now,
		      l->state == LOCKOUT_BANNED ? LOCKOUT_BANNED : LOCKOUT_BLOCKED, c->length_s);
	return OK;
}

enum err guard_block(struct guard *g, const struct net *who, uint32_t length_s)
{
	struct guard_update c = { .g = g, .apply = block, .who = *who, .length_s = length_s };

	if (!may_ban(g, who))
		return E_DENIED;
	enum err e = guard_change(&c);

	if (!e)
		log_closed(&c.after, "by the operator", S(""));
	return e;
}

struct rows {
	size_t n;
	void (*row)(void *arg, const struct lockout *l);
	void *arg;
};

static void closed_row(void *arg, const struct lockout *l)
{
	struct rows *r = arg;

	if (l->state == LOCKOUT_OPEN)
		return;
	r->n++;
	r->row(r->arg, l);
}

enum err guard_list(struct guard *g, unsigned *at, size_t max,
		    void (*row)(void *arg, const struct lockout *l), void *arg)
{
	struct rows r = { 0, row, arg };

	while (*at < GUARD_BUCKETS && r.n < max) {
		/* Memory knows which buckets have any. */
		enum err e = g->bucket[*at].n ? guard_each(g, *at, closed_row, &r) : OK;

		if (e)
			return e;
		++*at;
	}
	return OK;
}

/* --- life --- */

void guard_refresh(struct guard *g)
{
	g->nmachine = net_machine(g->machine, LENGTH(g->machine));
	if (g->nmachine + 2 > LENGTH(g->machine))
		g->nmachine = LENGTH(g->machine) - 2;
	BUG_IF(!net_address(S("127.0.0.1"), &g->machine[g->nmachine++]));
	BUG_IF(!net_address(S("::1"), &g->machine[g->nmachine++]));
}

void guard_tell_banned(struct guard *g)
{
	for (unsigned b = 0; b < GUARD_BUCKETS; b++)
		for (uint32_t i = 0; i < g->bucket[b].n; i++)
			if (is_banned(&g->bucket[b].item[i]))
				tell(g, &g->bucket[b].item[i], true);
}

void guard_configure(struct guard *g, const struct guard_conf *conf)
{
	g->conf = *conf;
	guard_refresh(g);
	guard_tell_banned(g);
}

/* A bucket that is damaged keeps nobody from his mail: the server begins without it. Who guesses
 * from an address of it is closed for a minute each time, as guard_failed says. */
static enum err load_one(struct guard *g, unsigned bucket)
{
	enum err e = guard_load(g, bucket, bucket + 1);

	if (e != E_CORRUPT)
		return e;
	log_event(LOG_ERROR, "lockout.unread", KVE(e), KVN("bucket", bucket));
	return OK;
}

static enum err load_all(struct guard *g)
{
	enum err e = OK;

	for (unsigned b = 0; !e && b < GUARD_BUCKETS; b += BUCKETS_AT_ONCE) {
		e = guard_load(g, b, b + BUCKETS_AT_ONCE);
		if (e != E_CORRUPT)
			continue;
		e = OK;
		for (unsigned i = b; !e && i < b + BUCKETS_AT_ONCE; i++)
			e = load_one(g, i);
	}
	return e;
}

enum err guard_new(struct store *st, const struct guard_conf *conf, struct guard_news news,
		   struct guard **out)
{
	struct guard *g = NEW(struct guard);
	struct changed changed;

	BUG_IF(sodium_init() < 0);
	g->store = st;
	g->conf = *conf;
	g->news = news;
	g->group = group_new();
	g->watch = store_watch(st, S(GUARD_PARTITION));
	guard_refresh(g);
	enum err e = guard_secret(g);

	if (!e)
		e = guard_changed(g, &g->seen, &changed);
	if (!e)
		e = load_all(g);
	if (!e)
		e = guard_start(g);
	if (e)
		guard_close(&g);
	*out = g;
	return e;
}

void guard_close(struct guard **at)
{
	struct guard *g = *at;

	if (!g)
		return;
	group_close(&g->group);
	watch_close(&g->watch);
	for (unsigned b = 0; b < GUARD_BUCKETS; b++)
		free(g->bucket[b].item);
	sodium_memzero(g->secret, sizeof g->secret);
	free(g);
	*at = NULL;
}
