/* SPDX-License-Identifier: ISC */
/* keeper/record.c - keys and values of the directory. */
#include "base/encode.h"
#include "keeper/life.h"
#include "keeper/record.h"

enum { RECORD_VERSION = 1, SECRET_VERSION = 2, USER_VERSION = 3, RECORD_MAX = VALUE_MAX };

struct str key_domain(struct arena *a, struct str domain)
{
	return str_fmt(a, "d/%.*s", FMT(domain));
}

struct str key_user(struct arena *a, struct name n)
{
	return str_fmt(a, "u/%.*s/%.*s", FMT(n.domain), FMT(n.local));
}

struct str key_alias(struct arena *a, struct name n)
{
	return str_fmt(a, "l/%.*s/%.*s", FMT(n.domain), FMT(n.local));
}

struct str key_invitation(struct arena *a, struct name n)
{
	return str_fmt(a, "i/%.*s/%.*s", FMT(n.domain), FMT(n.local));
}

struct str key_token(struct arena *a, const uint8_t digest[INVITE_DIGEST])
{
	struct str hex = hex_encode(a, STR((const char *)digest, INVITE_DIGEST));

	return str_fmt(a, "t/%.*s", FMT(hex));
}

struct str key_account(struct arena *a, char kind, uint32_t account)
{
	return str_fmt(a, "%c/%08x", kind, account);
}

bool key_account_of(struct str key, uint32_t *account)
{
	struct scan in = scan(str_from(key, 2));

	*account = (uint32_t)scan_hex(&in, 8);
	return scan_end(&in);
}

/* --- writing: records are small, the buffer's maximum is never met but by a BUG --- */

static struct buf record_of(uint8_t version)
{
	struct buf b = buf_new(RECORD_MAX);

	buf_u8(&b, version);
	return b;
}

static struct buf record_new(void)
{
	return record_of(RECORD_VERSION);
}

static struct str record_done(struct arena *a, struct buf *b)
{
	BUG_IF(b->full);
	struct str s = str_dup(a, buf_str(b));
	buf_free(b);
	return s;
}

static void put_name(struct buf *b, struct name n)
{
	buf_blob(b, n.local);
	buf_blob(b, n.domain);
}

struct str record_domain(struct arena *a, int64_t created)
{
	struct buf b = record_new();

	buf_u64(&b, (uint64_t)created);
	return record_done(a, &b);
}

/* Version 1 ended behind the name, 2 behind the reasons. */
struct str record_user(struct arena *a, const struct user *u)
{
	struct buf b = record_of(USER_VERSION);

	buf_u32(&b, u->account);
	buf_u8(&b, u->state);
	buf_u64(&b, (uint64_t)u->created);
	buf_u64(&b, u->quota);
	put_name(&b, u->name);
	buf_u32(&b, u->expires);
	buf_blob(&b, u->lock_reason);
	buf_u8(&b, u->send_blocked);
	buf_blob(&b, u->send_reason);
	buf_u8(&b, (uint8_t)u->guarantees.sending);
	buf_u8(&b, u->guarantees.receiving);
	return record_done(a, &b);
}

struct str record_alias(struct arena *a, const struct alias *l)
{
	struct buf b = record_new();

	buf_u64(&b, (uint64_t)l->created);
	put_name(&b, l->name);
	buf_u32(&b, (uint32_t)l->ntargets);
	for (size_t i = 0; i < l->ntargets; i++) {
		struct name t = l->targets[i];
		buf_blob(&b, t.written.n ? t.written : t.local);
		buf_blob(&b, t.domain);
	}
	return record_done(a, &b);
}

struct str record_name(struct arena *a, struct name n)
{
	struct buf b = record_new();

	put_name(&b, n);
	return record_done(a, &b);
}

/* Version 1 ended behind the hash. */
struct str record_secret(struct arena *a, const struct secret *s)
{
	struct buf b = record_of(SECRET_VERSION);

	buf_u64(&b, s->serial);
	buf_u64(&b, (uint64_t)s->changed);
	buf_blob(&b, s->hash);
	buf_u32(&b, s->scram.iterations);
	if (s->scram.iterations) {
		buf_put(&b, STR((const char *)s->scram.salt, SCRAM_SALT));
		buf_put(&b, STR((const char *)s->scram.stored, SCRAM_KEY));
		buf_put(&b, STR((const char *)s->scram.server, SCRAM_KEY));
	}
	return record_done(a, &b);
}

struct str record_apps(struct arena *a, const struct apps *l)
{
	struct buf b = record_new();

	buf_u32(&b, l->last);
	buf_u32(&b, (uint32_t)l->n);
	for (size_t i = 0; i < l->n; i++) {
		const struct app *p = &l->app[i];
		buf_u32(&b, p->id);
		buf_blob(&b, p->name);
		buf_u64(&b, (uint64_t)p->created);
		buf_u64(&b, (uint64_t)p->used);
		buf_u8(&b, p->protocols);
		buf_put(&b, STR((const char *)p->salt, APP_SALT));
		buf_put(&b, STR((const char *)p->digest, APP_DIGEST));
	}
	return record_done(a, &b);
}

struct str record_invitation(struct arena *a, const struct invitation *inv)
{
	struct buf b = record_new();

	put_name(&b, inv->name);
	buf_u64(&b, (uint64_t)inv->created);
	buf_u64(&b, (uint64_t)inv->until);
	buf_u64(&b, inv->quota);
	buf_put(&b, STR((const char *)inv->digest, INVITE_DIGEST));
	return record_done(a, &b);
}

struct str record_life(struct arena *a, const struct life *l)
{
	struct buf b = record_new();

	buf_u8(&b, (uint8_t)l->mode);
	buf_u32(&b, l->last_day);
	buf_u64(&b, (uint64_t)l->changed);
	buf_blob(&b, l->notice);
	return record_done(a, &b);
}

struct str record_number(struct arena *a, uint32_t n)
{
	struct buf b = record_new();

	buf_u32(&b, n);
	return record_done(a, &b);
}

/* --- reading --- */

static enum err begin(struct str value, struct scan *in)
{
	*in = scan(value);
	if (value.n == 0)
		return E_CORRUPT;
	return scan_u8(in) == RECORD_VERSION ? OK : E_VERSION;
}

static enum err ended(const struct scan *in)
{
	return scan_end(in) ? OK : E_CORRUPT;
}

static struct name take_name(struct scan *in, struct arena *a)
{
	struct name n = { 0 };

	n.local = str_dup(a, scan_blob(in));
	n.domain = str_dup(a, scan_blob(in));
	return n;
}

enum err domain_read(struct str value, int64_t *created)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	*created = (int64_t)scan_u64(&in);
	return ended(&in);
}

static bool take_state(struct scan *in, struct arena *a, struct user *out)
{
	out->expires = scan_u32(in);
	out->lock_reason = str_dup(a, scan_blob(in));
	unsigned blocked = scan_u8(in);
	out->send_blocked = blocked;
	out->send_reason = str_dup(a, scan_blob(in));
	return blocked <= 1;
}

static bool take_guarantees(struct scan *in, struct guarantees *out)
{
	unsigned sending = scan_u8(in), receiving = scan_u8(in);

	*out = (struct guarantees){ (enum guarantee)sending, receiving };
	return sending < GUARANTEES && receiving <= 1;
}

enum err user_read(struct str value, struct arena *a, struct user *out)
{
	struct scan in = scan(value);

	if (value.n == 0)
		return E_CORRUPT;
	unsigned version = scan_u8(&in);
	if (version < RECORD_VERSION || version > USER_VERSION)
		return E_VERSION;
	*out = (struct user){ .account = scan_u32(&in) };
	out->state = scan_u8(&in);
	out->created = (int64_t)scan_u64(&in);
	out->quota = scan_u64(&in);
	out->name = take_name(&in, a);
	if (version >= 2 && !take_state(&in, a, out))
		return E_CORRUPT;
	if (version >= 3 && !take_guarantees(&in, &out->guarantees))
		return E_CORRUPT;
	if (!out->account || (out->state != USER_ACTIVE && out->state != USER_LOCKED))
		return E_CORRUPT;
	return ended(&in);
}

enum err alias_read(struct str value, struct arena *a, struct alias *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	out->created = (int64_t)scan_u64(&in);
	out->name = take_name(&in, a);
	out->ntargets = scan_u32(&in);
	if (in.bad || out->ntargets > ALIAS_TARGETS_MAX)
		return E_CORRUPT;
	out->targets = ARENA_ARRAY(a, struct name, out->ntargets);
	for (size_t i = 0; i < out->ntargets; i++) {
		struct name *t = &out->targets[i];
		*t = take_name(&in, a);
		t->written = t->local;
		t->local = name_fold(a, t->written);
	}
	return ended(&in);
}

enum err name_read(struct str value, struct arena *a, struct name *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	*out = take_name(&in, a);
	return ended(&in);
}

static void take_octets(struct scan *in, uint8_t *out, size_t n)
{
	struct str s = scan_take(in, n);

	if (!in->bad)
		memcpy(out, s.p, n);
}

enum err secret_read(struct str value, struct arena *a, struct secret *out)
{
	struct scan in = scan(value);

	if (value.n == 0)
		return E_CORRUPT;
	unsigned version = scan_u8(&in);
	if (version != RECORD_VERSION && version != SECRET_VERSION)
		return E_VERSION;
	out->serial = scan_u64(&in);
	out->changed = (int64_t)scan_u64(&in);
	out->hash = str_dup(a, scan_blob(&in));
	out->scram = (struct scram){ 0 };
	if (version == RECORD_VERSION)
		return ended(&in);
	out->scram.iterations = scan_u32(&in);
	if (out->scram.iterations) {
		take_octets(&in, out->scram.salt, SCRAM_SALT);
		take_octets(&in, out->scram.stored, SCRAM_KEY);
		take_octets(&in, out->scram.server, SCRAM_KEY);
	}
	return ended(&in);
}

enum err invitation_read(struct str value, struct arena *a, struct invitation *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	out->name = take_name(&in, a);
	out->created = (int64_t)scan_u64(&in);
	out->until = (int64_t)scan_u64(&in);
	out->quota = scan_u64(&in);
	take_octets(&in, out->digest, INVITE_DIGEST);
	return ended(&in);
}

enum err life_decode(struct str value, struct arena *a, struct life *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	unsigned mode = scan_u8(&in);
	out->mode = (enum life_mode)mode;
	out->last_day = scan_u32(&in);
	out->changed = (int64_t)scan_u64(&in);
	out->notice = str_dup(a, scan_blob(&in));
	return mode >= LIFE_OPEN && mode <= LIFE_ENDED ? ended(&in) : E_CORRUPT;
}

enum err apps_read(struct str value, struct arena *a, struct apps *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	out->last = scan_u32(&in);
	out->n = scan_u32(&in);
	if (in.bad || out->n > APPS_MAX)
		return E_CORRUPT;
	out->app = ARENA_ARRAY(a, struct app, APPS_MAX);
	for (size_t i = 0; i < out->n; i++) {
		struct app *p = &out->app[i];
		p->id = scan_u32(&in);
		p->name = str_dup(a, scan_blob(&in));
		p->created = (int64_t)scan_u64(&in);
		p->used = (int64_t)scan_u64(&in);
		p->protocols = scan_u8(&in);
		take_octets(&in, p->salt, APP_SALT);
		take_octets(&in, p->digest, APP_DIGEST);
	}
	return ended(&in);
}

enum err number_read(struct str value, uint32_t *out)
{
	struct scan in;
	enum err e = begin(value, &in);

	if (e)
		return e;
	*out = scan_u32(&in);
	return ended(&in);
}
