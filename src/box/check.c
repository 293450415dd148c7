/* SPDX-License-Identifier: ISC */
/* Recounts an account: the invariants of layout.h, each with a sentence where it does not hold. */
#include <stdarg.h>

#include "box/names.h"
#include "box/receipt_record.h"

enum { FAULTS_MAX = 1000 };

struct checking {
	struct store *st;
	struct key partition;
	struct arena *a; /* the sentences */
	struct str fault[FAULTS_MAX];
	size_t nfaults;
	struct str mailbox; /* which one it is about now; "" none */
	struct check_id {
		uint32_t id;
		bool live;
	} * ids; /* all mailboxes, in order of key */
	size_t nids;
};

PRINTF(2, 3) static void fault(struct checking *c, const char *fmt, ...)
{
	struct buf b = buf_new(1024);
	va_list args;
	char text[512];

	if (c->nfaults == FAULTS_MAX)
		return;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	BUG_IF(n < 0); /* what is longer is cut */
	buf_fmt(&b, "account %.*s: ", FMT(str_from(key_str(&c->partition), 2)));
	if (c->mailbox.n)
		buf_fmt(&b, "mailbox \"%.*s\": ", FMT(c->mailbox));
	buf_put(&b, str_of(text));
	c->fault[c->nfaults++] = str_dup(c->a, buf_str(&b));
	buf_free(&b);
}

/* A difference between what is written and what was counted. */
static void same(struct checking *c, const char *what, uint64_t written, uint64_t counted)
{
	if (written != counted)
		fault(c, "%s is %llu, counted are %llu", what, (unsigned long long)written,
		      (unsigned long long)counted);
}

/* --- the pages and the map of a mailbox --- */

struct tally {
	struct tx *tx;
	uint32_t id;
	struct key pages, chunks, log;
	const struct mailbox_record *rec;
	struct chunk *chunk;
	uint64_t chunk_number;
	struct page *page;
	uint64_t messages, unseen, deleted, octets;
	uint64_t entries; /* of the map that no page was seen for yet */
	struct part_here {
		uint32_t page;
		uint64_t present;
	} * here;
	size_t nhere, cap;
};

static void add_here(struct tally *t, uint32_t page, uint64_t present)
{
	if (t->nhere == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct part_here *v = ARENA_ARRAY(tx_arena(t->tx), struct part_here, cap);

		if (t->nhere)
			memcpy(v, t->here, t->nhere * sizeof *v);
		t->here = v;
		t->cap = cap;
	}
	t->here[t->nhere++] = (struct part_here){ page, present };
}

/* Counts the map's entries first: each page then takes one away. */
static enum err check_map(struct checking *c, struct tally *t)
{
	struct str key = S(""), value;
	uint64_t number;
	enum err e;

	while (!(e = tx_next(t->tx, key_str(&t->chunks), key, &key, &value))) {
		enum err bad = chunk_decode(value, t->chunk);

		if (!bad && !key_number(key, &t->chunks, 8, &number))
			bad = E_CORRUPT;
		if (bad) {
			fault(c, "%.*s: %s", FMT(key), err_text(bad));
			continue;
		}
		if (t->chunk->modseq > t->rec->modseq)
			fault(c, "%.*s has a modseq above the mailbox's", FMT(key));
		for (unsigned i = 0; i < CHUNK_PAGES; i++)
			t->entries += t->chunk->entry[i].present != 0;
	}
	t->chunk_number = UINT64_MAX;
	return e == E_NOTFOUND ? OK : e;
}

static void check_message(struct checking *c, struct tally *t, const struct msg *m,
			  const struct map_entry *en)
{
	uint64_t bit = bit64(m->uid % PAGE_UIDS);

	t->messages++;
	t->unseen += !(m->flags & FLAG_SEEN);
	t->deleted += (m->flags & FLAG_DELETED) != 0;
	t->octets += m->size;
	if (m->uid >= t->rec->uidnext)
		fault(c, "UID %u is not below UIDNEXT %u", m->uid, t->rec->uidnext);
	if (m->modseq > en->modseq || m->modseq == 0)
		fault(c, "UID %u has a modseq above that of the map", m->uid);
	if (!(en->seen & bit) == !!(m->flags & FLAG_SEEN) ||
	    !(en->deleted & bit) == !!(m->flags & FLAG_DELETED))
		fault(c, "UID %u has other flags than the map says", m->uid);
	if (m->flags & ~mailbox_flags_known(t->rec))
		fault(c, "UID %u has a keyword without a name", m->uid);
}

static enum err check_page(struct checking *c, struct tally *t, uint32_t number)
{
	struct key key = key_chunk(t->id, number / CHUNK_PAGES);
	struct str value;

	if (t->chunk_number != number / CHUNK_PAGES) {
		enum err e = tx_get(t->tx, key_str(&key), &value);

		*t->chunk = (struct chunk){ 0 };
		if (!e)
			e = chunk_decode(value, t->chunk);
		if (e && e != E_NOTFOUND && e != E_CORRUPT && e != E_VERSION)
			return e;
		t->chunk_number = number / CHUNK_PAGES;
	}
	const struct map_entry *en = &t->chunk->entry[number % CHUNK_PAGES];

	if (en->present != t->page->present)
		fault(c, "page %u holds other messages than the map says", number);
	t->entries -= en->present != 0;
	for (uint64_t left = t->page->present; left; left &= left - 1)
		check_message(c, t, &t->page->msg[lowest64(left)], en);
	add_here(t, number, t->page->present);
	return OK;
}

static enum err check_pages(struct checking *c, struct tally *t)
{
	struct str key = S(""), value;
	uint64_t number;
	enum err e;

	while (!(e = tx_next(t->tx, key_str(&t->pages), key, &key, &value))) {
		enum err bad = key_number(key, &t->pages, 8, &number) ? OK : E_CORRUPT;

		if (!bad)
			bad = page_decode(value, (uint32_t)number, t->page);
		if (bad) {
			fault(c, "%.*s: %s", FMT(key), err_text(bad));
			continue;
		}
		e = check_page(c, t, (uint32_t)number);
		if (e)
			return e;
	}
	if (t->entries)
		fault(c, "%llu entries of the map have no page", (unsigned long long)t->entries);
	return e == E_NOTFOUND ? OK : e;
}

/* --- the log of expunges --- */

static bool any_here(const struct tally *t, struct uid_range r)
{
	for (size_t i = 0; i < t->nhere; i++) {
		uint32_t base = t->here[i].page * PAGE_UIDS;

		if (base > r.last || base + (PAGE_UIDS - 1) < r.first)
			continue;
		for (uint64_t left = t->here[i].present; left; left &= left - 1) {
			uint32_t uid = base + lowest64(left);

			if (uid >= r.first && uid <= r.last)
				return true;
		}
	}
	return false;
}

static enum err check_log(struct checking *c, struct tally *t)
{
	struct str key = S(""), value;
	uint64_t modseq, entries = 0, ranges = 0;
	struct uidset set;
	enum err e;

	while (!(e = tx_next(t->tx, key_str(&t->log), key, &key, &value))) {
		enum err bad = log_decode(value, tx_arena(t->tx), &set);

		if (!bad && !key_number(key, &t->log, 16, &modseq))
			bad = E_CORRUPT;
		if (bad) {
			fault(c, "%.*s: %s", FMT(key), err_text(bad));
			continue;
		}
		if (modseq <= t->rec->log_floor || modseq > t->rec->modseq)
			fault(c, "%.*s is outside of the log's modseqs", FMT(key));
		entries++;
		ranges += set.n;
		for (size_t i = 0; i < set.n; i++)
			if (set.range[i].last >= t->rec->uidnext || any_here(t, set.range[i]))
				fault(c, "%.*s: UIDs %u:%u are there or never were", FMT(key),
				      set.range[i].first, set.range[i].last);
	}
	same(c, "the log's number of entries", t->rec->log_entries, entries);
	same(c, "the log's number of ranges", t->rec->log_ranges, ranges);
	return e == E_NOTFOUND ? OK : e;
}

/* Of messages that are not there nothing may be left. */
static enum err check_keys(struct checking *c, struct tally *t)
{
	struct key prefix = key_prefix('k', t->id);
	struct str key = S(""), value;
	struct key_page_record r;
	uint64_t number;
	size_t at = 0; /* both ascend */
	enum err e;

	while (!(e = tx_next(t->tx, key_str(&prefix), key, &key, &value))) {
		enum err bad = keys_decode(value, &r);
		uint64_t present = 0;

		if (!bad && !key_number(key, &prefix, 8, &number))
			bad = E_CORRUPT;
		if (bad) {
			fault(c, "%.*s: %s", FMT(key), err_text(bad));
			continue;
		}
		while (at < t->nhere && t->here[at].page < number)
			at++;
		if (at < t->nhere && t->here[at].page == number)
			present = t->here[at].present;
		if (r.present & ~present)
			fault(c, "%.*s has sort keys of messages that are not there", FMT(key));
	}
	return e == E_NOTFOUND ? OK : e;
}

static enum err check_mailbox(struct checking *c, struct tx *tx, uint32_t id,
			      const struct mailbox_record *rec)
{
	struct arena *a = tx_arena(tx);
	struct tally t = {
		.tx = tx,
		.id = id,
		.pages = key_prefix('m', id),
		.chunks = key_prefix('c', id),
		.log = key_prefix('x', id),
		.rec = rec,
		.chunk = ARENA_NEW(a, struct chunk),
		.page = ARENA_NEW(a, struct page),
	};
	enum err e = check_map(c, &t);

	if (!e)
		e = check_pages(c, &t);
	if (!e)
		e = check_log(c, &t);
	if (!e)
		e = check_keys(c, &t);
	if (e)
		return e;
	same(c, "the number of messages", rec->messages, t.messages);
	same(c, "the number of unseen messages", rec->unseen, t.unseen);
	same(c, "the number of deleted messages", rec->deleted, t.deleted);
	same(c, "the number of octets", rec->octets, t.octets);
	if (rec->recent_from > rec->uidnext)
		fault(c, "recent_from is above UIDNEXT");
	return OK;
}

/* --- the account --- */

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void check_unique(struct checking *c, struct str *names, size_t n)
{
	if (n)
		qsort(names, n, sizeof *names, by_name);
	for (size_t i = 1; i < n; i++)
		if (str_eq(names[i - 1], names[i]))
			fault(c, "two mailboxes have the name \"%.*s\"",
			      FMT(str_part(names[i], 0, 200)));
}

/* One b/ record; live ones are added to the account's sums in sum. */
static enum err check_record(struct checking *c, struct account *ac, struct str key,
			     struct str value, struct account_record *sum, struct str *names)
{
	struct mailbox_record *rec = ARENA_NEW(tx_arena(ac->tx), struct mailbox_record);
	struct key prefix = { "b/", 2 };
	uint64_t id;
	enum err bad = mailbox_decode(value, rec);

	if (!bad && !key_number(key, &prefix, 8, &id))
		bad = E_CORRUPT;
	if (bad) {
		fault(c, "%.*s: %s", FMT(key), err_text(bad));
		return OK;
	}
	c->ids[c->nids++] = (struct check_id){ (uint32_t)id, !rec->removing };
	if (rec->removing)
		return OK;
	c->mailbox = str_part(rec->name, 0, 200);
	names[sum->mailboxes++] = rec->name;
	sum->messages += rec->messages;
	sum->octets += rec->octets;
	if (rec->modseq > ac->rec.modseq)
		fault(c, "its modseq is above the account's");
	if (rec->uidvalidity > ac->rec.uidvalidity)
		fault(c, "its UIDVALIDITY is above the last one given");
	if (id >= ac->rec.next_id)
		fault(c, "its number was not given yet");
	if ((id == ac->rec.inbox) != str_is(rec->name, "INBOX"))
		fault(c, "it is INBOX by name or by number only");
	enum err e = check_mailbox(c, ac->tx, (uint32_t)id, rec);

	c->mailbox = S_NONE;
	return e;
}

static enum err check_mailboxes(struct checking *c, struct account *ac)
{
	struct account_record sum = { 0 };
	struct str key = S(""), value, *names;
	size_t n = 0;
	enum err e;

	while (!(e = tx_next(ac->tx, KEY_MAILBOXES, key, &key, &value)))
		n++;
	names = ARENA_ARRAY(tx_arena(ac->tx), struct str, n);
	c->ids = ARENA_ARRAY(c->a, struct check_id, n);
	key = S("");
	while (e == E_NOTFOUND && !tx_next(ac->tx, KEY_MAILBOXES, key, &key, &value)) {
		enum err failed = check_record(c, ac, key, value, &sum, names);

		if (failed)
			return failed;
	}
	check_unique(c, names, sum.mailboxes);
	same(c, "the number of mailboxes", ac->rec.mailboxes, sum.mailboxes);
	same(c, "the number of messages", ac->rec.messages, sum.messages);
	same(c, "the number of octets", ac->rec.octets, sum.octets);
	return e == E_NOTFOUND ? OK : e;
}

/* Keys of mailboxes that are not there. */
static enum err check_orphans(struct checking *c, struct tx *tx, const char *kind)
{
	struct str key = S(""), value;
	enum err e;

	while (!(e = tx_next(tx, str_of(kind), key, &key, &value))) {
		struct scan in = scan(str_from(key, 2));
		uint64_t id = scan_hex(&in, 8);
		bool known = false;

		for (size_t i = 0; i < c->nids; i++)
			known |= c->ids[i].id == id;
		if (in.bad || !known)
			fault(c, "%.*s belongs to no mailbox", FMT(key));
		else /* on to the next mailbox */
			key = str_fmt(tx_arena(tx), "%s%08x/~", kind, (unsigned)id);
	}
	return e == E_NOTFOUND ? OK : e;
}

static enum err check_subscriptions(struct checking *c, struct account *ac)
{
	struct str key = S(""), value, *names;
	size_t n, count = 0;
	enum err e;

	while (!(e = tx_next(ac->tx, KEY_SUBSCRIPTIONS, key, &key, &value))) {
		enum err bad = names_decode(value, tx_arena(ac->tx), &names, &n);

		if (bad)
			fault(c, "%.*s: %s", FMT(key), err_text(bad));
		for (size_t i = 0; !bad && i < n; i++, count++) {
			struct key right = key_subscription(names[i]);

			if (!str_eq(key, key_str(&right)))
				fault(c, "%.*s holds a name that does not belong there", FMT(key));
		}
	}
	same(c, "the number of subscriptions", ac->rec.subscriptions, count);
	return e == E_NOTFOUND ? OK : e;
}

/* --- receipts --- */

/* One r/ value: is it where its number says? */
static void check_receipt(struct checking *c, struct tx *tx, struct str key, struct str value,
			  const struct receipt_tally *sum)
{
	struct receipt r;
	uint64_t number;
	struct str there, named;
	enum err bad = receipt_decode(value, tx_arena(tx), &r, &number);

	if (bad) {
		fault(c, "%.*s: %s", FMT(key), err_text(bad));
		return;
	}
	struct key right = key_receipt(r.id), place = key_receipt_order(number);

	if (!str_eq(key, key_str(&right)))
		fault(c, "%.*s holds receipts that do not belong there", FMT(key));
	if (number > sum->last)
		fault(c, "%.*s has a number that was not given yet", FMT(key));
	if (tx_get(tx, key_str(&place), &there) || receipt_order_decode(there, &named) ||
	    !str_eq(named, key))
		fault(c, "%.*s is not in the order of receipts", FMT(key));
}

static enum err check_receipts(struct checking *c, struct tx *tx)
{
	struct receipt_tally sum = { 0 };
	uint64_t mails = 0, octets = 0, places = 0;
	struct str key = S(""), value;
	enum err e = tx_get(tx, KEY_RECEIPT_TALLY, &value);

	if (!e && receipt_tally_decode(value, &sum))
		fault(c, "the sum of receipts makes no sense");
	if (e && e != E_NOTFOUND)
		return e;
	while (!(e = tx_next(tx, KEY_RECEIPTS, key, &key, &value))) {
		check_receipt(c, tx, key, value, &sum);
		mails++;
		octets += value.n;
	}
	key = S("");
	while (e == E_NOTFOUND && !tx_next(tx, KEY_RECEIPT_ORDER, key, &key, &value))
		places++;
	same(c, "the number of mails with receipts", sum.mails, mails);
	same(c, "the octets of receipts", sum.octets, octets);
	same(c, "the length of the order of receipts", places, mails);
	return e == E_NOTFOUND ? OK : e;
}

static enum err check_account(struct tx *tx, void *arg)
{
	struct checking *c = arg;
	struct account ac;
	enum err e = account_load(tx, &ac);

	c->nfaults = c->nids = 0;
	c->mailbox = S_NONE;
	if (e == E_CORRUPT || e == E_VERSION) {
		fault(c, "its record: %s", err_text(e));
		return OK;
	}
	if (!e)
		e = check_mailboxes(c, &ac);
	if (!e)
		e = check_orphans(c, tx, "m/");
	if (!e)
		e = check_orphans(c, tx, "c/");
	if (!e)
		e = check_orphans(c, tx, "x/");
	if (!e)
		e = check_orphans(c, tx, "k/");
	if (!e)
		e = check_subscriptions(c, &ac);
	if (!e)
		e = check_receipts(c, tx);
	return e;
}

/* --- the blobs: page by page, as asking for one suspends --- */

struct blob_check {
	uint32_t id;
	bool next; /* the page behind number, else number itself */
	bool any;  /* result */
	uint64_t number;
	struct page page; /* result */
};

static enum err next_page(struct tx *tx, void *arg)
{
	struct blob_check *t = arg;
	struct key prefix = key_prefix('m', t->id);
	struct key at = key_page(t->id, (uint32_t)t->number);
	struct str key, value, from = t->number == UINT64_MAX ? S("") : key_str(&at);
	enum err e = t->next ? tx_next(tx, key_str(&prefix), from, &key, &value)
			     : tx_get(tx, from, &value);

	t->any = !e;
	t->page.present = 0;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	if (t->next && !key_number(key, &prefix, 8, &t->number))
		return E_CORRUPT;
	(void)!page_decode(value, (uint32_t)t->number, &t->page); /* told already */
	return OK;
}

/* A message without its blob may just have been expunged: then it is not there now. */
static enum err check_blob(struct checking *c, struct blob_check *t, const struct msg *m)
{
	unsigned slot = m->uid % PAGE_UIDS;
	struct blob_info info;
	enum err e = blob_stat(c->st, m->blob, &info);

	if (!e && info.size != m->size)
		fault(c, "mailbox %u: UID %u has another size than its octets", t->id, m->uid);
	if (e != E_NOTFOUND)
		return e;
	struct blob_check *again = NEW(struct blob_check);

	again->id = t->id;
	again->number = t->number;
	e = store_read(c->st, key_str(&c->partition), next_page, again);
	if (!e && again->page.present & bit64(slot))
		fault(c, "mailbox %u: UID %u has no octets", t->id, m->uid);
	free(again);
	return e;
}

static enum err check_blobs(struct checking *c, uint32_t id)
{
	struct blob_check *t = NEW(struct blob_check);
	enum err e;

	t->id = id;
	t->next = true;
	t->number = UINT64_MAX;
	do {
		e = store_read(c->st, key_str(&c->partition), next_page, t);
		for (uint64_t left = t->page.present; !e && left; left &= left - 1)
			e = check_blob(c, t, &t->page.msg[lowest64(left)]);
	} while (!e && t->any);
	free(t);
	return e;
}

enum err box_check(struct store *st, uint32_t account, const struct box_report *r)
{
	struct checking *c = NEW(struct checking);
	enum err e;

	c->st = st;
	c->partition = key_partition(account);
	c->a = arena_new(SIZE_MAX);
	e = store_read(st, key_str(&c->partition), check_account, c);
	for (size_t i = 0; !e && i < c->nids; i++)
		if (c->ids[i].live)
			e = check_blobs(c, c->ids[i].id);
	for (size_t i = 0; i < c->nfaults; i++)
		r->fault(r->arg, c->fault[i]);
	if (!e && c->nfaults)
		e = E_CORRUPT;
	arena_free(&c->a);
	free(c);
	return e;
}
