/* SPDX-License-Identifier: ISC */
/* keeper/directory.c - domains, users and aliases, each change one update. */
#include "base/clock.h"
#include "base/log.h"
#include "box/box.h"
#include "keeper/record.h"
#include "keeper/refused.h"
#include "keeper/sent.h"

static const struct str dir = { DIRECTORY_PARTITION, sizeof(DIRECTORY_PARTITION) - 1 };

/* --- single records --- */

enum err dir_domain(struct tx *tx, struct str domain, int64_t *created)
{
	struct str value;
	enum err e = tx_get(tx, key_domain(tx_arena(tx), domain), &value);

	return e ? e : domain_read(value, created);
}

enum err dir_user(struct tx *tx, struct name n, struct arena *a, struct user *out)
{
	struct str value;
	enum err e = tx_get(tx, key_user(tx_arena(tx), n), &value);

	return e ? e : user_read(value, a, out);
}

enum err dir_alias(struct tx *tx, struct name n, struct arena *a, struct alias *out)
{
	struct str value;
	enum err e = tx_get(tx, key_alias(tx_arena(tx), n), &value);

	return e ? e : alias_read(value, a, out);
}

enum err dir_oldest(struct tx *tx, struct arena *a, struct name *out)
{
	struct str key, value;
	enum err e = tx_next(tx, S("a/"), S(""), &key, &value);

	return e ? e : name_read(value, a, out);
}

/* E_EXISTS where a user or an alias has the address, E_NOTFOUND where its domain is not ours. */
enum err dir_vacant(struct tx *tx, struct name n)
{
	struct str value;
	int64_t created;
	enum err e = dir_domain(tx, n.domain, &created);

	if (e)
		return e;
	e = tx_get(tx, key_user(tx_arena(tx), n), &value);
	if (e == E_NOTFOUND)
		e = tx_get(tx, key_alias(tx_arena(tx), n), &value);
	return e == E_NOTFOUND ? OK : e ? e : E_EXISTS;
}

/* E_EXISTS too where it is reserved. */
static enum err name_free(struct tx *tx, struct name n, int64_t now)
{
	struct invitation inv;
	enum err e = dir_vacant(tx, n);

	if (e)
		return e;
	e = dir_invitation(tx, n, now, tx_arena(tx), &inv);
	return e == E_NOTFOUND ? OK : e ? e : E_EXISTS;
}

/* --- domains --- */

static enum err put_domain(struct tx *tx, void *arg)
{
	struct str key = key_domain(tx_arena(tx), *(struct str *)arg), value;
	enum err e = tx_get(tx, key, &value);

	if (e != E_NOTFOUND)
		return e ? e : E_EXISTS;
	tx_put(tx, key, record_domain(tx_arena(tx), clock_wall()));
	return OK;
}

enum err directory_domain_add(struct store *st, struct str domain)
{
	return store_update(st, dir, put_domain, &domain);
}

static enum err del_domain(struct tx *tx, void *arg)
{
	struct str domain = *(struct str *)arg, key = key_domain(tx_arena(tx), domain), k, v;
	enum err e = tx_get(tx, key, &v);

	if (e)
		return e;
	for (const char *kind = "uli"; *kind; kind++) {
		struct str prefix = str_fmt(tx_arena(tx), "%c/%.*s/", *kind, FMT(domain));
		e = tx_next(tx, prefix, S(""), &k, &v);
		if (e != E_NOTFOUND)
			return e ? e : E_DENIED;
	}
	tx_del(tx, key);
	return OK;
}

enum err directory_domain_delete(struct store *st, struct str domain)
{
	return store_update(st, dir, del_domain, &domain);
}

/* --- users --- */

struct find_user {
	struct name name;
	struct arena *a;
	struct user *out;
};

static enum err find_user(struct tx *tx, void *arg)
{
	struct find_user *f = arg;

	return dir_user(tx, f->name, f->a, f->out);
}

enum err directory_user(struct store *st, struct name n, struct arena *a, struct user *out)
{
	struct find_user f = { n, a, out };

	return store_read(st, dir, find_user, &f);
}

struct set_user {
	struct user *u;
	struct name name;
	unsigned what;
	struct arena *a;
	struct user want;
};

static enum err set_user(struct tx *tx, void *arg)
{
	struct set_user *s = arg;
	enum err e = dir_user(tx, s->name, s->a, s->u);

	if (e)
		return e;
	if (s->what & SET_STATE) {
		s->u->state = s->want.state;
		s->u->lock_reason = s->want.lock_reason;
	}
	if (s->what & SET_SENDING) {
		s->u->send_blocked = s->want.send_blocked;
		s->u->send_reason = s->want.send_reason;
	}
	if (s->what & SET_EXPIRES)
		s->u->expires = s->want.expires;
	if (s->what & SET_QUOTA)
		s->u->quota = s->want.quota;
	if (s->what & SET_SENDING_GUARANTEE)
		s->u->guarantees.sending = s->want.guarantees.sending;
	if (s->what & SET_RECEIVING_GUARANTEE)
		s->u->guarantees.receiving = s->want.guarantees.receiving;
	tx_put(tx, key_user(tx_arena(tx), s->name), record_user(tx_arena(tx), s->u));
	return OK;
}

enum err directory_user_set(struct store *st, struct name n, unsigned what, struct arena *a,
			    struct user *u)
{
	struct set_user s = { u, n, what, a, *u };

	return store_update(st, dir, set_user, &s);
}

struct find_account {
	uint32_t account;
	struct arena *a;
	struct user *out;
};

static enum err find_account(struct tx *tx, void *arg)
{
	struct find_account *f = arg;
	struct str value;
	struct name n;
	enum err e = tx_get(tx, key_account(tx_arena(tx), 'a', f->account), &value);

	if (!e)
		e = name_read(value, tx_arena(tx), &n);
	return e ? e : dir_user(tx, n, f->a, f->out);
}

enum err directory_account(struct store *st, uint32_t account, struct arena *a, struct user *out)
{
	struct find_account f = { account, a, out };

	return store_read(st, dir, find_account, &f);
}

/* A user in the making; inv: whom it is that joins, or NULL: the operator's act. */
struct newcomer {
	struct user u;
	const struct invitation *inv;
};

/* E_NOTFOUND too where the invitation is none any more. */
static enum err may_take(struct tx *tx, const struct newcomer *c)
{
	struct invitation held;

	if (!c->inv)
		return name_free(tx, c->u.name, c->u.created);
	enum err e = dir_invitation(tx, c->u.name, c->u.created, tx_arena(tx), &held);
	if (!e && memcmp(held.digest, c->inv->digest, INVITE_DIGEST) != 0)
		e = E_NOTFOUND;
	return e ? e : dir_vacant(tx, c->u.name);
}

/* Takes a number, marked as half made, where the address is free. */
static enum err take_number(struct tx *tx, void *arg)
{
	struct newcomer *c = arg;
	struct arena *a = tx_arena(tx);
	struct str value;
	uint32_t next = 1;
	enum err e = may_take(tx, c);

	if (e)
		return e;
	e = tx_get(tx, S("n"), &value);
	if (!e)
		e = number_read(value, &next);
	if (e && e != E_NOTFOUND)
		return e;
	if (next == UINT32_MAX)
		return E_LIMIT;
	c->u.account = next;
	tx_put(tx, S("n"), record_number(a, next + 1));
	tx_put(tx, key_account(a, 'x', next), record_name(a, c->u.name));
	return OK;
}

/* The last step makes the user visible. Without its mark it came too late: E_AGAIN. */
static enum err put_user(struct tx *tx, void *arg)
{
	const struct newcomer *c = arg;
	const struct user *u = &c->u;
	struct arena *a = tx_arena(tx);
	struct str mark = key_account(a, 'x', u->account), value;
	enum err e = tx_get(tx, mark, &value);

	if (e)
		return e == E_NOTFOUND ? E_AGAIN : e;
	e = may_take(tx, c);
	if (e)
		return e;
	e = dir_uninvite(tx, u->name); /* one that is over is in the way no more */
	if (e && (e != E_NOTFOUND || c->inv))
		return e;
	tx_put(tx, key_user(a, u->name), record_user(a, u));
	tx_put(tx, key_account(a, 'a', u->account), record_name(a, u->name));
	tx_del(tx, mark);
	return OK;
}

/* Removes hash, mail and mark of an account that is no user's. */
static enum err erase(struct store *st, uint32_t account);

static enum err settle(struct store *st, struct newcomer *c, const struct secret *secret,
		       uint32_t *account)
{
	enum err e = store_update(st, dir, take_number, c);

	if (e)
		return e;
	e = directory_secret_put(st, c->u.account, secret);
	if (!e)
		e = box_account_create(st, c->u.account);
	if (!e)
		e = store_update(st, dir, put_user, c);
	/* At E_AGAIN nobody knows whether the user was made: the mark tells at the next start. */
	if (e && e != E_AGAIN && erase(st, c->u.account))
		log_event(LOG_WARN, "account.leftover", KVN("account", c->u.account));
	*account = c->u.account;
	return e;
}

enum err directory_user_add(struct store *st, struct name n, const struct secret *secret,
			    uint64_t quota, uint32_t *account)
{
	struct newcomer c = {
		{ .name = n, .quota = quota, .state = USER_ACTIVE, .created = clock_wall() }, NULL
	};

	return settle(st, &c, secret, account);
}

enum err directory_join(struct store *st, const struct invitation *inv, const struct secret *secret,
			uint32_t *account)
{
	struct newcomer c = { { .name = inv->name,
				.quota = inv->quota,
				.state = USER_ACTIVE,
				.created = clock_wall() },
			      inv };

	return settle(st, &c, secret, account);
}

static enum err del_user(struct tx *tx, void *arg)
{
	struct user *u = arg;
	struct arena *a = tx_arena(tx);
	struct user old = { 0 };
	enum err e = dir_user(tx, u->name, a, &old);

	if (e)
		return e;
	u->account = old.account;
	tx_del(tx, key_user(a, u->name));
	tx_del(tx, key_account(a, 'a', old.account));
	tx_put(tx, key_account(a, 'x', old.account), record_name(a, u->name));
	return OK;
}

enum err directory_user_delete(struct store *st, struct name n, uint32_t *account)
{
	struct user u = { .name = n };
	enum err e = store_update(st, dir, del_user, &u);

	if (e)
		return e;
	*account = u.account;
	e = erase(st, u.account);
	if (e)
		log_event(LOG_WARN, "account.leftover", KVN("account", u.account), KVE(e));
	return OK;
}

static enum err del_mark(struct tx *tx, void *arg)
{
	tx_del(tx, key_account(tx_arena(tx), 'x', *(uint32_t *)arg));
	return OK;
}

static enum err erase(struct store *st, uint32_t account)
{
	enum err e = directory_secret_delete(st, account);

	if (!e)
		e = sent_delete(st, account);
	if (!e)
		e = refused_delete(st, account);
	if (!e)
		e = box_account_delete(st, account);
	return e ? e : store_update(st, dir, del_mark, &account);
}

static enum err first_mark(struct tx *tx, void *arg)
{
	uint32_t *account = arg;
	struct arena *a = tx_arena(tx);
	struct str after = *account ? key_account(a, 'x', *account) : S(""), key, value;
	enum err e = tx_next(tx, S("x/"), after, &key, &value);

	if (e)
		return e;
	return key_account_of(key, account) ? OK : E_CORRUPT;
}

enum err directory_erase_all(struct store *st)
{
	uint32_t account = 0;
	enum err e;

	while (!(e = store_read(st, dir, first_mark, &account))) {
		log_event(LOG_INFO, "account.erase", KVN("account", account));
		e = erase(st, account);
		if (e)
			return e;
	}
	return e == E_NOTFOUND ? OK : e;
}

/* --- aliases --- */

static enum err put_alias(struct tx *tx, void *arg)
{
	const struct alias *l = arg;
	enum err e = name_free(tx, l->name, l->created);

	if (e)
		return e;
	tx_put(tx, key_alias(tx_arena(tx), l->name), record_alias(tx_arena(tx), l));
	return OK;
}

enum err directory_alias_add(struct store *st, struct name n, const struct name *targets,
			     size_t ntargets)
{
	struct alias l = { .name = n,
			   .created = clock_wall(),
			   .targets = (struct name *)targets,
			   .ntargets = ntargets };

	size_t octets = 0;

	for (size_t i = 0; i < ntargets; i++)
		octets += targets[i].local.n + targets[i].domain.n + 8;
	if (ntargets == 0 || ntargets > ALIAS_TARGETS_MAX || octets > ALIAS_OCTETS_MAX)
		return E_LIMIT;
	return store_update(st, dir, put_alias, &l);
}

static enum err del_alias(struct tx *tx, void *arg)
{
	struct str key = key_alias(tx_arena(tx), *(struct name *)arg), value;
	enum err e = tx_get(tx, key, &value);

	if (!e)
		tx_del(tx, key);
	return e;
}

enum err directory_alias_delete(struct store *st, struct name n)
{
	return store_update(st, dir, del_alias, &n);
}
