/* SPDX-License-Identifier: ISC */
/*
 * imap/match.c - "%" and "*" in the names of LIST: RFC 3501 6.3.8.
 *
 * A pattern is a row of literal octets with a gap before each and one behind the last; a gap is
 * nothing, "%" or "*". State j is: j literals matched. All states are kept at once as bits of
 * `words` machine words, so an octet of a name costs a few operations a word, and no pattern
 * makes it go back.
 */
#include "imap/parse_priv.h"
#include "box/box.h"

enum { WORDS_MAX = MAILBOX_NAME_MAX / 64 + 1 };

struct imap_pattern {
	size_t literals, words; /* literals > MAILBOX_NAME_MAX: nothing matches */
	bool broad;
	uint64_t any[WORDS_MAX];           /* bit j: the gap before literal j is "*" */
	uint64_t level[WORDS_MAX];         /* bit j: it is "%" */
	uint64_t is[256][WORDS_MAX];       /* bit j: literal j is this octet */
	uint64_t is_upper[256][WORDS_MAX]; /* the same of the literal in capitals */
};

static void set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

struct imap_pattern *imap_pattern_new(struct arena *a, struct str pattern)
{
	struct imap_pattern *p = ARENA_NEW(a, struct imap_pattern);

	for (size_t i = 0; i < pattern.n; i++) {
		char c = pattern.p[i];

		if (c == '*') {
			set(p->any, p->literals);
		} else if (c == '%') {
			set(p->level, p->literals);
		} else {
			if (p->literals == MAILBOX_NAME_MAX) {
				p->literals++;
				return p;
			}
			set(p->is[(unsigned char)c], p->literals);
			set(p->is_upper[(unsigned char)ascii_upper(c)], p->literals);
			p->literals++;
		}
	}
	p->words = p->literals / 64 + 1;
	p->broad = str_ends(pattern, S("%"));
	return p;
}

bool imap_pattern_is_broad(const struct imap_pattern *p)
{
	return p->broad;
}

bool imap_pattern_match(const struct imap_pattern *p, struct str name, bool inbox)
{
	uint64_t now[WORDS_MAX] = { 1 };

	if (p->literals > MAILBOX_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool fold = inbox && i < 5;
		const uint64_t *is =
			fold ? p->is_upper[(unsigned char)ascii_upper((char)c)] : p->is[c];
		uint64_t carry = 0;

		for (size_t w = 0; w < p->words; w++) {
			uint64_t on = now[w] & is[w];
			uint64_t stay = now[w] & (c == '/' ? p->any[w] : p->any[w] | p->level[w]);

			now[w] = stay | on << 1 | carry;
			carry = on >> 63;
		}
	}
	return now[p->literals / 64] >> (p->literals % 64) & 1;
}
