/* SPDX-License-Identifier: ISC */
/* keeper/invited.c - the records of invitations. */
#include "keeper/record.h"

static const struct str dir = { DIRECTORY_PARTITION, sizeof(DIRECTORY_PARTITION) - 1 };

/* Whatever its time. */
static enum err held(struct tx *tx, struct name n, struct arena *a, struct invitation *out)
{
	struct str value;
	enum err e = tx_get(tx, key_invitation(tx_arena(tx), n), &value);

	return e ? e : invitation_read(value, a, out);
}

enum err dir_invitation(struct tx *tx, struct name n, int64_t now, struct arena *a,
			struct invitation *out)
{
	enum err e = held(tx, n, a, out);

	return !e && out->until <= now ? E_NOTFOUND : e;
}

enum err dir_uninvite(struct tx *tx, struct name n)
{
	struct arena *a = tx_arena(tx);
	struct invitation inv;
	enum err e = held(tx, n, a, &inv);

	if (e)
		return e;
	tx_del(tx, key_token(a, inv.digest));
	tx_del(tx, key_invitation(a, n));
	return OK;
}

static enum err put_invitation(struct tx *tx, void *arg)
{
	const struct invitation *inv = arg;
	struct arena *a = tx_arena(tx);
	enum err e = dir_vacant(tx, inv->name);

	if (e)
		return e;
	e = dir_uninvite(tx, inv->name);
	if (e && e != E_NOTFOUND)
		return e;
	tx_put(tx, key_invitation(a, inv->name), record_invitation(a, inv));
	tx_put(tx, key_token(a, inv->digest), record_name(a, inv->name));
	return OK;
}

enum err directory_invite(struct store *st, const struct invitation *inv)
{
	struct invitation copy = *inv;

	return store_update(st, dir, put_invitation, &copy);
}

struct find_invitation {
	const uint8_t *digest; /* NULL: by name */
	struct name name;
	int64_t now;
	struct arena *a;
	struct invitation *out;
};

static enum err find(struct tx *tx, void *arg)
{
	struct find_invitation *f = arg;
	struct name n = f->name;
	struct str value;
	enum err e = OK;

	if (f->digest) {
		e = tx_get(tx, key_token(tx_arena(tx), f->digest), &value);
		if (!e)
			e = name_read(value, tx_arena(tx), &n);
	}
	return e ? e : dir_invitation(tx, n, f->now, f->a ? f->a : tx_arena(tx), f->out);
}

enum err directory_invitation(struct store *st, const uint8_t digest[INVITE_DIGEST], int64_t now,
			      struct arena *a, struct invitation *out)
{
	struct find_invitation f = { .digest = digest, .now = now, .a = a, .out = out };

	return store_read(st, dir, find, &f);
}

enum err directory_invited(struct store *st, struct name n, int64_t now)
{
	struct invitation inv;
	struct find_invitation f = { .name = n, .now = now, .out = &inv };

	return store_read(st, dir, find, &f);
}

static enum err del_invitation(struct tx *tx, void *arg)
{
	return dir_uninvite(tx, *(struct name *)arg);
}

enum err directory_invite_delete(struct store *st, struct name n)
{
	return store_update(st, dir, del_invitation, &n);
}

/* --- those whose time is over --- */

enum { SWEEP_MAX = 200 }; /* of one update */

struct sweep {
	int64_t now;
	bool more;
};

static enum err sweep_some(struct tx *tx, void *arg)
{
	struct sweep *s = arg;
	struct arena *a = tx_arena(tx);
	struct str after = S(""), key, value;
	unsigned n = 0;
	enum err e;

	while (!(e = tx_next(tx, S("i/"), after, &key, &value)) && n < SWEEP_MAX) {
		struct invitation inv;

		after = str_dup(a, key);
		e = invitation_read(value, a, &inv);
		if (e)
			return e;
		if (inv.until > s->now)
			continue;
		tx_del(tx, key_token(a, inv.digest));
		tx_del(tx, after);
		n++;
	}
	s->more = !e;
	return e == E_NOTFOUND ? OK : e;
}

enum err directory_invite_sweep(struct store *st, int64_t now)
{
	struct sweep s = { .now = now, .more = true };
	enum err e = OK;

	while (!e && s.more)
		e = store_update(st, dir, sweep_some, &s);
	return e;
}
