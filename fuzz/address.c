/* SPDX-License-Identifier: ISC */
/*
 * Addresses: lists of header fields, envelope paths (what was read, written and read again is
 * the same), domain names.
 */
#include "base/encode.h"
#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void list(struct arena *a, struct str text)
{
	size_t n = 0, octets = 0;
	bool group = false;

	for (struct address *at = address_list(a, text); at; at = at->next) {
		if (!at->domain.p) {
			BUG_IF((at->mailbox.p != NULL) == group);
			group = !group;
		}
		octets += at->name.n + at->route.n + at->mailbox.n + at->domain.n;
		n++;
	}
	BUG_IF(group || n > ADDRESSES_MAX + 1 || octets > text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR((const char *)data, size), ascii;
	struct arena *a = arena_new(256 * size + 1024 * 1024);
	struct path p, again;

	list(a, text);
	for (int null = 0; null < 2; null++) {
		struct scan in = scan(text);

		p = path_scan(&in, a, null);
		BUG_IF(in.bad && (p.local.n || p.domain.n));
	}
	if (path_parse(a, text, &p) == OK) {
		BUG_IF(!utf8_ok(text) || p.local.n > PATH_LOCAL_MAX);
		BUG_IF(path_parse(a, path_text(a, p), &again));
		BUG_IF(!str_eq(p.local, again.local) || !str_eq(p.domain, again.domain));
		BUG_IF(p.utf8 != again.utf8);
	}
	if (domain_ascii(a, text, &ascii) == OK) {
		struct str twice;

		BUG_IF(!str_ascii(ascii) || !ascii.n);
		BUG_IF(domain_ascii(a, ascii, &twice) || !str_eq(ascii, twice));
	}
	arena_free(&a);
	return 0;
}
