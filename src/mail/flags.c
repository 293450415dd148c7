/* SPDX-License-Identifier: ISC */
#include "mail/flags.h"

const char *const flag_names[5] = { "\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft" };

uint64_t flag_system(struct str name)
{
	for (size_t i = 0; i < LENGTH(flag_names); i++)
		if (str_iis(name, flag_names[i]))
			return UINT64_C(1) << i;
	return 0;
}

/* ATOM-CHAR: RFC 3501 9. */
static bool atom_char(char c)
{
	return c > ' ' && c < 127 && !strchr("(){%*\"\\]", c);
}

bool keyword_ok(struct str name)
{
	struct scan in = scan(name);

	scan_span(&in, atom_char);
	return name.n > 0 && name.n <= KEYWORD_LEN_MAX && scan_end(&in);
}
