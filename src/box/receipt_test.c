/* SPDX-License-Identifier: ISC */
/* Receipts: found by Message-ID, merged by address, bounded, gone with the account. */
#include "box/box_test.h"
#include "box/receipt_record.h"

static const struct receipt_row far = {
	.address = S("eve@far.test"),
	.state = RECEIPT_DELIVERED,
	.way = RECEIPT_DANE,
	.when = 1790000000,
	.tries = 1,
	.code = 250,
	.status = { 2, 0, 0 },
	.text = S("2.0.0 queued as 17"),
	.host = S("mx.far.test"),
	.ip = S("192.0.2.7"),
	.tls = S("TLSv1.3"),
	.cipher = S("TLS_AES_256_GCM_SHA384"),
	.group = S("X25519MLKEM768"),
};

static void write_rows(uint32_t account, struct str id, struct receipt_row *row, size_t n)
{
	struct receipt r = { .id = id, .row = row, .n = n };

	CHECK_NUM(receipt_write(st, account, &r, 1790000000), OK);
}

static struct receipt read_back(uint32_t account, const char *id)
{
	struct receipt r = { 0 };

	CHECK_NUM(receipt_get(st, account, str_of(id), mem, &r), OK);
	return r;
}

static void one_mail(void)
{
	struct receipt_row row[3] = { far, far, far };
	struct receipt r;

	row[1].address = S("bob@example.test");
	row[1].way = RECEIPT_HERE;
	row[2].address = S("tim@far.test");
	row[2].state = RECEIPT_WAITING;
	row[2].next = 1790000060;
	CHECK_NUM(receipt_get(st, 1, S("1@x"), mem, &r), E_NOTFOUND);
	write_rows(1, S(" <1@x>\r\n"), row, 2);
	write_rows(1, S("1@x"), row + 2, 1);
	r = read_back(1, "<1@x>");
	CHECK_STR(r.id, "1@x");
	CHECK(r.n == 3 && r.first == 1790000000 && !r.more);
	CHECK_STR(r.row[0].group, "X25519MLKEM768");
	CHECK_STR(r.row[0].text, "2.0.0 queued as 17");
	CHECK(r.row[0].code == 250 && r.row[0].status[0] == 2 && r.row[0].way == RECEIPT_DANE);
	CHECK(r.row[1].way == RECEIPT_HERE && r.row[2].next == 1790000060);
	row[2].state = RECEIPT_DELIVERED;
	row[2].tries = 2;
	write_rows(1, S("1@x"), row + 2, 1);
	r = read_back(1, "1@x");
	CHECK(r.n == 3 && r.row[2].state == RECEIPT_DELIVERED && r.row[2].tries == 2);
	CHECK_NUM(receipt_get(st, 2, S("1@x"), mem, &r), E_NOTFOUND);
	CHECK_SOUND(1);
}

static void nothing_to_write(void)
{
	struct receipt_row row = far;
	struct receipt r = { .id = S("<>"), .row = &row, .n = 1 };
	struct update u;

	CHECK(!receipt_prepare(mem, 1, &r, 1, &u));
	r.id = S("2@x");
	CHECK(!receipt_prepare(mem, 0, &r, 1, &u));
	r.n = 0;
	CHECK(!receipt_prepare(mem, 1, &r, 1, &u));
	r.n = 1;
	CHECK_NUM(receipt_write(st, 77, &r, 1), OK); /* no such account */
	CHECK_NUM(receipt_get(st, 77, S("2@x"), mem, &r), E_NOTFOUND);
}

static enum err count(void *arg, const struct receipt *r)
{
	struct str *last = arg;

	*last = str_fmt(mem, "%.*s %.*s", FMT(*last), FMT(r->id));
	return OK;
}

static enum err stop(void *arg, const struct receipt *r)
{
	(void)arg, (void)r;
	return E_NOTFOUND;
}

static void in_order(void)
{
	struct receipt_row row = far;
	struct str all = S("");

	write_rows(2, S("c@x"), &row, 1);
	write_rows(2, S("a@x"), &row, 1);
	write_rows(2, S("b@x"), &row, 1);
	write_rows(2, S("c@x"), &row, 1);
	CHECK_NUM(receipt_each(st, 2, count, &all), OK);
	CHECK_STR(all, " c@x a@x b@x");
	CHECK_NUM(receipt_each(st, 2, stop, &all), E_NOTFOUND);
	all = S("");
	CHECK_NUM(receipt_each(st, 77, count, &all), OK);
	CHECK_STR(all, "");
}

static struct str long_text(size_t n)
{
	char *p = arena_alloc(mem, n);

	memset(p, 'x', n);
	return STR(p, n);
}

/* The most recipients with the longest texts make a value that the store takes. */
static void bounds(void)
{
	struct receipt_row *row = ARENA_ARRAY(mem, struct receipt_row, RECEIPT_ROWS_MAX + 1);
	struct str t = long_text(2000);
	struct receipt r;

	for (unsigned i = 0; i <= RECEIPT_ROWS_MAX; i++)
		row[i] = (struct receipt_row){ .address = str_fmt(mem, "%04u%.*s", i, FMT(t)),
					       .text = t,
					       .host = t,
					       .ip = t,
					       .tls = t,
					       .cipher = t,
					       .group = t };
	write_rows(1, t, row, RECEIPT_ROWS_MAX + 1);
	CHECK_NUM(receipt_get(st, 1, t, mem, &r), OK);
	CHECK(r.n == RECEIPT_ROWS_MAX && r.more && r.id.n == RECEIPT_ID_MAX);
	CHECK(r.row[0].text.n == RECEIPT_TEXT_MAX && r.row[0].group.n == RECEIPT_WORD_MAX);
	/* More octets than an account may keep: the oldest have gone. */
	for (unsigned i = 0; i < 24; i++)
		write_rows(1, str_fmt(mem, "big%u@x", i), row, RECEIPT_ROWS_MAX);
	CHECK_NUM(receipt_get(st, 1, S("1@x"), mem, &r), E_NOTFOUND);
	CHECK_NUM(receipt_get(st, 1, S("big0@x"), mem, &r), E_NOTFOUND);
	CHECK_NUM(receipt_get(st, 1, S("big23@x"), mem, &r), OK);
	CHECK_SOUND(1);
}

static enum err forge_tally(struct tx *tx, void *arg)
{
	struct receipt_tally t = { .last = 1000, .mails = RECEIPTS_MAX + 2, .octets = 1 << 20 };

	(void)arg;
	tx_put(tx, KEY_RECEIPT_TALLY, receipt_tally_encode(tx_arena(tx), &t));
	return OK;
}

static enum err break_value(struct tx *tx, void *arg)
{
	struct key key = key_receipt(S("b@x"));

	(void)arg;
	tx_put(tx, key_str(&key), S("\1\1"));
	return OK;
}

static unsigned faults;

static void count_fault(void *arg, struct str sentence)
{
	(void)arg, (void)sentence;
	faults++;
}

static void too_many_and_broken(void)
{
	const struct box_report report = { count_fault, NULL };
	struct key part = key_partition(2);
	struct receipt_row row = far;
	struct receipt r;

	CHECK_NUM(store_update(st, key_str(&part), break_value, NULL), OK);
	CHECK_NUM(box_check(st, 2, &report), E_CORRUPT);
	CHECK_NUM(receipt_get(st, 2, S("b@x"), mem, &r), E_CORRUPT);
	write_rows(2, S("b@x"), &row, 1); /* it is replaced */
	CHECK_NUM(read_back(2, "b@x").n, 1);
	CHECK_NUM(store_update(st, key_str(&part), forge_tally, NULL), OK);
	faults = 0;
	CHECK_NUM(box_check(st, 2, &report), E_CORRUPT);
	CHECK(faults >= 2);
	write_rows(2, S("d@x"), &row, 1); /* one more than may be, by what is written: 3 go */
	CHECK_NUM(receipt_get(st, 2, S("c@x"), mem, &r), E_NOTFOUND);
	CHECK_NUM(receipt_get(st, 2, S("a@x"), mem, &r), E_NOTFOUND);
	CHECK_NUM(receipt_get(st, 2, S("d@x"), mem, &r), OK);
}

static enum err any_key(struct tx *tx, void *arg)
{
	struct str key, value;

	(void)arg;
	return tx_next(tx, S(""), S(""), &key, &value);
}

static void with_others(void)
{
	struct incoming *in = mail(1);
	struct delivery d = { .account = 3 };
	struct receipt_row row = far;
	struct receipt r = { .id = S("e@x"), .row = &row, .n = 1 };
	struct key part = key_partition(3);
	struct update u;

	CHECK_NUM(box_account_create(st, 3), OK);
	CHECK(receipt_prepare(mem, 3, &r, 1, &u));
	box_deliver_also(st, in, &d, 1, &u, 1);
	incoming_close(&in);
	CHECK(d.result == OK && u.result == OK);
	CHECK_NUM(read_back(3, "e@x").n, 1);
	CHECK_SOUND(3);
	CHECK_NUM(box_account_delete(st, 3), OK);
	CHECK_NUM(receipt_get(st, 3, S("e@x"), mem, &r), E_NOTFOUND);
	CHECK_NUM(store_read(st, key_str(&part), any_key, NULL), E_NOTFOUND);
}

static void octets(void)
{
	struct receipt_row row = far;
	struct receipt r = { .id = S("1@x"), .first = 5, .more = true, .row = &row, .n = 1 }, got;
	struct receipt_tally t = { 7, 8, 9 };
	uint64_t number;
	struct str value = receipt_encode(mem, &r, 42), key;

	for (size_t cut = 0; cut < value.n; cut++)
		CHECK_NUM(receipt_decode(str_part(value, 0, cut), mem, &got, &number), E_CORRUPT);
	CHECK_NUM(receipt_decode(value, mem, &got, &number), OK);
	CHECK(number == 42 && got.more && got.first == 5);
	CHECK(str_eq(receipt_encode(mem, &got, 42), value));
	value = str_fmt(mem, "%c%.*s", 2, FMT(str_from(value, 1)));
	CHECK_NUM(receipt_decode(value, mem, &got, &number), E_VERSION);
	value = receipt_tally_encode(mem, &t);
	CHECK_NUM(receipt_tally_decode(str_from(value, 1), &t), E_VERSION);
	CHECK_NUM(receipt_tally_decode(str_part(value, 0, 24), &t), E_CORRUPT);
	value = receipt_order_encode(mem, S("r/0123456789abcdef"));
	CHECK_NUM(receipt_order_decode(value, &key), OK);
	CHECK_STR(key, "r/0123456789abcdef");
	CHECK_NUM(receipt_order_decode(S("\1s/0123456789abcdef"), &key), E_CORRUPT);
	CHECK_STR(str_of(receipt_state_word(RECEIPT_EXPIRED)), "expired");
	CHECK_STR(str_of(receipt_way_word(RECEIPT_HERE)), "here");
}

static void body(void)
{
	CHECK_NUM(box_account_create(st, 1), OK);
	CHECK_NUM(box_account_create(st, 2), OK);
	octets();
	one_mail();
	nothing_to_write();
	in_order();
	bounds();
	too_many_and_broken();
	with_others();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
