/* SPDX-License-Identifier: ISC */
/* keeper/operate_sending.c - how much is sent: the calls of workers, and the operator's, who looks
 * at one user, and erases him. */
#include "base/log.h"
#include "keeper/serve_priv.h"

/* verdict: u8 what, u32 limit, u8 tell, u32 hash, u8 stranger */
static void put_verdict(struct buf *b, const struct sending_verdict *v)
{
	buf_u8(b, (uint8_t)v->what);
	buf_u32(b, v->limit);
	buf_u8(b, v->tell);
	buf_u32(b, v->hash);
	buf_u8(b, v->stranger);
}

enum err call_sending_ask(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct path to = take_path(q->in);
	struct sending_counts already = { .recipients = scan_u32(q->in) };
	struct sending_verdict v;

	already.strangers = scan_u32(q->in);
	if (!scan_end(q->in) || !account)
		return E_SYNTAX;
	enum err e = sent_ask(q->k->sent, account, path_text(q->a, to), already, &v);
	if (!e)
		put_verdict(q->out, &v);
	return e;
}

enum err call_sending_count(struct asked *q)
{
	uint32_t account = scan_u32(q->in), n = scan_u32(q->in);
	struct sending_verdict v;

	if (q->in->bad || !account || n > IPC_MAX / 4)
		return E_SYNTAX;
	uint32_t *hash = ARENA_ARRAY(q->a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++)
		hash[i] = scan_u32(q->in);
	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = sent_count(q->k->sent, account, hash, n, &v);
	if (!e)
		put_verdict(q->out, &v);
	return e;
}

static void put_counts(struct buf *b, struct sending_counts n)
{
	buf_u32(b, n.messages);
	buf_u32(b, n.recipients);
	buf_u32(b, n.strangers);
}

/* Row of op_put_user, counts used, limits and own. */
enum err op_user_show(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct user u = { 0 };
	struct sent_state sent;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, text, &u);
	if (!e)
		e = op_put_user(q, &u);
	if (!e)
		e = sent_show(q->k->sent, u.account, &sent);
	if (e)
		return e;
	put_counts(q->out, sent.used);
	put_counts(q->out, sent.limits);
	put_counts(q->out, sent.own);
	return OK;
}

enum err op_user_limits(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct sending_counts own = { 0 };
	struct user u = { 0 };

	own.messages = scan_u32(q->in);
	own.recipients = scan_u32(q->in);
	own.strangers = scan_u32(q->in);
	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, text, &u);
	if (!e)
		e = sent_limit(q->k->sent, u.account, own);
	if (!e)
		log_event(LOG_INFO, "user.limits", KV("user", text), KVN("account", u.account));
	return e;
}

enum err op_seal(struct asked *q)
{
	if (!scan_end(q->in))
		return E_SYNTAX;
	keeping_seal(q->k);
	return OK;
}
