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
	[PASSWORD_CLASSES] = { "too_few_classes",
			       "Das Passwort muss mindestens %u der vier Arten von Zeichen "
			       "enthalten: Groß-, Kleinbuchstaben, Ziffern, Sonderzeichen.",
			       "The password must have at least %u of the four kinds: upper case, "
			       "lower case, digits, special characters." },
	[PASSWORD_LEAKED] = { "leaked",
			      "Dieses Passwort steht in einer Liste gestohlener Passwörter. "
			      "Bitte wählen Sie ein anderes.",
			      "This password is on a list of stolen ones. Please take another." },
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

/* The first character that is not allowed. */
static void find_bad(struct str rest, struct password_verdict *v)
{
	while (rest.n && v->fault == PASSWORD_OK) {
		const char *at = rest.p;
		/* A NUL reads like the end. */
		uint32_t c = *at ? utf8_next(&rest) : 0;

		if (c > ' ' && c < 127)
			continue;
		v->fault = c < 128 ? PASSWORD_CHAR : PASSWORD_8BIT;
		write_which(v->which, c, at, (size_t)(rest.p - at));
	}
}

struct password_verdict password_rule(struct str password, const struct password_policy *p)
{
	struct password_verdict v = { .fault = PASSWORD_OK };
	unsigned min = p->min > PASSWORD_MIN ? p->min : PASSWORD_MIN, limit = 0;

	find_bad(password, &v);
	if (v.fault == PASSWORD_OK && password.n > PASSWORD_MAX) {
		v.fault = PASSWORD_LONG;
		limit = PASSWORD_MAX;
	} else if (v.fault == PASSWORD_OK && password.n < min) {
		v.fault = PASSWORD_SHORT;
		limit = min;
	} else if (v.fault == PASSWORD_OK && password_classes(password) < p->classes) {
		v.fault = PASSWORD_CLASSES;
		limit = p->classes;
	} else if (v.fault == PASSWORD_OK && p->leaked) {
		v.fault = PASSWORD_LEAKED;
	}
	snprintf(v.word, sizeof(v.word), "%s", faults[v.fault].word);
	write_text(v.de, sizeof(v.de), faults[v.fault].de, v.which, limit);
	write_text(v.en, sizeof(v.en), faults[v.fault].en, v.which, limit);
	if (v.fault == PASSWORD_OK)
		v.strength = password_estimate(password, p->user);
	return v;
}
