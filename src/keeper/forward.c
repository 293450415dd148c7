/* SPDX-License-Identifier: ISC */
#include "keeper/forward.h"

#include <sys/random.h>

#include "base/buf.h"
#include "base/clock.h"
#include "keeper/srs.h"

enum {
	VERSION = 1,
	DAY_S = 24 * 3600,
	DROP_MAX = 200, /* old ones that go with one new one */
};
static const char secrets[] = SECRET_PARTITION, kept[] = "srs";
#define COUNT S("n") /* behind all days */

/* --- the key --- */

struct keying {
	uint8_t key[SRS_KEY];
	uint8_t fresh[SRS_KEY];
};

static enum err get_key(struct tx *tx, void *arg)
{
	struct keying *k = arg;
	struct str value;
	enum err e = tx_get(tx, S("r"), &value);

	if (e)
		return e;
	if (!value.n || value.p[0] != VERSION)
		return value.n ? E_VERSION : E_CORRUPT;
	if (value.n != 1 + SRS_KEY)
		return E_CORRUPT;
	memcpy(k->key, value.p + 1, SRS_KEY);
	return OK;
}

/* Another machine may have been faster. */
static enum err make_key(struct tx *tx, void *arg)
{
	struct keying *k = arg;
	enum err e = get_key(tx, arg);

	if (e != E_NOTFOUND)
		return e;
	struct buf b = buf_new(1 + SRS_KEY);

	buf_u8(&b, VERSION);
	buf_put(&b, STR((const char *)k->fresh, SRS_KEY));
	tx_put(tx, S("r"), buf_str(&b));
	buf_free(&b);
	memcpy(k->key, k->fresh, SRS_KEY);
	return OK;
}

/* make: where there is none yet. */
static enum err the_key(struct store *st, bool make, struct keying *k)
{
	enum err e = store_read(st, str_of(secrets), get_key, k);

	if (e != E_NOTFOUND || !make)
		return e;
	BUG_IF(getrandom(k->fresh, SRS_KEY, 0) != SRS_KEY);
	return store_update(st, str_of(secrets), make_key, k);
}

/* --- senders that do not fit --- */

struct keep {
	struct str key, sender;
	int64_t today;
	struct arena *a; /* of what is read */
};

static struct str key_of(struct arena *a, int64_t day, struct str id)
{
	return str_fmt(a, "%08llx/%.*s", (unsigned long long)day, FMT(id));
}

static enum err get_kept(struct tx *tx, void *arg)
{
	struct keep *k = arg;
	struct str value;
	enum err e = tx_get(tx, k->key, &value);

	if (e)
		return e;
	if (value.n < 2 || value.p[0] != VERSION)
		return value.n ? E_VERSION : E_CORRUPT;
	k->sender = str_dup(k->a, str_from(value, 1));
	return OK;
}

/* Keys are in order of days: those before `end`, at most so many. How many went. */
static uint32_t drop(struct tx *tx, struct str end, uint32_t most)
{
	struct str key = S(""), value;
	uint32_t n = 0;

	while (n < most && !tx_next(tx, S(""), key, &key, &value) && str_cmp(key, end) < 0) {
		key = str_dup(tx_arena(tx), key);
		tx_del(tx, key);
		n++;
	}
	return n;
}

/* For one more: what is too old goes, and beyond the bound what is oldest. */
static void make_room(struct tx *tx, int64_t today)
{
	struct str least = key_of(tx_arena(tx), today - SRS_DAYS, S(""));
	uint32_t n = tx_number(tx, COUNT), gone = drop(tx, least, DROP_MAX);

	if (!gone && n >= FORWARD_KEPT)
		gone = drop(tx, COUNT, DROP_MAX);
	tx_number_put(tx, COUNT, (n > gone ? n - gone : 0) + 1);
}

static enum err put_kept(struct tx *tx, void *arg)
{
	struct keep *k = arg;
	struct str there;

	if (tx_get(tx, k->key, &there) == OK) /* meanwhile */
		return OK;
	struct buf b = buf_new(1 + PATH_MAX_OCTETS);

	buf_u8(&b, VERSION);
	buf_put(&b, k->sender);
	enum err e = b.full ? E_LIMIT : OK;

	make_room(tx, k->today);
	tx_put(tx, k->key, buf_str(&b));
	buf_free(&b);
	return e;
}

static enum err keep_sender(struct store *st, struct arena *a, int64_t today, struct str id,
			    struct str sender)
{
	struct keep k = { .key = key_of(a, today, id), .today = today, .a = a };
	enum err e = store_read(st, str_of(kept), get_kept, &k);

	k.sender = sender;
	return e == E_NOTFOUND ? store_update(st, str_of(kept), put_kept, &k) : e;
}

/* --- both ways --- */

static enum err is_ours(struct tx *tx, void *arg)
{
	int64_t created;

	return dir_domain(tx, *(struct str *)arg, &created);
}

static enum err ours(struct store *st, struct arena *a, struct str domain, struct str *name)
{
	if (name_domain(a, domain, name))
		return E_NOTFOUND;
	return store_read(st, S(DIRECTORY_PARTITION), is_ours, name);
}

enum err forward_rewrite(struct store *st, struct path sender, struct str domain, struct arena *a,
			 struct str *out)
{
	int64_t today = clock_wall() / DAY_S;
	struct str own, local, name;
	struct keying k;

	*out = path_text(a, sender);
	enum err e = ours(st, a, domain, &own);

	if (e || !sender.domain.n)
		return e;
	e = ours(st, a, sender.domain, &name);
	if (e != E_NOTFOUND)
		return e;
	e = the_key(st, true, &k);
	if (e)
		return e;
	e = srs_encode(a, k.key, today, sender, &local);
	if (e == E_LIMIT) {
		struct str id = srs_id(a, k.key, today, sender);

		local = srs_kept(a, k.key, today, id);
		e = keep_sender(st, a, today, id, *out);
	}
	*out = path_text(a, (struct path){ .local = local, .domain = own });
	return e;
}

enum err forward_back(struct store *st, struct path to, struct arena *a, struct route *out)
{
	struct keep k = { .a = a };
	struct keying keying;
	struct str domain;
	struct srs s;
	enum err e = ours(st, a, to.domain, &domain);

	if (e)
		return e == E_NOTFOUND ? E_DENIED : e;
	e = the_key(st, false, &keying);
	if (!e)
		e = srs_parse(a, keying.key, clock_wall() / DAY_S, to.local, &s);
	if (e)
		return e;
	*out = (struct route){ .back = true, .mailbox = S("") };
	if (!s.id.n) {
		out->address = path_text(a, s.sender);
		return OK;
	}
	k.key = key_of(a, s.day, s.id);
	e = store_read(st, str_of(kept), get_kept, &k);
	out->address = k.sender;
	return e;
}
