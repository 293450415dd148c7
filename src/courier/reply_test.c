/* SPDX-License-Identifier: ISC */
/* What the queue keeps of an outcome: its kind, the status of a report, the text. */
#include "check.h"
#include "courier/courier_priv.h"

static const struct queue_reply facts = { .host = { "mx.far.test", 11 }, .auth = QUEUE_DANE };

static void check(struct outcome o, bool utf8, const char *want)
{
	static const char *const kinds[] = { "took", "later", "refused", "unreached" };
	struct arena *a = arena_new(4096);
	struct queue_reply r;
	enum queue_outcome what = reply_take(&o, utf8, 1000, &facts, &r);

	CHECK_STR(str_fmt(a, "%s %u %u.%u.%u %.*s", kinds[what], r.code, r.status[0], r.status[1],
			  r.status[2], FMT(r.text)),
		  want);
	CHECK_STR(r.host, "mx.far.test");
	CHECK_NUM(r.auth, QUEUE_DANE);
	CHECK_NUM(r.when, 1000);
	arena_free(&a);
}

#define SAID(v, c, e, t)                                                                        \
	(struct outcome)                                                                        \
	{                                                                                       \
		.verdict = (v), .why = WHY_SAID, .said = {.code = (c), .esc = e, .text = S(t) } \
	}
#define OURS(v, w) ((struct outcome){ .verdict = (v), .why = (w) })

static void outcomes(void)
{
	check(SAID(DELIVERED, 250, "2.0.0", "taken"), false, "took 250 2.0.0 taken");
	check(SAID(TEMPORARY, 450, "4.7.1", "later"), false, "later 450 4.7.1 later");
	check(SAID(TEMPORARY, 451, "", "hm"), false, "later 451 0.0.0 hm");
	check(SAID(PERMANENT, 550, "5.1.1", "no"), false, "refused 550 5.1.1 no");
	check(OURS(TEMPORARY, WHY_GONE), false,
	      "unreached 0 4.4.2 the server has closed the connection");
	check(OURS(TEMPORARY, WHY_SLOW), false,
	      "unreached 0 4.4.2 the server did not answer in time");
	check(OURS(TEMPORARY, WHY_BROKEN), false,
	      "unreached 0 4.5.0 what the server said is no SMTP");
	check(OURS(TEMPORARY, WHY_OURS), false, "later 0 4.3.0 the mail could not be read here");
	check(OURS(PERMANENT, WHY_TOO_LARGE), false,
	      "refused 0 5.3.4 the mail is larger than the server takes");
	check(OURS(PERMANENT, WHY_8BITMIME), false,
	      "refused 0 5.6.3 the server does not offer 8BITMIME");
	check(OURS(PERMANENT, WHY_SMTPUTF8), true,
	      "refused 0 5.6.7 the server does not offer SMTPUTF8");
	check(OURS(PERMANENT, WHY_SMTPUTF8), false,
	      "refused 0 5.6.9 the server does not offer SMTPUTF8");
	check(OURS(PERMANENT, WHY_REQUIRETLS), false,
	      "refused 0 5.7.30 the server does not offer REQUIRETLS");
	check(OURS(PERMANENT, WHY_DELIVERBY), false,
	      "refused 0 5.3.3 the server does not offer DELIVERBY");
	check(OURS(PERMANENT, WHY_ADDRESS), false,
	      "refused 0 5.1.3 the address cannot be told to a server");
	check(OURS(PERMANENT, WHY_LINE_ENDS), false,
	      "refused 0 5.6.0 the mail has line ends that are not allowed");
	/* It may have been taken. */
	check((struct outcome){ .verdict = TEMPORARY, .why = WHY_CANCELED, .maybe = true }, false,
	      "unreached 0 4.4.2 the server has closed the connection");
	for (enum client_why w = WHY_GONE; w < WHY_COUNT; w++) {
		struct queue_reply r;
		struct outcome o = OURS(PERMANENT, w);

		reply_take(&o, false, 1, &facts, &r);
		CHECK(r.status[0] && r.text.n);
	}
}

static void statuses(void)
{
	static const char *const bad[] = { "", "5", "5.1", "5.1.", "5.1.1 ", "5.1.1000", "a.b.c" };
	uint16_t s[3];

	CHECK(reply_status(S("5.7.30"), s));
	CHECK(s[0] == 5 && s[1] == 7 && s[2] == 30);
	for (size_t i = 0; i < LENGTH(bad); i++) {
		CHECK(!reply_status(str_of(bad[i]), s));
		CHECK(!s[0] && !s[1] && !s[2]);
	}
}

int main(void)
{
	outcomes();
	statuses();
	return check_done();
}
