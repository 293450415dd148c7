/* SPDX-License-Identifier: ISC */
/* keeper/own_guarantee.c - the guarantees of an account as its owner reads and sets them. */
#include "base/log.h"
#include "keeper/serve_priv.h"

/* said, own guarantees, those of all accounts */
static enum err tell(struct asked *q, const struct user *u)
{
	const struct guarantees told[] = { u->guarantees, q->k->conf.rules.least };

	buf_blob(q->out, S("ok"));
	buf_blob(q->out, S(""));
	buf_blob(q->out, S(""));
	for (size_t i = 0; i < LENGTH(told); i++) {
		buf_u8(q->out, (uint8_t)told[i].sending);
		buf_u8(q->out, told[i].receiving);
	}
	return OK;
}

enum err own_guarantees(struct asked *q)
{
	struct user u = { 0 };
	struct login l = { 0 };
	struct login_try t;

	enum err e = own_prove(q, "guarantees", &t, &l);
	if (e || !l.account)
		return e;
	e = directory_account(q->k->store, l.account, q->a, &u);
	return e ? e : tell(q, &u);
}

enum err own_guarantees_set(struct asked *q)
{
	struct str sending = scan_blob(q->in), receiving = scan_blob(q->in);
	struct user u = { 0 };
	struct login l = { 0 };
	struct login_try t;
	struct name n;

	enum err e = own_prove(q, "guarantees", &t, &l);
	if (e || !l.account)
		return e;
	if (!guarantee_of(sending, &u.guarantees.sending) ||
	    !guarantee_receiving_of(receiving, &u.guarantees.receiving)) {
		buf_blob(q->out, S("bad_guarantee"));
		buf_blob(q->out, S("Diese Garantie gibt es nicht."));
		buf_blob(q->out, S("There is no such guarantee."));
		return OK;
	}
	e = name_parse(q->a, l.address, false, &n);
	if (!e)
		e = directory_user_set(q->k->store, n,
				       SET_SENDING_GUARANTEE | SET_RECEIVING_GUARANTEE, q->a, &u);
	if (e)
		return e == E_NOTFOUND ? E_AGAIN : e;
	log_event(LOG_INFO, "user.guarantee", KV("user", l.address), KVN("account", l.account),
		  KV("sending", sending), KV("receiving", receiving), KV("ip", t.ip));
	return tell(q, &u);
}
