/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <pthread.h>
#include <zstd.h>

#include "base/buf.h"
#include "store/lmdb/crc32c.h"
#include "store/lmdb/record.h"

#define MAGIC_SEGMENT S("tecsmail")
#define MAGIC_RECORD  0x626f6c62U /* "blob" */

enum {
	LEVEL = 1,
	PAYS_FROM = 64, /* octets: shorter is not worth a frame's head */
};

static void put32(char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static void put64(char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

void segment_head(char out[SEGMENT_HEAD], uint32_t number)
{
	memset(out, 0, SEGMENT_HEAD);
	memcpy(out, MAGIC_SEGMENT.p, 8);
	put32(out + 8, SEGMENT_VERSION);
	put32(out + 12, number);
	put32(out + 16, crc32c(0, STR(out, 16)));
}

/* The version comes before the checksum: another version may check in another way. */
enum err segment_head_parse(struct str head, uint32_t number, uint32_t *version)
{
	struct scan in = scan(head);
	bool ours = str_eq(scan_take(&in, 8), MAGIC_SEGMENT);

	*version = scan_u32(&in);
	if (in.bad || !ours)
		return E_CORRUPT;
	if (*version != SEGMENT_VERSION)
		return E_VERSION;

	uint32_t is = scan_u32(&in), crc = scan_u32(&in);

	return !in.bad && is == number && crc == crc32c(0, str_part(head, 0, 16)) ? OK : E_CORRUPT;
}

void record_head(char *out, const struct record *r)
{
	size_t table_n = 8 * (size_t)r->chunks;

	memset(out, 0, RECORD_HEAD);
	put32(out, MAGIC_RECORD);
	memcpy(out + 8, &r->id, sizeof r->id);
	put64(out + 24, r->size);
	put32(out + 32, r->summary_size);
	put32(out + 36, r->summary_stored);
	put32(out + 40, r->summary_crc);
	put32(out + 44, CHUNK);
	put32(out + 48, r->chunks);
	if (table_n)
		memcpy(out + RECORD_HEAD, r->table, table_n);
	put32(out + 4, crc32c(0, STR(out + 8, RECORD_HEAD - 8 + table_n)));
}

static uint32_t chunk_size(const struct record *r, uint32_t i)
{
	uint64_t rest = r->size - (uint64_t)i * CHUNK;

	return rest < CHUNK ? (uint32_t)rest : CHUNK;
}

enum err record_parse(struct str octets, struct record *out)
{
	struct scan in = scan(octets);
	bool ours = scan_u32(&in) == MAGIC_RECORD;
	uint32_t crc = scan_u32(&in);
	struct str id = scan_take(&in, sizeof out->id);

	*out = (struct record){ .size = scan_u64(&in) };
	out->summary_size = scan_u32(&in);
	out->summary_stored = scan_u32(&in);
	out->summary_crc = scan_u32(&in);

	uint32_t cut = scan_u32(&in);

	out->chunks = scan_u32(&in);
	scan_u32(&in);
	if (in.bad || !ours || cut != CHUNK || out->chunks > CHUNKS_MAX ||
	    out->chunks != record_chunks(out->size) || out->summary_size > BLOB_SUMMARY_MAX ||
	    out->summary_stored > out->summary_size)
		return E_CORRUPT;

	struct str table = scan_take(&in, 8 * (size_t)out->chunks);

	if (in.bad || crc != crc32c(0, str_part(octets, 8, RECORD_HEAD - 8 + table.n)))
		return E_CORRUPT;
	memcpy(&out->id, id.p, id.n);
	out->table = (const uint8_t *)table.p;
	for (uint32_t i = 0; i < out->chunks; i++) {
		uint32_t stored = get32(out->table + 8 * (size_t)i);

		if (stored == 0 || stored > chunk_size(out, i))
			return E_CORRUPT;
	}
	return OK;
}

struct chunk record_chunk(const struct record *r, uint32_t i)
{
	const uint8_t *row = r->table + 8 * (size_t)i;
	struct chunk c = {
		.at = record_head_size(r->size) + r->summary_stored,
		.stored = get32(row),
		.size = chunk_size(r, i),
		.crc = get32(row + 4),
	};

	for (uint32_t k = 0; k < i; k++)
		c.at += get32(r->table + 8 * (size_t)k);
	return c;
}

uint64_t record_size(const struct record *r)
{
	uint64_t n = record_head_size(r->size) + r->summary_stored;

	for (uint32_t i = 0; i < r->chunks; i++)
		n += get32(r->table + 8 * (size_t)i);
	return (n + 7) & ~(uint64_t)7;
}

enum err record_check(struct str octets, struct blob_id id)
{
	struct record r;
	enum err e = record_parse(octets, &r);

	if (e)
		return e;
	if (memcmp(&r.id, &id, sizeof id) != 0 || record_size(&r) != octets.n)
		return E_CORRUPT;

	struct str rest = str_from(octets, record_head_size(r.size));

	if (crc32c(0, str_part(rest, 0, r.summary_stored)) != r.summary_crc)
		return E_CORRUPT;
	rest = str_from(rest, r.summary_stored);
	for (uint32_t i = 0; i < r.chunks; i++) {
		struct chunk c = record_chunk(&r, i);

		if (crc32c(0, str_part(octets, c.at, c.stored)) != c.crc)
			return E_CORRUPT;
	}
	return OK;
}

void table_set(uint8_t *table, uint32_t i, uint32_t stored, uint32_t crc)
{
	put32((char *)table + 8 * (size_t)i, stored);
	put32((char *)table + 8 * (size_t)i + 4, crc);
}

/* --- compression: contexts a thread, as making one costs more than a small message --- */

struct contexts {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
};

static pthread_key_t contexts_key;

static void contexts_free(void *arg)
{
	struct contexts *c = arg;

	ZSTD_freeCCtx(c->pack);
	ZSTD_freeDCtx(c->unpack);
	free(c);
}

static void contexts_init(void)
{
	BUG_IF(pthread_key_create(&contexts_key, contexts_free) != 0);
}

static struct contexts *contexts(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, contexts_init);

	struct contexts *c = pthread_getspecific(contexts_key);

	if (!c) {
		c = NEW(struct contexts);
		BUG_IF(pthread_setspecific(contexts_key, c) != 0);
	}
	return c;
}

static ZSTD_CCtx *packer(void)
{
	struct contexts *c = contexts();

	if (!c->pack)
		c->pack = ZSTD_createCCtx();
	BUG_IF(!c->pack);
	return c->pack;
}

static ZSTD_DCtx *unpacker(void)
{
	struct contexts *c = contexts();

	if (!c->unpack)
		c->unpack = ZSTD_createDCtx();
	BUG_IF(!c->unpack);
	return c->unpack;
}

/* Appends a frame of raw to the *n octets in out; false: it would be more than most. */
static bool frame_put(char *out, size_t most, size_t *n, struct str raw)
{
	size_t added = ZSTD_compressCCtx(packer(), out + *n, most - *n, raw.p, raw.n, LEVEL);

	if (ZSTD_isError(added))
		return false;
	*n += added;
	return true;
}

size_t record_pack(struct str raw, char *out, uint32_t *crc)
{
	/* Less than a sixteenth saved is not worth the work of every later read. */
	size_t n = 0, most = raw.n - raw.n / 16;
	size_t first = raw.n >= 2 * RECORD_FIRST ? RECORD_FIRST : raw.n;

	if (raw.n < PAYS_FROM || !frame_put(out, most, &n, str_part(raw, 0, first)) ||
	    (first < raw.n && !frame_put(out, most, &n, str_from(raw, first)))) {
		n = raw.n;
		if (n)
			memcpy(out, raw.p, n);
	}
	*crc = crc32c(0, STR(out, n));
	return n;
}

/* Takes a frame off stored: its first octets, n at most and *got in fact. most: that it may hold.
 */
static enum err frame_get(struct str *stored, size_t most, char *out, size_t n, size_t *got)
{
	size_t packed = ZSTD_findFrameCompressedSize(stored->p, stored->n);
	unsigned long long holds = ZSTD_getFrameContentSize(stored->p, stored->n);
	struct str frame = str_part(*stored, 0, packed);

	if (ZSTD_isError(packed) || holds == 0 || holds > most) /* unknown is more than that */
		return E_CORRUPT;
	char *to = holds > n ? mem_new((size_t)holds) : out;
	bool good = ZSTD_decompressDCtx(unpacker(), to, (size_t)holds, frame.p, frame.n) == holds;

	*got = holds > n ? n : (size_t)holds;
	if (to != out) {
		memcpy(out, to, *got);
		free(to);
	}
	*stored = str_from(*stored, packed);
	return good ? OK : E_CORRUPT;
}

enum err record_unpack(struct str stored, uint32_t crc, size_t size, char *out, size_t n)
{
	if (crc32c(0, stored) != crc || stored.n > size || n > size)
		return E_CORRUPT;
	if (stored.n == size) {
		if (n)
			memcpy(out, stored.p, n);
		return OK;
	}
	for (size_t done = 0, got = 0; done < n; done += got) {
		enum err e = frame_get(&stored, size - done, out + done, n - done, &got);

		if (e)
			return e;
	}
	return n == size && stored.n ? E_CORRUPT : OK;
}
