/* SPDX-License-Identifier: ISC */
/* STORE: RFC 3501 6.4.6, RFC 7162 3.1.3. Large sets go by several updates. */
#include "box/view.h"

/* Of one update: pages, which are as many writes. The map adds one for 32 of them. */
enum { FLAG_PAGES = 256 };

struct flagging {
	uint32_t id;
	const struct flag_change *ch;
	struct part part[FLAG_PAGES];
	uint64_t kept[FLAG_PAGES]; /* result: those of part that unless_after forbids */
	size_t n;
};

static uint64_t changed_flags(const struct flag_change *ch, uint64_t old, uint64_t bits)
{
	switch (ch->op) {
	case FLAG_ADD: return old | bits;
	case FLAG_CLEAR: return old & ~bits;
	case FLAG_REPLACE: break;
	}
	return bits;
}

/* Setting what is set already is no change: RFC 7162 3.1. */
static enum err flag_page(struct mailbox *mb, const struct flagging *t, size_t i, uint64_t bits,
			  uint64_t *kept)
{
	const struct page *page;
	enum err e = mailbox_page(mb, t->part[i].page, &page);

	*kept = 0;
	if (e)
		return e == E_NOTFOUND ? OK : e;
	for (uint64_t left = page->present & t->part[i].mask; left; left &= left - 1) {
		unsigned slot = lowest64(left);
		const struct msg *m = &page->msg[slot];
		uint64_t flags = changed_flags(t->ch, m->flags, bits);

		if (m->modseq > t->ch->unless_after)
			*kept |= bit64(slot);
		else if (flags != m->flags)
			mailbox_flag(mb, slot, flags);
	}
	return OK;
}

/* A keyword that is to be taken away need not be made for it. */
static enum err resolve(struct mailbox *mb, const struct flag_change *ch, uint64_t *bits)
{
	enum err e = OK;

	*bits = 0;
	if (ch->op != FLAG_CLEAR)
		e = mailbox_keywords(mb, ch->keywords, ch->nkeywords, bits);
	for (size_t i = 0; ch->op == FLAG_CLEAR && i < ch->nkeywords; i++) {
		int bit = mailbox_keyword(&mb->rec, ch->keywords[i]);

		if (bit >= 0)
			*bits |= bit64((unsigned)bit);
	}
	*bits |= ch->flags & mailbox_flags_known(&mb->rec);
	return e;
}

static enum err flag(struct tx *tx, void *arg)
{
	struct flagging *t = arg;
	struct account ac;
	struct mailbox *mb;
	uint64_t bits;
	enum err e = account_load(tx, &ac);

	if (!e)
		e = mailbox_load(&ac, t->id, &mb);
	if (!e)
		e = resolve(mb, t->ch, &bits);
	for (size_t i = 0; !e && i < t->n; i++)
		e = flag_page(mb, t, i, bits, &t->kept[i]);
	if (!e)
		e = mailbox_save(mb);
	if (!e)
		account_save(&ac);
	return e;
}

enum err box_flags(struct box *b, struct uidset set, const struct flag_change *ch, struct arena *a,
		   struct uidset *kept)
{
	struct flagging *t = NEW(struct flagging);
	struct walk w = { .b = b, .set = set };
	struct uidset_builder refused = { .a = a };
	enum err e = OK;

	t->id = b->id;
	t->ch = ch;
	while (!e && (t->n = view_parts(&w, t->part, FLAG_PAGES, SIZE_MAX)) > 0) {
		e = store_update(b->st, key_str(&b->partition), flag, t);
		for (size_t i = 0; !e && kept && i < t->n; i++)
			view_add_mask(&refused, t->part[i].page, t->kept[i]);
	}
	if (kept)
		*kept = uidset_done(&refused);
	free(t);
	return e;
}
