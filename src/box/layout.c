/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "base/log.h"
#include "box/layout.h"

/* --- keys --- */

static void key_hex(struct key *k, uint64_t v, unsigned digits)
{
	for (unsigned i = digits; i-- > 0;)
		k->c[k->n++] = "0123456789abcdef"[v >> (4 * i) & 15];
}

static struct key key_of(char kind)
{
	return (struct key){ .c = { kind, '/' }, .n = 2 };
}

struct key key_partition(uint32_t account)
{
	struct key k = key_of('a');

	key_hex(&k, account, 8);
	return k;
}

struct key key_mailbox(uint32_t id)
{
	struct key k = key_of('b');

	key_hex(&k, id, 8);
	return k;
}

struct key key_prefix(char kind, uint32_t id)
{
	struct key k = key_of(kind);

	key_hex(&k, id, 8);
	k.c[k.n++] = '/';
	return k;
}

struct key key_chunk(uint32_t id, uint32_t chunk)
{
	struct key k = key_prefix('c', id);

	key_hex(&k, chunk, 8);
	return k;
}

struct key key_page(uint32_t id, uint32_t page)
{
	struct key k = key_prefix('m', id);

	key_hex(&k, page, 8);
	return k;
}

struct key key_sort(uint32_t id, uint32_t page)
{
	struct key k = key_prefix('k', id);

	key_hex(&k, page, 8);
	return k;
}

struct key key_log(uint32_t id, uint64_t modseq)
{
	struct key k = key_prefix('x', id);

	key_hex(&k, modseq, 16);
	return k;
}

struct key key_subscription(struct str name)
{
	struct key k = key_of('s');

	key_hex(&k, str_hash(name), 16);
	return k;
}

struct key key_receipt(struct str id)
{
	struct key k = key_of('r');

	key_hex(&k, str_hash(id), 16);
	return k;
}

struct key key_receipt_order(uint64_t number)
{
	struct key k = key_of('q');

	key_hex(&k, number, 16);
	return k;
}

bool key_number(struct str key, const struct key *prefix, size_t digits, uint64_t *out)
{
	struct scan in = scan(str_from(key, prefix->n));

	*out = scan_hex(&in, digits);
	return str_starts(key, key_str(prefix)) && scan_end(&in);
}

/* --- the ends of every value --- */

static struct buf value_new(void)
{
	struct buf b = buf_new(VALUE_MAX);

	buf_u8(&b, LAYOUT_VERSION);
	return b;
}

/* Values are bounded by what they hold, well below VALUE_MAX. */
static struct str value_done(struct arena *a, struct buf *b)
{
	BUG_IF(b->full);
	struct str value = str_dup(a, buf_str(b));

	buf_free(b);
	return value;
}

static enum err value_open(struct str value, struct scan *in)
{
	*in = scan(value);
	uint8_t version = scan_u8(in);

	if (in->bad)
		return E_CORRUPT;
	return version == LAYOUT_VERSION ? OK : E_VERSION;
}

enum err layout_broken(enum err e, struct str key)
{
	if (e == E_CORRUPT || e == E_VERSION)
		log_event(LOG_ERROR, "mailbox.value.broken", KV("key", key), KVE(e));
	return e;
}

/* --- the account --- */

enum err account_decode(struct str value, struct account_record *out)
{
	struct scan in = scan(value);
	bool warned = scan_u8(&in) == ACCOUNT_VERSION_WARNED;
	enum err e = warned ? OK : value_open(value, &in);

	*out = (struct account_record){ .warned = warned };
	if (e)
		return e;
	out->next_id = scan_u32(&in);
	out->inbox = scan_u32(&in);
	out->uidvalidity = scan_u32(&in);
	out->mailboxes = scan_u32(&in);
	out->subscriptions = scan_u32(&in);
	out->modseq = scan_u64(&in);
	out->octets = scan_u64(&in);
	out->messages = scan_u64(&in);
	if (!scan_end(&in) || out->inbox == 0 || out->inbox >= out->next_id)
		return E_CORRUPT;
	return OK;
}

struct str account_encode(struct arena *a, const struct account_record *r)
{
	struct buf b = value_new();

	buf_u32(&b, r->next_id);
	buf_u32(&b, r->inbox);
	buf_u32(&b, r->uidvalidity);
	buf_u32(&b, r->mailboxes);
	buf_u32(&b, r->subscriptions);
	buf_u64(&b, r->modseq);
	buf_u64(&b, r->octets);
	buf_u64(&b, r->messages);
	if (r->warned)
		*b.p = ACCOUNT_VERSION_WARNED;
	return value_done(a, &b);
}

/* --- a mailbox --- */

enum err mailbox_decode(struct str value, struct mailbox_record *out)
{
	struct scan in;
	enum err e = value_open(value, &in);

	*out = (struct mailbox_record){ 0 };
	if (e)
		return e;
	uint8_t removing = scan_u8(&in);

	out->removing = removing;
	out->use = scan_u8(&in);
	out->name = scan_blob(&in);
	out->uidvalidity = scan_u32(&in);
	out->uidnext = scan_u32(&in);
	out->messages = scan_u32(&in);
	out->unseen = scan_u32(&in);
	out->deleted = scan_u32(&in);
	out->recent_from = scan_u32(&in);
	out->octets = scan_u64(&in);
	out->modseq = scan_u64(&in);
	out->log_floor = scan_u64(&in);
	out->log_entries = scan_u32(&in);
	out->log_ranges = scan_u32(&in);
	out->nkeywords = scan_u8(&in);
	if (removing > 1 || out->nkeywords > KEYWORDS_MAX)
		return E_CORRUPT;
	for (size_t i = 0; i < out->nkeywords; i++)
		out->keyword[i] = scan_blob(&in);
	if (!scan_end(&in) || !mailbox_name_ok(out->name) || out->uidnext == 0 ||
	    out->modseq == 0 || out->unseen > out->messages || out->deleted > out->messages)
		return E_CORRUPT;
	return OK;
}

struct str mailbox_encode(struct arena *a, const struct mailbox_record *r)
{
	struct buf b = value_new();

	buf_u8(&b, r->removing);
	buf_u8(&b, (uint8_t)r->use);
	buf_blob(&b, r->name);
	buf_u32(&b, r->uidvalidity);
	buf_u32(&b, r->uidnext);
	buf_u32(&b, r->messages);
	buf_u32(&b, r->unseen);
	buf_u32(&b, r->deleted);
	buf_u32(&b, r->recent_from);
	buf_u64(&b, r->octets);
	buf_u64(&b, r->modseq);
	buf_u64(&b, r->log_floor);
	buf_u32(&b, r->log_entries);
	buf_u32(&b, r->log_ranges);
	buf_u8(&b, (uint8_t)r->nkeywords);
	for (size_t i = 0; i < r->nkeywords; i++)
		buf_blob(&b, r->keyword[i]);
	return value_done(a, &b);
}

/* --- the map --- */

enum err chunk_modseq(struct str value, uint64_t *out)
{
	struct scan in;
	enum err e = value_open(value, &in);

	*out = scan_u64(&in);
	return e ? e : in.bad ? E_CORRUPT : OK;
}

enum err chunk_decode(struct str value, struct chunk *out)
{
	struct scan in;
	enum err e = value_open(value, &in);

	*out = (struct chunk){ 0 };
	if (e)
		return e;
	out->modseq = scan_u64(&in);
	uint32_t pages = scan_u32(&in);

	for (unsigned i = 0; i < CHUNK_PAGES; i++) {
		struct map_entry *m = &out->entry[i];

		if (!(pages >> i & 1))
			continue;
		m->present = scan_u64(&in);
		m->seen = scan_u64(&in);
		m->deleted = scan_u64(&in);
		m->modseq = scan_u64(&in);
		if (!m->present || ((m->seen | m->deleted) & ~m->present) ||
		    m->modseq > out->modseq)
			return E_CORRUPT;
	}
	/* Neither a chunk without messages is stored nor UID 0. */
	return scan_end(&in) && pages ? OK : E_CORRUPT;
}

struct str chunk_encode(struct arena *a, const struct chunk *c)
{
	struct buf b = value_new();
	uint32_t pages = 0;

	for (unsigned i = 0; i < CHUNK_PAGES; i++)
		if (c->entry[i].present)
			pages |= (uint32_t)1 << i;
	buf_u64(&b, c->modseq);
	buf_u32(&b, pages);
	for (unsigned i = 0; i < CHUNK_PAGES; i++) {
		const struct map_entry *m = &c->entry[i];

		if (!m->present)
			continue;
		buf_u64(&b, m->present);
		buf_u64(&b, m->seen);
		buf_u64(&b, m->deleted);
		buf_u64(&b, m->modseq);
	}
	return value_done(a, &b);
}

/* --- a page; written and read by hand, as it is most of the work --- */

static char *put_le(char *to, uint64_t v, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		*to++ = (char)(v >> (8 * i));
	return to;
}

static uint64_t get_le(const char **from, unsigned octets)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < octets; i++)
		v |= (uint64_t)(uint8_t) * (*from)++ << (8 * i);
	return v;
}

/* A signed number of five octets reaches 17,000 years to either side. */
enum { TIME_OCTETS = 5, TIME_SHIFT = 64 - 8 * TIME_OCTETS };

static int64_t get_time(const char **from)
{
	return (int64_t)(get_le(from, TIME_OCTETS) << TIME_SHIFT) >> TIME_SHIFT;
}

static uint64_t put_time(int64_t t)
{
	const int64_t most = INT64_MAX >> TIME_SHIFT;

	return (uint64_t)(t > most ? most : t < -most - 1 ? -most - 1 : t);
}

static void record_decode(const char *p, struct msg *m)
{
	m->flags = get_le(&p, 8);
	m->modseq = get_le(&p, 8);
	m->arrived = get_time(&p);
	m->saved = get_time(&p);
	m->size = get_le(&p, 5);
	memcpy(m->blob.octets, p, sizeof m->blob.octets);
	p += sizeof m->blob.octets;
	m->thread = get_le(&p, 8);
}

static char *record_encode(char *p, const struct msg *m)
{
	BUG_IF(m->size >> 40);
	p = put_le(p, m->flags, 8);
	p = put_le(p, m->modseq, 8);
	p = put_le(p, put_time(m->arrived), TIME_OCTETS);
	p = put_le(p, put_time(m->saved), TIME_OCTETS);
	p = put_le(p, m->size, 5);
	memcpy(p, m->blob.octets, sizeof m->blob.octets);
	p += sizeof m->blob.octets;
	return put_le(p, m->thread, 8);
}

enum err page_decode(struct str value, uint32_t number, struct page *out)
{
	struct scan in;
	enum err e = value_open(value, &in);

	out->present = 0;
	if (e)
		return e;
	uint64_t present = scan_u64(&in);

	if (in.bad || !present || in.rest.n != bits64(present) * (size_t)RECORD_SIZE ||
	    number > UINT32_MAX / PAGE_UIDS || (number == 0 && present & 1))
		return E_CORRUPT;
	const char *p = in.rest.p;

	for (uint64_t left = present; left; left &= left - 1) {
		struct msg *m = &out->msg[lowest64(left)];

		record_decode(p, m);
		m->uid = number * PAGE_UIDS + lowest64(left);
		p += RECORD_SIZE;
	}
	out->present = present;
	return OK;
}

struct str page_encode(struct arena *a, const struct page *p)
{
	size_t n = 1 + 8 + bits64(p->present) * (size_t)RECORD_SIZE;
	char *value = arena_alloc(a, n), *at = value;

	*at++ = LAYOUT_VERSION;
	at = put_le(at, p->present, 8);
	for (uint64_t left = p->present; left; left &= left - 1)
		at = record_encode(at, &p->msg[lowest64(left)]);
	return STR(value, n);
}

/* --- sort keys --- */

enum err keys_decode(struct str value, struct key_page_record *out)
{
	struct scan in;
	enum err e = value_open(value, &in);

	if (e)
		return e;
	out->present = scan_u64(&in);
	struct str blob = scan_take(&in, sizeof out->blob.octets);

	if (!scan_end(&in) || !out->present)
		return E_CORRUPT;
	memcpy(out->blob.octets, blob.p, sizeof out->blob.octets);
	return OK;
}

struct str keys_encode(struct arena *a, const struct key_page_record *r)
{
	struct buf b = value_new();

	buf_u64(&b, r->present);
	buf_put(&b, STR((const char *)r->blob.octets, sizeof r->blob.octets));
	return value_done(a, &b);
}

/* --- the log of expunges --- */

enum err log_decode(struct str value, struct arena *a, struct uidset *out)
{
	struct scan in;
	enum err e = value_open(value, &in);
	struct uidset_builder set = { .a = a };
	uint32_t before = 0;

	*out = (struct uidset){ 0 };
	while (!e && scan_more(&in)) {
		uint32_t first = scan_u32(&in), last = scan_u32(&in);

		if (in.bad || first <= before || last < first)
			return E_CORRUPT;
		uidset_add_range(&set, first, last);
		before = last;
	}
	if (!e)
		*out = uidset_done(&set);
	return e;
}

struct str log_encode(struct arena *a, struct uidset gone)
{
	struct buf b = value_new();

	for (size_t i = 0; i < gone.n; i++) {
		buf_u32(&b, gone.range[i].first);
		buf_u32(&b, gone.range[i].last);
	}
	return value_done(a, &b);
}

/* --- subscriptions --- */

enum err names_decode(struct str value, struct arena *a, struct str **out, size_t *n)
{
	struct scan in;
	enum err e = value_open(value, &in);

	*n = 0;
	*out = NULL;
	if (e)
		return e;
	for (struct scan count = in; scan_more(&count); ++*n)
		scan_blob(&count);
	*out = ARENA_ARRAY(a, struct str, *n);
	for (size_t i = 0; i < *n; i++) {
		(*out)[i] = scan_blob(&in);
		if (!mailbox_name_ok((*out)[i]))
			return E_CORRUPT;
	}
	return scan_end(&in) && *n ? OK : E_CORRUPT;
}

struct str names_encode(struct arena *a, const struct str *name, size_t n)
{
	struct buf b = value_new();

	for (size_t i = 0; i < n; i++)
		buf_blob(&b, name[i]);
	return value_done(a, &b);
}
