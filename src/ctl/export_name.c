/* SPDX-License-Identifier: ISC */
/* ctl/export_name.c - names of mailboxes as names of files. */
#include "base/buf.h"
#include "ctl/export.h"

static bool plain(enum export_format format, struct str level, size_t i)
{
	char c = level.p[i];

	if ((unsigned char)c < ' ' || c == 127 || c == '%' || c == '/')
		return false;
	if (c != '.')
		return true;
	/* Maildir++ separates by dots; elsewhere a dot may hide a file, or end a name in ".mbox".
	 */
	return format == EXPORT_MBOX && i > 0 && !str_iis(str_from(level, i), ".mbox");
}

static void put_level(struct buf *b, enum export_format format, struct str level)
{
	size_t start = b->n;

	for (size_t i = 0; i < level.n; i++) {
		bool next = (level.p[i] & 0xc0) != 0x80; /* not within a character */

		if (next && b->n - start > EXPORT_LEVEL_MAX - 24) {
			buf_fmt(b, "%%~%016llx", (unsigned long long)str_hash(level));
			return;
		}
		if (plain(format, level, i))
			buf_c(b, level.p[i]);
		else
			buf_fmt(b, "%%%02X", (unsigned char)level.p[i]);
	}
}

/* All levels of a Maildir++ folder are one name; where it is too long for one, so is a hash. */
static struct str maildir(struct arena *a, struct buf *b, struct str mailbox)
{
	struct str rest = mailbox;

	while (rest.n) {
		size_t n = str_find(rest, '/');

		buf_c(b, '.');
		put_level(b, EXPORT_MAILDIR, str_part(rest, 0, n));
		rest = str_from(rest, n + 1);
	}
	if (b->n > EXPORT_LEVEL_MAX)
		return str_fmt(a, "Maildir/.%%~%016llx", (unsigned long long)str_hash(mailbox));
	return str_fmt(a, "Maildir/%.*s", FMT(buf_str(b)));
}

static struct str mbox(struct arena *a, struct buf *b, struct str mailbox)
{
	struct str rest = mailbox;

	while (rest.n) {
		size_t n = str_find(rest, '/');

		buf_c(b, '/');
		put_level(b, EXPORT_MBOX, str_part(rest, 0, n));
		rest = str_from(rest, n + 1);
	}
	return str_fmt(a, "mbox%.*s.mbox", FMT(buf_str(b)));
}

struct str export_path(struct arena *a, enum export_format format, struct str mailbox)
{
	struct buf b = buf_new((size_t)4 * MAILBOX_NAME_MAX + MAILBOX_DEPTH_MAX * 32);
	struct str out;

	if (format == EXPORT_MAILDIR)
		out = str_is(mailbox, "INBOX") ? S("Maildir") : maildir(a, &b, mailbox);
	else
		out = mbox(a, &b, mailbox);
	BUG_IF(b.full);
	buf_free(&b);
	return out;
}
