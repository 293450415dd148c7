/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_APP_H
#define KEEPER_APP_H
/*
 * app.h - app passwords: one for each device, made by us, withdrawn one by one.
 *
 * They are 24 characters of an alphabet of 32: 120 random bits, which nobody guesses however
 * fast the hash is. So they are kept as BLAKE2b under a salt of their own and cost microseconds
 * to check: docs/adr/0012-app-passwords.md. Pure functions.
 */
#include "base/base.h"

enum {
	APP_CHARS = 24, /* without the hyphens */
	APP_TEXT = 29,  /* "abcd-efgh-ijkm-npqr-stuv-wxyz" */
	APP_SALT = 16,
	APP_DIGEST = 32,
	APP_NAME_MAX = 64, /* octets */
	APPS_MAX = 50,     /* of one account */
	APP_USED_EVERY_S = 3600
};

enum { APP_IMAP = 1, APP_POP3 = 2, APP_SUBMISSION = 4, APP_ALL = 7 }; /* protocols: bits */

struct app {
	uint32_t id; /* of the account, never given again */
	struct str name;
	int64_t created, used; /* UTC seconds; used: to the hour or so, 0: never */
	uint8_t protocols;     /* APP_ALL: no limit */
	uint8_t salt[APP_SALT], digest[APP_DIGEST];
};

/* Makes a password, for its owner's eyes once, and fills in salt and digest. */
void app_make(struct app *app, char text[APP_TEXT + 1]);
/* Has it the form of one? Hyphens, spaces and capitals, as people type them, do not matter. */
bool app_read(struct str typed, char out[APP_CHARS]);
/* Which one of them it is, or NULL; takes the time of all. */
const struct app *app_find(const struct app *apps, size_t n, const char chars[APP_CHARS]);

/* A name for people: 1 .. APP_NAME_MAX octets of UTF-8 without controls. */
bool app_name_ok(struct str name);
/* "imap,submission" and back; "" is all. E_SYNTAX. */
MUST enum err app_protocols_read(struct str text, uint8_t *out);
struct str app_protocols_text(struct arena *a, uint8_t protocols);
/* The bit of a protocol as login_try has it; 0: none that takes app passwords. */
uint8_t app_protocol(const char *proto);

#endif
