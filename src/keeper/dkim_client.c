/* SPDX-License-Identifier: ISC */
/* keeper/dkim_client.c - signatures of a domain: the sides that ask, a session and the operator. */
#include "keeper/admin_priv.h"
#include "keeper/client_priv.h"

enum err keeper_signers(struct keeper *k, uint32_t account, struct path from, struct arena *a,
			struct keeper_signers *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	*out = (struct keeper_signers){ 0 };
	buf_u32(&b, account);
	keeper_put_path(&b, from);
	enum err e = keeper_ask(k, CALL_DKIM_KEYS, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	out->domain = scan_blob(&in);
	size_t n = scan_u8(&in);
	if (in.bad || n > SIGNERS_MAX)
		return E_AGAIN;
	for (size_t i = 0; i < n; i++) {
		out->by[i].ed25519 = scan_u8(&in) == KIND_ED25519;
		out->by[i].selector = scan_blob(&in);
	}
	out->n = n;
	return keeper_eaten(&in);
}

enum err keeper_sign(struct keeper *k, uint32_t account, struct path from, struct str selector,
		     struct str digest, struct arena *a, struct str *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_u32(&b, account);
	keeper_put_path(&b, from);
	buf_blob(&b, selector);
	buf_blob(&b, digest);
	enum err e = keeper_ask(k, CALL_DKIM_SIGN, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	*out = scan_blob(&in);
	return keeper_eaten(&in);
}

/* --- the operator --- */

static enum err change(struct peer *p, uint32_t type, struct str domain, const bool *force,
		       struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, domain);
	if (force)
		buf_u8(&b, *force);
	return admin_ask(p, type, &b, a, &in, why);
}

enum err admin_dkim_add(struct peer *p, struct str domain, struct arena *a, struct str *why)
{
	return change(p, CALL_DKIM_ADD, domain, NULL, a, why);
}

enum err admin_dkim_rotate(struct peer *p, struct str domain, bool force, struct arena *a,
			   struct str *why)
{
	return change(p, CALL_DKIM_ROTATE, domain, &force, a, why);
}

enum err admin_dkim_retire(struct peer *p, struct str domain, bool force, struct arena *a,
			   struct str *why)
{
	return change(p, CALL_DKIM_RETIRE, domain, &force, a, why);
}

enum err admin_dkim_list(struct peer *p, struct str domain, struct arena *a, struct dkim_keys *out,
			 struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	*out = (struct dkim_keys){ 0 };
	buf_blob(&b, domain);
	enum err e = admin_ask(p, CALL_DKIM_LIST, &b, a, &in, why);
	if (e)
		return e;
	size_t n = scan_u32(&in);
	if (in.bad || n > DKIM_KEYS_MAX)
		return admin_misunderstood(why);
	for (size_t i = 0; i < n; i++) {
		struct dkim_pair_key *k = &out->key[i];

		k->selector = scan_blob(&in);
		k->kind = scan_u8(&in);
		k->state = scan_u8(&in);
		k->created = (int64_t)scan_u64(&in);
		k->changed = (int64_t)scan_u64(&in);
		k->open = scan_blob(&in);
	}
	out->n = n;
	return scan_end(&in) ? OK : admin_misunderstood(why);
}
