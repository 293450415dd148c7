/* SPDX-License-Identifier: ISC */
/* ctl/roll_dns.c - what the DNS promises of our keys, since when, and what port 25 shows. */
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "ctl/roll.h"
#include "ctl/zone.h"
#include "mail/address.h"
#include "proc/dns_conf.h"
#include "smtp/client.h"

enum { ASK_MS = 15000, SHOW_MS = 5000, NOTE_MAX = 200, NOTE_VERSION = 1 };

/* --- asking --- */

static void take(struct ctl *c, const struct dns_answer *found, struct roll_published *out)
{
	out->hash = ARENA_ARRAY(c->arena, struct str, found->n);
	for (size_t i = 0; i < found->n; i++) {
		const struct tlsa *t = &found->tlsa[i];

		if (t->usage == 3 && t->selector == 1 && t->matching == 1)
			out->hash[out->n++] = hex_encode(c->arena, t->data);
		else
			out->others++;
	}
	out->ttl = found->ttl;
	out->promise = PROMISE_MADE;
}

/* RFC 7672 2.2: what is not proven promises nothing; that it is not there must be proven or be in
 * no signed zone, which both are DNS_NODATA or DNS_NXDOMAIN here. */
static void judge(struct ctl *c, const struct dns_answer *found, struct roll_published *out)
{
	switch (found->status) {
	case DNS_FOUND:
		if (found->secure)
			take(c, found, out);
		else
			out->promise = PROMISE_NONE;
		return;
	case DNS_NODATA:
	case DNS_NXDOMAIN: out->promise = PROMISE_NONE; return;
	default:
		out->why = str_fmt(c->arena, "%s%s%.*s", dns_status_text(found->status),
				   found->why.n ? ": " : "", FMT(found->why));
	}
}

void roll_ask(struct ctl *c, struct roll_published *out)
{
	struct dns_conf conf = config_dns(&c->config, c->arena);
	struct dns_answer found;
	struct str host;
	struct dns *dns;

	if (domain_ascii(c->arena, c->config.hostname, &host))
		host = c->config.hostname;
	*out = (struct roll_published){ .name = str_fmt(c->arena, "_25._tcp.%.*s", FMT(host)) };
	enum err e = dns_new(&conf, c->arena, &dns, &out->why);
	if (e)
		return;
	e = dns_ask(dns, out->name, DNS_TLSA, clock_in(ASK_MS), c->arena, &found);
	if (e)
		out->why = str_of(err_text(e));
	else
		judge(c, &found, out);
	dns_close(&dns);
}

bool roll_is_published(const struct roll_published *p, struct str hash)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->hash[i], hash))
			return true;
	return false;
}

/* --- since when --- */

struct note {
	struct str hash;
	int64_t since;
	uint32_t ttl; /* the longest that was seen */
};

static bool read_note(struct ctl *c, struct str path, struct note *out)
{
	struct str text, ignored;

	if (file_read(path, NOTE_MAX, c->arena, &text, &ignored))
		return false;
	struct scan in = scan(str_trim(text));
	bool known = scan_num(&in, UINT32_MAX) == NOTE_VERSION;
	scan_lit(&in, " ");
	out->hash = scan_until(&in, ' ');
	out->since = (int64_t)scan_num(&in, INT64_MAX);
	scan_lit(&in, " ");
	out->ttl = (uint32_t)scan_num(&in, UINT32_MAX);
	return known && scan_end(&in);
}

static enum err write_note(struct ctl *c, struct str path, const struct note *n, struct str *why)
{
	struct str text = str_fmt(c->arena, "%d %.*s %lld %u\n", NOTE_VERSION, FMT(n->hash),
				  (long long)n->since, n->ttl);
	enum err e = file_prepare_like(path, c->config.key, text, 0644, c->arena, why);

	return e ? e : file_switch(path, c->arena, why);
}

enum err roll_note(struct ctl *c, const struct roll_keys *k, const struct roll_published *p,
		   struct roll_seen *out, struct str *why)
{
	struct str path = roll_beside(c, ".next.since");
	struct note was = { 0 }, now = { .hash = k->next, .since = clock_wall(), .ttl = p->ttl };
	bool known = read_note(c, path, &was) && str_eq(was.hash, k->next);

	*out = (struct roll_seen){ 0 };
	if (!k->next.n || (p->promise == PROMISE_UNKNOWN && !known))
		return OK;
	if (p->promise != PROMISE_UNKNOWN && !roll_is_published(p, k->next)) {
		(void)unlink(str_c(c->arena, path)); /* it counts from the start when it comes */
		return OK;
	}
	if (known) {
		now.since = was.since;
		now.ttl = was.ttl > now.ttl ? was.ttl : now.ttl;
	}
	enum err e = known && now.ttl == was.ttl ? OK : write_note(c, path, &now, why);
	/* Never sooner than by the TTL that we print: a resolver in between tells less. */
	uint32_t ttl = now.ttl > ZONE_TTL ? now.ttl : ZONE_TTL;
	*out = (struct roll_seen){ now.since, now.since + (int64_t)ROLL_WAITS * ttl };
	return e;
}

struct str roll_objection(struct ctl *c)
{
	struct roll_published p;

	roll_ask(c, &p);
	if (p.promise == PROMISE_NONE)
		return S("");
	if (p.promise == PROMISE_MADE)
		return str_fmt(
			c->arena,
			"the DNS promises the present key (%.*s), so with another no server "
			"that checks it could send mail: tecsmail tls next makes the key that "
			"comes next",
			FMT(p.name));
	return str_fmt(c->arena,
		       "whether the DNS promises the present key could not be found out (%.*s: "
		       "%.*s)",
		       FMT(p.name), FMT(p.why));
}

/* --- what port 25 shows --- */

static bool shows(struct ctl *c, struct str ip, uint16_t port, struct str hash)
{
	struct tlsa tlsa = { .usage = 3, .selector = 1, .matching = 1 };
	struct client_conf conf = { .name = c->config.hostname,
				    .secure = TLS_ALWAYS,
				    .tls = tls_client_new(),
				    .wish = { .name = c->config.hostname,
					      .proof = TLS_BY_DANE,
					      .tlsa = &tlsa,
					      .ntlsa = 1 },
				    .times = client_times_default() };
	struct outcome outcome;
	struct io *io;
	bool good = false;

	conf.times.login_ms = SHOW_MS;
	if (hash.n && hex_decode(c->arena, hash, &tlsa.data) &&
	    !io_connect(ip, port, clock_in(SHOW_MS), &io)) {
		struct smtp_client *client = smtp_client_new(&conf, io);
		good = smtp_client_greet(client, &outcome);
		smtp_client_quit(&client);
		io_close(&io);
	}
	tls_release(&conf.tls);
	return good;
}

struct str roll_served(struct ctl *c, const struct roll_keys *k)
{
	struct str hash[ROLL_HASHES_MAX], ip;
	bool ignored[ROLL_HASHES_MAX];
	size_t n = roll_promised(k, hash, ignored);
	uint16_t port;

	if (!c->config.smtp.n || !address_split(c->config.smtp.item[0], &ip, &port))
		return S("");
	if (str_is(ip, "*"))
		ip = S("127.0.0.1");
	for (size_t i = 0; i < n; i++)
		if (shows(c, ip, port, hash[i]))
			return hash[i];
	return S("");
}
