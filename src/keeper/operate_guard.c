/* SPDX-License-Identifier: ISC */
/* keeper/operate_guard.c - the operator's calls about the lockout. */
#include "keeper/serve_priv.h"

enum { ROWS_MAX = 200, LENGTH_MAX_S = 366 * 24 * 3600 };

/* who: as it counts; given: as it was written, an address or the network that the list shows. */
static enum err take_who(struct asked *q, struct str text, struct net *given, struct net *who)
{
	if (!net_parse(text, given))
		return op_say(q, E_SYNTAX, "this is no IP address", text);
	if (!guard_who(q->k->guard, text, who))
		return op_say(q, E_SYNTAX,
			      "one address is closed or released, or an IPv6 network of the size "
			      "that counts",
			      text);
	return OK;
}

static void put_record(struct asked *q, const struct lockout *l)
{
	buf_blob(q->out, net_text(q->a, &l->who));
	buf_u8(q->out, l->state);
	buf_u8(q->out, l->by_hand);
	buf_u64(q->out, l->until);
	buf_u8(q->out, l->nfails);
	buf_u8(q->out, l->nblocks);
}

struct rows {
	struct asked *q;
	const struct net *within; /* NULL: all */
};

static void put_row(void *arg, const struct lockout *l)
{
	const struct rows *r = arg;

	if (r->within && !net_has(r->within, &l->who))
		return;
	buf_u8(r->q->out, 1);
	put_record(r->q, l);
}

/* Rows, each u8 1 and a record (blob address, u8 state, u8 by hand, u64 until, u8 errors, u8
 * blocks); then u8 0 and u32, the bucket to go on with, GUARD_BUCKETS at the end. */
enum err op_guard_list(struct asked *q)
{
	struct str text = scan_blob(q->in);
	unsigned at = scan_u32(q->in);
	struct net within;

	if (!scan_end(q->in) || at > GUARD_BUCKETS)
		return E_SYNTAX;
	if (text.n && !net_parse(text, &within))
		return op_say(q, E_SYNTAX, "this is no IP address and no network", text);
	struct rows r = { q, text.n ? &within : NULL };
	enum err e = guard_list(q->k->guard, &at, ROWS_MAX, put_row, &r);
	buf_u8(q->out, 0);
	buf_u32(q->out, at);
	return e;
}

static void put_rules(struct buf *out, const struct lockout_rules *r)
{
	buf_u8(out, (uint8_t)r->errors);
	buf_u8(out, (uint8_t)r->blocks);
	buf_u64(out, (uint64_t)r->window_s);
	buf_u64(out, (uint64_t)r->block_s);
	buf_u64(out, (uint64_t)r->day_s);
	buf_u64(out, (uint64_t)r->ban_s);
}

/* A record as above, its errors and blocks, u64 each; the rules. */
enum err op_guard_show(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct net given, who;
	struct lockout l;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = take_who(q, text, &given, &who);
	if (e)
		return e;
	enum guard_exempt why = guard_exempt_why(q->k->guard, &given);
	if (why == GUARD_MACHINE || why == GUARD_NETWORK) {
		l = (struct lockout){ .who = given };
	} else {
		why = GUARD_COUNTS;
		e = guard_show(q->k->guard, &who, &l);
	}
	if (e == E_NOTFOUND)
		return op_say(q, e, "nothing is known of it: no wrong password and no block lately",
			      net_text(q->a, &who));
	if (e)
		return e;
	buf_u8(q->out, (uint8_t)why);
	put_record(q, &l);
	for (uint8_t i = 0; i < l.nfails; i++)
		buf_u64(q->out, l.fails[i]);
	for (uint8_t i = 0; i < l.nblocks; i++)
		buf_u64(q->out, l.blocks[i]);
	put_rules(q->out, guard_rules(q->k->guard));
	return OK;
}

enum err op_guard_release(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct net given, who;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = take_who(q, text, &given, &who);
	if (e)
		return e;
	e = guard_release(q->k->guard, &who);
	if (e == E_NOTFOUND)
		return op_say(q, e, "it is not closed, and nothing is counted of it",
			      net_text(q->a, &who));
	return e;
}

static enum err say_denied(struct asked *q, const struct net *given, struct str text)
{
	static const char *const reasons[] = {
		[GUARD_COUNTS] = "an address that is never closed lies in the same network",
		[GUARD_MACHINE] = "this is an address of this machine, which is never closed",
		[GUARD_NETWORK] = "it lies in an exempt network, which is never closed",
		[GUARD_AROUND] = "an address that is never closed lies in it",
	};

	return op_say(q, E_DENIED, reasons[guard_exempt_why(q->k->guard, given)], text);
}

enum err op_guard_block(struct asked *q)
{
	struct str text = scan_blob(q->in);
	uint32_t seconds = scan_u32(q->in);
	struct net given, who;
	struct lockout l;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = take_who(q, text, &given, &who);
	if (e)
		return e;
	if (!seconds)
		seconds = (uint32_t)guard_rules(q->k->guard)->block_s;
	if (seconds > LENGTH_MAX_S)
		return op_say(q, E_LIMIT, "an address is closed for 366 days at most", text);
	e = guard_block(q->k->guard, &who, seconds);
	if (e == E_DENIED)
		return say_denied(q, &given, text);
	if (e == E_EXISTS)
		return op_say(q, e, "it is closed for as long already", net_text(q->a, &who));
	if (!e)
		e = guard_show(q->k->guard, &who, &l);
	if (!e)
		buf_u64(q->out, l.until);
	return e;
}
