/* SPDX-License-Identifier: ISC */
/*
 * What the keeper reads: addresses, hashes and passwords that people type, and its own records
 * off a damaged store. The first octet says which.
 */
#include "base/encode.h"
#include "keeper/dkim.h"
#include "keeper/history.h"
#include "keeper/life.h"
#include "keeper/password.h"
#include "keeper/record.h"
#include "keeper/refusals.h"
#include "keeper/sending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The directory's form is a fixed point: reading it again changes nothing. */
static void fuzz_name(struct arena *a, struct str s)
{
	struct name n, again;

	if (name_parse(a, s, true, &n))
		return;
	BUG_IF(n.local.n == 0 || n.local.n + 1 + n.domain.n > NAME_MAX_OCTETS);
	BUG_IF(memchr(key_alias(a, n).p, 0, key_alias(a, n).n));
	BUG_IF(key_alias(a, n).n > KEY_MAX);
	if (name_text(a, n).n > PATH_MAX_OCTETS - 2)
		return; /* quoting made it too long to be typed */
	BUG_IF(name_parse(a, name_text(a, n), true, &again));
	BUG_IF(!str_eq(n.local, again.local) || !str_eq(n.domain, again.domain));
}

/* Half of the input is a hash, half a password; crypt(3) itself is not ours to fuzz. */
static void fuzz_hash(struct str s)
{
	const char *why;
	struct str hash = str_part(s, 0, s.n / 2);

	if (!password_hash_known(hash, &why) && str_istarts(hash, S("{S")) && !str_has(hash, '$'))
		BUG_IF(password_verify(hash, str_from(s, hash.n)) > E_DENIED);
	BUG_IF(!*why);
}

static void fuzz_rule(struct str s)
{
	struct password_policy policy = { .classes = s.n % 5, .user = str_part(s, 0, s.n / 2) };
	struct password_verdict v = password_rule(s, &policy);

	BUG_IF(v.fault == PASSWORD_OK && (s.n < PASSWORD_MIN || s.n > PASSWORD_MAX));
	BUG_IF(!*v.de || !*v.en || !*v.word || v.strength.score > 4);
}

/* Whatever was read can be counted on and written again. */
static enum err fuzz_sending(struct str s)
{
	static struct sending_record r;
	struct buf b = buf_new(SENDING_OCTETS);
	enum err e = sending_decode(s, &r);

	if (!e) {
		sending_add(&r, (int64_t)s.n * 3600, &(uint32_t){ 7 }, 1);
		BUG_IF(!sending_knows(&r, 7) || r.nknown > SENDING_KNOWN);
		sending_encode(&b, &r);
		BUG_IF(b.full);
		buf_free(&b);
	}
	return e;
}

/* Whatever was read can be added to, written again, and made a mail of. */
static enum err fuzz_refusals(struct arena *a, struct str s)
{
	struct refusals *l = ARENA_NEW(a, struct refusals);
	struct refusal_row more = { .sender = refusal_text(a, s), .count = 1, .last = 7 };
	enum err e = refusals_read(s, l);

	if (e)
		return e;
	BUG_IF(!str_eq(refusals_record(a, l), s));
	refusals_add(l, &more);
	BUG_IF(l->n > REFUSALS_MAX || refusals_record(a, l).n > VALUE_MAX);
	BUG_IF(!refusals_notice(a, S("a@b.test"), l).text.n);
	return OK;
}

static void fuzz_record(struct arena *a, char which, struct str s)
{
	struct alias l = { 0 };
	struct user u = { 0 };
	struct secret secret = { 0 };
	struct apps apps = { 0 };
	struct history history = { 0 };
	struct places places = { 0 };
	struct invitation inv = { 0 };
	struct life life = { 0 };
	struct dkim_keys keys = { 0 };
	struct name n;
	uint32_t number;
	int64_t created;
	enum err e = OK;

	switch (which) {
	case 'd': e = domain_read(s, &created); break;
	case 'u': e = user_read(s, a, &u); break;
	case 'l': e = alias_read(s, a, &l); break;
	case 'a': e = name_read(s, a, &n); break;
	case 'p': e = secret_read(s, a, &secret); break;
	case 's': e = fuzz_sending(s); break;
	case 'w': e = apps_read(s, a, &apps); break;
	case 'v': e = history_read(s, &history); break;
	case 'k': e = places_read(s, &places); break;
	case 'r': e = fuzz_refusals(a, s); break;
	case 'i': e = invitation_read(s, a, &inv); break;
	case 'D': e = dkim_read(s, a, &keys); break;
	case 'L': e = life_decode(s, a, &life); break;
	default: e = number_read(s, &number); break;
	}
	BUG_IF(e && e != E_CORRUPT && e != E_VERSION);
	if (which == 'i' && !e)
		BUG_IF(!str_eq(record_invitation(a, &inv), s));
	if (which == 'D' && !e)
		BUG_IF(!str_eq(dkim_record(a, &keys), s));
	if (which == 'L' && !e)
		BUG_IF(!str_eq(record_life(a, &life), s) || !*life_word(life.mode));
	if (which == 'u' && !e && *s.p == 3)
		BUG_IF(!str_eq(record_user(a, &u), s));
	if (which == 'l' && !e)
		BUG_IF(!str_eq(record_alias(a, &l), s));
	if (which == 'w' && !e)
		BUG_IF(!str_eq(record_apps(a, &apps), s));
	if (which == 'v' && !e) {
		BUG_IF(!str_eq(history_record(a, &history), s));
		for (size_t i = history.n; i--;) /* added once more: never more than there may be */
			history_add(&history, &history.visit[i]);
		BUG_IF(history_record(a, &history).n > VALUE_MAX || history.n > VISITS_MAX);
	}
	if (which == 'k' && !e)
		BUG_IF(!str_eq(places_record(a, &places), s));
	if (which == 'p' && !e && *s.p == 2)
		BUG_IF(!str_eq(record_secret(a, &secret), s));
}

/* A day that is read is written the same, in one of its two forms. */
static void fuzz_day(struct arena *a, struct str s)
{
	uint8_t digest[INVITE_DIGEST];
	uint32_t day;

	if (!day_parse(s, &day))
		BUG_IF(!str_eq(s, day_en(a, day)) && !str_eq(s, day_de(a, day)));
	BUG_IF(invite_read(s, digest) && s.n != INVITE_TEXT);
	BUG_IF(life_text_ok(s, REASON_MAX) && ascii_spell(a, s).n > REASON_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a;
	struct str s;

	if (size < 1 || size > 65536)
		return 0;
	a = arena_new(16 << 20);
	s = STR((const char *)data + 1, size - 1);
	switch (*data) {
	case '@': fuzz_name(a, s); break;
	case '{': fuzz_hash(s); break;
	case '*': fuzz_rule(s); break;
	case '-': fuzz_day(a, s); break;
	default: fuzz_record(a, (char)*data, s); break;
	}
	arena_free(&a);
	return 0;
}
