/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "store/lmdb/crc32c.h"
#include "store/lmdb/record.h"

/*
 * Octets of a segment as a damaged disk may give them. They are read as they are, and once more
 * with the head's checksum put right: what is behind a checksum must hold up without it.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CRC_AT = 4, CHECKED_FROM = 8, CHUNKS_AT = 48 };

static void chunks(struct str octets, const struct record *r)
{
	char *out = mem_new(CHUNK);
	uint64_t end = record_head_size(r->size) + r->summary_stored;

	for (uint32_t i = 0; i < r->chunks && i < 8; i++) {
		struct chunk c = record_chunk(r, i);

		BUG_IF(c.at != end || c.size == 0 || c.size > CHUNK || c.stored > c.size);
		end += c.stored;
		if (c.at > octets.n || c.stored > octets.n - c.at)
			break;

		struct str stored = str_part(octets, c.at, c.stored);

		(void)!record_unpack(stored, crc32c(0, stored), c.size, out, c.size);
	}
	BUG_IF(end > record_size(r));
	free(out);
}

static void read_record(struct str octets)
{
	struct record r;

	if (record_parse(octets, &r))
		return;
	BUG_IF(record_head_size(r.size) > octets.n || r.summary_size > BLOB_SUMMARY_MAX);
	chunks(octets, &r);
	(void)!record_check(octets, r.id);
	(void)!record_check(str_part(octets, 0, record_size(&r)), r.id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str octets = STR((const char *)data, n);
	uint32_t version, n_chunks, crc;

	(void)!segment_head_parse(octets, 1, &version);
	read_record(octets);
	if (n < RECORD_HEAD)
		return 0;

	char *right = mem_new(n);

	memcpy(right, data, n);
	memcpy(&n_chunks, right + CHUNKS_AT, sizeof n_chunks);
	crc = crc32c(0, str_part(STR(right + CHECKED_FROM, n - CHECKED_FROM), 0,
				 RECORD_HEAD - CHECKED_FROM + 8 * (size_t)n_chunks));
	memcpy(right + CRC_AT, &crc, sizeof crc);
	read_record(STR(right, n));
	free(right);
	return 0;
}
