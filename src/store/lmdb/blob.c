/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/lmdb/blob.h"

/*
 * Writing blobs.
 *
 * One of up to a chunk stays in memory as a whole record until the committer writes it, with all
 * others that wait, in one go. A larger one goes, chunk by chunk as it comes, to a file without
 * a name, and from there into the segment when it is finished: so segments hold finished records
 * only, each in one piece, and one given up leaves nothing.
 *
 *   BUILDING --lmdb_blob_finish--> PENDING --blobs_flush--> PLACED --its sync--> SYNCED
 *       \------lmdb_blob_finish (large: written and synced there)----------------/
 */

enum {
	INLINE_MAX = 32 << 10, /* octets that are compressed on the loop's thread */
	FLUSH_MAX = 256,       /* records of one pwritev */
	FLUSH_OCTETS = 16 << 20,
};

static struct lmdb_blob *lmdb_blob(struct blob *b)
{
	return (struct lmdb_blob *)b;
}

static struct lmdb_blob **bucket(struct lmdb *lm, struct blob_id id)
{
	return &lm->blobs[id.octets[sizeof id.octets - 1] % BLOB_BUCKETS];
}

struct blob *lmdb_blob_new(struct store *st)
{
	struct lmdb_blob *b = NEW(struct lmdb_blob);

	b->lm = lmdb(st);
	b->r.id = blob_id_new();
	b->table = buf_new(8 * CHUNKS_MAX);
	b->spill = -1;
	atomic_fetch_add(&b->lm->open_blobs, 1);
	return &b->blob;
}

/* --- chunks --- */

/* A file that is gone when it is closed. Not every file system makes one without a name; then it
 * loses its name at once (one that died in between is swept: reclaim.c). */
static int nameless(struct lmdb *lm)
{
	static atomic_uint count;
	char name[48];
	int fd = openat(lm->segments_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	snprintf(name, sizeof name, SPILL "%d-%u", (int)getpid(), atomic_fetch_add(&count, 1));
	fd = openat(lm->segments_dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlinkat(lm->segments_dir, name, 0);
	return fd;
}

/* On a worker: packs the full chunk and writes it to the file without a name. */
static void spill(void *arg)
{
	struct lmdb_blob *b = arg;
	char *packed = mem_new(b->chunk_n);
	uint32_t crc;

	b->failed = disk_room(b->lm, 2 * (uint64_t)b->chunk_n); /* here, and then in a segment */
	if (!b->failed && b->spill < 0) {
		b->spill = nameless(b->lm);
		if (b->spill < 0)
			b->failed = errno_err(errno);
	}
	if (!b->failed) {
		size_t n = record_pack(STR(b->chunk, b->chunk_n), packed, &crc);
		char *row = buf_space(&b->table, 8);

		table_set((uint8_t *)row, 0, (uint32_t)n, crc);
		b->table.n += 8;
		b->failed = write_all(b->spill, STR(packed, n), b->spilled);
		b->spilled += n;
		b->chunk_n = 0;
	}
	free(packed);
	if (b->failed)
		log_event(LOG_ERROR, "store.spill", KVE(b->failed));
}

enum err lmdb_blob_write(struct blob *blob, struct str octets)
{
	struct lmdb_blob *b = lmdb_blob(blob);

	while (!b->failed && octets.n) {
		if (b->chunk_n == CHUNK) {
			if (b->table.n == 8 * (CHUNKS_MAX - 1))
				b->failed = E_LIMIT;
			else
				work_run(spill, b);
			continue;
		}

		size_t n = octets.n < CHUNK - b->chunk_n ? octets.n : CHUNK - b->chunk_n;

		if (b->chunk_n + n > b->chunk_cap) {
			size_t cap = b->chunk_cap * 2 > b->chunk_n + n ? b->chunk_cap * 2
								       : b->chunk_n + n;

			cap = cap < CHUNK ? cap : CHUNK;
			b->chunk = mem_grow(b->chunk, b->chunk_cap, cap);
			b->chunk_cap = cap;
		}
		memcpy(b->chunk + b->chunk_n, octets.p, n);
		b->chunk_n += n;
		b->r.size += n;
		octets = str_from(octets, n);
	}
	return b->failed;
}

/* --- finishing --- */

static uint64_t padded(uint64_t n)
{
	return (n + 7) & ~(uint64_t)7;
}

/* Packs the summary behind the room for head and table; b->record has all room it could need. */
static uint64_t pack_summary(struct lmdb_blob *b)
{
	uint64_t head = record_head_size(b->r.size);
	char *to = b->record + head;

	if (b->summary.n < SUMMARY_PAYS_FROM) {
		if (b->summary.n)
			memcpy(to, b->summary.p, b->summary.n);
		b->r.summary_stored = (uint32_t)b->summary.n;
		b->r.summary_crc = crc32c(0, b->summary);
	} else {
		b->r.summary_stored = (uint32_t)record_pack(b->summary, to, &b->r.summary_crc);
	}
	return head + b->r.summary_stored;
}

/* Makes the record of a blob of one chunk, or none. */
static void finish_small(void *arg)
{
	struct lmdb_blob *b = arg;
	uint8_t row[8];
	uint32_t crc;

	b->record = mem_new(padded(record_head_size(b->r.size) + b->summary.n + b->chunk_n));

	uint64_t n = pack_summary(b);

	if (b->chunk_n) {
		size_t stored = record_pack(STR(b->chunk, b->chunk_n), b->record + n, &crc);

		table_set(row, 0, (uint32_t)stored, crc);
		n += stored;
	}
	b->r.chunks = b->chunk_n > 0;
	b->r.table = row;
	record_head(b->record, &b->r);
	b->r.table = NULL;
	/* Packing may have written a little past what it kept; padding is zero by the format. */
	memset(b->record + n, 0, padded(n) - n);
	b->place.stored = padded(n);
	free(b->chunk);
	b->chunk = NULL;
}

/* Copies the spilled chunks to the segment: inside the kernel where the file system can. */
static enum err copy_spilled(struct lmdb_blob *b, int to, uint64_t at)
{
	off_t in = 0, out = (off_t)at;
	char *piece = NULL;
	enum err e = OK;

	while (!e && (uint64_t)in < b->spilled) {
		size_t n =
			b->spilled - (uint64_t)in < 1 << 20 ? b->spilled - (uint64_t)in : 1 << 20;
		ssize_t done = piece ? -1 : copy_file_range(b->spill, &in, to, &out, n, 0);

		if (done > 0)
			continue;
		if (done < 0 && !piece && errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
		    errno != EOPNOTSUPP && errno != EINTR) {
			e = errno_err(errno);
			break;
		}
		if (!piece)
			piece = mem_new(1 << 20);
		e = read_all(b->spill, piece, n, (uint64_t)in);
		if (!e)
			e = write_all(to, STR(piece, n), (uint64_t)out);
		in += (off_t)n;
		out += (off_t)n;
	}
	free(piece);
	return e;
}

/* On a worker: brings a blob of many chunks into the segment and onto the disk. */
static void finish_large(void *arg)
{
	struct lmdb_blob *b = arg;
	struct lmdb *lm = b->lm;
	uint64_t head = record_head_size(b->r.size);
	char zeros[8] = { 0 };

	spill(b);
	if (b->failed)
		return;
	b->record = mem_new(head + b->summary.n);
	head = pack_summary(b);
	b->r.chunks = (uint32_t)(b->table.n / 8);
	b->r.table = (const uint8_t *)b->table.p;
	record_head(b->record, &b->r);

	uint64_t n = head + b->spilled;

	b->place.stored = padded(n);
	b->failed = segment_reserve(lm, b->place.stored, &b->segment, &b->place.at);
	if (b->failed)
		return;
	b->place.segment = b->segment->number;
	b->failed = write_all(b->segment->fd, STR(b->record, head), b->place.at);
	if (!b->failed)
		b->failed = copy_spilled(b, b->segment->fd, b->place.at + head);
	if (!b->failed)
		b->failed = write_all(b->segment->fd, STR(zeros, padded(n) - n), b->place.at + n);
	if (b->failed) {
		segment_unreserve(lm, b->segment, b->place.stored, b->place.at);
	} else {
		segment_written(lm, b->segment);
		atomic_fetch_add(&lm->octets, b->place.stored);
		b->failed = segment_sync(lm, b->segment);
	}
	if (b->failed)
		log_event(LOG_ERROR, "store.blob", KVE(b->failed), KVN("octets", n));
	free(b->record);
	b->record = NULL;
	close(b->spill);
	b->spill = -1;
}

enum err lmdb_blob_finish(struct blob *blob, struct str summary, struct blob_id *id)
{
	struct lmdb_blob *b = lmdb_blob(blob);
	struct lmdb *lm = b->lm;
	bool small = b->spill < 0;

	if (b->failed)
		return b->failed;
	b->summary = summary;
	b->r.summary_size = (uint32_t)summary.n;
	if (small && b->chunk_n + summary.n <= INLINE_MAX)
		finish_small(b);
	else
		work_run(small ? finish_small : finish_large, b);
	b->summary = S_NONE; /* borrowed for this call */
	if (b->failed)
		return b->failed;
	*id = b->r.id;

	struct lmdb_blob **head = bucket(lm, b->r.id);

	pthread_mutex_lock(&lm->blob_lock);
	b->next = *head;
	*head = b;
	b->state = small ? PENDING : SYNCED;
	if (small) {
		*lm->pending_end = b;
		lm->pending_end = &b->next_pending;
	}
	pthread_mutex_unlock(&lm->blob_lock);
	return OK;
}

static void blob_free(struct lmdb_blob *b)
{
	if (b->segment)
		segment_release(b->lm, b->segment);
	if (b->spill >= 0)
		close(b->spill);
	buf_free(&b->table);
	free(b->chunk);
	free(b->record);
	free(b);
}

void lmdb_blob_close(struct blob *blob)
{
	struct lmdb_blob *b = lmdb_blob(blob), **at;
	struct lmdb *lm = b->lm;

	pthread_mutex_lock(&lm->blob_lock);
	for (at = bucket(lm, b->r.id); *at && *at != b; at = &(*at)->next)
		;
	if (*at)
		*at = b->next;
	if (b->state == PENDING && !b->writing) {
		for (at = &lm->pending; *at != b; at = &(*at)->next_pending)
			;
		*at = b->next_pending;
		if (!*at)
			lm->pending_end = at;
	}
	b->closed = true;
	atomic_fetch_sub(&lm->open_blobs, 1);

	bool mine = !b->writing;

	pthread_mutex_unlock(&lm->blob_lock);
	if (mine)
		blob_free(b); /* else the committer does, when it has written it */
}

/* --- the committer's side --- */

static size_t count_pending(struct lmdb *lm)
{
	size_t n = 0;

	pthread_mutex_lock(&lm->blob_lock);
	for (const struct lmdb_blob *b = lm->pending; b; b = b->next_pending)
		n++;
	pthread_mutex_unlock(&lm->blob_lock);
	return n;
}

/* The pending blobs, as many as go into one write and most; they are ours until told. */
static size_t take_pending(struct lmdb *lm, size_t most, struct lmdb_blob **out, uint64_t *octets)
{
	size_t n = 0;

	*octets = 0;
	pthread_mutex_lock(&lm->blob_lock);
	while (lm->pending && n < FLUSH_MAX && n < most && *octets < FLUSH_OCTETS) {
		struct lmdb_blob *b = lm->pending;

		lm->pending = b->next_pending;
		b->next_pending = NULL;
		b->writing = true;
		*octets += b->place.stored;
		out[n++] = b;
	}
	if (!lm->pending)
		lm->pending_end = &lm->pending;
	pthread_mutex_unlock(&lm->blob_lock);
	return n;
}

static enum err write_records(int fd, struct lmdb_blob **b, size_t n, uint64_t at)
{
	struct iovec iov[FLUSH_MAX];
	size_t first = 0;

	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){ b[i]->record, b[i]->place.stored };
	while (first < n) {
		ssize_t done = pwritev(fd, iov + first, (int)(n - first), (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno_err(errno) : E_IO;
		at += (uint64_t)done;
		while (first < n && (size_t)done >= iov[first].iov_len)
			done -= (ssize_t)iov[first++].iov_len;
		if (first < n) {
			iov[first].iov_base = (char *)iov[first].iov_base + done;
			iov[first].iov_len -= (size_t)done;
		}
	}
	return OK;
}

/* Writes and syncs them; each is then SYNCED, or has failed. */
static enum err flush(struct lmdb *lm, struct lmdb_blob **b, size_t n, uint64_t octets)
{
	struct segment *s;
	uint64_t at;
	enum err e = segment_reserve(lm, octets, &s, &at);

	if (e)
		return e;
	e = write_records(s->fd, b, n, at);
	if (e) {
		segment_unreserve(lm, s, octets, at);
	} else {
		segment_written(lm, s);
		atomic_fetch_add(&lm->octets, octets);
		e = segment_sync(lm, s);
	}
	for (size_t i = 0; i < n && !e; i++) {
		segment_hold(lm, s);
		b[i]->segment = s;
		b[i]->place.segment = s->number;
		b[i]->place.at = at;
		at += b[i]->place.stored;
	}
	segment_release(lm, s);
	return e;
}

void blobs_flush(struct lmdb *lm)
{
	struct lmdb_blob *b[FLUSH_MAX];
	uint64_t octets;
	size_t n;

	/* Those that wait now, which are all of this batch's; what comes during the sync is for the
	 * next one, else this one would pay a sync for it. */
	for (size_t left = count_pending(lm); left > 0; left -= n) {
		n = take_pending(lm, left, b, &octets);
		if (!n)
			break;

		enum err e = flush(lm, b, n, octets);

		if (e)
			log_event(LOG_ERROR, "store.blobs", KVE(e), KVN("blobs", n));
		for (size_t i = 0; i < n; i++) {
			pthread_mutex_lock(&lm->blob_lock);
			b[i]->failed = e;
			b[i]->state = e ? FAILED : SYNCED;
			b[i]->writing = false;

			bool ours = b[i]->closed;

			pthread_mutex_unlock(&lm->blob_lock);
			if (ours)
				blob_free(b[i]);
		}
	}
}

enum err blobs_find(struct lmdb *lm, struct blob_id id, struct blob_row *row)
{
	enum err e = E_NOTFOUND;

	pthread_mutex_lock(&lm->blob_lock);

	const struct lmdb_blob *b = *bucket(lm, id);

	while (b && memcmp(&b->r.id, &id, sizeof id) != 0)
		b = b->next;
	if (b && b->state == SYNCED) {
		*row = (struct blob_row){
			.segment = b->place.segment,
			.at = b->place.at,
			.stored = b->place.stored,
			.size = b->r.size,
			.summary_size = b->r.summary_size,
			.summary_stored = b->r.summary_stored,
		};
		e = OK;
	} else if (b) {
		e = b->failed ? b->failed : E_AGAIN;
	}
	pthread_mutex_unlock(&lm->blob_lock);
	return e;
}
