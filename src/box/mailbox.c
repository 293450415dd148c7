/* SPDX-License-Identifier: ISC */
/* Making, renaming and deleting mailboxes. RFC 3501 6.3.3 - 6.3.7, RFC 6154. */
#include "base/clock.h"
#include "base/log.h"
#include "box/names.h"

struct mailbox_job {
	struct str name, to;
	unsigned use;
	bool on;
	int64_t now;
};

/* Runs fn on the account in one update; its changes are saved if it is fine. */
static enum err run(struct store *st, uint32_t account, enum err (*fn)(struct tx *tx, void *arg),
		    struct mailbox_job job)
{
	struct key part = key_partition(account);
	struct arena *a = arena_new(4 * MAILBOX_NAME_MAX);

	job.now = clock_wall();
	job.name = mailbox_name_clean(a, str_part(job.name, 0, MAILBOX_NAME_MAX + 2));
	job.to = mailbox_name_clean(a, str_part(job.to, 0, MAILBOX_NAME_MAX + 2));
	enum err e = store_update(st, key_str(&part), fn, &job);

	arena_free(&a);
	return e;
}

/* --- create --- */

/* The mailboxes above name that are missing, top first. */
static enum err make_parents(struct account *ac, struct str name, int64_t now)
{
	struct mailbox *mb;
	struct named *v;
	size_t n;
	enum err e = names_load(ac, &v, &n);

	for (size_t i = 1; !e && i < name.n; i++) {
		struct str above = str_part(name, 0, i);

		if (name.p[i] != '/' || names_find(v, n, above))
			continue;
		e = mailbox_make(ac, above, 0, now, &mb);
		if (!e)
			e = mailbox_save(mb);
	}
	return e;
}

static enum err create(struct tx *tx, void *arg)
{
	const struct mailbox_job *job = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (e)
		return e;
	e = mailbox_find(&ac, job->name, &mb);
	if (e != E_NOTFOUND)
		return e ? e : E_EXISTS;
	e = make_parents(&ac, job->name, job->now);
	if (!e)
		e = mailbox_make(&ac, job->name, job->use, job->now, &mb);
	if (!e)
		e = mailbox_save(mb);
	account_save(&ac);
	return e;
}

enum err box_create(struct store *st, uint32_t account, struct str name, unsigned use)
{
	const unsigned all = USE_DRAFTS | USE_SENT | USE_JUNK | USE_TRASH | USE_ARCHIVE;

	BUG_IF(use & ~all || use & (use - 1));
	if (str_ends(name, S("/")))
		name.n--;
	if (!mailbox_name_ok(name))
		return E_SYNTAX;
	return run(st, account, create, (struct mailbox_job){ .name = name, .use = use });
}

/* --- delete --- */

/* From this update on nobody finds it, and its octets count no more. Subscriptions stay, RFC
 * 3501 6.3.6; so do the mailboxes below it. */
static enum err delete (struct tx *tx, void *arg) {
	const struct mailbox_job *job = arg; struct account ac; struct mailbox * mb;
	enum err e = account_load(tx, &ac);

	if (!e) e = mailbox_find(&ac, job->name, &mb);
	if (e) return e;
	if (mb->id == ac.rec.inbox) return E_DENIED;
	mailbox_touch(mb);
	mb->rec.removing = true;
	ac.rec.mailboxes--;
	ac.rec.messages -= mb->rec.messages;
	ac.rec.octets -= mb->rec.octets;
	e = mailbox_save(mb);
	account_save(&ac);
	return e;
}

enum err box_delete(struct store *st, uint32_t account, struct str name)
{
	enum err e = run(st, account, delete, (struct mailbox_job){ .name = name });

	if (e)
		return e;
	/* It is gone already; what cannot be swept now is swept later. */
	enum err swept = box_sweep(st, account);

	if (swept)
		log_event(LOG_WARN, "mailbox.sweep.failed", KVN("box_account", account),
			  KVE(swept));
	return OK;
}

/* --- rename --- */

static enum err rename_one(struct account *ac, uint32_t id, struct str name)
{
	struct mailbox *mb;
	enum err e = mailbox_load(ac, id, &mb);

	if (e)
		return e;
	mailbox_touch(mb);
	mb->rec.name = name;
	return mailbox_save(mb);
}

/*
 * INBOX leaves its messages to the new name and is empty afterwards, mailboxes below it stay:
 * RFC 3501 6.3.5. So the mailbox itself goes, and a new one is INBOX; a session that has it
 * open sees it as deleted.
 */
static enum err rename_inbox(struct account *ac, const struct mailbox_job *job)
{
	struct mailbox *fresh;
	enum err e = rename_one(ac, ac->rec.inbox, job->to);

	if (!e)
		e = mailbox_make(ac, S("INBOX"), 0, job->now, &fresh);
	if (!e)
		e = mailbox_save(fresh);
	if (!e)
		ac->rec.inbox = fresh->id;
	return e;
}

/* Another mailbox has this name, and is not among those that move. */
static bool taken(const struct named *v, size_t n, struct str name, struct str moving)
{
	return names_find(v, n, name) && !names_within(name, moving);
}

/* job->name and all that is below it. Where only children are left, they are renamed. */
static enum err rename_tree(struct account *ac, const struct mailbox_job *job)
{
	struct arena *a = tx_arena(ac->tx);
	struct named *v;
	size_t n, renamed = 0;
	enum err e = names_load(ac, &v, &n);

	for (size_t i = 0; !e && i < n; i++) {
		if (!names_within(v[i].name, job->name))
			continue;
		struct str to =
			str_fmt(a, "%.*s%.*s", FMT(job->to), FMT(str_from(v[i].name, job->name.n)));

		if (!mailbox_name_ok(to))
			e = E_LIMIT; /* a child's name gets too long or too deep */
		else if (taken(v, n, to, job->name))
			e = E_EXISTS;
		else
			e = rename_one(ac, v[i].id, to);
		renamed++;
	}
	return e ? e : renamed ? OK : E_NOTFOUND;
}

static enum err rename_job(struct tx *tx, void *arg)
{
	const struct mailbox_job *job = arg;
	struct account ac;
	struct mailbox *mb;
	enum err e = account_load(tx, &ac);

	if (e)
		return e;
	e = mailbox_find(&ac, job->to, &mb);
	if (e != E_NOTFOUND)
		return e ? e : E_EXISTS;
	if (str_is(job->name, "INBOX"))
		e = rename_inbox(&ac, job);
	else if (names_within(job->to, job->name))
		e = E_DENIED;
	else
		e = rename_tree(&ac, job);
	if (!e)
		e = make_parents(&ac, job->to, job->now);
	account_save(&ac);
	return e;
}

enum err box_rename(struct store *st, uint32_t account, struct str from, struct str to)
{
	if (str_ends(to, S("/")))
		to.n--;
	if (!mailbox_name_ok(to))
		return E_SYNTAX;
	return run(st, account, rename_job, (struct mailbox_job){ .name = from, .to = to });
}

/* --- subscribe --- */

static enum err subscribe_job(struct tx *tx, void *arg)
{
	const struct mailbox_job *job = arg;
	struct account ac;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = names_subscribe(&ac, job->name, job->on);
	if (!e)
		account_save(&ac);
	return e;
}

enum err box_subscribe(struct store *st, uint32_t account, struct str name, bool on)
{
	if (str_ends(name, S("/")))
		name.n--;
	if (!mailbox_name_ok(name))
		return on ? E_SYNTAX : OK;
	return run(st, account, subscribe_job, (struct mailbox_job){ .name = name, .on = on });
}
