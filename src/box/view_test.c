/* SPDX-License-Identifier: ISC */
#include "box/box_test.h"

static void start(uint32_t account, unsigned messages)
{
	CHECK_NUM(box_account_create(st, account), OK);
	for (unsigned i = 1; i <= messages; i++)
		CHECK_NUM(deliver(account, "INBOX", 0), i);
}

static enum err flag(struct box *b, const char *set, unsigned op, uint64_t flags)
{
	struct flag_change ch = { .op = op, .flags = flags, .unless_after = UINT64_MAX };
	struct uidset kept;
	enum err e = box_flags(b, set_of(set), &ch, mem, &kept);

	CHECK_NUM(kept.n, 0);
	return e;
}

static struct str expunge(struct box *b, const char *set, bool all)
{
	struct uidset gone;

	CHECK_NUM(box_expunge(b, set_of(set), all, mem, &gone), OK);
	return set_text(gone);
}

/* --- a view and its numbers --- */

static void numbers(void)
{
	struct box *b;
	bool beyond;

	start(1, 200);
	b = open_box(1, "INBOX");
	CHECK_STR(expunge(b, "2:63,65,130:140", true), "2:63,65,130:140");
	CHECK_NUM(box_view(b).exists, 200); /* until it is told */
	CHECK_NUM(box_uid(b, 2), 2);
	box_close(&b);
	b = open_box(1, "INBOX");
	CHECK_NUM(box_view(b).exists, 200 - 62 - 1 - 11);
	CHECK_NUM(box_view(b).uidnext, 201);
	CHECK_NUM(box_uid(b, 0), 0);
	CHECK_NUM(box_uid(b, 1), 1);
	CHECK_NUM(box_uid(b, 2), 64);
	CHECK_NUM(box_uid(b, 3), 66);
	CHECK_NUM(box_uid(b, 126), 200);
	CHECK_NUM(box_uid(b, 127), 0);
	CHECK_NUM(box_number(b, 1), 1);
	CHECK_NUM(box_number(b, 2), 0);
	CHECK_NUM(box_number(b, 66), 3);
	CHECK_NUM(box_number(b, 200), 126);
	CHECK_NUM(box_number(b, 5000), 0);
	for (uint32_t n = 1; n <= 126; n++)
		CHECK_NUM(box_number(b, box_uid(b, n)), n);
	CHECK_STR(set_text(box_uids(b, mem, set_of("1:3,5,126"), &beyond)), "1,64,66,68,200");
	CHECK(!beyond);
	CHECK_STR(set_text(box_uids(b, mem, set_of("125:127"), &beyond)), "199:200");
	CHECK(beyond);
	CHECK_STR(set_text(box_uids(b, mem, set_of("1:126"), &beyond)), "1,64,66:129,141:200");
	CHECK_STR(set_text(box_known(b, mem, every())), "1,64,66:129,141:200");
	CHECK_STR(set_text(box_known(b, mem, set_of("2:64,139:141,4294967295"))), "64,141");
	box_close(&b);
	CHECK(!b);
	CHECK_NUM(box_open(st, 1, S("none"), &b), E_NOTFOUND);
	CHECK_NUM(box_open(st, 99, S("INBOX"), &b), E_NOTFOUND);
	CHECK_NUM(box_open(st, 1, S(""), &b), E_NOTFOUND);
	CHECK_SOUND(1);
}

/* --- two sessions --- */

static void sessions(void)
{
	struct box *x, *y;
	uint64_t seen;

	start(2, 3);
	x = open_box(2, "INBOX");
	y = open_box(2, "INBOX");
	CHECK_STR(sync_text(x, true), "");
	CHECK_NUM(box_view(x).recent, 3);
	CHECK_NUM(box_view(x).unseen, 3);
	CHECK_NUM(box_view(x).first_unseen, 1);

	seen = box_signal(y)->count;
	CHECK_NUM(flag(x, "1,3,77", FLAG_ADD, FLAG_SEEN | FLAG_DELETED), OK);
	CHECK_NUM(signal_wait(box_signal(y), seen, clock_in(5000)), OK);
	CHECK_STR(sync_text(y, true), "~1(1:9) ~3(3:9)");
	CHECK_STR(sync_text(x, true), "~1(1:9) ~3(3:9)"); /* one's own too */
	CHECK_STR(sync_text(x, true), "");
	CHECK_NUM(box_view(y).unseen, 1);
	CHECK_NUM(box_view(y).first_unseen, 2);
	CHECK_STR(set_text(box_seen(y, mem, true)), "1,3");
	CHECK_STR(set_text(box_seen(y, mem, false)), "2");
	CHECK_STR(set_text(box_deleted(y, mem)), "1,3");
	/* What is so already is no change. */
	CHECK_NUM(flag(x, "1", FLAG_ADD, FLAG_SEEN), OK);
	CHECK_STR(sync_text(y, true), "");

	/* Message 1 goes; y may not hear of it yet, but of a new one. */
	CHECK_STR(expunge(x, "1:2", false), "1");
	CHECK_NUM(deliver(2, "INBOX", FLAG_FLAGGED), 4);
	CHECK_STR(sync_text(y, false), "=4/4");
	CHECK_STR(set_text(box_seen(y, mem, true)), "1,3");
	CHECK_NUM(box_number(y, 1), 1);
	CHECK_NUM(box_number(y, 4), 4);
	CHECK_STR(sync_text(y, false), "");
	CHECK_NUM(flag(x, "2", FLAG_REPLACE, FLAG_DRAFT), OK);
	CHECK_STR(sync_text(y, false), "~2(2:10)");
	CHECK_STR(sync_text(y, true), "-1(1)"); /* though nothing is new in the store */
	CHECK_NUM(box_number(y, 4), 3);
	CHECK_STR(sync_text(x, true), "-1(1) =3/3 ~1(2:10)");
	CHECK_STR(sync_text(y, true), "");

	/* All of them, highest first. */
	CHECK_STR(expunge(x, "1:*", true), "2:4");
	CHECK_STR(sync_text(y, true), "-3(4) -2(3) -1(2)");
	CHECK_NUM(box_view(y).exists, 0);
	CHECK_NUM(box_view(y).recent, 0);
	CHECK_STR(set_text(box_known(y, mem, every())), "");
	CHECK_NUM(deliver(2, "INBOX", 0), 5);
	CHECK_STR(sync_text(x, false), "=4/4");
	CHECK_STR(sync_text(x, true), "-3(4) -2(3) -1(2)");
	CHECK_NUM(box_number(x, 5), 1);
	box_close(&x);
	box_close(&y);
	CHECK_SOUND(2);
}

/* --- \Recent: RFC 3501 2.3.2 --- */

static void recent(void)
{
	struct box *x, *y;
	struct mailbox_info info;

	start(3, 2);
	CHECK_NUM(box_status(st, 3, S("INBOX"), mem, &info), OK);
	CHECK_NUM(info.recent, 2);
	x = open_box(3, "INBOX");
	y = open_box(3, "INBOX");
	CHECK_NUM(box_view(y).recent, 2);
	CHECK_NUM(box_take_recent(x), OK);
	CHECK_NUM(box_take_recent(y), OK); /* came second */
	CHECK_NUM(box_view(x).recent, 2);
	CHECK_NUM(box_view(y).recent, 0);
	CHECK(box_is_recent(x, 2) && !box_is_recent(y, 2));
	CHECK_NUM(deliver(3, "INBOX", 0), 3);
	CHECK_STR(sync_text(x, true), "=3/3");
	CHECK_STR(sync_text(y, true), "=3/1");
	CHECK_NUM(box_take_recent(y), OK);
	CHECK_NUM(box_take_recent(x), OK);
	CHECK_NUM(box_view(x).recent, 2);
	CHECK(box_is_recent(y, 3) && !box_is_recent(x, 3));
	box_close(&x);
	box_close(&y);
	for (unsigned i = 4; i <= 130; i++)
		CHECK_NUM(deliver(3, "INBOX", 0), i);
	x = open_box(3, "INBOX");
	CHECK_NUM(box_view(x).recent, 127);
	CHECK_NUM(box_status(st, 3, S("INBOX"), mem, &info), OK);
	CHECK_NUM(info.recent, 127);
	box_close(&x);
	CHECK_SOUND(3);
}

/* --- keywords and conditions --- */

static void keywords(void)
{
	struct str names[] = { S("$Forwarded"), S("NonJunk") }, again = S("nonjunk"), many[60];
	struct flag_change ch = {
		.op = FLAG_ADD, .keywords = names, .nkeywords = 2, .unless_after = UINT64_MAX
	};
	struct uidset kept;
	struct box *x, *y;
	struct msg m;

	start(4, 3);
	x = open_box(4, "INBOX");
	y = open_box(4, "INBOX");
	CHECK_NUM(box_flags(x, set_of("1"), &ch, mem, &kept), OK);
	CHECK_NUM(box_get(y, 1, &m), OK);
	CHECK_NUM(m.flags, 0); /* y has no name for them yet */
	CHECK_STR(sync_text(y, true), "k ~1(1:60)");
	CHECK_STR(box_flag_name(y, 5), "$Forwarded");
	CHECK_STR(box_flag_name(y, 6), "NonJunk");
	CHECK_STR(box_flag_name(y, 0), "\\Seen");
	CHECK(!box_flag_name(y, 7).p);
	CHECK_NUM(box_view(y).keywords, 0x60);
	ch = (struct flag_change){
		.op = FLAG_CLEAR, .keywords = &again, .nkeywords = 1, .unless_after = UINT64_MAX
	};
	CHECK_NUM(box_flags(x, set_of("1"), &ch, mem, NULL), OK);
	CHECK_STR(sync_text(y, true), "~1(1:20)");
	CHECK_NUM(flag(y, "2", FLAG_REPLACE, bit64(5) | bit64(40) | FLAG_SEEN), OK);
	CHECK_STR(sync_text(y, true), "~2(2:21)"); /* bit 40 has no name */

	for (unsigned i = 0; i < 60; i++)
		many[i] = str_fmt(mem, "kw%u", i);
	ch = (struct flag_change){
		.op = FLAG_ADD, .keywords = many, .nkeywords = 57, .unless_after = UINT64_MAX
	};
	CHECK_NUM(box_flags(x, set_of("3"), &ch, mem, &kept), OK);
	ch.nkeywords = 58;
	CHECK_NUM(box_flags(x, set_of("3"), &ch, mem, &kept), E_LIMIT);
	CHECK_NUM(box_sync(y, true, NULL), OK);
	CHECK_NUM(box_get(y, 3, &m), OK);
	CHECK_NUM(bits64(m.flags), 57);
	box_close(&x);
	box_close(&y);
	CHECK_SOUND(4);
}

/* STORE (UNCHANGEDSINCE n): RFC 7162 3.1.3. */
static void conditions(void)
{
	struct flag_change ch = { .op = FLAG_ADD, .flags = FLAG_SEEN };
	struct uidset kept;
	struct box *b;

	start(5, 100);
	b = open_box(5, "INBOX");
	ch.unless_after = box_view(b).modseq;
	CHECK_NUM(flag(b, "2:4,70", FLAG_ADD, FLAG_FLAGGED), OK);
	CHECK_NUM(box_flags(b, set_of("1:5,69:71"), &ch, mem, &kept), OK);
	CHECK_STR(set_text(kept), "2:4,70");
	CHECK_STR(sync_text(b, true), "~1(1:1) ~2(2:4) ~3(3:4) ~4(4:4) ~5(5:1) ~69(69:1) "
				      "~70(70:4) ~71(71:1)");
	ch.unless_after = 0;
	CHECK_NUM(box_flags(b, set_of("1"), &ch, mem, &kept), OK);
	CHECK_STR(set_text(kept), "1");
	box_close(&b);
	CHECK_SOUND(5);
}

/* --- reading --- */

static struct buf walked;

static enum err on_each(void *arg, uint32_t number, const struct msg *m)
{
	uint32_t *stop = arg;

	buf_fmt(&walked, "%u(%u) ", number, m->uid);
	return m->uid == *stop ? E_CLOSED : OK;
}

static struct str each_text(struct box *b, const char *set, uint64_t since, uint32_t stop)
{
	walked = buf_new(1 << 20);
	CHECK_NUM(box_each_since(b, set_of(set), since, on_each, &stop), stop ? E_CLOSED : OK);
	struct str text = str_trim(str_dup(mem, buf_str(&walked)));

	buf_free(&walked);
	return text;
}

static void reading(void)
{
	struct incoming *in = mail_of(S("Message-ID: <a@b>\r\nSubject: hello\r\n\r\nbody\r\n"));
	struct delivery d = { .account = 6,
			      .flags = FLAG_SEEN | 1 << 7,
			      .keywords = { S("$Junk"), S("bad keyword") } };
	struct summary sum;
	struct str text;
	struct box *x, *y;
	struct msg m;

	start(6, 0);
	CHECK_NUM(incoming_size(in), 43);
	CHECK_STR(incoming_summary(in)->subject, "hello");
	box_deliver(st, in, &d, 1);
	CHECK_NUM(d.result, OK);
	incoming_close(&in);
	x = open_box(6, "INBOX");
	CHECK_NUM(d.mailbox_id, box_view(x).id);
	CHECK_NUM(box_get(x, 1, &m), OK);
	CHECK_NUM(m.flags, FLAG_SEEN | 32);
	CHECK_NUM(m.size, 43);
	CHECK(m.arrived > 1700000000 && m.saved == m.arrived && m.thread != 0);
	CHECK_NUM(box_summary(x, &m, mem, &sum), OK);
	CHECK_STR(sum.message_id, "a@b");
	CHECK_NUM(box_read(x, &m, 37, 1000, mem, &text), OK);
	CHECK_STR(text, "body\r\n");
	CHECK_NUM(box_get(x, 2, &m), E_NOTFOUND);

	for (unsigned i = 2; i <= 200; i++)
		CHECK_NUM(deliver(6, "INBOX", 0), i);
	CHECK_STR(each_text(x, "1:*", 0, 0), "1(1)"); /* the view is old */
	CHECK_NUM(box_sync(x, true, NULL), OK);
	CHECK_STR(each_text(x, "1:2,64,65,199:4000", 0, 0),
		  "1(1) 2(2) 64(64) 65(65) 199(199) 200(200)");
	CHECK_STR(each_text(x, "60:*", 0, 62), "60(60) 61(61) 62(62)");

	uint64_t since = box_view(x).modseq;

	y = open_box(6, "INBOX");
	CHECK_NUM(flag(y, "3,150", FLAG_ADD, FLAG_SEEN), OK);
	CHECK_STR(expunge(y, "150,199", true), "150,199");
	CHECK_STR(each_text(x, "1:*", since, 0), "3(3)");
	CHECK_STR(each_text(x, "149:151,198:200", 0, 0), "149(149) 151(151) 198(198) 200(200)");
	CHECK_STR(each_text(x, "3:4", 0, 0), "3(3) 4(4)");
	box_close(&y);
	box_close(&x);
	CHECK_SOUND(6);
}

/* --- VANISHED: RFC 7162 3.2.6 --- */

static void vanished(void)
{
	struct box *x, *y;
	struct uidset set;
	uint64_t since;

	start(7, 10);
	x = open_box(7, "INBOX");
	y = open_box(7, "INBOX");
	since = box_view(x).modseq;
	CHECK_STR(expunge(x, "2,5:6", true), "2,5:6");
	CHECK_STR(expunge(x, "4", true), "4");
	CHECK_NUM(box_vanished(y, since, mem, &set), OK);
	CHECK_STR(set_text(set), ""); /* y still sees them */
	CHECK_NUM(box_sync(y, true, NULL), OK);
	CHECK_NUM(box_vanished(y, since, mem, &set), OK);
	CHECK_STR(set_text(set), "2,4:6");
	CHECK_NUM(box_vanished(y, since + 1, mem, &set), OK);
	CHECK_STR(set_text(set), "4");
	CHECK_NUM(box_vanished(y, since + 2, mem, &set), OK);
	CHECK_STR(set_text(set), "");
	CHECK_NUM(box_vanished(y, 0, mem, &set), OK); /* before there was a mailbox */
	CHECK_STR(set_text(set), "2,4:6");

	/* More expunges than the log remembers. */
	for (unsigned i = 0; i < LOG_ENTRIES_MAX + 5; i++) {
		uint32_t uid = deliver(7, "INBOX", 0);

		CHECK_NUM(box_sync(x, true, NULL), OK);
		expunge(x, str_c(mem, str_fmt(mem, "%u", uid)), true);
	}
	CHECK_NUM(box_sync(x, true, NULL), OK);
	CHECK_NUM(box_sync(y, true, NULL), OK);
	CHECK_NUM(box_vanished(y, since, mem, &set), OK);
	CHECK_STR(set_text(set), "2,4:6,11:1015");
	CHECK_NUM(box_vanished(y, box_view(y).modseq - 3, mem, &set), OK);
	CHECK_STR(set_text(set), "1014:1015");
	box_close(&x);
	box_close(&y);
	CHECK_SOUND(7);
}

static void body(void)
{
	numbers();
	sessions();
	recent();
	keywords();
	conditions();
	reading();
	vanished();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
