/* SPDX-License-Identifier: ISC */
/* keeper/refusals.c - one account's list of those who came without encryption. */
#include "keeper/refusals.h"

#include "base/encode.h"
#include "mail/date.h"

enum { REFUSALS_VERSION = 1 };

struct str refusal_text(struct arena *a, struct str text)
{
	static const struct str signs = { "@.-_+=~!#$%&'*/?^`{|}[]", 23 };
	struct str s = str_dup(a, str_part(text, 0, REFUSAL_TEXT_MAX));
	char *p = (char *)s.p;

	for (size_t i = 0; i < s.n; i++) {
		bool letter = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') ||
			      (p[i] >= '0' && p[i] <= '9');
		if (!letter && !str_has(signs, p[i]))
			p[i] = '?';
	}
	return s;
}

bool refusal_same(const struct refusal_row *a, const struct refusal_row *b)
{
	return str_eq(a->sender, b->sender) && str_eq(a->to, b->to) && str_eq(a->host, b->host) &&
	       str_eq(a->ip, b->ip);
}

static uint32_t sum(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void refusals_add(struct refusals *l, const struct refusal_row *r)
{
	size_t i = 0;

	if (!l->since || r->first < l->since)
		l->since = r->first;
	while (i < l->n && !refusal_same(&l->row[i], r))
		i++;
	if (i == REFUSALS_MAX) {
		l->others = sum(l->others, r->count);
		return;
	}
	if (i == l->n) {
		l->row[l->n++] = *r;
		return;
	}
	l->row[i].count = sum(l->row[i].count, r->count);
	if (r->last > l->row[i].last)
		l->row[i].last = r->last;
}

/* --- the record --- */

struct str refusals_record(struct arena *a, const struct refusals *l)
{
	struct buf b = buf_new(REFUSALS_OCTETS);

	buf_u8(&b, REFUSALS_VERSION);
	buf_u64(&b, (uint64_t)l->since);
	buf_u32(&b, l->others);
	buf_u32(&b, (uint32_t)l->n);
	for (size_t i = 0; i < l->n; i++) {
		const struct refusal_row *r = &l->row[i];
		buf_blob(&b, r->sender);
		buf_blob(&b, r->to);
		buf_blob(&b, r->host);
		buf_blob(&b, r->ip);
		buf_u64(&b, (uint64_t)r->first);
		buf_u64(&b, (uint64_t)r->last);
		buf_u32(&b, r->count);
	}
	BUG_IF(b.full);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

static struct str take_text(struct scan *in)
{
	struct str s = scan_blob(in);

	if (s.n > REFUSAL_TEXT_MAX)
		scan_fail(in);
	return s;
}

enum err refusals_read(struct str value, struct refusals *out)
{
	struct scan in = scan(value);

	*out = (struct refusals){ 0 };
	if (value.n == 0)
		return E_CORRUPT;
	if (scan_u8(&in) != REFUSALS_VERSION)
		return E_VERSION;
	out->since = (int64_t)scan_u64(&in);
	out->others = scan_u32(&in);
	uint32_t n = scan_u32(&in);
	if (in.bad || n > REFUSALS_MAX)
		return E_CORRUPT;
	for (; out->n < n; out->n++) {
		struct refusal_row *r = &out->row[out->n];
		r->sender = take_text(&in);
		r->to = take_text(&in);
		r->host = take_text(&in);
		r->ip = take_text(&in);
		r->first = (int64_t)scan_u64(&in);
		r->last = (int64_t)scan_u64(&in);
		r->count = scan_u32(&in);
	}
	return scan_end(&in) ? OK : E_CORRUPT;
}

/* --- the mail --- */

static void put_row(struct buf *b, struct arena *a, const struct refusal_row *r)
{
	buf_fmt(b, "%.*s -> %.*s\n", FMT(r->sender.n ? r->sender : S("<>")), FMT(r->to));
	buf_fmt(b, "    %.*s%s[%.*s], %u x, %.*s\n", FMT(r->host), r->host.n ? " " : "", FMT(r->ip),
		r->count, FMT(date_rfc5322(a, (struct date){ .utc = r->last })));
}

static struct str list(struct arena *a, const struct refusals *l)
{
	struct buf b = buf_new(REFUSALS_OCTETS);

	for (size_t i = 0; i < l->n; i++)
		put_row(&b, a, &l->row[i]);
	if (l->others)
		buf_fmt(&b, "\n... und noch %u / ... and %u more\n", l->others, l->others);
	struct str s = str_dup(a, buf_str(&b));
	buf_free(&b);
	return s;
}

struct notice refusals_notice(struct arena *a, struct str address, const struct refusals *l)
{
	struct str domain = str_from(address, str_rfind(address, '@'));
	struct notice n = { .from = str_fmt(a, "postmaster%.*s", FMT(domain)),
			    .to = address,
			    .subject = S("Unverschluesselte Mails abgewiesen / "
					 "Unencrypted mail was refused") };

	n.text = str_fmt(
		a,
		"Ihr Postfach %.*s nimmt Mails nur über verschlüsselte Verbindungen an.\n"
		"Diese Server wollten unverschlüsselt senden und wurden abgewiesen; die Absender\n"
		"bekommen die Mail mit einer Erklärung zurück. Falls Sie eine davon vermissen:\n"
		"schreiben Sie dem Absender, oder erlauben Sie im Webmail unter Einstellungen\n"
		"wieder alle Verbindungen.\n\n"
		"Your mailbox %.*s takes mail over encrypted connections only. These\n"
		"servers wanted to send without encryption and were refused; the senders get\n"
		"their mail back with an explanation. If you miss one of them, write to its\n"
		"sender, or allow all connections again in the settings of the webmail.\n\n"
		"Absender -> Empfänger, Server, wie oft, zuletzt\n"
		"sender -> recipient, server, how often, the last time\n\n"
		"%.*s",
		FMT(address), FMT(address), FMT(list(a, l)));
	return n;
}
