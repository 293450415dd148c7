/* SPDX-License-Identifier: ISC */
#ifndef STORE_LMDB_RECORD_H
#define STORE_LMDB_RECORD_H
/*
 * record.h - the format of segment files, version 1. Numbers are little-endian; checksums are
 * CRC-32C of what is stored.
 *
 * A segment is a head and then records, each at a multiple of 8:
 *
 *   head     8 "tecsmail" | u32 version | u32 number of the segment | u32 crc of these | u32 0
 *   record   u32 magic | u32 crc of the rest of its head and of the table
 *            16 id | u64 size | u32 summary: size, stored, crc | u32 chunk size | u32 chunks | u32
 * 0 table: for each chunk u32 stored, u32 crc the summary, then the chunks, then zeros up to a
 * multiple of 8
 *
 * The octets are cut into chunks of CHUNK (the last one shorter), so that a part of a large blob
 * is read without the rest. A chunk, or the summary, is compressed where it is stored shorter than
 * it is, and as it is where both lengths are the same. Compressed are zstd frames, one behind the
 * other, each of which says what it holds: the first of a long chunk holds RECORD_FIRST octets, so
 * that the header of a message, and with it a listing, costs no more than that.
 *
 * Suspends: never. Nothing here touches a file.
 */
#include "store/store.h"

enum {
	SEGMENT_VERSION = 1,
	SEGMENT_HEAD = 24,
	RECORD_HEAD = 56,
	CHUNK = 256 << 10,
	RECORD_FIRST = 8 << 10, /* most headers are shorter */
	CHUNKS_MAX = 32768,     /* 8 GiB of octets: far above what any room lets through */
};

struct record {
	struct blob_id id;
	uint64_t size;
	uint32_t summary_size, summary_stored, summary_crc;
	uint32_t chunks;
	const uint8_t
		*table; /* chunks * 8 octets: points into what was parsed, or is to be written */
};

struct chunk {
	uint64_t at; /* from the start of the record */
	uint32_t stored, size, crc;
};

void segment_head(char out[SEGMENT_HEAD], uint32_t number);
/* E_CORRUPT: no head of ours, or of another number; E_VERSION: *version is not ours. */
MUST enum err segment_head_parse(struct str head, uint32_t number, uint32_t *version);

/* The chunks that so many octets are cut into, and what the head with their table takes. */
static inline uint64_t record_chunks(uint64_t size)
{
	return size / CHUNK + (size % CHUNK > 0);
}
static inline uint64_t record_head_size(uint64_t size)
{
	return RECORD_HEAD + 8 * record_chunks(size);
}

/* Writes head and table: record_head_size(r->size) octets. */
void record_head(char *out, const struct record *r);
/* octets: at least head and table. E_CORRUPT: no record, or one that makes no sense. */
MUST enum err record_parse(struct str octets, struct record *out);
struct chunk record_chunk(const struct record *r, uint32_t i);
uint64_t record_size(const struct record *r); /* of all of it, with the zeros at its end */

/* Checks all checksums of a whole record. E_CORRUPT: one is wrong, or it is another's. */
MUST enum err record_check(struct str octets, struct blob_id id);

void table_set(uint8_t *table, uint32_t i, uint32_t stored, uint32_t crc);

/* Stores raw at out (room for raw.n octets), compressed if that pays; gives the length. */
size_t record_pack(struct str raw, char *out, uint32_t *crc);
/* Gives back the first n of the size octets that were packed. E_CORRUPT: checksum or contents are
 * wrong. */
MUST enum err record_unpack(struct str stored, uint32_t crc, size_t size, char *out, size_t n);

#endif
