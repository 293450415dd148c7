/* SPDX-License-Identifier: ISC */
/*
 * Stored values of the queue, and ids as people type them: the first octet of the input says which,
 * the rest is the value. What is accepted is written again as the same octets; and whatever a part
 * says, a report of it has lines that a mail may have, and as many fields as it has recipients.
 */
#include "base/buf.h"
#include "queue/expect_record.h"
#include "queue/report.h"
#include "queue/say.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(struct str s, const char *what)
{
	struct str w = str_of(what);
	size_t n = 0;

	for (size_t at; (at = str_find_str(s, w)) < s.n; s = str_from(s, at + w.n))
		n++;
	return n;
}

static void report(struct arena *a, const struct queue_part *p, bool utf8, enum queue_report kind)
{
	struct queue_message m = { .sender = S("a@x.test"), .envid = S("id+0D+0A"), .utf8 = utf8 };
	struct queue_report_of r = { .m = &m,
				     .rcpt = p->rcpt,
				     .n = p->n,
				     .kind = kind,
				     .plan = &queue_plan_default,
				     .host = S("x.test"),
				     .from = S("postmaster@x.test"),
				     .id = S("1"),
				     .header = S("Message-ID: <\x01@x>\r\n"),
				     .now = INT32_MAX };
	struct queue_report_text text;
	size_t owed = 0;

	for (size_t i = 0; i < p->n; i++)
		owed += schedule_report(r.plan, &m, &p->rcpt[i], r.now) == kind;
	enum err e = queue_report_make(a, &r, &text);

	BUG_IF(e != (owed ? OK : E_NOTFOUND));
	if (e)
		return;
	BUG_IF(count(text.head, "\r\nAction: ") != owed);
	BUG_IF(count(text.head, "\r\nStatus: ") != owed);
	BUG_IF(count(text.head, "\r\n--=_1\r\n") != 3);
	BUG_IF(count(text.head, "\n") != count(text.head, "\r\n"));
}

static void part(struct arena *a, struct str value)
{
	struct queue_message m = { .sender = S("a@x.test") };
	struct queue_part p = { 0 };
	struct str again;

	if (queue_part_decode(value, a, &p))
		return;
	BUG_IF(queue_part_encode(a, &p, &again) || !str_eq(value, again));
	(void)queue_part_due(&p);
	(void)queue_part_over(&p);
	for (size_t i = 0; i < p.n; i++) {
		struct str s = queue_say(a, i % 2, &queue_plan_default, &m, &p.rcpt[i]);

		BUG_IF(!s.n || str_has(s, '\n') || str_has(s, '\r'));
	}
	for (enum queue_report kind = QUEUE_DELAY; kind <= QUEUE_SUCCESS; kind++)
		report(a, &p, p.n % 2, kind);
}

static void expectations(struct arena *a, uint8_t which, struct str value)
{
	struct expect_bucket bucket;
	struct expect_wish *wish;
	size_t n;

	if (which == 2 && !expect_bucket_decode(value, &bucket))
		BUG_IF(!str_eq(value, expect_bucket_encode(a, &bucket)));
	if (which == 3 && !expect_wishes_decode(value, a, &wish, &n))
		BUG_IF(!str_eq(value, expect_wishes_encode(a, wish, n)));
}

/* However it was typed, it is written in one way alone. */
static void id(struct arena *a, struct str text)
{
	uint64_t n, again;

	if (queue_id_read(text, &n))
		BUG_IF(!queue_id_read(queue_id_text(a, n), &again) || again != n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 65536)
		return 0;
	struct arena *a = arena_new((size_t)64 << 20);
	struct str value = STR((const char *)data + 1, size - 1), again;
	struct queue_message m = { 0 };

	if (data[0] == 0 && !queue_message_decode(value, &m))
		BUG_IF(queue_message_encode(a, &m, &again) || !str_eq(value, again));
	if (data[0] == 1)
		part(a, value);
	expectations(a, data[0], value);
	if (data[0] == 4)
		id(a, value);
	arena_free(&a);
	return 0;
}
