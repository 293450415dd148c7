/* SPDX-License-Identifier: ISC */
/*
 * Stored values of a mailbox: the first octet of the input says which, the rest is the value.
 * What is accepted is written again as the same octets; all else is refused.
 */
#include "box/layout.h"
#include "box/receipt_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct str value, struct str written)
{
	BUG_IF(!str_eq(value, written));
}

static void records(struct arena *a, uint8_t which, struct str value)
{
	struct account_record account;
	struct mailbox_record mailbox;

	if (which == 0 && !account_decode(value, &account))
		again(value, account_encode(a, &account));
	if (which == 1 && !mailbox_decode(value, &mailbox))
		again(value, mailbox_encode(a, &mailbox));
}

static void pages(struct arena *a, uint8_t which, struct str value)
{
	struct chunk *chunk = ARENA_NEW(a, struct chunk);
	struct page *page = ARENA_NEW(a, struct page);
	uint64_t modseq;

	if (which == 2 && !chunk_decode(value, chunk)) {
		again(value, chunk_encode(a, chunk));
		BUG_IF(chunk_modseq(value, &modseq) || modseq != chunk->modseq);
	}
	if (which == 3 && !page_decode(value, 1, page))
		again(value, page_encode(a, page));
}

static void lists(struct arena *a, uint8_t which, struct str value)
{
	struct uidset set;
	struct str *name;
	size_t n;

	/* Ranges that touch become one: the set is what has to be the same. */
	if (which == 4 && !log_decode(value, a, &set)) {
		uint64_t count = uidset_count(set);

		BUG_IF(log_decode(log_encode(a, set), a, &set) || uidset_count(set) != count);
	}
	struct key_page_record keys;

	if (which == 6 && !keys_decode(value, &keys))
		again(value, keys_encode(a, &keys));
	if (which == 5 && !names_decode(value, a, &name, &n))
		again(value, names_encode(a, name, n));
}

static void receipts(struct arena *a, uint8_t which, struct str value)
{
	struct receipt_tally tally;
	struct receipt r;
	struct str key;
	uint64_t number;

	if (which == 7 && !receipt_decode(value, a, &r, &number))
		again(value, receipt_encode(a, &r, number));
	if (which == 8 && !receipt_tally_decode(value, &tally))
		again(value, receipt_tally_encode(a, &tally));
	if (which == 9 && !receipt_order_decode(value, &key))
		again(value, receipt_order_encode(a, key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 65536)
		return 0;
	struct arena *a = arena_new(64 * size + (1 << 20));
	struct str value = STR((const char *)data + 1, size - 1);

	records(a, data[0], value);
	pages(a, data[0], value);
	lists(a, data[0], value);
	receipts(a, data[0], value);
	arena_free(&a);
	return 0;
}
