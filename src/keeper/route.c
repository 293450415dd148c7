/* SPDX-License-Identifier: ISC */
/* keeper/route.c - aliases, catch-alls and details, expanded in one snapshot. */
#include "base/clock.h"
#include "keeper/day.h"
#include "keeper/route.h"

enum { SEEN_SLOTS = 8192 }; /* a power of two, twice what may be seen (expand_alias) */

static const struct str postmaster = { "postmaster", 10 };

/* One expansion. The routes are in the caller's arena, the rest is scratch of the snapshot. */
struct expansion {
	const struct route_rules *rules;
	struct name to; /* empty domain: bare postmaster */
	struct arena *a;
	struct route *routes;
	size_t n;
	struct route expired; /* the first that was left out because of that; account 0: none */
	int64_t now;
	struct tx *tx;
	struct str *seen; /* names and routes that were there already */
	size_t nseen;
};

/* True at the first time for this text; E_LIMIT comes from the caller's count. */
static bool first_time(struct expansion *x, struct str text)
{
	size_t i = (size_t)str_hash(text) & (SEEN_SLOTS - 1);

	for (; x->seen[i].p; i = (i + 1) & (SEEN_SLOTS - 1))
		if (str_eq(x->seen[i], text))
			return false;
	x->seen[i] = text;
	x->nseen++;
	return true;
}

static enum err add_route(struct expansion *x, struct route r, struct str identity)
{
	if (!first_time(x, identity))
		return OK;
	if (x->n == ALIAS_TARGETS_MAX)
		return E_LIMIT;
	x->routes[x->n++] = r;
	return OK;
}

/* Mail for the role, not for him who has it at present. */
static bool for_postmaster(const struct expansion *x, const struct user *u)
{
	return str_eq(x->to.local, postmaster) &&
	       !(str_eq(u->name.local, x->to.local) && str_eq(u->name.domain, x->to.domain));
}

static enum err add_user(struct expansion *x, const struct user *u, struct str detail)
{
	struct route r = { .account = u->account,
			   .quota = u->quota,
			   .encrypted = (u->guarantees.receiving || x->rules->least.receiving) &&
					!for_postmaster(x, u),
			   .address = name_text(x->a, u->name),
			   .mailbox = str_dup(x->a, detail) };

	if (day_over(u->expires, x->now)) {
		if (!x->expired.account)
			x->expired = r;
		return OK;
	}
	return add_route(x, r, str_fmt(tx_arena(x->tx), "#%08x", u->account));
}

static enum err add_remote(struct expansion *x, struct name n)
{
	struct route r = { .address = name_text(x->a, n), .mailbox = S("") };

	return add_route(x, r, str_fmt(tx_arena(x->tx), ">%.*s", FMT(r.address)));
}

static enum err add_reports(struct expansion *x, struct name n)
{
	return add_route(x,
			 (struct route){ .account = KEEPER_REPORTS_ACCOUNT,
					 .quota = KEEPER_REPORTS_QUOTA,
					 .address = name_text(x->a, n),
					 .mailbox = S("") },
			 S("reports"));
}

static enum err expand(struct expansion *x, struct name n, struct str detail, unsigned depth);

static enum err expand_alias(struct expansion *x, const struct alias *l, struct str detail,
			     unsigned depth)
{
	/* A target leaves two entries at the most: its name and its route. */
	if (depth == ALIAS_DEPTH_MAX || x->nseen > 2 * ALIAS_TARGETS_MAX - 2)
		return E_LIMIT;
	for (size_t i = 0; i < l->ntargets; i++) {
		enum err e = expand(x, l->targets[i], detail, depth + 1);
		if (e && e != E_NOTFOUND)
			return e;
	}
	return OK;
}

/* The user or the alias of exactly this name. E_NOTFOUND. */
static enum err exact(struct expansion *x, struct name n, struct str detail, unsigned depth)
{
	struct arena *scratch = tx_arena(x->tx);
	struct alias l = { 0 };
	struct user u = { 0 };
	enum err e = dir_user(x->tx, n, scratch, &u);

	if (!e)
		return add_user(x, &u, detail);
	if (e != E_NOTFOUND)
		return e;
	e = dir_alias(x->tx, n, scratch, &l);
	return e ? e : expand_alias(x, &l, detail, depth);
}

/* The name before its first separator that has something on both sides. */
static bool split_detail(const struct expansion *x, struct name n, struct name *base,
			 struct str *detail)
{
	for (size_t i = 1; i + 1 < n.local.n; i++) {
		if (!str_has(x->rules->detail, n.local.p[i]))
			continue;
		*base = (struct name){ .local = str_part(n.local, 0, i), .domain = n.domain };
		/* The names of mailboxes know upper and lower case. (Another length: rare NFC.) */
		*detail = str_from(n.written.n == n.local.n ? n.written : n.local, i + 1);
		return true;
	}
	return false;
}

static enum err configured_postmaster(struct expansion *x, unsigned depth)
{
	struct name n;

	if (x->rules->postmaster.n == 0 || depth == ALIAS_DEPTH_MAX)
		return E_NOTFOUND;
	if (name_parse(tx_arena(x->tx), x->rules->postmaster, false, &n))
		return E_NOTFOUND;
	return expand(x, n, S(""), depth + 1);
}

static enum err oldest_account(struct expansion *x)
{
	struct user u = { 0 };
	struct name n;
	enum err e = dir_oldest(x->tx, tx_arena(x->tx), &n);

	if (!e)
		e = dir_user(x->tx, n, tx_arena(x->tx), &u);
	u.expires = 0; /* somebody must get it */
	return e ? e : add_user(x, &u, S(""));
}

/* Rows 1 to 8 of route.h for a name in a domain of ours. */
static enum err expand_local(struct expansion *x, struct name n, struct str detail, unsigned depth)
{
	bool is_postmaster = str_eq(n.local, postmaster);
	size_t before = x->n;
	struct name base;
	struct str part;
	enum err e = exact(x, n, detail, depth);

	if (e == E_NOTFOUND && split_detail(x, n, &base, &part))
		e = exact(x, base, part, depth);
	if (e == E_NOTFOUND && is_postmaster)
		e = configured_postmaster(x, depth);
	if (e == E_NOTFOUND && str_is(n.local, KEEPER_REPORTS_LOCAL))
		e = add_reports(x, n);
	if (e == E_NOTFOUND) {
		struct alias all = { 0 };

		e = dir_alias(x->tx, (struct name){ .local = S("*"), .domain = n.domain },
			      tx_arena(x->tx), &all);
		if (!e)
			e = expand_alias(x, &all, detail, depth);
	}
	/* RFC 5321 4.5.1 knows no excuse: not even an alias that leads nowhere. */
	if (is_postmaster && (e == E_NOTFOUND || (!e && x->n == before)))
		e = oldest_account(x);
	return e;
}

/* E_DENIED only at depth 0: a target elsewhere is a recipient elsewhere. */
static enum err expand(struct expansion *x, struct name n, struct str detail, unsigned depth)
{
	struct str text = str_fmt(tx_arena(x->tx), "%.*s/%.*s", FMT(n.domain), FMT(n.local));
	int64_t created;
	enum err e = dir_domain(x->tx, n.domain, &created);

	if (e == E_NOTFOUND)
		return depth ? add_remote(x, n) : E_DENIED;
	if (e)
		return e;
	if (!first_time(x, text)) /* a loop, or a second way to the same */
		return OK;
	return expand_local(x, n, detail, depth);
}

/* "RCPT TO:<Postmaster>" without a domain: RFC 5321 4.1.1.3, 4.5.1 */
static enum err bare_postmaster(struct expansion *x)
{
	struct name n;
	enum err e = configured_postmaster(x, 0);

	if (e != E_NOTFOUND)
		return e;
	e = dir_oldest(x->tx, tx_arena(x->tx), &n);
	n.local = postmaster;
	return e ? e : expand(x, n, S(""), 0);
}

static enum err find(struct tx *tx, void *arg)
{
	struct expansion *x = arg;

	x->tx = tx;
	x->n = x->nseen = 0;
	x->seen = ARENA_ARRAY(tx_arena(tx), struct str, SEEN_SLOTS);
	x->expired = (struct route){ 0 };
	enum err e = x->to.domain.n ? expand(x, x->to, S(""), 0) : bare_postmaster(x);
	if (!e && x->n == 0 && x->expired.account) {
		x->expired.expired = true;
		x->routes[x->n++] = x->expired;
	}
	return !e && x->n == 0 ? E_NOTFOUND : e;
}

enum err route_find(struct store *st, const struct route_rules *rules, struct path to,
		    struct arena *a, struct route **out, size_t *n)
{
	struct expansion x = { .rules = rules, .a = a, .now = clock_wall() };

	if (to.domain.n == 0 && str_ieq(to.local, postmaster))
		x.to = (struct name){ .local = postmaster };
	else if (name_of(a, to, &x.to))
		return to.domain.n && *to.domain.p == '[' ? E_DENIED : E_NOTFOUND;
	x.routes = ARENA_ARRAY(a, struct route, ALIAS_TARGETS_MAX);
	enum err e = store_read(st, S(DIRECTORY_PARTITION), find, &x);
	*out = x.routes;
	*n = x.n;
	return e;
}

enum err route_may_send(struct store *st, const struct route_rules *rules, uint32_t account,
			struct path from, struct arena *a)
{
	struct route *routes;
	size_t n;

	if (account == 0 || from.local.n == 0 || from.domain.n == 0)
		return E_DENIED;
	enum err e = route_find(st, rules, from, a, &routes, &n);
	if (e == E_NOTFOUND || e == E_LIMIT)
		return E_DENIED;
	if (e)
		return e;
	for (size_t i = 0; i < n; i++)
		if (routes[i].account == account)
			return OK;
	return E_DENIED;
}
