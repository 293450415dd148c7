/* SPDX-License-Identifier: ISC */
/* imap/copy.c - COPY and MOVE, by number or UID: RFC 3501 6.4.7, RFC 4315 3, RFC 6851. */
#include "imap/imap_priv.h"

enum { COPYUID_MAX = 8 << 20 };

/* "COPYUID" with both sides in order; in s->cmd. None if nothing was copied. */
static struct str copyuid(struct imap *s, const struct copied *c)
{
	struct buf b = buf_new(COPYUID_MAX);

	if (c->from.n) {
		buf_fmt(&b, "COPYUID %u ", c->uidvalidity);
		uidset_put(&b, c->from);
		buf_c(&b, ' ');
		uidset_put(&b, c->to);
	}
	/* RFC 4315 3 allows to leave it out: of a set that is scattered beyond measure. */
	struct str code = b.full ? S_NONE : str_dup(s->cmd, buf_str(&b));

	buf_free(&b);
	return code;
}

static struct done copy(struct imap *s, struct scan *in, bool move)
{
	const char *why;
	struct copied c = { 0 };
	struct uidset set = imap_set(in, s);

	scan_lit(in, " ");
	struct str target = imap_mailbox(in, s->cmd, &why);

	if (!scan_end(in))
		return done_bad(move ? "usage: MOVE set mailbox" : "usage: COPY set mailbox");
	if (!target.p)
		return done_name(why);
	if (move && s->readonly)
		return done_no(NULL, "the mailbox was opened with EXAMINE");
	box_warning(s->box, imap_warning(s));
	enum err e = set.n ? box_copy(s->box, set, target, move, s->who.quota, s->cmd, &c) : OK;

	if (e == E_NOTFOUND)
		return done_no("TRYCREATE", "there is no such mailbox");
	if (e)
		return done_err(e);
	struct done d = done_ok(c.from.n ? (move ? "MOVE done" : "COPY done")
					 : "no such messages, nothing done");

	d.code = copyuid(s, &c);
	if (!move)
		return d;
	/* Before the EXPUNGEs, so that the client can follow: RFC 6851 4.3 */
	if (d.code.n) {
		io_put(s->io, S("* OK ["));
		io_put(s->io, d.code);
		io_put(s->io, S("] moved\r\n"));
		d.code = S_NONE;
	}
	struct done told = imap_sync(s, true, NULL);

	return told.how == DONE_OK ? d : told;
}

struct done imap_cmd_copy(struct imap *s, struct scan *in)
{
	return copy(s, in, false);
}

struct done imap_cmd_move(struct imap *s, struct scan *in)
{
	return copy(s, in, true);
}
