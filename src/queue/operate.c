/* SPDX-License-Identifier: ISC */
#include "base/log.h"
#include "mail/address.h"
#include "queue/queue_priv.h"

enum { PARTS_A_READ = 1000 };

/* --- listing --- */

struct listing {
	const struct queue_filter *f;
	struct arena *a;
	struct queue_place after; /* in this shard */
	struct queue_job *rows;
	size_t n, max, unread;
	bool end;
};

static bool before(struct queue_place a, struct queue_place b)
{
	return a.id < b.id || (a.id == b.id && a.part < b.part);
}

static struct queue_place place_of(const struct queue_job *j)
{
	return (struct queue_place){ j->p.id, j->p.number };
}

static bool has_text(struct arena *a, struct str s, struct str lower)
{
	return str_find_str(str_lower(a, s), lower) < s.n;
}

static bool fits_recipients(struct arena *a, const struct queue_filter *f,
			    const struct queue_part *p)
{
	struct str text = str_lower(a, f->text);

	for (size_t i = 0; i < p->n; i++)
		if ((!f->only_held || p->rcpt[i].state == QUEUE_HELD) &&
		    (!text.n || has_text(a, p->rcpt[i].address, text)))
			return true;
	return false;
}

bool queue_fits(struct arena *a, const struct queue_filter *f, const struct queue_job *j)
{
	struct str sender = j->m.sender.n ? j->m.sender : S("<>");
	const struct queue_part *p = &j->p;

	if (f->account && f->account != j->m.account)
		return false;
	if (f->sender.n && !str_ieq(f->sender, sender))
		return false;
	if (f->destination.n && !str_ieq(f->destination, queue_destination_of(a, p)))
		return false;
	return fits_recipients(a, f, p);
}

/* Into its place; where all are taken the youngest goes. */
static void insert(struct listing *l, const struct queue_job *j)
{
	size_t at = l->n < l->max ? l->n++ : l->n - 1;

	for (; at > 0 && before(place_of(j), place_of(&l->rows[at - 1])); at--)
		l->rows[at] = l->rows[at - 1];
	l->rows[at] = *j;
}

static enum err consider(struct tx *tx, struct listing *l, struct queue_place at, struct str value)
{
	struct arena *a = tx_arena(tx);
	struct queue_job seen = { .m.id = at.id, .p = { .id = at.id, .number = at.part } };
	struct queue_job kept = seen;
	struct str message;
	enum err e = queue_part_decode(value, a, &seen.p);

	if (!e)
		e = tx_get(tx, key_message(a, at.id), &message);
	if (!e)
		e = queue_message_decode(message, &seen.m);
	if (e == E_VERSION || e == E_CORRUPT)
		e = E_NOTFOUND;
	l->unread += e == E_NOTFOUND;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	if (!queue_fits(a, l->f, &seen))
		return OK;
	e = copy_job(l->a, message, value, &kept);
	if (!e)
		insert(l, &kept);
	return e;
}

static enum err read_some(struct tx *tx, void *arg)
{
	struct listing *l = arg;
	struct arena *a = tx_arena(tx);

	for (unsigned i = 0; i < PARTS_A_READ; i++) {
		struct str after = key_part(a, l->after.id, l->after.part), key, value;
		enum err e = tx_next(tx, S("p/"), l->after.id ? after : S(""), &key, &value);
		struct queue_place at;

		if (e && e != E_NOTFOUND)
			return e;
		if (!e && !key_part_take(key, &at))
			return E_CORRUPT;
		l->end = e || (l->n == l->max && !before(at, place_of(&l->rows[l->n - 1])));
		if (l->end)
			return OK;
		e = consider(tx, l, at, value);
		if (e)
			return e;
		l->after = at;
	}
	return OK;
}

/* saved: room for as many rows. */
static enum err list_shard(struct store *st, unsigned shard, struct listing *l,
			   struct queue_job *saved)
{
	enum err e = OK;

	l->end = false;
	while (!e && !l->end) {
		struct listing part = *l;

		part.rows = saved; /* a run that fails or is repeated leaves what was there */
		memcpy(saved, l->rows, l->n * sizeof *saved);
		e = store_read(st, queue_partition(l->a, shard), read_some, &part);
		if (e)
			break;
		memcpy(l->rows, saved, part.n * sizeof *saved);
		l->n = part.n;
		l->unread = part.unread;
		l->after = part.after;
		l->end = part.end;
	}
	return e;
}

enum err queue_list(struct store *st, const struct queue_filter *f, struct queue_place *from,
		    size_t max, struct arena *a, struct queue_job *out, size_t *n)
{
	struct listing l = { .f = f, .a = a, .rows = out, .max = max };
	enum err e = OK;

	struct queue_job *saved = ARENA_ARRAY(a, struct queue_job, max);

	BUG_IF(max == 0 || max > QUEUE_PAGE_MAX);
	for (unsigned shard = 0; shard < QUEUE_SHARDS && !e; shard++) {
		l.after = *from;
		e = list_shard(st, shard, &l, saved);
	}
	if (!e && l.unread)
		log_event(LOG_ERROR, "queue.unreadable", KVN("parts", l.unread));
	*n = e ? 0 : l.n;
	if (*n)
		*from = place_of(&out[*n - 1]);
	return e;
}

/* --- one message --- */

struct showing {
	uint64_t id;
	struct arena *a;
	struct queue_job *out;
	size_t n;
};

static enum err show(struct tx *tx, void *arg)
{
	struct showing *s = arg;
	struct str prefix = key_parts(tx_arena(tx), s->id), after = S(""), key, value, message;
	struct queue_message m = { .id = s->id };
	enum err e = tx_get(tx, key_message(tx_arena(tx), s->id), &message);

	s->n = 0;
	if (!e)
		e = queue_message_decode(message, &m);
	if (e)
		return e;
	s->out = ARENA_ARRAY(s->a, struct queue_job, m.parts + 1);
	while (!e && !(e = tx_next(tx, prefix, after, &key, &value))) {
		struct queue_place at;

		if (!key_part_take(key, &at) || s->n == m.parts)
			return E_CORRUPT;
		s->out[s->n] = (struct queue_job){ .m.id = at.id,
						   .p = { .id = at.id, .number = at.part } };
		e = copy_job(s->a, message, value, &s->out[s->n++]);
		after = key;
	}
	return e == E_NOTFOUND ? OK : e;
}

enum err queue_show(struct store *st, uint64_t id, struct arena *a, struct queue_job **out,
		    size_t *n)
{
	struct showing s = { .id = id, .a = a };
	enum err e = store_read(st, queue_partition(a, queue_shard(id)), show, &s);

	*out = s.out;
	*n = e ? 0 : s.n;
	return e;
}

/* --- orders --- */

struct ordering {
	enum queue_order what;
	struct queue_place which;
	struct str host;
	int64_t now;
	size_t n;
};

static void apply(const struct ordering *o, struct queue_part *p)
{
	p->lease = 0;
	p->lease_until = 0;
	p->holder = S("");
	if (o->what == QUEUE_MOVE)
		p->via = o->host;
	for (size_t i = 0; i < p->n; i++) {
		struct queue_recipient *r = &p->rcpt[i];

		if (o->what == QUEUE_HOLD && r->state == QUEUE_WAITING)
			r->state = QUEUE_HELD;
		else if (o->what == QUEUE_RELEASE && r->state == QUEUE_HELD)
			r->state = QUEUE_WAITING, r->next = QUEUE_ORDERED;
		else if (o->what != QUEUE_HOLD && r->state == QUEUE_WAITING)
			r->next = QUEUE_ORDERED;
	}
}

static enum err order_one(struct tx *tx, struct ordering *o, struct queue_place at)
{
	struct queue_part was, p;
	enum err e = get_part(tx, at, &was);

	if (!e)
		e = get_part(tx, at, &p); /* its recipients are changed */
	if (e)
		return e;
	if (was.lease && was.lease_until > o->now)
		return E_DENIED;
	o->n++;
	if (o->what == QUEUE_DELETE)
		return remove_part(tx, &was);
	apply(o, &p);
	return put_part(tx, &was, &p);
}

static enum err order(struct tx *tx, void *arg)
{
	struct ordering *o = arg;
	struct str prefix = key_parts(tx_arena(tx), o->which.id), after = S(""), key, value;
	enum err e;

	o->n = 0;
	if (o->which.part != QUEUE_ALL)
		return order_one(tx, o, o->which);
	while (!(e = tx_next(tx, prefix, after, &key, &value))) {
		struct queue_place at;

		if (!key_part_take(key, &at))
			return E_CORRUPT;
		after = str_dup(tx_arena(tx), key);
		e = order_one(tx, o, at);
		if (e)
			return e;
	}
	return e == E_NOTFOUND && o->n ? OK : e;
}

enum err queue_via(struct arena *a, struct str text, struct str *out)
{
	size_t colon = str_rfind(text, ':');
	/* not one of those inside an IPv6 address */
	bool has_port = colon < text.n && !str_ends(text, S("]"));
	struct str host = has_port ? str_part(text, 0, colon) : text;
	struct scan in = scan(str_from(text, colon + 1));
	enum err e = domain_ascii(a, host, &host);

	if (e)
		return e;
	if (str_starts(host, S("[")))
		host = str_part(host, 1, host.n - 2);
	if (!has_port) {
		*out = host;
		return OK;
	}
	uint64_t port = scan_num(&in, UINT16_MAX);
	bool two = str_has(host, ':'); /* which of them would be the port's? */

	*out = str_fmt(a, "%.*s:%u", FMT(host), (unsigned)port);
	return scan_end(&in) && port && !two && out->n <= QUEUE_DOMAIN_MAX ? OK : E_SYNTAX;
}

enum err queue_order(struct store *st, enum queue_order what, struct queue_place which,
		     struct str host, int64_t now, size_t *n)
{
	struct arena *a = arena_new(16384);
	struct ordering o = { .what = what, .which = which, .host = S(""), .now = now };
	enum err e = host.n > QUEUE_DOMAIN_MAX ? E_LIMIT : OK;

	if (!e && what == QUEUE_MOVE && host.n)
		e = queue_via(a, host, &o.host);
	if (!e)
		e = store_update(st, queue_partition(a, queue_shard(which.id)), order, &o);
	*n = e ? 0 : o.n;
	arena_free(&a);
	return e;
}
