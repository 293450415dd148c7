/* SPDX-License-Identifier: ISC */
#include "box/box_test.h"

/* The list as text: "name" or "(name)" if it does not exist, "+" if subscribed. */
static struct str list_text(uint32_t account)
{
	struct buf b = buf_new(65536);
	struct mailbox_info *v;
	size_t n;

	CHECK_NUM(box_list(st, account, mem, &v, &n), OK);
	for (size_t i = 0; i < n; i++)
		buf_fmt(&b, v[i].exists ? "%s%.*s%s" : "%s(%.*s)%s", i ? " " : "", FMT(v[i].name),
			v[i].subscribed ? "+" : "");
	struct str text = str_dup(mem, buf_str(&b));

	buf_free(&b);
	return text;
}

static void accounts(void)
{
	struct mailbox_info info;
	struct box_usage use;
	struct mailbox_info *v;
	size_t n;

	CHECK_NUM(box_usage(st, 1, &use), E_NOTFOUND);
	CHECK_NUM(box_list(st, 1, mem, &v, &n), E_NOTFOUND);
	CHECK_NUM(box_account_create(st, 1), OK);
	CHECK_NUM(box_account_create(st, 1), OK);
	CHECK_STR(list_text(1), "INBOX+ Archive+ Drafts+ Junk+ Sent+ Trash+");
	CHECK_NUM(box_status(st, 1, S("Junk"), mem, &info), OK);
	CHECK_NUM(info.use, USE_JUNK);
	CHECK_NUM(info.uidnext, 1);
	CHECK(info.uidvalidity > 0 && info.modseq > 0 && info.subscribed && info.exists);
	CHECK_NUM(box_status(st, 1, S("nothing"), mem, &info), E_NOTFOUND);

	CHECK_NUM(deliver(1, "", 0), 1);
	CHECK_NUM(box_usage(st, 1, &use), OK);
	CHECK(use.messages == 1 && use.octets > 0);
	CHECK_SOUND(1);
	CHECK_NUM(box_account_delete(st, 1), OK);
	CHECK_NUM(box_account_delete(st, 1), OK);
	CHECK_NUM(box_usage(st, 1, &use), E_NOTFOUND);
	CHECK_NUM(box_account_create(st, 1), OK);
	CHECK_NUM(box_usage(st, 1, &use), OK);
	CHECK_NUM(use.messages, 0);
	CHECK_NUM(box_status(st, 1, S("inbox"), mem, &info), OK);
	CHECK_SOUND(1);
}

static void creating(void)
{
	struct mailbox_info info, again;

	CHECK_NUM(box_create(st, 1, S("INBOX"), 0), E_EXISTS);
	CHECK_NUM(box_create(st, 1, S("inbox/"), 0), E_EXISTS);
	CHECK_NUM(box_create(st, 1, S("a//b"), 0), E_SYNTAX);
	CHECK_NUM(box_create(st, 1, S(""), 0), E_SYNTAX);
	CHECK_NUM(box_create(st, 1, S("a/b/c/"), 0), OK);
	CHECK_NUM(box_create(st, 1, S("a/b"), 0), E_EXISTS);
	CHECK_NUM(box_create(st, 2, S("a"), 0), E_NOTFOUND);
	CHECK_NUM(box_delete(st, 1, S("Inbox")), E_DENIED);
	CHECK_NUM(box_delete(st, 1, S("x")), E_NOTFOUND);
	CHECK_NUM(box_delete(st, 1, S("a/b")), OK);
	CHECK_STR(list_text(1), "INBOX+ Archive+ Drafts+ Junk+ Sent+ Trash+ a (a/b) a/b/c");
	CHECK_NUM(box_subscribe(st, 1, S("a/b"), true), OK);
	CHECK_NUM(box_subscribe(st, 1, S("gone/now"), true), OK);
	CHECK_NUM(box_subscribe(st, 1, S("gone/now"), true), OK);
	CHECK_NUM(box_subscribe(st, 1, S("Trash"), false), OK);
	CHECK_NUM(box_subscribe(st, 1, S("Trash"), false), OK);
	CHECK_NUM(box_subscribe(st, 1, S("*"), true), E_SYNTAX);
	CHECK_STR(list_text(1), "INBOX+ Archive+ Drafts+ Junk+ Sent+ Trash a (a/b)+ a/b/c "
				"(gone/now)+");
	CHECK_NUM(box_create(st, 1, S("new"), USE_ARCHIVE), OK);
	CHECK_NUM(box_status(st, 1, S("new"), mem, &info), OK);
	CHECK_NUM(info.use, USE_ARCHIVE);
	CHECK_NUM(deliver(1, "new", 0), 1);
	CHECK_NUM(box_delete(st, 1, S("new")), OK);
	CHECK_NUM(box_create(st, 1, S("new"), 0), OK);
	CHECK_NUM(box_status(st, 1, S("new"), mem, &again), OK);
	CHECK(again.uidvalidity > info.uidvalidity && again.id > info.id);
	CHECK_NUM(again.messages, 0);
	CHECK_SOUND(1);
}

static void renaming(void)
{
	struct mailbox_info info, was;
	char name[300];

	CHECK_NUM(box_account_create(st, 3), OK);
	CHECK_NUM(box_create(st, 3, S("a/b/c"), 0), OK);
	CHECK_NUM(box_create(st, 3, S("ab"), 0), OK);
	CHECK_NUM(deliver(3, "a/b", 0), 1);
	CHECK_NUM(box_status(st, 3, S("a/b"), mem, &was), OK);
	CHECK_NUM(box_rename(st, 3, S("a"), S("a/x")), E_DENIED);
	CHECK_NUM(box_rename(st, 3, S("a"), S("a")), E_EXISTS);
	CHECK_NUM(box_rename(st, 3, S("x"), S("y")), E_NOTFOUND);
	CHECK_NUM(box_rename(st, 3, S("a"), S("ab")), E_EXISTS);
	CHECK_NUM(box_rename(st, 3, S("a"), S("y%")), E_SYNTAX);
	CHECK_NUM(box_rename(st, 3, S("a"), S("p/q")), OK);
	CHECK_STR(list_text(3),
		  "INBOX+ Archive+ Drafts+ Junk+ Sent+ Trash+ ab p p/q p/q/b p/q/b/c");
	CHECK_NUM(box_status(st, 3, S("p/q/b"), mem, &info), OK);
	CHECK(info.uidvalidity == was.uidvalidity && info.messages == 1 && info.id == was.id);
	memset(name, 'n', sizeof name);
	CHECK_NUM(box_create(st, 3, STR(name, sizeof name), 0), OK);
	CHECK_NUM(box_create(st, 3, str_fmt(mem, "p/%.300s", name), 0), OK);
	CHECK_NUM(box_rename(st, 3, S("p"), str_fmt(mem, "%.300s/p", name)), E_LIMIT);
	CHECK_NUM(box_delete(st, 3, S("p")), OK);
	CHECK_NUM(box_rename(st, 3, S("p"), S("r")), OK); /* only its children */
	CHECK_NUM(box_status(st, 3, S("r"), mem, &info), E_NOTFOUND);
	CHECK_NUM(box_status(st, 3, S("r/q/b/c"), mem, &info), OK);
	CHECK_SOUND(3);
}

static void renaming_inbox(void)
{
	struct mailbox_info info;
	struct box *b;

	CHECK_NUM(box_account_create(st, 4), OK);
	CHECK_NUM(box_create(st, 4, S("inbox/sub"), 0), OK);
	CHECK_NUM(deliver(4, "INBOX", 0), 1);
	b = open_box(4, "inbox");
	CHECK_NUM(box_rename(st, 4, S("inbox"), S("old/mail")), OK);
	CHECK_STR(list_text(4),
		  "INBOX+ Archive+ Drafts+ INBOX/sub Junk+ Sent+ Trash+ old old/mail");
	CHECK_NUM(box_status(st, 4, S("old/mail"), mem, &info), OK);
	CHECK_NUM(info.messages, 1);
	CHECK_NUM(box_status(st, 4, S("INBOX"), mem, &info), OK);
	CHECK_NUM(info.messages, 0);
	CHECK_STR(sync_text(b, true), "");
	CHECK(box_view(b).deleted);
	box_close(&b);
	CHECK_NUM(deliver(4, "INBOX", 0), 1);
	CHECK_NUM(box_status(st, 4, S("INBOX"), mem, &info), OK);
	CHECK_NUM(info.messages, 1);
	CHECK_SOUND(4);
}

/* A mailbox of more messages than one update removes. */
static void deleting_many(void)
{
	struct box_usage use;
	struct incoming *in = mail(1);
	struct store_stats before, after;
	struct box *b;

	CHECK_NUM(box_account_create(st, 5), OK);
	CHECK_NUM(store_stats(st, &before), OK);
	CHECK_NUM(box_create(st, 5, S("many"), 0), OK);
	CHECK_NUM(deliver_many(5, "many", in, 2500), 2500);
	incoming_close(&in);
	CHECK_SOUND(5);
	b = open_box(5, "many");
	CHECK_NUM(box_view(b).exists, 2500);
	CHECK_NUM(box_delete(st, 5, S("many")), OK);
	CHECK_STR(sync_text(b, true), "");
	CHECK(box_view(b).deleted);
	box_close(&b);
	CHECK_NUM(box_usage(st, 5, &use), OK);
	CHECK(use.messages == 0 && use.octets == 0);
	CHECK_NUM(store_stats(st, &after), OK);
	CHECK_NUM(after.blobs, before.blobs);
	CHECK_NUM(after.keys, before.keys);
	CHECK_SOUND(5);
}

/* What a crash right behind the first update of box_delete leaves. */
static enum err half_delete(struct tx *tx, void *arg)
{
	struct mailbox_record r;
	struct str key = S(""), value;
	struct account_record ac;

	(void)arg;
	if (tx_get(tx, KEY_ACCOUNT, &value) || account_decode(value, &ac))
		return E_CORRUPT;
	while (!tx_next(tx, KEY_MAILBOXES, key, &key, &value)) {
		if (mailbox_decode(value, &r) || !str_is(r.name, "half"))
			continue;
		r.removing = true;
		ac.mailboxes--;
		ac.messages -= r.messages;
		ac.octets -= r.octets;
		tx_put(tx, key, mailbox_encode(tx_arena(tx), &r));
		tx_put(tx, KEY_ACCOUNT, account_encode(tx_arena(tx), &ac));
		return OK;
	}
	return E_NOTFOUND;
}

static enum err drop_account(struct tx *tx, void *arg)
{
	(void)arg;
	tx_del(tx, KEY_ACCOUNT);
	return OK;
}

static void half_deleted(void)
{
	struct store_stats before, after;
	struct key part = key_partition(6);
	struct mailbox_info info;

	CHECK_NUM(box_account_create(st, 6), OK);
	CHECK_NUM(store_stats(st, &before), OK);
	CHECK_NUM(box_create(st, 6, S("half"), 0), OK);
	for (unsigned i = 0; i < 100; i++)
		CHECK_NUM(deliver(6, "half", 0), i + 1);
	CHECK_NUM(store_update(st, key_str(&part), half_delete, NULL), OK);
	CHECK_SOUND(6);
	CHECK_NUM(box_status(st, 6, S("half"), mem, &info), E_NOTFOUND);
	CHECK_NUM(box_sweep(st, 6), OK);
	CHECK_NUM(store_stats(st, &after), OK);
	CHECK_NUM(after.blobs, before.blobs);
	CHECK_NUM(after.keys, before.keys);
	CHECK_SOUND(6);

	/* An account whose deletion was cut short, made again. */
	CHECK_NUM(deliver(6, "INBOX", 0), 1);
	CHECK_NUM(store_update(st, key_str(&part), drop_account, NULL), OK);
	CHECK_NUM(box_account_create(st, 6), OK);
	CHECK_NUM(store_stats(st, &after), OK);
	CHECK_NUM(after.keys, before.keys);
	CHECK_SOUND(6);
}

static void body(void)
{
	accounts();
	creating();
	renaming();
	renaming_inbox();
	deleting_many();
	half_deleted();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
