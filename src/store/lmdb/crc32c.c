/* SPDX-License-Identifier: ISC */
#include <pthread.h>

#include "store/lmdb/crc32c.h"

#define POLYNOMIAL 0x82f63b78U /* 0x1edc6f41 with its bits turned round */

/* table[k][b]: what octet b, followed by k octets of zero, adds to the checksum. */
static uint32_t table[8][256];

static void fill(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;

		for (unsigned i = 0; i < 8; i++)
			c = (c >> 1) ^ (c & 1 ? POLYNOMIAL : 0);
		table[0][b] = c;
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned b = 0; b < 256; b++)
			table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 255];
}

uint32_t crc32c_table(uint32_t before, struct str s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	uint32_t c = ~before;

	pthread_once(&once, fill);
	for (; end - p >= 8; p += 8)
		c = table[7][(c ^ p[0]) & 255] ^ table[6][((c >> 8) ^ p[1]) & 255] ^
		    table[5][((c >> 16) ^ p[2]) & 255] ^ table[4][(c >> 24) ^ p[3]] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	for (; p < end; p++)
		c = (c >> 8) ^ table[0][(c ^ *p) & 255];
	return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t before, struct str s)
{
	const char *p = s.p, *end = p + s.n;
	uint64_t c = ~before;

	for (; end - p >= 8; p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		c = __builtin_ia32_crc32di(c, word);
	}

	uint32_t rest = (uint32_t)c;

	for (; p < end; p++)
		rest = __builtin_ia32_crc32qi(rest, (uint8_t)*p);
	return ~rest;
}

uint32_t crc32c(uint32_t before, struct str s)
{
	if (s.n == 0)
		return before;
	return __builtin_cpu_supports("sse4.2") ? by_processor(before, s) : crc32c_table(before, s);
}
#else
uint32_t crc32c(uint32_t before, struct str s)
{
	return s.n ? crc32c_table(before, s) : before;
}
#endif
