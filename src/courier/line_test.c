/* SPDX-License-Identifier: ISC */
/*
 * Lines against the servers and zones of line_test.py, which starts this program and says what to
 * do, a line each, fields divided by blanks:
 *
 *     line_test DNS-IP DNS-PORT ANCHOR-FILE AUTHORITY-FILE PORT ZONE[=DNS-PORT]...
 *
 *     least PATTERN GUARD                         before the first "open"
 *     own NAME-OR-ADDRESS                         likewise
 *     relay PATTERN HOST PORT USER PASSWORD [tls]  likewise; USER "-": none
 *     policy DOMAIN MODE [MX...]                  what sts_policy says; MODE "unknown": E_AGAIN
 *     open DESTINATION GUARD FLAGS MS [DOMAIN]    FLAGS: letters of r(equiretls), o(ptional), or -
 *     serves GUARD FLAGS MS [DOMAIN [DESTINATION]] may the line of the last "open" take this?
 *     older MS                                    the line of "open" was opened so much earlier
 *     cancel MS DESTINATION...                     openings that are broken off after so long
 *     expect DOMAIN MS                            what it promises: proof, and for how long
 *     want DOMAIN...                              the same by way of a store
 *
 * Answers are one line each, fields divided by tabs; those of "open" have the notes of TLSRPT
 * behind.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "check.h"
#include "courier/expect.h"
#include "courier/line_priv.h"

enum { WORDS = 16 };

static struct arena *memory;
static struct line_net *net;
static struct line *line;
static struct line_conf conf;
static struct line_least least[WORDS];
static struct line_relay relay[WORDS];
static struct str own[WORDS];
static struct {
	struct str domain;
	struct mta_sts policy;
	bool unknown;
} policies[WORDS];
static size_t npolicies;
static struct buf notes;

enum err __wrap_sts_policy(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
			   struct mta_sts *out);
enum err __wrap_sts_policy(struct sts *s, struct str domain, int64_t deadline, struct arena *a,
			   struct mta_sts *out)
{
	(void)s, (void)deadline, (void)a;
	for (size_t i = 0; i < npolicies; i++)
		if (str_eq(policies[i].domain, domain)) {
			*out = policies[i].policy;
			return policies[i].unknown ? E_AGAIN : OK;
		}
	return E_NOTFOUND;
}

bool __wrap_sts_failure(struct sts *s, struct str domain, enum tlsrpt_result *why,
			struct str *text);
bool __wrap_sts_failure(struct sts *s, struct str domain, enum tlsrpt_result *why, struct str *text)
{
	(void)s, (void)domain, (void)why, (void)text;
	return false;
}

void __wrap_tlsrpt_note(struct tlsrpt *t, const struct tlsrpt_seen *seen);
void __wrap_tlsrpt_note(struct tlsrpt *t, const struct tlsrpt_seen *seen)
{
	static const char *const policy[] = { "none", "sts", "tlsa" };
	static const char *const result[TLSRPT_RESULTS] = {
		"ok",   "nostarttls", "mismatch", "expired", "untrusted", "failure",
		"tlsa", "dnssec",     "danereq",  "fetch",   "stspolicy", "webpki",
	};

	(void)t;
	buf_fmt(&notes, "\t%.*s/%s/%.*s/%.*s/%s", FMT(seen->domain), policy[seen->policy],
		FMT(seen->mx), FMT(seen->ip), result[seen->result]);
}

static uint16_t number(struct str text)
{
	struct scan in = scan(text);

	return (uint16_t)scan_num(&in, 65535);
}

static enum queue_guard guard(struct str word)
{
	return str_is(word, "any")         ? QUEUE_ANY
	       : str_is(word, "encrypted") ? QUEUE_ENCRYPTED
					   : QUEUE_AUTHENTICATED;
}

static struct line_want want_of(const struct str *word)
{
	return (struct line_want){ .guard = line_guard(net, word[3], guard(word[0])),
				   .requiretls = str_has(word[1], 'r'),
				   .tls_optional = str_has(word[1], 'o') };
}

static void add_policy(const struct str *word, size_t n)
{
	struct mta_sts p = { .mx = ARENA_ARRAY(memory, struct str, n), .max_age = 86400 };

	p.mode = str_is(word[1], "enforce")   ? MTA_STS_ENFORCE
		 : str_is(word[1], "testing") ? MTA_STS_TESTING
					      : MTA_STS_NONE;
	for (size_t i = 2; i < n; i++)
		p.mx[p.nmx++] = word[i];
	policies[npolicies].domain = word[0];
	policies[npolicies].unknown = str_is(word[1], "unknown");
	policies[npolicies++].policy = p;
}

static void open_net(void)
{
	struct str why = S_NONE;

	if (net)
		return;
	if (line_net_new(&conf, memory, &net, &why))
		fprintf(stderr, "%.*s\n", FMT(why));
	BUG_IF(!net);
	line_net_join(net, (struct sts *)&policies, (struct tlsrpt *)&notes); /* of the wraps */
}

static void print_facts(const struct queue_reply *f)
{
	static const char *const auth[] = { "plain", "opportunistic", "dane", "sts", "name" };

	printf("\t%u\t%u.%u.%u\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%s\t%.*s%.*s\n", f->code,
	       f->status[0], f->status[1], f->status[2], FMT(f->host), FMT(f->ip), FMT(f->tls),
	       FMT(f->cipher), FMT(f->group), auth[f->auth], FMT(f->text), FMT(buf_str(&notes)));
}

static void open_line(const struct str *word)
{
	static const char *const outcomes[] = { "took", "later", "refused", "unreached" };
	struct arena *a = arena_new(8192);
	struct line_failure why;

	open_net();
	struct line_want want = want_of(word + 1);
	line_close(&line);
	buf_clear(&notes);
	want.destination = word[0];
	want.deadline = clock_in(number(word[3]));
	if (line_open(net, &want, a, &line, &why)) {
		printf("open");
		print_facts(&line->facts);
	} else {
		printf("%s", outcomes[why.outcome]);
		print_facts(&why.facts);
	}
	arena_free(&a);
}

static void open_and_close(void *arg)
{
	struct line_want want = { .destination = *(struct str *)arg, .deadline = clock_in(8000) };
	struct arena *a = arena_new(1 << 16);
	struct line_failure why;
	struct line *l;

	if (line_open(net, &want, a, &l, &why))
		line_close(&l);
	arena_free(&a);
}

static void cancel(int64_t after_ms, const struct str *word, size_t n)
{
	struct str *destination = ARENA_ARRAY(memory, struct str, n);
	struct group *g = group_new();

	open_net();
	for (size_t i = 0; i < n; i++) {
		destination[i] = word[i];
		CHECK_NUM(group_spawn(g, "open", open_and_close, &destination[i]), OK);
	}
	(void)!group_wait(g, clock_in(after_ms));
	group_close(&g);
}

static void print_expect(const struct expect *e)
{
	printf("%s\t%lld", expect_proof_word(e->proof), (long long)(e->until - e->looked));
}

static void expect_domain(const struct str *word)
{
	open_net();
	struct expect e = line_expect(net, word[0], clock_in(number(word[1])));

	print_expect(&e);
	printf("\n");
}

/* All are asked for at once, and looked at until all are known or five seconds are over. */
static void want_domains(const struct str *domain, size_t n)
{
	struct store *st;
	struct str why;
	struct expect e[WORDS];
	size_t known = 0;

	open_net();
	CHECK_NUM(store_open(S("mem:"), memory, &st, &why), OK);
	struct courier_expect c = { st, net };
	struct group *g = group_new();
	CHECK_NUM(group_spawn(g, "expect", courier_expect, &c), OK);
	CHECK_NUM(expect_want(st, memory, domain, n, clock_wall()), OK);
	for (int64_t end = clock_in(5000); known < n && clock_ms() < end;) {
		CHECK_NUM(fiber_sleep(clock_in(20)), OK);
		CHECK_NUM(expect_get(st, memory, domain, n, clock_wall(), e), OK);
		known = 0;
		for (size_t i = 0; i < n; i++)
			known += e[i].looked != 0;
	}
	for (size_t i = 0; i < n; i++) {
		printf("%s", i ? "\t" : "");
		print_expect(&e[i]);
	}
	printf("\n");
	group_close(&g);
	store_close(&st);
}

static void obey(const struct str *word, size_t n)
{
	if (str_is(word[0], "least")) {
		least[conf.nleast++] = (struct line_least){ word[1], guard(word[2]) };
	} else if (str_is(word[0], "own")) {
		own[conf.nown++] = word[1];
	} else if (str_is(word[0], "relay")) {
		bool login = !str_is(word[4], "-");

		relay[conf.nrelay++] = (struct line_relay){ .pattern = word[1],
							    .host = word[2],
							    .port = number(word[3]),
							    .user = login ? word[4] : S_NONE,
							    .password = login ? word[5] : S_NONE,
							    .at_once = str_is(word[6], "tls") };
	} else if (str_is(word[0], "cancel")) {
		cancel(number(word[1]), word + 2, n - 2);
	} else if (str_is(word[0], "older")) {
		line->opened -= number(word[1]);
	} else if (str_is(word[0], "policy")) {
		add_policy(word + 1, n - 1);
	} else if (str_is(word[0], "open")) {
		open_line(word + 1);
		return;
	} else if (str_is(word[0], "expect")) {
		expect_domain(word + 1);
		return;
	} else if (str_is(word[0], "want")) {
		want_domains(word + 1, n - 1);
		return;
	} else if (str_is(word[0], "serves")) {
		struct line_want want = want_of(word + 1);

		want.destination = word[5].n ? word[5] : line ? line->destination : S_NONE;
		printf("%s\n", line && line_serves(line, &want) ? "yes" : "no");
		return;
	} else {
		BUG_IF(true);
	}
	printf("ok\n");
}

static void all(void *arg)
{
	char text[2048];

	(void)arg;
	while (fgets(text, sizeof text, stdin)) {
		struct scan in = scan(str_trim(str_dup(memory, str_of(text))));
		struct str word[WORDS] = { 0 };
		size_t n = 0;

		while (in.rest.n && n < WORDS) {
			word[n++] = scan_word(&in);
		}
		obey(word, n);
		fflush(stdout);
	}
	line_close(&line);
	line_net_close(&net);
}

static struct str file(const char *path)
{
	char text[8192];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text, f) : 0;

	if (f)
		fclose(f);
	return str_dup(memory, STR(text, n));
}

int main(int argc, char **argv)
{
	static struct dns_stub stubs[64];

	if (argc < 7 || argc > 70) {
		fputs("line_test.py starts this\n", stderr);
		return 2;
	}
	memory = arena_new(64 << 20);
	notes = buf_new(65536);
	for (int i = 6; i < argc; i++) {
		struct str zone = str_of(argv[i]), port = str_of(argv[2]);
		size_t n = str_find(zone, '=');

		if (n < zone.n)
			port = str_from(zone, n + 1);
		stubs[i - 6] = (struct dns_stub){ str_part(zone, 0, n),
						  { str_of(argv[1]), number(port) } };
	}
	conf = (struct line_conf){ .name = S("us.example"),
				   .own = own,
				   .dns = { .anchor_file = str_of(argv[3]),
					    .stubs = stubs,
					    .nstubs = (size_t)argc - 6,
					    .cache_max = 4 << 20 },
				   .port = number(str_of(argv[5])),
				   .loopback = true,
				   .trust = file(argv[4]),
				   .connect_ms = 3000,
				   .times = client_times_default(),
				   .least = least,
				   .relay = relay };
	conf.times.quit = 100;
	conf.times.tls = 1500;
	conf.times.greeting = 1500;
	fiber_main(all, NULL);
	buf_free(&notes);
	arena_free(&memory);
	return 0;
}
