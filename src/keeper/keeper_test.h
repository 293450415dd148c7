/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_KEEPER_TEST_H
#define KEEPER_KEEPER_TEST_H
/* keeper_test.h - a store in memory with a few people in it, for the tests of this room. */
#include "check.h"
#include "keeper/directory.h"

/* {SHA512} without salt of "Right-1-Horse": quick to check. */
#define HORSE                                                          \
	"{SHA512}pavhiA6NvjrwdTZ7uag9ULuYeaYnkPyj8q12PK36qJ16svn5zo2r" \
	"IsZ9+zMmrj7O+VVlLfWJP0SSMY8SCLTHNw=="

static inline struct store *test_store(struct arena *a)
{
	struct store *st = NULL;
	struct str why;

	if (!CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK))
		BUG_IF(true);
	return st;
}

static inline struct name test_name(struct arena *a, const char *text)
{
	struct name n = { 0 };

	CHECK_NUM(name_parse(a, str_of(text), true, &n), OK);
	return n;
}

static inline uint32_t test_user(struct store *st, struct arena *a, const char *text)
{
	struct secret horse = { .hash = S(HORSE) };
	uint32_t account = 0;

	CHECK_NUM(directory_user_add(st, test_name(a, text), &horse, 0, &account), OK);
	return account;
}

/* targets: addresses with single spaces between. */
static inline void test_alias(struct store *st, struct arena *a, const char *text,
			      const char *targets)
{
	struct scan in = scan(str_of(targets));
	struct name list[16];
	size_t n = 0;

	while (scan_more(&in) && n < LENGTH(list))
		list[n++] = test_name(a, str_c(a, scan_word(&in)));
	CHECK_NUM(directory_alias_add(st, test_name(a, text), list, n), OK);
}

#endif
