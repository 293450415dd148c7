/* SPDX-License-Identifier: ISC */
/* imap/fetch_parse.c - what FETCH may ask for: RFC 3501 6.4.5, 9 "fetch-att", "section". */
#include "imap/parse_priv.h"
#include "base/buf.h"
#include "mail/mime.h"

enum { LABEL_MAX = 64 * 1024 };

/* header-fld-name: what can stand before a colon, RFC 5322 2.2. */
static bool field_char(char c)
{
	return c > ' ' && c < 127 && c != ':';
}

static struct str field_name(struct scan *in, struct arena *a)
{
	struct str name = imap_astring(in, a);
	struct scan inside = scan(name);

	scan_span(&inside, field_char);
	if (name.n == 0 || !scan_end(&inside))
		scan_fail(in);
	return name;
}

/* header-list */
static void fields(struct scan *in, struct arena *a, struct imap_section *sec)
{
	struct str *f = ARENA_ARRAY(a, struct str, FETCH_FIELDS_MAX);

	sec->fields = f;
	scan_lit(in, " (");
	do {
		if (sec->nfields == FETCH_FIELDS_MAX) {
			scan_fail(in);
			return;
		}
		f[sec->nfields++] = field_name(in, a);
	} while (scan_opt(in, " "));
	scan_lit(in, ")");
}

/* section-msgtext, and MIME where there is a part before it */
static void section_text(struct scan *in, struct arena *a, struct imap_section *sec)
{
	if (scan_opt(in, "HEADER.FIELDS.NOT")) {
		sec->what = SEC_FIELDS_NOT;
		fields(in, a, sec);
	} else if (scan_opt(in, "HEADER.FIELDS")) {
		sec->what = SEC_FIELDS;
		fields(in, a, sec);
	} else if (scan_opt(in, "HEADER")) {
		sec->what = SEC_HEADER;
	} else if (scan_opt(in, "TEXT")) {
		sec->what = SEC_TEXT;
	} else if (sec->depth && scan_opt(in, "MIME")) {
		sec->what = SEC_MIME;
	} else {
		scan_fail(in);
	}
}

/* section-part; says whether a text must follow it */
static bool section_part(struct scan *in, struct arena *a, struct imap_section *sec)
{
	uint32_t *path = ARENA_ARRAY(a, uint32_t, MIME_DEPTH_MAX);

	sec->path = path;
	while (scan_more(in) && ascii_digit(*in->rest.p)) {
		uint32_t n = (uint32_t)scan_num(in, UINT32_MAX);

		if (n == 0 || sec->depth == MIME_DEPTH_MAX) {
			scan_fail(in);
			return false;
		}
		path[sec->depth++] = n;
		if (!scan_opt(in, "."))
			return false;
	}
	return true;
}

static void label_section(struct buf *b, const char *name, const struct imap_section *sec)
{
	static const char *const words[] = { "",     "HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT",
					     "TEXT", "MIME" };

	buf_fmt(b, "%s[", name);
	for (size_t i = 0; i < sec->depth; i++)
		buf_fmt(b, i ? ".%u" : "%u", sec->path[i]);
	if (sec->depth && sec->what != SEC_ALL)
		buf_c(b, '.');
	buf_put(b, str_of(words[sec->what]));
	for (size_t i = 0; i < sec->nfields; i++) {
		struct scan atom = scan(sec->fields[i]);

		scan_span(&atom, imap_atom_char);
		buf_put(b, i ? S(" ") : S(" ("));
		if (scan_end(&atom)) {
			buf_put(b, sec->fields[i]);
			continue;
		}
		buf_c(b, '"');
		for (size_t k = 0; k < sec->fields[i].n; k++) {
			if (str_has(S("\"\\"), sec->fields[i].p[k]))
				buf_c(b, '\\');
			buf_c(b, sec->fields[i].p[k]);
		}
		buf_c(b, '"');
	}
	if (sec->nfields)
		buf_c(b, ')');
	buf_c(b, ']');
	if (sec->partial)
		buf_fmt(b, "<%u>", sec->off);
}

/* section ["<" number "." nz-number ">"], from behind the "[" */
static void section(struct scan *in, struct arena *a, struct imap_item *item)
{
	struct imap_section *sec = &item->sec;
	bool text = section_part(in, a, sec);

	if (text && !(sec->depth == 0 && scan_at(in, ']')))
		section_text(in, a, sec);
	scan_lit(in, "]");
	if (scan_opt(in, "<")) {
		sec->partial = true;
		sec->off = (uint32_t)scan_num(in, UINT32_MAX);
		scan_lit(in, ".");
		sec->n = (uint32_t)scan_num(in, UINT32_MAX);
		scan_lit(in, ">");
		if (sec->n == 0)
			scan_fail(in);
	}
	bool binary = item->kind != ITEM_SECTION;

	if (binary && sec->what != SEC_ALL) /* section-binary: RFC 3516 7 */
		scan_fail(in);
	if (item->kind == ITEM_BINARY_SIZE && sec->partial)
		scan_fail(in);
	if (in->bad)
		return;
	struct buf b = buf_new(LABEL_MAX);

	label_section(&b,
		      !binary                     ? "BODY"
		      : item->kind == ITEM_BINARY ? "BINARY"
						  : "BINARY.SIZE",
		      sec);
	item->label = str_dup(a, buf_str(&b));
	if (b.full)
		scan_fail(in);
	buf_free(&b);
}

static const struct word {
	const char *name;
	int kind;
	int what;
	bool peek;
	bool open; /* a section follows */
} words[] = {
	/* one that begins like another comes before it */
	{ "FLAGS", ITEM_FLAGS },
	{ "UID", ITEM_UID },
	{ "INTERNALDATE", ITEM_INTERNALDATE },
	{ "ENVELOPE", ITEM_ENVELOPE },
	{ "BODYSTRUCTURE", ITEM_BODYSTRUCTURE },
	{ "BODY.PEEK[", ITEM_SECTION, SEC_ALL, true, true },
	{ "BODY[", ITEM_SECTION, SEC_ALL, false, true },
	{ "BODY", ITEM_BODY },
	{ "BINARY.PEEK[", ITEM_BINARY, SEC_ALL, true, true },
	{ "BINARY.SIZE[", ITEM_BINARY_SIZE, SEC_ALL, true, true },
	{ "BINARY[", ITEM_BINARY, SEC_ALL, false, true },
	{ "RFC822.SIZE", ITEM_SIZE },
	{ "RFC822.HEADER", ITEM_SECTION, SEC_HEADER, true },
	{ "RFC822.TEXT", ITEM_SECTION, SEC_TEXT },
	{ "RFC822", ITEM_SECTION, SEC_ALL },
};

static void add(struct imap_fetch *f, struct scan *in, struct imap_item item)
{
	if (f->n == FETCH_ITEMS_MAX) {
		scan_fail(in);
		return;
	}
	f->item[f->n++] = item;
	f->has_uid |= item.kind == ITEM_UID;
	f->has_flags |= item.kind == ITEM_FLAGS;
	f->marks |= item.kind >= ITEM_SECTION && !item.sec.peek;
	f->summary |= item.kind == ITEM_ENVELOPE || item.kind == ITEM_BODY ||
		      item.kind == ITEM_BODYSTRUCTURE;
	/* The whole message is found without its tree. */
	if (item.kind >= ITEM_SECTION && (item.sec.depth || item.sec.what != SEC_ALL))
		f->summary = true;
}

static void fetch_att(struct scan *in, struct arena *a, struct imap_fetch *f)
{
	for (size_t i = 0; i < LENGTH(words); i++) {
		const struct word *w = &words[i];

		if (!scan_opt(in, w->name))
			continue;
		struct imap_item item = { .kind = (unsigned)w->kind, .label = str_of(w->name) };

		item.sec.what = (unsigned)w->what;
		item.sec.peek = w->peek;
		if (w->open)
			section(in, a, &item);
		add(f, in, item);
		return;
	}
	scan_fail(in);
}

void imap_fetch_items(struct scan *in, struct arena *a, struct imap_fetch *out)
{
	static const char *const macros[][2] = {
		{ "ALL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" },
		{ "FAST", "FLAGS INTERNALDATE RFC822.SIZE" },
		{ "FULL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY" },
	};

	*out = (struct imap_fetch){ .item = ARENA_ARRAY(a, struct imap_item, FETCH_ITEMS_MAX) };
	for (size_t i = 0; i < LENGTH(macros); i++)
		if (scan_opt(in, macros[i][0])) {
			struct scan text = scan(str_of(macros[i][1]));

			do
				fetch_att(&text, a, out);
			while (scan_opt(&text, " "));
			return;
		}
	if (!scan_opt(in, "(")) {
		fetch_att(in, a, out);
		return;
	}
	do
		fetch_att(in, a, out);
	while (scan_opt(in, " "));
	scan_lit(in, ")");
}
