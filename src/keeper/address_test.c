/* SPDX-License-Identifier: ISC */
/* Table tests of the directory's form of addresses. */
#include "check.h"
#include "keeper/address.h"

#define EIGHT "aaaaaaaa"
#define LONG                                                                                      \
	EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT \
		EIGHT

static const struct {
	const char *in, *out; /* out NULL: refused */
	bool catch_all;
} rows[] = {
	{ "demo1@example.test", "demo1@example.test", false },
	{ "Demo1@EXAMPLE.Test", "demo1@example.test", false },
	{ "a.b+c@example.test", "a.b+c@example.test", false },
	{ "x/y@example.test", "x/y@example.test", false },
	{ "\"with space\"@example.test", "\"with space\"@example.test", false },
	/* u + combining diaeresis and the umlaut itself are one name: RFC 6532 3.1 */
	{ "mu\xcc\x88ller@example.test", "m\xc3\xbcller@example.test", false },
	{ "m\xc3\xbcller@example.test", "m\xc3\xbcller@example.test", false },
	/* T with a diaeresis is two characters, t with one is one. */
	{ "T\xcc\x88@example.test", "\xe1\xba\x97@example.test", false },
	{ "a@m\xc3\xbcller.test", "a@xn--mller-kva.test", false },
	{ "a@XN--MLLER-KVA.test", "a@xn--mller-kva.test", false },
	{ "*@example.test", "*@example.test", true },
	{ "*@example.test", NULL, false },
	{ "", NULL, true },
	{ "example.test", NULL, true },
	{ "@example.test", NULL, true },
	{ "a@", NULL, true },
	{ "a@b@c", NULL, true },
	{ "a b@example.test", NULL, true },
	{ "a@[192.0.2.1]", NULL, true },
	{ "a@exa/mple.test", NULL, true },
	{ "a\xff@example.test", NULL, true },
	{ "a\x01@example.test", NULL, true },
	{ "a@example..test", NULL, true },
	{ LONG "a@example.test", NULL, true },
};

int main(void)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct name n;
		enum err e = name_parse(a, str_of(rows[i].in), rows[i].catch_all, &n);

		if (!CHECK_NUM(e, rows[i].out ? OK : E_SYNTAX))
			fprintf(stderr, "  for %s\n", rows[i].in);
		if (!e && rows[i].out)
			CHECK_STR(name_text(a, n), rows[i].out);
		arena_free(&a);
	}
	return check_done();
}
