/* SPDX-License-Identifier: ISC */
#include "mail/address.h"
#include "mail/mime_priv.h"

/*
 * ENVELOPE, BODY and BODYSTRUCTURE: RFC 3501 7.4.2, 9. Strings are quoted where they may be;
 * what has 8 bits or a line end is a literal, and NUL cannot be sent at all.
 */
static bool quotable(char c)
{
	return (unsigned char)c < 128 && c && c != '\r' && c != '\n';
}

static void string(struct buf *b, struct str s)
{
	struct scan in = scan(s);

	scan_span(&in, quotable);
	if (scan_end(&in)) {
		bool escapes = str_has(s, '"') || str_has(s, '\\');

		buf_c(b, '"');
		if (!escapes)
			buf_put(b, s);
		for (size_t i = 0; escapes && i < s.n; i++) {
			if (s.p[i] == '"' || s.p[i] == '\\')
				buf_c(b, '\\');
			buf_c(b, s.p[i]);
		}
		buf_c(b, '"');
		return;
	}
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] != '\0';
	buf_fmt(b, "{%zu}\r\n", n);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i])
			buf_c(b, s.p[i]);
}

static void nstring(struct buf *b, struct str s)
{
	if (s.p)
		string(b, s);
	else
		buf_put(b, S("NIL"));
}

/* --- ENVELOPE --- */

static void addresses(struct buf *b, struct str field)
{
	/* The list is not kept: an arena of its own, bounded by the field's octets. */
	struct arena *a = arena_new((field.n + ADDRESSES_MAX) * 256);
	struct address *list = address_list(a, field);

	if (!list)
		buf_put(b, S("NIL"));
	else
		buf_c(b, '(');
	for (struct address *at = list; at; at = at->next) {
		buf_c(b, '(');
		nstring(b, at->name);
		buf_c(b, ' ');
		nstring(b, at->route);
		buf_c(b, ' ');
		nstring(b, at->mailbox);
		buf_c(b, ' ');
		nstring(b, at->domain);
		buf_c(b, ')');
	}
	if (list)
		buf_c(b, ')');
	arena_free(&a);
}

void imap_envelope(struct buf *b, const struct envelope_fields *env)
{
	/* Absent or empty, they default to From: RFC 3501 7.4.2. */
	struct str sender = env->sender.n ? env->sender : env->from;
	struct str reply_to = env->reply_to.n ? env->reply_to : env->from;
	struct str lists[] = { env->from, sender, reply_to, env->to, env->cc, env->bcc };

	buf_c(b, '(');
	nstring(b, env->date);
	buf_c(b, ' ');
	nstring(b, env->subject);
	for (size_t i = 0; i < LENGTH(lists); i++) {
		buf_c(b, ' ');
		addresses(b, lists[i]);
	}
	buf_c(b, ' ');
	nstring(b, env->in_reply_to);
	buf_c(b, ' ');
	nstring(b, env->message_id);
	buf_c(b, ')');
}

/* --- BODY and BODYSTRUCTURE --- */

static void params(struct buf *b, const struct param *p)
{
	const char *before = "(";

	if (!p) {
		buf_put(b, S("NIL"));
		return;
	}
	for (; p; p = p->next) {
		buf_put(b, str_of(before));
		before = " ";
		if (p->extended) { /* RFC 2231 6: sections joined, still encoded */
			buf_c(b, '"');
			buf_put(b, p->name);
			buf_put(b, S("*\""));
		} else {
			string(b, p->name);
		}
		buf_c(b, ' ');
		string(b, p->raw);
	}
	buf_c(b, ')');
}

/* body-fld-dsp SP body-fld-lang SP body-fld-loc: RFC 3501 9. */
static void extension(struct buf *b, const struct mime_part *part)
{
	if (part->disposition.p) {
		buf_c(b, '(');
		string(b, part->disposition);
		buf_c(b, ' ');
		params(b, part->disposition_params);
		buf_c(b, ')');
	} else {
		buf_put(b, S("NIL"));
	}
	buf_c(b, ' ');
	struct scan tags = scan(part->language);
	bool any = false;

	/* Content-Language: a list of tags, RFC 3282 2. */
	while (scan_more(&tags)) {
		size_t n = str_find(tags.rest, ',');
		struct str tag = str_trim(scan_take(&tags, n));

		scan_opt(&tags, ",");
		if (!tag.n)
			continue;
		buf_c(b, any ? ' ' : '(');
		string(b, tag);
		any = true;
	}
	buf_put(b, any ? S(") ") : S("NIL "));
	nstring(b, part->location);
}

static void multipart(struct buf *b, const struct mime_part *part, bool extended)
{
	buf_c(b, '(');
	for (const struct mime_part *at = part->first; at; at = at->next)
		imap_body(b, at, extended);
	buf_c(b, ' ');
	string(b, part->subtype);
	if (extended) {
		buf_c(b, ' ');
		params(b, part->params);
		buf_c(b, ' ');
		extension(b, part);
	}
	buf_c(b, ')');
}

void imap_body(struct buf *b, const struct mime_part *part, bool extended)
{
	if (part->kind == MIME_MULTIPART) {
		multipart(b, part, extended);
		return;
	}
	buf_c(b, '(');
	string(b, part->type);
	buf_c(b, ' ');
	string(b, part->subtype);
	buf_c(b, ' ');
	params(b, part->params);
	buf_c(b, ' ');
	nstring(b, part->id);
	buf_c(b, ' ');
	nstring(b, part->description);
	buf_c(b, ' ');
	string(b, part->encoding);
	buf_fmt(b, " %llu", (unsigned long long)part->body_size);
	if (part->kind == MIME_MESSAGE) {
		buf_c(b, ' ');
		imap_envelope(b, part->first->env);
		buf_c(b, ' ');
		imap_body(b, part->first, extended);
	}
	if (part->kind == MIME_MESSAGE || str_is(part->type, "TEXT"))
		buf_fmt(b, " %u", part->body_lines);
	if (extended) {
		buf_c(b, ' ');
		nstring(b, part->md5);
		buf_c(b, ' ');
		extension(b, part);
	}
	buf_c(b, ')');
}
