/* SPDX-License-Identifier: ISC */
/* keeper/secrets.c - the partition "secret": hashes, verifiers, app passwords. */
#include "base/clock.h"
#include "keeper/record.h"

static const struct str secrets = { SECRET_PARTITION, sizeof(SECRET_PARTITION) - 1 };

/* --- passwords --- */

struct secret_of {
	uint32_t account;
	struct arena *a;
	struct secret *out;
};

static enum err get_secret(struct tx *tx, void *arg)
{
	struct secret_of *s = arg;
	struct str value;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'p', s->account), &value);

	return e ? e : secret_read(value, s->a, s->out);
}

enum err directory_secret(struct store *st, uint32_t account, struct arena *a, struct secret *out)
{
	struct secret_of s = { account, a, out };

	return store_read(st, secrets, get_secret, &s);
}

struct put_secret {
	uint32_t account;
	const struct secret *fresh;
	enum { ANEW, REPLACE, UPGRADE } how;
};

static enum err put_secret(struct tx *tx, void *arg)
{
	const struct put_secret *p = arg;
	struct arena *a = tx_arena(tx);
	struct secret old = { 0 }, fresh = *p->fresh;
	struct str key = key_account(a, 'p', p->account), value;
	enum err e = tx_get(tx, key, &value);

	if (!e)
		e = secret_read(value, a, &old);
	if (e && (p->how != ANEW || e != E_NOTFOUND))
		return e;
	if (p->how != ANEW && old.serial != fresh.serial)
		return E_NOTFOUND;
	fresh.serial = p->how == UPGRADE ? old.serial : old.serial + 1;
	fresh.changed = p->how == UPGRADE ? old.changed : clock_wall();
	tx_put(tx, key, record_secret(a, &fresh));
	return OK;
}

enum err directory_secret_put(struct store *st, uint32_t account, const struct secret *fresh)
{
	struct put_secret p = { account, fresh, ANEW };

	return store_update(st, secrets, put_secret, &p);
}

enum err directory_secret_replace(struct store *st, uint32_t account, const struct secret *fresh)
{
	struct put_secret p = { account, fresh, REPLACE };

	return store_update(st, secrets, put_secret, &p);
}

enum err directory_secret_set(struct store *st, uint32_t account, struct str hash)
{
	return directory_secret_put(st, account, &(struct secret){ .hash = hash });
}

enum err directory_secret_upgrade(struct store *st, uint32_t account, const struct secret *s)
{
	struct put_secret p = { account, s, UPGRADE };

	return store_update(st, secrets, put_secret, &p);
}

static enum err del_secret(struct tx *tx, void *arg)
{
	static const char kinds[] = { 'p', 'w', 'v', 'k' }; /* the last two: keeper/journal.h */

	for (size_t i = 0; i < sizeof kinds; i++)
		tx_del(tx, key_account(tx_arena(tx), kinds[i], *(uint32_t *)arg));
	return OK;
}

enum err directory_secret_delete(struct store *st, uint32_t account)
{
	return store_update(st, secrets, del_secret, &account);
}

/* --- app passwords: a record for all of an account's, they are few --- */

struct app_change {
	uint32_t account;
	struct app *app;
	struct str name;
	uint32_t id;
	int64_t now;
	struct arena *a;
	struct apps *out;
};

static enum err get_list(struct tx *tx, uint32_t account, struct arena *a, struct apps *out)
{
	struct str value;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'w', account), &value);

	*out = (struct apps){ 0 };
	return e == E_NOTFOUND ? OK : e ? e : apps_read(value, a, out);
}

static void put_list(struct tx *tx, uint32_t account, const struct apps *l)
{
	tx_put(tx, key_account(tx_arena(tx), 'w', account), record_apps(tx_arena(tx), l));
}

static enum err get_apps(struct tx *tx, void *arg)
{
	const struct app_change *c = arg;

	return get_list(tx, c->account, c->a, c->out);
}

enum err directory_apps(struct store *st, uint32_t account, struct arena *a, struct apps *out)
{
	struct app_change c = { .account = account, .a = a, .out = out };

	return store_read(st, secrets, get_apps, &c);
}

static enum err add_app(struct tx *tx, void *arg)
{
	const struct app_change *c = arg;
	struct apps l;
	enum err e = get_list(tx, c->account, tx_arena(tx), &l);

	if (e)
		return e;
	for (size_t i = 0; i < l.n; i++)
		if (str_eq(l.app[i].name, c->app->name))
			return E_EXISTS;
	if (l.n == APPS_MAX || l.last == UINT32_MAX)
		return E_LIMIT;
	if (!l.app)
		l.app = ARENA_ARRAY(tx_arena(tx), struct app, APPS_MAX);
	c->app->id = ++l.last;
	l.app[l.n++] = *c->app;
	put_list(tx, c->account, &l);
	return OK;
}

enum err directory_app_add(struct store *st, uint32_t account, struct app *app)
{
	struct app_change c = { .account = account, .app = app };

	return store_update(st, secrets, add_app, &c);
}

static enum err del_app(struct tx *tx, void *arg)
{
	struct app_change *c = arg;
	struct apps l;
	enum err e = get_list(tx, c->account, tx_arena(tx), &l);

	if (e)
		return e;
	for (size_t i = 0; i < l.n; i++) {
		if (!str_eq(l.app[i].name, c->name))
			continue;
		c->id = l.app[i].id;
		l.n--;
		memmove(&l.app[i], &l.app[i + 1], (l.n - i) * sizeof(*l.app));
		put_list(tx, c->account, &l);
		return OK;
	}
	return E_NOTFOUND;
}

enum err directory_app_delete(struct store *st, uint32_t account, struct str name, uint32_t *id)
{
	struct app_change c = { .account = account, .name = name };
	enum err e = store_update(st, secrets, del_app, &c);

	*id = c.id;
	return e;
}

static enum err use_app(struct tx *tx, void *arg)
{
	const struct app_change *c = arg;
	struct apps l;
	enum err e = get_list(tx, c->account, tx_arena(tx), &l);

	if (e)
		return e;
	for (size_t i = 0; i < l.n; i++) {
		if (l.app[i].id != c->id)
			continue;
		l.app[i].used = c->now;
		put_list(tx, c->account, &l);
		return OK;
	}
	return E_NOTFOUND;
}

enum err directory_app_used(struct store *st, uint32_t account, uint32_t id, int64_t now)
{
	struct app_change c = { .account = account, .id = id, .now = now };

	return store_update(st, secrets, use_app, &c);
}
