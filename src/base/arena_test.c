/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static bool zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* All sizes about the borders of chunks: aligned, zeroed, apart from each other, also after. */
static void allocations(void)
{
	static const size_t sizes[] = { 1,    15, 16,    17,    500,   1000, 1024,   2000, 4096,
					9000, 1,  65000, 65536, 70000, 16,   300000, 3,    0 };
	struct arena *a = arena_new(1 << 20);

	for (int round = 0; round < 3; round++) {
		char *at[LENGTH(sizes)];
		size_t sum = 0;

		for (size_t i = 0; i < LENGTH(sizes); i++) {
			at[i] = arena_alloc(a, sizes[i]);
			CHECK(at[i] != NULL);
			CHECK((uintptr_t)at[i] % 16 == 0);
			CHECK(zero(at[i], sizes[i]));
			memset(at[i], (int)i + 1, sizes[i]);
			sum += (sizes[i] + 15) / 16 * 16;
		}
		for (size_t i = 0; i < LENGTH(sizes); i++)
			for (size_t k = 0; k < sizes[i]; k++)
				if (at[i][k] != (char)(i + 1) && !CHECK(false))
					break;
		CHECK_NUM(arena_used(a), sum);
		arena_reset(a);
		CHECK_NUM(arena_used(a), 0);
	}
	arena_free(&a);
	CHECK(a == NULL);
	arena_free(&a);
}

static char order[8];

static void note(void *arg)
{
	size_t n = strlen(order);

	if (n + 1 < sizeof order)
		order[n] = *(char *)arg;
}

static void cleanups(void)
{
	struct arena *a = arena_new(4096);
	char *inside = arena_alloc(a, 1);

	*inside = '2'; /* what a cleanup is given may be in the arena itself */
	arena_cleanup(a, note, &(char){ '1' });
	arena_cleanup(a, note, inside);
	arena_reset(a);
	CHECK_STR(str_of(order), "21");
	arena_reset(a);
	CHECK_STR(str_of(order), "21");
	arena_cleanup(a, note, &(char){ '3' });
	arena_free(&a);
	CHECK_STR(str_of(order), "213");
}

/* Does it end the process by abort()? */
static bool aborts(void (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void to_the_maximum(void)
{
	struct arena *a = arena_new(100);

	arena_alloc(a, 100);
	arena_reset(a);
	arena_alloc(a, 100);
	arena_free(&a);
}

static void past_the_maximum(void)
{
	struct arena *a = arena_new(100);

	arena_alloc(a, 64);
	arena_alloc(a, 64);
}

static void past_all(void)
{
	arena_alloc(arena_new(SIZE_MAX), SIZE_MAX);
}

static void array_wraps(void)
{
	struct arena *a = arena_new(100);

	(void)ARENA_ARRAY(a, uint64_t, SIZE_MAX / 8 + 2);
}

static void is_bug(void)
{
	BUG_IF(check_done() == 0);
}

static void memory(void)
{
	char *p = mem_new(3);

	CHECK(zero(p, 3));
	memset(p, 1, 3);
	p = mem_grow(p, 3, 100);
	CHECK(p[2] == 1 && zero(p + 3, 97));
	p = mem_grow(p, 100, 0);
	CHECK(p != NULL);
	free(p);
	p = mem_grow(NULL, 0, 10);
	CHECK(zero(p, 10));
	free(p);
}

static void errors(void)
{
	for (int e = 0; e < ERR_COUNT; e++)
		CHECK(str_of(err_text((enum err)e)).n > 0);
	CHECK(err_text((enum err)999) != NULL);
	CHECK(err_temporary(E_AGAIN) && err_temporary(E_NOSPACE) && err_temporary(E_QUOTA));
	CHECK(!err_temporary(OK) && !err_temporary(E_CORRUPT) && !err_temporary(E_NOTFOUND));
}

int main(void)
{
	allocations();
	cleanups();
	CHECK(!aborts(to_the_maximum));
	CHECK(aborts(past_the_maximum));
	CHECK(aborts(past_all));
	CHECK(aborts(array_wraps));
	CHECK(aborts(is_bug));
	memory();
	errors();
	return check_done();
}
