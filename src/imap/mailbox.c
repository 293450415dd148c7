/* SPDX-License-Identifier: ISC */
/* imap/mailbox.c - making, renaming and subscribing mailboxes: RFC 3501 6.3. */
#include "imap/imap_priv.h"

static const struct use {
	const char *name;
	unsigned bit;
} uses[] = {
	/* RFC 6154 2 */
	{ "\\Drafts", USE_DRAFTS }, { "\\Sent", USE_SENT },       { "\\Junk", USE_JUNK },
	{ "\\Trash", USE_TRASH },   { "\\Archive", USE_ARCHIVE },
};

void imap_put_use(struct buf *b, unsigned use)
{
	for (size_t i = 0; i < LENGTH(uses); i++)
		if (use & uses[i].bit)
			buf_put(b, str_of(uses[i].name));
}

unsigned imap_use(struct str attribute)
{
	for (size_t i = 0; i < LENGTH(uses); i++)
		if (str_iis(attribute, uses[i].name))
			return uses[i].bit;
	return 0;
}

/* "(USE (" use-attr ... "))". RFC 4466 2.2, RFC 6154 3. *known: all are ours */
static unsigned create_use(struct scan *in, bool *known)
{
	unsigned use = 0;

	scan_lit(in, "(USE (");
	while (!in->bad && !scan_opt(in, ")")) {
		struct str start = in->rest;

		scan_lit(in, "\\");
		struct str name = imap_atom(in);
		unsigned one = in->bad ? 0 : imap_use(str_part(start, 0, name.n + 1));

		*known = *known && one;
		use |= one;
		if (!scan_at(in, ')'))
			scan_lit(in, " ");
	}
	scan_lit(in, ")");
	return use;
}

struct done imap_cmd_create(struct imap *s, struct scan *in)
{
	const char *why;
	bool known = true;
	struct str name = imap_mailbox(in, s->cmd, &why);
	unsigned use = scan_opt(in, " ") ? create_use(in, &known) : 0;

	if (!scan_end(in))
		return done_bad("usage: CREATE mailbox [(USE (\\Attribute))]");
	if (!name.p)
		return done_name(why);
	if (!known || (use & (use - 1)))
		return done_no("USEATTR",
			       "one of \\Drafts \\Sent \\Junk \\Trash \\Archive, no other");
	enum err e = box_create(s->srv->store, s->who.account, name, use);

	if (e == E_EXISTS && str_is(name, "INBOX"))
		return done_no("ALREADYEXISTS", "INBOX is always there");
	return e ? done_err(e) : done_ok("CREATE done");
}

/* Is it the mailbox that this session has open? */
static bool is_open(struct imap *s, struct str name)
{
	struct mailbox_info info;

	return s->box && !box_status(s->srv->store, s->who.account, name, s->cmd, &info) &&
	       info.id == box_view(s->box).id;
}

struct done imap_cmd_delete(struct imap *s, struct scan *in)
{
	const char *why;
	struct str name = imap_mailbox(in, s->cmd, &why);

	if (!scan_end(in))
		return done_bad("usage: DELETE mailbox");
	if (!name.p)
		return done_name(why);
	bool open = is_open(s, name);
	enum err e = box_delete(s->srv->store, s->who.account, name);

	if (e)
		return e == E_DENIED ? done_no("CANNOT", "INBOX cannot be deleted") : done_err(e);
	if (open)
		imap_deselect(s);
	return done_ok("DELETE done");
}

struct done imap_cmd_rename(struct imap *s, struct scan *in)
{
	const char *why, *why_to;
	struct str from = imap_mailbox(in, s->cmd, &why);

	scan_lit(in, " ");
	struct str to = imap_mailbox(in, s->cmd, &why_to);

	if (!scan_end(in))
		return done_bad("usage: RENAME mailbox mailbox");
	if (!from.p || !to.p)
		return done_name(from.p ? why_to : why);
	enum err e = box_rename(s->srv->store, s->who.account, from, to);

	return e ? done_err(e) : done_ok("RENAME done");
}

static struct done subscribe(struct imap *s, struct scan *in, bool on)
{
	const char *why;
	struct str name = imap_mailbox(in, s->cmd, &why);

	if (!scan_end(in))
		return done_bad(on ? "usage: SUBSCRIBE mailbox" : "usage: UNSUBSCRIBE mailbox");
	if (!name.p)
		return done_name(why);
	enum err e = box_subscribe(s->srv->store, s->who.account, name, on);

	if (e == E_NOTFOUND && !on)
		e = OK;
	return e ? done_err(e) : done_ok(on ? "SUBSCRIBE done" : "UNSUBSCRIBE done");
}

struct done imap_cmd_subscribe(struct imap *s, struct scan *in)
{
	return subscribe(s, in, true);
}

struct done imap_cmd_unsubscribe(struct imap *s, struct scan *in)
{
	return subscribe(s, in, false);
}
