/* SPDX-License-Identifier: ISC */
/*
 * What comes from browsers: whatever it is, what is taken out of it keeps its bounds, and a form
 * that is read, written in full escapes and read again is the same.
 */
#include "base/encode.h"
#include "web/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str part, struct str whole)
{
	BUG_IF(part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n));
}

static void put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_fmt(b, "%%%02x", (unsigned char)s.p[i]);
}

static void form(struct arena *a, struct str text)
{
	struct buf b = buf_new(8 * BODY_MAX);
	struct fields f, again;

	if (!form_parse(a, text, &f))
		return;
	for (size_t i = 0; i < f.n; i++) {
		struct str v = f.field[i].value;
		BUG_IF(v.n > FIELD_MAX || !utf8_ok(v) || str_has(v, '\0'));
		buf_put(&b, i ? S("&") : S(""));
		put_escaped(&b, f.field[i].name);
		buf_c(&b, '=');
		put_escaped(&b, v);
	}
	if (b.n <= BODY_MAX) {
		BUG_IF(!form_parse(a, buf_str(&b), &again) || again.n != f.n);
		for (size_t i = 0; i < f.n; i++)
			BUG_IF(!str_eq(f.field[i].value, again.field[i].value));
	}
	buf_free(&b);
}

static void escape(struct str text)
{
	struct buf b = buf_new(6 * text.n + 1);

	html_escape(&b, text);
	BUG_IF(b.full);
	struct str out = buf_str(&b);
	BUG_IF(str_has(out, '<') || str_has(out, '>') || str_has(out, '"') || str_has(out, '\''));
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size), path, query;
	struct arena *a = arena_new(64 * size + 1024 * 1024);
	struct scgi head;

	if (scgi_parse(text, &head)) {
		inside(head.uri, text);
		inside(head.cookie, text);
		inside(head.address, text);
	}
	if (uri_split(text, &path, &query)) {
		BUG_IF(!path.n || path.n + query.n > text.n || !str_ascii(path));
		form(a, query);
	}
	form(a, text);
	inside(cookie_get(text, S("lang")), text);
	inside(xml_email(text), text);
	BUG_IF(lang_accept(text) != LANG_DE && lang_accept(text) != LANG_EN);
	escape(text);
	arena_free(&a);
	return 0;
}
