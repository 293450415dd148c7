/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "smtp/wish.h"

static const struct {
	const char *in, *out; /* NULL: as it was */
	bool tls_optional;
	enum guarantee least;
	bool unknown;
} table[] = {
	{ "A: b\r\n\r\n", NULL, false, GUARANTEE_NONE, false },
	{ "", NULL, false, GUARANTEE_NONE, false },
	{ "TLS-Required: No\r\n\r\n", NULL, true, GUARANTEE_NONE, false },
	{ "A: b\r\ntls-required:\r\n no\r\n\r\n", NULL, true, GUARANTEE_NONE, false },
	{ "TLS-Required: Yes\r\n\r\n", NULL, false, GUARANTEE_NONE, false },
	{ "TLS-Required: No, never\r\n\r\n", NULL, false, GUARANTEE_NONE, false },
	{ "X-Tecsmail-Send: encrypted\r\nA: b\r\n\r\n", "A: b\r\n\r\n", false, GUARANTEE_ENCRYPTED,
	  false },
	{ "A: b\r\nx-tecsmail-send:\r\n Authenticated \r\nC: d\r\n\r\n", "A: b\r\nC: d\r\n\r\n",
	  false, GUARANTEE_AUTHENTICATED, false },
	{ "X-Tecsmail-Send: authenticated\r\nA: b\r\nX-Tecsmail-Send: encrypted\r\n\r\nx",
	  "A: b\r\n\r\nx", false, GUARANTEE_AUTHENTICATED, false },
	{ "X-Tecsmail-Send: none\r\nA: b\r\n", "A: b\r\n", false, GUARANTEE_NONE, false },
	{ "A: b\r\nX-Tecsmail-Send: encrypted", "A: b\r\n", false, GUARANTEE_ENCRYPTED, false },
	{ "X-Tecsmail-Send: sealed\r\n\r\n", "\r\n", false, GUARANTEE_NONE, true },
	{ "X-Tecsmail-Send:\r\n\r\n", "\r\n", false, GUARANTEE_NONE, true },
	{ "X-Tecsmail-Send: encrypted encrypted encrypted encrypted\r\n\r\n", "\r\n", false,
	  GUARANTEE_NONE, true },
	/* no header at all, so this is its body */
	{ "\r\nX-Tecsmail-Send: encrypted\r\n", NULL, false, GUARANTEE_NONE, false },
	{ "hello\r\nX-Tecsmail-Send: encrypted\r\n", NULL, false, GUARANTEE_NONE, false },
};

int main(void)
{
	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str in = str_of(table[i].in);
		struct wish w = wish_look(in);
		struct buf out = buf_new(1000);

		wish_put(&out, in);
		if (!CHECK(w.tls_optional == table[i].tls_optional && w.least == table[i].least &&
			   w.unknown == table[i].unknown))
			fprintf(stderr, "  for %s\n", table[i].in);
		CHECK_STR(buf_str(&out), table[i].out ? table[i].out : table[i].in);
		buf_free(&out);
	}
	return check_done();
}
