/* SPDX-License-Identifier: ISC */
/* keeper/logins.c - the recent logins of an account, told to its owner and to the operator. */
#include "keeper/serve_priv.h"

/* u32 n, n * (u64 first, u64 last, u32 count, u8 good, blob result, address, protocol, by,
 * program); the latest first. */
static enum err put(struct asked *q, uint32_t account)
{
	struct history *h = ARENA_NEW(q->a, struct history);
	enum err e = login_history(q->k->logins, account, q->a, h);

	if (e)
		return e;
	buf_u32(q->out, (uint32_t)h->n);
	for (size_t i = 0; i < h->n; i++) {
		const struct visit *v = &h->visit[i];
		buf_u64(q->out, (uint64_t)v->first);
		buf_u64(q->out, (uint64_t)v->last);
		buf_u32(q->out, v->count);
		buf_u8(q->out, v->result == VISIT_OK);
		buf_blob(q->out, str_of(visit_word(v->result)));
		buf_blob(q->out, v->ip.bits ? net_text(q->a, &v->ip) : S(""));
		buf_blob(q->out, v->proto);
		buf_blob(q->out, v->by);
		buf_blob(q->out, v->program);
	}
	return OK;
}

enum err own_logins(struct asked *q)
{
	struct login l = { 0 };
	struct login_try t;
	enum err e = own_prove(q, "recent logins", &t, &l);

	if (e || !l.account)
		return e;
	for (size_t i = 0; i < 3; i++) /* "ok", and nothing to say */
		buf_blob(q->out, i ? S("") : S("ok"));
	return put(q, l.account);
}

enum err op_user_logins(struct asked *q)
{
	struct str address = scan_blob(q->in);
	struct user u = { 0 };

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, address, &u);

	return e ? e : put(q, u.account);
}
