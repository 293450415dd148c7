/* SPDX-License-Identifier: ISC */
#include "base/encode.h"
#include "mail/date.h"
#include "mail/header.h"
#include "smtp/intake.h"

enum {
	AUTHORS_MAX = 20,             /* addresses in From and Sender together */
	AUTHOR_FIELD_MAX = 32 * 1024, /* octets of each of the two */
};

/* What matters in the header of a message that a user sends. */
struct seen {
	bool date, message_id, any;
	unsigned from, sender; /* how many of them */
	struct str from_body, sender_body;
};

static struct seen look(struct str header)
{
	struct seen seen = { 0 };
	struct str rest = header;
	struct field f;

	while (field_next(&rest, &f)) {
		/* a text that begins with no field is all body */
		if (!seen.any && f.whole.p != header.p)
			return seen;
		seen.any = true;
		seen.date |= str_iis(f.name, "Date");
		seen.message_id |= str_iis(f.name, "Message-ID");
		if (str_iis(f.name, "From")) {
			seen.from++;
			seen.from_body = f.body;
		} else if (str_iis(f.name, "Sender")) {
			seen.sender++;
			seen.sender_body = f.body;
		}
	}
	return seen;
}

static struct reply permitted(struct smtp *s, struct path p, unsigned *count)
{
	if (++*count > AUTHORS_MAX)
		return reply(554, "5.6.0", "too many addresses in From or Sender");
	struct str why;
	enum guarantee least;
	enum err e = keeper_may_send(s->srv->keeper, s->login.account, p, s->cmd, &why, &least);

	if (!e && !p.local.n && !p.domain.n) /* the null path is no author */
		e = E_DENIED;
	if (e == E_DENIED && why.n) /* since MAIL */
		return reply(550, "5.7.1", str_c(s->cmd, why));
	if (e == E_DENIED)
		return reply(554, "5.7.1",
			     "the address in From is not yours\n"
			     "die Adresse im Feld From gehoert nicht zu Ihrem Konto");
	return e ? reply_err(e) : (struct reply){ 0 };
}

static bool word_char(char c)
{
	return (unsigned char)c > ' ' && c != 127 && !str_has(S("()<>,:;\""), c);
}

/* A quoted string or a comment, which may nest; the scanner is bad if it never ends. */
static void skip(struct scan *in)
{
	bool comment = scan_char(in) == '(';

	for (unsigned depth = 1; depth && !in->bad;) {
		char c = scan_char(in);

		if (c == '\\')
			scan_char(in);
		else if (c == (comment ? ')' : '"'))
			depth--;
		else if (comment && c == '(')
			depth++;
	}
}

/* The next word or octet between words; comments, and strings that are no local part, are "". */
static struct str word(struct scan *in)
{
	struct scan before = *in;
	bool quoted = scan_at(in, '"');

	if (quoted || scan_at(in, '(')) {
		skip(in);
		if (!quoted || !scan_at(in, '@'))
			return S("");
	}
	if (scan_span(in, word_char).n == 0)
		scan_char(in);
	return STR(before.rest.p, before.rest.n - in->rest.n);
}

/*
 * Where a field is broken, the reader's program may find another author in it than we do. So
 * every word with "@", but for those in quoted strings and comments, must be the user's.
 */
static struct reply words(struct smtp *s, struct str body)
{
	struct reply r = { 0 };
	struct scan in = scan(body);
	unsigned count = 0;

	while (!r.code && scan_more(&in)) {
		struct str text = word(&in);
		struct path p;

		if (in.bad || (str_has(text, '@') && path_parse(s->tx, text, &p)))
			return reply(554, "5.6.0", "the From or Sender field is not understood");
		if (str_has(text, '@'))
			r = permitted(s, p, &count);
	}
	return r;
}

/* Every address of the field must be one that the user may send as, and there must be one. */
static struct reply authors(struct smtp *s, struct str body, unsigned *count)
{
	struct reply r = { 0 };
	unsigned before = *count;

	if (body.n > AUTHOR_FIELD_MAX)
		return reply(554, "5.6.0", "the From or Sender field is too long");
	for (struct address *a = address_list(s->tx, body); a && !r.code; a = a->next) {
		struct path p = { a->mailbox, a->domain,
				  !str_ascii(a->mailbox) || !str_ascii(a->domain) };

		if (a->domain.p) /* else begin or end of a group */
			r = permitted(s, p, count);
	}
	if (!r.code && *count == before)
		return reply(554, "5.6.0", "no address in From or Sender");
	return r.code ? r : words(s, body);
}

/* The header must be one and the same to all who read it: no NUL, no line end but CR LF. */
static bool unambiguous(struct str header)
{
	struct dots d = { 0 };

	dots_watch(&d, header);
	return !dots_bare(&d) && !str_has(header, '\0');
}

/* Of those that may be: whose domain signs. */
static struct path first_author(struct smtp *s, struct str body)
{
	for (struct address *a = address_list(s->tx, body); a; a = a->next)
		if (a->domain.p)
			return (struct path){ a->mailbox, a->domain,
					      !str_ascii(a->mailbox) || !str_ascii(a->domain) };
	return (struct path){ 0 };
}

struct reply submit_header(struct smtp *s, struct str header, struct str id, struct buf *add,
			   struct path *author)
{
	struct seen seen = look(header);
	struct date now = { .utc = clock_wall() };
	struct reply r = { 0 };
	unsigned count = 0;

	if (!unambiguous(header))
		return reply(554, "5.6.0", "NUL, or CR or LF alone, in the header");
	if (seen.from > 1 || seen.sender > 1)
		return reply(554, "5.6.0", "more than one From or Sender field");
	if (seen.from)
		r = authors(s, seen.from_body, &count);
	if (!r.code && seen.sender)
		r = authors(s, seen.sender_body, &count);
	if (!r.code && !count) /* those who name an author were looked at with him */
		r = envelope_permitted(s);
	if (r.code)
		return r;
	if (!seen.date)
		buf_fmt(add, "Date: %.*s\r\n", FMT(date_rfc5322(s->tx, now)));
	struct str from = seen.from_body;
	if (!seen.from) { /* the null path is no author's */
		from = s->mail.from.local.n ? path_text(s->tx, s->mail.from) : s->login.address;
		buf_fmt(add, "From: <%.*s>\r\n", FMT(from));
	}
	*author = first_author(s, from);
	if (!seen.message_id)
		buf_fmt(add, "Message-ID: <%.*s@%.*s>\r\n", FMT(id), FMT(s->conf->hostname));
	if (!seen.any && header.n && !str_starts(header, S("\r\n")))
		buf_put(add, S("\r\n"));
	return r;
}
