/* SPDX-License-Identifier: ISC */
/* What is known of destinations: notes, turns among shards, what is cleared and forgotten. */
#include "check.h"
#include "courier/due.h"

static bool note(struct due *d, const char *name, unsigned shard, int64_t at)
{
	bool earlier;

	CHECK_NUM(due_note(d, str_of(name), shard, at, &earlier), OK);
	return earlier;
}

static void notes(void)
{
	struct due *d = due_new(3);
	unsigned shard;
	bool earlier;

	CHECK_NUM(due_first(d, S("a")), QUEUE_NEVER);
	CHECK(!due_take(d, S("a"), 100, &shard));
	due_look(d, 7);
	CHECK(note(d, "a", 7, 50));
	CHECK(note(d, "b", 7, 60));
	due_looked(d, 7);
	due_look(d, 8);
	CHECK(!note(d, "a", 8, 70));
	CHECK(note(d, "c", 8, 10));
	CHECK_NUM(due_note(d, S("d"), 8, 1, &earlier), E_LIMIT);
	due_looked(d, 8);
	CHECK_NUM(due_count(d), 3);
	CHECK_NUM(due_first(d, S("a")), 50);
	CHECK(!due_take(d, S("a"), 49, &shard));
	CHECK(due_take(d, S("a"), 50, &shard));
	CHECK_NUM(shard, 7);
	CHECK_NUM(due_first(d, S("a")), 70);
	due_look(d, 7); /* nothing of a and b is left there */
	due_looked(d, 7);
	CHECK_NUM(due_count(d), 2);
	CHECK_NUM(due_first(d, S("b")), QUEUE_NEVER);
	due_look(d, 8); /* it became later */
	CHECK(!note(d, "a", 8, 90));
	due_looked(d, 8);
	CHECK_NUM(due_first(d, S("a")), 90);
	CHECK_NUM(due_first(d, S("c")), QUEUE_NEVER);
	due_free(&d);
	CHECK(!d);
}

static void shards_in_turn(void)
{
	struct due *d = due_new(1);
	unsigned shard;

	for (unsigned s = 0; s < QUEUE_SHARDS; s++)
		note(d, "a", s, 5);
	for (unsigned s = 0; s < QUEUE_SHARDS; s++) {
		CHECK(due_take(d, S("a"), 5, &shard));
		CHECK_NUM(shard, s);
		if (s == 3)
			CHECK(note(d, "a", 2, 1)); /* what comes back waits for its turn */
	}
	CHECK(due_take(d, S("a"), 5, &shard));
	CHECK_NUM(shard, 2);
	CHECK(!due_take(d, S("a"), 5, &shard));
	note(d, "a", 0, INT64_MAX);
	CHECK(due_first(d, S("a")) < QUEUE_NEVER);
	due_free(&d);
}

int main(void)
{
	notes();
	shards_in_turn();
	return check_done();
}
