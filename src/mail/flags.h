/* SPDX-License-Identifier: ISC */
#ifndef MAIL_FLAGS_H
#define MAIL_FLAGS_H
/*
 * flags.h - the five system flags as bits, and what a keyword may look like. RFC 9051 2.3.2.
 * Bits from FLAG_KEYWORD on are a mailbox's own keywords, in the order of its list.
 * \Recent is no stored flag: it belongs to a session, RFC 3501 2.3.2.
 */
#include "base/base.h"

enum {
	FLAG_SEEN = 1 << 0,
	FLAG_ANSWERED = 1 << 1,
	FLAG_FLAGGED = 1 << 2,
	FLAG_DELETED = 1 << 3,
	FLAG_DRAFT = 1 << 4,
	FLAG_SYSTEM = 31,
	FLAG_KEYWORD = 5, /* the first keyword's bit number */
	KEYWORDS_MAX = 59,
	KEYWORD_LEN_MAX = 64,
};

extern const char *const flag_names[5]; /* "\\Seen", ... */
uint64_t flag_system(struct str name);  /* the bit of a system flag, any case; 0 if none */
bool keyword_ok(struct str name);       /* an atom of at most KEYWORD_LEN_MAX octets */

#endif
