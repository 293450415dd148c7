/* SPDX-License-Identifier: ISC */
/* ctl/text.c - columns, sizes and days as people read them. */
#include <stdlib.h>

#include "base/encode.h"
#include "ctl/ctl_priv.h"
#include "mail/date.h"

enum { CELLS_FIRST = 256, COLUMNS_MAX = 8 };

struct columns columns_new(struct arena *a, const char *const *heads, size_t n)
{
	BUG_IF(n > COLUMNS_MAX);
	return (struct columns){ .a = a, .heads = heads, .n = n };
}

void columns_add(struct columns *t, struct str cell)
{
	if (t->ncells == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : CELLS_FIRST;
		struct str *grown = ARENA_ARRAY(t->a, struct str, cap);
		if (t->ncells)
			memcpy(grown, t->cells, t->ncells * sizeof(*grown));
		t->cells = grown;
		t->cap = cap;
	}
	t->cells[t->ncells++] = str_dup(t->a, cell);
}

static size_t width(struct str s)
{
	size_t n = 0;

	while (s.n && utf8_next(&s))
		n++;
	return n;
}

static void print_row(const struct columns *t, const struct str *row, const size_t *wide, FILE *to)
{
	for (size_t i = 0; i < t->n; i++) {
		int gap = (int)(wide[i] - width(row[i]));
		bool right = *t->heads[i] == '<', last = i + 1 == t->n;

		fprintf(to, "%*s%.*s%*s", right ? gap : 0, "", FMT(row[i]), right || last ? 0 : gap,
			"");
		fputs(last ? "\n" : "  ", to);
	}
}

void columns_print(const struct columns *t, FILE *to)
{
	struct str heads[COLUMNS_MAX];
	size_t wide[COLUMNS_MAX];

	for (size_t i = 0; i < t->n; i++) {
		heads[i] = str_of(t->heads[i] + (*t->heads[i] == '<'));
		wide[i] = width(heads[i]);
		for (size_t j = i; j < t->ncells; j += t->n)
			if (width(t->cells[j]) > wide[i])
				wide[i] = width(t->cells[j]);
	}
	print_row(t, heads, wide, to);
	for (size_t j = 0; j + t->n <= t->ncells; j += t->n)
		print_row(t, t->cells + j, wide, to);
}

struct str text_size(struct arena *a, uint64_t octets)
{
	const char *unit = "KMGTPE";
	double n = (double)octets / 1024;

	if (octets < 1024)
		return str_fmt(a, "%llu", (unsigned long long)octets);
	for (; n >= 1024; n /= 1024)
		unit++;
	return str_fmt(a, n < 10 ? "%.1f%c" : "%.0f%c", n, *unit);
}

struct str text_day(struct arena *a, int64_t utc)
{
	return utc ? str_part(date_iso(a, utc), 0, 10) : S("-");
}

struct str text_time(struct arena *a, int64_t utc)
{
	time_t t = (time_t)utc;
	char text[32];
	struct tm at;

	localtime_r(&t, &at);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &at);
	return str_fmt(a, "%s", text);
}

struct str text_span(struct arena *a, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t i = 0;

	while (seconds % units[i].seconds)
		i++;
	long long n = (long long)(seconds / units[i].seconds);

	return str_fmt(a, "%lld %s%s", n, units[i].name, n == 1 ? "" : "s");
}

enum err size_parse(struct str text, uint64_t *out)
{
	static const char units[] = "KMGT";
	struct scan in = scan(text);
	uint64_t n = scan_num(&in, UINT64_MAX);
	unsigned shift = 0;

	if (scan_more(&in)) {
		char c = ascii_upper(scan_char(&in));
		const char *unit = c ? strchr(units, c) : NULL;
		if (!unit)
			return E_SYNTAX;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (!scan_end(&in) || n > UINT64_MAX >> shift)
		return E_SYNTAX;
	*out = n << shift;
	return OK;
}

enum err ctl_german(struct ctl *c, bool *out, struct str *why)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	struct str lang = c->lang;

	for (size_t i = 0; i < LENGTH(names) && !(c->options & OPT_LANG) && !lang.n; i++)
		lang = str_of(getenv(names[i]));
	*out = str_is(lang, "de") || str_starts(lang, S("de_")) || str_starts(lang, S("de."));
	if (!(c->options & OPT_LANG) || *out || str_is(lang, "en"))
		return OK;
	*why = str_fmt(c->arena, "%.*s: the languages are de and en", FMT(lang));
	return E_SYNTAX;
}
