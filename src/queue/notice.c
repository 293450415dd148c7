/* SPDX-License-Identifier: ISC */
#include <sodium.h>

#include "base/encode.h"
#include "queue/notice.h"

enum {
	HEADER_USUAL = 64 * 1024,
	PIECE = 256 * 1024,
	ALSO_MAX = 8,
	TRIES = 3,
	PAUSE_MS = 1000,
};

static const struct str return_path = { "Return-Path: <>\r\n", 17 };

/* --- what is in it --- */

/* The header of the message that it is about; "" where it cannot be read any more. E_AGAIN and its
 * like: it can be, but not just now. */
static enum err read_header(const struct queue_notice_of *of, struct arena *a, struct str *out)
{
	enum err e = OK;

	*out = S("");
	for (size_t most = HEADER_USUAL; !e; most = REPORT_HEADER_MAX) {
		struct str s;

		e = queue_read(of->store, &of->job->m, 0, most, a, &s);
		if (e)
			break;
		size_t n = str_find_str(s, S("\r\n\r\n"));

		if (n < s.n || s.n < most || most == REPORT_HEADER_MAX) {
			*out = str_part(s, 0, n < s.n ? n + 2 : s.n);
			return OK;
		}
	}
	return err_temporary(e) ? e : OK;
}

struct queue_notice_octets {
	const struct queue_notice_of *of;
	const struct queue_report_text *text;
};

enum err queue_notice_each(const struct queue_notice_octets *o,
			   enum err (*fn)(void *arg, struct str octets), void *arg)
{
	const struct queue_message *m = &o->of->job->m;
	struct arena *a = arena_new(4 << 20);
	enum err e = fn(arg, o->text->head);

	for (uint64_t off = 0; o->text->full && off < m->size && !e;) {
		struct str s;

		arena_reset(a);
		e = queue_read(o->of->store, m, off, PIECE, a, &s);
		if (!e && !s.n)
			break;
		if (!e)
			e = fn(arg, s);
		off += s.n;
	}
	arena_free(&a);
	return e ? e : fn(arg, o->text->tail);
}

/* full: with the whole message, where its sender wants that. */
static enum err make(const struct queue_notice_of *of, enum queue_report kind, struct str domain,
		     struct str header, bool full, struct arena *a, struct queue_report_text *out)
{
	unsigned char chance[10];
	struct queue_message m = of->job->m;
	struct queue_report_of r = { .m = &m,
				     .rcpt = of->job->p.rcpt,
				     .n = of->job->p.n,
				     .kind = kind,
				     .plan = of->plan,
				     .host = of->hostname,
				     .from = str_fmt(a, "postmaster@%.*s", FMT(domain)),
				     .header = header,
				     .now = of->now };

	if (!full || m.requiretls) /* RFC 8689 5: then its body does not go back */
		m.ret = QUEUE_RET_HDRS;
	randombytes_buf(chance, sizeof chance);
	r.id = hex_encode(a, STR((char *)chance, sizeof chance));
	return queue_report_make(a, &r, out);
}

static enum err to_mail(void *arg, struct str octets)
{
	return incoming_write(arg, octets);
}

/* domain: whose postmaster speaks. elsewhere: it leaves the house, and is signed. */
static enum err write_text(const struct queue_notice_of *of, const struct queue_report_text *text,
			   struct str domain, bool elsewhere, struct arena *a,
			   struct incoming **out)
{
	struct queue_notice_octets octets = { of, text };
	struct path from = { .local = S("postmaster"), .domain = domain };
	struct incoming *in = incoming_new(of->store);
	struct str fields = S("");
	enum err e = OK;

	if (elsewhere && of->sign)
		e = of->sign(of->arg, from, &octets, a, &fields);
	if (!e)
		e = incoming_write(in, return_path); /* RFC 5321 4.4; in the queue it is skipped */
	if (!e)
		e = incoming_write(in, fields);
	if (!e)
		e = queue_notice_each(&octets, to_mail, in);
	if (!e)
		e = incoming_finish(in);
	if (e)
		incoming_close(&in);
	*out = in;
	return e;
}

/* --- who is told --- */

static void add_local(struct queue_notice *m, const struct route *r)
{
	/* Quota or not: it is not the sender's mail that came in. */
	if (!r->expired)
		m->to[m->nto++] = (struct delivery){ .account = r->account,
						     .warning = { .address = r->address } };
}

/* As mail of ours. What came by REQUIRETLS stays so: RFC 8689 5. */
static struct queue_put *new_put(const struct queue_notice_of *of, struct arena *a)
{
	const struct queue_message *about = &of->job->m;
	struct queue_put *p = ARENA_NEW(a, struct queue_put);

	p->m = (struct queue_message){ .sender = S(""),
				       .body = QUEUE_8BITMIME,
				       .utf8 = about->utf8,
				       .requiretls = about->requiretls,
				       .priority = about->priority,
				       .submitted = of->now };
	p->rcpt = ARENA_ARRAY(a, struct queue_recipient, ALIAS_TARGETS_MAX);
	return p;
}

static void add_to(struct queue_put *p, struct str address)
{
	if (p->n == ALIAS_TARGETS_MAX)
		return;
	struct queue_recipient *r = (struct queue_recipient *)&p->rcpt[p->n++];
	*r = (struct queue_recipient){ .address = str_part(address, 0, QUEUE_ADDRESS_MAX),
				       .notify = QUEUE_NEVER_TELL };
}

/* The report itself, once it is written. */
static void add_octets(struct queue_put *p, const struct incoming *in)
{
	p->m.blob = incoming_blob(in);
	p->m.skip = (uint32_t)return_path.n;
	p->m.size = incoming_size(in) - return_path.n;
}

/* Back into the queue. */
static void add_elsewhere(const struct queue_notice_of *of, struct queue_notice *m,
			  struct str address, struct arena *a)
{
	if (!m->put)
		m->put = new_put(of, a);
	add_to(m->put, address);
}

/* Ours that has the hostname in it; where there is none, the hostname. */
static struct str own_domain(const struct queue_notice_of *of)
{
	struct str domain = of->hostname;

	while (str_has(domain, '.') && keeper_domain(of->keeper, domain) == E_NOTFOUND)
		domain = str_from(domain, str_find(domain, '.') + 1);
	return str_has(domain, '.') ? domain : of->hostname;
}

/* domain: whose postmaster speaks. */
static enum err find_sender(const struct queue_notice_of *of, struct arena *a,
			    struct queue_notice *m, struct str *domain)
{
	struct path sender;
	struct route *route;
	size_t n;

	*domain = of->hostname;
	if (path_parse(a, of->job->m.sender, &sender))
		return OK; /* nobody */
	enum err e = keeper_route(of->keeper, sender, a, &route, &n);

	if (e == E_DENIED) { /* he lives elsewhere */
		*domain = own_domain(of);
		add_elsewhere(of, m, of->job->m.sender, a);
		return OK;
	}
	if (e)
		return e == E_NOTFOUND || e == E_LIMIT ? OK : e;
	*domain = sender.domain;
	m->to = ARENA_ARRAY(a, struct delivery, n);
	for (size_t i = 0; i < n; i++) {
		if (route[i].account)
			add_local(m, &route[i]);
		else
			add_elsewhere(of, m, route[i].address, a);
	}
	return OK;
}

/* With the whole message, where its sender wants that; without, where it cannot be read any more.
 */
static enum err write_report(const struct queue_notice_of *of, enum queue_report kind,
			     struct str domain, struct str header, struct arena *a,
			     struct queue_notice *out)
{
	struct queue_report_text text = { 0 };
	bool elsewhere = out->put != NULL;
	enum err e = make(of, kind, domain, header, true, a, &text);

	if (!e)
		e = write_text(of, &text, domain, elsewhere, a, &out->in);
	if (!e || err_temporary(e) || !text.full)
		return e;
	e = make(of, kind, domain, header, false, a, &text);
	return e ? e : write_text(of, &text, domain, elsewhere, a, &out->in);
}

enum err queue_notice_write(const struct queue_notice_of *of, enum queue_report kind,
			    struct arena *a, struct queue_notice *out)
{
	struct arena *big = arena_new(16 << 20);
	struct str domain, header;

	*out = (struct queue_notice){ .kind = kind };
	enum err e = find_sender(of, a, out, &domain);

	if (!e && (out->nto || out->put)) {
		e = read_header(of, big, &header);
		if (!e)
			e = write_report(of, kind, domain, header, big, out);
	}
	arena_free(&big);
	if (e && !err_temporary(e)) { /* it never can be */
		log_event(LOG_ERROR, "mail.report.failed",
			  KV("id", queue_id_text(a, of->job->m.id)), KVE(e));
		return OK;
	}
	if (!e && out->in && out->put)
		add_octets(out->put, out->in);
	return e;
}

/* --- on its way --- */

static void log_sent(const struct queue_notice_of *of, const struct queue_notice *m, bool lost)
{
	static const char *const kinds[] = { "", "delay", "failure", "success" };
	struct arena *a = arena_new(4096);

	log_event(lost ? LOG_ERROR : LOG_INFO, lost ? "mail.report.lost" : "mail.report",
		  KV("id", queue_id_text(a, of->job->m.id)), KVC("kind", kinds[m->kind]),
		  KV("to", of->job->m.sender),
		  KV("queued", m->put ? queue_id_text(a, m->put->m.id) : S("")));
	arena_free(&a);
}

/* An account that is gone needs no report. */
static bool failed(const struct delivery *d)
{
	return d->result && d->result != E_NOTFOUND;
}

/* The rest of the commit stands, so it is tried alone. */
static bool again(const struct queue_notice_of *of, struct queue_notice *m, struct update *put)
{
	for (unsigned i = 0; i < TRIES; i++) {
		bool good = true;

		for (size_t j = 0; j < m->nto; j++) {
			struct delivery *d = &m->to[j];

			if (i && failed(d))
				box_deliver(of->store, m->in, d, 1);
			good &= !failed(d);
		}
		if (i && put && put->result)
			put->result = store_update(of->store, put->partition, put->fn, put->arg);
		good &= !put || !put->result;
		if (good)
			return true;
		if (fiber_sleep(clock_in(PAUSE_MS)))
			continue;
	}
	return false;
}

/* Whom it did not reach gets it by the queue: as held mail comes to its mailbox, or by another
 * partition than the one that failed. */
static bool by_queue(const struct queue_notice_of *of, const struct queue_notice *m, bool put,
		     struct arena *a)
{
	struct queue_put *p = new_put(of, a);

	for (size_t i = 0; i < m->nto; i++)
		if (failed(&m->to[i]))
			add_to(p, m->to[i].warning.address);
	for (size_t i = 0; put && i < m->put->n; i++)
		add_to(p, m->put->rcpt[i].address);
	add_octets(p, m->in);
	for (unsigned i = 0; i < TRIES; i++)
		if (!queue_add(of->store, a, p))
			return true;
	return false;
}

static void send_one(const struct queue_notice_of *of, struct queue_notice *m, struct update *also,
		     size_t nalso, struct arena *a)
{
	struct update u[1 + ALSO_MAX];
	bool put = m->put && queue_prepare(a, m->put, &u[0]) == OK;

	BUG_IF(nalso > ALSO_MAX);
	for (size_t i = 0; i < nalso; i++)
		u[put + i] = also[i];
	box_deliver_also(of->store, m->in, m->to, m->nto, u, put + nalso);
	for (size_t i = 0; i < nalso; i++)
		also[i].result = u[put + i].result;
	bool good = again(of, m, put ? &u[0] : NULL) && (put || !m->put);

	if (!good)
		good = by_queue(of, m, m->put && (!put || u[0].result), a);
	log_sent(of, m, !good);
}

void queue_notice_send(const struct queue_notice_of *of, struct queue_notice *mail, size_t n,
		       struct update *also, size_t nalso, struct arena *a)
{
	size_t last = n;

	for (size_t i = 0; i < n; i++)
		if (mail[i].in)
			last = i;
	for (size_t i = 0; i < n; i++)
		if (mail[i].in)
			send_one(of, &mail[i], also, i == last ? nalso : 0, a);
	if (last == n)
		store_update_all(of->store, also, nalso);
}

void queue_notice_drop(struct queue_notice *mail)
{
	incoming_close(&mail->in);
}
