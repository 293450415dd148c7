/* SPDX-License-Identifier: ISC */
/* web/template.c - see template.h for the form. */
#include "web/template.h"

#include "web/files.h"

void html_escape(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&': buf_put(out, S("&amp;")); break;
		case '<': buf_put(out, S("&lt;")); break;
		case '>': buf_put(out, S("&gt;")); break;
		case '"': buf_put(out, S("&quot;")); break;
		case '\'': buf_put(out, S("&#39;")); break;
		default: buf_c(out, text.p[i]); break;
		}
	}
}

static const struct value *find(const struct values *v, struct str name)
{
	for (; v; v = v->outside)
		for (size_t i = 0; i < v->n; i++)
			if (str_is(name, v->item[i].name))
				return &v->item[i];
	return NULL;
}

/* Behind the opening mark: up to the mark that closes it, which is eaten. */
static struct str inside(struct str *text, struct str name)
{
	for (size_t i = 0; i < text->n; i++) {
		struct str at = str_from(*text, i);
		if (str_starts(at, S("{/")) && str_starts(str_from(at, 2), name) &&
		    str_starts(str_from(at, 2 + name.n), S("}"))) {
			struct str got = str_part(*text, 0, i);
			*text = str_from(at, name.n + 3);
			return got;
		}
	}
	BUG_IF(true);
	return S_NONE;
}

static void section(struct buf *out, char kind, struct str body, const struct value *value,
		    const struct values *v, enum lang lang)
{
	bool is_set = value->text.n || value->nrows;

	if (kind != '#') {
		if (is_set == (kind == '?'))
			template_render(out, body, v, lang);
		return;
	}
	for (size_t i = 0; i < value->nrows; i++) {
		struct values row = value->rows[i];
		row.outside = v;
		template_render(out, body, &row, lang);
	}
}

/* Behind a '{'. */
static void mark(struct buf *out, struct str *text, const struct values *v, enum lang lang)
{
	size_t end = str_find(*text, '}');
	struct str name = str_part(*text, 0, end);
	char kind = name.n && !ascii_alpha(name.p[0]) ? name.p[0] : 0;

	BUG_IF(end == text->n);
	name = str_from(name, kind ? 1 : 0);
	*text = str_from(*text, end + 1);
	const struct value *value = find(v, name);
	BUG_IF(!value);
	if (!kind)
		html_escape(out, value->text);
	else if (kind == '=')
		buf_put(out, value->text);
	else
		section(out, kind, inside(text, name), value, v, lang);
}

/* Behind "[[". */
static void languages(struct buf *out, struct str *text, const struct values *v, enum lang lang)
{
	size_t bars = str_find_str(*text, S("||")), end = str_find_str(*text, S("]]"));

	BUG_IF(bars >= end || end == text->n);
	template_render(out,
			lang == LANG_DE ? str_part(*text, 0, bars)
					: str_part(*text, bars + 2, end - bars - 2),
			v, lang);
	*text = str_from(*text, end + 2);
}

void template_render(struct buf *out, struct str text, const struct values *v, enum lang lang)
{
	while (text.n) {
		size_t n = 0;

		while (n < text.n && text.p[n] != '{' && !str_starts(str_from(text, n), S("[[")))
			n++;
		buf_put(out, str_part(text, 0, n));
		text = str_from(text, n);
		if (!text.n)
			break;
		if (text.p[0] == '{') {
			text = str_from(text, 1);
			mark(out, &text, v, lang);
		} else {
			text = str_from(text, 2);
			languages(out, &text, v, lang);
		}
	}
}

struct str page_file(const char *name)
{
	for (size_t i = 0; i < web_nfiles; i++)
		if (str_is(str_of(name), web_files[i].name))
			return STR(web_files[i].text, web_files[i].n);
	BUG_IF(true);
	return S_NONE;
}
