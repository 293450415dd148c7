/* SPDX-License-Identifier: ISC */
/* Table tests of the password rule and of every kind of hash. */
#include "check.h"
#include "keeper/password.h"

/* --- the rule --- */

static const struct {
	const char *password;
	enum password_fault fault;
	const char *which;
} rule[] = {
	{ "Right-1-Horse", PASSWORD_OK, "" },
	{ "aaaaaaaa", PASSWORD_OK, "" }, /* "should mix" is advice */
	{ "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", PASSWORD_OK, "" },
	{ "", PASSWORD_SHORT, "" },
	{ "1234567", PASSWORD_SHORT, "" },
	{ "12345678", PASSWORD_OK, "" },
	{ "pass word", PASSWORD_CHAR, " " },
	{ "pass\tword", PASSWORD_CHAR, "0x09" },
	{ "password\x7f", PASSWORD_CHAR, "0x7f" },
	{ "gr\xc3\xbc\xc3\x9f", PASSWORD_8BIT, "\xc3\xbc" }, /* told before the length */
	{ "passw\xc3\xb6rter", PASSWORD_8BIT, "\xc3\xb6" },
	{ "preis-100-\xe2\x82\xac", PASSWORD_8BIT, "\xe2\x82\xac" },
	{ "latin1-\xfc-text", PASSWORD_8BIT, "0xfc" },
};

static struct password_verdict judge(struct str password, unsigned min)
{
	return password_rule(password, &(struct password_policy){ .min = min });
}

static void test_rule(void)
{
	char text[200];

	for (size_t i = 0; i < LENGTH(rule); i++) {
		struct password_verdict v = judge(str_of(rule[i].password), 0);
		CHECK_NUM(v.fault, rule[i].fault);
		CHECK_STR(str_of(v.which), rule[i].which);
	}
	/* Each octet alone, among good ones. */
	for (unsigned c = 0; c < 256; c++) {
		snprintf(text, sizeof(text), "abc_12345");
		text[3] = (char)c;
		struct password_verdict v = judge(STR(text, 9), 0);
		CHECK_NUM(v.fault, c > ' ' && c < 127 ? PASSWORD_OK
				   : c < 128          ? PASSWORD_CHAR
						      : PASSWORD_8BIT);
	}
	memset(text, 'x', sizeof(text));
	CHECK_NUM(judge(STR(text, PASSWORD_MAX), 0).fault, PASSWORD_OK);
	CHECK_NUM(judge(STR(text, PASSWORD_MAX + 1), 0).fault, PASSWORD_LONG);
	CHECK_NUM(judge(STR(text, 11), 12).fault, PASSWORD_SHORT);
	CHECK_NUM(judge(STR(text, 12), 12).fault, PASSWORD_OK);
	CHECK_NUM(judge(STR(text, 8), 4).fault, PASSWORD_OK); /* 8 is the least */

	struct password_verdict v = judge(S("kurz"), 0);
	CHECK_STR(str_of(v.word), "too_short");
	CHECK_STR(str_of(v.de), "Das Passwort muss mindestens 8 Zeichen lang sein.");
	CHECK_STR(str_of(v.en), "The password must have at least 8 characters.");
	v = judge(S("gr\xc3\xbc\xc3\x9f"), 0);
	CHECK_STR(str_of(v.word), "umlaut");
	CHECK(str_find_str(str_of(v.de), S("„\xc3\xbc“")) < strlen(v.de));
	CHECK(str_ends(str_of(v.de), S("Schwierigkeiten.")));
	CHECK(str_ends(str_of(v.en), S("trouble in mail programs.")));
}

/* What the operator may want beyond the promise. */
static const struct {
	const char *password;
	unsigned classes;
	bool leaked;
	enum password_fault fault;
} wanted[] = {
	{ "allsmall", 1, false, PASSWORD_OK },      { "allsmall", 2, false, PASSWORD_CLASSES },
	{ "Somesmall", 2, false, PASSWORD_OK },     { "Somesmall", 3, false, PASSWORD_CLASSES },
	{ "Somesmall1", 3, false, PASSWORD_OK },    { "Somesmall1", 4, false, PASSWORD_CLASSES },
	{ "Some-small1", 4, false, PASSWORD_OK },   { "Some-small1", 4, true, PASSWORD_LEAKED },
	{ "short", 4, true, PASSWORD_SHORT },       { "allsmall", 4, true, PASSWORD_CLASSES },
	{ "12345678", 0, true, PASSWORD_LEAKED },   { "with space", 4, true, PASSWORD_CHAR },
	{ "12345678", 2, false, PASSWORD_CLASSES }, { "????????", 2, false, PASSWORD_CLASSES },
};

static void test_wanted(void)
{
	for (size_t i = 0; i < LENGTH(wanted); i++) {
		struct password_policy p = { .classes = wanted[i].classes,
					     .leaked = wanted[i].leaked };
		struct password_verdict v = password_rule(str_of(wanted[i].password), &p);
		if (!CHECK_NUM(v.fault, wanted[i].fault))
			fprintf(stderr, "  for %s\n", wanted[i].password);
		/* Each has its reason in both languages, whole, and no estimate where refused. */
		CHECK(*v.word && *v.de && *v.en && strlen(v.de) < sizeof(v.de) - 1);
		CHECK(v.de[strlen(v.de) - 1] == '.' && v.en[strlen(v.en) - 1] == '.');
		CHECK(!v.fault == (*v.strength.de && *v.strength.en));
	}
	struct password_policy three = { .classes = 3 };
	struct password_verdict v = password_rule(S("allsmall"), &three);
	CHECK_STR(str_of(v.word), "too_few_classes");
	CHECK(str_find_str(str_of(v.de), S("mindestens 3 der")) < strlen(v.de));
	CHECK(str_find_str(str_of(v.en), S("at least 3 of")) < strlen(v.en));
}

static const struct {
	const char *password, *user;
	unsigned score;
	const char *advice; /* a word of it */
} strengths[] = {
	{ "aaaaaaaa", "", 0, "Repetitions" },
	{ "12345678", "", 0, "Repetitions" },
	{ "qwertzuiop", "", 0, "Repetitions" },
	{ "73920518", "", 0, "Longer" },
	{ "kufmswbo", "", 1, "Longer" },
	{ "Kufmswbo", "", 2, "Longer" },
	{ "aK3-x9Qz", "", 2, "Longer" },
	{ "aK3-x9Qzw,", "", 3, "Longer" },
	{ "kufmswbokxhe", "", 3, "Mix" },
	{ "kufmswbokxheyacj", "", 4, "Good" },
	{ "Right-1-Horse", "", 4, "Good" },
	{ "demo1-Right7", "demo1@example.test", 2, "name" },
	{ "Example7Kuf", "demo1@example.test", 1, "name" },
	{ "demo1-Right7", "other@example.org", 3, "Longer" },
	{ "abcabcabcabc", "ab@c.d", 1, "Repetitions" }, /* parts that short are no names */
};

static void test_strength(void)
{
	for (size_t i = 0; i < LENGTH(strengths); i++) {
		struct password_strength s =
			password_estimate(str_of(strengths[i].password), str_of(strengths[i].user));
		bool all = CHECK_NUM(s.score, strengths[i].score);
		all &= CHECK(str_find_str(str_of(s.en), str_of(strengths[i].advice)) <
			     strlen(s.en));
		if (!all)
			fprintf(stderr, "  for %s: %s\n", strengths[i].password, s.en);
	}
	CHECK_NUM(password_estimate(S(""), S("")).score, 0);
}

/* --- hashes: all of "Right-1-Horse", made by other programs --- */

static const char *const good[] = {
	"$y$j75$abcdefghijklmnop$JRw5bwxpjThMY6D159qt9RxmjTZVzj4bG0uoTOMXBsA",
	"$6$rounds=1000$saltsalt$n0I2lXqKKB.mOXnxuZC4cxsfDdog2/PgU1VS4BpaPNB50pPDynzo/qtunLWD6/"
	"VkK761fI3mCdfKLrky9o3oW.",
	"$5$rounds=1000$saltsalt$/xegFhhTXA1Os.ksSJ8ZDVl1wq6K1bpqx0GV0lYYDp0",
	"$1$saltsalt$WpeZ9TZjqrwL1nI054muu0",
	"$2b$04$abcdefghijklmnopqrstuu8mlXdKJI4vcF0iGFFJFXMUT6FX1cUOq",
	"{CRYPT}$6$rounds=1000$saltsalt$n0I2lXqKKB.mOXnxuZC4cxsfDdog2/PgU1VS4BpaPNB50pPDynzo/"
	"qtunLWD6/VkK761fI3mCdfKLrky9o3oW.",
	"{crypt}$1$saltsalt$WpeZ9TZjqrwL1nI054muu0",
	"{SHA512-CRYPT}$6$rounds=1000$saltsalt$n0I2lXqKKB.mOXnxuZC4cxsfDdog2/"
	"PgU1VS4BpaPNB50pPDynzo/qtunLWD6/VkK761fI3mCdfKLrky9o3oW.",
	"{SHA256-CRYPT}$5$rounds=1000$saltsalt$/xegFhhTXA1Os.ksSJ8ZDVl1wq6K1bpqx0GV0lYYDp0",
	"{MD5-CRYPT}$1$saltsalt$WpeZ9TZjqrwL1nI054muu0",
	"{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuu8mlXdKJI4vcF0iGFFJFXMUT6FX1cUOq",
	"{SHA}wH94rNh1aQXwpm+crDuIJIihwac=",
	"{SSHA}i/wdljMyuFC75GvCK5gLzpM5IWBOYUNs",
	"{SSHA}pOw+0mzxmG6/btatzCjzFsdBBl0wMTIzNDU2Nzg5YWJjZGVm",
	"{SSHA.hex}a4ec3ed26cf1986ebf6ed6adcc28f316c741065d30313233343536373839616263646566",
	"{SSHA.b64}pOw+0mzxmG6/btatzCjzFsdBBl0wMTIzNDU2Nzg5YWJjZGVm",
	"{SHA256}nSXkVyWIDduOlBbXsmOboJzet5E2l5u541C1KNfFRcY=",
	"{SSHA256}te5adTkyvn6hLvK/wTOrZ5DBMVXclvWUZrgC9ZvXjOJOYUNs",
	"{SSHA256}rs7ZxU9G1SBnMk8GAFzLN4UF4zyU3smBLBPuiD+aJhUwMTIzNDU2Nzg5YWJjZGVm",
	"{SSHA256.hex}"
	"aeced9c54f46d52067324f06005ccb378505e33c94dec9812c13ee883f9a261530313233343536373839616263"
	"646566",
	"{SSHA256.b64}rs7ZxU9G1SBnMk8GAFzLN4UF4zyU3smBLBPuiD+aJhUwMTIzNDU2Nzg5YWJjZGVm",
	"{SHA512}pavhiA6NvjrwdTZ7uag9ULuYeaYnkPyj8q12PK36qJ16svn5zo2rIsZ9+zMmrj7O+"
	"VVlLfWJP0SSMY8SCLTHNw==",
	"{SSHA512}MYHacPbRAQtDfPKn4ivEE7NGmQ+T7KNKl9jXTKiSSDGz+"
	"INnY0Pl27XqitrkqLG29f5IicPzHgh0bT1PN4SGGU5hQ2w=",
	"{SSHA512}"
	"7kQreGqR89xicRahwLyJzWQtSZ6Qy0IsPFSw4vhwTkAV31xtmxlMXteC6CeS7RQgQewQ1SgAkVPGyCWZf/"
	"OpjzAxMjM0NTY3ODlhYmNkZWY=",
	"{SSHA512.hex}"
	"ee442b786a91f3dc627116a1c0bc89cd642d499e90cb422c3c54b0e2f8704e4015df5c6d9b194c5ed782e82792"
	"ed142041ec10d528009153c6c825997ff3a98f30313233343536373839616263646566",
	"{SSHA512.b64}"
	"7kQreGqR89xicRahwLyJzWQtSZ6Qy0IsPFSw4vhwTkAV31xtmxlMXteC6CeS7RQgQewQ1SgAkVPGyCWZf/"
	"OpjzAxMjM0NTY3ODlhYmNkZWY=",
	"{SHA1}wH94rNh1aQXwpm+crDuIJIihwac=",
};

static const char *const refused[] = {
	"",
	"plain text",
	"{PLAIN}Right-1-Horse",
	"{PLAIN-MD5}0123456789abcdef0123456789abcdef",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$abc$def",
	"{SSHA}",
	"{SSHA}!!!!",
	"{SHA}AAAA",
	"{SHA256}0GvStoO6I2PcJKtNpNfmwBMQ8Po=",
	"{SSHA256}0GvStoO6I2PcJKtNpNfmwBMQ8Po=",
	"{CRYPT",
	"{CRYPT}",
	"$z$unknown$scheme",
	"*",
	"!",
	"x",
};

static void test_hashes(void)
{
	struct arena *a = arena_new(1 << 16);
	const char *why;

	for (size_t i = 0; i < LENGTH(good); i++) {
		struct str h = str_of(good[i]);
		bool all = CHECK_NUM(password_hash_known(h, &why), OK);
		all &= CHECK_NUM(password_verify(h, S("Right-1-Horse")), OK);
		all &= CHECK_NUM(password_verify(h, S("Right-1-horse")), E_DENIED);
		all &= CHECK_NUM(password_verify(h, S("")), E_DENIED);
		all &= CHECK_NUM(password_verify(h, S("Right-1-Horse\0x")), E_DENIED);
		if (!all)
			fprintf(stderr, "  for %s\n", good[i]);
	}
	for (size_t i = 0; i < LENGTH(refused); i++) {
		struct str h = str_of(refused[i]);
		bool all = CHECK_NUM(password_hash_known(h, &why), E_SYNTAX);
		all &= CHECK_NUM(password_verify(h, S("Right-1-Horse")), E_DENIED);
		all &= CHECK_NUM(password_verify(h, h), E_DENIED);
		if (!all)
			fprintf(stderr, "  for %s\n", refused[i]);
	}

	/* The traditional hash sees 8 characters only. */
	CHECK_NUM(password_hash_known(S("abadPm.eIYxes"), &why), OK);
	CHECK_NUM(password_verify(S("abadPm.eIYxes"), S("Right-1-Horse")), OK);
	CHECK_NUM(password_verify(S("abadPm.eIYxes"), S("right-1-Horse")), E_DENIED);

	struct str h1, h2;
	CHECK_NUM(password_hash(a, S("Right-1-Horse"), &h1), OK);
	CHECK_NUM(password_hash(a, S("Right-1-Horse"), &h2), OK);
	CHECK(password_is_own(h1) && !str_eq(h1, h2));
	CHECK_NUM(password_hash_known(h1, &why), OK);
	CHECK_NUM(password_verify(h1, S("Right-1-Horse")), OK);
	CHECK_NUM(password_verify(h1, S("Right-1-Hors")), E_DENIED);
	arena_free(&a);
}

int main(void)
{
	test_rule();
	test_wanted();
	test_strength();
	test_hashes();
	return check_done();
}
