/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/encode.h"
#include "store/lmdb/lmdb_priv.h"

/*
 * Reading. The map is read where the caller runs. A blob's octets are too if the page cache has
 * them, and by a worker if not: the loop does not wait for the disk. Every checksum is checked
 * at every read.
 */

enum {
	WHOLE_MAX = 64 << 10,  /* a record up to this is read with its head */
	INLINE_MAX = 64 << 10, /* octets that are unpacked on the loop's thread */
};

enum err lmdb_read(struct store *st, struct str partition, enum err (*fn)(struct tx *tx, void *arg),
		   void *arg)
{
	struct map *m = &lmdb(st)->map;
	struct part part = { 0 };
	struct tx tx;
	MDB_txn *txn;
	enum err e = map_read_begin(m, &txn);

	if (e)
		return e;
	part_init(&part, m, txn, partition);
	e = tx_run(&tx, &part_snapshot, &part, true, fn, arg);
	tx_end(&tx);
	part_end(&part);
	map_read_end(m, txn);
	return e;
}

static enum err row(struct lmdb *lm, struct blob_id id, struct blob_row *out)
{
	MDB_txn *txn;
	enum err e = map_read_begin(&lm->map, &txn);

	if (e)
		return e;
	e = blob_row_get(&lm->map, txn, id, out);
	map_read_end(&lm->map, txn);
	return e;
}

enum err lmdb_blob_stat(struct store *st, struct blob_id id, struct blob_info *out)
{
	struct blob_row r;
	enum err e = row(lmdb(st), id, &r);

	if (!e)
		*out = (struct blob_info){ r.size, r.summary_size };
	return e;
}

/* --- octets of a segment --- */

struct piece {
	int fd;
	uint64_t at;
	char *p;
	size_t n;
	enum err err;
};

static void read_piece(void *arg)
{
	struct piece *r = arg;

	r->err = read_all(r->fd, r->p, r->n, r->at);
}

/* Suspends only if the octets are not in memory. */
static enum err read_at(int fd, char *p, size_t n, uint64_t at)
{
	struct iovec iov = { p, n };
	ssize_t got = preadv2(fd, &iov, 1, (off_t)at, RWF_NOWAIT);

	if (got == (ssize_t)n)
		return OK;
	if (got < 0)
		got = 0;

	struct piece rest = { fd, at + (uint64_t)got, p + got, n - (size_t)got, OK };

	work_run(read_piece, &rest);
	return rest.err;
}

struct unpack {
	const struct record *r;
	const char *stored; /* of the chunks from first on */
	uint32_t first, last;
	uint64_t off, end; /* octets wanted */
	char *out;
	enum err err;
};

static void unpack(void *arg)
{
	struct unpack *u = arg;
	const char *p = u->stored;
	char *whole = NULL;

	for (uint32_t i = u->first; i <= u->last && !u->err; i++) {
		struct chunk c = record_chunk(u->r, i);
		uint64_t start = (uint64_t)i * CHUNK, end = start + c.size;
		uint64_t from = start < u->off ? u->off : start, to = end > u->end ? u->end : end;
		char *out = u->out + (from - u->off);

		if (from > start && !whole)
			whole = mem_new(CHUNK);
		u->err = record_unpack(STR(p, c.stored), c.crc, c.size, from > start ? whole : out,
				       to - start);
		if (from > start && !u->err)
			memcpy(out, whole + (from - start), to - from);
		p += c.stored;
	}
	free(whole);
}

/* A record, as much of it as was read: all of a short one, else its head. */
struct reading {
	struct lmdb *lm;
	struct blob_id id;
	struct blob_row row;
	int fd;
	char *p;
	size_t n;
	struct record r;
};

/* Looks it up and reads its head, with its summary if asked for. Between look-up and read the blob
 * may have been moved, and where it was removed: then it is looked up again. */
static enum err begin(struct lmdb *lm, struct blob_id id, bool with_summary, struct reading *rd)
{
	enum err e = E_NOTFOUND;

	*rd = (struct reading){ .lm = lm, .id = id, .fd = -1 };
	for (unsigned tries = 0; e == E_NOTFOUND && tries < 4; tries++) {
		e = row(lm, id, &rd->row);
		if (e)
			return e;
		e = segment_open(lm, rd->row.segment, &rd->fd);
	}
	if (e) {
		rd->fd = -1;
		return e == E_NOTFOUND ? E_CORRUPT : e;
	}

	uint64_t head = record_head_size(rd->row.size);

	if (record_chunks(rd->row.size) > CHUNKS_MAX || rd->row.stored < head ||
	    rd->row.summary_size > BLOB_SUMMARY_MAX ||
	    rd->row.summary_stored > rd->row.summary_size)
		e = E_CORRUPT;
	if (with_summary)
		head += rd->row.summary_stored;
	rd->n = (size_t)(rd->row.stored <= WHOLE_MAX ? rd->row.stored : head);
	if (!e) {
		rd->p = mem_new(rd->n);
		e = read_at(rd->fd, rd->p, rd->n, rd->row.at);
	}
	if (!e)
		e = record_parse(STR(rd->p, rd->n), &rd->r);
	if (!e && (memcmp(&rd->r.id, &id, sizeof id) != 0 || rd->r.size != rd->row.size ||
		   rd->r.summary_size != rd->row.summary_size ||
		   rd->r.summary_stored != rd->row.summary_stored ||
		   record_size(&rd->r) != rd->row.stored))
		e = E_CORRUPT;
	return e;
}

static enum err end(struct reading *rd, enum err e)
{
	if (e && e != E_NOTFOUND) {
		struct arena *a = arena_new(4096);

		log_event(LOG_ERROR, "store.blob", KVE(e), KVN("segment", rd->row.segment),
			  KVN("at", rd->row.at), KV("blob", hex_encode(a, blob_id_str(&rd->id))));
		arena_free(&a);
	}
	if (rd->fd >= 0)
		segment_close(rd->lm, rd->row.segment, rd->fd);
	free(rd->p);
	return e;
}

enum err lmdb_blob_summary(struct store *st, struct blob_id id, struct arena *a, struct str *out)
{
	struct reading rd;
	enum err e = begin(lmdb(st), id, true, &rd);

	if (!e) {
		struct str stored =
			str_part(STR(rd.p, rd.n), record_head_size(rd.r.size), rd.r.summary_stored);
		char *p = arena_alloc(a, rd.r.summary_size);

		e = record_unpack(stored, rd.r.summary_crc, rd.r.summary_size, p,
				  rd.r.summary_size);
		if (!e)
			*out = STR(p, rd.r.summary_size);
	}
	return end(&rd, e);
}

/* The chunks that hold [off, end) into out. */
static enum err read_chunks(struct reading *rd, uint64_t off, uint64_t to, char *out)
{
	struct unpack u = {
		.r = &rd->r,
		.first = (uint32_t)(off / CHUNK),
		.last = (uint32_t)((to - 1) / CHUNK),
		.off = off,
		.end = to,
		.out = out,
	};
	struct chunk first = record_chunk(&rd->r, u.first), last = record_chunk(&rd->r, u.last);
	uint64_t behind = last.at + last.stored;
	char *p = NULL;
	enum err e = OK;

	if (behind <= rd->n) {
		u.stored = rd->p + first.at;
	} else {
		p = mem_new(behind - first.at);
		u.stored = p;
		e = read_at(rd->fd, p, behind - first.at, rd->row.at + first.at);
	}
	bool short_one = u.last == u.first && (first.size <= INLINE_MAX ||
					       to - (uint64_t)u.first * CHUNK <= RECORD_FIRST);

	if (!e && !short_one)
		work_run(unpack, &u);
	else if (!e)
		unpack(&u);
	free(p);
	return e ? e : u.err;
}

enum err lmdb_blob_read(struct store *st, struct blob_id id, uint64_t off, size_t n,
			struct arena *a, struct str *out)
{
	struct reading rd;
	enum err e = begin(lmdb(st), id, false, &rd);

	if (!e && n && off < rd.r.size) {
		uint64_t to = n < rd.r.size - off ? off + n : rd.r.size;
		char *p = arena_alloc(a, to - off);

		e = read_chunks(&rd, off, to, p);
		if (!e)
			*out = STR(p, to - off);
	}
	return end(&rd, e);
}
