/* SPDX-License-Identifier: ISC */
/* Mailbox names: which may be, and the one form of each. RFC 3501 5.1, RFC 9051 5.1. */
#include "base/encode.h"
#include "box/box.h"

/* Control characters and line separators, RFC 5198 2; "%" and "*" are LIST's wildcards. */
static bool refused(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || c == '%' ||
	       c == '*' || c == UINT32_MAX;
}

bool mailbox_name_ok(struct str name)
{
	unsigned depth = 1;
	uint32_t before = '/';

	if (name.n == 0 || name.n > MAILBOX_NAME_MAX)
		return false;
	while (name.n) {
		uint32_t c = utf8_next(&name);

		if (refused(c) || (c == '/' && (before == '/' || ++depth > MAILBOX_DEPTH_MAX)))
			return false;
		before = c;
	}
	return before != '/';
}

/* Not only INBOX but the INBOX above INBOX/x is the same in any case. */
struct str mailbox_name_clean(struct arena *a, struct str name)
{
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	struct str top = str_part(name, 0, str_find(name, '/'));

	if (!str_iis(top, "INBOX"))
		return str_dup(a, name);
	return str_fmt(a, "INBOX%.*s", FMT(str_from(name, top.n)));
}
