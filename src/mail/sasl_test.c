/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "base/encode.h"
#include "mail/sasl.h"

static struct str filled(struct arena *a, size_t n)
{
	char *p = arena_alloc(a, n);

	memset(p, 'x', n);
	return STR(p, n);
}

static void plain(void)
{
	static const struct {
		struct str message;
		const char *user, *password; /* NULL: refused */
	} table[] = {
		{ S("\0alice\0secret"), "alice", "secret" },
		{ S("alice\0alice\0secret"), "alice", "secret" },
		{ S("Alice\0alice\0secret"), "alice", "secret" },
		{ S("\0alice@example.test\0pass word!"), "alice@example.test", "pass word!" },
		{ S("\0\xc3\xbcser\0p\xc3\xa4ss"), "\xc3\xbcser", "p\xc3\xa4ss" },
		{ S("bob\0alice\0secret"), NULL, NULL }, /* for somebody else */
		{ S("\0\0secret"), NULL, NULL },
		{ S("\0alice\0"), NULL, NULL },
		{ S("\0alice"), NULL, NULL },
		{ S("alice"), NULL, NULL },
		{ S(""), NULL, NULL },
		{ S("\0\0"), NULL, NULL },
		{ S("\0alice\0sec\0ret"), NULL, NULL },
		{ S("\0al\xffice\0secret"), NULL, NULL },
		{ S("\0alice\0sec\xc3"), NULL, NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str user = S_NONE, password = S_NONE;
		bool ok = sasl_plain_parse(table[i].message, &user, &password);

		CHECK(ok == (table[i].user != NULL));
		if (ok && table[i].user) {
			CHECK_STR(user, table[i].user);
			CHECK_STR(password, table[i].password);
		}
	}
}

static void bounds(struct arena *a)
{
	static const struct {
		size_t user, password;
		bool ok;
	} table[] = {
		{ SASL_USER_MAX, SASL_PASSWORD_MAX, true },
		{ SASL_USER_MAX + 1, 1, false },
		{ 1, SASL_PASSWORD_MAX + 1, false },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str u = filled(a, table[i].user), p = filled(a, table[i].password);
		struct str m = str_fmt(a, "%c%.*s%c%.*s", 0, FMT(u), 0, FMT(p));
		struct str user, password;
		struct sasl x;

		CHECK(sasl_plain_parse(m, &user, &password) == table[i].ok);
		CHECK(sasl_start(&x, S("plain")));
		CHECK((sasl_step(&x, a, base64_encode(a, m)) == SASL_DONE) == table[i].ok);
	}
	struct sasl x;
	CHECK(sasl_start(&x, S("PLAIN")));
	CHECK(sasl_step(&x, a, filled(a, SASL_LINE_MAX + 4)) == SASL_BAD);
}

static void exchange(struct arena *a)
{
	struct sasl x;

	CHECK(!sasl_start(&x, S("CRAM-MD5")));
	CHECK(!sasl_start(&x, S("")));
	CHECK(sasl_start(&x, S("Plain")));
	CHECK_STR(str_of(sasl_prompt(&x)), "");
	CHECK(sasl_step(&x, a, S("AGFsaWNlAHNlY3JldA==")) == SASL_DONE);
	CHECK_STR(x.user, "alice");
	CHECK_STR(x.password, "secret");

	CHECK(sasl_start(&x, S("PLAIN")));
	CHECK(sasl_step(&x, a, S("=")) == SASL_BAD);
	CHECK(sasl_start(&x, S("PLAIN")));
	CHECK(sasl_step(&x, a, S("")) == SASL_BAD);
	CHECK(sasl_start(&x, S("PLAIN")));
	CHECK(sasl_step(&x, a, S("not base64!")) == SASL_BAD);

	CHECK(sasl_start(&x, S("login")));
	CHECK_STR(str_of(sasl_prompt(&x)), "VXNlcm5hbWU6");
	CHECK(sasl_step(&x, a, S("YWxpY2U=")) == SASL_MORE);
	CHECK_STR(str_of(sasl_prompt(&x)), "UGFzc3dvcmQ6");
	CHECK(sasl_step(&x, a, S("c2VjcmV0")) == SASL_DONE);
	CHECK_STR(x.user, "alice");
	CHECK_STR(x.password, "secret");

	CHECK(sasl_start(&x, S("LOGIN")));
	CHECK(sasl_step(&x, a, S("")) == SASL_BAD);
	CHECK(sasl_start(&x, S("LOGIN")));
	CHECK(sasl_step(&x, a, S("YWxpY2U=")) == SASL_MORE);
	CHECK(sasl_step(&x, a, S("AHg=")) == SASL_BAD); /* a NUL in the password */
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	plain();
	bounds(a);
	exchange(a);
	arena_free(&a);
	return check_done();
}
