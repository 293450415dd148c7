/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "keeper/srs.h"

static const uint8_t key[SRS_KEY] = "a key of thirty-two octets, here";
static const uint8_t other[SRS_KEY] = "another key of thirty-two octets";
static struct arena *a;

static struct path path_of(const char *text)
{
	struct path p = { 0 };

	CHECK_NUM(path_parse(a, str_of(text), &p), OK);
	return p;
}

static void there_and_back(void)
{
	static const struct {
		const char *sender, *back; /* NULL: does not fit */
	} table[] = {
		{ "joe@far.test", "joe@far.test" },
		{ "Joe.Doe@FAR.test", "Joe.Doe@far.test" },
		{ "a=b+c@far.test", "a=b+c@far.test" },
		{ "SRS0=abcd=xy=else.test=joe@far.test", "SRS0=abcd=xy=else.test=joe@far.test" },
		{ "j@f\xc3\xa4r.test", "j@xn--fr-via.test" },
		{ "12345678901234567890123456789012345678@far.test",
		  "12345678901234567890123456789012345678@far.test" },
		{ "123456789012345678901234567890123456789@far.test", NULL },
		{ "\"joe doe\"@far.test", NULL },
		{ "\"joe@doe\"@far.test", NULL },
		{ "j\xc3\xb6@far.test", NULL },
		{ "joe@[192.0.2.1]", NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str local = S("");
		struct srs s;
		enum err e = srs_encode(a, key, 20000, path_of(table[i].sender), &local);

		if (!CHECK_NUM(e, table[i].back ? OK : E_LIMIT))
			fprintf(stderr, "  for %s\n", table[i].sender);
		if (e)
			continue;
		CHECK(srs_is(local) && local.n <= SRS_LOCAL_MAX);
		CHECK_NUM(srs_parse(a, key, 20000, local, &s), OK);
		CHECK_STR(path_text(a, s.sender), table[i].back);
		CHECK_NUM(s.day, 20000);
		CHECK_NUM(srs_parse(a, key, 20000, str_lower(a, local), &s), OK);
		CHECK_NUM(srs_parse(a, other, 20000, local, &s), E_NOTFOUND);
	}
}

/* Every letter that is changed, and all that is cut. */
static void forged(void)
{
	struct str local;
	struct srs s;

	CHECK_NUM(srs_encode(a, key, 20000, path_of("joe@far.test"), &local), OK);
	CHECK(str_starts(local, S("SRS0=")));
	for (size_t i = 5; i < local.n; i++) {
		struct str bad = str_dup(a, local);

		((char *)(uintptr_t)bad.p)[i] = local.p[i] == 'q' ? 'r' : 'q';
		CHECK_NUM(srs_parse(a, key, 20000, bad, &s), E_NOTFOUND);
		CHECK_NUM(srs_parse(a, key, 20000, str_part(local, 0, i), &s), E_NOTFOUND);
	}
	CHECK_NUM(srs_parse(a, key, 20000, S("SRS0=========================="), &s), E_NOTFOUND);
	CHECK_NUM(srs_parse(a, key, 20000, S("joe"), &s), E_NOTFOUND);
	CHECK_NUM(srs_parse(a, key, 20000, S(""), &s), E_NOTFOUND);
	CHECK(!srs_is(S("srs1=x")) && srs_is(S("srs0=x")));
}

static void aged(void)
{
	static const int64_t days[] = { 20000, 20479, 20480, 20481, 1023, 1024 };
	struct str local;
	struct srs s;

	for (size_t i = 0; i < LENGTH(days); i++) {
		int64_t d = days[i];

		CHECK_NUM(srs_encode(a, key, d, path_of("joe@far.test"), &local), OK);
		CHECK_NUM(srs_parse(a, key, d - 1, local, &s), OK);
		CHECK_NUM(s.day, d);
		CHECK_NUM(srs_parse(a, key, d + SRS_DAYS, local, &s), OK);
		CHECK_NUM(s.day, d);
		CHECK_NUM(srs_parse(a, key, d + SRS_DAYS + 1, local, &s), E_NOTFOUND);
		CHECK_NUM(srs_parse(a, key, d - 2, local, &s), E_NOTFOUND);
	}
}

static void kept(void)
{
	struct path p = path_of("\"joe doe\"@far.test");
	struct str id = srs_id(a, key, 20000, p), local = srs_kept(a, key, 20000, id);
	struct srs s;

	CHECK_NUM(id.n, SRS_ID);
	CHECK(str_eq(id, srs_id(a, key, 20000, p)));
	CHECK(!str_eq(id, srs_id(a, key, 20001, p)));
	CHECK(!str_eq(id, srs_id(a, other, 20000, p)));
	CHECK_NUM(local.n, 5 + 8 + 1 + 2 + 2 + SRS_ID);
	CHECK_NUM(srs_parse(a, key, 20003, local, &s), OK);
	CHECK_STR(s.id, str_c(a, id));
	CHECK(s.day == 20000 && !s.sender.domain.n);
}

int main(void)
{
	a = arena_new(4 << 20);
	there_and_back();
	forged();
	aged();
	kept();
	arena_free(&a);
	return check_done();
}
