/* SPDX-License-Identifier: ISC */
/* keeper/stand.c - how things stand: of an address, and of the keeper itself. */
#include "keeper/serve_priv.h"

enum err call_standing(struct asked *q)
{
	const struct lockout_rules *r = guard_rules(q->k->guard);
	struct str ip = scan_blob(q->in);
	struct closed c = { .state = LOCKOUT_OPEN };

	if (!scan_end(q->in))
		return E_SYNTAX;
	if (!guard_closed(q->k->guard, ip, &c))
		c = (struct closed){ .state = LOCKOUT_OPEN };
	buf_u8(q->out, (uint8_t)c.state);
	buf_u8(q->out, c.by_hand);
	buf_u64(q->out, (uint64_t)c.until);
	buf_u32(q->out, r->errors);
	buf_u32(q->out, r->blocks);
	buf_u64(q->out, (uint64_t)r->window_s);
	buf_u64(q->out, (uint64_t)r->block_s);
	buf_u64(q->out, (uint64_t)r->day_s);
	buf_u64(q->out, (uint64_t)r->ban_s);
	buf_u32(q->out, r->prefix6);
	buf_u8(q->out, r->count_repeats);
	return OK;
}

static enum err look(struct tx *tx, void *arg)
{
	int64_t created;
	enum err e = dir_domain(tx, S("localhost"), &created);

	(void)arg;
	return e == E_NOTFOUND ? OK : e;
}

enum err call_numbers(struct asked *q)
{
	struct login_counts n = login_counts(q->k->logins);

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = store_read(q->k->store, S(DIRECTORY_PARTITION), look, NULL);
	if (e)
		return e;
	buf_u64(q->out, (uint64_t)q->k->started);
	buf_u64(q->out, n.good);
	buf_u64(q->out, n.failed);
	buf_u64(q->out, n.unheard);
	buf_u64(q->out, q->k->changed);
	buf_u64(q->out, guard_count(q->k->guard));
	return OK;
}
