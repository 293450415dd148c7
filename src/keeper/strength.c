/* SPDX-License-Identifier: ISC */
/*
 * keeper/strength.c - how long a password would last, and what would make it better.
 *
 * The estimate counts characters, and takes for less what guessing programs try first: a
 * character that repeats the one before it or goes on with a sequence (abcd, 4321, qwert) counts
 * a quarter, and each part of the user's own address counts one in all. The sum is multiplied by
 * the bits that a character of so many kinds has. It knows no words: "passwordpassword" looks
 * better than it is, which is what the list of leaked passwords is for.
 */
#include "base/arena.h"
#include "keeper/password.h"

enum { QUARTERS = 4, NAME_LEAST = 3, LENGTH_GOOD = 12 };

/* Tenths of a bit for a character, by the number of kinds; digits alone have fewer. */
static const unsigned tenths[] = { 0, 47, 54, 60, 65 };
enum { TENTHS_DIGITS = 33 };

/* At least so many bits for the scores 1 to 4. */
static const unsigned steps[] = { 28, 40, 55, 72 };

enum { LOWER = 1, UPPER = 2, DIGIT = 4, SPECIAL = 8 };

static unsigned kinds(struct str s)
{
	unsigned seen = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		seen |= ascii_digit(c)        ? DIGIT
			: !ascii_alpha(c)     ? SPECIAL
			: ascii_upper(c) == c ? UPPER
					      : LOWER;
	}
	return seen;
}

unsigned password_classes(struct str password)
{
	return (unsigned)__builtin_popcount(kinds(password));
}

/* The next one in the alphabet, among the digits or on a keyboard, in either direction. */
static bool follows(char a, char b)
{
	static const char *const rows[] = { "qwertzuiop", "qwertyuiop", "asdfghjkl", "yxcvbnm",
					    "zxcvbnm" };

	a = ascii_lower(a);
	b = ascii_lower(b);
	if (a == b || ((a + 1 == b || b + 1 == a) && (ascii_alpha(a) || ascii_digit(a))))
		return true;
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (const char *r = rows[i]; r[1]; r++)
			if ((r[0] == a && r[1] == b) || (r[0] == b && r[1] == a))
				return true;
	return false;
}

/* Marks where a part of the address stands in the password; the number of places. */
static unsigned mark_name(struct str password, struct str part, bool *marks)
{
	unsigned found = 0;

	if (part.n < NAME_LEAST)
		return 0;
	for (size_t i = 0; i + part.n <= password.n; i++) {
		if (!str_ieq(str_part(password, i, part.n), part))
			continue;
		memset(marks + i, true, part.n);
		found++;
	}
	return found;
}

static unsigned mark_user(struct str password, struct str user, bool *marks)
{
	unsigned found = 0;

	while (user.n) {
		size_t n = 0;
		while (n < user.n && (ascii_alpha(user.p[n]) || ascii_digit(user.p[n])))
			n++;
		found += mark_name(password, str_part(user, 0, n), marks);
		user = str_from(user, n + 1);
	}
	return found;
}

static void advise(struct password_strength *out, const char *de, const char *en)
{
	snprintf(out->de, sizeof(out->de), "%s", de);
	snprintf(out->en, sizeof(out->en), "%s", en);
}

struct password_strength password_estimate(struct str password, struct str user)
{
	struct password_strength out = { 0 };
	bool marks[PASSWORD_MAX] = { 0 };
	struct str s = str_part(password, 0, PASSWORD_MAX);
	unsigned seen = kinds(s), n = password_classes(s);
	unsigned named = mark_user(s, user, marks), easy = 0, quarters = named * QUARTERS;

	for (size_t i = 0; i < s.n; i++) {
		bool simple = i && follows(s.p[i - 1], s.p[i]);
		if (marks[i])
			continue;
		easy += simple;
		quarters += simple ? 1 : QUARTERS;
	}
	unsigned bits = quarters * (seen == DIGIT ? TENTHS_DIGITS : tenths[n]) / QUARTERS / 10;
	while (out.score < LENGTH(steps) && bits >= steps[out.score])
		out.score++;

	if (named)
		advise(&out, "Ihr Name im Passwort wird zuerst geraten: Lassen Sie ihn weg.",
		       "Your name in the password is guessed first: leave it out.");
	else if (4 * easy > s.n)
		advise(&out, "Wiederholungen und Folgen wie 1234 oder qwertz zählen kaum.",
		       "Repetitions and sequences like 1234 or qwerty count for little.");
	else if (s.n < LENGTH_GOOD || (n == 4 && out.score < LENGTH(steps)))
		advise(&out, "Länger ist besser: ab zwölf Zeichen, etwa mehrere Wörter.",
		       "Longer is better: twelve characters or more, such as several words.");
	else if (out.score < LENGTH(steps))
		advise(&out, "Mischen Sie Groß- und Kleinbuchstaben, Ziffern und Sonderzeichen.",
		       "Mix upper case, lower case, digits and special characters.");
	else
		advise(&out, "Gut. Benutzen Sie es nur hier.", "Good. Use it here only.");
	return out;
}
