/* SPDX-License-Identifier: ISC */
/*
 * Header fields, encoded words, parameters, message ids, charsets and transfer encodings.
 */
#include "base/encode.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void params(const struct param *p)
{
	for (; p; p = p->next)
		BUG_IF(!p->name.n || !p->raw.p || !p->value.p);
}

static void one(struct arena *a, struct field f)
{
	struct content c;
	struct str decoded = header_decode(a, f.body);
	size_t n;
	struct str *ids = header_msgids(a, f.body, 100, &n);

	BUG_IF(utf8_ok(f.body) && !utf8_ok(decoded));
	for (size_t i = 0; i < n; i++)
		BUG_IF(!ids[i].n || str_has(ids[i], ' ') || str_has(ids[i], '>'));
	if (content_type_parse(a, f.body, &c)) {
		BUG_IF(!c.type.n || !c.subtype.n);
		params(c.params);
	}
	if (content_disposition_parse(a, f.body, &c))
		params(c.params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { "utf-8",   "latin1", "utf-7", "iso-2022-jp",
						"gb18030", "utf-16", "big5",  "nonsense" };
	struct str text = STR((const char *)data, size), rest = text, out;
	struct arena *a = arena_new(2048 * size + 64 * 1024 * 1024);
	struct field f, first;

	while (field_next(&rest, &f)) {
		BUG_IF(!f.name.n || f.whole.n < f.name.n + f.body.n + 1);
		one(a, f);
		BUG_IF(!field_find(text, str_c(a, f.name), &first) && !str_has(f.name, '\0'));
	}
	for (size_t i = 0; size && i < LENGTH(charsets); i++) {
		size_t max = 1 + data[0];

		if (text_to_utf8(a, str_of(charsets[i]), text, max, &out) == OK)
			BUG_IF(out.n > max || !utf8_ok(out));
		if (text_to_utf8(a, str_of(charsets[i]), text, 8 * size, &out) == OK)
			BUG_IF(!utf8_ok(out));
	}
	BUG_IF(cte_decode(a, S("base64"), text, size / 2).n > size / 2);
	BUG_IF(cte_decode(a, S("quoted-printable"), text, size).n > size);
	for (size_t i = 0; size && i < 3; i++) {
		static const char *const encodings[] = { "base64", "quoted-printable", "8bit" };
		size_t whole = cte_whole(str_of(encodings[i]), text);

		BUG_IF(whole == 0 || whole > size);
	}
	arena_free(&a);
	return 0;
}
