/* SPDX-License-Identifier: ISC */
#include "mail/header.h"
#include "mail/lex.h"
#include "base/buf.h"
#include "base/encode.h"

/*
 * Parameters of Content-Type and Content-Disposition: RFC 2045 5.1, RFC 2183, RFC 2231.
 * Read leniently: a missing ";" or quote, blanks in a value that is not quoted.
 */
enum { PARAMS_MAX = 100, SECTION_MAX = 999, PARAM_TEXT_MAX = 64 * 1024 };

/* One parameter as written; the sections of RFC 2231 are joined afterwards. */
struct piece {
	struct str name; /* without "*0*" */
	struct str raw;
	unsigned section;
	bool numbered, extended, used;
};

/* Room for what a quoted string means: up to its end, not that of the whole field. */
static size_t quoted_length(struct str s)
{
	size_t n = 1;

	while (n < s.n && s.p[n] != '"')
		n += s.p[n] == '\\' ? 2 : 1;
	return n < s.n ? n : s.n;
}

/* A token, and whatever comes before the ";" where people forgot to quote. */
static struct str value(struct scan *in, struct arena *a)
{
	struct scan before = *in;

	if (scan_at(in, '"')) {
		char *out = arena_alloc(a, quoted_length(in->rest));

		return STR(out, lex_quoted(in, out));
	}
	struct str token = scan_span(in, lex_token);

	lex_cfws(in);
	if (!scan_more(in) || scan_at(in, ';'))
		return token;
	/* "text/plain; charset=utf-8 format=flowed": another parameter without its ";"? */
	struct scan ahead = *in;

	if (token.n && scan_span(&ahead, lex_token).n && scan_at(&ahead, '='))
		return token;
	size_t end = str_find(before.rest, ';');

	*in = before;
	return str_trim(scan_take(in, end));
}

/* "name*12*": RFC 2231 3, 4. */
static void sections(struct piece *p)
{
	size_t star = str_find(p->name, '*');
	struct scan in = scan(str_from(p->name, star));

	if (star == p->name.n || star == 0)
		return;
	scan_lit(&in, "*");
	p->numbered = scan_more(&in);
	p->extended = !p->numbered;
	if (p->numbered) {
		p->section = (unsigned)scan_num(&in, SECTION_MAX);
		p->extended = scan_opt(&in, "*");
	}
	if (scan_end(&in))
		p->name.n = star;
	else
		p->numbered = p->extended = false; /* then it is just a strange name */
}

static size_t pieces(struct arena *a, struct scan *in, struct piece *out)
{
	size_t n = 0;

	while (scan_more(in) && n < PARAMS_MAX) {
		struct piece p = { 0 };

		lex_cfws(in);
		p.name = scan_span(in, lex_token);
		lex_cfws(in);
		if (!p.name.n) {
			if (scan_more(in))
				scan_char(in); /* ";", or what no parameter begins with */
			continue;
		}
		if (!scan_opt(in, "="))
			continue;
		lex_cfws(in);
		p.raw = value(in, a);
		p.name = str_lower(a, p.name);
		sections(&p);
		out[n++] = p;
	}
	return n;
}

static struct str percent_decode(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n ? lex_hex(s.p[i + 1]) : -1;
		int low = i + 2 < s.n ? lex_hex(s.p[i + 2]) : -1;

		if (s.p[i] == '%' && high >= 0 && low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return STR(out, n);
}

/* charset'language'octets: RFC 2231 4. */
static struct str extended_value(struct arena *a, struct str raw)
{
	struct scan in = scan(raw);
	struct str charset = scan_until(&in, '\''), utf8;

	scan_until(&in, '\'');
	struct str octets = percent_decode(a, in.bad ? raw : in.rest);

	if (text_to_utf8(a, in.bad ? S("") : charset, octets, PARAM_TEXT_MAX, &utf8))
		utf8 = octets;
	return utf8;
}

/* Encoded words do not belong into parameters (RFC 2047 5), yet most programs put them there. */
static struct str plain_value(struct arena *a, struct str raw)
{
	struct str utf8;

	if (str_find_str(raw, S("=?")) < raw.n)
		return header_decode(a, raw);
	return text_to_utf8(a, S("UTF-8"), raw, PARAM_TEXT_MAX, &utf8) ? raw : utf8;
}

static struct piece *section_find(struct piece *p, size_t n, struct str name, unsigned number)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].numbered && !p[i].used && p[i].section == number &&
		    str_eq(p[i].name, name))
			return &p[i];
	return NULL;
}

/* Joins the sections 0, 1, 2, ... of one parameter: RFC 2231 3. */
static struct piece joined(struct arena *a, struct piece *p, size_t n, struct str name)
{
	struct piece whole = { .name = name }, *s = section_find(p, n, name, 0);
	struct buf raw = buf_new(PARAM_TEXT_MAX);

	whole.extended = s && s->extended;
	for (unsigned i = 0; s; s = section_find(p, n, name, ++i)) {
		s->used = true;
		/* A section without "*" has no escapes, the whole has: its "%" becomes one. */
		for (size_t k = 0; k < s->raw.n; k++)
			if (s->raw.p[k] == '%' && whole.extended && !s->extended)
				buf_put(&raw, S("%25"));
			else
				buf_c(&raw, s->raw.p[k]);
	}
	whole.raw = str_dup(a, buf_str(&raw));
	if (!whole.raw.p)
		whole.raw = S("");
	buf_free(&raw);
	return whole;
}

static struct param *params(struct arena *a, struct scan *in)
{
	struct piece p[PARAMS_MAX];
	size_t n = pieces(a, in, p);
	struct param *first = NULL, **link = &first;

	for (size_t i = 0; i < n; i++) {
		struct piece one = p[i];

		if (one.used || (one.numbered && !section_find(p, n, one.name, 0)))
			continue;
		if (one.numbered)
			one = joined(a, p, n, one.name);
		*link = ARENA_NEW(a, struct param);
		**link = (struct param){
			.name = one.name,
			.value =
				one.extended ? extended_value(a, one.raw) : plain_value(a, one.raw),
			.raw = one.raw,
			.extended = one.extended,
		};
		link = &(*link)->next;
	}
	return first;
}

bool content_type_parse(struct arena *a, struct str body, struct content *out)
{
	struct scan in = scan(body);

	*out = (struct content){ 0 };
	lex_cfws(&in);
	struct str type = scan_span(&in, lex_token);

	lex_cfws(&in);
	scan_lit(&in, "/");
	lex_cfws(&in);
	struct str subtype = scan_span(&in, lex_token);

	if (in.bad || !type.n || !subtype.n || !str_ascii(type) || !str_ascii(subtype))
		return false;
	out->type = str_lower(a, type);
	out->subtype = str_lower(a, subtype);
	out->params = params(a, &in);
	return true;
}

bool content_disposition_parse(struct arena *a, struct str body, struct content *out)
{
	struct scan in = scan(body);

	*out = (struct content){ 0 };
	lex_cfws(&in);
	struct str type = scan_span(&in, lex_token);

	if (!type.n || !str_ascii(type))
		return false;
	out->type = str_lower(a, type);
	out->params = params(a, &in);
	return true;
}

struct str param_get(const struct param *p, const char *name)
{
	struct str plain = S_NONE;

	/* The extended one knows its charset: it is preferred to the other. */
	for (; p; p = p->next) {
		if (!str_is(p->name, name))
			continue;
		if (p->extended)
			return p->value;
		if (!plain.p)
			plain = p->value;
	}
	return plain;
}
