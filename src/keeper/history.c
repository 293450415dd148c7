/* SPDX-License-Identifier: ISC */
/* keeper/history.c - lists of an account's visits and places, and their records. */
#include "keeper/history.h"

enum { HISTORY_VERSION = 1, HISTORY_OCTETS = 64 * 1024 };

const char *visit_word(uint8_t result)
{
	switch ((enum visit_result)result) {
	case VISIT_OK: return "ok";
	case VISIT_WRONG_PASSWORD: return "wrong_password";
	case VISIT_NO_PASSWORD: return "no_password";
	case VISIT_NOT_PROTOCOL: return "not_for_protocol";
	case VISIT_LOCKED: return "locked";
	}
	return "refused";
}

/* --- visits --- */

bool visit_same(const struct visit *a, const struct visit *b)
{
	return a->result == b->result && net_same(&a->ip, &b->ip) && str_eq(a->proto, b->proto) &&
	       str_eq(a->by, b->by) && str_eq(a->program, b->program);
}

/* v may be a sum itself; its times are never before those of was, but a clock may be set back. */
static bool continues(const struct visit *was, const struct visit *v)
{
	return visit_same(was, v) && v->first - was->last < VISIT_GAP_S &&
	       v->last - was->first < VISIT_SPAN_S && v->last >= was->first;
}

static void take_out(struct history *h, size_t i)
{
	h->n--;
	memmove(&h->visit[i], &h->visit[i + 1], (h->n - i) * sizeof *h->visit);
}

static void make_room(struct history *h)
{
	size_t good = 0, i = h->n - 1;

	for (size_t k = 0; k < h->n; k++)
		good += h->visit[k].result == VISIT_OK;
	bool good_goes = 2 * good > h->n;
	while ((h->visit[i].result == VISIT_OK) != good_goes)
		i--;
	take_out(h, i);
}

void history_add(struct history *h, const struct visit *v)
{
	struct visit now = *v;
	size_t i = 0;

	while (i < h->n && !continues(&h->visit[i], v))
		i++;
	if (i < h->n) {
		now.first = h->visit[i].first;
		now.count = v->count > UINT32_MAX - h->visit[i].count
				    ? UINT32_MAX
				    : h->visit[i].count + v->count;
		take_out(h, i);
	} else if (h->n == VISITS_MAX) {
		make_room(h);
	}
	memmove(&h->visit[1], &h->visit[0], h->n * sizeof *h->visit);
	h->visit[0] = now;
	h->n++;
}

static struct str finished(struct arena *a, struct buf *b)
{
	BUG_IF(b->full);
	struct str s = str_dup(a, buf_str(b));
	buf_free(b);
	return s;
}

static void put_net(struct buf *b, const struct net *n)
{
	buf_u8(b, n->bits);
	buf_put(b, STR((const char *)n->octets, sizeof n->octets));
}

static struct net take_net(struct scan *in)
{
	struct net n = { .bits = scan_u8(in) };
	struct str octets = scan_take(in, sizeof n.octets);

	if (n.bits > 128)
		scan_fail(in);
	if (!in->bad)
		memcpy(n.octets, octets.p, octets.n);
	return n;
}

static struct str take_text(struct scan *in, size_t max)
{
	struct str s = scan_blob(in);

	if (s.n > max)
		scan_fail(in);
	return s;
}

static enum err begin(struct str value, struct scan *in)
{
	*in = scan(value);
	if (value.n == 0)
		return E_CORRUPT;
	return scan_u8(in) == HISTORY_VERSION ? OK : E_VERSION;
}

struct str history_record(struct arena *a, const struct history *h)
{
	struct buf b = buf_new(HISTORY_OCTETS);

	buf_u8(&b, HISTORY_VERSION);
	buf_u8(&b, (uint8_t)h->n);
	for (size_t i = 0; i < h->n; i++) {
		const struct visit *v = &h->visit[i];
		buf_u64(&b, (uint64_t)v->first);
		buf_u64(&b, (uint64_t)v->last);
		buf_u32(&b, v->count);
		buf_u8(&b, v->result);
		put_net(&b, &v->ip);
		buf_blob(&b, v->proto);
		buf_blob(&b, v->by);
		buf_blob(&b, v->program);
	}
	return finished(a, &b);
}

enum err history_read(struct str value, struct history *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	out->n = scan_u8(&in);
	if (in.bad || out->n > VISITS_MAX)
		return E_CORRUPT;
	for (size_t i = 0; i < out->n; i++) {
		struct visit *v = &out->visit[i];
		v->first = (int64_t)scan_u64(&in);
		v->last = (int64_t)scan_u64(&in);
		v->count = scan_u32(&in);
		v->result = scan_u8(&in);
		v->ip = take_net(&in);
		v->proto = take_text(&in, VISIT_PROTO_MAX);
		v->by = take_text(&in, VISIT_BY_MAX);
		v->program = take_text(&in, VISIT_PROGRAM_MAX);
		if (v->first < 0 || v->last < 0 || v->first > v->last)
			return E_CORRUPT;
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* --- places --- */

void places_add(struct places *p, const struct net *who, int64_t now)
{
	size_t i = 0;

	while (i < p->n && !net_same(&p->place[i].who, who))
		i++;
	if (i == p->n && p->n < PLACES_MAX)
		p->n++;
	if (i == PLACES_MAX) /* the longest ago goes */
		i--;
	memmove(&p->place[1], &p->place[0], i * sizeof *p->place);
	p->place[0] = (struct place){ *who, now };
}

bool places_have(const struct places *p, const struct net *who)
{
	for (size_t i = 0; i < p->n; i++)
		if (net_same(&p->place[i].who, who))
			return true;
	return false;
}

struct str places_record(struct arena *a, const struct places *p)
{
	struct buf b = buf_new(HISTORY_OCTETS);

	buf_u8(&b, HISTORY_VERSION);
	buf_u8(&b, (uint8_t)p->n);
	for (size_t i = 0; i < p->n; i++) {
		put_net(&b, &p->place[i].who);
		buf_u64(&b, (uint64_t)p->place[i].last);
	}
	return finished(a, &b);
}

enum err places_read(struct str value, struct places *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	out->n = scan_u8(&in);
	if (in.bad || out->n > PLACES_MAX)
		return E_CORRUPT;
	for (size_t i = 0; i < out->n; i++) {
		out->place[i].who = take_net(&in);
		out->place[i].last = (int64_t)scan_u64(&in);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}
