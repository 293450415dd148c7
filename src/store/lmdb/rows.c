/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "store/lmdb/map.h"

/*
 * What is in the tables of the map.
 */

enum { BLOB_ROW = 44, SEGMENT_ROW = 16, TOTALS = 48 };

static MDB_val val(struct str s)
{
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct str str(MDB_val v)
{
	return STR(v.mv_data, v.mv_size);
}

enum err row_get(MDB_txn *txn, MDB_dbi dbi, struct str key, struct str *value)
{
	MDB_val k = val(key), v;
	int rc = mdb_get(txn, dbi, &k, &v);

	*value = rc ? S_NONE : str(v);
	return map_err(rc);
}

/* A full map shows here first: see map_grow. */
static enum err write_err(MDB_txn *txn, int rc)
{
	if (rc == MDB_MAP_FULL)
		((struct map *)mdb_env_get_userctx(mdb_txn_env(txn)))->full = true;
	return map_err(rc);
}

enum err row_put(MDB_txn *txn, MDB_dbi dbi, struct str key, struct str value)
{
	MDB_val k = val(key), v = val(value);

	return write_err(txn, mdb_put(txn, dbi, &k, &v, 0));
}

enum err row_del(MDB_txn *txn, MDB_dbi dbi, struct str key)
{
	MDB_val k = val(key);
	int rc = mdb_del(txn, dbi, &k, NULL);

	return rc == MDB_NOTFOUND ? OK : write_err(txn, rc);
}

/* --- blobs --- */

enum err blob_row_parse(struct str value, struct blob_row *out)
{
	struct scan in = scan(value);

	*out = (struct blob_row){ .segment = scan_u32(&in) };
	out->at = scan_u64(&in);
	out->stored = scan_u64(&in);
	out->size = scan_u64(&in);
	out->summary_size = scan_u32(&in);
	out->summary_stored = scan_u32(&in);
	out->refs = scan_u64(&in);
	return scan_end(&in) ? OK : E_CORRUPT;
}

enum err blob_row_get(struct map *m, MDB_txn *txn, struct blob_id id, struct blob_row *out)
{
	struct str v;
	enum err e = row_get(txn, m->blobs, blob_id_str(&id), &v);

	return e ? e : blob_row_parse(v, out);
}

enum err blob_row_put(struct map *m, MDB_txn *txn, struct blob_id id, const struct blob_row *r)
{
	struct buf b = buf_new(BLOB_ROW);

	buf_u32(&b, r->segment);
	buf_u64(&b, r->at);
	buf_u64(&b, r->stored);
	buf_u64(&b, r->size);
	buf_u32(&b, r->summary_size);
	buf_u32(&b, r->summary_stored);
	buf_u64(&b, r->refs);

	enum err e = row_put(txn, m->blobs, blob_id_str(&id), buf_str(&b));

	buf_free(&b);
	return e;
}

void blob_id_step(struct blob_id *id)
{
	for (size_t i = sizeof id->octets; i-- > 0 && ++id->octets[i] == 0;)
		;
}

/* --- segments --- */

struct number_key {
	char octets[4];
};

static struct number_key number_key(uint32_t n)
{
	return (struct number_key){ { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n } };
}

enum err segment_row_parse(struct str key, struct str value, uint32_t *number,
			   struct segment_row *out)
{
	struct scan k = scan(key), in = scan(value);

	*number = 0;
	for (unsigned i = 0; i < 4; i++)
		*number = *number << 8 | scan_u8(&k);
	out->live = scan_u64(&in);
	out->total = scan_u64(&in);
	return scan_end(&k) && scan_end(&in) ? OK : E_CORRUPT;
}

enum err segment_row_get(struct map *m, MDB_txn *txn, uint32_t number, struct segment_row *out)
{
	struct number_key k = number_key(number);
	struct str key = STR(k.octets, 4), v;
	enum err e = row_get(txn, m->segments, key, &v);

	*out = (struct segment_row){ 0 };
	return e ? e : segment_row_parse(key, v, &number, out);
}

enum err segment_row_put(struct map *m, MDB_txn *txn, uint32_t number, const struct segment_row *r)
{
	struct number_key k = number_key(number);
	struct buf b = buf_new(SEGMENT_ROW);

	buf_u64(&b, r->live);
	buf_u64(&b, r->total);

	enum err e = row_put(txn, m->segments, STR(k.octets, 4), buf_str(&b));

	buf_free(&b);
	return e;
}

enum err segment_row_del(struct map *m, MDB_txn *txn, uint32_t number)
{
	struct number_key k = number_key(number);

	return row_del(txn, m->segments, STR(k.octets, 4));
}

enum err segment_row_add(struct map *m, MDB_txn *txn, uint32_t number, int64_t live, uint64_t end)
{
	struct segment_row r;
	enum err e = segment_row_get(m, txn, number, &r);

	if (e && e != E_NOTFOUND)
		return e;
	if (live < 0 && r.live < (uint64_t)-live)
		return E_CORRUPT;
	r.live += (uint64_t)live;
	if (r.total < end)
		r.total = end;
	return segment_row_put(m, txn, number, &r);
}

/* --- meta --- */

enum err totals_get(struct map *m, MDB_txn *txn, struct totals *out)
{
	struct str v;
	enum err e = row_get(txn, m->meta, S("totals"), &v);

	*out = (struct totals){ 0 };
	if (e)
		return e == E_NOTFOUND ? OK : e;

	struct scan in = scan(v);

	out->updates = scan_u64(&in);
	out->commits = scan_u64(&in);
	out->syncs = scan_u64(&in);
	out->octets = scan_u64(&in);
	out->blobs = scan_u64(&in);
	out->blob_octets = scan_u64(&in);
	return scan_end(&in) ? OK : E_CORRUPT;
}

enum err totals_put(struct map *m, MDB_txn *txn, const struct totals *t)
{
	struct buf b = buf_new(TOTALS);

	buf_u64(&b, t->updates);
	buf_u64(&b, t->commits);
	buf_u64(&b, t->syncs);
	buf_u64(&b, t->octets);
	buf_u64(&b, t->blobs);
	buf_u64(&b, t->blob_octets);

	enum err e = row_put(txn, m->meta, S("totals"), buf_str(&b));

	buf_free(&b);
	return e;
}

static enum err next_segment(struct map *m, MDB_txn *txn, uint32_t *out)
{
	struct str v;
	enum err e = row_get(txn, m->meta, S("next"), &v);
	struct buf b = buf_new(4);

	*out = 1;
	if (e && e != E_NOTFOUND)
		return e;
	if (!e) {
		struct scan in = scan(v);

		*out = scan_u32(&in);
		if (!scan_end(&in) || *out == 0 || *out == UINT32_MAX)
			return E_CORRUPT;
	}
	buf_u32(&b, *out + 1);
	e = row_put(txn, m->meta, S("next"), buf_str(&b));
	buf_free(&b);
	return e;
}

enum err map_next_segment(struct map *m, uint32_t *out)
{
	enum err e;

	do {
		MDB_txn *txn;

		e = map_write_begin(m, &txn);
		if (e)
			return e;
		e = next_segment(m, txn, out);
		if (e)
			map_abort(m, txn);
		else
			e = map_commit(m, txn);
	} while (e == E_NOSPACE && map_grow(m));
	return e;
}

/* --- walking --- */

enum err walk_begin(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **out)
{
	return map_err(mdb_cursor_open(txn, dbi, out));
}

static enum err walk(MDB_cursor *c, MDB_cursor_op op, struct str from, struct str *key,
		     struct str *value)
{
	MDB_val k = val(from), v;
	int rc = mdb_cursor_get(c, &k, &v, op);

	if (!rc) {
		*key = str(k);
		*value = str(v);
	}
	return map_err(rc);
}

enum err walk_from(MDB_cursor *c, struct str from, struct str *key, struct str *value)
{
	return walk(c, from.n ? MDB_SET_RANGE : MDB_FIRST, from, key, value);
}

enum err walk_next(MDB_cursor *c, struct str *key, struct str *value)
{
	return walk(c, MDB_NEXT, S_NONE, key, value);
}

/* --- one partition --- */

void part_init(struct part *p, struct map *m, MDB_txn *txn, struct str name)
{
	p->map = m;
	p->txn = txn;
	p->cursor = NULL;
	p->head = name.n + 1;
	memcpy(p->key, name.p, name.n);
	p->key[name.n] = '\0';
}

void part_end(struct part *p)
{
	if (p->cursor)
		mdb_cursor_close(p->cursor);
	p->cursor = NULL;
}

/* The whole key; lives until the next call. key is at most KEY_MAX octets. */
static struct str whole(struct part *p, struct str key)
{
	if (key.n)
		memcpy(p->key + p->head, key.p, key.n);
	return STR(p->key, p->head + key.n);
}

static enum err part_get(void *under, struct str key, struct str *value)
{
	struct part *p = under;

	return row_get(p->txn, p->map->data, whole(p, key), value);
}

static enum err part_next(void *under, struct str prefix, struct str after, struct str *key,
			  struct str *value)
{
	struct part *p = under;
	bool from_prefix = str_cmp(after, prefix) < 0;
	struct str from = str_part(from_prefix ? prefix : after, 0, KEY_MAX), row;
	enum err e = p->cursor ? OK : walk_begin(p->txn, p->map->data, &p->cursor);
	MDB_val at;

	if (e)
		return e;
	/* Mostly the cursor stands there already: a walk asks for one after the other. */
	if (!from_prefix && mdb_cursor_get(p->cursor, &at, &(MDB_val){ 0 }, MDB_GET_CURRENT) == 0 &&
	    str_eq(str(at), whole(p, from)))
		e = walk_next(p->cursor, &row, value);
	else
		e = walk_from(p->cursor, whole(p, from), &row, value);
	if (!e && !from_prefix && str_eq(row, whole(p, from)))
		e = walk_next(p->cursor, &row, value);
	if (e)
		return e;
	*key = str_from(row, p->head);
	return str_starts(row, STR(p->key, p->head)) && str_starts(*key, prefix) ? OK : E_NOTFOUND;
}

static enum err part_blob(void *under, struct blob_id id)
{
	struct part *p = under;
	struct blob_row r;
	enum err e = blob_row_get(p->map, p->txn, id, &r);

	return e == E_NOTFOUND && p->open_blob ? p->open_blob(p->arg, id) : e;
}

const struct snapshot part_snapshot = { part_get, part_next, part_blob };

enum err part_put(struct part *p, struct str key, struct str value)
{
	return row_put(p->txn, p->map->data, whole(p, key), value);
}

enum err part_del(struct part *p, struct str key)
{
	return row_del(p->txn, p->map->data, whole(p, key));
}
