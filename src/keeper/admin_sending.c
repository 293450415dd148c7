/* SPDX-License-Identifier: ISC */
/* keeper/admin_sending.c - one user and what he sends: the operator's calls, the asking side. */
#include "keeper/admin_priv.h"

static struct sending_counts read_counts(struct scan *in)
{
	struct sending_counts n;

	n.messages = scan_u32(in);
	n.recipients = scan_u32(in);
	n.strangers = scan_u32(in);
	return n;
}

enum err admin_user_show(struct peer *p, struct str address, struct arena *a,
			 struct admin_user *out, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	enum err e = admin_ask(p, CALL_USER_SHOW, &b, a, &in, why);
	if (e)
		return e;
	admin_read_user(&in, a, &out->row);
	out->used = read_counts(&in);
	out->limits = read_counts(&in);
	out->own = read_counts(&in);
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_user_limits(struct peer *p, struct str address, struct sending_counts own,
			   struct arena *a, struct str *why)
{
	struct buf b = buf_new(IPC_MAX / 2);
	struct scan in;

	buf_blob(&b, address);
	buf_u32(&b, own.messages);
	buf_u32(&b, own.recipients);
	buf_u32(&b, own.strangers);
	enum err e = admin_ask(p, CALL_USER_LIMITS, &b, a, &in, why);
	if (e)
		return e;
	return scan_end(&in) ? OK : admin_misunderstood(why);
}

enum err admin_seal(struct peer *p, struct arena *a, struct str *why)
{
	struct buf b = buf_new(16);
	struct scan in;
	enum err e = admin_ask(p, CALL_SEAL, &b, a, &in, why);

	if (e)
		return e;
	return scan_end(&in) ? OK : admin_misunderstood(why);
}
