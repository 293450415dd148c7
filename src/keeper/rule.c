/* SPDX-License-Identifier: ISC */
/* keeper/rule.c - what a new password may look like, as promised to the users. */
#include "base/encode.h"
#include "keeper/password.h"

/* The texts of a fault; %s is the character, %u the number of characters. */
static const struct {
	const char *word, *de, *en;
} faults[PASSWORD_FAULTS] = {
	[PASSWORD_OK] = { "ok", "Das Passwort ist in Ordnung.", "The password is fine." },
	[PASSWORD_SHORT] = { "too_short", "Das Passwort muss mindestens %u Zeichen lang sein.",
			     "The password must have at least %u characters." },
	[PASSWORD_LONG] = { "too_long", "Das Passwort darf höchstens %u Zeichen lang sein.",
			    "The password may have at most %u characters." },
	[PASSWORD_CHAR] = { "bad_char", "Das Zeichen „%s“ ist im Passwort nicht erlaubt.",
			    "The character \"%s\" is not allowed in a password." },
	[PASSWORD_8BIT] = { "umlaut",
			    "Das Zeichen „%s“ ist nicht erlaubt: Umlaute und andere Zeichen "
			    "außerhalb von ASCII machen in Mailprogrammen Schwierigkeiten.",
			    "The character \"%s\" is not allowed: letters beyond ASCII make "
			    "trouble in mail programs." },
};

static void write_text(char *out, size_t size, const char *text, const char *which, unsigned n)
{
	const char *at = strchr(text, '%');

	if (!at)
		snprintf(out, size, "%s", text);
	else if (at[1] == 'u')
		snprintf(out, size, "%.*s%u%s", (int)(at - text), text, n, at + 2);
	else
		snprintf(out, size, "%.*s%s%s", (int)(at - text), text, which, at + 2);
}

/* A space or control character has no look of its own. */
static void write_which(char out[8], uint32_t c, const char *octets, size_t n)
{
	if (c < ' ' || c == 127)
		snprintf(out, 8, "0x%02x", (unsigned)c);
	else if (c == UINT32_MAX) /* not UTF-8 */
		snprintf(out, 8, "0x%02x", (unsigned)(uint8_t)*octets);
	else
		snprintf(out, 8, "%.*s", (int)n, octets);
}

struct password_verdict password_rule(struct str password, unsigned min)
{
	struct password_verdict v = { .fault = PASSWORD_OK };
	struct str rest = password;
	unsigned limit = PASSWORD_MAX;

	while (rest.n && v.fault == PASSWORD_OK) {
		const char *at = rest.p;
		/* A NUL reads like the end. */
		uint32_t c = *at ? utf8_next(&rest) : 0;

		if (c > ' ' && c < 127)
			continue;
		v.fault = c < 128 ? PASSWORD_CHAR : PASSWORD_8BIT;
		write_which(v.which, c, at, (size_t)(rest.p - at));
	}
	if (v.fault == PASSWORD_OK && password.n > PASSWORD_MAX)
		v.fault = PASSWORD_LONG;
	if (v.fault == PASSWORD_OK && password.n < (min > PASSWORD_MIN ? min : PASSWORD_MIN)) {
		v.fault = PASSWORD_SHORT;
		limit = min > PASSWORD_MIN ? min : PASSWORD_MIN;
	}
	snprintf(v.word, sizeof(v.word), "%s", faults[v.fault].word);
	write_text(v.de, sizeof(v.de), faults[v.fault].de, v.which, limit);
	write_text(v.en, sizeof(v.en), faults[v.fault].en, v.which, limit);
	return v;
}
