/* SPDX-License-Identifier: ISC */
#include "box/change.h"

/* --- the account --- */

enum err account_load(struct tx *tx, struct account *out)
{
	struct str value;
	enum err e = tx_get(tx, KEY_ACCOUNT, &value);

	*out = (struct account){ .tx = tx };
	if (e)
		return e;
	return layout_broken(account_decode(value, &out->rec), KEY_ACCOUNT);
}

void account_save(struct account *ac)
{
	if (ac->dirty)
		tx_put(ac->tx, KEY_ACCOUNT, account_encode(tx_arena(ac->tx), &ac->rec));
	ac->dirty = false;
}

uint64_t account_modseq(struct account *ac)
{
	if (!ac->modseq) {
		ac->modseq = ++ac->rec.modseq;
		ac->dirty = true;
	}
	return ac->modseq;
}

uint32_t account_uidvalidity(struct account *ac, int64_t now)
{
	uint32_t last = ac->rec.uidvalidity;

	ac->rec.uidvalidity = now > last && now <= UINT32_MAX ? (uint32_t)now : last + 1;
	ac->dirty = true;
	return ac->rec.uidvalidity;
}

/* --- mailboxes --- */

static struct mailbox *mailbox_new(struct account *ac, uint32_t id)
{
	struct arena *a = tx_arena(ac->tx);
	struct mailbox *mb = ARENA_NEW(a, struct mailbox);

	mb->ac = ac;
	mb->id = id;
	mb->gone.a = a;
	return mb;
}

enum err mailbox_load(struct account *ac, uint32_t id, struct mailbox **out)
{
	struct key key = key_mailbox(id);
	struct mailbox *mb = mailbox_new(ac, id);
	struct str value;
	enum err e = tx_get(ac->tx, key_str(&key), &value);

	*out = mb;
	if (!e)
		e = layout_broken(mailbox_decode(value, &mb->rec), key_str(&key));
	return e ? e : mb->rec.removing ? E_NOTFOUND : OK;
}

enum err mailbox_find(struct account *ac, struct str name, struct mailbox **out)
{
	struct key prefix = { "b/", 2 };
	struct str key = S(""), value;
	uint64_t id;
	enum err e;

	*out = NULL;
	if (str_is(name, "INBOX"))
		return mailbox_load(ac, ac->rec.inbox, out);
	struct mailbox *mb = mailbox_new(ac, 0);

	while (!(e = tx_next(ac->tx, KEY_MAILBOXES, key, &key, &value))) {
		e = layout_broken(mailbox_decode(value, &mb->rec), key);
		if (e)
			return e;
		if (!mb->rec.removing && str_eq(mb->rec.name, name)) {
			if (!key_number(key, &prefix, 8, &id))
				return layout_broken(E_CORRUPT, key);
			mb->id = (uint32_t)id;
			*out = mb;
			return OK;
		}
	}
	return e;
}

enum err mailbox_make(struct account *ac, struct str name, unsigned use, int64_t now,
		      struct mailbox **out)
{
	if (ac->rec.mailboxes >= MAILBOXES_MAX || ac->rec.next_id == UINT32_MAX)
		return E_LIMIT;
	struct mailbox *mb = mailbox_new(ac, ac->rec.next_id++);

	ac->rec.mailboxes++;
	mb->rec.name = name;
	mb->rec.use = use;
	mb->rec.uidvalidity = account_uidvalidity(ac, now);
	mb->rec.uidnext = 1;
	mb->rec.recent_from = 1;
	mailbox_touch(mb);
	mb->rec.log_floor = mb->rec.modseq;
	*out = mb;
	return OK;
}

void mailbox_touch(struct mailbox *mb)
{
	mb->rec.modseq = account_modseq(mb->ac);
	mb->dirty = true;
}

/* --- one chunk and one page at a time --- */

static void chunk_flush(struct mailbox *mb)
{
	struct key key = key_chunk(mb->id, mb->chunk_number);
	struct tx *tx = mb->ac->tx;
	uint64_t any = 0;

	if (!mb->chunk_dirty)
		return;
	for (unsigned i = 0; i < CHUNK_PAGES; i++)
		any |= mb->chunk->entry[i].present;
	if (any)
		tx_put(tx, key_str(&key), chunk_encode(tx_arena(tx), mb->chunk));
	else
		tx_del(tx, key_str(&key));
	mb->chunk_dirty = false;
}

static void page_flush(struct mailbox *mb)
{
	struct key key = key_page(mb->id, mb->page_number);
	struct tx *tx = mb->ac->tx;

	if (!mb->page_dirty)
		return;
	if (mb->page->present)
		tx_put(tx, key_str(&key), page_encode(tx_arena(tx), mb->page));
	else
		tx_del(tx, key_str(&key));
	mb->page_dirty = false;
}

/* Both start as empty ones where there is none. */
static enum err chunk_load(struct mailbox *mb, uint32_t number)
{
	struct key key = key_chunk(mb->id, number);
	struct str value;

	if (mb->chunk_here && mb->chunk_number == number)
		return OK;
	chunk_flush(mb);
	if (!mb->chunk)
		mb->chunk = ARENA_NEW(tx_arena(mb->ac->tx), struct chunk);
	mb->chunk_number = number;
	mb->chunk_here = false;
	enum err e = tx_get(mb->ac->tx, key_str(&key), &value);

	if (e == E_NOTFOUND) {
		*mb->chunk = (struct chunk){ 0 };
		e = OK;
	} else if (!e) {
		e = layout_broken(chunk_decode(value, mb->chunk), key_str(&key));
	}
	mb->chunk_here = !e;
	return e;
}

static struct map_entry *entry(const struct mailbox *mb)
{
	return &mb->chunk->entry[mb->page_number % CHUNK_PAGES];
}

static enum err page_load(struct mailbox *mb, uint32_t number)
{
	struct key key = key_page(mb->id, number);
	struct str value;

	if (mb->page_here && mb->page_number == number)
		return OK;
	page_flush(mb);
	if (!mb->page)
		mb->page = ARENA_NEW(tx_arena(mb->ac->tx), struct page);
	mb->page_number = number;
	mb->page_here = false;
	enum err e = chunk_load(mb, number / CHUNK_PAGES);

	if (e)
		return e;
	e = tx_get(mb->ac->tx, key_str(&key), &value);
	if (e == E_NOTFOUND) {
		mb->page->present = 0;
		e = OK;
	} else if (!e) {
		e = layout_broken(page_decode(value, number, mb->page), key_str(&key));
	}
	/* Going on from a map that lies would make it worse. */
	if (!e && mb->page->present != entry(mb)->present)
		e = layout_broken(E_CORRUPT, key_str(&key));
	mb->page_here = !e;
	return e;
}

enum err mailbox_page(struct mailbox *mb, uint32_t number, const struct page **out)
{
	enum err e = page_load(mb, number);

	*out = mb->page;
	return e ? e : mb->page->present ? OK : E_NOTFOUND;
}

/* The page that is here, its chunk and its mailbox change. */
static void touch(struct mailbox *mb)
{
	mailbox_touch(mb);
	mb->page_dirty = mb->chunk_dirty = true;
	mb->chunk->modseq = entry(mb)->modseq = mb->rec.modseq;
}

/* --- messages --- */

/* One message more (by 1) or less (by -1) that has these flags and size. */
static void count(struct mailbox *mb, const struct msg *m, int by)
{
	struct mailbox_record *r = &mb->rec;
	struct account_record *ac = &mb->ac->rec;
	uint64_t size = by > 0 ? m->size : -m->size;

	r->messages += (uint32_t)by;
	r->unseen += m->flags & FLAG_SEEN ? 0 : (uint32_t)by;
	r->deleted += m->flags & FLAG_DELETED ? (uint32_t)by : 0;
	r->octets += size;
	ac->messages += (uint64_t)(int64_t)by;
	ac->octets += size;
	mb->ac->dirty = true;
}

static void mark(struct map_entry *en, unsigned slot, uint64_t flags)
{
	en->seen &= ~bit64(slot);
	en->deleted &= ~bit64(slot);
	if (flags & FLAG_SEEN)
		en->seen |= bit64(slot);
	if (flags & FLAG_DELETED)
		en->deleted |= bit64(slot);
}

enum err mailbox_add(struct mailbox *mb, const struct msg *m, uint32_t *uid)
{
	uint32_t next = mb->rec.uidnext;

	if (next == UINT32_MAX)
		return E_LIMIT;
	enum err e = page_load(mb, next / PAGE_UIDS);

	if (e)
		return e;
	unsigned slot = next % PAGE_UIDS;
	struct msg *to = &mb->page->msg[slot];

	mb->rec.uidnext++;
	touch(mb);
	*to = *m;
	to->uid = next;
	to->modseq = mb->rec.modseq;
	mb->page->present |= bit64(slot);
	entry(mb)->present |= bit64(slot);
	mark(entry(mb), slot, to->flags);
	count(mb, to, 1);
	*uid = next;
	return OK;
}

void keys_drop(struct tx *tx, uint32_t id, uint32_t page)
{
	struct key key = key_sort(id, page);
	struct key_page_record r;
	struct str value;

	if (tx_get(tx, key_str(&key), &value))
		return;
	/* What makes no sense goes all the same. */
	if (!layout_broken(keys_decode(value, &r), key_str(&key)))
		tx_blob_unref(tx, r.blob);
	tx_del(tx, key_str(&key));
}

void mailbox_remove(struct mailbox *mb, uint64_t mask)
{
	struct map_entry *en = entry(mb);

	touch(mb);
	keys_drop(mb->ac->tx, mb->id, mb->page_number);
	for (uint64_t left = mask; left; left &= left - 1) {
		const struct msg *m = &mb->page->msg[lowest64(left)];

		count(mb, m, -1);
		uidset_add(&mb->gone, m->uid);
	}
	mb->page->present &= ~mask;
	en->present &= ~mask;
	en->seen &= ~mask;
	en->deleted &= ~mask;
}

void mailbox_flag(struct mailbox *mb, unsigned slot, uint64_t flags)
{
	struct msg *m = &mb->page->msg[slot];

	touch(mb);
	count(mb, m, -1);
	m->flags = flags;
	m->modseq = mb->rec.modseq;
	count(mb, m, 1);
	mark(entry(mb), slot, flags);
}

/* --- keywords --- */

uint64_t mailbox_flags_known(const struct mailbox_record *r)
{
	return bit64(FLAG_KEYWORD) * (bit64((unsigned)r->nkeywords) - 1) | FLAG_SYSTEM;
}

/* Keywords are told apart without regard to case, RFC 5788 2. */
int mailbox_keyword(const struct mailbox_record *r, struct str name)
{
	for (size_t i = 0; i < r->nkeywords; i++)
		if (str_ieq(r->keyword[i], name))
			return FLAG_KEYWORD + (int)i;
	return -1;
}

enum err mailbox_keywords(struct mailbox *mb, const struct str *name, size_t n, uint64_t *bits)
{
	struct mailbox_record *r = &mb->rec;
	enum err e = OK;

	*bits = 0;
	for (size_t i = 0; i < n; i++) {
		int bit = mailbox_keyword(r, name[i]);

		if (bit < 0 && (r->nkeywords == KEYWORDS_MAX || !keyword_ok(name[i]))) {
			e = E_LIMIT;
			continue;
		}
		if (bit < 0) {
			bit = FLAG_KEYWORD + (int)r->nkeywords;
			r->keyword[r->nkeywords++] = name[i];
			mailbox_touch(mb);
		}
		*bits |= bit64((unsigned)bit);
	}
	return e;
}

/* --- the log of expunges --- */

/* Forgets the oldest expunges until the log is within its bounds. */
static enum err log_trim(struct mailbox *mb)
{
	struct mailbox_record *r = &mb->rec;
	struct tx *tx = mb->ac->tx;
	struct key prefix = key_prefix('x', mb->id);
	struct str key, value;
	struct uidset set;
	uint64_t modseq;

	while (r->log_entries > LOG_ENTRIES_MAX || r->log_ranges > LOG_RANGES_MAX) {
		enum err e = tx_next(tx, key_str(&prefix), S(""), &key, &value);

		if (!e)
			e = log_decode(value, tx_arena(tx), &set);
		if (!e && !key_number(key, &prefix, 16, &modseq))
			e = E_CORRUPT;
		if (e)
			return layout_broken(e == E_NOTFOUND ? E_CORRUPT : e, key_str(&prefix));
		r->log_entries--;
		r->log_ranges -= (uint32_t)set.n;
		r->log_floor = modseq;
		tx_del(tx, key);
	}
	return OK;
}

static enum err log_write_gone(struct mailbox *mb)
{
	struct uidset set = uidset_done(&mb->gone);
	struct key key = key_log(mb->id, mb->rec.modseq);
	struct tx *tx = mb->ac->tx;

	if (!set.n)
		return OK;
	tx_put(tx, key_str(&key), log_encode(tx_arena(tx), set));
	mb->gone = (struct uidset_builder){ .a = mb->gone.a };
	mb->rec.log_entries++;
	mb->rec.log_ranges += (uint32_t)set.n;
	return log_trim(mb);
}

enum err mailbox_save(struct mailbox *mb)
{
	struct key key = key_mailbox(mb->id);
	enum err e = log_write_gone(mb);

	page_flush(mb);
	chunk_flush(mb);
	if (!e && mb->dirty)
		tx_put(mb->ac->tx, key_str(&key), mailbox_encode(tx_arena(mb->ac->tx), &mb->rec));
	mb->dirty = false;
	return e;
}
