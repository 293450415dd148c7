/* SPDX-License-Identifier: ISC */
/* What to expect of domains, on an engine: "mem" or "lmdb". */
#include "box/box_test.h"
#include "queue/expect_record.h"
#include "queue/why.h"

enum { NOW = 1790000000 };

static struct expect read_back(const char *domain)
{
	struct str d = str_of(domain);
	struct expect e;

	CHECK_NUM(expect_get(st, mem, &d, 1, NOW, &e), OK);
	CHECK_STR(e.domain, domain);
	return e;
}

static void learn(struct expect e, int64_t now)
{
	CHECK_NUM(expect_write(st, &e, 1, now), OK);
}

static void levels(void)
{
	static const struct {
		struct expect e;
		const char *level;
		bool stale;
	} table[] = {
		{ { .looked = 0 }, "unknown", true },
		{ { .looked = NOW - 1, .until = NOW + 1 }, "unknown", false },
		{ { .looked = NOW - 1, .until = NOW + 1, .proof = EXPECT_DANE },
		  "authenticated",
		  false },
		{ { .looked = NOW - 1, .until = NOW + 1, .proof = EXPECT_MTA_STS },
		  "authenticated",
		  false },
		{ { .looked = NOW - 1, .until = NOW + 1, .proof = EXPECT_BY_NAME },
		  "relayed",
		  false },
		{ { .looked = NOW - 1, .until = NOW + 1, .proof = EXPECT_NO_MAIL },
		  "nowhere",
		  false },
		{ { .looked = NOW - 9, .until = NOW, .proof = EXPECT_DANE }, "unknown", true },
		{ { .looked = NOW + 9, .until = NOW + 10, .proof = EXPECT_DANE },
		  "authenticated",
		  true }, /* the clock was set back */
		{ { .seen = NOW - 1, .line = EXPECT_SEEN_TLS }, "encrypted", true },
		{ { .seen = NOW - 1, .line = EXPECT_SEEN_PLAIN }, "plain", true },
		{ { .seen = NOW - EXPECT_SEEN_S - 1, .line = EXPECT_SEEN_TLS }, "unknown", true },
		{ { .looked = NOW - 1, .until = NOW + 1, .seen = NOW - 1, .line = EXPECT_SEEN_TLS },
		  "encrypted",
		  false },
	};

	for (size_t i = 0; i < LENGTH(table); i++) {
		CHECK_STR(str_of(expect_level_word(expect_level(&table[i].e, NOW))),
			  table[i].level);
		CHECK(expect_stale(&table[i].e, NOW) == table[i].stale);
	}
	CHECK_STR(str_of(expect_proof_word(EXPECT_MTA_STS)), "mta-sts");
}

static void of_replies(void)
{
	struct queue_reply r = { .code = 250, .tls = S("TLSv1.3"), .auth = QUEUE_DANE };
	struct expect e;

	CHECK(expect_of(S("a.test"), &r, NOW, &e));
	CHECK(e.proof == EXPECT_DANE && e.looked == NOW && e.line == EXPECT_SEEN_TLS);
	r.auth = QUEUE_OPPORTUNISTIC;
	CHECK(expect_of(S("a.test"), &r, NOW, &e));
	CHECK(!e.looked && e.seen == NOW && e.line == EXPECT_SEEN_TLS);
	r = (struct queue_reply){ .code = 550, .text = queue_why_text(QUEUE_WHY_NULL_MX) };
	CHECK(expect_of(S("a.test"), &r, NOW, &e)); /* they only say so */
	CHECK(!e.looked && e.line == EXPECT_SEEN_PLAIN);
	r.code = 0;
	CHECK(expect_of(S("a.test"), &r, NOW, &e));
	CHECK(e.proof == EXPECT_NO_MAIL && !e.seen);
	r.text = str_fmt(mem, "%.*s: nxdomain", FMT(queue_why_text(QUEUE_WHY_NO_DOMAIN)));
	CHECK(expect_of(S("a.test"), &r, NOW, &e) && e.proof == EXPECT_NO_MAIL);
	r.text = queue_why_text(QUEUE_WHY_SLOW);
	CHECK(!expect_of(S("a.test"), &r, NOW, &e));
}

static void learning(void)
{
	struct expect e = read_back("far.test");

	CHECK(!e.looked && !e.seen && expect_level(&e, NOW) == EXPECT_UNKNOWN);
	learn((struct expect){ .domain = S("far.test"),
			       .seen = NOW,
			       .line = EXPECT_SEEN_TLS,
			       .tls = S("TLSv1.2") },
	      NOW);
	learn((struct expect){ .domain = S("far.test"),
			       .looked = NOW + 5,
			       .until = NOW + 500,
			       .proof = EXPECT_DANE },
	      NOW + 5);
	e = read_back("far.test");
	CHECK(e.seen == NOW && e.looked == NOW + 5 && e.proof == EXPECT_DANE);
	CHECK_STR(e.tls, "TLSv1.2");
	/* The same within the hour is not written; another version is. */
	learn((struct expect){ .domain = S("far.test"),
			       .seen = NOW + 60,
			       .line = EXPECT_SEEN_TLS,
			       .tls = S("TLSv1.2") },
	      NOW + 60);
	CHECK_NUM(read_back("far.test").seen, NOW);
	learn((struct expect){ .domain = S("far.test"),
			       .seen = NOW + 61,
			       .line = EXPECT_SEEN_TLS,
			       .tls = S("TLSv1.3") },
	      NOW + 61);
	CHECK_NUM(read_back("far.test").seen, NOW + 61);
	learn((struct expect){ .domain = S("far.test"),
			       .seen = NOW + 3661,
			       .line = EXPECT_SEEN_TLS,
			       .tls = S("TLSv1.3") },
	      NOW + 3661);
	CHECK_NUM(read_back("far.test").seen, NOW + 3661);
}

static struct str all_wanted(int64_t now)
{
	struct str out[EXPECT_WANTED_MAX], text = S("");
	size_t n;

	CHECK_NUM(expect_wanted(st, mem, now, out, LENGTH(out), &n), OK);
	for (size_t i = 0; i < n; i++)
		text = str_fmt(mem, "%.*s %.*s", FMT(text), FMT(out[i]));
	return text;
}

static void wishes(void)
{
	const struct str two[] = { S("b.test"), S("c.test") }, one[] = { S("a.test"), S("b.test") };
	struct update u;
	struct str out[1];
	size_t n;

	CHECK_STR(all_wanted(NOW), "");
	CHECK_NUM(expect_want(st, mem, two, 2, NOW), OK);
	CHECK(read_back("b.test").wanted && !read_back("a.test").wanted);
	CHECK_NUM(expect_want(st, mem, one, 2, NOW + 10), OK);
	CHECK_STR(all_wanted(NOW + 10), " b.test c.test a.test");
	CHECK_NUM(expect_wanted(st, mem, NOW + 10, out, 1, &n), OK);
	CHECK(n == 1 && str_is(out[0], "b.test"));
	/* A line to it is no answer, a look is. */
	learn((struct expect){ .domain = S("c.test"), .seen = NOW, .line = EXPECT_SEEN_TLS },
	      NOW + 10);
	CHECK_STR(all_wanted(NOW + 10), " b.test c.test a.test");
	struct expect news[] = { { .domain = S("c.test"), .looked = NOW + 10, .until = NOW + 99 },
				 { .domain = S("x.test"), .looked = NOW + 10, .until = NOW + 99 } };
	expect_prepare(mem, news, 2, NOW + 10, &u);
	store_update_all(st, &u, 1);
	CHECK_NUM(u.result, OK);
	CHECK_STR(all_wanted(NOW + 10), " b.test a.test");
	CHECK_STR(all_wanted(NOW + EXPECT_WANTED_S), " a.test");
	CHECK_STR(all_wanted(NOW + EXPECT_WANTED_S + 10), "");
	CHECK_NUM(expect_want(st, mem, NULL, 0, NOW), OK);
}

static void bounds(void)
{
	struct str many[EXPECT_WANTED_MAX + 50];
	char *octets = arena_alloc(mem, EXPECT_DOMAIN_MAX + 1);
	struct str longest = STR(octets, EXPECT_DOMAIN_MAX + 1);
	struct str out[EXPECT_WANTED_MAX + 50];
	struct expect e;
	size_t n, kept = 0;

	memset(octets, 'x', longest.n);
	for (size_t i = 0; i < LENGTH(many); i++)
		many[i] = str_fmt(mem, "d%zu.test", i);
	many[3] = longest;
	CHECK_NUM(expect_want(st, mem, many, LENGTH(many), NOW + 1000), OK);
	CHECK_NUM(expect_wanted(st, mem, NOW + 1000, out, LENGTH(out), &n), OK);
	CHECK_NUM(n, EXPECT_WANTED_MAX);
	learn((struct expect){ .domain = longest, .looked = NOW, .until = NOW + 9 }, NOW);
	CHECK_NUM(expect_get(st, mem, &longest, 1, NOW, &e), OK);
	CHECK_NUM(e.looked, 0);
	/* A bucket that is full forgets what was learnt longest ago. */
	uint64_t bucket = str_hash(S("d0.full.test")) % EXPECT_BUCKETS;
	struct str last = S("");
	for (size_t i = 0; kept < EXPECT_WAYS + 1; i++) {
		struct str d = str_fmt(mem, "d%zu.full.test", i);

		if (str_hash(d) % EXPECT_BUCKETS != bucket)
			continue;
		learn((struct expect){ .domain = d,
				       .looked = NOW + (int64_t)kept++,
				       .until = NOW + 9 },
		      NOW);
		last = d;
	}
	CHECK_NUM(read_back("d0.full.test").looked, 0);
	CHECK_NUM(expect_get(st, mem, &last, 1, NOW, &e), OK);
	CHECK(e.looked != 0);
}

static enum err spoil(struct tx *tx, void *arg)
{
	unsigned bucket = (unsigned)(str_hash(S("far.test")) % EXPECT_BUCKETS);

	(void)arg;
	tx_put(tx, str_fmt(tx_arena(tx), "d/%03x", bucket), S("\1\7"));
	tx_put(tx, S("w"), S("\1\7"));
	return OK;
}

static void broken(void)
{
	const struct str a_test = S("a.test");

	CHECK_NUM(store_update(st, S(EXPECT_PARTITION), spoil, NULL), OK);
	CHECK_NUM(read_back("far.test").seen, 0);
	CHECK_STR(all_wanted(NOW), "");
	CHECK_NUM(expect_want(st, mem, &a_test, 1, NOW), OK);
	CHECK_STR(all_wanted(NOW), " a.test");
	learn((struct expect){ .domain = S("far.test"), .seen = NOW, .line = EXPECT_SEEN_PLAIN },
	      NOW);
	CHECK_NUM(read_back("far.test").seen, NOW);
}

static void octets(void)
{
	struct expect_bucket b = { .n = 1,
				   .e = { { .domain = S("a.test"),
					    .looked = 1,
					    .until = 2,
					    .proof = EXPECT_DANE,
					    .seen = 3,
					    .line = EXPECT_SEEN_TLS,
					    .tls = S("TLSv1.3") } } },
			     got;
	struct str value = expect_bucket_encode(mem, &b);
	struct expect_wish w = { S("a.test"), 9 }, *list;
	size_t n;

	for (size_t cut = 0; cut < value.n; cut++)
		CHECK_NUM(expect_bucket_decode(str_part(value, 0, cut), &got), E_CORRUPT);
	CHECK_NUM(expect_bucket_decode(value, &got), OK);
	CHECK(str_eq(expect_bucket_encode(mem, &got), value));
	CHECK_NUM(expect_bucket_decode(S("\2"), &got), E_VERSION);
	CHECK_NUM(expect_bucket_decode(S("\1\11"), &got), E_CORRUPT); /* more than there can be */
	value = expect_wishes_encode(mem, &w, 1);
	for (size_t cut = 0; cut < value.n; cut++)
		CHECK_NUM(expect_wishes_decode(str_part(value, 0, cut), mem, &list, &n), E_CORRUPT);
	CHECK_NUM(expect_wishes_decode(value, mem, &list, &n), OK);
	CHECK(n == 1 && list->asked == 9 && str_is(list->domain, "a.test"));
	CHECK_NUM(expect_wishes_decode(S("\2"), mem, &list, &n), E_VERSION);
}

static void body(void)
{
	octets();
	levels();
	of_replies();
	learning();
	wishes();
	bounds();
	broken();
}

int main(int argc, char **argv)
{
	return run_test(argc, argv, body);
}
