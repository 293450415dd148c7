/* SPDX-License-Identifier: ISC */
/* imap/append.c - APPEND, whose message goes straight to the store: RFC 3501 6.3.11, 4315 3. */
#include "imap/imap_priv.h"

static const char usage[] = "usage: APPEND mailbox [(flags)] [\"date-time\"] literal";

/* What can be said before the client sends it all. */
static struct done foresee(struct imap *s, struct str mailbox)
{
	struct mailbox_info info;
	struct box_usage used = { 0 };
	uint64_t n = s->literal.n;

	if (n > s->srv->conf->message_max)
		return done_no("TOOBIG", "the message is too large"); /* RFC 7889 4 */
	if (n == 0)
		return done_no("CANNOT", "an empty message is none");
	/* As it is now: the session may be older than the state of its account. */
	enum err e = keeper_may_append(s->srv->keeper, s->who.account, &s->who.quota);

	if (e)
		return e == E_DENIED ? done_no("NOPERM", "the account is closed") : done_err(e);
	e = box_status(s->srv->store, s->who.account, mailbox, s->cmd, &info);

	if (e == E_NOTFOUND || (!e && !info.exists))
		return done_no("TRYCREATE", "there is no such mailbox");
	if (!e && s->who.quota)
		e = box_usage(s->srv->store, s->who.account, &used);
	if (!e && s->who.quota && used.octets + n > s->who.quota)
		e = E_QUOTA;
	return e ? done_err(e) : done_ok("go on");
}

/* Takes the octets to the last one, whatever becomes of them. NUL is none of CHAR8. */
static struct done take_octets(struct imap *s, struct incoming *msg, bool binary)
{
	struct done d = done_ok("taken");

	for (uint64_t left = s->literal.n; left;) {
		struct str some;

		io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
		enum err e = io_some(s->io, left < PIECE ? (size_t)left : PIECE, &some);

		if (e)
			return done_io(e);
		left -= some.n;
		if (d.how != DONE_OK)
			continue;
		e = incoming_write(msg, some);
		if (str_has(some, '\0'))
			d = done_no(binary ? "UNKNOWN-CTE" : "CANNOT", /* RFC 3516 4.4 */
				    "a message cannot hold NUL octets");
		else if (e)
			d = done_err(e);
	}
	return d;
}

static struct done take_message(struct imap *s, struct incoming *msg, bool binary)
{
	struct str line, head;
	struct imap_literal more;

	s->waits = false;
	if (s->literal.sync)
		io_put(s->io, S("+ send the message\r\n"));
	struct done d = take_octets(s, msg, binary);

	if (d.how >= DONE_BYE)
		return d;
	enum err e = io_line(s->io, s->cmd, LINE_MAX_USER, &line);

	if (e)
		return done_io(e);
	if (line.n == 0)
		return d;
	/* More than one message: RFC 3502 is not offered, but what follows must be passed. */
	if (imap_literal_tail(line, &head, &more) && !more.sync) {
		struct done skipped = imap_skip(s, more.n);

		if (skipped.how != DONE_OK)
			return skipped;
	}
	return done_bad(usage);
}

static struct done deliver(struct imap *s, struct incoming *msg, const struct imap_append *ap)
{
	struct append x = {
		.in = msg,
		.arrived = ap->dated ? ap->arrived : clock_wall(),
		.flags = ap->flags.system,
		.keywords = ap->flags.keywords,
		.nkeywords = ap->flags.n,
		.quota = s->who.quota,
		.warning = imap_warning(s),
	};
	enum err e = incoming_finish(msg);

	if (!e)
		e = box_append(s->srv->store, s->who.account, ap->mailbox, &x); /* suspends */
	if (e == E_NOTFOUND)
		return done_no("TRYCREATE", "there is no such mailbox");
	if (e)
		return done_err(e);
	struct done d = done_ok("APPEND done");

	d.code = str_fmt(s->cmd, "APPENDUID %u %u", x.uidvalidity, x.uid);
	return d;
}

struct done imap_cmd_append(struct imap *s, struct scan *in)
{
	struct imap_append ap;

	if (!s->waits)
		return done_bad(usage);
	imap_append_head(in, s->cmd, &ap); /* read.c has seen that it is well formed */
	if (!ap.mailbox.p)
		return done_name(ap.why);
	struct done d = foresee(s, ap.mailbox);

	if (d.how != DONE_OK)
		return d;
	struct incoming *msg = incoming_new(s->srv->store);

	d = take_message(s, msg, ap.binary);
	if (d.how == DONE_OK)
		d = deliver(s, msg, &ap);
	incoming_close(&msg);
	return d;
}
