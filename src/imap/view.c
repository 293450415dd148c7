/* SPDX-License-Identifier: ISC */
/* imap/view.c - message numbers, and what is told of a mailbox untagged: RFC 3501 7.2 - 7.4. */
#include "imap/imap_priv.h"
#include "base/encode.h"

uint32_t imap_last_uid(const struct imap *s)
{
	uint32_t exists = box_view(s->box).exists;

	return exists ? box_uid(s->box, exists) : 0;
}

struct uidset imap_set(struct scan *in, struct imap *s)
{
	bool beyond = false;

	if (s->by_uid) {
		struct uidset uids = uidset_scan(in, s->cmd, imap_last_uid(s));

		return in->bad ? (struct uidset){ 0 } : box_known(s->box, s->cmd, uids);
	}
	struct uidset numbers = uidset_scan(in, s->cmd, box_view(s->box).exists);

	if (in->bad)
		return (struct uidset){ 0 };
	struct uidset uids = box_uids(s->box, s->cmd, numbers, &beyond);

	if (beyond)
		scan_fail(in);
	return uids;
}

bool imap_chunk(struct chunks *c, struct arena *a, uint32_t max, struct uidset *out)
{
	struct uidset_builder b = { .a = a };
	uint32_t left = max;

	while (left && c->i < c->set.n) {
		struct uid_range r = c->set.range[c->i];

		if (c->from)
			r.first = c->from;
		if (r.last - r.first >= left) {
			uidset_add_range(&b, r.first, r.first + left - 1);
			c->from = r.first + left;
			break;
		}
		uidset_add_range(&b, r.first, r.last);
		left -= r.last - r.first + 1;
		c->from = 0;
		c->i++;
	}
	*out = uidset_done(&b);
	return out->n > 0;
}

void imap_put_num(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	buf_put(b, STR(digits + at, sizeof digits - at));
}

static void put_flag_names(struct buf *b, const struct imap *s, uint64_t flags, bool *first)
{
	for (unsigned bit = 0; bit < 64 && flags >> bit; bit++) {
		if (!(flags >> bit & 1))
			continue;
		struct str name = box_flag_name(s->box, bit);

		if (name.n == 0) /* made by another session: it is told with the next imap_sync */
			continue;
		if (!*first)
			buf_c(b, ' ');
		*first = false;
		buf_put(b, name);
	}
}

void imap_put_flags(struct buf *b, const struct imap *s, uint64_t flags, bool recent)
{
	bool first = true;

	buf_c(b, '(');
	put_flag_names(b, s, flags, &first);
	if (recent)
		buf_put(b, first ? S("\\Recent") : S(" \\Recent"));
	buf_c(b, ')');
}

void imap_put_quoted(struct buf *b, struct str s)
{
	buf_c(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_c(b, '\\');
		buf_c(b, s.p[i]);
	}
	buf_c(b, '"');
}

void imap_put_name(struct imap *s, struct buf *b, struct str mailbox)
{
	imap_put_quoted(b, utf7_encode(s->cmd, mailbox));
}

void imap_send(struct imap *s)
{
	buf_put(&s->out, S("\r\n"));
	BUG_IF(s->out.full);
	io_put(s->io, buf_str(&s->out));
	buf_clear(&s->out);
}

void imap_tell_flags(struct imap *s)
{
	struct buf *b = &s->out;
	struct box_view v = box_view(s->box);
	uint64_t all = v.keywords | FLAG_SYSTEM;
	bool first = true;

	buf_put(b, S("* FLAGS "));
	imap_put_flags(b, s, all, false);
	imap_send(s);
	buf_put(b, S("* OK [PERMANENTFLAGS ("));
	if (!s->readonly) {
		put_flag_names(b, s, all, &first);
		/* \*: further keywords can be made */
		if (__builtin_popcountll(v.keywords) < KEYWORDS_MAX)
			buf_put(b, S(" \\*"));
	}
	buf_put(b, s->readonly ? S(")] opened with EXAMINE") : S(")] these are kept"));
	imap_send(s);
}

void imap_tell(struct imap *s, uint32_t number, uint32_t uid, uint64_t flags)
{
	struct buf *b = &s->out;

	buf_put(b, S("* "));
	imap_put_num(b, number);
	buf_put(b, S(" FETCH ("));
	if (s->by_uid) { /* RFC 3501 6.4.8 */
		buf_put(b, S("UID "));
		imap_put_num(b, uid);
		buf_c(b, ' ');
	}
	buf_put(b, S("FLAGS "));
	imap_put_flags(b, s, flags, box_is_recent(s->box, uid));
	buf_c(b, ')');
	imap_send(s);
}

struct sync {
	struct imap *s;
	const struct belief *b;
};

static void tell_expunged(void *arg, uint32_t number, uint32_t uid)
{
	struct sync *y = arg;

	(void)uid;
	io_fmt(y->s->io, "* %u EXPUNGE\r\n", number);
}

static void tell_exists(void *arg, uint32_t exists, uint32_t recent)
{
	struct sync *y = arg;

	io_fmt(y->s->io, "* %u EXISTS\r\n* %u RECENT\r\n", exists, recent);
}

static int by_uid(const void *key, const void *known)
{
	uint32_t uid = *(const uint32_t *)key, other = ((const struct known *)known)->uid;

	return (uid > other) - (uid < other);
}

static bool believed(const struct belief *b, const struct msg *m)
{
	if (!b || !b->n)
		return false;
	const struct known *k = bsearch(&m->uid, b->known, b->n, sizeof *b->known, by_uid);

	return k && !((k->flags ^ m->flags) & ~b->ignore);
}

static void tell_changed(void *arg, uint32_t number, const struct msg *m)
{
	struct sync *y = arg;

	if (believed(y->b, m))
		return;
	imap_tell(y->s, number, m->uid, m->flags);
	if (y->b && y->b->told)
		uidset_add(y->b->told, m->uid);
}

static void tell_keywords(void *arg)
{
	struct sync *y = arg;

	imap_tell_flags(y->s);
}

struct done imap_sync(struct imap *s, bool expunges, const struct belief *b)
{
	struct sync y = { s, b };
	const struct box_changes tell = { &y, tell_expunged, tell_exists, tell_changed,
					  tell_keywords };
	enum err e = box_sync(s->box, expunges, &tell);

	/* Nothing in RFC 3501 takes a mailbox away from a session: RFC 2180 3.3 */
	if (e == E_NOTFOUND || box_view(s->box).deleted)
		return (struct done){ DONE_BYE, S_NONE, "another session deleted the mailbox" };
	return e ? done_err(e) : done_ok("synced");
}
