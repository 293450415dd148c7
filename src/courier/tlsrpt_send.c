/* SPDX-License-Identifier: ISC */
/* courier/tlsrpt_send.c - the reports of the days that are over: RFC 8460 3, 5. */
#include "base/encode.h"
#include "courier/sign.h"
#include "courier/sts.h"
#include "courier/tlsrpt_priv.h"
#include "courier/tlsrpt_write.h"
#include "queue/queue.h"

enum {
	LOOK_MS = 300000,
	SPREAD_S = 4 * 3600, /* RFC 8460 4.1 */
	CLAIM_S = 3600,      /* who claims has so long; what failed is tried again after it */
	GIVE_UP_S = 86400,   /* after the day: RFC 8460 5.4 */
	DNS_WAIT_MS = 20000,
	POSTS_MS = 60000,
	TLSA_TOLD = 16, /* records, */
	TLSA_HOSTS = 4, /* of so many hosts */
	TLSA_DATA_MAX = 512,
	REPORT_MEMORY = 32 << 20
};

/* One report on its way. */
struct report {
	struct tlsrpt *t;
	struct arena *a; /* borrowed */
	struct tlsrpt_claim claim;
	struct tlsrpt_report_of of;
	struct path from;
	struct str gzip;
	struct tlsrpt_rua rua[TLSRPT_RUA_MAX];
	size_t nrua;
	struct str tlsa[TLSA_TOLD];
	struct blob *blob[TLSRPT_RUA_MAX]; /* owned; of the mails */
	struct queue_put put[TLSRPT_RUA_MAX];
	struct queue_recipient rcpt[TLSRPT_RUA_MAX];
	struct update update[TLSRPT_RUA_MAX + 1];
	size_t nupdates, posted;
};

/* Each domain has its own moment of the night, another one for each server. */
static bool is_time(void *arg, uint32_t day, struct str domain)
{
	const struct tlsrpt *t = arg;
	uint64_t h = str_hash(t->conf.hostname) * 31 + str_hash(domain) + day;
	unsigned spread = t->conf.spread_s ? t->conf.spread_s : SPREAD_S;

	h = (h ^ h >> 29) * 0x9e3779b97f4a7c15u;
	return clock_wall() >= ((int64_t)day + 1) * DAY_S + (int64_t)((h >> 32) % spread);
}

/* --- who reports --- */

static struct str parent_of(struct str domain)
{
	return str_from(domain, str_find(domain, '.') + 1);
}

/* As configured, or postmaster of a domain of ours that has the hostname in it. E_NOTFOUND. */
static enum err find_contact(const struct tlsrpt *t, struct arena *a, struct path *out)
{
	struct str domain = t->conf.hostname;
	enum err e = E_NOTFOUND;

	if (t->conf.contact.n)
		return path_parse(a, t->conf.contact, out) ? E_NOTFOUND : OK;
	while (e == E_NOTFOUND && str_has(domain, '.')) {
		e = keeper_domain(t->conf.keeper, domain);
		if (e == E_NOTFOUND)
			domain = parent_of(domain);
	}
	*out = (struct path){ .local = S("postmaster"), .domain = domain };
	return e;
}

/* --- to whom --- */

/* E_NOTFOUND: nobody wants reports; E_AGAIN: it cannot be known now. */
static enum err ask_rua(struct report *r)
{
	struct str name = str_fmt(r->a, "_smtp._tls.%.*s", FMT(r->claim.domain));
	struct dns_answer x;
	enum err e = dns_ask(r->t->conf.dns, name, DNS_TXT, clock_in(DNS_WAIT_MS), r->a, &x);

	if (e)
		return e == E_CANCELED ? e : e == E_SYNTAX ? E_NOTFOUND : E_AGAIN;
	if (x.status == DNS_NODATA || x.status == DNS_NXDOMAIN)
		return E_NOTFOUND;
	if (x.status != DNS_FOUND)
		return E_AGAIN;
	return tlsrpt_record(r->a, x.text, x.n, r->rua, &r->nrua);
}

/* --- sending --- */

/* A mail for one address is written to a blob, with the update that puts it into the queue. A
 * report by mail without a signature would not be believed: RFC 8460 3. */
static enum err prepare_mail(struct report *r, size_t i)
{
	struct store *st = r->t->conf.store;
	int64_t now = clock_wall();
	struct str mail = tlsrpt_mail(r->a, &r->of, r->rua[i].to, (unsigned)i + 1, r->gzip, now);
	struct str fields;
	enum err e = own_sign(r->t->conf.keeper, r->from, &mail, 1, r->a, &fields);

	if (e)
		return e;
	if (!fields.n) {
		log_event(LOG_WARN, "tlsrpt.unsigned", KV("domain", r->from.domain));
		return E_DENIED;
	}
	r->blob[i] = blob_new(st);
	r->rcpt[i] =
		(struct queue_recipient){ .address = r->rua[i].to, .notify = QUEUE_NEVER_TELL };
	r->put[i] = (struct queue_put){ .m = { .sender = S(""),
					       .tls_optional = true,
					       .submitted = now,
					       .size = fields.n + mail.n },
					.rcpt = &r->rcpt[i],
					.n = 1 };
	e = blob_write(r->blob[i], fields);
	if (!e)
		e = blob_write(r->blob[i], mail);
	if (!e)
		e = blob_finish(r->blob[i], S(""), &r->put[i].m.blob);
	if (!e)
		e = queue_prepare(r->a, &r->put[i], &r->update[r->nupdates]);
	r->nupdates += !e;
	return e;
}

static enum err post(struct report *r, size_t i)
{
	struct https_answer x;
	struct str why = S("");
	enum err e = https_post(r->t->https, r->rua[i].to, "application/tlsrpt+gzip", r->gzip, r->a,
				&x, &why);

	if (!e && x.status / 100 == 2) {
		r->posted++;
		return OK;
	}
	if (!e)
		why = str_fmt(r->a, "HTTP status %u", x.status);
	log_event(LOG_INFO, "tlsrpt.not.posted", KV("domain", r->claim.domain),
		  KV("url", r->rua[i].to), KV("why", why));
	return e == E_CANCELED ? e : E_AGAIN;
}

/* All of them once, but for URLs whose turn comes after a minute; where none could be had, all once
 * more later. */
static enum err send_all(struct report *r)
{
	int64_t patience = clock_in(POSTS_MS);
	enum err worst = OK;

	for (size_t i = 0; i < r->nrua; i++) {
		enum err e;

		if (r->rua[i].by_mail)
			e = prepare_mail(r, i);
		else
			e = clock_ms() < patience ? post(r, i) : E_TIMEOUT;
		if (e == E_CANCELED)
			return e;
		worst = e ? e : worst;
	}
	return r->posted || r->nupdates ? OK : worst;
}

/* The mails and the end of the counts in one commit. */
static enum err finish(struct report *r)
{
	enum err e = OK;

	r->update[r->nupdates++] = tlsrpt_counts_done(&r->claim.key);
	store_update_all(r->t->conf.store, r->update, r->nupdates);
	for (size_t i = 0; i < r->nupdates; i++)
		e = e ? e : r->update[i].result;
	return e;
}

static void log_report(const struct report *r, enum err e)
{
	size_t mails = r->nupdates ? r->nupdates - 1 : 0;

	if (e)
		log_event(LOG_WARN, "tlsrpt.not.sent", KV("domain", r->claim.domain), KVE(e));
	else if (r->nrua)
		log_event(LOG_INFO, "tlsrpt.sent", KV("domain", r->claim.domain),
			  KVN("day", r->claim.day), KVN("mails", mails), KVN("posts", r->posted));
}

static void add_tlsa(struct report *r, struct str mx)
{
	struct str name = str_fmt(r->a, "_25._tcp.%.*s", FMT(mx));
	struct dns_answer x;

	if (dns_ask(r->t->conf.dns, name, DNS_TLSA, clock_in(DNS_WAIT_MS), r->a, &x) ||
	    x.status != DNS_FOUND || !x.secure)
		return;
	for (size_t i = 0; i < x.n && r->of.ntlsa < TLSA_TOLD; i++) {
		const struct tlsa *t = &x.tlsa[i];

		if (t->data.n > TLSA_DATA_MAX) /* a whole certificate */
			continue;
		r->tlsa[r->of.ntlsa++] = str_fmt(r->a, "%u %u %u %.*s", t->usage, t->selector,
						 t->matching, FMT(hex_encode(r->a, t->data)));
	}
}

/* The records as they are now, of the first hosts: what was counted says none. */
static void find_tlsa(struct report *r)
{
	const struct tlsrpt_counts *c = &r->claim.counts;
	struct str seen[TLSA_HOSTS];
	size_t n = 0;

	r->of.tlsa = r->tlsa;
	for (size_t i = 0; i < c->n && n < TLSA_HOSTS; i++) {
		bool known = c->row[i].policy != TLSRPT_TLSA || !c->row[i].mx.n;

		for (size_t k = 0; k < n && !known; k++)
			known = str_eq(seen[k], c->row[i].mx);
		if (known)
			continue;
		seen[n++] = c->row[i].mx;
		add_tlsa(r, c->row[i].mx);
	}
}

static enum err compose(struct report *r)
{
	const struct tlsrpt_conf *conf = &r->t->conf;
	struct mta_sts *sts = ARENA_NEW(r->a, struct mta_sts);
	enum err e = find_contact(r->t, r->a, &r->from);

	if (e)
		return e == E_NOTFOUND ? E_DENIED : e;
	r->of = (struct tlsrpt_report_of){ .organization = conf->organization.n ? conf->organization
										: conf->hostname,
					   .contact = path_text(r->a, r->from),
					   .submitter = r->from.domain,
					   .domain = r->claim.domain,
					   .day = r->claim.day,
					   .counts = &r->claim.counts };
	if (!sts_kept_policy(conf->store, r->claim.domain, r->a, sts))
		r->of.sts = sts;
	find_tlsa(r);
	r->gzip = tlsrpt_gzip(r->a, tlsrpt_json(r->a, &r->of));
	return OK;
}

static enum err report(struct report *r)
{
	int64_t end = ((int64_t)r->claim.day + 1) * DAY_S + GIVE_UP_S;
	enum err e = ask_rua(r);

	if (!e)
		e = compose(r);
	if (!e)
		e = send_all(r);
	if (!e || e == E_NOTFOUND || (e != E_CANCELED && clock_wall() >= end)) {
		enum err last = finish(r);
		e = e == E_NOTFOUND ? last : e ? e : last;
	}
	for (size_t i = 0; i < LENGTH(r->blob); i++)
		blob_close(&r->blob[i]);
	if (e != E_CANCELED)
		log_report(r, e);
	return e;
}

static enum err report_due(struct tlsrpt *t)
{
	struct arena *a = arena_new(REPORT_MEMORY);
	char from[KEY_MAX + 1] = "";
	enum err e = OK;

	while (!e) {
		int64_t now = clock_wall();
		struct report *r;

		arena_reset(a);
		r = ARENA_NEW(a, struct report);
		*r = (struct report){ .t = t,
				      .a = a,
				      .claim = { .before = (uint32_t)(now / DAY_S),
						 .now = now,
						 .until = now + CLAIM_S,
						 .accept = is_time,
						 .arg = t } };
		e = tlsrpt_counts_claim(t->conf.store, str_of(from), a, &r->claim);
		if (e)
			break;
		snprintf(from, sizeof from, "%.*s", FMT(r->claim.key));
		/* What happened to one report is in the log; the next may fare better. */
		if (r->claim.found && report(r) == E_CANCELED)
			e = E_CANCELED;
	}
	arena_free(&a);
	return e == E_NOTFOUND ? OK : e;
}

void tlsrpt_send_daily(void *arg)
{
	struct tlsrpt *t = arg;
	enum err e = OK;

	while (e != E_CANCELED) {
		e = t->conf.send ? report_due(t) : OK;
		if (e && e != E_CANCELED)
			log_event(LOG_WARN, "tlsrpt.reports", KVE(e));
		if (e != E_CANCELED)
			e = fiber_sleep(clock_in(LOOK_MS));
	}
}
