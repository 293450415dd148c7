/* SPDX-License-Identifier: ISC */
/* imap/list_parse.c - what LIST and STATUS may ask for: RFC 3501 6.3.8, 6.3.10 and more. */
#include "imap/parse_priv.h"

struct option {
	const char *name;
	unsigned bit;
};
/* list-select-opt: RFC 5258 6, RFC 6154 6 */
static const struct option selects[] = {
	{ "SUBSCRIBED", LIST_SUBSCRIBED },
	{ "REMOTE", LIST_REMOTE },
	{ "RECURSIVEMATCH", LIST_RECURSIVE },
	{ "SPECIAL-USE", LIST_USE },
	{ NULL, 0 },
};
/* return-option: RFC 5258 6, RFC 6154 6, RFC 5819 4 */
static const struct option gives[] = {
	{ "SUBSCRIBED", LIST_SUBSCRIBED },
	{ "CHILDREN", LIST_CHILDREN },
	{ "SPECIAL-USE", LIST_USE },
	{ "STATUS", LIST_STATUS },
	{ NULL, 0 },
};

static const char *const status_names[ST_COUNT] = {
	[ST_MESSAGES] = "MESSAGES",
	[ST_RECENT] = "RECENT",
	[ST_UIDNEXT] = "UIDNEXT",
	[ST_UIDVALIDITY] = "UIDVALIDITY",
	[ST_UNSEEN] = "UNSEEN",
	[ST_APPENDLIMIT] = "APPENDLIMIT",
	[ST_SIZE] = "SIZE",
	[ST_DELETED] = "DELETED",
	[ST_DELETED_STORAGE] = "DELETED-STORAGE",
};

const char *imap_status_name(enum imap_status_item i)
{
	return status_names[i];
}

void imap_status_items(struct scan *in, struct imap_status *out)
{
	unsigned seen = 0;

	*out = (struct imap_status){ 0 };
	scan_lit(in, "(");
	do {
		struct str name = imap_atom(in);
		unsigned i = 0;

		while (i < ST_COUNT && !str_iis(name, status_names[i]))
			i++;
		if (i == ST_COUNT) {
			scan_fail(in);
			return;
		}
		if (!(seen >> i & 1))
			out->item[out->n++] = (enum imap_status_item)i;
		seen |= 1U << i;
	} while (scan_opt(in, " "));
	scan_lit(in, ")");
}

/* From behind the "(" to the ")". An option that is not known is an error: RFC 5258 3. */
static unsigned options(struct scan *in, const struct option *of, struct imap_status *status)
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
		if (o->bit == LIST_STATUS) {
			scan_lit(in, " ");
			imap_status_items(in, status);
		}
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
		out->select = options(in, selects, &out->status);
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
		out->give = options(in, gives, &out->status);
	}
	/* It modifies another criterion, and SPECIAL-USE is no such: RFC 5258 3.1, RFC 6154 6. */
	if ((out->select & LIST_RECURSIVE) && !(out->select & LIST_SUBSCRIBED))
		scan_fail(in);
	out->give |= out->select & (LIST_SUBSCRIBED | LIST_USE);
}
