/* SPDX-License-Identifier: ISC */
/* web/lockout.c - what wrong passwords do, with the numbers that are in force. */
#include "web/web_priv.h"

struct reply lockout_page(struct request *q)
{
	struct standing s = { 0 };

	if (keeper_standing(q->web->keeper, q->head.address, &s))
		return page_later(q);
	const struct lockout_rules *r = &s.rules;
	struct sentence closed = text_closed(q->a, &s);
	bool is_closed = s.state != LOCKOUT_OPEN;
	struct net address;
	bool v6 = net_address(q->head.address, &address) && !net_is_v4(&address);
	struct str why = q->lang == LANG_DE ? closed.de : closed.en;
	const struct value v[] = {
		{ "address", q->head.address },
		{ "closed", is_closed ? why : S("") },
		{ "tolerated", str_fmt(q->a, "%u", r->errors - 1) },
		{ "errors", str_fmt(q->a, "%u", r->errors) },
		{ "blocks", str_fmt(q->a, "%u", r->blocks) },
		{ "window", text_length(q->a, r->window_s, q->lang) },
		{ "block", text_length(q->a, r->block_s, q->lang) },
		{ "day", text_length(q->a, r->day_s, q->lang) },
		{ "ban", text_length(q->a, r->ban_s, q->lang) },
		{ "prefix", v6 ? str_fmt(q->a, "%u", r->prefix6) : S("") },
		{ "repeats", r->count_repeats ? S("1") : S("") },
	};

	return page(q, 200, "lockout.html", "[[Passwortfehler||Wrong passwords]]", v);
}
