/* SPDX-License-Identifier: ISC */
/* The list of leaked passwords: each form of lines, each place in the file, faults. */
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "keeper/leaked.h"

enum { MANY = 2000 };

static FILE *file_of(struct str text)
{
	FILE *f = tmpfile();

	BUG_IF(!f);
	CHECK_NUM(fwrite(text.p, 1, text.n, f), text.n);
	CHECK_NUM(fflush(f), 0);
	return f;
}

static enum err find_in(struct str text, const char *password, bool *found)
{
	struct leaked *l;
	FILE *f = file_of(text);
	enum err e = leaked_open(fileno(f), &l);

	fclose(f);
	*found = false;
	if (!e)
		e = leaked_find(l, str_of(password), found);
	leaked_close(&l);
	return e;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The SHA-1 of "pw0", "pw2", ... in order; the odd ones are not there. */
static void test_many(const char *format, int digits, bool upper)
{
	static char hashes[MANY][41], line[80];
	struct buf {
		char p[MANY * 80];
		size_t n;
	} *text = NEW(struct buf);
	struct leaked *l = NULL;
	char password[16];
	bool found;

	for (int i = 0; i < MANY; i++) {
		uint8_t digest[EVP_MAX_MD_SIZE];
		unsigned n;
		snprintf(password, sizeof(password), "pw%d", 2 * i);
		CHECK(EVP_Digest(password, strlen(password), digest, &n, EVP_sha1(), NULL));
		sodium_bin2hex(hashes[i], sizeof(hashes[i]), digest, n);
		for (char *c = hashes[i]; upper && *c; c++)
			*c = ascii_upper(*c);
	}
	qsort(hashes, MANY, sizeof(hashes[0]), by_text);
	for (int i = 0; i < MANY; i++) {
		int n = snprintf(line, sizeof(line), "%.*s%s", digits, hashes[i], format);
		memcpy(text->p + text->n, line, (size_t)n);
		text->n += (size_t)n;
	}
	FILE *f = file_of(STR(text->p, text->n));
	CHECK_NUM(leaked_open(fileno(f), &l), OK);
	for (int i = 0; l && i < 2 * MANY; i++) {
		snprintf(password, sizeof(password), "pw%d", i);
		CHECK_NUM(leaked_find(l, str_of(password), &found), OK);
		CHECK(found == (i % 2 == 0));
	}
	/* What is cut off while it is mapped is not touched. */
	CHECK_NUM(ftruncate(fileno(f), 0), 0);
	CHECK_NUM(leaked_find(l, S("pw0"), &found), OK);
	CHECK(!found);
	struct leaked *held = leaked_hold(l);
	leaked_close(&l);
	CHECK_NUM(leaked_find(held, S("pw0"), &found), OK);
	leaked_close(&held);
	fclose(f);
	free(text);
}

#define PASSWORD1 "E38AD214943DAAD1D64C102FAEC29DE4AFE9DA3D" /* password1 */

static void test_forms(void)
{
	bool found;

	CHECK_NUM(find_in(S(PASSWORD1), "password1", &found), OK);
	CHECK(found);
	CHECK_NUM(find_in(S(PASSWORD1 ":2413945"), "password1", &found), OK);
	CHECK(found);
	CHECK_NUM(find_in(S("E38AD21494:1\r\n"), "password1", &found), OK);
	CHECK(found);
	CHECK_NUM(find_in(S("E38AD21495:1\r\n"), "password1", &found), OK);
	CHECK(!found);
	/* No such list, or no list all the way. */
	CHECK_NUM(find_in(S(""), "x", &found), E_SYNTAX);
	CHECK_NUM(find_in(S("password1\n"), "x", &found), E_SYNTAX);
	CHECK_NUM(find_in(S("E38AD2149\n"), "x", &found), E_SYNTAX);
	CHECK_NUM(find_in(S(PASSWORD1 "AA\n"), "x", &found), E_SYNTAX);
	CHECK_NUM(find_in(S("0123456789\nrubbish\nrubbish\n"), "password1", &found), E_CORRUPT);
	char text[5000];
	memset(text, 'A', sizeof(text));
	memcpy(text, "0123456789\n", 11);
	CHECK_NUM(find_in(STR(text, sizeof(text)), "password1", &found), E_CORRUPT);
}

int main(void)
{
	test_forms();
	test_many("\n", 40, true);
	test_many(":17\r\n", 40, true);
	test_many(":17\n", 16, false);
	return check_done();
}
