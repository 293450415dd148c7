/* SPDX-License-Identifier: ISC */
/* web/parse.c - SCGI heads, forms, cookies, languages. */
#include "web/parse.h"

#include "base/encode.h"

/* --- SCGI --- */

static const struct {
	const char *name;
	size_t offset;
} variables[] = {
	{ "REQUEST_METHOD", offsetof(struct scgi, method) },
	{ "REQUEST_URI", offsetof(struct scgi, uri) },
	{ "CONTENT_TYPE", offsetof(struct scgi, type) },
	{ "REMOTE_ADDR", offsetof(struct scgi, address) },
	{ "HTTP_HOST", offsetof(struct scgi, host) },
	{ "HTTP_COOKIE", offsetof(struct scgi, cookie) },
	{ "HTTP_ACCEPT_LANGUAGE", offsetof(struct scgi, languages) },
	{ "HTTP_SEC_FETCH_SITE", offsetof(struct scgi, fetch_site) },
	{ "HTTP_USER_AGENT", offsetof(struct scgi, agent) },
};

static void keep(struct scgi *out, struct str name, struct str value)
{
	for (size_t i = 0; i < LENGTH(variables); i++)
		if (str_is(name, variables[i].name))
			*(struct str *)(void *)((char *)out + variables[i].offset) = value;
}

static bool seen_before(const struct str *seen, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(seen[i], name))
			return true;
	return false;
}

/* A field of the browser's that came twice, which some web servers hand on as it is. */
static bool from_browser(struct str name)
{
	return str_starts(name, S("HTTP_"));
}

bool scgi_parse(struct str head, struct scgi *out)
{
	struct str seen[SCGI_VARIABLES_MAX];
	struct scan in = scan(head);
	bool scgi = false;
	size_t n = 0;

	*out = (struct scgi){ 0 };
	for (; scan_more(&in); n++) {
		struct str name = scan_until(&in, '\0'), value = scan_until(&in, '\0');
		if (in.bad || !name.n || n == SCGI_VARIABLES_MAX)
			return false;
		bool again = seen_before(seen, n, name);
		if (again && !from_browser(name))
			return false;
		seen[n] = name;
		if (again)
			continue;
		if ((n == 0) != str_is(name, "CONTENT_LENGTH"))
			return false;
		struct scan number = scan(value);
		if (n == 0)
			out->length = scan_num(&number, INT64_MAX);
		if (n == 0 && !scan_end(&number))
			return false;
		scgi |= str_is(name, "SCGI") && str_is(value, "1");
		keep(out, name, value);
	}
	return n && scgi;
}

bool uri_split(struct str uri, struct str *path, struct str *query)
{
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] > '~')
			return false;
	size_t n = str_find(uri, '?');

	*path = str_part(uri, 0, n);
	*query = str_from(uri, n + 1);
	return str_starts(uri, S("/"));
}

/* UTF-8 without controls. */
static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
			return false;
	return utf8_ok(s);
}

/* --- forms --- */

static bool decode(struct arena *a, struct str text, struct str *out)
{
	char *p = arena_alloc(a, text.n + 1);
	struct scan in = scan(text);
	size_t n = 0;

	while (scan_more(&in)) {
		char c = scan_char(&in);
		if (c == '%')
			c = (char)scan_hex(&in, 2);
		else if (c == '+')
			c = ' ';
		p[n++] = c;
	}
	*out = STR(p, n);
	return !in.bad && n <= FIELD_MAX && is_text(*out);
}

bool form_parse(struct arena *a, struct str text, struct fields *out)
{
	out->n = 0;
	if (text.n > BODY_MAX)
		return false;
	while (text.n) {
		size_t end = str_find(text, '&'), equals;
		struct str pair = str_part(text, 0, end), value;
		struct field f;

		text = str_from(text, end + 1);
		equals = str_find(pair, '=');
		value = str_from(pair, equals + 1);
		if (!equals || out->n == FIELDS_MAX_FORM ||
		    !decode(a, str_part(pair, 0, equals), &f.name) || !decode(a, value, &f.value) ||
		    form_get(out, str_c(a, f.name)).p)
			return false;
		out->field[out->n++] = f;
	}
	return true;
}

struct str form_get(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_is(f->field[i].name, name))
			return f->field[i].value;
	return S_NONE;
}

bool form_has_only(const struct fields *f, const char *const *names)
{
	size_t n = 0;

	for (; names[n]; n++)
		if (!form_get(f, names[n]).p)
			return false;
	return n == f->n;
}

/* --- cookies and languages --- */

struct str cookie_get(struct str header, struct str name)
{
	while (header.n) {
		size_t end = str_find(header, ';'), equals;
		struct str pair = str_trim(str_part(header, 0, end));

		header = str_from(header, end + 1);
		equals = str_find(pair, '=');
		if (equals < pair.n && str_eq(str_part(pair, 0, equals), name))
			return str_from(pair, equals + 1);
	}
	return S_NONE;
}

/* ";q=0.8" in thousandths; 1000 without one, 0 where it makes no sense. */
static unsigned weight(struct str params)
{
	struct str p = str_trim(params);
	unsigned w = 0, unit = 1000;

	if (!p.n)
		return 1000;
	if (!str_istarts(p, S(";")))
		return 0;
	p = str_trim(str_from(p, 1));
	if (!str_istarts(p, S("q=")))
		return 0;
	for (size_t i = 2; i < p.n && unit; i++) {
		if (i == 3 && p.p[i] == '.')
			continue;
		if (!ascii_digit(p.p[i]))
			return 0;
		w += (unsigned)(p.p[i] - '0') * unit;
		unit /= 10;
	}
	return w > 1000 ? 0 : w;
}

enum lang lang_accept(struct str header)
{
	unsigned de = 0, en = 0, any = 0, other = 0;

	for (unsigned i = 0; header.n && i < 64; i++) {
		size_t end = str_find(header, ',');
		struct str range = str_trim(str_part(header, 0, end));
		size_t semi = str_find(range, ';');
		unsigned w = weight(str_from(range, semi));

		header = str_from(header, end + 1);
		struct str tag = str_trim(str_part(range, 0, semi));
		tag = str_part(tag, 0, str_find(tag, '-'));
		unsigned *which = str_iis(tag, "de")   ? &de
				  : str_iis(tag, "en") ? &en
				  : str_is(tag, "*")   ? &any
						       : &other;
		if (w > *which)
			*which = w;
	}
	if (!de && !en)
		return other && !any ? LANG_EN : LANG_DE;
	return de >= en ? LANG_DE : LANG_EN;
}

/* --- Autodiscover --- */

struct str xml_email(struct str body)
{
	while (body.n) {
		struct str tag, text;

		body = str_from(body, str_find(body, '<') + 1);
		size_t end = str_find(body, '>');
		tag = str_part(body, 0, end);
		tag = str_from(tag, str_has(tag, ':') ? str_find(tag, ':') + 1 : 0);
		if (!str_is(tag, "EMailAddress"))
			continue;
		body = str_from(body, end + 1);
		end = str_find(body, '<');
		text = str_trim(str_part(body, 0, end));
		bool closed = str_starts(str_from(body, end), S("</"));
		bool plain = is_text(text) && !str_has(text, '&');
		return closed && plain && text.n && text.n <= 320 ? text : S_NONE;
	}
	return S_NONE;
}
