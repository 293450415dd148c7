/* SPDX-License-Identifier: ISC */
#include "smtp/trace.h"
#include "mail/date.h"
#include "mail/header.h"

struct str trace_protocol(struct arena *a, const struct trace *t)
{
	if (!t->lmtp && !t->esmtp)
		return S("SMTP");
	return str_fmt(a, "%s%s%s%s",
		       t->utf8   ? "UTF8"
		       : t->lmtp ? ""
				 : "E",
		       t->lmtp ? "LMTP" : "SMTP", t->tls_version ? "S" : "",
		       t->authenticated ? "A" : "");
}

static bool is_host(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || str_has(S("-._:[]"), c);
}

/* A name that can stand in the field: it is the client's word and nothing more. */
static bool helo_ok(struct str helo)
{
	struct scan in = scan(helo);

	scan_span(&in, is_host);
	return helo.n && scan_end(&in);
}

static struct str literal(struct arena *a, struct str ip)
{
	return str_fmt(a, "[%s%.*s]", str_has(ip, ':') ? "IPv6:" : "", FMT(ip));
}

static void from_clause(struct buf *b, const struct trace *t, struct arena *a)
{
	struct str ip = literal(a, t->ip);

	if (t->authenticated)
		buf_fmt(b, "Received: from %.*s (a user, logged in)", FMT(t->hostname));
	else if (t->ip.n == 0)
		buf_fmt(b, "Received: from %.*s", FMT(helo_ok(t->helo) ? t->helo : t->hostname));
	else if (helo_ok(t->helo))
		buf_fmt(b, "Received: from %.*s (%.*s)", FMT(t->helo), FMT(ip));
	else
		buf_fmt(b, "Received: from %.*s", FMT(ip));
}

/* As the grammar of RFC 8314 4.3 wants it: an IANA name; others are a comment. */
static bool registered(const char *name)
{
	struct str s = str_of(name);

	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(s.p[i]) && !(i && (ascii_digit(s.p[i]) || s.p[i] == '_')))
			return false;
	return s.n > 0;
}

static void tls_clause(struct buf *b, const struct trace *t)
{
	if (!t->tls_version)
		return;
	if (registered(t->tls_cipher)) {
		buf_fmt(b, "\r\n\ttls %s", t->tls_cipher);
		if (t->tls_group && ascii_alpha(*t->tls_group))
			buf_fmt(b, " group %s", t->tls_group);
		buf_fmt(b, " (%s)", t->tls_version);
	} else {
		buf_fmt(b, "\r\n\t(%s %s)", t->tls_version, t->tls_cipher ? t->tls_cipher : "");
	}
}

void trace_put(struct buf *b, const struct trace *t, struct arena *a)
{
	struct date when = { .utc = t->when };

	buf_fmt(b, "Return-Path: <%.*s>\r\n", FMT(path_text(a, t->from)));
	from_clause(b, t, a);
	buf_fmt(b, "\r\n\tby %.*s with %.*s id %.*s", FMT(t->hostname), FMT(trace_protocol(a, t)),
		FMT(t->id));
	if (t->to.n)
		buf_fmt(b, "\r\n\tfor <%.*s>", FMT(t->to));
	if (t->priority)
		buf_fmt(b, "\r\n\tpriority %s", t->priority);
	tls_clause(b, t);
	buf_fmt(b, ";\r\n\t%.*s\r\n", FMT(date_rfc5322(a, when)));
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_black(char c)
{
	return !is_white(c);
}

/* "by HOSTNAME with", wherever it is folded. */
static bool is_ours(struct str body, struct str hostname)
{
	const struct str want[] = { S("by"), hostname, S("with") };
	struct scan in = scan(body);
	size_t n = 0;

	while (n < LENGTH(want) && in.rest.n) {
		scan_span(&in, is_white);
		struct str word = scan_span(&in, is_black);

		n = str_ieq(word, want[n]) ? n + 1 : str_ieq(word, want[0]);
	}
	return n == LENGTH(want);
}

unsigned trace_count(struct str header, struct str hostname)
{
	struct str rest = header;
	struct field f;
	unsigned n = 0;

	while (field_next(&rest, &f))
		n += str_iis(f.name, "Received") && is_ours(f.body, hostname);
	return n;
}
