/* SPDX-License-Identifier: ISC */
/* keeper/app.c - app passwords: made, read and found. */
#include <sodium.h>

#include "base/encode.h"
#include "keeper/app.h"

/* No l and o, no 0 and 1: what is read off a screen is typed right. 32: 5 bits a character. */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

static const struct {
	const char *name;
	uint8_t bit;
} protocols[] = {
	{ "imap", APP_IMAP },
	{ "pop3", APP_POP3 },
	{ "submission", APP_SUBMISSION },
};

static void digest_of(const char chars[APP_CHARS], const uint8_t salt[APP_SALT],
		      uint8_t out[APP_DIGEST])
{
	crypto_generichash(out, APP_DIGEST, (const uint8_t *)chars, APP_CHARS, salt, APP_SALT);
}

void app_make(struct app *app, char text[APP_TEXT + 1])
{
	uint8_t octets[APP_CHARS];
	char chars[APP_CHARS], *p = text;

	randombytes_buf(octets, sizeof(octets));
	for (size_t i = 0; i < APP_CHARS; i++) {
		chars[i] = alphabet[octets[i] % 32];
		if (i && i % 4 == 0)
			*p++ = '-';
		*p++ = chars[i];
	}
	*p = 0;
	randombytes_buf(app->salt, sizeof(app->salt));
	digest_of(chars, app->salt, app->digest);
	sodium_memzero(octets, sizeof(octets));
	sodium_memzero(chars, sizeof(chars));
}

bool app_read(struct str typed, char out[APP_CHARS])
{
	size_t n = 0;

	for (size_t i = 0; i < typed.n; i++) {
		char c = ascii_lower(typed.p[i]);
		if (c == '-' || c == ' ')
			continue;
		if (n == APP_CHARS || !c || !strchr(alphabet, c))
			return false;
		out[n++] = c;
	}
	return n == APP_CHARS;
}

const struct app *app_find(const struct app *apps, size_t n, const char chars[APP_CHARS])
{
	const struct app *found = NULL;
	uint8_t digest[APP_DIGEST];

	for (size_t i = 0; i < n; i++) {
		digest_of(chars, apps[i].salt, digest);
		if (sodium_memcmp(digest, apps[i].digest, APP_DIGEST) == 0)
			found = &apps[i];
	}
	return found;
}

bool app_name_ok(struct str name)
{
	if (name.n == 0 || name.n > APP_NAME_MAX || !utf8_ok(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((uint8_t)name.p[i] < ' ' || name.p[i] == 127)
			return false;
	return true;
}

enum err app_protocols_read(struct str text, uint8_t *out)
{
	*out = text.n ? 0 : APP_ALL;
	while (text.n) {
		size_t comma = str_find(text, ','), i = 0;
		while (i < LENGTH(protocols) &&
		       !str_iis(str_part(text, 0, comma), protocols[i].name))
			i++;
		if (i == LENGTH(protocols) || comma + 1 == text.n)
			return E_SYNTAX;
		*out |= protocols[i].bit;
		text = str_from(text, comma + 1);
	}
	return OK;
}

struct str app_protocols_text(struct arena *a, uint8_t bits)
{
	struct str text = S("");

	for (size_t i = 0; i < LENGTH(protocols); i++)
		if (bits & protocols[i].bit)
			text = str_fmt(a, "%.*s%s%s", FMT(text), text.n ? "," : "",
				       protocols[i].name);
	return text;
}

uint8_t app_protocol(const char *proto)
{
	for (size_t i = 0; i < LENGTH(protocols); i++)
		if (str_is(str_of(proto), protocols[i].name))
			return protocols[i].bit;
	return 0;
}
