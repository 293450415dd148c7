/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <zstd.h>

#include "check.h"
#include "store/lmdb/crc32c.h"
#include "store/lmdb/record.h"
#include "store/suite_test.h"

/* RFC 3720 B.4 */
static void test_crc(void)
{
	char zeros[32] = { 0 }, ones[32], up[32];

	memset(ones, 0xff, sizeof ones);
	for (unsigned i = 0; i < 32; i++)
		up[i] = (char)i;

	const struct {
		struct str text;
		uint32_t crc;
	} t[] = {
		{ S(""), 0 },
		{ S("123456789"), 0xe3069283 },
		{ STR(zeros, 32), 0x8a9136aa },
		{ STR(ones, 32), 0x62a8ab43 },
		{ STR(up, 32), 0x46dd794e },
	};

	for (size_t i = 0; i < LENGTH(t); i++) {
		CHECK_NUM(crc32c(0, t[i].text), t[i].crc);
		CHECK_NUM(crc32c_table(0, t[i].text), t[i].crc);
		for (size_t cut = 0; cut <= t[i].text.n; cut++)
			CHECK_NUM(crc32c(crc32c_table(0, str_part(t[i].text, 0, cut)),
					 str_from(t[i].text, cut)),
				  t[i].crc);
	}
}

static void test_segment_head(void)
{
	char head[SEGMENT_HEAD], damaged[SEGMENT_HEAD];
	uint32_t version;

	segment_head(head, 0x1234);
	CHECK_NUM(segment_head_parse(STR(head, sizeof head), 0x1234, &version), OK);
	CHECK_NUM(version, SEGMENT_VERSION);
	CHECK_NUM(segment_head_parse(STR(head, sizeof head), 0x1235, &version), E_CORRUPT);
	for (size_t n = 0; n < 20; n++)
		CHECK(segment_head_parse(STR(head, n), 0x1234, &version) == E_CORRUPT);
	for (size_t i = 0; i < 20; i++) {
		memcpy(damaged, head, sizeof head);
		damaged[i] ^= 4;
		CHECK_NUM(segment_head_parse(STR(damaged, sizeof damaged), 0x1234, &version),
			  i >= 8 && i < 12 ? E_VERSION : E_CORRUPT);
	}
}

/* The start of what was packed, whatever the frames. */
static void check_starts(struct str raw, struct str stored, uint32_t crc)
{
	static const size_t starts[] = { 0, 1, RECORD_FIRST - 1, RECORD_FIRST, RECORD_FIRST + 1 };

	for (size_t i = 0; i < LENGTH(starts) && starts[i] <= raw.n; i++) {
		char *back = mem_new(starts[i] + 1);

		CHECK_NUM(record_unpack(stored, crc, raw.n, back, starts[i]), OK);
		CHECK(memcmp(raw.p, back, starts[i]) == 0 && back[starts[i]] == 0);
		free(back);
	}
	CHECK(record_unpack(stored, crc, raw.n, NULL, raw.n + 1) == E_CORRUPT);
}

/* What versions before this one wrote: one frame, however long. */
static void test_one_frame(void)
{
	char *raw = suite_octets(CHUNK, 0, 1), *out = mem_new(CHUNK);
	size_t n = ZSTD_compress(out, CHUNK, raw, CHUNK, 1);

	CHECK(!ZSTD_isError(n));
	check_starts(STR(raw, CHUNK), STR(out, n), crc32c(0, STR(out, n)));
	char *back = mem_new(CHUNK);

	CHECK_NUM(record_unpack(STR(out, n), crc32c(0, STR(out, n)), CHUNK, back, CHUNK), OK);
	CHECK(memcmp(raw, back, CHUNK) == 0);
	free(back);
	free(out);
	free(raw);
}

/* More frames than were asked for, fewer, and one that does not say what it holds. */
static void test_wrong_frames(void)
{
	char *raw = suite_octets(CHUNK, 0, 1), *back = mem_new(CHUNK), *out = mem_new(CHUNK);
	uint32_t crc;
	size_t n = record_pack(STR(raw, CHUNK), out, &crc), m = n;

	memmove(out + n, out, 100);
	CHECK(record_unpack(STR(out, n + 100), crc32c(0, STR(out, n + 100)), CHUNK, back, CHUNK) ==
	      E_CORRUPT);
	m = ZSTD_findFrameCompressedSize(out, n);
	CHECK(m < n);
	CHECK(record_unpack(STR(out, m), crc32c(0, STR(out, m)), CHUNK, back, CHUNK) == E_CORRUPT);
	CHECK_NUM(record_unpack(STR(out, m), crc32c(0, STR(out, m)), CHUNK, back, RECORD_FIRST),
		  OK);

	ZSTD_CCtx *c = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	m = ZSTD_compress2(c, out, CHUNK, raw, CHUNK);
	ZSTD_freeCCtx(c);
	CHECK(record_unpack(STR(out, m), crc32c(0, STR(out, m)), CHUNK, back, CHUNK) == E_CORRUPT);
	free(out);
	free(back);
	free(raw);
}

/* A record of two chunks, the second of 1000 octets. Owner: caller, who frees. */
static char *make_record(struct blob_id id, size_t *n)
{
	size_t size = CHUNK + 1000;
	char *octets = suite_octets(size, 0, 1), *out = mem_new(size + 1000);
	uint8_t table[16];
	struct record r = { .id = id,
			    .size = size,
			    .summary_size = 7,
			    .summary_stored = 7,
			    .chunks = 2,
			    .table = table };
	uint32_t crc;
	size_t at = record_head_size(size);

	memcpy(out + at, "summary", 7);
	r.summary_crc = crc32c(0, S("summary"));
	at += 7;
	for (uint32_t i = 0; i < 2; i++) {
		struct str raw = str_part(STR(octets, size), i * (size_t)CHUNK, CHUNK);
		size_t stored = record_pack(raw, out + at, &crc);

		CHECK(stored < raw.n);
		table_set(table, i, (uint32_t)stored, crc);
		at += stored;
	}
	record_head(out, &r);
	*n = record_size(&r);
	CHECK_NUM(*n, (at + 7) / 8 * 8);
	memset(out + at, 0, *n - at);

	char *back = mem_new(CHUNK);

	for (uint32_t i = 0; i < 2; i++) {
		struct chunk c = record_chunk(&r, i);

		CHECK_NUM(record_unpack(STR(out + c.at, c.stored), c.crc, c.size, back, c.size),
			  OK);
		CHECK(memcmp(back, octets + i * (size_t)CHUNK, c.size) == 0);
	}
	free(back);
	free(octets);
	return out;
}

/* No octet of head, table, summary or chunks can be changed unnoticed, nor the end be missing. */
static void test_record(void)
{
	struct blob_id id = { .octets = "0123456789abcde" }, other = { .octets = "another" };
	size_t n;
	char *p = make_record(id, &n);
	struct record r;

	CHECK_NUM(record_parse(STR(p, n), &r), OK);
	CHECK_NUM(r.size, CHUNK + 1000);
	CHECK_NUM(r.chunks, 2);
	CHECK_NUM(record_check(STR(p, n), id), OK);
	CHECK_NUM(record_check(STR(p, n), other), E_CORRUPT);
	CHECK_NUM(record_check(STR(p, n - 8), id), E_CORRUPT);
	for (size_t cut = 0; cut < RECORD_HEAD + 16; cut++)
		CHECK(record_parse(STR(p, cut), &r) == E_CORRUPT);

	struct chunk last;

	CHECK_NUM(record_parse(STR(p, n), &r), OK);
	last = record_chunk(&r, 1);
	for (size_t i = 0; i < last.at + last.stored; i += i < 200 ? 1 : 997) {
		p[i] ^= 32;
		if (!CHECK(record_check(STR(p, n), id) == E_CORRUPT))
			fprintf(stderr, "octet %zu\n", i);
		p[i] ^= 32;
	}
	CHECK_NUM(record_check(STR(p, n), id), OK);
	free(p);
}

static void test_pack(void)
{
	static const size_t sizes[] = {
		0, 1, 63, 64, 1000, 2 * RECORD_FIRST - 1, 2 * RECORD_FIRST, CHUNK
	};

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		for (unsigned kind = 0; kind < 2; kind++) {
			char *raw = suite_octets(sizes[i], kind, i), *out = mem_new(sizes[i] + 1),
			     *back = mem_new(sizes[i] + 1);
			uint32_t crc;
			size_t n = record_pack(STR(raw, sizes[i]), out, &crc);

			CHECK(n <= sizes[i] && (n < sizes[i]) == (kind == 0 && sizes[i] >= 1000));
			CHECK_NUM(record_unpack(STR(out, n), crc, sizes[i], back, sizes[i]), OK);
			CHECK(memcmp(raw, back, sizes[i]) == 0);
			check_starts(STR(raw, sizes[i]), STR(out, n), crc);
			CHECK(record_unpack(STR(out, n), crc ^ 1, sizes[i], back, sizes[i]) ==
			      E_CORRUPT);
			if (n < sizes[i] && sizes[i])
				CHECK(record_unpack(STR(out, n), crc, sizes[i] - 1, back,
						    sizes[i] - 1) == E_CORRUPT);
			free(raw);
			free(out);
			free(back);
		}
	}
}

int main(void)
{
	test_crc();
	test_segment_head();
	test_record();
	test_pack();
	test_one_frame();
	test_wrong_frames();
	return check_done();
}
