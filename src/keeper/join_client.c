/* SPDX-License-Identifier: ISC */
/* keeper/join_client.c - the calls of own.h about the service and joining it. */
#include "keeper/own.h"

#include "keeper/client_priv.h"

enum err keeper_service(struct keeper *k, struct arena *a, struct service_says *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	enum err e = keeper_ask(k, CALL_SERVICE, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	out->word = scan_blob(&in);
	keeper_take_said(&in, &out->notice);
	keeper_take_said(&in, &out->joining);
	return keeper_eaten(&in);
}

enum err keeper_invitation(struct keeper *k, struct str token, struct arena *a, struct invited *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	*out = (struct invited){ 0 };
	buf_blob(&b, token);
	enum err e = keeper_ask(k, CALL_INVITATION, &b, KEEPER_WAIT_MS, a, &in);
	if (e)
		return e;
	keeper_take_said(&in, &out->said);
	if (str_is(out->said.word, "ok")) {
		out->address = scan_blob(&in);
		out->until = (int64_t)scan_u64(&in);
		out->quota = scan_u64(&in);
	}
	return keeper_eaten(&in);
}

enum err keeper_join(struct keeper *k, struct str token, struct str password, struct str ip,
		     struct arena *a, struct change *out)
{
	struct buf b = buf_new(FIELDS_MAX);
	struct scan in;

	buf_blob(&b, token);
	buf_blob(&b, password);
	buf_blob(&b, ip);
	enum err e = keeper_ask(k, CALL_JOIN, &b, KEEPER_LOGIN_MS, a, &in);
	return e ? e : keeper_take_change(&in, out);
}
