/* SPDX-License-Identifier: ISC */
/*
 * Records and tables of TLS reports, and a program for tlsrpt_test.py, which says on standard input
 * (a socket) what to do:
 *
 *     tlsrpt_test IP PORT ANCHOR-FILE CA-FILE HTTPS-PORT
 *
 * Its keeper is a real one, over a socket pair; its domain is ours.test.
 */
#include <unistd.h>

#include "base/encode.h"
#include "box/box.h"
#include "check.h"
#include "courier/sts.h"
#include "courier/tlsrpt.h"
#include "courier/tlsrpt_got.h"
#include "courier/tlsrpt_write.h"
#include "fiber/io.h"
#include "ipc/ipc.h"
#include "keeper/directory.h"
#include "keeper/dkim.h"
#include "keeper/serve.h"
#include "queue/queue.h"
#include "trust/dkim.h"

enum { DAY_S = 86400, GZIP_TEXT_MAX = 4096 };

static struct {
	struct str ip, anchor, ca;
	uint16_t port, https;
} given;
static struct arena *a;
static struct store *st;
static struct tlsrpt *reports, *second; /* of two couriers */
static struct tlsrpt_conf conf;

/* --- who wants reports --- */

static const struct {
	const char *txt[2], *want; /* "" : nobody */
} records[] = {
	{ { "v=TLSRPTv1; rua=mailto:reports@example.com" }, "reports@example.com" },
	{ { "v=TLSRPTv1;rua=mailto:reports@example.com;" }, "reports@example.com" },
	{ { "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt" },
	  "https://reporting.example.com/v1/tlsrpt" },
	{ { "v=TLSRPTv1; rua=https://r.test/a , mailto:b@c.test,mailto:d@e.test" },
	  "https://r.test/a b@c.test d@e.test" },
	{ { "v=spf1 -all", "v=TLSRPTv1; x=y; rua=MAILTO:a@b.test;" }, "a@b.test" },
	{ { "v=TLSRPTv1 ; rua=mailto:a%2Bx@b.test?subject=no" }, "a+x@b.test" },
	{ { "v=TLSRPTv1; rua=https://r.test:8443/a?b=c,ftp://x.test,http://y.test,mailto:" },
	  "https://r.test:8443/a?b=c" },
	{ { "v=TLSRPTv1; rua=https://127.0.0.1/,https://u@r.test/,https://r.test\\x/" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a@b.test", "v=TLSRPTv1; rua=mailto:c@d.test" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a@b.test; rua=mailto:c@d.test" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a%0D%0Ab@b.test" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a%zz@b.test" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a@[10.0.0.1]" }, "" },
	{ { "v=TLSRPTv1; rua=mailto:a@%5BIPv6:::1%5D,mailto:a@b.test" }, "a@b.test" },
	{ { "v=TLSRPTv1; broken; rua=mailto:a@b.test" }, "" },
	{ { "v=TLSRPTv1" }, "" },
	{ { "v=TLSRPTv1;" }, "" },
	{ { "v=TLSRPTv12; rua=mailto:a@b.test" }, "" },
	{ { "v=tlsrptv1; rua=mailto:a@b.test" }, "" },
	{ { NULL }, "" },
};

static void test_wanted(void)
{
	for (size_t i = 0; i < LENGTH(records); i++) {
		struct tlsrpt_rua rua[TLSRPT_RUA_MAX];
		struct str txt[2], got = S("");
		size_t n = 0, nrua;

		for (; n < 2 && records[i].txt[n]; n++)
			txt[n] = str_of(records[i].txt[n]);
		enum err e = tlsrpt_record(a, txt, n, rua, &nrua);
		for (size_t k = 0; k < nrua; k++)
			got = str_fmt(a, "%.*s%s%.*s", FMT(got), k ? " " : "", FMT(rua[k].to));
		CHECK_STR(got, records[i].want);
		CHECK_NUM(e, *records[i].want ? OK : E_NOTFOUND);
	}
}

/* --- records of the store --- */

static void test_counts(void)
{
	struct tlsrpt_counts c = { .claimed = 7 }, got;
	struct tlsrpt_row r = { TLSRPT_STS, TLSRPT_OK, S("mx"), S("192.0.2.1"), S(""), 2 };

	c.row = ARENA_ARRAY(a, struct tlsrpt_row, TLSRPT_ROWS_FULL);
	tlsrpt_counts_add(&c, &r);
	tlsrpt_counts_add(&c, &r);
	r.result = TLSRPT_CERTIFICATE_EXPIRED;
	for (unsigned i = 0; i < 1000; i++) {
		r.mx = str_fmt(a, "mx%u", i);
		tlsrpt_counts_add(&c, &r);
	}
	CHECK_NUM(c.n, TLSRPT_ROWS_MAX + 1);
	CHECK_NUM(c.row[0].sessions, 4);
	CHECK_STR(c.row[TLSRPT_ROWS_MAX].mx, "");
	CHECK_NUM(c.row[TLSRPT_ROWS_MAX].sessions, 2 * (1000 - (TLSRPT_ROWS_MAX - 1)));
	struct str octets = tlsrpt_counts_encode(a, &c);
	CHECK_NUM(tlsrpt_counts_decode(octets, a, &got), OK);
	CHECK(got.n == c.n && got.claimed == 7 && str_eq(tlsrpt_counts_encode(a, &got), octets));
	for (size_t n = 1; n < octets.n; n += n < 200 ? 1 : 97)
		CHECK_NUM(tlsrpt_counts_decode(str_part(octets, 0, n), a, &got), E_CORRUPT);
	CHECK_NUM(tlsrpt_counts_decode(S("\x09"), a, &got), E_VERSION);
}

static void test_got(void)
{
	struct tlsrpt_failure f = { S("certificate-expired"), S("mx.ours.test"), 3 };
	struct tlsrpt_got_row r = { .day = 20000,
				    .received = 20001 * DAY_S,
				    .reporter = S("big.test"),
				    .organization = S("Big"),
				    .id = S("id"),
				    .p = { S("ours.test"), 5, 3, 1, &f } },
			      got, *list;
	struct str octets = tlsrpt_got_encode(a, &r), why;
	struct store *mem;
	size_t n;

	CHECK_NUM(tlsrpt_got_decode(octets, a, &got), OK);
	CHECK(str_eq(tlsrpt_got_encode(a, &got), octets));
	for (size_t i = 1; i < octets.n; i++)
		CHECK_NUM(tlsrpt_got_decode(str_part(octets, 0, i), a, &got), E_CORRUPT);
	CHECK_NUM(tlsrpt_got_decode(S("\x09"), a, &got), E_VERSION);
	CHECK_NUM(store_open(S("mem:"), a, &mem, &why), OK);
	for (unsigned i = 0; i < TLSRPT_GOT_A_DAY + 2; i++) {
		r.id = str_fmt(a, "id%u", i / 2 * 2); /* each twice */
		CHECK_NUM(tlsrpt_got_put(mem, &r), OK);
	}
	for (unsigned i = 0; i < TLSRPT_GOT_A_DAY; i++) {
		r.id = str_fmt(a, "more%u", i);
		CHECK_NUM(tlsrpt_got_put(mem, &r), i < TLSRPT_GOT_A_DAY / 2 - 1 ? OK : E_LIMIT);
	}
	CHECK_NUM(tlsrpt_got_list(mem, 20000, S(""), 1000, a, &list, &n), OK);
	CHECK_NUM(n, TLSRPT_GOT_A_DAY);
	CHECK_NUM(tlsrpt_got_list(mem, 20001, S(""), 1000, a, &list, &n), OK);
	CHECK_NUM(n, 0);
	r.day += 200;
	r.received += (int64_t)200 * DAY_S;
	CHECK_NUM(tlsrpt_got_put(mem, &r), OK); /* 20 of the old ones go */
	CHECK_NUM(tlsrpt_got_list(mem, 20000, S("OURS.test"), 1000, a, &list, &n), OK);
	CHECK_NUM(n, TLSRPT_GOT_A_DAY - 20);
	CHECK_NUM(tlsrpt_got_list(mem, 20200, S("else.test"), 1000, a, &list, &n), OK);
	CHECK_NUM(n, 0);
	CHECK_NUM(tlsrpt_got_list(mem, 20200, S(""), 1000, a, &list, &n), OK);
	CHECK_NUM(n, 1);
	store_close(&mem);
}

/* --- reports of others --- */

#define HEAD                                     \
	"{\"organization-name\":\"Big\\u0007 & " \
	"Co\",\"report-id\":\"x\",\"date-range\":{\"start-datetime\":"
#define POLICY                                                                                    \
	"{\"policy\":{\"policy-domain\":\"Ours.Test\"},\"summary\":{"                             \
	"\"total-successful-session-count\":5,\"total-failure-session-count\":-1},"               \
	"\"failure-details\":[{\"result-type\":\"certificate-expired\",\"failed-session-count\":" \
	"2,\"receiving-mx-hostname\":\"MX.ours.test\"},{\"result-type\":\"A\\u0000b\"},7]}"

#define OTHER                                                         \
	"{\"policy\":{\"policy-domain\":\"else.test\"},\"summary\":{" \
	"\"total-successful-session-count\":1,\"total-failure-session-count\":2}}"

static const struct {
	const char *json;
	enum err e;
} jsons[] = {
	{ HEAD "\"2024-02-29T00:00:00Z\"},\"policies\":[" POLICY "]}", OK },
	{ HEAD "\"2024-02-30T00:00:00Z\"},\"policies\":[" POLICY "]}", E_SYNTAX },
	{ HEAD "\"2024-02-29T00:00:00Z\"},\"policies\":[]}", E_SYNTAX },
	{ HEAD "\"2024-02-29T00:00:00Z\"},\"policies\":{}}", E_SYNTAX },
	{ HEAD "7},\"policies\":[" POLICY "]}", E_SYNTAX },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", E_LIMIT },
	{ "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", E_SYNTAX },
	{ "", E_SYNTAX },
	{ "[]", E_SYNTAX },
};

static void test_json(void)
{
	struct tlsrpt_got got = { 0 };

	for (size_t i = LENGTH(jsons); i--;)
		CHECK_NUM(tlsrpt_read_json(a, str_of(jsons[i].json), &got), jsons[i].e);
	CHECK_STR(got.organization, "Big  & Co");
	CHECK_NUM(got.day, 19782);
	if (!CHECK_NUM(got.n, 1) || !CHECK_NUM(got.policy[0].n, 3))
		return;
	CHECK_STR(got.policy[0].domain, "ours.test");
	CHECK(got.policy[0].good == 5 && got.policy[0].bad == 0);
	CHECK_STR(got.policy[0].failure[0].word, "certificate-expired");
	CHECK_STR(got.policy[0].failure[0].mx, "mx.ours.test");
	CHECK_STR(got.policy[0].failure[1].word, "other");
	/* DANE and MTA-STS of one domain, each with sessions of its own */
	CHECK_NUM(tlsrpt_read_json(a,
				   S(HEAD "\"2024-02-29T00:00:00Z\"},\"policies\":[" POLICY
					  "," OTHER "," POLICY "]}"),
				   &got),
		  OK);
	if (CHECK_NUM(got.n, 2)) {
		CHECK(got.policy[0].good == 10 && got.policy[0].n == 6);
		CHECK_STR(got.policy[0].failure[3].word, "certificate-expired");
		CHECK(got.policy[1].good == 1 && got.policy[1].bad == 2 && !got.policy[1].n);
	}
	char *many = arena_alloc(a, 3 * TLSRPT_VALUES_MAX + 16);
	for (size_t i = 0; i <= TLSRPT_VALUES_MAX; i++)
		many[i] = ',';
	CHECK_NUM(tlsrpt_read_json(a, STR(many, TLSRPT_VALUES_MAX + 1), &got), E_LIMIT);
}

static struct str letter(struct str type, struct str body)
{
	return str_fmt(a,
		       "From: <a@b.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
		       "report-type=tlsrpt; boundary=x\r\n\r\n--x\r\n\r\nhello\r\n--x\r\n"
		       "Content-Type: %.*s\r\nContent-Transfer-Encoding: base64\r\n\r\n%.*s\r\n"
		       "--x--\r\n",
		       FMT(type), FMT(base64_encode(a, body)));
}

static void test_letter(void)
{
	struct str json, zeros = STR(arena_alloc(a, TLSRPT_JSON_MAX + 1), TLSRPT_JSON_MAX + 1);
	struct str gzip = tlsrpt_gzip(a, S("{}")), packed = S("application/tlsrpt+gzip");
	struct arena *big = arena_new(TLSRPT_READ_MEMORY);

	CHECK_NUM(tlsrpt_read_mail(big, letter(packed, gzip), &json), OK);
	CHECK_STR(json, "{}");
	CHECK_NUM(tlsrpt_read_mail(big, letter(S("application/tlsrpt+json"), S("[]")), &json), OK);
	CHECK_STR(json, "[]");
	CHECK_NUM(tlsrpt_read_mail(big, letter(S("text/plain"), S("[]")), &json), E_NOTFOUND);
	CHECK_NUM(tlsrpt_read_mail(big, letter(packed, S("[]")), &json), E_SYNTAX);
	CHECK_NUM(tlsrpt_read_mail(big, letter(packed, str_part(gzip, 0, 15)), &json), E_SYNTAX);
	CHECK_NUM(tlsrpt_read_mail(big, letter(packed, tlsrpt_gzip(a, zeros)), &json), E_LIMIT);
	CHECK_NUM(tlsrpt_read_mail(big, S("no mail"), &json), E_NOTFOUND);
	arena_free(&big);
}

/* --- orders --- */

static void restart(void)
{
	tlsrpt_close(&reports);
	tlsrpt_close(&second);
	CHECK_NUM(tlsrpt_new(&conf, &reports), OK);
	CHECK_NUM(tlsrpt_new(&conf, &second), OK);
}

/* "note DOMAIN POLICY RESULT MX IP DETAIL" */
static struct str note(struct scan *in)
{
	struct tlsrpt_seen seen = { .domain = scan_word(in) };
	struct scan number = scan(scan_word(in));

	seen.policy = (enum tlsrpt_policy)scan_num(&number, TLSRPT_POLICIES - 1);
	number = scan(scan_word(in));
	seen.result = (enum tlsrpt_result)scan_num(&number, TLSRPT_RESULTS - 1);
	seen.mx = scan_word(in);
	seen.ip = scan_word(in);
	seen.detail = in->rest;
	tlsrpt_note(reports, &seen);
	return S("ok");
}

/* What was counted goes to the store, and is of an earlier day then. */
static struct str back(struct arena *mem, uint32_t days)
{
	struct tlsrpt_claim c = { .before = UINT32_MAX, .now = INT64_MAX - 1 };
	size_t left_out;
	enum err e = OK;

	tlsrpt_close(&reports);
	tlsrpt_close(&second);
	struct str from = S("");
	uint32_t today = (uint32_t)(clock_wall() / DAY_S);
	while (!e) {
		e = tlsrpt_counts_claim(st, from, mem, &c);
		if (e || !c.found)
			continue;
		from = c.key;
		if (c.day != today)
			continue;
		struct tlsrpt_batch b = { today - days, c.domain, c.counts.row, c.counts.n };
		struct update u = tlsrpt_counts_done(&c.key);
		CHECK_NUM(tlsrpt_counts_merge(st, &b, 1, &left_out), OK);
		CHECK_NUM(store_update(st, u.partition, u.fn, u.arg), OK);
	}
	restart();
	return S("ok");
}

struct domains {
	struct arena *a;
	struct str list;
};

/* Claims none. */
static bool look(void *arg, uint32_t day, struct str domain)
{
	struct domains *d = arg;

	(void)day;
	d->list = str_fmt(d->a, "%.*s %.*s", FMT(d->list), FMT(domain));
	return false;
}

/* The domains that are still counted. */
static struct str counted(struct arena *mem)
{
	struct domains d = { mem, S("-") };
	struct tlsrpt_claim c = { .before = UINT32_MAX, .accept = look, .arg = &d };

	CHECK_NUM(tlsrpt_counts_claim(st, S(""), mem, &c), E_NOTFOUND);
	return d.list;
}

/* "mail N": the n-th in the queue: to, from, and its octets in base64. */
static struct str mail(struct arena *mem, size_t n)
{
	struct queue_filter any = { 0 };
	struct queue_place from = { 0 };
	struct queue_job job[16];
	struct str octets;
	size_t got;

	if (queue_list(st, &any, &from, LENGTH(job), mem, job, &got) || n >= got)
		return S("none");
	CHECK(job[n].m.tls_optional && !job[n].m.account);
	CHECK_NUM(job[n].p.rcpt[0].notify, QUEUE_NEVER_TELL);
	if (blob_read(st, job[n].m.blob, 0, BLOB_READ_MAX, mem, &octets) ||
	    octets.n != job[n].m.size)
		return S("broken");
	return str_fmt(mem, "%.*s <%.*s> %.*s", FMT(job[n].p.rcpt[0].address), FMT(job[n].m.sender),
		       FMT(base64_encode(mem, octets)));
}

/* The keys of ours.test: "selector record" each. */
static struct str keys(struct arena *mem)
{
	struct dkim_keys k;
	struct str out = S("");

	CHECK_NUM(dkim_keys(st, S("ours.test"), mem, &k), OK);
	for (size_t i = 0; i < k.n; i++) {
		enum dkim_algorithm how = k.key[i].kind == KIND_RSA ? DKIM_RSA : DKIM_ED25519;
		out = str_fmt(mem, "%.*s%.*s|%.*s||", FMT(out), FMT(k.key[i].selector),
			      FMT(dkim_key_record(mem, how, k.key[i].open)));
	}
	return out;
}

/* A mail, in base64, comes in as port 25 would take it. */
static struct str deliver(struct arena *mem, struct str text)
{
	struct incoming *in = incoming_new(st);
	struct delivery d = { .account = KEEPER_REPORTS_ACCOUNT, .mailbox = S("") };
	struct str octets;

	CHECK(base64_decode(mem, text, &octets));
	CHECK_NUM(incoming_write(in, octets), OK);
	CHECK_NUM(incoming_finish(in), OK);
	box_deliver(st, in, &d, 1);
	CHECK_NUM(d.result, OK);
	incoming_close(&in);
	return S("ok");
}

/* Waits until the inbox is empty, and gives the rows. */
static struct str got(struct arena *mem)
{
	struct box_usage usage = { 0 };
	struct tlsrpt_got_row *row;
	struct str out = S("-");
	size_t n = 0;

	for (unsigned i = 0; i < 200; i++) {
		if (!box_usage(st, KEEPER_REPORTS_ACCOUNT, &usage) && !usage.messages)
			break;
		CHECK_NUM(fiber_sleep(clock_in(50)), OK);
	}
	uint32_t yesterday = (uint32_t)(clock_wall() / DAY_S) - 1;
	CHECK_NUM(tlsrpt_got_list(st, yesterday, S(""), 100, mem, &row, &n), OK);
	for (size_t i = 0; i < n; i++) {
		out = str_fmt(mem, "%.*s %.*s %.*s %llu/%llu", FMT(out), FMT(row[i].reporter),
			      FMT(row[i].p.domain), (unsigned long long)row[i].p.good,
			      (unsigned long long)row[i].p.bad);
		for (size_t k = 0; k < row[i].p.n; k++)
			out = str_fmt(mem, "%.*s %.*s=%llu", FMT(out),
				      FMT(row[i].p.failure[k].word),
				      (unsigned long long)row[i].p.failure[k].sessions);
	}
	return usage.messages ? S("still there") : out;
}

/* How many mails are still there, when some of them have gone or after a while. */
static struct str left(struct arena *mem, uint64_t want)
{
	struct box_usage usage = { 0 };

	for (unsigned i = 0; i < 200; i++) {
		CHECK_NUM(fiber_sleep(clock_in(50)), OK);
		if (!box_usage(st, KEEPER_REPORTS_ACCOUNT, &usage) && usage.messages <= want)
			break;
	}
	return str_fmt(mem, "%llu", (unsigned long long)usage.messages);
}

static struct str obey(struct arena *mem, struct str line)
{
	struct scan in = scan(line);
	struct str what = scan_word(&in);

	if (str_is(what, "note"))
		return note(&in);
	if (str_is(what, "back"))
		return back(mem, (uint32_t)scan_num(&in, 1000));
	if (str_is(what, "counted"))
		return counted(mem);
	if (str_is(what, "mail"))
		return mail(mem, (size_t)scan_num(&in, 100));
	if (str_is(what, "keys"))
		return keys(mem);
	if (str_is(what, "deliver"))
		return deliver(mem, in.rest);
	if (str_is(what, "got"))
		return got(mem);
	if (str_is(what, "left"))
		return left(mem, scan_num(&in, 1000));
	return S("what?");
}

static void serve(void)
{
	struct io *io = io_new(dup(0));
	struct arena *mem = arena_new(32 << 20);
	struct str line;

	while (!io_line(io, mem, 4 << 20, &line)) {
		io_put(io, obey(mem, line));
		io_put(io, S("\n"));
		arena_reset(mem);
	}
	arena_free(&mem);
	io_close(&io);
}

static void with_keeper(void)
{
	struct keeping_conf k = { .rules = { .detail = S("+"), .postmaster = S("") } };
	struct keeping *keeping;
	struct keeper *keeper = keeper_new();
	int fds[2];

	CHECK_NUM(directory_domain_add(st, S("ours.test")), OK);
	CHECK_NUM(dkim_add(st, S("ours.test"), a), OK);
	CHECK_NUM(keeping_new(st, &k, &keeping), OK);
	CHECK_NUM(ipc_pair(fds), OK);
	CHECK_NUM(keeping_worker(keeping, FACE_COURIER, fds[0]), OK);
	keeper_connect(keeper, fds[1]);
	conf.keeper = keeper;
	restart();
	serve();
	tlsrpt_close(&reports);
	tlsrpt_close(&second);
	keeper_close(&keeper);
	keeping_close(&keeping);
}

static void run(void *unused)
{
	struct dns_server server = { given.ip, given.port };
	struct dns_stub stubs[] = { { S("."), server }, { S("test"), server } };
	struct dns_conf d = { .anchor_file = given.anchor, .stubs = stubs, .nstubs = 2 };
	struct dns *dns = NULL;
	struct str why;

	(void)unused;
	test_wanted();
	test_counts();
	test_got();
	test_json();
	test_letter();
	CHECK_NUM(store_open(S("mem:"), a, &st, &why), OK);
	CHECK_NUM(dns_new(&d, a, &dns, &why), OK);
	conf = (struct tlsrpt_conf){ .store = st,
				     .dns = dns,
				     .send = true,
				     .hostname = S("mail.ours.test"),
				     .ca_file = given.ca,
				     .port = given.https,
				     .loopback = true,
				     .spread_s = 1 };
	with_keeper();
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
		fputs("tlsrpt_test.py starts this\n", stderr);
		return 2;
	}
	given.ip = str_of(argv[1]);
	given.port = number(argv[2]);
	given.anchor = str_of(argv[3]);
	given.ca = str_of(argv[4]);
	given.https = number(argv[5]);
	a = arena_new(256 << 20);
	fiber_main(run, NULL);
	arena_free(&a);
	return check_done();
}
