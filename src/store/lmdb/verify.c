/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "store/lmdb/lmdb_priv.h"

/*
 * Checking everything, beside daily work. First the tables against each other, in one snapshot:
 * keys, reference counts, live octets of segments, totals. Then the octets of each blob, piece by
 * piece; a blob that has gone or moved meanwhile is no fault. The work is a worker's, the faults
 * are told on the caller's fiber.
 */

enum {
	PIECE = 128, /* blobs checked between two reports */
	PIECE_OCTETS = 8 << 20,
	FAULTS_MAX = 1000, /* told of one piece; more are only counted */
	SENTENCES = 4 << 20,
};

/* A partition's name and then some: how long a key of the table may be. */
enum { DATA_KEY_MAX = PARTITION_MAX + 1 + KEY_MAX };

struct verify {
	struct lmdb *lm;
	struct arena *a; /* sentences of this piece */
	char hex[2 * DATA_KEY_MAX + 1];
	struct str fault[FAULTS_MAX];
	size_t faults;
	uint64_t all_faults;
	/* as counted */
	uint64_t *live; /* by segment's number */
	uint32_t segments;
	uint64_t blobs, blob_octets;
	/* the blobs' octets */
	struct blob_id from;
	bool end;
	uint64_t done;
	enum err err;
};

PRINTF(2, 3) static void fault(struct verify *v, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	v->all_faults++;
	if (v->faults == FAULTS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	v->fault[v->faults++] = str_dup(v->a, str_of(text));
}

/* As hexadecimal digits; lives until the next call. */
static const char *hex(struct verify *v, struct str s)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; s.n && n < 2 * (size_t)DATA_KEY_MAX; s = str_from(s, 1)) {
		v->hex[n++] = digits[(uint8_t)*s.p >> 4];
		v->hex[n++] = digits[*s.p & 15];
	}
	v->hex[n] = '\0';
	return v->hex;
}

/* --- tables --- */

static enum err check_data(struct verify *v, MDB_txn *txn)
{
	struct str key, value;
	MDB_cursor *c;
	enum err e = walk_begin(txn, v->lm->map.data, &c);

	if (e)
		return e;
	for (e = walk_from(c, S_NONE, &key, &value); !e; e = walk_next(c, &key, &value)) {
		size_t nul = str_find(key, '\0');

		if (nul == 0 || nul > PARTITION_MAX || key.n < nul + 2 ||
		    key.n > nul + 1 + KEY_MAX || str_has(str_from(key, nul + 1), '\0') ||
		    value.n > VALUE_MAX)
			fault(v, "the key %s is not one this program makes", hex(v, key));
	}
	mdb_cursor_close(c);
	return e == E_NOTFOUND ? OK : e;
}

/* One blob's row, with the references counted that stand behind it. */
static void check_row(struct verify *v, struct str id, const struct blob_row *r, uint64_t refs)
{
	uint64_t head = record_head_size(r->size);

	if (refs != r->refs || refs == 0)
		fault(v, "blob %s: %" PRIu64 " references are counted, %" PRIu64 " are there",
		      hex(v, id), r->refs, refs);
	if (r->stored < head + r->summary_stored || r->stored % 8 || r->at % 8 ||
	    record_chunks(r->size) > CHUNKS_MAX || r->segment == 0 || r->segment >= v->segments)
		fault(v, "blob %s: its place makes no sense", hex(v, id));
	else
		v->live[r->segment] += r->stored;
	v->blobs++;
	v->blob_octets += r->size;
}

static enum err check_blobs(struct verify *v, MDB_txn *txn)
{
	struct str key, value, id = S_NONE;
	struct blob_row r = { 0 };
	uint64_t refs = 0;
	MDB_cursor *c;
	enum err e = walk_begin(txn, v->lm->map.blobs, &c);

	if (e)
		return e;
	for (e = walk_from(c, S_NONE, &key, &value); !e; e = walk_next(c, &key, &value)) {
		struct scan in = scan(value);

		if (key.n == sizeof(struct blob_id)) {
			if (id.n)
				check_row(v, id, &r, refs);
			id = key;
			refs = 0;
			if (blob_row_parse(value, &r)) {
				fault(v, "blob %s: its row cannot be read", hex(v, id));
				id = S_NONE;
			}
		} else if (!id.n || !str_starts(key, id) || value.n != 4) {
			fault(v, "the reference %s belongs to no blob", hex(v, key));
		} else {
			refs += scan_u32(&in);
		}
	}
	if (id.n)
		check_row(v, id, &r, refs);
	mdb_cursor_close(c);
	return e == E_NOTFOUND ? OK : e;
}

static void check_segment(struct verify *v, uint32_t number, const struct segment_row *r)
{
	struct stat st;
	char name[16];
	int fd;

	segment_name(name, number);
	if (number >= v->segments || r->live != v->live[number]) {
		fault(v, "segment %s: %" PRIu64 " live octets are counted, %" PRIu64 " are there",
		      name, r->live, number < v->segments ? v->live[number] : 0);
	}
	if (number < v->segments)
		v->live[number] = 0;
	if (r->live > r->total)
		fault(v, "segment %s: more is live than there is", name);

	enum err e = r->live ? segment_open(v->lm, number, &fd) : OK;

	if (e) {
		fault(v, "segment %s: its file cannot be read: %s", name, err_text(e));
	} else if (r->live) {
		if (fstat(fd, &st) < 0 || (uint64_t)st.st_size < r->total)
			fault(v, "segment %s: its file is too short", name);
		segment_close(v->lm, number, fd);
	}
}

static enum err check_segments(struct verify *v, MDB_txn *txn)
{
	struct str key, value;
	MDB_cursor *c;
	enum err e = walk_begin(txn, v->lm->map.segments, &c);

	if (e)
		return e;
	for (e = walk_from(c, S_NONE, &key, &value); !e; e = walk_next(c, &key, &value)) {
		struct segment_row r;
		uint32_t number;

		if (segment_row_parse(key, value, &number, &r))
			fault(v, "a segment's row cannot be read");
		else
			check_segment(v, number, &r);
	}
	mdb_cursor_close(c);
	for (uint32_t n = 0; n < v->segments; n++)
		if (v->live[n])
			fault(v, "segment %08x.seg: blobs lie there, but it has no row", n);
	return e == E_NOTFOUND ? OK : e;
}

/* Blobs may lie in any segment whose number was ever given. */
static enum err make_live(struct verify *v, MDB_txn *txn)
{
	struct str next;
	enum err e = row_get(txn, v->lm->map.meta, S("next"), &next);

	v->segments = 1;
	if (!e) {
		struct scan in = scan(next);

		v->segments = scan_u32(&in);
		if (!scan_end(&in) || v->segments > 1U << 28)
			return E_CORRUPT;
	}
	v->live = mem_new(v->segments * sizeof *v->live);
	return e == E_NOTFOUND ? OK : e;
}

static enum err check_tables(struct verify *v, MDB_txn *txn)
{
	struct totals t;
	enum err e = make_live(v, txn);

	if (!e)
		e = check_data(v, txn);
	if (!e)
		e = check_blobs(v, txn);
	if (!e)
		e = check_segments(v, txn);
	if (!e)
		e = totals_get(&v->lm->map, txn, &t);
	if (!e && (t.blobs != v->blobs || t.blob_octets != v->blob_octets))
		fault(v,
		      "%" PRIu64 " blobs of %" PRIu64 " octets are counted, %" PRIu64 " of %" PRIu64
		      " are there",
		      t.blobs, t.blob_octets, v->blobs, v->blob_octets);
	return e;
}

static void tables(void *arg)
{
	struct verify *v = arg;
	MDB_txn *txn;

	v->err = map_read_begin(&v->lm->map, &txn);
	if (v->err)
		return;
	v->err = check_tables(v, txn);
	map_read_end(&v->lm->map, txn);
}

/* --- octets --- */

static enum err row_now(struct verify *v, struct blob_id id, struct blob_row *out)
{
	MDB_txn *txn;
	enum err e = map_read_begin(&v->lm->map, &txn);

	if (e)
		return e;
	e = blob_row_get(&v->lm->map, txn, id, out);
	map_read_end(&v->lm->map, txn);
	return e;
}

static enum err check_octets(struct verify *v, struct blob_id id, const struct blob_row *r)
{
	char *p;
	int fd;
	enum err e = segment_open(v->lm, r->segment, &fd);

	if (e)
		return e;
	e = segment_record(fd, r->at, r->stored, &p);
	if (!e)
		e = record_check(STR(p, r->stored), id);
	free(p);
	segment_close(v->lm, r->segment, fd);
	return e;
}

static void check_blob(struct verify *v, struct blob_id id, struct blob_row *r)
{
	for (;;) {
		struct blob_row now;
		enum err e = check_octets(v, id, r);

		if (!e || row_now(v, id, &now))
			return; /* fine, or gone meanwhile */
		if (now.segment == r->segment && now.at == r->at) {
			fault(v, "blob %s in segment %08x.seg at %" PRIu64 ": %s",
			      hex(v, blob_id_str(&id)), r->segment, r->at, err_text(e));
			return;
		}
		*r = now;
	}
}

struct to_check {
	struct blob_id id;
	struct blob_row row;
};

/* The next rows, gathered first: no transaction stays open while the disk is read. */
static size_t gather(struct verify *v, struct to_check *out)
{
	struct str key, value;
	uint64_t octets = 0;
	size_t n = 0;
	MDB_cursor *c;
	MDB_txn *txn;

	v->err = map_read_begin(&v->lm->map, &txn);
	if (v->err)
		return 0;
	v->err = walk_begin(txn, v->lm->map.blobs, &c);
	if (!v->err) {
		enum err e = walk_from(c, blob_id_str(&v->from), &key, &value);

		while (!e && n < PIECE && octets < PIECE_OCTETS) {
			if (key.n == sizeof v->from && blob_row_parse(value, &out[n].row) == OK) {
				memcpy(&out[n].id, key.p, sizeof v->from);
				v->from = out[n].id;
				blob_id_step(&v->from);
				octets += out[n++].row.stored;
			}
			e = walk_next(c, &key, &value);
		}
		mdb_cursor_close(c);
		v->end = e == E_NOTFOUND;
		v->err = v->end ? OK : e;
	}
	map_read_end(&v->lm->map, txn);
	return n;
}

static void octets(void *arg)
{
	struct verify *v = arg;
	struct to_check *list = mem_new(PIECE * sizeof *list);
	size_t n = gather(v, list);

	for (size_t i = 0; i < n; i++)
		check_blob(v, list[i].id, &list[i].row);
	v->done += n;
	free(list);
}

/* Tells what the last piece of work has found. */
static void tell(struct verify *v, const struct store_report *r)
{
	for (size_t i = 0; i < v->faults; i++)
		r->fault(r->arg, v->fault[i]);
	v->faults = 0;
	arena_reset(v->a);
	r->progress(r->arg, v->done, v->blobs > v->done ? v->blobs : v->done);
}

enum err lmdb_verify(struct store *st, const struct store_report *r)
{
	struct verify *v = NEW(struct verify);

	v->lm = lmdb(st);
	v->a = arena_new(SENTENCES);
	work_run(tables, v);
	tell(v, r);
	while (!v->err && !v->end && !fiber_canceled()) {
		work_run(octets, v);
		tell(v, r);
	}

	enum err e = v->err                        ? v->err
		     : v->all_faults               ? E_CORRUPT
		     : !v->end && fiber_canceled() ? E_CANCELED
						   : OK;

	arena_free(&v->a);
	free(v->live);
	free(v);
	return e;
}
