/* SPDX-License-Identifier: ISC */
/* web/text.c - times, lengths and the lockout, as people read them. */
#include <time.h>

#include "web/web_priv.h"

struct str text_in(const struct request *q, const char *de, const char *en)
{
	return str_of(q->lang == LANG_DE ? de : en);
}

/* "14:35 Uhr" and "14:35 CET"; another day is named. Never promised too early. */
struct sentence text_until(struct arena *a, int64_t until)
{
	time_t t = (time_t)((until + 59) / 60 * 60), now = (time_t)clock_wall();
	char clock[16], zone[16], de[32], en[32];
	struct tm at, today;

	localtime_r(&t, &at);
	localtime_r(&now, &today);
	strftime(clock, sizeof clock, "%H:%M", &at);
	strftime(zone, sizeof zone, "%Z", &at);
	strftime(de, sizeof de, "%d.%m.%Y, ", &at);
	strftime(en, sizeof en, "%Y-%m-%d ", &at);
	bool same = at.tm_yday == today.tm_yday && at.tm_year == today.tm_year;
	return (struct sentence){
		str_fmt(a, "%s%s Uhr (%s)", same ? "" : de, clock, zone),
		str_fmt(a, "%s%s (%s)", same ? "" : en, clock, zone),
	};
}

struct sentence text_closed(struct arena *a, const struct standing *s)
{
	struct sentence until = text_until(a, s->until);
	const struct lockout_rules *r = &s->rules;
	long long hours = r->day_s / 3600;
	struct sentence why = {
		str_fmt(a, "%u falsche Passwörter", r->errors),
		str_fmt(a, "%u wrong passwords", r->errors),
	};

	if (s->state == LOCKOUT_BANNED)
		why = (struct sentence){
			str_fmt(a, "%u Sperren in %lld Stunden", r->blocks, hours),
			str_fmt(a, "%u blocks within %lld hours", r->blocks, hours),
		};
	if (s->by_hand)
		why = (struct sentence){ S("vom Betreiber"), S("by the operator") };
	return (struct sentence){
		str_fmt(a, "Zugang gesperrt bis %.*s: %.*s.", FMT(until.de), FMT(why.de)),
		str_fmt(a, "Closed for your address until %.*s: %.*s.", FMT(until.en), FMT(why.en)),
	};
}

struct str text_length(struct arena *a, int64_t seconds, enum lang lang)
{
	static const struct {
		int64_t seconds;
		const char *one[2], *more[2];
	} units[] = {
		{ 3600, { "Stunde", "hour" }, { "Stunden", "hours" } },
		{ 60, { "Minute", "minute" }, { "Minuten", "minutes" } },
		{ 1, { "Sekunde", "second" }, { "Sekunden", "seconds" } },
	};
	size_t i = 0;

	while (i + 1 < LENGTH(units) && (seconds % units[i].seconds || seconds < units[i].seconds))
		i++;
	int64_t n = seconds / units[i].seconds;
	return str_fmt(a, "%lld %s", (long long)n,
		       n == 1 ? units[i].one[lang] : units[i].more[lang]);
}
