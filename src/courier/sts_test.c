/* SPDX-License-Identifier: ISC */
/*
 * Records of policies, and a program for sts_test.py, which says on standard input (a socket) what
 * to do:
 *
 *     sts_test IP PORT ANCHOR-FILE CA-FILE HTTPS-PORT
 */
#include <unistd.h>

#include "base/buf.h"
#include "check.h"
#include "courier/https.h"
#include "courier/sts.h"
#include "courier/sts_kept.h"
#include "fiber/io.h"

static struct {
	struct str ip, anchor, ca;
	uint16_t port, https;
} given;
static struct arena *a;
static struct store *st;
static struct sts *sts;
static struct sts_conf conf;

/* --- records --- */

static void test_record(void)
{
	struct str mx[] = { S("mx.test"), S("*.test") };
	struct sts_kept k = { .id = S("20260101"),
			      .fetched = 1700000000,
			      .tried = 1700000001,
			      .policy = { MTA_STS_ENFORCE, 86400, mx, 2 } },
			got;
	struct str octets = sts_encode(a, &k);

	CHECK_NUM(sts_decode(octets, a, &got), OK);
	CHECK_STR(got.id, "20260101");
	CHECK(got.fetched == k.fetched && got.tried == k.tried && got.policy.nmx == 2 &&
	      got.policy.mode == MTA_STS_ENFORCE && got.policy.max_age == 86400);
	CHECK_STR(got.policy.mx[1], "*.test");
	CHECK(!sts_over(&got, 1700000000 + 86399) && sts_over(&got, 1700000000 + 86400));
	for (size_t n = 1; n < octets.n; n++)
		CHECK_NUM(sts_decode(str_part(octets, 0, n), a, &got), E_CORRUPT);
	CHECK_NUM(sts_decode(S(""), a, &got), E_CORRUPT);
	CHECK_NUM(sts_decode(S("\x02"), a, &got), E_VERSION);
}

/* A report's URL is what anybody has written: it reaches web servers, and nothing else of ours. */
static void test_ports(struct dns *dns)
{
	static const char *const urls[] = { "https://web.test:25/x", "https://web.test:8443/x",
					    "https://web.test:65535/" };
	struct https_conf web = { .dns = dns };
	struct https *h = https_new(&web);

	for (size_t i = 0; i < LENGTH(urls); i++) {
		struct https_answer out;
		struct str why;

		CHECK_NUM(https_post(h, str_of(urls[i]), "text/plain", S("x"), a, &out, &why),
			  E_SYNTAX);
	}
	https_close(&h);
}

/* A full store: what is over goes first, then what was fetched longest ago. */
static void test_full(void)
{
	struct sts_kept k = { .id = S("1"), .policy = { MTA_STS_NONE, 1000, NULL, 0 } }, got;
	struct store *mem;
	struct str why;
	char name[32];

	if (!CHECK_NUM(store_open(S("mem:"), a, &mem, &why), OK))
		return;
	for (unsigned i = 0; i < STS_KEPT_MAX + 1; i++) {
		snprintf(name, sizeof name, "d%u.test", i);
		k.fetched = i < STS_KEPT_MAX ? 10000 + i % 500 : 10400;
		k.policy.max_age = i == 7 ? 1 : 1000;
		CHECK_NUM(sts_kept_put(mem, str_of(name), &k), OK);
	}
	CHECK_NUM(sts_kept_get(mem, S("d7.test"), a, &got), E_NOTFOUND);
	CHECK_NUM(sts_kept_get(mem, S("d0.test"), a, &got), E_NOTFOUND);
	CHECK_NUM(sts_kept_get(mem, S("d499.test"), a, &got), OK);
	CHECK_NUM(sts_kept_get(mem, str_of(name), a, &got), OK);
	store_close(&mem);
}

/* --- orders --- */

static struct str ask_within(struct arena *mem, struct str domain, int64_t ms)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct buf b = buf_new(4096);
	struct mta_sts p;
	enum err e = sts_policy(sts, domain, clock_in(ms), mem, &p);

	if (e) {
		buf_put(&b, e == E_NOTFOUND ? S("none") : str_of(err_text(e)));
	} else {
		buf_fmt(&b, "%s %u", modes[p.mode], p.max_age);
		for (size_t i = 0; i < p.nmx; i++)
			buf_fmt(&b, " %.*s", FMT(p.mx[i]));
	}
	struct str out = str_dup(mem, buf_str(&b));
	buf_free(&b);
	return out;
}

struct crowd {
	struct str domain;
	unsigned good;
};

static void one_of_crowd(void *arg)
{
	struct crowd *c = arg;
	struct arena *mem = arena_new(1 << 20);

	c->good += str_starts(ask_within(mem, c->domain, 20000), S("enforce"));
	arena_free(&mem);
}

static struct str crowd(struct arena *mem, unsigned n, struct str domain)
{
	struct crowd c = { .domain = domain };
	struct group *g = group_new();

	for (unsigned i = 0; i < n; i++)
		CHECK_NUM(group_spawn(g, "ask", one_of_crowd, &c), OK);
	CHECK_NUM(group_wait(g, clock_in(20000)), OK);
	group_close(&g);
	return str_fmt(mem, "%u enforce", c.good);
}

/* Changes what is kept: its id, its age, how long it counts; or keeps the same of another domain.
 */
static struct str change(struct arena *mem, struct str what, struct str domain, struct scan *in)
{
	struct sts_kept k;
	enum err e = sts_kept_get(st, domain, mem, &k);

	if (e)
		return str_of(err_text(e));
	if (str_is(what, "id")) {
		k.id = in->rest;
	} else if (str_is(what, "age")) {
		int64_t by = (int64_t)scan_num(in, UINT32_MAX);
		k.fetched -= by;
		k.tried -= by;
	} else if (str_is(what, "copy")) {
		domain = in->rest;
	} else {
		k.policy.max_age = 604800;
	}
	return str_of(err_text(sts_kept_put(st, domain, &k)));
}

static struct str say_failure(struct arena *mem, struct str domain)
{
	enum tlsrpt_result why;
	struct str text;

	if (!sts_failure(sts, domain, &why, &text))
		return S("nothing");
	return str_fmt(mem, "%d %.*s", why, FMT(text));
}

/* The refresh is what a process begins with; it is over after a moment. */
static struct str refresh(void)
{
	struct group *g = group_new();

	sts_close(&sts);
	CHECK_NUM(sts_new(&conf, &sts), OK);
	CHECK_NUM(fiber_sleep(clock_in(1000)), OK);
	group_close(&g);
	return S("ok");
}

static struct str obey(struct arena *mem, struct str line)
{
	struct scan in = scan(line);
	struct str what = scan_word(&in);

	if (str_is(what, "ask"))
		return ask_within(mem, in.rest, 20000);
	if (str_is(what, "hurry")) {
		int64_t ms = (int64_t)scan_num(&in, 60000);
		scan_lit(&in, " ");
		return ask_within(mem, in.rest, ms);
	}
	if (str_is(what, "asks")) {
		unsigned n = (unsigned)scan_num(&in, 100);
		scan_lit(&in, " ");
		return crowd(mem, n, in.rest);
	}
	if (str_is(what, "noted"))
		return say_failure(mem, in.rest);
	if (str_is(what, "refresh"))
		return refresh();
	return change(mem, what, scan_word(&in), &in);
}

static void serve(void)
{
	struct io *io = io_new(dup(0));
	struct arena *mem = arena_new(8 << 20);
	struct str line;

	while (!io_line(io, mem, 4096, &line)) {
		struct str reply = obey(mem, line);

		io_fmt(io, "%.*s\n", FMT(reply));
		arena_reset(mem);
	}
	arena_free(&mem);
	io_close(&io);
}

static void run(void *unused)
{
	struct dns_server server = { given.ip, given.port };
	struct dns_stub stubs[] = { { S("."), server }, { S("test"), server } };
	struct dns_conf d = { .anchor_file = given.anchor, .stubs = stubs, .nstubs = 2 };
	struct dns *dns = NULL;
	struct str why;

	(void)unused;
	test_record();
	test_full();
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	CHECK_NUM(dns_new(&d, a, &dns, &why), OK);
	test_ports(dns);
	conf = (struct sts_conf){
		.store = st, .dns = dns, .ca_file = given.ca, .port = given.https, .loopback = true
	};
	CHECK_NUM(sts_new(&conf, &sts), OK);
	serve();
	sts_close(&sts);
	dns_close(&dns);
	store_close(&st);
}

static uint16_t number(const char *text)
{
	struct scan in = scan(str_of(text));

	return (uint16_t)scan_num(&in, 65535);
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fputs("sts_test.py starts this\n", stderr);
		return 2;
	}
	given.ip = str_of(argv[1]);
	given.port = number(argv[2]);
	given.anchor = str_of(argv[3]);
	given.ca = str_of(argv[4]);
	given.https = number(argv[5]);
	a = arena_new(64 << 20);
	fiber_main(run, NULL);
	arena_free(&a);
	return check_done();
}
