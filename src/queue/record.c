/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "base/encode.h"
#include "queue/record.h"

enum { M_UTF8 = 1, M_REQUIRETLS = 2, M_TLS_OPTIONAL = 4, M_BY_RETURN = 8, M_ALL = 15 };
enum { R_TOLD = 1, R_DELAY_TOLD = 2, R_PASSED = 4, R_ALL = 7 };
enum { PRIORITY_MAX = 9, NOTIFY_ALL = 15 };

/* A text with its length in front; what is longer fills the buffer for good. */
static void put(struct buf *b, struct str s, size_t max)
{
	if (s.n > max) {
		b->full = true;
		return;
	}
	buf_u16(b, (uint16_t)s.n);
	buf_put(b, s);
}

static struct str take(struct scan *in, size_t max)
{
	size_t n = scan_u16(in);

	if (n > max)
		scan_fail(in);
	return scan_take(in, n);
}

static enum err finish(struct arena *a, struct buf *b, struct str *out)
{
	enum err e = b->full ? E_LIMIT : OK;

	*out = e ? S("") : str_dup(a, buf_str(b));
	buf_free(b);
	return e;
}

/* --- the message --- */

enum err queue_message_decode(struct str value, struct queue_message *out)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, QUEUE_VERSION);
	struct queue_message m = { .id = out->id };

	if (e)
		return e;
	unsigned flags = scan_below(&in, M_ALL + 1);

	m.utf8 = flags & M_UTF8;
	m.requiretls = flags & M_REQUIRETLS;
	m.tls_optional = flags & M_TLS_OPTIONAL;
	m.by_return = flags & M_BY_RETURN;
	m.ret = scan_below(&in, QUEUE_RETS);
	m.body = scan_below(&in, QUEUE_BODIES);
	m.guard = scan_below(&in, QUEUE_GUARDS);
	m.priority = (int8_t)((int)scan_below(&in, 2 * PRIORITY_MAX + 1) - PRIORITY_MAX);
	m.account = scan_u32(&in);
	m.submitted = (int64_t)scan_u64(&in);
	m.hold_until = (int64_t)scan_u64(&in);
	m.deliver_by = (int64_t)scan_u64(&in);
	m.size = scan_u64(&in);
	m.skip = scan_u32(&in);
	struct str blob = scan_take(&in, sizeof m.blob.octets);

	m.parts = scan_u32(&in);
	m.sender = take(&in, QUEUE_ADDRESS_MAX);
	m.envid = take(&in, QUEUE_ENVID_MAX);
	if (!scan_end(&in))
		return E_CORRUPT;
	memcpy(m.blob.octets, blob.p, sizeof m.blob.octets);
	*out = m;
	return OK;
}

enum err queue_message_encode(struct arena *a, const struct queue_message *m, struct str *out)
{
	struct buf b = buf_new(QUEUE_VALUE_MAX);

	if (m->priority < -PRIORITY_MAX || m->priority > PRIORITY_MAX)
		return E_LIMIT;
	buf_u8(&b, QUEUE_VERSION);
	buf_u8(&b, (uint8_t)((m->utf8 ? M_UTF8 : 0) | (m->requiretls ? M_REQUIRETLS : 0) |
			     (m->tls_optional ? M_TLS_OPTIONAL : 0) |
			     (m->by_return ? M_BY_RETURN : 0)));
	buf_u8(&b, (uint8_t)m->ret);
	buf_u8(&b, (uint8_t)m->body);
	buf_u8(&b, (uint8_t)m->guard);
	buf_u8(&b, (uint8_t)(m->priority + PRIORITY_MAX));
	buf_u32(&b, m->account);
	buf_u64(&b, (uint64_t)m->submitted);
	buf_u64(&b, (uint64_t)m->hold_until);
	buf_u64(&b, (uint64_t)m->deliver_by);
	buf_u64(&b, m->size);
	buf_u32(&b, m->skip);
	buf_put(&b, STR((const char *)m->blob.octets, sizeof m->blob.octets));
	buf_u32(&b, m->parts);
	put(&b, m->sender, QUEUE_ADDRESS_MAX);
	put(&b, m->envid, QUEUE_ENVID_MAX);
	return finish(a, &b, out);
}

/* --- a part --- */

static void take_reply(struct scan *in, struct queue_reply *r)
{
	r->when = (int64_t)scan_u64(in);
	r->code = scan_u16(in);
	for (size_t i = 0; i < LENGTH(r->status); i++)
		r->status[i] = scan_u16(in);
	r->auth = scan_below(in, QUEUE_AUTHS);
	r->text = take(in, QUEUE_TEXT_MAX);
	r->host = take(in, QUEUE_DOMAIN_MAX);
	r->ip = take(in, QUEUE_TLS_TEXT_MAX);
	r->tls = take(in, QUEUE_TLS_TEXT_MAX);
	r->cipher = take(in, QUEUE_TLS_TEXT_MAX);
	r->group = take(in, QUEUE_TLS_TEXT_MAX);
}

static void put_reply(struct buf *b, const struct queue_reply *r)
{
	buf_u64(b, (uint64_t)r->when);
	buf_u16(b, r->code);
	for (size_t i = 0; i < LENGTH(r->status); i++)
		buf_u16(b, r->status[i]);
	buf_u8(b, (uint8_t)r->auth);
	put(b, utf8_part(r->text, QUEUE_TEXT_MAX), QUEUE_TEXT_MAX); /* theirs: it is cut */
	put(b, r->host, QUEUE_DOMAIN_MAX);
	put(b, r->ip, QUEUE_TLS_TEXT_MAX);
	put(b, r->tls, QUEUE_TLS_TEXT_MAX);
	put(b, r->cipher, QUEUE_TLS_TEXT_MAX);
	put(b, r->group, QUEUE_TLS_TEXT_MAX);
}

static void take_recipient(struct scan *in, struct queue_recipient *r)
{
	unsigned flags = scan_below(in, R_ALL + 1);

	r->told = flags & R_TOLD;
	r->delay_told = flags & R_DELAY_TOLD;
	r->passed = flags & R_PASSED;
	r->state = scan_below(in, QUEUE_STATES);
	r->notify = scan_below(in, NOTIFY_ALL + 1);
	r->tries = scan_u32(in);
	r->next = (int64_t)scan_u64(in);
	r->address = take(in, QUEUE_ADDRESS_MAX);
	r->orcpt = take(in, QUEUE_ORCPT_MAX);
	take_reply(in, &r->last);
}

static void put_recipient(struct buf *b, const struct queue_recipient *r)
{
	buf_u8(b, (uint8_t)((r->told ? R_TOLD : 0) | (r->delay_told ? R_DELAY_TOLD : 0) |
			    (r->passed ? R_PASSED : 0)));
	buf_u8(b, (uint8_t)r->state);
	buf_u8(b, (uint8_t)r->notify);
	buf_u32(b, r->tries);
	buf_u64(b, (uint64_t)r->next);
	put(b, r->address, QUEUE_ADDRESS_MAX);
	put(b, r->orcpt, QUEUE_ORCPT_MAX);
	put_reply(b, &r->last);
}

enum err queue_part_decode(struct str value, struct arena *a, struct queue_part *out)
{
	struct scan in = scan(value);
	struct queue_part p = { .id = out->id, .number = out->number };
	enum err e = scan_version(&in, QUEUE_VERSION);

	if (e)
		return e;
	p.lease = scan_u64(&in);
	p.lease_until = (int64_t)scan_u64(&in);
	p.holder = take(&in, QUEUE_HOLDER_MAX);
	p.domain = take(&in, QUEUE_DOMAIN_MAX);
	p.via = take(&in, QUEUE_DOMAIN_MAX);
	p.n = scan_below(&in, QUEUE_PART_MAX + 1);
	p.rcpt = ARENA_ARRAY(a, struct queue_recipient, p.n + 1);
	for (size_t i = 0; i < p.n && !in.bad; i++)
		take_recipient(&in, &p.rcpt[i]);
	if (!scan_end(&in))
		return E_CORRUPT;
	*out = p;
	return OK;
}

enum err queue_part_encode(struct arena *a, const struct queue_part *p, struct str *out)
{
	struct buf b = buf_new(QUEUE_VALUE_MAX);

	if (p->n > QUEUE_PART_MAX)
		return E_LIMIT;
	buf_u8(&b, QUEUE_VERSION);
	buf_u64(&b, p->lease);
	buf_u64(&b, (uint64_t)p->lease_until);
	put(&b, p->holder, QUEUE_HOLDER_MAX);
	put(&b, p->domain, QUEUE_DOMAIN_MAX);
	put(&b, p->via, QUEUE_DOMAIN_MAX);
	buf_u8(&b, (uint8_t)p->n);
	for (size_t i = 0; i < p->n; i++)
		put_recipient(&b, &p->rcpt[i]);
	return finish(a, &b, out);
}

struct str queue_destination_of(struct arena *a, const struct queue_part *p)
{
	return p->via.n ? str_fmt(a, "[%.*s]", FMT(p->via)) : p->domain;
}

static bool is_open(const struct queue_recipient *r)
{
	return r->state == QUEUE_WAITING || r->state == QUEUE_HELD;
}

int64_t queue_part_due(const struct queue_part *p)
{
	int64_t due = QUEUE_NEVER;

	if (p->lease)
		return p->lease_until;
	for (size_t i = 0; i < p->n; i++) {
		const struct queue_recipient *r = &p->rcpt[i];

		if (!is_open(r) && !r->told)
			return 0;
		if (r->state == QUEUE_WAITING && r->next < due)
			due = r->next;
	}
	return due < 0 ? 0 : due;
}

bool queue_part_over(const struct queue_part *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_open(&p->rcpt[i]) || !p->rcpt[i].told)
			return false;
	return true;
}
