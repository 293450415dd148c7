/* SPDX-License-Identifier: ISC */
#include "box/layout.h"
#include "check.h"

static struct arena *a;

static void keys(void)
{
	struct key k = key_partition(0x1f), prefix = key_prefix('x', 2);
	uint64_t n;

	CHECK_STR(key_str(&k), "a/0000001f");
	k = key_mailbox(10);
	CHECK_STR(key_str(&k), "b/0000000a");
	k = key_chunk(1, 0xabcdef);
	CHECK_STR(key_str(&k), "c/00000001/00abcdef");
	k = key_page(1, UINT32_MAX / 64);
	CHECK_STR(key_str(&k), "m/00000001/03ffffff");
	k = key_log(2, UINT64_MAX);
	CHECK_STR(key_str(&k), "x/00000002/ffffffffffffffff");
	CHECK(key_number(key_str(&k), &prefix, 16, &n) && n == UINT64_MAX);
	CHECK(!key_number(key_str(&k), &prefix, 8, &n));
	prefix = key_prefix('x', 3);
	CHECK(!key_number(key_str(&k), &prefix, 16, &n));
}

/* Every shorter and longer text, and every other version, is refused. */
#define CHECK_REFUSED(value, decode)                                                \
	do {                                                                        \
		struct str whole = (value);                                         \
		for (size_t cut = 0; cut < whole.n; cut++) {                        \
			struct str part = str_part(whole, 0, cut);                  \
			CHECK_NUM((decode), E_CORRUPT);                             \
		}                                                                   \
		struct str part = str_fmt(a, "%c%.*s", 3, FMT(str_from(whole, 1))); \
		CHECK_NUM((decode), E_VERSION);                                     \
		char *more = arena_alloc(a, whole.n + 1);                           \
		memcpy(more, whole.p, whole.n);                                     \
		part = STR(more, whole.n + 1);                                      \
		CHECK_NUM((decode), E_CORRUPT);                                     \
	} while (0)

static void account(void)
{
	struct account_record r = { .next_id = 7,
				    .inbox = 1,
				    .uidvalidity = 1700000000,
				    .mailboxes = 6,
				    .subscriptions = 3,
				    .modseq = (uint64_t)1 << 62,
				    .octets = (uint64_t)1 << 50,
				    .messages = 12345 },
			      got;
	struct str value = account_encode(a, &r);

	CHECK_NUM(account_decode(value, &got), OK);
	CHECK(str_eq(account_encode(a, &got), value)); /* field by field: padding may be anything */
	CHECK_REFUSED(value, account_decode(part, &got));
	CHECK(*value.p == LAYOUT_VERSION && !got.warned);
	r.warned = true;
	value = account_encode(a, &r);
	CHECK(*value.p == ACCOUNT_VERSION_WARNED);
	CHECK_NUM(account_decode(value, &got), OK);
	CHECK(got.warned && got.messages == r.messages);
	r.inbox = 7; /* was never given */
	CHECK_NUM(account_decode(account_encode(a, &r), &got), E_CORRUPT);
}

static void mailbox(void)
{
	struct mailbox_record r = { .use = USE_SENT,
				    .name = S("Sent"),
				    .uidvalidity = 5,
				    .uidnext = 100,
				    .messages = 50,
				    .unseen = 20,
				    .deleted = 10,
				    .recent_from = 90,
				    .octets = 1000,
				    .modseq = 77,
				    .log_floor = 3,
				    .log_entries = 2,
				    .log_ranges = 4,
				    .nkeywords = 2,
				    .keyword = { S("$Forwarded"), S("NonJunk") } },
			      got;
	struct str value = mailbox_encode(a, &r);

	CHECK_NUM(mailbox_decode(value, &got), OK);
	CHECK(!got.removing);
	CHECK_NUM(got.use, USE_SENT);
	CHECK_STR(got.name, "Sent");
	CHECK_NUM(got.uidnext, 100);
	CHECK_NUM(got.modseq, 77);
	CHECK_NUM(got.log_ranges, 4);
	CHECK_NUM(got.nkeywords, 2);
	CHECK_STR(got.keyword[1], "NonJunk");
	CHECK_REFUSED(value, mailbox_decode(part, &got));
	r.nkeywords = KEYWORDS_MAX;
	for (size_t i = 0; i < KEYWORDS_MAX; i++)
		r.keyword[i] = S("x");
	CHECK_NUM(mailbox_decode(mailbox_encode(a, &r), &got), OK);
	r.unseen = 51;
	CHECK_NUM(mailbox_decode(mailbox_encode(a, &r), &got), E_CORRUPT);
}

static void map(void)
{
	struct chunk c = { .modseq = 9 }, got;
	uint64_t modseq;

	c.entry[0] = (struct map_entry){ 0xff00, 0x0f00, 0x8000, 9 };
	c.entry[31] = (struct map_entry){ bit64(63), 0, bit64(63), 8 };
	struct str value = chunk_encode(a, &c);

	CHECK_NUM(value.n, 1 + 8 + 4 + 2 * 32);
	CHECK_NUM(chunk_decode(value, &got), OK);
	CHECK(str_eq(chunk_encode(a, &got), value));
	CHECK_NUM(chunk_modseq(value, &modseq), OK);
	CHECK_NUM(modseq, 9);
	CHECK_REFUSED(value, chunk_decode(part, &got));
	c.entry[0].seen = 1; /* of a message that is not there */
	CHECK_NUM(chunk_decode(chunk_encode(a, &c), &got), E_CORRUPT);
}

static void page(void)
{
	static struct page p, got;
	int64_t times[] = { 0, -1, 1700000000, -62135596800, 253402300799 };

	p.present = UINT64_MAX;
	for (unsigned i = 0; i < PAGE_UIDS; i++)
		p.msg[i] = (struct msg){ .uid = 128 + i,
					 .modseq = i + 1,
					 .size = ((uint64_t)1 << 40) - 1 - i,
					 .arrived = times[i % 5],
					 .saved = times[(i + 1) % 5],
					 .flags = bit64(i),
					 .blob = { { (uint8_t)i, [15] = 7 } },
					 .thread = UINT64_MAX - i };
	struct str value = page_encode(a, &p);

	CHECK_NUM(value.n, PAGE_SIZE_MAX);
	CHECK(value.n < 4000);
	CHECK_NUM(page_decode(value, 2, &got), OK);
	CHECK(str_eq(page_encode(a, &got), value));
	CHECK_REFUSED(value, page_decode(part, 2, &got));

	p.present = bit64(5);
	p.msg[5].arrived = INT64_MAX; /* a time that no calendar knows */
	value = page_encode(a, &p);
	CHECK_NUM(value.n, 9 + RECORD_SIZE);
	CHECK_NUM(page_decode(value, UINT32_MAX / 64, &got), OK);
	CHECK_NUM(got.msg[5].uid, UINT32_MAX - 58);
	CHECK(got.msg[5].arrived > 253402300799);
	CHECK_NUM(page_decode(value, UINT32_MAX / 64 + 1, &got), E_CORRUPT);
	p.present = 1; /* UID 0 */
	CHECK_NUM(page_decode(page_encode(a, &p), 0, &got), E_CORRUPT);
}

static void lists(void)
{
	struct uid_range r[] = { { 1, 3 }, { 7, 7 }, { 4294967290u, UINT32_MAX } };
	struct str names[] = { S("a"), S("b/c") }, *got;
	struct str value = log_encode(a, (struct uidset){ r, 3 });
	struct uidset set;
	size_t n;

	CHECK_NUM(log_decode(value, a, &set), OK);
	CHECK(set.n == 3 && !memcmp(set.range, r, sizeof r));
	CHECK_NUM(log_decode(str_part(value, 0, value.n - 1), a, &set), E_CORRUPT);
	r[1].first = 2; /* within the first */
	CHECK_NUM(log_decode(log_encode(a, (struct uidset){ r, 3 }), a, &set), E_CORRUPT);

	value = names_encode(a, names, 2);
	CHECK_NUM(names_decode(value, a, &got, &n), OK);
	CHECK_NUM(n, 2);
	CHECK_STR(got[1], "b/c");
	CHECK_NUM(names_decode(str_part(value, 0, value.n - 1), a, &got, &n), E_CORRUPT);
	CHECK_NUM(names_decode(names_encode(a, names, 0), a, &got, &n), E_CORRUPT);
}

int main(void)
{
	a = arena_new(64 << 20);
	keys();
	account();
	mailbox();
	map();
	page();
	lists();
	arena_free(&a);
	return check_done();
}
