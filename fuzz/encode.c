/* SPDX-License-Identifier: ISC */
/* Octets as text and back: what is taken comes back the same, and nothing else is taken. */
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_base64(struct arena *a, struct str in)
{
	struct str out;

	BUG_IF(!base64_decode(a, base64_encode(a, in), &out) || !str_eq(out, in));
	if (base64_decode(a, in, &out)) /* strict: one text for each run of octets */
		BUG_IF(!str_eq(base64_encode(a, out), in));
}

static void check_hex(struct arena *a, struct str in)
{
	struct str out;

	BUG_IF(!hex_decode(a, hex_encode(a, in), &out) || !str_eq(out, in));
}

static void check_utf7(struct arena *a, struct str in)
{
	struct str out;

	if (utf7_decode(a, in, &out)) /* canonical form only: RFC 3501 5.1.3 */
		BUG_IF(!utf8_ok(out) || !str_eq(utf7_encode(a, out), in));
	if (utf8_ok(in) && utf7_decode(a, utf7_encode(a, in), &out))
		BUG_IF(!str_eq(out, in));
}

static void check_spelling(struct arena *a, struct str in)
{
	struct str out = ascii_spell(a, in);

	BUG_IF(out.n > in.n);
	for (size_t i = 0; i < out.n; i++)
		BUG_IF(out.p[i] < ' ' || out.p[i] == 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct str in = STR((const char *)data, size);

	check_base64(a, in);
	check_hex(a, in);
	check_spelling(a, in);
	if (size)
		check_utf7(a, in);
	arena_free(&a);
	return 0;
}
