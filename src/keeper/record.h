/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_RECORD_H
#define KEEPER_RECORD_H
/*
 * record.h - the octets of the directory's records and keys; see directory.h. Never suspends.
 */
#include "base/buf.h"
#include "keeper/directory.h"

struct life;

struct str key_domain(struct arena *a, struct str domain);
struct str key_user(struct arena *a, struct name n);
struct str key_alias(struct arena *a, struct name n);
struct str key_invitation(struct arena *a, struct name n);
struct str key_token(struct arena *a, const uint8_t digest[INVITE_DIGEST]);
/* kind: 'a', 'p', 'w', 'x', 'v', 'k' or 'r'. */
struct str key_account(struct arena *a, char kind, uint32_t account);

bool key_account_of(struct str key, uint32_t *account);

struct str record_domain(struct arena *a, int64_t created);
struct str record_user(struct arena *a, const struct user *u);
struct str record_alias(struct arena *a, const struct alias *l);
struct str record_name(struct arena *a, struct name n);
struct str record_secret(struct arena *a, const struct secret *s);
struct str record_apps(struct arena *a, const struct apps *l);
struct str record_invitation(struct arena *a, const struct invitation *inv);
struct str record_life(struct arena *a, const struct life *l);
struct str record_number(struct arena *a, uint32_t n);

/* E_VERSION, E_CORRUPT. Texts are copied to the arena. */
MUST enum err domain_read(struct str value, int64_t *created);
MUST enum err user_read(struct str value, struct arena *a, struct user *out);
MUST enum err alias_read(struct str value, struct arena *a, struct alias *out);
MUST enum err name_read(struct str value, struct arena *a, struct name *out);
MUST enum err secret_read(struct str value, struct arena *a, struct secret *out);
MUST enum err apps_read(struct str value, struct arena *a, struct apps *out);
MUST enum err invitation_read(struct str value, struct arena *a, struct invitation *out);
MUST enum err life_decode(struct str value, struct arena *a, struct life *out);
MUST enum err number_read(struct str value, uint32_t *out);

/* --- inside an update of "dir" --- */
/* E_EXISTS: a user or an alias has the address; E_NOTFOUND: its domain is not ours. */
MUST enum err dir_vacant(struct tx *tx, struct name n);
MUST enum err dir_uninvite(struct tx *tx, struct name n); /* E_NOTFOUND: there was none */

#endif
