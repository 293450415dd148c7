/* SPDX-License-Identifier: ISC */
/* A message with a signature, and a key: header, empty line, body, NUL, key. Parsed, hashed and
 * verified; then signed (by nobody): what comes out is understood. */
#include "trust/dkim.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body_hash(struct str body, bool relaxed, uint64_t limit, size_t piece, uint8_t out[])
{
	struct dkim_body *b = dkim_body_new(relaxed, limit);

	for (; body.n; body = str_from(body, piece))
		dkim_body_add(b, str_part(body, 0, piece));
	(void)dkim_body_end(b, out);
	dkim_body_free(&b);
}

static void check(struct arena *a, struct str header, struct str body, struct str text)
{
	struct dkim_signature s;
	struct dkim_key k;
	uint8_t digest[DKIM_DIGEST], again[DKIM_DIGEST];
	struct field f;

	enum err e = dkim_key_parse(a, text, &k);
	if (!field_find(header, "DKIM-Signature", &f) || dkim_parse(a, f.body, &s))
		return;
	BUG_IF(!s.domain.n || !s.selector.n || !s.signature.n);
	body_hash(body, s.relaxed_body, s.limit, 4096, digest);
	body_hash(body, s.relaxed_body, s.limit, 3, again);
	BUG_IF(memcmp(digest, again, sizeof digest) != 0);
	if (!e)
		e = dkim_verify(&s, &k, header, f.whole, digest);
}

static void sign(struct arena *a, struct str header, struct str body)
{
	uint8_t bh[DKIM_DIGEST], digest[DKIM_DIGEST];
	struct dkim_signature s;

	body_hash(body, true, UINT64_MAX, 4096, bh);
	struct dkim_signing how = { DKIM_RSA, S("example.org"), S("s"), 1, header, bh };
	struct str field = dkim_field(a, &how, digest);
	if (!field.p)
		return;
	struct str whole = dkim_signed(a, field, S("signature"));
	BUG_IF(dkim_parse(a, str_from(whole, str_find(whole, ':') + 1), &s));
	BUG_IF(!str_is(s.domain, "example.org") || memcmp(s.body.p, bh, sizeof bh) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = STR((const char *)data, size);

	if (size > 65536)
		return 0;
	struct arena *a = arena_new(4 << 20);
	size_t end = str_find(all, '\0');
	struct str message = str_part(all, 0, end);
	size_t blank = str_find_str(message, S("\r\n\r\n"));
	struct str header = str_part(message, 0, blank + 2), body = str_from(message, blank + 4);

	check(a, header, body, str_from(all, end + 1));
	sign(a, header, body);
	arena_free(&a);
	return 0;
}
