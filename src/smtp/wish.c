/* SPDX-License-Identifier: ISC */
#include "smtp/wish.h"

#include "mail/header.h"

static const char ours[] = "X-Tecsmail-Send";
enum { WORD_MAX = 32 };

static struct str word_of(char octets[WORD_MAX], struct str body)
{
	struct str word = str_trim(body);

	if (word.n > WORD_MAX)
		return S("");
	for (size_t i = 0; i < word.n; i++)
		octets[i] = ascii_lower(word.p[i]);
	return STR(octets, word.n);
}

static bool begins_here(struct str header)
{
	struct str rest = header;
	struct field f;

	return field_next(&rest, &f) && f.whole.p == header.p;
}

struct wish wish_look(struct str header)
{
	struct wish w = { 0 };
	struct str rest = header;
	struct field f;

	if (!begins_here(header))
		return w;
	while (field_next(&rest, &f)) {
		char octets[WORD_MAX];
		struct str word = word_of(octets, f.body);
		enum guarantee least;

		if (str_iis(f.name, "TLS-Required"))
			w.tls_optional |= str_is(word, "no");
		if (!str_iis(f.name, ours))
			continue;
		if (!guarantee_of(word, &least))
			w.unknown = true;
		else if (least > w.least)
			w.least = least;
	}
	return w;
}

void wish_put(struct buf *out, struct str header)
{
	struct str rest = header, left = header;
	struct field f;

	if (begins_here(header)) {
		while (field_next(&rest, &f)) {
			if (!str_iis(f.name, ours))
				continue;
			buf_put(out, STR(left.p, (size_t)(f.whole.p - left.p)));
			left = rest;
		}
	}
	buf_put(out, left);
}
