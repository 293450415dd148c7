/* SPDX-License-Identifier: ISC */
/* keeper/operate_dkim.c - keys of a domain: the operator's calls, and the signing of a user's mail.
 */
#include "base/log.h"
#include "keeper/dkim.h"
#include "keeper/route.h"
#include "keeper/serve_priv.h"

static enum err is_there(struct tx *tx, void *arg)
{
	int64_t created;

	return dir_domain(tx, *(struct str *)arg, &created);
}

/* The rest of the fields: blob domain, and where it is asked for u8 force. */
static enum err ours(struct asked *q, struct str *domain, bool *force)
{
	struct str text = scan_blob(q->in);

	if (force)
		*force = scan_u8(q->in) != 0;
	if (!scan_end(q->in))
		return E_SYNTAX;
	if (name_domain(q->a, text, domain))
		return op_say(q, E_SYNTAX, "this is no domain name", text);
	enum err e = store_read(q->k->store, S(DIRECTORY_PARTITION), is_there, domain);
	return e == E_NOTFOUND ? op_say(q, e, "there is no such domain here", text) : e;
}

enum err op_dkim_add(struct asked *q)
{
	struct str domain;
	enum err e = ours(q, &domain, NULL);

	if (e)
		return e;
	e = dkim_add(q->k->store, domain, q->a);
	if (e == E_EXISTS)
		return op_say(q, e, "there are next keys already (dkim rotate)", domain);
	if (e == E_LIMIT)
		return op_say(q, e, "too many keys: let old ones go first (dkim retire)", domain);
	if (!e)
		log_event(LOG_INFO, "dkim.add", KV("domain", domain));
	return e;
}

enum err op_dkim_rotate(struct asked *q)
{
	struct str domain;
	bool force = false;
	enum err e = ours(q, &domain, &force);

	if (e)
		return e;
	e = dkim_rotate(q->k->store, domain, force);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there are no next keys: make them first (dkim add)", domain);
	if (e == E_DENIED)
		return op_say(q, e,
			      "the next keys are younger than 2 hours: others may not find them in "
			      "the DNS yet (--yes: all the same)",
			      domain);
	if (!e)
		log_event(LOG_INFO, "dkim.rotate", KV("domain", domain));
	return e;
}

enum err op_dkim_retire(struct asked *q)
{
	struct str domain;
	bool force = false;
	enum err e = ours(q, &domain, &force);

	if (e)
		return e;
	e = dkim_retire(q->k->store, domain, force);
	if (e == E_NOTFOUND)
		return op_say(q, e, "no keys are retired", domain);
	if (e == E_DENIED)
		return op_say(
			q, e,
			"the keys were in use less than 7 days ago: mail that they signed may "
			"be under way (--yes: all the same)",
			domain);
	if (!e)
		log_event(LOG_INFO, "dkim.retire", KV("domain", domain));
	return e;
}

/* The private keys stay here. */
enum err op_dkim_list(struct asked *q)
{
	struct dkim_keys k;
	struct str domain;
	enum err e = ours(q, &domain, NULL);

	if (!e)
		e = dkim_keys(q->k->store, domain, q->a, &k);
	if (e)
		return e;
	buf_u32(q->out, (uint32_t)k.n);
	for (size_t i = 0; i < k.n; i++) {
		buf_blob(q->out, k.key[i].selector);
		buf_u8(q->out, k.key[i].kind);
		buf_u8(q->out, k.key[i].state);
		buf_u64(q->out, (uint64_t)k.key[i].created);
		buf_u64(q->out, (uint64_t)k.key[i].changed);
		buf_blob(q->out, k.key[i].open);
	}
	return OK;
}

/* --- signing --- */

/* The keys of the domain of an address that the account may send as. E_DENIED: it may not. The
 * courier asks for the server's own mail, as nobody (0), and nobody else does. */
static enum err keys_of(struct asked *q, uint32_t account, struct path from, struct str *domain,
			struct dkim_keys *out)
{
	bool own = q->side->face == FACE_COURIER;

	if (own != (account == 0) || name_domain(q->a, from.domain, domain))
		return E_DENIED;
	enum err e = own ? OK : route_may_send(q->k->store, &q->k->conf.rules, account, from, q->a);

	return e ? e : dkim_keys(q->k->store, *domain, q->a, out);
}

enum err call_dkim_keys(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct path from = take_path(q->in);
	struct dkim_keys k;
	struct str domain;
	uint8_t n = 0;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = keys_of(q, account, from, &domain, &k);
	if (e)
		return e;
	for (size_t i = 0; i < k.n; i++)
		n = (uint8_t)(n + (k.key[i].state == DKIM_ACTIVE));
	buf_blob(q->out, domain);
	buf_u8(q->out, n);
	for (size_t i = 0; i < k.n; i++) {
		if (k.key[i].state != DKIM_ACTIVE)
			continue;
		buf_u8(q->out, k.key[i].kind);
		buf_blob(q->out, k.key[i].selector);
	}
	return OK;
}

enum err call_dkim_sign(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct path from = take_path(q->in);
	struct str selector = scan_blob(q->in), digest = scan_blob(q->in), domain, signature;
	struct dkim_keys k;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = keys_of(q, account, from, &domain, &k);
	if (e)
		return e;
	for (size_t i = 0; i < k.n; i++) {
		if (k.key[i].state != DKIM_ACTIVE || !str_eq(k.key[i].selector, selector))
			continue;
		e = dkim_sign(&k.key[i], digest, q->a, &signature);
		if (!e)
			buf_blob(q->out, signature);
		return e;
	}
	return E_NOTFOUND; /* rotated meanwhile */
}
