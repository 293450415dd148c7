/* SPDX-License-Identifier: ISC */
/* imap/status.c - STATUS: RFC 3501 6.3.10, 7.2.4; RFC 8438; RFC 9208 4.1.4. */
#include "imap/imap_priv.h"

static enum err add_size(void *arg, uint32_t number, const struct msg *m)
{
	uint64_t *octets = arg;

	(void)number;
	if (m->flags & FLAG_DELETED)
		*octets += m->size;
	return OK;
}

/* The octets that EXPUNGE would set free. */
static enum err deleted_octets(struct imap *s, const struct mailbox_info *info, uint64_t *out)
{
	struct box *b;

	*out = 0;
	if (info->deleted == 0)
		return OK;
	enum err e = box_open(s->srv->store, s->who.account, info->name, &b);

	if (e)
		return e;
	e = box_each(b, box_deleted(b, s->cmd), add_size, out);
	box_close(&b);
	return e;
}

static enum err value(struct imap *s, const struct mailbox_info *info, enum imap_status_item i,
		      uint64_t *out)
{
	switch (i) {
	case ST_MESSAGES: *out = info->messages; break;
	case ST_RECENT: *out = info->recent; break;
	case ST_UIDNEXT: *out = info->uidnext; break;
	case ST_UIDVALIDITY: *out = info->uidvalidity; break;
	case ST_UNSEEN: *out = info->unseen; break;
	case ST_APPENDLIMIT: *out = s->srv->conf->message_max; break;
	case ST_SIZE: *out = info->octets; break;
	case ST_DELETED: *out = info->deleted; break;
	case ST_DELETED_STORAGE: return deleted_octets(s, info, out);
	case ST_COUNT: break;
	}
	return OK;
}

enum err imap_tell_status(struct imap *s, const struct mailbox_info *info,
			  const struct imap_status *items)
{
	struct buf *b = &s->out;
	uint64_t values[ST_COUNT];
	enum err e = OK;

	for (size_t i = 0; !e && i < items->n; i++)
		e = value(s, info, items->item[i], &values[i]);
	if (e)
		return e;
	buf_put(b, S("* STATUS "));
	imap_put_name(s, b, info->name);
	for (size_t i = 0; i < items->n; i++) {
		buf_put(b, i ? S(" ") : S(" ("));
		buf_put(b, str_of(imap_status_name(items->item[i])));
		buf_c(b, ' ');
		imap_put_num(b, values[i]);
	}
	buf_c(b, ')');
	imap_send(s);
	return OK;
}

struct done imap_cmd_status(struct imap *s, struct scan *in)
{
	const char *why;
	struct mailbox_info info;
	struct imap_status items;
	struct str name = imap_mailbox(in, s->cmd, &why);

	scan_lit(in, " ");
	imap_status_items(in, &items);
	if (!scan_end(in))
		return done_bad("usage: STATUS mailbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN "
				"APPENDLIMIT SIZE DELETED DELETED-STORAGE)");
	if (!name.p)
		return done_name(why);
	enum err e = box_status(s->srv->store, s->who.account, name, s->cmd, &info);

	if (!e)
		e = info.exists ? imap_tell_status(s, &info, &items) : E_NOTFOUND;
	return e ? done_err(e) : done_ok("STATUS done");
}
