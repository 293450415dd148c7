/* SPDX-License-Identifier: ISC */
/* imap/list_parse.c - what LIST may ask for: RFC 3501 6.3.8, RFC 5258 6, RFC 6154 6. */
#include "imap/parse_priv.h"

struct option {
	const char *name;
	unsigned bit;
};
/* list-select-opt */
static const struct option selects[] = {
	{ "SUBSCRIBED", LIST_SUBSCRIBED },
	{ "REMOTE", LIST_REMOTE },
	{ "RECURSIVEMATCH", LIST_RECURSIVE },
	{ "SPECIAL-USE", LIST_USE },
	{ NULL, 0 },
};
/* return-option */
static const struct option gives[] = {
	{ "SUBSCRIBED", LIST_SUBSCRIBED },
	{ "CHILDREN", LIST_CHILDREN },
	{ "SPECIAL-USE", LIST_USE },
	{ NULL, 0 },
};

/* From behind the "(" to the ")". An option that is not known is an error: RFC 5258 3. */
static unsigned options(struct scan *in, const struct option *of)
{
	unsigned bits = 0;

	if (scan_opt(in, ")"))
		return 0;
	do {
		struct str name = imap_atom(in);
		const struct option *o = of;

		while (o->name && !str_iis(name, o->name))
			o++;
		if (!o->name)
			scan_fail(in);
		bits |= o->bit;
	} while (scan_opt(in, " "));
	scan_lit(in, ")");
	return bits;
}

void imap_list_request(struct scan *in, struct arena *a, struct imap_list *out)
{
	struct str *pattern = ARENA_ARRAY(a, struct str, LIST_PATTERNS_MAX);

	*out = (struct imap_list){ .pattern = pattern };
	if (scan_opt(in, "(")) {
		out->extended = true;
		out->select = options(in, selects);
		scan_lit(in, " ");
	}
	out->reference = imap_astring(in, a);
	scan_lit(in, " ");
	if (scan_opt(in, "(")) {
		out->extended = true;
		do {
			if (out->n == LIST_PATTERNS_MAX) {
				scan_fail(in);
				return;
			}
			pattern[out->n++] = imap_list_mailbox(in, a);
		} while (scan_opt(in, " "));
		scan_lit(in, ")");
	} else {
		pattern[out->n++] = imap_list_mailbox(in, a);
	}
	if (scan_opt(in, " RETURN (")) {
		out->extended = true;
		out->give = options(in, gives);
	}
	/* It modifies another criterion, and SPECIAL-USE is no such: RFC 5258 3.1, RFC 6154 6. */
	if ((out->select & LIST_RECURSIVE) && !(out->select & LIST_SUBSCRIBED))
		scan_fail(in);
	out->give |= out->select & (LIST_SUBSCRIBED | LIST_USE);
}
