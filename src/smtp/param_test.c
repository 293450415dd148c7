/* SPDX-License-Identifier: ISC */
#include "check.h"
#include "smtp/param.h"

enum { ALL = PARAM_REQUIRETLS | PARAM_HOLD | PARAM_BY | PARAM_PRIORITY | PARAM_DSN };

static void mail(struct arena *a)
{
	static const struct {
		const char *in;
		unsigned code;
		const char *esc;
		const char *from;
	} table[] = {
		{ "FROM:<a@b.test>", 0, NULL, "a@b.test" },
		{ "from:<>", 0, NULL, "" },
		{ "FROM: <a@b.test>", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test> ", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test> SIZE=1000 BODY=8BITMIME", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test>  body=binarymime", 0, NULL, "a@b.test" },
		{ "FROM:<@x.test,@y.test:a@b.test>", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test> RET=HDRS ENVID=QQ314159", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test> AUTH=<>", 0, NULL, "a@b.test" },
		{ "FROM:<a@b.test> AUTH=e+3Dmc2@example.com", 0, NULL, "a@b.test" },
		{ "FROM:<\xc3\xa4@b.test> SMTPUTF8", 0, NULL, "\xc3\xa4@b.test" },
		{ "FROM:<\xc3\xa4@b.test>", 553, "5.6.7", NULL },
		{ "FROM:<\xe4@b.test> SMTPUTF8", 501, "5.1.7", NULL },
		{ "FROM:a@b.test", 501, "5.1.7", NULL },
		{ "FROM:<a@b.test", 501, "5.1.7", NULL },
		{ "<a@b.test>", 501, "5.1.7", NULL },
		{ "", 501, "5.1.7", NULL },
		{ "FROM:<a@b.test>SIZE=1", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SIZE=", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SIZE", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SIZE=-1", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SIZE=99999999999999999999", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SIZE=1 SIZE=2", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> SMTPUTF8=1", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> BODY=9BIT", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> RET=ALL", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> ENVID=a+2", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> ENVID=a+07", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> ENVID=a=b", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> =x", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> ?", 501, "5.5.4", NULL },
		{ "FROM:<a@b.test> XFOO=bar", 555, "5.5.4", NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct scan in = scan(str_of(table[i].in));
		struct mail_args m;
		struct reply r = mail_args(&in, a, ALL, &m);

		if (!CHECK_NUM(r.code, table[i].code))
			fprintf(stderr, "  for %s\n", table[i].in);
		if (r.code && table[i].esc)
			CHECK_STR(str_of(r.esc), table[i].esc);
		if (!r.code && table[i].from)
			CHECK_STR(path_text(a, m.from), table[i].from);
	}
}

static void mail_values(struct arena *a)
{
	struct scan in = scan(S("FROM:<a@b.test> SIZE=12345 BODY=BINARYMIME SMTPUTF8 RET=FULL "
				"ENVID=x+2By"));
	struct mail_args m;

	CHECK_NUM(mail_args(&in, a, ALL, &m).code, 0);
	CHECK_NUM(m.size, 12345);
	CHECK_NUM(m.body, BODY_BINARYMIME);
	CHECK(m.utf8);
	CHECK_NUM(m.ret, RET_FULL);
	CHECK_STR(m.envid, "x+2By");
	in = scan(S("FROM:<>"));
	CHECK_NUM(mail_args(&in, a, ALL, &m).code, 0);
	CHECK_NUM(m.size, 0);
	CHECK_NUM(m.body, BODY_7BIT);
	CHECK_NUM(m.ret, RET_NONE);
	CHECK(!m.utf8);
}

/* Those that not every session offers. */
static void offered(struct arena *a)
{
	static const struct {
		const char *in;
		unsigned code, needs;
		int64_t hold_for, hold_until, by_time;
		int priority;
	} table[] = {
		{ "REQUIRETLS", 0, PARAM_REQUIRETLS },
		{ "REQUIRETLS=1", 501, PARAM_REQUIRETLS },
		{ "HOLDFOR=3600", 0, PARAM_HOLD, 3600 },
		{ "HOLDFOR=0", 0, PARAM_HOLD },
		{ "HOLDFOR=999999999", 0, PARAM_HOLD, 999999999 },
		{ "HOLDFOR=1000000000", 501, PARAM_HOLD },
		{ "HOLDFOR=-1", 501, PARAM_HOLD },
		{ "HOLDFOR=1.5", 501, PARAM_HOLD },
		{ "HOLDFOR", 501, PARAM_HOLD },
		{ "HOLDUNTIL=2026-11-24T06:41:51Z", 0, PARAM_HOLD, 0, 1795502511 },
		{ "HOLDUNTIL=2026-11-24T07:41:51+01:00", 0, PARAM_HOLD, 0, 1795502511 },
		{ "HOLDUNTIL=tomorrow", 501, PARAM_HOLD },
		{ "HOLDFOR=1 HOLDUNTIL=2026-11-24T06:41:51Z", 501, PARAM_HOLD },
		{ "HOLDUNTIL=2026-11-24T06:41:51Z HOLDFOR=1", 501, PARAM_HOLD },
		{ "BY=120;R", 0, PARAM_BY, 0, 0, 120 },
		{ "BY=+120;nt", 0, PARAM_BY, 0, 0, 120 },
		{ "BY=-120;N", 0, PARAM_BY, 0, 0, -120 },
		{ "BY=0;N", 0, PARAM_BY },
		{ "BY=0;R", 501, PARAM_BY },
		{ "BY=-1;R", 501, PARAM_BY },
		{ "BY=120", 501, PARAM_BY },
		{ "BY=120;", 501, PARAM_BY },
		{ "BY=120;X", 501, PARAM_BY },
		{ "BY=120;RX", 501, PARAM_BY },
		{ "BY=;R", 501, PARAM_BY },
		{ "BY=1000000000;R", 501, PARAM_BY },
		{ "BY=0000000001;R", 501, PARAM_BY },
		{ "MT-PRIORITY=-9", 0, PARAM_PRIORITY, 0, 0, 0, -9 },
		{ "MT-PRIORITY=0", 0, PARAM_PRIORITY },
		{ "mt-priority=9", 0, PARAM_PRIORITY, 0, 0, 0, 9 },
		{ "MT-PRIORITY=10", 501, PARAM_PRIORITY },
		{ "MT-PRIORITY=-0", 501, PARAM_PRIORITY },
		{ "MT-PRIORITY=+3", 501, PARAM_PRIORITY },
		{ "MT-PRIORITY=03", 501, PARAM_PRIORITY },
		{ "MT-PRIORITY=", 501, PARAM_PRIORITY },
		{ "MT-PRIORITY=3 MT-PRIORITY=3", 501, PARAM_PRIORITY },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct str text = str_fmt(a, "FROM:<a@b.test> %s", table[i].in);
		struct scan in = scan(text);
		struct mail_args m;

		if (!CHECK_NUM(mail_args(&in, a, table[i].needs, &m).code, table[i].code))
			fprintf(stderr, "  for %s\n", table[i].in);
		if (!table[i].code)
			CHECK(m.hold_for == table[i].hold_for &&
			      m.hold_until == table[i].hold_until &&
			      m.by_time == table[i].by_time && m.priority == table[i].priority);
		in = scan(text);
		CHECK_NUM(mail_args(&in, a, ALL & ~table[i].needs, &m).code, 555);
	}
	struct scan in = scan(S("FROM:<a@b.test> BY=5;RT REQUIRETLS HOLDFOR=1 MT-PRIORITY=0"));
	struct mail_args m;

	CHECK_NUM(mail_args(&in, a, ALL, &m).code, 0);
	CHECK(m.by && m.by_return && m.by_trace && m.requiretls && m.hold && m.prioritized);
}

static void rcpt(struct arena *a)
{
	static const struct {
		const char *in;
		unsigned code, notify;
		const char *to, *orcpt;
	} table[] = {
		{ "TO:<a@b.test>", 0, 0, "a@b.test", "" },
		{ "to:<A@b.test>", 0, 0, "A@b.test", "" },
		{ "TO:<a@b.test> NOTIFY=NEVER", 0, NOTIFY_NEVER, "a@b.test", "" },
		{ "TO:<a@b.test> NOTIFY=success,FAILURE,delay", 0,
		  NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY, "a@b.test", "" },
		{ "TO:<a@b.test> ORCPT=rfc822;Bob+20Q@b.test", 0, 0, "a@b.test",
		  "rfc822;Bob+20Q@b.test" },
		{ "TO:<a@b.test> ORCPT=utf-8;\xc3\xa4@b.test", 0, 0, "a@b.test",
		  "utf-8;\xc3\xa4@b.test" },
		{ "TO:<a@b.test> NOTIFY=NEVER,DELAY", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> NOTIFY=", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> NOTIFY=DELAY,", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> NOTIFY=SOON", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> NOTIFY=DELAY NOTIFY=DELAY", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> ORCPT=rfc822", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> ORCPT=;x", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> ORCPT=rfc822;", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> ORCPT=rfc822;a+zz", 501, 0, NULL, NULL },
		{ "TO:<a@b.test> SIZE=1", 555, 0, NULL, NULL },
		{ "TO:<>", 501, 0, NULL, NULL },
		{ "TO:<a@>", 501, 0, NULL, NULL },
		{ "TO:a@b.test", 501, 0, NULL, NULL },
		{ "<a@b.test>", 501, 0, NULL, NULL },
		{ "TO:<a@b.test>NOTIFY=NEVER", 501, 0, NULL, NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct scan in = scan(str_of(table[i].in));
		struct rcpt_args r;
		struct reply why = rcpt_args(&in, a, ALL, &r);

		if (!CHECK_NUM(why.code, table[i].code))
			fprintf(stderr, "  for %s\n", table[i].in);
		if (why.code || !table[i].to)
			continue;
		CHECK_NUM(r.notify, table[i].notify);
		CHECK_STR(path_text(a, r.to), table[i].to);
		CHECK_STR(r.orcpt, table[i].orcpt);
	}
	struct scan in = scan(S("TO:<Postmaster>"));
	struct rcpt_args r;

	CHECK_NUM(rcpt_args(&in, a, ALL, &r).code, 0);
	CHECK_STR(r.to.domain, "");
	CHECK(str_iis(r.to.local, "postmaster"));
	in = scan(S("TO:<a@b.test> NOTIFY=NEVER"));
	CHECK_NUM(rcpt_args(&in, a, ALL & ~PARAM_DSN, &r).code, 555);
}

static void bounds(struct arena *a)
{
	static const struct {
		const char *head;
		size_t n;
		unsigned code;
	} table[] = {
		{ "FROM:<a@b.test> ENVID=", ENVID_MAX, 0 },
		{ "FROM:<a@b.test> ENVID=", ENVID_MAX + 1, 501 },
		{ "TO:<a@b.test> ORCPT=x;", ORCPT_MAX - 2, 0 },
		{ "TO:<a@b.test> ORCPT=x;", ORCPT_MAX - 1, 501 },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		char *p = arena_alloc(a, table[i].n);

		memset(p, 'x', table[i].n);
		struct str text = str_fmt(a, "%s%.*s", table[i].head, FMT(STR(p, table[i].n)));
		struct scan in = scan(text);
		struct mail_args m;
		struct rcpt_args r;
		bool mail_from = str_starts(text, S("FROM"));

		CHECK_NUM(
			(mail_from ? mail_args(&in, a, ALL, &m) : rcpt_args(&in, a, ALL, &r)).code,
			table[i].code);
	}
}

static void xclient(void)
{
	static const struct {
		const char *in, *ip; /* NULL: refused */
	} table[] = {
		{ "ADDR=203.0.113.9", "203.0.113.9" },
		{ "addr=203.0.113.9 ", "203.0.113.9" },
		{ "ADDR=IPV6:2001:db8::1", "2001:db8::1" },
		{ "ADDR=ipv6:::1", "::1" },
		{ "ADDR=2001:db8::1", NULL },
		{ "ADDR=IPV6:203.0.113.9", NULL },
		{ "ADDR=IPV6:", NULL },
		{ "ADDR=", NULL },
		{ "ADDR", NULL },
		{ "", NULL },
		{ "203.0.113.9", NULL },
		{ "NAME=mail.example.test", NULL },
		{ "LOGIN=alice ADDR=203.0.113.9", NULL },
		{ "ADDR=203.0.113.9 LOGIN=alice", NULL },
		{ "ADDR=203.0.113.9 ADDR=203.0.113.10", NULL },
		{ "ADDR = 203.0.113.9", NULL },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		struct scan in = scan(str_of(table[i].in));
		struct str ip = S_NONE;
		bool good = xclient_addr(&in, &ip);

		if (!CHECK_NUM(good, table[i].ip != NULL))
			fprintf(stderr, "  for %s\n", table[i].in);
		if (table[i].ip)
			CHECK_STR(ip, table[i].ip);
	}
}

int main(void)
{
	struct arena *a = arena_new(1 << 20);

	mail(a);
	mail_values(a);
	offered(a);
	rcpt(a);
	bounds(a);
	xclient();
	arena_free(&a);
	return check_done();
}
