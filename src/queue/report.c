/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "mail/date.h"
#include "mail/header.h"
#include "queue/report.h"
#include "queue/say.h"

enum { REPORT_MAX = REPORT_HEADER_MAX + (2 << 20) };

static bool counts(const struct queue_report_of *r, size_t i)
{
	return schedule_report(r->plan, r->m, &r->rcpt[i], r->now) == r->kind;
}

/* RFC 3461 4: "+" and two hex digits stand for an octet. */
static struct str xtext_decode(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	struct scan in = scan(s);
	size_t n = 0;

	while (scan_more(&in)) {
		char c = scan_char(&in);

		p[n++] = c == '+' ? (char)scan_hex(&in, 2) : c;
	}
	return queue_one_line(a, in.bad ? s : STR(p, n));
}

/* In one line; without SMTPUTF8 nothing beyond ASCII stands in the fields. */
static struct str field_text(struct arena *a, const struct queue_report_of *r, struct str s)
{
	struct str line = queue_one_line(a, s);
	char *p = arena_alloc(a, line.n + 1);

	for (size_t i = 0; i < line.n; i++)
		p[i] = !r->m->utf8 && line.p[i] & 0x80 ? '?' : line.p[i];
	return STR(p, line.n);
}

static void put_top(struct arena *a, const struct queue_report_of *r, struct buf *b)
{
	static const char *const subject[] = {
		[QUEUE_DELAY] = "Mail noch nicht zugestellt / Mail not delivered yet",
		[QUEUE_FAILURE] = "Mail nicht zugestellt / Mail not delivered",
		[QUEUE_SUCCESS] = "Mail weitergegeben / Mail passed on",
	};
	struct str domain = str_from(r->from, str_rfind(r->from, '@') + 1);
	struct field f;

	buf_fmt(b, "Date: %.*s\r\n", FMT(date_rfc5322(a, (struct date){ .utc = r->now })));
	buf_fmt(b, "From: Mail Delivery System <%.*s>\r\n", FMT(r->from));
	buf_fmt(b, "To: <%.*s>\r\n", FMT(queue_one_line(a, r->m->sender)));
	buf_fmt(b, "Subject: %s\r\n", subject[r->kind]);
	buf_fmt(b, "Message-ID: <%.*s@%.*s>\r\n", FMT(r->id), FMT(domain));
	if (field_find(r->header, "Message-ID", &f)) {
		size_t n;
		struct str *ids = header_msgids(a, f.body, 1, &n);

		if (n && ids[0].n < 900)
			buf_fmt(b, "References: <%.*s>\r\n", FMT(field_text(a, r, ids[0])));
	}
	/* RFC 3834 5 */
	buf_fmt(b,
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/report; report-type=%s;\r\n\tboundary=\"=_%.*s\"\r\n"
		"Content-Transfer-Encoding: 8bit\r\n",
		r->m->utf8 ? "global-delivery-status" : "delivery-status", FMT(r->id));
}

static void put_boundary(const struct queue_report_of *r, struct buf *b, const char *type)
{
	/* RFC 3464 2.1: the fields of a status are 7bit, and must be called so */
	bool plain = !strcmp(type, "message/delivery-status");

	buf_fmt(b, "\r\n--=_%.*s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		FMT(r->id), type, plain ? "7bit" : "8bit");
}

/* Words over the width of a line are left whole. */
static void put_wrapped(struct buf *b, struct str text)
{
	enum { WIDTH = 76 };
	size_t column = 0;

	for (struct scan in = scan(text); scan_more(&in);) {
		struct str word = scan_word(&in);

		if (column && column + 1 + word.n > WIDTH) {
			buf_put(b, S("\r\n  "));
			column = 2;
		} else {
			buf_put(b, column ? S(" ") : S("  "));
			column += column ? 1 : 2;
		}
		buf_put(b, word);
		column += word.n;
	}
	buf_put(b, S("\r\n"));
}

static void put_human(struct arena *a, const struct queue_report_of *r, struct buf *b)
{
	static const char *const opening[][2] = {
		[QUEUE_DELAY] = { "Ihre Mail ist noch unterwegs. Sie müssen nichts tun.",
				  "Your mail is still on its way. You need not do anything." },
		[QUEUE_FAILURE] = { "Ihre Mail konnte nicht zugestellt werden.",
				    "Your mail could not be delivered." },
		[QUEUE_SUCCESS] = { "Ihre Mail ist beim Server des Empfängers angekommen. Ob sie "
				    "gelesen wird, sagt er uns nicht.",
				    "Your mail has reached the recipient's server. Whether it is "
				    "read we are not told." },
	};

	put_boundary(r, b, "text/plain; charset=utf-8");
	for (enum queue_language l = QUEUE_DE; l <= QUEUE_EN; l++) {
		buf_fmt(b, "%s\r\n", opening[r->kind][l]);
		for (size_t i = 0; i < r->n; i++) {
			if (!counts(r, i))
				continue;
			buf_fmt(b, "\r\n%.*s:\r\n", FMT(queue_one_line(a, r->rcpt[i].address)));
			put_wrapped(b, queue_say(a, l, r->plan, r->m, &r->rcpt[i]));
		}
		if (l == QUEUE_DE)
			buf_put(b, S("\r\n-- \r\n\r\n"));
	}
}

/* RFC 3464 2.3; RFC 6533 3 */
static void put_recipient(struct arena *a, const struct queue_report_of *r, struct buf *b,
			  const struct queue_recipient *c)
{
	const char *const action[] = { [QUEUE_DELAY] = "delayed",
				       [QUEUE_FAILURE] = "failed",
				       [QUEUE_SUCCESS] = c->last.ip.n ? "relayed" : "delivered" };
	size_t type = str_find(c->orcpt, ';');
	bool known = str_iis(str_part(c->orcpt, 0, type), "rfc822");
	struct str to = field_text(a, r, c->address);
	uint16_t s[3];

	queue_status(r->m, c, s);
	if (c->orcpt.n) {
		struct str address = str_from(c->orcpt, type + 1);

		buf_fmt(b, "Original-Recipient: %.*s;%.*s\r\n",
			FMT(field_text(a, r, str_part(c->orcpt, 0, type))),
			FMT(field_text(a, r, known ? xtext_decode(a, address) : address)));
	}
	buf_fmt(b, "Final-Recipient: %s;%.*s\r\n", r->m->utf8 ? "utf-8" : "rfc822", FMT(to));
	buf_fmt(b, "Action: %s\r\nStatus: %u.%u.%u\r\n", action[r->kind], s[0], s[1], s[2]);
	if (c->last.host.n)
		buf_fmt(b, "Remote-MTA: dns;%.*s\r\n", FMT(field_text(a, r, c->last.host)));
	if (c->last.code) {
		buf_fmt(b, "Diagnostic-Code: smtp;%u ", c->last.code);
		if (c->last.status[0])
			buf_fmt(b, "%u.%u.%u ", c->last.status[0], c->last.status[1],
				c->last.status[2]);
		buf_fmt(b, "%.*s\r\n", FMT(field_text(a, r, c->last.text)));
	}
	if (c->last.when)
		buf_fmt(b, "Last-Attempt-Date: %.*s\r\n",
			FMT(date_rfc5322(a, (struct date){ .utc = c->last.when })));
	if (r->kind == QUEUE_DELAY)
		buf_fmt(b, "Will-Retry-Until: %.*s\r\n",
			FMT(date_rfc5322(a, (struct date){ .utc = schedule_end(r->plan, r->m) })));
}

static void put_status(struct arena *a, const struct queue_report_of *r, struct buf *b)
{
	put_boundary(r, b,
		     r->m->utf8 ? "message/global-delivery-status" : "message/delivery-status");
	if (r->m->envid.n)
		buf_fmt(b, "Original-Envelope-Id: %.*s\r\n",
			FMT(field_text(a, r, xtext_decode(a, r->m->envid))));
	buf_fmt(b, "Reporting-MTA: dns;%.*s\r\nArrival-Date: %.*s\r\n", FMT(r->host),
		FMT(date_rfc5322(a, (struct date){ .utc = r->m->submitted })));
	for (size_t i = 0; i < r->n; i++) {
		if (!counts(r, i))
			continue;
		buf_put(b, S("\r\n"));
		put_recipient(a, r, b, &r->rcpt[i]);
	}
}

/* Fields only, each line ended by CR LF. */
static void put_header(const struct queue_report_of *r, struct buf *b)
{
	struct str rest = r->header;
	struct field f;

	put_boundary(r, b, r->m->utf8 ? "message/global-headers" : "text/rfc822-headers");
	while (field_next(&rest, &f))
		buf_put(b, f.whole);
}

enum err queue_report_make(struct arena *a, const struct queue_report_of *r,
			   struct queue_report_text *out)
{
	struct buf b = buf_new(REPORT_MAX);
	size_t owed = 0;

	BUG_IF(r->kind == QUEUE_NO_REPORT);
	for (size_t i = 0; i < r->n; i++)
		owed += counts(r, i);
	if (!owed)
		return E_NOTFOUND;
	if (r->header.n > REPORT_HEADER_MAX)
		return E_LIMIT;
	*out = (struct queue_report_text){ .full = r->kind == QUEUE_FAILURE &&
						   r->m->ret == QUEUE_RET_FULL &&
						   r->m->body != QUEUE_BINARYMIME &&
						   !r->m->requiretls };
	put_top(a, r, &b);
	put_human(a, r, &b);
	put_status(a, r, &b);
	if (out->full)
		put_boundary(r, &b, r->m->utf8 ? "message/global" : "message/rfc822");
	else
		put_header(r, &b);
	enum err e = b.full ? E_LIMIT : OK;

	out->head = str_dup(a, buf_str(&b));
	out->tail = str_fmt(a, "\r\n--=_%.*s--\r\n", FMT(r->id));
	buf_free(&b);
	return e;
}
