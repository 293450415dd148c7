/* SPDX-License-Identifier: ISC */
/*
 * Accounts, and what deletion leaves to be swept up. What is large goes in two steps: one update
 * makes it unreachable, further ones of bounded size take its keys away and let go of the blobs.
 * A crash between leaves keys that nobody reads; the next sweep or account_create finds them.
 */
#include "base/clock.h"
#include "base/log.h"
#include "box/change.h"
#include "box/names.h"

enum { SWEEP_WRITES = 900 }; /* in one update; a page more may be on top */

struct sweep {
	bool more; /* there may be */
};

/* Lets go of all blobs of a page. One that makes no sense is logged and goes all the same. */
static enum err page_unref(struct tx *tx, struct str key, struct str value, size_t *writes)
{
	struct page *p = ARENA_NEW(tx_arena(tx), struct page);
	struct str number = str_from(key, key.n - 8);
	struct scan in = scan(number);
	uint32_t page = (uint32_t)scan_hex(&in, 8);
	enum err e = layout_broken(page_decode(value, page, p), key);

	if (e == E_VERSION)
		return e;
	for (uint64_t left = p->present; left; left &= left - 1)
		tx_blob_unref(tx, p->msg[lowest64(left)].blob);
	*writes += bits64(p->present);
	return OK;
}

/* The same for the blob of sort keys. */
static enum err keys_unref(struct tx *tx, struct str key, struct str value, size_t *writes)
{
	struct key_page_record r;
	enum err e = layout_broken(keys_decode(value, &r), key);

	if (!e)
		tx_blob_unref(tx, r.blob);
	*writes += 1;
	return e == E_VERSION ? e : OK;
}

/* Deletes what begins with prefix until SWEEP_WRITES are reached. */
static enum err sweep_prefix(struct tx *tx, struct str prefix, size_t *writes)
{
	struct str key = S(""), value;
	enum err e = OK;

	while (*writes < SWEEP_WRITES && !(e = tx_next(tx, prefix, key, &key, &value))) {
		if (prefix.p[0] == 'm')
			e = page_unref(tx, key, value, writes);
		if (prefix.p[0] == 'k')
			e = keys_unref(tx, key, value, writes);
		if (e)
			return e;
		key = str_dup(tx_arena(tx), key);
		tx_del(tx, key);
		++*writes;
	}
	return e == E_NOTFOUND ? OK : e;
}

/* One step with one mailbox that is being removed; its record goes last. */
static enum err sweep_mailbox(struct tx *tx, struct str key, size_t *writes)
{
	static const char kinds[] = { 'm', 'c', 'x', 'k' };
	struct key mailboxes = { "b/", 2 };
	uint64_t id;

	if (!key_number(key, &mailboxes, 8, &id))
		return layout_broken(E_CORRUPT, key);
	for (size_t i = 0; i < sizeof kinds; i++) {
		struct key prefix = key_prefix(kinds[i], (uint32_t)id);
		enum err e = sweep_prefix(tx, key_str(&prefix), writes);

		if (e)
			return e;
	}
	if (*writes < SWEEP_WRITES)
		tx_del(tx, key);
	return OK;
}

/* The key of a mailbox that is being removed; E_NOTFOUND. */
static enum err find_removing(struct tx *tx, struct str *key)
{
	struct mailbox_record *rec = ARENA_NEW(tx_arena(tx), struct mailbox_record);
	struct str value;
	enum err e;

	*key = S("");
	while (!(e = tx_next(tx, KEY_MAILBOXES, *key, key, &value))) {
		e = layout_broken(mailbox_decode(value, rec), *key);
		if (e || rec->removing)
			break;
	}
	if (!e)
		*key = str_dup(tx_arena(tx), *key);
	return e;
}

static enum err sweep_step(struct tx *tx, void *arg)
{
	struct sweep *s = arg;
	struct str key;
	size_t writes = 0;
	enum err e = find_removing(tx, &key);

	s->more = !e;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	return sweep_mailbox(tx, key, &writes);
}

static enum err sweep_needed(struct tx *tx, void *arg)
{
	struct sweep *s = arg;
	struct str key;
	enum err e = find_removing(tx, &key);

	s->more = !e;
	return e == E_NOTFOUND ? OK : e;
}

enum err box_sweep(struct store *st, uint32_t account)
{
	struct key part = key_partition(account);
	struct sweep s = { 0 };
	enum err e = store_read(st, key_str(&part), sweep_needed, &s);

	while (!e && s.more)
		e = store_update(st, key_str(&part), sweep_step, &s);
	return e;
}

/* One step with an account that is not there any more. */
static enum err purge_step(struct tx *tx, void *arg)
{
	static const char *const kinds[] = { "m/", "c/", "x/", "k/", "s/", "r", "q/", "b/" };
	struct sweep *s = arg;
	struct str value;
	size_t writes = 0;
	enum err e = tx_get(tx, KEY_ACCOUNT, &value);

	s->more = false;
	if (e != E_NOTFOUND) /* it has been made again: its keys are its own */
		return e;
	for (size_t i = 0; i < LENGTH(kinds); i++) {
		e = sweep_prefix(tx, str_of(kinds[i]), &writes);
		if (e)
			return e;
	}
	s->more = writes >= SWEEP_WRITES;
	return OK;
}

static enum err purge(struct store *st, struct str partition)
{
	struct sweep s;
	enum err e;

	do
		e = store_update(st, partition, purge_step, &s);
	while (!e && s.more);
	return e;
}

/* --- making one --- */

struct create {
	int64_t now;
	bool leftovers; /* of an account that was deleted: purge first */
};

static const struct standard {
	const char *name;
	unsigned use;
} standards[] = {
	{ "INBOX", 0 },       { "Drafts", USE_DRAFTS }, { "Sent", USE_SENT },
	{ "Junk", USE_JUNK }, { "Trash", USE_TRASH },   { "Archive", USE_ARCHIVE },
};

static enum err create(struct tx *tx, void *arg)
{
	struct create *c = arg;
	struct account ac;
	struct mailbox *mb;
	struct str key, value;
	enum err e = account_load(tx, &ac);

	c->leftovers = false;
	if (e != E_NOTFOUND)
		return e;
	e = tx_next(tx, KEY_MAILBOXES, S(""), &key, &value);
	if (e != E_NOTFOUND) {
		c->leftovers = !e;
		return e;
	}
	ac.rec.next_id = 1;
	for (size_t i = 0; i < LENGTH(standards); i++) {
		struct str name = str_of(standards[i].name);

		e = mailbox_make(&ac, name, standards[i].use, c->now, &mb);
		if (!e)
			e = mailbox_save(mb);
		if (!e)
			e = names_subscribe(&ac, name, true);
		if (e)
			return e;
		if (i == 0)
			ac.rec.inbox = mb->id;
	}
	account_save(&ac);
	return OK;
}

enum err box_account_create(struct store *st, uint32_t account)
{
	struct key part = key_partition(account);
	struct create c = { .now = clock_wall() };
	enum err e = store_update(st, key_str(&part), create, &c);

	if (e || !c.leftovers)
		return e;
	e = purge(st, key_str(&part));
	if (!e)
		e = store_update(st, key_str(&part), create, &c);
	return e ? e : c.leftovers ? E_AGAIN : OK;
}

static enum err unmake(struct tx *tx, void *arg)
{
	(void)arg;
	tx_del(tx, KEY_ACCOUNT);
	return OK;
}

enum err box_account_delete(struct store *st, uint32_t account)
{
	struct key part = key_partition(account);
	enum err e = store_update(st, key_str(&part), unmake, NULL);

	return e ? e : purge(st, key_str(&part));
}

static enum err usage(struct tx *tx, void *arg)
{
	struct box_usage *out = arg;
	struct account ac;
	enum err e = account_load(tx, &ac);

	*out = (struct box_usage){ ac.rec.octets, ac.rec.messages };
	return e;
}

enum err box_usage(struct store *st, uint32_t account, struct box_usage *out)
{
	struct key part = key_partition(account);

	return store_read(st, key_str(&part), usage, out);
}
