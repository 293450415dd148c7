/* SPDX-License-Identifier: ISC */
/*
 * proc/bans_tool.c - bans by hand, for tests/ban.py; not installed. Commands on standard input,
 * a line each, are answered by a line: an error's phrase, after it what `list` found. At the end
 * of the input the table is closed.
 *
 *   open | add ADDRESS PREFIX SECONDS | fill N SECONDS | remove ADDRESS PREFIX | list | clear |
 * refresh
 */
#include "base/clock.h"
#include "base/log.h"
#include "proc/bans.h"

enum { LINE = 256 };

static struct bans *bans;

/* n different addresses of 198.18.0.0/15 in one call. */
static enum err fill(size_t n, int64_t seconds, struct arena *a)
{
	struct ban *list = ARENA_ARRAY(a, struct ban, n);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct ban){ str_fmt(a, "198.%zu.%zu.%zu", 18 + (i >> 16), i >> 8 & 255,
						i & 255),
					32, seconds };
	return bans_add_many(bans, list, n);
}

static enum err carry_out(struct scan *in, struct arena *a)
{
	struct str verb = scan_word(in);

	if (!bans)
		return str_is(verb, "open") ? bans_open(&bans) : E_SYNTAX;
	if (str_is(verb, "clear"))
		return bans_clear(bans);
	if (str_is(verb, "refresh"))
		return bans_refresh(bans);
	if (str_is(verb, "list"))
		return OK;
	if (str_is(verb, "fill")) {
		size_t n = scan_num(in, 2 * BANS_MAX - 1);
		scan_lit(in, " ");
		int64_t seconds = (int64_t)scan_num(in, INT64_MAX);
		return scan_end(in) ? fill(n, seconds, a) : E_SYNTAX;
	}
	struct str address = scan_word(in);
	unsigned prefix = (unsigned)scan_num(in, 1000);
	if (str_is(verb, "remove") && scan_end(in))
		return bans_remove(bans, address, prefix);
	scan_lit(in, " ");
	int64_t seconds = (int64_t)scan_num(in, INT64_MAX);
	return str_is(verb, "add") && scan_end(in) ? bans_add(bans, address, prefix, seconds)
						   : E_SYNTAX;
}

static void tell_list(struct arena *a)
{
	struct ban ban;
	size_t at = 0;

	while (bans_next(bans, &at, a, &ban))
		printf(" %.*s/%u:%lld", FMT(ban.address), ban.prefix, (long long)ban.seconds);
}

int main(void)
{
	struct arena *a = arena_new(64 << 20);
	char line[LINE];

	log_start("main", LOG_INFO);
	while (fgets(line, sizeof line, stdin)) {
		struct scan in = scan(str_trim(str_of(line)));
		bool list = str_is(in.rest, "list");
		enum err e = carry_out(&in, a);

		printf("%s", err_text(e));
		if (!e && list)
			tell_list(a);
		printf("\n");
		fflush(stdout);
		arena_reset(a);
	}
	bans_close(&bans);
	arena_free(&a);
	return 0;
}
