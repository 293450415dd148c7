/* SPDX-License-Identifier: ISC */
#include "mail/date.h"
#include "mail/lex.h"

#define DAY       INT64_C(86400)
#define UTC_LEAST INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define UTC_MOST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z: four digits are a year */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "SunMonTueWedThuFriSat";

struct civil {
	int year;
	unsigned month, day, hour, minute, second; /* month and day from 1 */
	unsigned weekday;                          /* 0 is Sunday */
};

/*
 * Days since 1970 and back, in the Gregorian calendar, for years from 0 on. The year is taken
 * to begin on 1 March: so the leap day is its last, and months have lengths in one rule.
 */
static int64_t days_of(int year, unsigned month, unsigned day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int64_t seconds)
{
	int64_t days = (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
	unsigned rest = (unsigned)(seconds - days * DAY);
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	unsigned month = (unsigned)(m < 10 ? m + 3 : m - 9);

	return (struct civil){
		.year = (int)(y + era * 400 + (month <= 2)),
		.month = month,
		.day = (unsigned)(of_year - (153 * m + 2) / 5 + 1),
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (unsigned)(((days + 4) % 7 + 7) % 7),
	};
}

static unsigned month_length(int year, unsigned month)
{
	static const unsigned char length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : length[month - 1];
}

static bool civil_ok(const struct civil *c)
{
	/* 60 is a leap second: RFC 5322 3.3. */
	return c->year >= 0 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= month_length(c->year, c->month) && c->hour < 24 && c->minute < 60 &&
	       c->second <= 60;
}

static int64_t seconds_of(const struct civil *c)
{
	return days_of(c->year, c->month, c->day) * DAY + c->hour * 3600 + c->minute * 60 +
	       c->second;
}

/* The number from 1 of the three letters that a name begins with; 0: none. */
static unsigned name_of(struct str word, const char *names)
{
	for (unsigned i = 0; word.n >= 3 && names[3 * i]; i++)
		if (str_istarts(word, STR(names + 3 * i, 3)))
			return i + 1;
	return 0;
}

/* Between day, month and year: "24 Nov 2026", but also "24-Nov-2026" and "24.Nov 2026". */
static void gap(struct scan *in)
{
	lex_cfws(in);
	if (scan_opt(in, "-") || scan_opt(in, ".") || scan_opt(in, ","))
		lex_cfws(in);
}

static int year(struct scan *in)
{
	size_t before = in->rest.n;
	int y = (int)scan_num(in, 9999);
	size_t digits = before - in->rest.n;

	/* RFC 5322 4.3; what else has few digits or lies before the telegraph is a mistake. */
	if (digits == 2 && y < 50)
		return y + 2000;
	if (digits <= 3)
		return y + 1900;
	if (y < 1900)
		scan_fail(in);
	return y;
}

static void time_of_day(struct scan *in, struct civil *c)
{
	c->hour = (unsigned)scan_num(in, 23);
	lex_cfws(in);
	scan_lit(in, ":");
	lex_cfws(in);
	c->minute = (unsigned)scan_num(in, 59);
	lex_cfws(in);
	if (scan_opt(in, ":")) {
		lex_cfws(in);
		c->second = (unsigned)scan_num(in, 60);
		if (scan_opt(in, "."))
			scan_span(in, ascii_digit);
	}
	lex_cfws(in);
}

/* The four digits (or "02:00") after the sign; false: they are no zone. */
static bool zone_digits(struct scan *in, int *minutes)
{
	struct str h = scan_span(in, ascii_digit);

	if (h.n == 2 && scan_opt(in, ":")) {
		struct str m = scan_span(in, ascii_digit);

		if (m.n != 2)
			return false;
		*minutes = ((h.p[0] - '0') * 10 + h.p[1] - '0') * 60 + (m.p[0] - '0') * 10 +
			   m.p[1] - '0';
		return true;
	}
	if (h.n != 4 || h.p[2] > '5')
		return false;
	*minutes = ((h.p[0] - '0') * 10 + h.p[1] - '0') * 60 + (h.p[2] - '0') * 10 + h.p[3] - '0';
	return true;
}

/* "+0200", "EST", "GMT+0200", or nothing. What is not known is UTC: RFC 5322 4.3. */
static int zone(struct scan *in)
{
	static const struct {
		const char *name;
		int hours;
	} named[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
		      { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 } };
	struct str word = scan_span(in, ascii_alpha);
	int minutes = 0;

	for (size_t i = 0; i < LENGTH(named); i++)
		if (str_iis(word, named[i].name))
			return named[i].hours * 60;
	bool west = scan_opt(in, "-");

	if (!west && !scan_opt(in, "+"))
		return 0;
	if (!zone_digits(in, &minutes) || minutes > 24 * 60)
		return 0;
	return west ? -minutes : minutes;
}

/* "Tue", "Tuesday,", or nothing. */
static void day_name(struct scan *in)
{
	struct scan ahead = *in;
	struct str word = scan_span(&ahead, ascii_alpha);

	if (!word.n || name_of(word, months))
		return;
	*in = ahead;
	lex_cfws(in);
	if (scan_opt(in, ",") || scan_opt(in, "."))
		lex_cfws(in);
}

enum err date_parse(struct str text, struct date *out)
{
	struct scan in = scan(text);
	struct civil c = { 0 };
	bool asctime_form; /* "Nov 24 06:41:51 2026" */

	*out = (struct date){ 0 };
	lex_cfws(&in);
	day_name(&in);
	asctime_form = scan_more(&in) && ascii_alpha(*in.rest.p);
	if (asctime_form) {
		c.month = name_of(scan_span(&in, ascii_alpha), months);
		gap(&in);
		c.day = (unsigned)scan_num(&in, 31);
	} else {
		c.day = (unsigned)scan_num(&in, 31);
		gap(&in);
		c.month = name_of(scan_span(&in, ascii_alpha), months);
		gap(&in);
		c.year = year(&in);
	}
	gap(&in);
	time_of_day(&in, &c);
	if (asctime_form) {
		out->zone = scan_more(&in) && ascii_alpha(*in.rest.p) ? zone(&in) : 0;
		lex_cfws(&in);
		c.year = year(&in);
		lex_cfws(&in);
	}
	if (in.bad || !civil_ok(&c))
		return E_SYNTAX;
	if (scan_more(&in))
		out->zone = zone(&in);
	out->utc = seconds_of(&c) - out->zone * 60;
	return OK;
}

/* date-day "-" date-month "-" date-year: RFC 3501 9. */
static struct civil imap_date(struct scan *in)
{
	struct civil c = { .day = (unsigned)scan_num(in, 31) };

	scan_lit(in, "-");
	c.month = name_of(scan_take(in, 3), months);
	scan_lit(in, "-");
	struct scan digits = scan(scan_take(in, 4));

	c.year = (int)scan_num(&digits, 9999);
	if (!scan_end(&digits) || !civil_ok(&c))
		scan_fail(in);
	return c;
}

enum err date_imap_day(struct str text, int64_t *day_utc)
{
	struct scan in = scan(text);
	struct civil c = imap_date(&in);

	*day_utc = 0;
	if (!scan_end(&in))
		return E_SYNTAX;
	*day_utc = seconds_of(&c);
	return OK;
}

static unsigned two_digits(struct scan *in, unsigned max)
{
	struct str s = scan_take(in, 2);
	struct scan digits = scan(s);
	unsigned v = (unsigned)scan_num(&digits, max);

	if (!scan_end(&digits))
		scan_fail(in);
	return v;
}

enum err date_imap_parse(struct str text, struct date *out)
{
	struct scan in = scan(text);

	*out = (struct date){ 0 };
	scan_opt(&in, " "); /* date-day-fixed; one digit alone is taken too */
	struct civil c = imap_date(&in);

	scan_lit(&in, " ");
	c.hour = two_digits(&in, 23);
	scan_lit(&in, ":");
	c.minute = two_digits(&in, 59);
	scan_lit(&in, ":");
	c.second = two_digits(&in, 60);
	scan_lit(&in, " ");
	bool west = scan_opt(&in, "-");

	if (!west)
		scan_lit(&in, "+");
	int minutes = (int)(two_digits(&in, 24) * 60);

	minutes += (int)two_digits(&in, 59);
	if (!scan_end(&in))
		return E_SYNTAX;
	out->zone = west ? -minutes : minutes;
	out->utc = seconds_of(&c) - out->zone * 60;
	return OK;
}

/* What the clock on the wall there shows, within the years that have four digits. */
static int64_t wall(struct date d)
{
	int64_t utc = d.utc < UTC_LEAST ? UTC_LEAST : d.utc > UTC_MOST ? UTC_MOST : d.utc;
	int64_t there = utc + (int64_t)d.zone * 60;

	return there < UTC_LEAST ? UTC_LEAST : there > UTC_MOST ? UTC_MOST : there;
}

struct sign {
	char sign;
	unsigned hours, minutes;
};

static struct sign sign_of(int zone_minutes)
{
	unsigned m = zone_minutes < 0 ? 0u - (unsigned)zone_minutes : (unsigned)zone_minutes;

	return (struct sign){ zone_minutes < 0 ? '-' : '+', m / 60 % 100, m % 60 };
}

struct str date_rfc5322(struct arena *a, struct date d)
{
	struct civil c = civil_of(wall(d));
	struct sign z = sign_of(d.zone);

	return str_fmt(a, "%.3s, %02u %.3s %04d %02u:%02u:%02u %c%02u%02u",
		       weekdays + (size_t)3 * c.weekday, c.day, months + (size_t)3 * (c.month - 1),
		       c.year, c.hour, c.minute, c.second, z.sign, z.hours, z.minutes);
}

struct str date_imap(struct arena *a, struct date d)
{
	struct civil c = civil_of(wall(d));
	struct sign z = sign_of(d.zone);

	return str_fmt(a, "%2u-%.3s-%04d %02u:%02u:%02u %c%02u%02u", c.day,
		       months + (size_t)3 * (c.month - 1), c.year, c.hour, c.minute, c.second,
		       z.sign, z.hours, z.minutes);
}

struct str date_iso(struct arena *a, int64_t utc)
{
	struct civil c = civil_of(wall((struct date){ .utc = utc }));

	return str_fmt(a, "%04d-%02u-%02uT%02u:%02u:%02uZ", c.year, c.month, c.day, c.hour,
		       c.minute, c.second);
}

/* So many digits, neither more nor fewer, and the octet behind them. */
static unsigned digits(struct scan *in, size_t n, unsigned max, const char *behind)
{
	struct scan before = *in;
	unsigned v = (unsigned)scan_num(in, max);

	if (before.rest.n - in->rest.n != n)
		scan_fail(in);
	scan_lit(in, behind);
	return v;
}

/* "Z" or "+01:00", as minutes east. */
static int iso_zone(struct scan *in)
{
	bool west = scan_at(in, '-');

	if (scan_opt(in, "Z") || scan_opt(in, "z"))
		return 0;
	if (!west)
		scan_lit(in, "+");
	else
		scan_opt(in, "-");
	int minutes = (int)(digits(in, 2, 23, ":") * 60);

	minutes += (int)digits(in, 2, 59, "");
	return west ? -minutes : minutes;
}

enum err date_iso_parse(struct str text, int64_t *utc)
{
	struct scan in = scan(text);
	struct civil c = { .year = (int)digits(&in, 4, 9999, "-") };

	c.month = digits(&in, 2, 12, "-");
	c.day = digits(&in, 2, 31, "");
	if (!scan_opt(&in, "T") && !scan_opt(&in, "t"))
		scan_fail(&in);
	c.hour = digits(&in, 2, 23, ":");
	c.minute = digits(&in, 2, 59, ":");
	c.second = digits(&in, 2, 60, "");
	if (scan_opt(&in, ".") && !scan_span(&in, ascii_digit).n)
		scan_fail(&in);
	int zone = iso_zone(&in);

	if (!scan_end(&in) || !civil_ok(&c))
		return E_SYNTAX;
	*utc = seconds_of(&c) - zone * 60;
	return OK;
}

int64_t date_day(struct date d)
{
	int64_t t = wall(d);
	int64_t into = t % DAY;

	return t - (into < 0 ? into + DAY : into);
}
