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

/* Every address of the field must be one that the user may send as, and there must be one. */
static struct reply authors(struct smtp *s, struct str body, unsigned *count)
{
	unsigned before = *count;

	if (body.n > AUTHOR_FIELD_MAX)
		return reply(554, "5.6.0", "the From or Sender field is too long");
	for (struct address *a = address_list(s->tx, body); a; a = a->next) {
		struct path p = { a->mailbox, a->domain,
				  !str_ascii(a->mailbox) || !str_ascii(a->domain) };

		if (!a->domain.p) /* begin or end of a group */
			continue;
		if (++*count > AUTHORS_MAX)
			return reply(554, "5.6.0", "too many addresses in From or Sender");
		enum err e = keeper_may_send(s->srv->keeper, s->login.account, p);

		if (e == E_DENIED)
			return reply(554, "5.7.1",
				     "the address in From is not yours\n"
				     "die Adresse im Feld From gehoert nicht zu Ihrem Konto");
		if (e)
			return reply_err(e);
	}
	if (*count == before)
		return reply(554, "5.6.0", "no address in From or Sender");
	return (struct reply){ 0 };
}

struct reply submit_header(struct smtp *s, struct str header, struct str id, struct buf *add)
{
	struct seen seen = look(header);
	struct date now = { .utc = clock_wall() };
	struct reply r = { 0 };
	unsigned count = 0;

	if (seen.from > 1 || seen.sender > 1)
		return reply(554, "5.6.0", "more than one From or Sender field");
	if (seen.from)
		r = authors(s, seen.from_body, &count);
	if (!r.code && seen.sender)
		r = authors(s, seen.sender_body, &count);
	if (r.code)
		return r;
	if (!seen.date)
		buf_fmt(add, "Date: %.*s\r\n", FMT(date_rfc5322(s->tx, now)));
	if (!seen.from)
		buf_fmt(add, "From: <%.*s>\r\n", FMT(path_text(s->tx, s->mail.from)));
	if (!seen.message_id)
		buf_fmt(add, "Message-ID: <%.*s@%.*s>\r\n", FMT(id), FMT(s->conf->hostname));
	if (!seen.any && header.n && !str_starts(header, S("\r\n")))
		buf_put(add, S("\r\n"));
	return r;
}
