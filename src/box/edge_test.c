/* SPDX-License-Identifier: ISC */
/*
 * What hardly ever happens: numbers that run out, stored values that are broken or of another
 * version. Values are set by hand, under the mailbox code.
 */
#include "box/box_test.h"

/* Changes a value of an account by hand. */
struct edit {
	struct str key;
	void (*mailbox)(struct mailbox_record *r);
	void (*account)(struct account_record *r);
	bool drop;
	struct str value; /* else */
};

static enum err edit(struct tx *tx, void *arg)
{
	const struct edit *ed = arg;
	struct arena *a = tx_arena(tx);
	struct mailbox_record m;
	struct account_record r;
	struct str value = ed->value;

	if (ed->mailbox) {
		if (tx_get(tx, ed->key, &value) || mailbox_decode(value, &m))
			return E_CORRUPT;
		ed->mailbox(&m);
		value = mailbox_encode(a, &m);
	}
	if (ed->account) {
		if (tx_get(tx, ed->key, &value) || account_decode(value, &r))
			return E_CORRUPT;
		ed->account(&r);
		value = account_encode(a, &r);
	}
	if (ed->drop)
		tx_del(tx, ed->key);
	else
		tx_put(tx, ed->key, value);
	return OK;
}

static void by_hand(uint32_t account, struct edit ed)
{
	struct key part = key_partition(account);

	CHECK_NUM(store_update(st, key_str(&part), edit, &ed), OK);
}

static uint32_t box_id(uint32_t account, const char *name)
{
	struct mailbox_info info;

	CHECK_NUM(box_status(st, account, str_of(name), mem, &info), OK);
	return info.id;
}

static struct mailbox_info status(uint32_t account, const char *name)
{
	struct mailbox_info info;

	CHECK_NUM(box_status(st, account, str_of(name), mem, &info), OK);
	return info;
}

/* --- UIDs that run out --- */

static uint32_t next_uid;

static void set_uidnext(struct mailbox_record *r)
{
	r->uidnext = r->recent_from = next_uid;
}

static void last_uids(void)
{
	struct incoming *in = mail(1);
	struct delivery d = { .account = 1 };
	struct key key;
	struct uidset gone;
	struct box *b;
	bool beyond;

	CHECK_NUM(box_account_create(st, 1), OK);
	key = key_mailbox(box_id(1, "INBOX"));
	next_uid = UINT32_MAX - 3;
	by_hand(1, (struct edit){ .key = key_str(&key), .mailbox = set_uidnext });
	for (uint32_t i = 0; i < 3; i++) {
		box_deliver(st, in, &d, 1);
		CHECK_NUM(d.result, OK);
		CHECK_NUM(d.uid, UINT32_MAX - 3 + i);
	}
	box_deliver(st, in, &d, 1);
	CHECK_NUM(d.result, E_LIMIT);
	b = open_box(1, "INBOX");
	CHECK_NUM(box_view(b).exists, 3);
	CHECK_NUM(box_view(b).recent, 3);
	CHECK_NUM(box_uid(b, 3), UINT32_MAX - 1);
	CHECK_NUM(box_number(b, UINT32_MAX - 1), 3);
	CHECK_NUM(box_number(b, UINT32_MAX), 0);
	CHECK_STR(set_text(box_known(b, mem, every())), "4294967292:4294967294");
	CHECK_STR(set_text(box_uids(b, mem, set_of("2:4"), &beyond)), "4294967293:4294967294");
	CHECK_SOUND(1);
	CHECK_NUM(box_expunge(b, set_of("4294967293"), true, mem, &gone), OK);
	CHECK_STR(sync_text(b, true), "-2(4294967293)");
	box_close(&b);
	incoming_close(&in);
	CHECK_SOUND(1);
}

/* A COPY whose second update finds no UIDs leaves nothing, a MOVE what it says. */
static void half_copied(void)
{
	struct incoming *in = mail(1);
	struct key key;
	struct copied c;
	struct box *b;

	CHECK_NUM(box_account_create(st, 2), OK);
	CHECK_NUM(deliver_many(2, "INBOX", in, 5000), 5000);
	incoming_close(&in);
	b = open_box(2, "INBOX");
	next_uid = UINT32_MAX - 4500;
	key = key_mailbox(box_id(2, "Trash"));
	by_hand(2, (struct edit){ .key = key_str(&key), .mailbox = set_uidnext });
	key = key_mailbox(box_id(2, "Archive"));
	by_hand(2, (struct edit){ .key = key_str(&key), .mailbox = set_uidnext });

	CHECK_NUM(box_copy(b, every(), S("Trash"), false, 0, mem, &c), E_LIMIT);
	CHECK_NUM(c.from.n + c.to.n, 0);
	CHECK_NUM(status(2, "Trash").messages, 0);
	CHECK_NUM(status(2, "INBOX").messages, 5000);
	CHECK_SOUND(2);
	CHECK_NUM(box_copy(b, every(), S("Archive"), true, 0, mem, &c), E_LIMIT);
	CHECK_NUM(status(2, "Archive").messages, uidset_count(c.to));
	CHECK_NUM(status(2, "INBOX").messages, 5000 - uidset_count(c.from));
	CHECK(uidset_count(c.from) > 4000);
	CHECK_SOUND(2);
	box_close(&b);
}

/* --- bounds of the account --- */

static uint32_t mailboxes;

static void set_mailboxes(struct account_record *r)
{
	uint32_t were = r->mailboxes;

	r->mailboxes = mailboxes;
	mailboxes = were;
}

static void set_subscriptions(struct account_record *r)
{
	r->subscriptions = MAILBOXES_MAX;
}

static void limits(void)
{
	struct edit count = { .key = KEY_ACCOUNT, .account = set_mailboxes };

	CHECK_NUM(box_account_create(st, 3), OK);
	mailboxes = MAILBOXES_MAX - 1;
	by_hand(3, count);
	CHECK_NUM(box_create(st, 3, S("two/levels"), 0), E_LIMIT);
	CHECK_NUM(box_create(st, 3, S("one"), 0), OK);
	CHECK_NUM(box_create(st, 3, S("two"), 0), E_LIMIT);
	CHECK_NUM(box_rename(st, 3, S("INBOX"), S("old")), E_LIMIT);
	CHECK_NUM(deliver(3, "INBOX", 0), 1);
	mailboxes = 7;
	by_hand(3, count);
	CHECK_SOUND(3);
	by_hand(3, (struct edit){ .key = KEY_ACCOUNT, .account = set_subscriptions });
	CHECK_NUM(box_subscribe(st, 3, S("one"), true), E_LIMIT);
	CHECK_NUM(box_subscribe(st, 3, S("Junk"), false), OK);
}

/* --- broken values --- */

static unsigned faults;
static struct str first_fault;

static void count_fault(void *arg, struct str sentence)
{
	(void)arg;
	if (!faults++)
		first_fault = str_dup(mem, sentence);
}

static unsigned check_faults(uint32_t account)
{
	faults = 0;
	CHECK_NUM(box_check(st, account, &(struct box_report){ count_fault, NULL }), E_CORRUPT);
	return faults;
}

static void wrong_count(struct mailbox_record *r)
{
	r->octets++;
	r->unseen--;
}

static void fresh(uint32_t account, struct key *key)
{
	CHECK_NUM(box_account_create(st, account), OK);
	for (unsigned i = 1; i <= 70; i++)
		CHECK_NUM(deliver(account, "INBOX", 0), i);
	CHECK_SOUND(account);
	*key = key_mailbox(box_id(account, "INBOX"));
}

static void broken(void)
{
	struct flag_change ch = { .op = FLAG_ADD, .flags = FLAG_SEEN, .unless_after = UINT64_MAX };
	struct delivery d = { .account = 5 };
	struct incoming *in = mail(1);
	struct key key;
	struct box *b;
	struct msg m;

	fresh(4, &key);
	by_hand(4, (struct edit){ .key = key_str(&key), .mailbox = wrong_count });
	CHECK_NUM(check_faults(4), 3); /* the account's octets as well */
	CHECK_STR(first_fault, "account 00000004: mailbox \"INBOX\": the number of unseen "
			       "messages is 69, counted are 70");

	/* A page that makes no sense: what is in it cannot be read, and is not changed. */
	fresh(5, &key);
	b = open_box(5, "INBOX");
	key = key_page(box_id(5, "INBOX"), 1);
	by_hand(5, (struct edit){ .key = key_str(&key), .value = S("\1junk") });
	CHECK(check_faults(5) >= 2);
	CHECK_NUM(box_get(b, 65, &m), E_CORRUPT);
	CHECK_NUM(box_get(b, 63, &m), OK);
	CHECK_NUM(box_flags(b, set_of("65"), &ch, mem, NULL), E_CORRUPT);
	box_deliver(st, in, &d, 1);
	CHECK_NUM(d.result, E_CORRUPT);
	by_hand(5, (struct edit){ .key = key_str(&key), .value = S("\2later") });
	CHECK_NUM(box_get(b, 65, &m), E_VERSION);
	by_hand(5, (struct edit){ .key = key_str(&key), .drop = true });
	CHECK_NUM(box_get(b, 65, &m), E_NOTFOUND);
	CHECK_NUM(box_flags(b, set_of("65"), &ch, mem, NULL), E_CORRUPT);
	CHECK(check_faults(5) >= 2);
	box_close(&b);

	/* A chunk without its mailbox, a chunk that is not there, a later account record. */
	fresh(6, &key);
	by_hand(6, (struct edit){ .key = S("c/00000077/00000000"), .value = S("\1") });
	CHECK_NUM(check_faults(6), 1);
	CHECK_STR(first_fault, "account 00000006: c/00000077/00000000 belongs to no mailbox");
	by_hand(6, (struct edit){ .key = S("c/00000077/00000000"), .drop = true });
	key = key_chunk(box_id(6, "INBOX"), 0);
	by_hand(6, (struct edit){ .key = key_str(&key), .drop = true });
	CHECK(check_faults(6) >= 2);
	by_hand(6, (struct edit){ .key = KEY_ACCOUNT, .value = S("\3") });
	d.account = 6;
	box_deliver(st, in, &d, 1);
	CHECK_NUM(d.result, E_VERSION);
	CHECK_NUM(box_open(st, 6, S("INBOX"), &b), E_VERSION);
	CHECK_NUM(check_faults(6), 1);
	incoming_close(&in);
}

static void swallow(void *arg, struct str line)
{
	(void)arg, (void)line;
}

static void body(void)
{
	log_capture(swallow, NULL);
	last_uids();
	half_copied();
	limits();
	broken();
	log_capture(NULL, NULL);
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
