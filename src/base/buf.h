/* SPDX-License-Identifier: ISC */
#ifndef BASE_BUF_H
#define BASE_BUF_H
/*
 * buf.h - octets that grow up to a maximum given at birth.
 * What would pass the maximum is not added, `full` is set and stays: build, then test once.
 */
#include "base/base.h"

struct buf {
	char *p;
	size_t n, cap, max;
	bool full;
};

/* No memory until first used. Owner: caller, who calls buf_free. */
static inline struct buf buf_new(size_t max)
{
	return (struct buf){ .max = max };
}
void buf_free(struct buf *b);  /* frees and empties; the maximum stays */
void buf_clear(struct buf *b); /* empties, keeps the memory, clears full */

void buf_put(struct buf *b, struct str s);
void buf_c(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_u8(struct buf *b, uint8_t v); /* numbers are little-endian */
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_blob(struct buf *b, struct str s); /* u32 length, then the octets */
/* n writable octets behind, or NULL (and full) if past the maximum; add what was used to b->n. */
char *buf_space(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n);               /* takes n octets off the front */
static inline struct str buf_str(const struct buf *b) /* lives until the next change */
{
	return (struct str){ b->p, b->n };
}

/* The reader's side of the numbers above: a failed read sticks in the scanner. */
uint8_t scan_u8(struct scan *in);
uint16_t scan_u16(struct scan *in);
uint32_t scan_u32(struct scan *in);
uint64_t scan_u64(struct scan *in);
struct str scan_blob(struct scan *in); /* points into the text */
/* One octet: a number below the limit, or in is bad and it is 0. */
unsigned scan_below(struct scan *in, unsigned limit);
/* The octet that a record begins with. E_CORRUPT: there is none; E_VERSION: it is another. */
MUST enum err scan_version(struct scan *in, uint8_t known);

#endif
