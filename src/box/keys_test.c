/* SPDX-License-Identifier: ISC */
/* Sort keys: made when they are asked for, kept, and gone with the messages. */
#include "box/box_test.h"
#include "mail/sortkey.h"

static uint32_t put(const char *mailbox, unsigned n)
{
	struct incoming *in = mail_of(str_fmt(mem,
					      "Message-ID: <%u@b>\r\nReferences: <%u@b>\r\n"
					      "Subject: Re: number %u\r\nFrom: u%u@b\r\n\r\n",
					      n, n + 1000, n, n));
	struct delivery d = { .account = 1, .mailbox = str_of(mailbox) };

	box_deliver(st, in, &d, 1);
	incoming_close(&in);
	CHECK_NUM(d.result, OK);
	return d.uid;
}

struct seen {
	unsigned n;
	uint32_t last;
	bool right;
};

/* Message n of the mailbox is the one of put(n). */
static enum err look(void *arg, uint32_t number, const struct msg *m, const struct sortkey *k)
{
	struct seen *s = arg;
	struct str n = str_from(k->from, 1);
	struct str want = str_fmt(mem, "NUMBER %.*s", FMT(n));
	struct str id = str_fmt(mem, "%.*s@b", FMT(n));

	(void)number;
	s->right = s->right && m->uid > s->last && k->reply && k->nrefs == 1 &&
		   str_eq(k->base, want) && k->id == sort_msgid(mem, id);
	s->last = m->uid;
	s->n++;
	return OK;
}

static unsigned all_right(struct box *b, struct uidset set)
{
	struct seen s = { .right = true };

	CHECK_NUM(box_each_key(b, set, look, &s), OK);
	CHECK(s.right);
	return s.n;
}

struct count {
	unsigned pages, keys;
};

static enum err count_kept(struct tx *tx, void *arg)
{
	struct count *c = arg;
	struct key_page_record r;
	struct str key = S(""), value;

	*c = (struct count){ 0 };
	while (!tx_next(tx, S("k/"), key, &key, &value)) {
		CHECK_NUM(keys_decode(value, &r), OK);
		c->pages++;
		c->keys += bits64(r.present);
	}
	return OK;
}

static void kept(unsigned pages, unsigned keys)
{
	struct key part = key_partition(1);
	struct count c;

	CHECK_NUM(store_read(st, key_str(&part), count_kept, &c), OK);
	CHECK_NUM(c.pages, pages);
	CHECK_NUM(c.keys, keys);
	CHECK_SOUND(1);
}

static void made_and_kept(void)
{
	for (unsigned i = 0; i < 200; i++)
		put("INBOX", i);
	struct box *b = open_box(1, "INBOX");

	/* One of a page is not worth a blob; a page that is whole, or enough of it, is. */
	CHECK_NUM(all_right(b, uidset_one(mem, 70, 70)), 1);
	kept(0, 0);
	CHECK_NUM(all_right(b, uidset_one(mem, 65, 90)), 26);
	kept(1, 26);
	CHECK_NUM(all_right(b, every()), 200);
	kept(3, 191); /* the last page has few */
	CHECK_NUM(all_right(b, every()), 200);
	kept(3, 191);
	for (unsigned i = 0; i < 7; i++)
		put("INBOX", i);
	CHECK_NUM(all_right(b, every()), 200);
	CHECK_NUM(box_sync(b, true, NULL), OK);
	CHECK_NUM(all_right(b, every()), 207);
	kept(4, 207);
	box_close(&b);
}

static void gone_with_the_messages(void)
{
	struct box *b = open_box(1, "INBOX");
	struct flag_change ch = { .op = FLAG_ADD,
				  .flags = FLAG_DELETED,
				  .unless_after = UINT64_MAX };
	struct uidset gone;
	struct copied copied;

	/* Flags change nothing, an expunge takes the page's keys, also where the view is older. */
	CHECK_NUM(box_flags(b, uidset_one(mem, 130, 131), &ch, mem, NULL), OK);
	kept(4, 207);
	CHECK_NUM(box_expunge(b, every(), false, mem, &gone), OK);
	kept(3, 143);
	CHECK_NUM(all_right(b, every()), 205);
	kept(4, 205); /* the view still has two that have none any more */
	CHECK_NUM(box_sync(b, true, NULL), OK);
	CHECK_NUM(all_right(b, every()), 205);
	kept(4, 205);
	/* Those that were moved have theirs made anew. */
	CHECK_NUM(box_copy(b, uidset_one(mem, 1, 20), S("Archive"), true, 0, mem, &copied), OK);
	kept(3, 142);
	struct box *to = open_box(1, "Archive");

	CHECK_NUM(all_right(to, every()), 20);
	kept(4, 162);
	box_close(&to);
	box_close(&b);
	CHECK_NUM(box_rename(st, 1, S("Archive"), S("Old")), OK);
	to = open_box(1, "Old");
	CHECK_NUM(all_right(to, every()), 20);
	box_close(&to);
	CHECK_NUM(box_delete(st, 1, S("Old")), OK);
	kept(3, 142);
}

/* What is kept makes no sense: it is made again. A fault that box_check must find. */
static enum err spoil(struct tx *tx, void *arg)
{
	struct str key = S(""), value;

	(void)arg;
	CHECK_NUM(tx_next(tx, S("k/"), key, &key, &value), OK);
	tx_put(tx, key, S("\x01nonsense"));
	return OK;
}

static void damaged(void)
{
	struct key part = key_partition(1);
	struct box *b = open_box(1, "INBOX");

	CHECK_NUM(all_right(b, every()), 185);
	CHECK_NUM(store_update(st, key_str(&part), spoil, NULL), OK);
	CHECK_NUM(box_check(st, 1, &(struct box_report){ print_fault, NULL }), E_CORRUPT);
	CHECK_NUM(all_right(b, every()), 185);
	CHECK_SOUND(1);
	box_close(&b);
}

static void gone_with_the_account(void)
{
	struct store_stats stats;

	CHECK_NUM(box_account_delete(st, 1), OK);
	CHECK_NUM(store_stats(st, &stats), OK);
	CHECK_NUM(stats.blobs, 0);
}

static void tests(void)
{
	CHECK_NUM(box_account_create(st, 1), OK);
	made_and_kept();
	gone_with_the_messages();
	gone_with_the_account();
	CHECK_NUM(box_account_create(st, 1), OK);
	for (unsigned i = 0; i < 185; i++)
		put("INBOX", i);
	damaged();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, tests);
}
