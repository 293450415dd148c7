/* SPDX-License-Identifier: ISC */
/* Delivery, APPEND, COPY, MOVE and large sets. */
#include "box/box_test.h"

static void start(uint32_t account, unsigned messages)
{
	CHECK_NUM(box_account_create(st, account), OK);
	for (unsigned i = 1; i <= messages; i++)
		CHECK_NUM(deliver(account, "INBOX", 0), i);
}

static struct mailbox_info status(uint32_t account, const char *name)
{
	struct mailbox_info info;

	CHECK_NUM(box_status(st, account, str_of(name), mem, &info), OK);
	return info;
}

/* One message to several accounts: each has a result of its own. */
static void delivering(void)
{
	struct incoming *in = mail(1);
	struct delivery d[] = {
		{ .account = 1, .mailbox = S("Junk"), .flags = FLAG_SEEN },
		{ .account = 99 },
		{ .account = 2, .mailbox = S("no such"), .quota = 1000 },
		{ .account = 3, .quota = incoming_size(in) - 1 },
		{ .account = 4, .quota = incoming_size(in) },
		{ .account = 4, .quota = incoming_size(in) },
	};
	enum err want[] = { OK, E_NOTFOUND, OK, E_QUOTA, OK, E_QUOTA };

	for (uint32_t i = 1; i <= 4; i++)
		start(i, 0);
	box_deliver(st, in, d, LENGTH(d));
	for (size_t i = 0; i < LENGTH(d); i++)
		CHECK_NUM(d[i].result, want[i]);
	CHECK_NUM(status(1, "Junk").messages, 1);
	CHECK_NUM(status(1, "Junk").unseen, 0);
	CHECK_NUM(status(2, "INBOX").messages, 1);
	CHECK_NUM(status(3, "INBOX").messages, 0);
	CHECK_NUM(status(4, "INBOX").messages, 1);
	box_deliver(st, in, d, 0);
	incoming_close(&in);
	for (uint32_t i = 1; i <= 4; i++)
		CHECK_SOUND(i);
}

static void appending(void)
{
	struct str keywords[] = { S("$Label1"), S("b d") };
	struct append ap = { .in = mail(2),
			     .arrived = 86400,
			     .flags = FLAG_DRAFT | FLAG_DELETED,
			     .keywords = keywords,
			     .nkeywords = 1 };
	struct box *b;
	struct msg m;

	start(5, 0);
	CHECK_NUM(box_append(st, 5, S("none"), &ap), E_NOTFOUND);
	CHECK_NUM(box_append(st, 98, S("INBOX"), &ap), E_NOTFOUND);
	CHECK_NUM(box_append(st, 5, S("Drafts/"), &ap), OK);
	CHECK_NUM(ap.uid, 1);
	CHECK_NUM(ap.uidvalidity, status(5, "Drafts").uidvalidity);
	ap.quota = incoming_size(ap.in) + 1;
	CHECK_NUM(box_append(st, 5, S("Drafts"), &ap), E_QUOTA);
	ap.quota = 2 * incoming_size(ap.in);
	CHECK_NUM(box_append(st, 5, S("Drafts"), &ap), OK);
	CHECK_NUM(ap.uid, 2);
	ap.quota = 0;
	ap.nkeywords = 2;
	CHECK_NUM(box_append(st, 5, S("Drafts"), &ap), E_LIMIT);
	incoming_close(&ap.in);
	CHECK(!ap.in);
	b = open_box(5, "Drafts");
	CHECK_NUM(box_get(b, 2, &m), OK);
	CHECK_NUM(m.arrived, 86400);
	CHECK_NUM(m.flags, FLAG_DRAFT | FLAG_DELETED | 32);
	CHECK_STR(box_flag_name(b, 5), "$Label1");
	box_close(&b);
	CHECK_SOUND(5);
}

/* --- the warning that the quota is near --- */

static const struct quota_warning at_90 = { .quota = 10000,
					    .percent = 90,
					    .address = S("ann@example.test") };

static uint32_t deliver_octets(size_t octets, const char *mailbox)
{
	char *body = arena_alloc(mem, octets);
	struct delivery d = { .account = 12, .mailbox = str_of(mailbox), .warning = at_90 };

	memset(body, 'x', octets);
	memcpy(body, "A: b\r\n\r\n", 8);
	struct incoming *in = mail_of(STR(body, octets));
	box_deliver(st, in, &d, 1);
	incoming_close(&in);
	CHECK_NUM(d.result, OK);
	return d.uid;
}

static void remove_all(const char *name)
{
	struct uidset gone;
	struct box *b = open_box(12, name);

	CHECK_NUM(box_expunge(b, every(), true, mem, &gone), OK);
	box_close(&b);
}

static void warning(void)
{
	struct copied c;
	struct str octets;
	struct box *b;
	struct msg m;

	start(12, 0);
	CHECK_NUM(deliver_octets(4500, "Archive"), 1);
	CHECK_NUM(deliver_octets(4500, "Archive"), 2);
	CHECK_NUM(status(12, "INBOX").messages, 0); /* 90 percent are not more than 90 */
	CHECK_NUM(deliver_octets(10, "INBOX"), 1);
	CHECK_NUM(status(12, "INBOX").messages, 2); /* in one update, behind what fills it */
	CHECK_NUM(deliver_octets(900, "INBOX"), 3); /* once */
	b = open_box(12, "INBOX");
	CHECK_NUM(box_get(b, 2, &m), OK);
	CHECK_NUM(box_read(b, &m, 0, 4096, mem, &octets), OK);
	CHECK(str_find_str(octets, S("To: <ann@example.test>\r\n")) < octets.n);
	CHECK(str_find_str(octets, S("From: Postmaster <postmaster@example.test>")) < octets.n);
	CHECK(str_find_str(octets, S("voll (erlaubt sind")) < octets.n);
	box_close(&b);

	remove_all("INBOX"); /* 9,000: not below 80 percent yet */
	CHECK_NUM(deliver_octets(100, "INBOX"), 4);
	CHECK_NUM(status(12, "INBOX").messages, 1);
	remove_all("Archive");
	remove_all("INBOX");
	CHECK_NUM(deliver_octets(4600, "INBOX"), 5); /* below: from now on it may come again */
	b = open_box(12, "INBOX");
	box_warning(b, at_90);
	CHECK_NUM(box_copy(b, every(), S("Trash"), true, 0, mem, &c), OK); /* fills nothing */
	box_close(&b);
	b = open_box(12, "Trash");
	box_warning(b, at_90);
	CHECK_NUM(box_copy(b, every(), S("INBOX"), false, 0, mem, &c), OK);
	CHECK_NUM(status(12, "INBOX").messages, 2);
	CHECK_NUM(box_copy(b, every(), S("Junk"), false, 0, mem, &c), OK);
	CHECK_NUM(status(12, "INBOX").messages, 2);
	box_close(&b);

	remove_all("INBOX");
	remove_all("Trash");
	struct append ap = { .in = mail(3), .warning = at_90 };
	CHECK_NUM(box_append(st, 12, S("Drafts"), &ap), OK);
	ap.warning.quota = status(12, "Drafts").octets + status(12, "Junk").octets + 1;
	CHECK_NUM(box_append(st, 12, S("Drafts"), &ap), OK);
	CHECK_NUM(status(12, "INBOX").messages, 1);
	CHECK_NUM(status(12, "Drafts").messages, 2);
	ap.warning.percent = 0;
	remove_all("INBOX");
	CHECK_NUM(box_append(st, 12, S("Drafts"), &ap), OK);
	CHECK_NUM(status(12, "INBOX").messages, 0);
	incoming_close(&ap.in);
	CHECK_SOUND(12);
}

static void copying(void)
{
	struct flag_change ch = { .op = FLAG_ADD, .flags = FLAG_SEEN, .unless_after = UINT64_MAX };
	struct str keyword = S("$MDNSent");
	struct copied c;
	struct box *b, *to;
	struct msg m;

	start(6, 10);
	CHECK_NUM(deliver(6, "Archive", 0), 1);
	b = open_box(6, "INBOX");
	ch.keywords = &keyword;
	ch.nkeywords = 1;
	CHECK_NUM(box_flags(b, set_of("3"), &ch, mem, NULL), OK);
	CHECK_NUM(box_copy(b, set_of("2:4,50"), S("Archive"), false, 0, mem, &c), OK);
	CHECK_STR(set_text(c.from), "2:4");
	CHECK_STR(set_text(c.to), "2:4");
	CHECK_NUM(c.uidvalidity, status(6, "Archive").uidvalidity);
	to = open_box(6, "Archive");
	CHECK_NUM(box_get(to, 3, &m), OK);
	CHECK_NUM(m.flags, FLAG_SEEN | 32);
	CHECK_STR(box_flag_name(to, 5), "$MDNSent");
	CHECK_NUM(box_copy(b, set_of("1"), S("none"), false, 0, mem, &c), E_NOTFOUND);
	CHECK_NUM(box_copy(b, set_of("77"), S("none"), false, 0, mem, &c), E_NOTFOUND);
	CHECK_NUM(box_copy(b, set_of("77"), S("Archive"), false, 0, mem, &c), OK);
	CHECK_NUM(c.from.n, 0);
	CHECK_NUM(box_copy(b, set_of("1:2"), S("Archive"), false, 10, mem, &c), E_QUOTA);
	CHECK_NUM(status(6, "Archive").messages, 4);
	/* A move needs no room. */
	CHECK_NUM(box_copy(b, set_of("1,9:10"), S("Archive"), true, 10, mem, &c), OK);
	CHECK_STR(set_text(c.from), "1,9:10");
	CHECK_STR(set_text(c.to), "5:7");
	CHECK_STR(sync_text(b, true), "-10(10) -9(9) -1(1) k ~2(3:21)");
	CHECK_STR(sync_text(to, true), "=7/7");
	CHECK_SOUND(6);
	/* To itself: new messages at the end. */
	CHECK_NUM(box_copy(b, set_of("3"), S("inbox"), false, 0, mem, &c), OK);
	CHECK_STR(set_text(c.to), "11");
	CHECK_NUM(box_copy(b, set_of("2:3"), S("INBOX"), true, 0, mem, &c), OK);
	CHECK_STR(set_text(c.from), "2:3");
	CHECK_STR(set_text(c.to), "12:13");
	CHECK_STR(sync_text(b, true), "-2(3) -1(2) =8/8");
	CHECK_NUM(box_get(b, 13, &m), OK);
	CHECK_NUM(m.flags, FLAG_SEEN | 32);
	box_close(&b);
	box_close(&to);
	CHECK_SOUND(6);
}

/* Sets that need several updates. */
enum { MANY = 5000 };

static void many(void)
{
	struct flag_change ch = { .op = FLAG_ADD,
				  .flags = FLAG_DELETED,
				  .unless_after = UINT64_MAX };
	struct incoming *in = mail(3);
	struct store_stats stats;
	struct copied c;
	struct uidset gone;
	struct box *b;

	CHECK_NUM(box_account_create(st, 7), OK);
	CHECK_NUM(deliver_many(7, "INBOX", in, MANY), MANY);
	b = open_box(7, "INBOX");
	CHECK_NUM(box_copy(b, every(), S("Trash"), false, MANY * incoming_size(in), mem, &c),
		  E_QUOTA);
	CHECK_NUM(status(7, "Trash").messages, 0);
	CHECK_NUM(box_copy(b, every(), S("Trash"), false, 2 * MANY * incoming_size(in), mem, &c),
		  OK);
	CHECK_STR(set_text(c.to), "1:5000");
	CHECK_NUM(box_flags(b, set_of("1:4000"), &ch, mem, NULL), OK);
	CHECK_NUM(status(7, "INBOX").deleted, 4000);
	CHECK_NUM(box_expunge(b, every(), false, mem, &gone), OK);
	CHECK_STR(set_text(gone), "1:4000");
	CHECK_SOUND(7);
	CHECK_NUM(box_sync(b, true, NULL), OK);
	CHECK_NUM(box_view(b).exists, 1000);
	CHECK_NUM(box_copy(b, every(), S("Archive"), true, 0, mem, &c), OK);
	CHECK_STR(set_text(c.from), "4001:5000");
	box_close(&b);
	b = open_box(7, "Trash");
	CHECK_NUM(box_copy(b, every(), S("Archive"), true, 0, mem, &c), OK);
	CHECK_STR(set_text(c.to), "1001:6000");
	box_close(&b);
	CHECK_SOUND(7);
	incoming_close(&in);
	b = open_box(7, "Archive");
	CHECK_NUM(box_expunge(b, every(), true, mem, &gone), OK);
	CHECK_NUM(uidset_count(gone), 6000);
	box_close(&b);
	CHECK_NUM(box_account_delete(st, 7), OK);
	CHECK_NUM(store_stats(st, &stats), OK);
}

/* The mailbox goes while a session has it open. */
static void gone(void)
{
	struct flag_change ch = { .op = FLAG_ADD, .flags = FLAG_SEEN, .unless_after = UINT64_MAX };
	struct copied c;
	struct uidset set;
	struct box *b;
	struct msg m;

	start(8, 2);
	CHECK_NUM(box_create(st, 8, S("x"), 0), OK);
	CHECK_NUM(deliver(8, "x", 0), 1);
	b = open_box(8, "x");
	CHECK_NUM(box_delete(st, 8, S("x")), OK);
	CHECK_NUM(box_flags(b, every(), &ch, mem, &set), E_NOTFOUND);
	CHECK_NUM(box_expunge(b, every(), true, mem, &set), E_NOTFOUND);
	CHECK_NUM(box_copy(b, every(), S("INBOX"), true, 0, mem, &c), E_NOTFOUND);
	CHECK_NUM(box_take_recent(b), E_NOTFOUND);
	CHECK_NUM(box_get(b, 1, &m), E_NOTFOUND);
	CHECK_STR(sync_text(b, true), "");
	CHECK(box_view(b).deleted);
	box_close(&b);
	CHECK_SOUND(8);
}

static void body(void)
{
	delivering();
	appending();
	warning();
	copying();
	many();
	gone();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
