/* SPDX-License-Identifier: ISC */
/* queue/id.c - ids as people read them, in logs and commands. */
#include "queue/record.h"

enum { DIGITS = 13, BITS = 5 }; /* 13 * 5 >= 64 */

/* Crockford's base 32: no letter that looks like a digit. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct str queue_id_text(struct arena *a, uint64_t id)
{
	char *p = arena_alloc(a, DIGITS);

	for (unsigned i = DIGITS; i-- > 0; id >>= BITS)
		p[i] = alphabet[id & ((1 << BITS) - 1)];
	return STR(p, DIGITS);
}

/* What was misread or typed in capitals is understood. */
static unsigned value(char c)
{
	c = ascii_lower(c);
	c = (char)(c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c);
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (unsigned)(at - alphabet) : 1 << BITS;
}

bool queue_id_read(struct str text, uint64_t *out)
{
	uint64_t id = 0;

	if (text.n != DIGITS)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		unsigned v = value(text.p[i]);

		if (v >> BITS || id >> (64 - BITS))
			return false;
		id = id << BITS | v;
	}
	*out = id;
	return true;
}
