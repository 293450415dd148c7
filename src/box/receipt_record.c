/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "base/encode.h"
#include "box/layout.h"
#include "box/receipt_record.h"

enum { ORDER_KEY_SIZE = 18 }; /* of "r/%016x" */

static void put(struct buf *b, struct str s, size_t max)
{
	s = utf8_part(s, max);
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

static struct buf begin(void)
{
	struct buf b = buf_new(VALUE_MAX);

	buf_u8(&b, LAYOUT_VERSION);
	return b;
}

static struct str finish(struct arena *a, struct buf *b)
{
	BUG_IF(b->full); /* all rows of the longest texts are below VALUE_MAX */
	struct str value = str_dup(a, buf_str(b));

	buf_free(b);
	return value;
}

struct str receipt_id_clean(struct str id)
{
	id = str_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_part(id, 1, id.n - 2);
	return str_part(id, 0, RECEIPT_ID_MAX);
}

/* --- a mail --- */

static void take_row(struct scan *in, struct receipt_row *r)
{
	r->state = scan_below(in, RECEIPT_STATES);
	r->way = scan_below(in, RECEIPT_WAYS);
	r->when = (int64_t)scan_u64(in);
	r->next = (int64_t)scan_u64(in);
	r->tries = scan_u32(in);
	r->code = scan_u16(in);
	for (size_t i = 0; i < LENGTH(r->status); i++)
		r->status[i] = scan_u16(in);
	r->address = take(in, RECEIPT_ADDRESS_MAX);
	r->text = take(in, RECEIPT_TEXT_MAX);
	r->host = take(in, RECEIPT_HOST_MAX);
	r->ip = take(in, RECEIPT_WORD_MAX);
	r->tls = take(in, RECEIPT_WORD_MAX);
	r->cipher = take(in, RECEIPT_WORD_MAX);
	r->group = take(in, RECEIPT_WORD_MAX);
}

static void put_row(struct buf *b, const struct receipt_row *r)
{
	buf_u8(b, (uint8_t)r->state);
	buf_u8(b, (uint8_t)r->way);
	buf_u64(b, (uint64_t)r->when);
	buf_u64(b, (uint64_t)r->next);
	buf_u32(b, r->tries);
	buf_u16(b, r->code);
	for (size_t i = 0; i < LENGTH(r->status); i++)
		buf_u16(b, r->status[i]);
	put(b, r->address, RECEIPT_ADDRESS_MAX);
	put(b, r->text, RECEIPT_TEXT_MAX);
	put(b, r->host, RECEIPT_HOST_MAX);
	put(b, r->ip, RECEIPT_WORD_MAX);
	put(b, r->tls, RECEIPT_WORD_MAX);
	put(b, r->cipher, RECEIPT_WORD_MAX);
	put(b, r->group, RECEIPT_WORD_MAX);
}

enum err receipt_decode(struct str value, struct arena *a, struct receipt *out, uint64_t *number)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, LAYOUT_VERSION);
	struct receipt r = { 0 };

	if (e)
		return e;
	*number = scan_u64(&in);
	r.first = (int64_t)scan_u64(&in);
	r.more = scan_below(&in, 2);
	r.id = take(&in, RECEIPT_ID_MAX);
	r.n = scan_u16(&in);
	if (in.bad || r.n > RECEIPT_ROWS_MAX)
		return E_CORRUPT;
	r.row = ARENA_ARRAY(a, struct receipt_row, r.n + 1);
	for (size_t i = 0; i < r.n && !in.bad; i++)
		take_row(&in, &r.row[i]);
	if (!scan_end(&in))
		return E_CORRUPT;
	*out = r;
	return OK;
}

struct str receipt_encode(struct arena *a, const struct receipt *r, uint64_t number)
{
	struct buf b = begin();

	BUG_IF(r->n > RECEIPT_ROWS_MAX);
	buf_u64(&b, number);
	buf_u64(&b, (uint64_t)r->first);
	buf_u8(&b, r->more);
	put(&b, r->id, RECEIPT_ID_MAX);
	buf_u16(&b, (uint16_t)r->n);
	for (size_t i = 0; i < r->n; i++)
		put_row(&b, &r->row[i]);
	return finish(a, &b);
}

/* --- all mails of an account --- */

enum err receipt_tally_decode(struct str value, struct receipt_tally *out)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, LAYOUT_VERSION);

	if (e)
		return e;
	out->last = scan_u64(&in);
	out->mails = scan_u64(&in);
	out->octets = scan_u64(&in);
	return scan_end(&in) ? OK : E_CORRUPT;
}

struct str receipt_tally_encode(struct arena *a, const struct receipt_tally *t)
{
	struct buf b = begin();

	buf_u64(&b, t->last);
	buf_u64(&b, t->mails);
	buf_u64(&b, t->octets);
	return finish(a, &b);
}

enum err receipt_order_decode(struct str value, struct str *key)
{
	struct scan in = scan(value);
	enum err e = scan_version(&in, LAYOUT_VERSION);

	if (e)
		return e;
	*key = scan_take(&in, ORDER_KEY_SIZE);
	return scan_end(&in) && str_starts(*key, KEY_RECEIPTS) ? OK : E_CORRUPT;
}

struct str receipt_order_encode(struct arena *a, struct str key)
{
	struct buf b = begin();

	buf_put(&b, key);
	return finish(a, &b);
}
