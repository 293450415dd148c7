/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "mail/date.h"
#include "mail/notice.h"

enum { NOTICE_MAX = 64 * 1024 };

static struct str clean(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= ' ' && s.p[i] != 127)
			p[n++] = s.p[i];
	return STR(p, n);
}

struct str notice_compose(struct arena *a, const struct notice *n)
{
	struct str from = clean(a, n->from), domain = str_from(from, str_rfind(from, '@') + 1);
	struct date now = { .utc = n->now };
	struct buf b = buf_new(NOTICE_MAX);

	/* Return-Path: an answer would go nowhere, RFC 3834 3.3. */
	buf_fmt(&b, "Return-Path: <>\r\nDate: %.*s\r\nFrom: Postmaster <%.*s>\r\nTo: <%.*s>\r\n",
		FMT(date_rfc5322(a, now)), FMT(from), FMT(clean(a, n->to)));
	buf_fmt(&b, "Subject: %.*s\r\nMessage-ID: <%.*s@%.*s>\r\n", FMT(clean(a, n->subject)),
		FMT(clean(a, n->id)), FMT(domain.n ? domain : S("localhost")));
	buf_fmt(&b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: 8bit\r\n\r\n");
	for (struct str rest = n->text; rest.n;) {
		size_t line = str_find(rest, '\n');

		buf_fmt(&b, "%.*s\r\n", FMT(str_part(rest, 0, line)));
		rest = str_from(rest, line + 1);
	}
	struct str out = str_dup(a, buf_str(&b));

	buf_free(&b);
	return out;
}
