/* SPDX-License-Identifier: ISC */
/* imap/select.c - opening, leaving and clearing a mailbox: RFC 3501 6.3.1 - 2, 6.4.1 - 3. */
#include "imap/imap_priv.h"

void imap_deselect(struct imap *s)
{
	/* What came while it was open was \Recent here: the next session must not hear so too. */
	if (s->box && !s->readonly && !box_view(s->box).deleted) {
		enum err e = box_take_recent(s->box);
		if (e && e != E_NOTFOUND)
			log_event(LOG_WARN, "recent.failed", KVE(e));
	}
	box_close(&s->box);
	if (s->state == SELECTED)
		s->state = USER;
}

static struct done opened(struct imap *s)
{
	struct box_view v = box_view(s->box);

	imap_tell_flags(s);
	io_fmt(s->io, "* %u EXISTS\r\n* %u RECENT\r\n", v.exists, v.recent);
	if (v.first_unseen)
		io_fmt(s->io, "* OK [UNSEEN %u] first unseen message\r\n", v.first_unseen);
	io_fmt(s->io, "* OK [UIDVALIDITY %u] UIDs are valid\r\n", v.uidvalidity);
	io_fmt(s->io, "* OK [UIDNEXT %u] next UID\r\n", v.uidnext);
	struct done d = done_ok(s->readonly ? "EXAMINE done" : "SELECT done");

	d.code = s->readonly ? S("READ-ONLY") : S("READ-WRITE");
	return d;
}

/* A mailbox that was open is left even if the new one cannot be opened: RFC 3501 6.3.1 */
static struct done open_box(struct imap *s, struct scan *in, bool readonly)
{
	const char *why;
	struct str name = imap_mailbox(in, s->cmd, &why);

	if (!scan_end(in))
		return done_bad(readonly ? "usage: EXAMINE mailbox" : "usage: SELECT mailbox");
	imap_deselect(s);
	if (!name.p)
		return done_name(why);
	enum err e = box_open(s->srv->store, s->who.account, name, &s->box); /* suspends */

	if (!e && !readonly)
		e = box_take_recent(s->box); /* RFC 3501 2.3.2 */
	if (e) {
		imap_deselect(s);
		return done_err(e);
	}
	s->state = SELECTED;
	s->readonly = readonly;
	return opened(s);
}

struct done imap_cmd_select(struct imap *s, struct scan *in)
{
	return open_box(s, in, false);
}

struct done imap_cmd_examine(struct imap *s, struct scan *in)
{
	return open_box(s, in, true);
}

/* All is on the disk when it was answered; there is nothing left to do. */
struct done imap_cmd_check(struct imap *s, struct scan *in)
{
	(void)s;
	return scan_end(in) ? done_ok("CHECK done") : done_bad("usage: CHECK");
}

struct done imap_cmd_unselect(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: UNSELECT");
	imap_deselect(s);
	return done_ok("UNSELECT done");
}

static enum err expunge(struct imap *s, struct uidset set)
{
	struct uidset gone;

	return set.n ? box_expunge(s->box, set, false, s->cmd, &gone) : OK;
}

/* All that this session can know of: what came later it has not seen. */
static struct uidset whole(struct imap *s)
{
	uint32_t last = imap_last_uid(s);

	return last ? uidset_one(s->cmd, 1, last) : (struct uidset){ 0 };
}

struct done imap_cmd_close(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: CLOSE");
	enum err e = s->readonly ? OK : expunge(s, whole(s));

	imap_deselect(s);
	/* Another session deleted the mailbox, which is as expunged as can be. */
	return e && e != E_NOTFOUND ? done_err(e) : done_ok("CLOSE done");
}

/* EXPUNGE / UID EXPUNGE set                                    RFC 3501 6.4.3, RFC 4315 2.1 */
struct done imap_cmd_expunge(struct imap *s, struct scan *in)
{
	struct uidset set = s->by_uid ? imap_set(in, s) : whole(s);

	if (!scan_end(in))
		return done_bad(s->by_uid ? "usage: UID EXPUNGE set" : "usage: EXPUNGE");
	if (s->readonly)
		return done_no(NULL, "the mailbox was opened with EXAMINE");
	enum err e = expunge(s, set);

	if (e)
		return done_err(e);
	/* Asked for: it is told at once, even if further commands wait. */
	struct done d = imap_sync(s, true, NULL);

	return d.how == DONE_OK ? done_ok("EXPUNGE done") : d;
}
