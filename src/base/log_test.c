/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "check.h"
#include "base/clock.h"
#include "base/log.h"

static char last[32 * 1024];
static size_t last_n;
static unsigned lines;

static void keep(void *arg, struct str line)
{
	(void)arg;
	lines++;
	last_n = line.n < sizeof last ? line.n : sizeof last;
	memcpy(last, line.p, last_n);
	errno = EBADF;
}

/* The line without its time, which has a fixed width. */
static struct str logged(void)
{
	return str_from(STR(last, last_n), sizeof "t=2026-01-02T03:04:05.678Z");
}

static void value(const char *got, const char *want)
{
	log_event(LOG_INFO, "e", KVC("k", got));
	CHECK(str_starts(logged(), S("level=info proc=test event=e k=")));
	CHECK_STR(str_from(logged(), sizeof "level=info proc=test event=e k=" - 1), want);
}

static void values(void)
{
	static const char *const rows[][2] = {
		{ "plain", "plain" },
		{ "a/b:c,d;e'f@[1]", "a/b:c,d;e'f@[1]" },
		{ "", "\"\"" },
		{ NULL, "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "x\nlevel=error", "\"x\\nlevel=error\"" },
		{ "\r\t", "\"\\r\\t\"" },
		{ "\x01\x1b[m\x7f", "\"\\x01\\x1b[m\\x7f\"" },
		{ "gr\xc3\xbc\xc3\x9f"
		  "e",
		  "\"gr\xc3\xbc\xc3\x9f"
		  "e\"" },
		{ "\xfc", "\"\\xfc\"" },
		{ "\xc2\x9b", "\"\\xc2\\x9b\"" }, /* U+009B steers a terminal */
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		value(rows[i][0], rows[i][1]);
	log_event(LOG_INFO, "e", KV("k", S("a\0b")));
	CHECK(str_ends(logged(), S(" k=\"a\\x00b\"")));
	log_event(LOG_INFO, "e", KVN("a", INT64_MIN), KVN("b", 0), KVN("c", INT64_MAX));
	CHECK(str_ends(logged(), S(" a=-9223372036854775808 b=0 c=9223372036854775807")));
	log_event(LOG_WARN, "e", KVE(E_NOTFOUND));
	CHECK_STR(logged(), "level=warn proc=test event=e error=\"not found\"");
	log_event(LOG_ERROR, "e");
	CHECK_STR(logged(), "level=error proc=test event=e");
}

static size_t value_length(struct str s)
{
	log_event(LOG_INFO, "e", KV("k", s));
	return logged().n - (sizeof "level=info proc=test event=e k=" - 1);
}

static void cuts(void)
{
	static char text[2000];

	memset(text, 'a', sizeof text);
	CHECK_NUM(value_length(STR(text, 512)), 512);
	CHECK_NUM(value_length(STR(text, 513)), 515);
	CHECK(str_ends(logged(), S("aa...")));
	memcpy(text + 510, "\xe2\x82\xac", 3); /* would be cut in half */
	CHECK_NUM(value_length(STR(text, 2000)), 510 + 3);
	CHECK(str_ends(logged(), S("aa...")));
	memset(text, 1, sizeof text);
	CHECK_NUM(value_length(STR(text, 2000)), 4 * 512 + 5);
	CHECK(str_ends(logged(), S("\\x01...\"")));
	memset(text, 0x80, sizeof text);
	CHECK_NUM(value_length(STR(text, 2000)), 4 * 509 + 5);

	/* More than a line holds: whole fields, and a word that some are missing. */
	struct str long_one = STR(text, 2000);

	log_event(LOG_INFO, "e", KV("a", long_one), KV("b", long_one), KV("c", long_one),
		  KV("d", long_one), KV("e", long_one), KV("f", long_one), KV("g", long_one),
		  KV("h", long_one), KV("i", long_one), KV("j", long_one));
	CHECK(str_ends(logged(), S("...\" cut=true")));
}

static void context(void)
{
	struct log_context ctx = { .conn = 17, .proto = "imap", .ip = S("192.0.2.1"), .port = 4 };

	log_current = &ctx;
	log_event(LOG_INFO, "login", KVN("port", 993));
	CHECK_STR(logged(), "level=info proc=test event=login conn=17 proto=imap ip=192.0.2.1 "
			    "port=993");
	ctx.account = S("a b");
	log_event(LOG_INFO, "bye");
	CHECK_STR(logged(), "level=info proc=test event=bye conn=17 proto=imap ip=192.0.2.1 "
			    "port=4 account=\"a b\"");
	ctx = (struct log_context){ 0 };
	log_event(LOG_INFO, "bye");
	CHECK_STR(logged(), "level=info proc=test event=bye");
	log_current = NULL;
}

static void levels(void)
{
	enum log_level level = LOG_INFO;

	CHECK(log_level_of(S("debug"), &level) && level == LOG_DEBUG);
	CHECK(log_level_of(S("Error"), &level) && level == LOG_ERROR);
	CHECK(!log_level_of(S("loud"), &level) && level == LOG_ERROR);
	unsigned before = lines;

	log_event(LOG_DEBUG, "e");
	CHECK_NUM(lines, before);
	log_start("test", LOG_ERROR);
	log_event(LOG_WARN, "e");
	CHECK_NUM(lines, before);
	errno = ENOENT;
	log_event(LOG_ERROR, "e");
	CHECK_NUM(lines, before + 1);
	CHECK_NUM(errno, ENOENT);
	log_start("test", LOG_INFO);
}

static void clocks(void)
{
	static const struct {
		int64_t at; /* milliseconds since 1970 */
		const char *want;
	} rows[] = {
		{ 0, "t=1970-01-01T00:00:00.000Z" },
		{ INT64_C(951782399999), "t=2000-02-28T23:59:59.999Z" },
		{ INT64_C(951782400000), "t=2000-02-29T00:00:00.000Z" },
		{ INT64_C(951868800000), "t=2000-03-01T00:00:00.000Z" },
		{ INT64_C(1767225599001), "t=2025-12-31T23:59:59.001Z" },
		{ INT64_C(1767225600000), "t=2026-01-01T00:00:00.000Z" },
		{ INT64_C(4107542400000), "t=2100-03-01T00:00:00.000Z" },
	};

	CHECK(clock_wall() > 1600000000);
	clock_fake_step(0);
	int64_t ms = clock_ms(), wall = clock_wall_ms();

	clock_fake_step(1500);
	CHECK_NUM(clock_ms() - ms, 1500);
	CHECK_NUM(clock_wall_ms() - wall, 1500);
	CHECK_NUM(clock_in(20), ms + 1520);
	CHECK_NUM(clock_in(NEVER), NEVER);
	CHECK_NUM(clock_in(NEVER - clock_ms()), NEVER);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		clock_fake_step(rows[i].at - clock_wall_ms());
		CHECK_NUM(clock_wall(), rows[i].at / 1000);
		log_event(LOG_INFO, "e");
		CHECK_STR(str_part(STR(last, last_n), 0, 26), rows[i].want);
	}
}

int main(void)
{
	log_start("test", LOG_INFO);
	log_capture(keep, NULL);
	values();
	cuts();
	context();
	levels();
	clocks();
	return check_done();
}
