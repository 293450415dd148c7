/* SPDX-License-Identifier: ISC */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H
/*
 * check.h - the whole unit test library. A test program is a main() of CHECKs that returns
 * check_done(). A failed CHECK says where and what, and the program goes on to the next.
 */
#include <stdio.h>
#include "base/base.h"

static unsigned check_passed, check_failed;

#define CHECK(cond)          check_that((cond), __FILE__, __LINE__, #cond)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__)
#define CHECK_NUM(got, want) check_num((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, #got)

static inline bool check_that(bool ok, const char *file, int line, const char *what)
{
	if (ok) {
		check_passed++;
		return true;
	}
	check_failed++;
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	return false;
}

static inline bool check_str(struct str got, const char *want, const char *file, int line)
{
	if (str_is(got, want)) {
		check_passed++;
		return true;
	}
	check_failed++;
	fprintf(stderr, "%s:%d: got  \"%.*s\"\n%s:%d: want \"%s\"\n", file, line, FMT(got), file,
		line, want);
	return false;
}

static inline bool check_num(int64_t got, int64_t want, const char *file, int line,
			     const char *what)
{
	if (got == want) {
		check_passed++;
		return true;
	}
	check_failed++;
	fprintf(stderr, "%s:%d: %s is %lld, want %lld\n", file, line, what, (long long)got,
		(long long)want);
	return false;
}

/* For the end of main: prints the count, gives the exit status. */
static inline int check_done(void)
{
	printf("%u checks passed, %u failed\n", check_passed, check_failed);
	return check_failed ? 1 : 0;
}

#endif
