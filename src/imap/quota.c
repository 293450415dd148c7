/* SPDX-License-Identifier: ISC */
/*
 * imap/quota.c - GETQUOTA, GETQUOTAROOT: RFC 9208 4.1, and as RFC 2087 has them.
 *
 * All mailboxes of an account share one quota root, whose name is "". An account without a quota
 * has none.
 */
#include "imap/imap_priv.h"

enum { UNIT = 1024 }; /* of STORAGE, octets: RFC 9208 5.1 */

static enum err tell_quota(struct imap *s)
{
	struct box_usage used;
	enum err e = box_usage(s->srv->store, s->who.account, &used);

	if (!e)
		io_fmt(s->io, "* QUOTA \"\" (STORAGE %llu %llu)\r\n",
		       (unsigned long long)(used.octets / UNIT + (used.octets % UNIT != 0)),
		       (unsigned long long)(s->who.quota / UNIT));
	return e;
}

struct done imap_cmd_getquota(struct imap *s, struct scan *in)
{
	struct str root = imap_astring(in, s->cmd);

	if (!scan_end(in))
		return done_bad("usage: GETQUOTA root");
	if (root.n || !s->who.quota)
		return done_no("NONEXISTENT", "there is no such quota root");
	enum err e = tell_quota(s);

	return e ? done_err(e) : done_ok("GETQUOTA done");
}

/* The mailbox need not exist. */
struct done imap_cmd_getquotaroot(struct imap *s, struct scan *in)
{
	const char *why;
	struct str name = imap_mailbox(in, s->cmd, &why);
	enum err e = OK;

	if (!scan_end(in))
		return done_bad("usage: GETQUOTAROOT mailbox");
	if (!name.p)
		return done_name(why);
	buf_put(&s->out, S("* QUOTAROOT "));
	imap_put_name(s, &s->out, name);
	if (s->who.quota)
		buf_put(&s->out, S(" \"\""));
	imap_send(s);
	if (s->who.quota)
		e = tell_quota(s);
	return e ? done_err(e) : done_ok("GETQUOTAROOT done");
}

/* Quotas are the operator's, who sets them elsewhere; QUOTASET is not announced. */
struct done imap_cmd_setquota(struct imap *s, struct scan *in)
{
	imap_astring(in, s->cmd);
	scan_lit(in, " (");
	return in->bad ? done_bad("usage: SETQUOTA root (STORAGE limit)")
		       : done_no("NOPERM", "quotas are set by the operator");
}
