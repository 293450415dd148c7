/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"

#define VALUE_MAX ((size_t)512)
#define FIELD_MAX (VALUE_MAX * 4 + 128) /* all escaped, with key, quotes and the mark of a cut */

_Thread_local struct log_context *log_current;

static const char *process; /* NULL: log_start was not called */
static enum log_level least_level = LOG_INFO;
static void (*capture)(void *arg, struct str line);
static void *capture_arg;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/*
 * A line is put together outside the heap, which may be what has run out, and outside the
 * stack, which is a fiber's and small.
 */
struct line {
	size_t n;
	bool cut;
	char p[16 * 1024];
};
static _Thread_local struct line thread_line;

static void put(struct line *l, struct str s)
{
	if (s.n == 0 || s.n > sizeof l->p - l->n)
		return;
	memcpy(l->p + l->n, s.p, s.n);
	l->n += s.n;
}

static void put_num(struct line *l, uint64_t v, size_t width)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[sizeof digits - ++n] = (char)('0' + v % 10);
		v /= 10;
	} while (v || n < width);
	put(l, STR(digits + sizeof digits - n, n));
}

static void put_escaped(struct line *l, uint32_t c, struct str octets)
{
	static const char hex[] = "0123456789abcdef";

	switch (c) {
	case '"': put(l, S("\\\"")); return;
	case '\\': put(l, S("\\\\")); return;
	case '\n': put(l, S("\\n")); return;
	case '\r': put(l, S("\\r")); return;
	case '\t': put(l, S("\\t")); return;
	}
	/* U+0080 to U+009F steer terminals as well. */
	if ((c >= ' ' && c < 0x7f) || (c >= 0xa0 && c != UINT32_MAX)) {
		put(l, octets);
		return;
	}
	for (size_t i = 0; i < octets.n; i++) {
		unsigned char o = (unsigned char)octets.p[i];
		char text[4] = { '\\', 'x', hex[o >> 4], hex[o & 15] };

		put(l, STR(text, sizeof text));
	}
}

static bool plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

/* At most VALUE_MAX octets, and no character in half. */
static struct str cut(struct str s)
{
	size_t n = VALUE_MAX;

	if (s.n <= VALUE_MAX)
		return s;
	for (size_t i = 0; i < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80; i++)
		n--;
	return STR(s.p, n);
}

static void put_value(struct line *l, struct str s)
{
	struct str rest = cut(s);
	bool whole = rest.n == s.n;
	struct scan simple = scan(rest);

	scan_span(&simple, plain);
	if (s.n && scan_end(&simple)) {
		put(l, rest);
		put(l, whole ? S_NONE : S("..."));
		return;
	}
	put(l, S("\""));
	while (rest.n) {
		struct str before = rest;
		uint32_t c = utf8_next(&rest);

		put_escaped(l, c, STR(before.p, before.n - rest.n));
	}
	put(l, whole ? S("\"") : S("...\""));
}

/* Begins a field, if even the longest would still fit: lines are never broken inside one. */
static bool put_key(struct line *l, const char *key)
{
	if (l->cut || FIELD_MAX > sizeof l->p - l->n) {
		l->cut = true;
		return false;
	}
	put(l, S(" "));
	put(l, str_part(str_of(key), 0, 64));
	put(l, S("="));
	return true;
}

static void put_text(struct line *l, const char *key, struct str value)
{
	if (put_key(l, key))
		put_value(l, value);
}

static void put_number(struct line *l, const char *key, bool negative, uint64_t v)
{
	if (!put_key(l, key))
		return;
	put(l, negative ? S("-") : S_NONE);
	put_num(l, v, 1);
}

/*
 * The time as RFC 3339. Broken up here and not by libc, which may open the time zone's file:
 * a process in its sandbox could not. Days to date: years begin in March, leap days end them.
 */
static void put_time(struct line *l, int64_t wall_ms)
{
	uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
	uint64_t s = ms / 1000, days = s / 86400 + 719468; /* since 0000-03-01 */
	uint64_t era = days / 146097, day = days % 146097;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t of_year = day - (365 * year + year / 4 - year / 100);
	uint64_t march = (5 * of_year + 2) / 153; /* months since March */
	uint64_t month = march < 10 ? march + 3 : march - 9;

	put(l, S("t="));
	put_num(l, era * 400 + year + (month <= 2), 4);
	put(l, S("-"));
	put_num(l, month, 2);
	put(l, S("-"));
	put_num(l, of_year - (153 * march + 2) / 5 + 1, 2);
	put(l, S("T"));
	put_num(l, s / 3600 % 24, 2);
	put(l, S(":"));
	put_num(l, s / 60 % 60, 2);
	put(l, S(":"));
	put_num(l, s % 60, 2);
	put(l, S("."));
	put_num(l, ms % 1000, 3);
	put(l, S("Z"));
}

static bool has_key(const struct kv *kv, const char *key)
{
	for (; kv && kv->key; kv++)
		if (str_is(str_of(kv->key), key))
			return true;
	return false;
}

static void put_context(struct line *l, const struct log_context *ctx, const struct kv *kv)
{
	if (ctx->conn && !has_key(kv, "conn"))
		put_number(l, "conn", false, ctx->conn);
	if (ctx->proto && !has_key(kv, "proto"))
		put_text(l, "proto", str_of(ctx->proto));
	if (ctx->ip.n && !has_key(kv, "ip"))
		put_text(l, "ip", ctx->ip);
	if (ctx->port && !has_key(kv, "port"))
		put_number(l, "port", false, ctx->port);
	if (ctx->account.n && !has_key(kv, "account"))
		put_text(l, "account", ctx->account);
}

static void write_out(struct line *l)
{
	if (capture) {
		capture(capture_arg, STR(l->p, l->n));
		return;
	}
	put(l, S("\n"));
	/* A log that cannot be written has nobody to be told: no loop, no error. */
	while (write(STDERR_FILENO, l->p, l->n) < 0 && errno == EINTR)
		;
}

void log_write(enum log_level level, const char *event, const struct kv *kv)
{
	struct line *l = &thread_line;
	int saved = errno;

	if (level < least_level)
		return;
	l->n = 0;
	l->cut = false;
	put_time(l, clock_wall_ms());
	put_text(l, "level", str_of(level_names[level]));
	if (process)
		put_text(l, "proc", str_of(process));
	put_text(l, "event", str_of(event));
	if (log_current)
		put_context(l, log_current, kv);
	for (; kv && kv->key; kv++) {
		if (kv->is_num)
			put_number(l, kv->key, kv->num < 0,
				   kv->num < 0 ? -(uint64_t)kv->num : (uint64_t)kv->num);
		else
			put_text(l, kv->key, kv->text);
	}
	if (l->cut)
		put(l, S(" cut=true"));
	write_out(l);
	errno = saved;
}

void log_start(const char *proc, enum log_level least)
{
	process = proc;
	least_level = least;
}

bool log_level_of(struct str name, enum log_level *out)
{
	for (size_t i = 0; i < LENGTH(level_names); i++) {
		if (str_iis(name, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_capture(void (*fn)(void *arg, struct str line), void *arg)
{
	capture = fn;
	capture_arg = arg;
}
