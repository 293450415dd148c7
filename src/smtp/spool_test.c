/* SPDX-License-Identifier: ISC */
/* What was put in comes out, from memory and from the file; where there is no folder it is told. */
#include "smtp/spool.h"

#include "check.h"
#include "fiber/fiber.h"

static enum err put(void *arg, struct str octets)
{
	buf_put(arg, octets);
	return OK;
}

static enum err refuse(void *arg, struct str octets)
{
	(void)arg;
	(void)octets;
	return E_LIMIT;
}

static void test_size(size_t size, size_t piece, bool file)
{
	struct spool s = spool_new(S("/tmp"));
	struct buf in = buf_new(size), out = buf_new(size + 1);

	for (size_t i = 0; i < size; i++)
		buf_c(&in, (char)(i * 31 + i / 255));
	for (struct str rest = buf_str(&in); rest.n; rest = str_from(rest, piece))
		CHECK_NUM(spool_write(&s, str_part(rest, 0, piece)), OK);
	CHECK((s.fd >= 0) == file);
	CHECK_NUM(spool_copy(&s, put, &out), OK);
	CHECK(str_eq(buf_str(&in), buf_str(&out)));
	CHECK_NUM(spool_copy(&s, refuse, NULL), E_LIMIT);
	spool_close(&s);
	spool_close(&s);
	buf_free(&in);
	buf_free(&out);
}

static void run(void *arg)
{
	struct spool s = spool_new(S("/nowhere/at/all"));
	char *octets = mem_new(SPOOL_MEMORY + 1);

	(void)arg;
	test_size(0, 1, false);
	test_size(10, 3, false);
	test_size(SPOOL_MEMORY, 32768, false);
	test_size(SPOOL_MEMORY + 1, 32768, true);
	test_size(3 * SPOOL_MEMORY + 77, 32768, true);
	test_size(3 * SPOOL_MEMORY, 2 * SPOOL_MEMORY + 5, true);
	CHECK_NUM(spool_write(&s, STR(octets, SPOOL_MEMORY)), OK);
	CHECK_NUM(spool_write(&s, STR(octets, 1)), E_IO);
	spool_close(&s);
	free(octets);
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
