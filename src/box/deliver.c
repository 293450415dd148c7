/* SPDX-License-Identifier: ISC */
/* Putting a finished message into mailboxes: delivery and APPEND. */
#include "base/clock.h"
#include "box/warn.h"

/* Adds the message and its reference; m lacks what the incoming knows. */
static enum err put(struct mailbox *mb, const struct incoming *in, const struct warner *warner,
		    struct msg *m, uint32_t *uid)
{
	m->size = in->size;
	m->blob = in->id;
	m->thread = in->summary.thread;
	enum err e = tx_blob_ref(mb->ac->tx, in->id);

	if (e == E_NOTFOUND) /* we hold it */
		return E_CORRUPT;
	if (!e)
		e = mailbox_add(mb, m, uid);
	if (!e)
		e = warn_put(mb->ac, warner, mb, mb, m->saved);
	if (!e)
		e = mailbox_save(mb);
	if (!e)
		account_save(mb->ac);
	return e;
}

static bool quota_left(const struct account *ac, uint64_t quota, uint64_t size)
{
	return quota == 0 || (ac->rec.octets <= quota && size <= quota - ac->rec.octets);
}

/* --- delivery --- */

struct taking {
	const struct incoming *in;
	struct delivery *d;
	struct str mailbox; /* cleaned */
	int64_t now;
	struct warner warner;
};

static enum err take(struct tx *tx, void *arg)
{
	struct taking *t = arg;
	struct delivery *d = t->d;
	struct msg m = { .arrived = t->now, .saved = t->now, .flags = d->flags & FLAG_SYSTEM };
	struct account ac;
	struct mailbox *mb;
	uint64_t bits;
	size_t n = 0;
	enum err e = account_load(tx, &ac);

	if (e)
		return e;
	if (!quota_left(&ac, d->quota, t->in->size))
		return E_QUOTA;
	e = warn_look(&ac, &t->warner, t->in->size);
	if (e)
		return e;
	e = mailbox_find(&ac, t->mailbox, &mb);
	if (e == E_NOTFOUND)
		e = mailbox_load(&ac, ac.rec.inbox, &mb);
	if (e)
		return e == E_NOTFOUND ? E_CORRUPT : e;
	while (n < LENGTH(d->keywords) && d->keywords[n].p)
		n++;
	e = mailbox_keywords(mb, d->keywords, n, &bits);
	if (e && e != E_LIMIT) /* a keyword too many does not keep a message out */
		return e;
	m.flags |= bits;
	d->mailbox_id = mb->id;
	return put(mb, t->in, &t->warner, &m, &d->uid);
}

void box_deliver_also(struct store *st, struct incoming *in, struct delivery *d, size_t n,
		      struct update *also, size_t nalso)
{
	struct arena *a = arena_new(SIZE_MAX);
	struct update *u = ARENA_ARRAY(a, struct update, n + nalso);
	struct taking *t = ARENA_ARRAY(a, struct taking, n);
	int64_t now = clock_wall();

	BUG_IF(!in->finished);
	for (size_t i = 0; i < n; i++) {
		struct key part = key_partition(d[i].account);
		bool named = mailbox_name_ok(d[i].mailbox);

		t[i] = (struct taking){ in, &d[i], S("INBOX"), now, { .w = &d[i].warning } };
		if (named)
			t[i].mailbox = mailbox_name_clean(a, d[i].mailbox);
		u[i] = (struct update){ .partition = str_dup(a, key_str(&part)),
					.fn = take,
					.arg = &t[i] };
	}
	for (size_t i = 0; i < nalso; i++)
		u[n + i] = also[i];
	store_update_all(st, u, n + nalso);
	for (size_t i = 0; i < nalso; i++)
		also[i].result = u[n + i].result;
	for (size_t i = 0; i < n; i++) {
		if (warn_again(st, &t[i].warner))
			u[i].result = store_update(st, u[i].partition, take, &t[i]);
		d[i].result = u[i].result;
		warn_close(&t[i].warner);
	}
	arena_free(&a);
}

void box_deliver(struct store *st, struct incoming *in, struct delivery *d, size_t n)
{
	box_deliver_also(st, in, d, n, NULL, 0);
}

/* --- APPEND: RFC 3501 6.3.11 --- */

struct appending {
	struct append *ap;
	struct str mailbox;
	int64_t now;
	struct warner warner;
};

static enum err append(struct tx *tx, void *arg)
{
	struct appending *t = arg;
	struct append *ap = t->ap;
	struct msg m = { .arrived = ap->arrived,
			 .saved = t->now,
			 .flags = ap->flags & FLAG_SYSTEM };
	struct account ac;
	struct mailbox *mb;
	uint64_t bits;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_find(&ac, t->mailbox, &mb);
	if (e)
		return e;
	if (!quota_left(&ac, ap->quota, ap->in->size))
		return E_QUOTA;
	e = warn_look(&ac, &t->warner, ap->in->size);
	if (e)
		return e;
	e = mailbox_keywords(mb, ap->keywords, ap->nkeywords, &bits);
	if (e)
		return e;
	m.flags |= bits;
	ap->uidvalidity = mb->rec.uidvalidity;
	return put(mb, ap->in, &t->warner, &m, &ap->uid);
}

enum err box_append(struct store *st, uint32_t account, struct str mailbox, struct append *ap)
{
	struct key part = key_partition(account);
	struct arena *a = arena_new(4 * MAILBOX_NAME_MAX);
	struct appending t = { ap, S_NONE, clock_wall(), { .w = &ap->warning } };

	BUG_IF(!ap->in->finished);
	t.mailbox = mailbox_name_clean(a, str_part(mailbox, 0, MAILBOX_NAME_MAX + 2));
	enum err e = store_update(st, key_str(&part), append, &t);

	if (warn_again(st, &t.warner))
		e = store_update(st, key_str(&part), append, &t);
	warn_close(&t.warner);
	arena_free(&a);
	return e;
}
