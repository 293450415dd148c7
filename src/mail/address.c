/* SPDX-License-Identifier: ISC */
#include "mail/address.h"
#include "mail/lex.h"

/*
 * Address lists of header fields, read as RFC 5322 3.4 and 4.4 write them and as people do: what
 * does not fit is skipped up to the next comma.
 *
 * All texts of a list are written to one run of octets. Each octet of it comes from another one
 * of the field (a blank between words, at most, from a blank or a quote), so the field's length
 * and one is room enough.
 */
struct reader {
	struct scan in;
	struct arena *a;
	char *out;
	size_t n;
	struct address *first, **link;
	size_t count;
	bool in_group;
	struct str comment; /* the last one: "user@host (Name)", RFC 5322 3.4 */
};

/* atext as people write it: dots and octets above 127 too. */
static bool word_char(char c)
{
	return (unsigned char)c > ' ' && c != 127 && !strchr("()<>[]:;@\\,\"", c);
}

static void blanks(struct reader *r)
{
	for (;;) {
		scan_span(&r->in, lex_white);
		if (!scan_at(&r->in, '('))
			return;
		r->comment = lex_comment(&r->in);
	}
}

static void entry(struct reader *r, struct address made)
{
	struct address *e = ARENA_NEW(r->a, struct address);

	*e = made;
	*r->link = e;
	r->link = &e->next;
	r->count++;
}

/* What was written since `from`. */
static struct str text(const struct reader *r, size_t from)
{
	return STR(r->out + from, r->n - from);
}

static void put(struct reader *r, struct str s)
{
	if (s.n)
		memcpy(r->out + r->n, s.p, s.n);
	r->n += s.n;
}

/*
 * Words up to what ends them: a phrase, or a local part. Blanks and comments between them become
 * one blank. `quoted`: there was a quoted string.
 */
static struct str words(struct reader *r, bool *quoted)
{
	size_t from = r->n;
	bool gap = false;

	*quoted = false;
	blanks(r);
	for (;;) {
		struct str word = scan_span(&r->in, word_char);

		if (gap && (word.n || scan_at(&r->in, '"')))
			put(r, S(" "));
		put(r, word);
		if (!word.n && scan_at(&r->in, '"')) {
			*quoted = true;
			r->n += lex_quoted(&r->in, r->out + r->n);
		} else if (!word.n) {
			break;
		}
		size_t left = r->in.rest.n;

		blanks(r);
		gap = r->in.rest.n < left;
	}
	return text(r, from);
}

/* Blanks around the dots of a local part do not count: obs-local-part, RFC 5322 4.4. */
static struct str compact(struct reader *r, struct str local)
{
	size_t from = (size_t)(local.p - r->out);

	r->n = from;
	for (size_t i = 0; i < local.n; i++) {
		bool blank = local.p[i] == ' ';
		bool dot_before = r->n > from && r->out[r->n - 1] == '.';
		bool dot_behind = i + 1 < local.n && local.p[i + 1] == '.';

		if (!blank || (!dot_before && !dot_behind))
			r->out[r->n++] = local.p[i];
	}
	return text(r, from);
}

static struct str local_part(struct reader *r)
{
	bool quoted;
	struct str local = words(r, &quoted);

	return quoted ? local : compact(r, local);
}

/* What is behind "@": a name, or a literal in brackets. */
static struct str domain(struct reader *r)
{
	size_t from = r->n;

	blanks(r);
	if (scan_at(&r->in, '[')) {
		size_t n = str_find(r->in.rest, ']');

		put(r, scan_take(&r->in, n < r->in.rest.n ? n + 1 : n));
	}
	for (;;) {
		put(r, scan_span(&r->in, word_char));
		blanks(r);
		bool dot = r->n > from && r->out[r->n - 1] == '.';

		if (!scan_at(&r->in, '.') &&
		    !(dot && scan_more(&r->in) && word_char(*r->in.rest.p)))
			return text(r, from);
	}
}

/* obs-route: RFC 5322 4.4. "@a,@b:" */
static struct str route(struct reader *r)
{
	size_t from = r->n, end = 0;

	if (!scan_at(&r->in, '@'))
		return S_NONE;
	while (end < r->in.rest.n && !strchr(":<>", r->in.rest.p[end]))
		end++;
	if (end == r->in.rest.n || r->in.rest.p[end] != ':')
		return S_NONE;
	struct str raw = scan_take(&r->in, end);

	scan_lit(&r->in, ":");
	for (size_t i = 0; i < raw.n; i++)
		if (!lex_white(raw.p[i]))
			r->out[r->n++] = raw.p[i];
	return text(r, from);
}

/* The display name; without one, the comment that old programs write. */
static struct str name_of(struct reader *r, struct str name)
{
	if (name.n)
		return name;
	size_t from = r->n;
	struct scan in = scan(str_trim(r->comment));

	while (scan_more(&in)) {
		char c = scan_char(&in);

		if (c == '\\' && scan_more(&in))
			c = scan_char(&in);
		if (c != '\r' && c != '\n')
			r->out[r->n++] = c;
	}
	return r->n > from ? text(r, from) : S_NONE;
}

/* "<" [route] addr-spec ">" */
static void angle(struct reader *r, struct str name)
{
	struct address made = { .domain = S("") };

	scan_lit(&r->in, "<");
	blanks(r);
	made.route = route(r);
	made.mailbox = local_part(r);
	if (scan_opt(&r->in, "@"))
		made.domain = domain(r);
	blanks(r);
	scan_opt(&r->in, ">");
	blanks(r);
	made.name = name_of(r, name);
	entry(r, made);
}

/* Whether "<" comes before what ends this element. */
static bool angle_ahead(const struct reader *r, size_t *n)
{
	for (*n = 0; *n < r->in.rest.n; ++*n) {
		char c = r->in.rest.p[*n];

		if (c == ',' || c == ';' || c == '<')
			return c == '<';
	}
	return false;
}

/* "name:". Groups do not nest: an inner name is left out. */
static bool group_start(struct reader *r)
{
	struct reader ahead = *r;
	bool quoted;
	struct str name = words(&ahead, &quoted);

	if (!scan_opt(&ahead.in, ":"))
		return false;
	*r = ahead;
	if (!r->in_group)
		entry(r, (struct address){ .mailbox = name });
	r->in_group = true;
	return true;
}

static void element(struct reader *r)
{
	struct scan start = r->in;
	size_t from = r->n, more;
	bool quoted;
	struct str phrase = words(r, &quoted);
	struct address made = { .domain = S("") };

	if (scan_at(&r->in, '<')) {
		angle(r, phrase);
		return;
	}
	made.mailbox = quoted ? phrase : compact(r, phrase);
	bool at = scan_opt(&r->in, "@");

	if (at)
		made.domain = domain(r);
	/* "user@example.test <user@example.test>": the address stands for the name. */
	if (angle_ahead(r, &more)) {
		scan_take(&r->in, more);
		r->n = from;
		put(r, str_trim(str_part(start.rest, 0, start.rest.n - r->in.rest.n)));
		angle(r, text(r, from));
		return;
	}
	if (!at && !phrase.n)
		return;
	made.name = name_of(r, S_NONE);
	entry(r, made);
}

/* What is left of an element that was not understood to its end. */
static void skip(struct reader *r)
{
	while (scan_more(&r->in) && !scan_at(&r->in, ',') && !scan_at(&r->in, ';')) {
		if (scan_at(&r->in, '"'))
			lex_quoted(&r->in, r->out + r->n);
		else if (scan_at(&r->in, '('))
			lex_comment(&r->in);
		else
			scan_char(&r->in);
	}
}

struct address *address_list(struct arena *a, struct str field)
{
	struct reader r = { .in = scan(field), .a = a };

	r.link = &r.first;
	if (str_trim(field).n)
		r.out = arena_alloc(a, field.n + 1);
	while (scan_more(&r.in) && r.count < ADDRESSES_MAX) {
		blanks(&r);
		if (scan_opt(&r.in, ",") || !scan_more(&r.in))
			continue;
		if (scan_opt(&r.in, ";")) {
			if (r.in_group)
				entry(&r, (struct address){ 0 });
			r.in_group = false;
			continue;
		}
		if (!group_start(&r)) {
			element(&r);
			skip(&r);
		}
		r.comment = S_NONE;
	}
	if (r.in_group)
		entry(&r, (struct address){ 0 });
	return r.first;
}
