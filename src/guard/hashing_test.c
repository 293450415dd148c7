/* SPDX-License-Identifier: ISC */
/* Whose turn it is: one who asks much waits for himself alone. */
#include <unistd.h>

#include "check.h"
#include "fiber/fiber.h"
#include "guard/hashing.h"

static struct hashing *h;
static struct group *g;
static unsigned busy;  /* slots that this test holds */
static char order[64]; /* who was served */
static unsigned refused;

struct client {
	const char *who;
	enum hashing_rank rank;
};

static void client(void *arg)
{
	const struct client *c = arg;
	enum err e = hashing_begin(h, c->rank, str_of(c->who));

	if (e) {
		CHECK_NUM(e, E_AGAIN);
		refused++;
		return;
	}
	size_t n = strlen(order);
	if (n + 1 < sizeof order)
		order[n] = *c->who;
	hashing_end(h);
}

static void gone(void *arg)
{
	(void)arg;
	CHECK_NUM(hashing_begin(h, HASHING_STRANGER, S("gone")), E_CANCELED);
}

static void come(const struct client *c, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		CHECK_NUM(group_spawn(g, "client", client, (void *)(uintptr_t)c), OK);
	fiber_yield();
	fiber_yield(); /* those who had to make room have run too */
}

/* All slots are taken until open_slots. */
static void take_slots(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	h = hashing_new();
	g = group_new();
	for (busy = 0; busy < HASHES_AT_ONCE && (long)busy < cores; busy++)
		CHECK_NUM(hashing_begin(h, HASHING_KNOWN, S("test")), OK);
	memset(order, 0, sizeof order);
	refused = 0;
}

/* One slot opens: turns are taken strictly one after the other. */
static void open_slots(void)
{
	hashing_end(h);
	CHECK_NUM(group_wait(g, clock_in(10000)), OK);
	for (busy--; busy; busy--)
		hashing_end(h);
	group_close(&g);
	hashing_free(&h);
}

static const struct client a = { "a", HASHING_STRANGER }, b = { "b", HASHING_STRANGER },
			   c = { "c", HASHING_STRANGER }, known = { "k", HASHING_KNOWN },
			   suspect = { "s", HASHING_SUSPECT };

static void test_turns(void)
{
	take_slots();
	come(&a, 5);
	come(&b, 2);
	come(&c, 1);
	open_slots();
	CHECK_STR(str_of(order), "abcabaaa");
	CHECK_NUM(refused, 0);
}

/* The better rank goes first; the others have each fourth and each eighth turn. */
static void test_ranks(void)
{
	take_slots();
	come(&suspect, 8);
	come(&a, 8);
	come(&known, 16);
	open_slots();
	CHECK_STR(str_of(order), "kkkakkkskkkakkkskkkakaasaaasssss");
}

/* Who comes late to a full rank finds a place all the same, at the cost of who has most. */
static void test_full(void)
{
	take_slots();
	come(&b, 3);
	come(&a, HASHES_STRANGERS_MAX - 3);
	CHECK_NUM(refused, 0);
	come(&a, 1);
	CHECK_NUM(refused, 1); /* he has most himself */
	come(&c, 2);
	CHECK_NUM(refused, 3);
	come(&suspect, 1); /* another rank */
	CHECK_NUM(refused, 3);
	open_slots();
	CHECK(str_starts(str_of(order), S("bacbacbsaaa")));
	CHECK_NUM(refused, 3);
}

/* A wrong password moves a stranger to the last rank for a while, and nobody who is known. */
static void test_suspects(void)
{
	take_slots();
	hashing_wrong(h, S("a"));
	hashing_wrong(h, S("k"));
	come(&a, 3);
	come(&b, 2);
	come(&known, 1);
	open_slots();
	CHECK_STR(str_of(order), "kbbaaa");
	take_slots();
	hashing_wrong(h, S("a"));
	clock_fake_step(HASHES_SUSPECT_MS);
	come(&a, 3);
	come(&b, 2);
	open_slots();
	CHECK_STR(str_of(order), "ababa");
}

/* Who found no room is a stranger no longer, and those who come new pass him by. */
static void test_crowd(void)
{
	take_slots();
	come(&a, HASHES_STRANGERS_MAX + 1);
	CHECK_NUM(refused, 1);
	come(&a, HASHES_SUSPECTS_MAX);
	CHECK_NUM(refused, 1);
	come(&a, 1);
	CHECK_NUM(refused, 2);
	come(&b, 1); /* takes an a's place */
	CHECK_NUM(refused, 3);
	open_slots();
	CHECK(str_starts(str_of(order), S("aba")));
}

/* Who goes away while he waits, or as his turn comes, leaves nothing behind. */
static void test_gone(void)
{
	struct group *others = group_new();

	take_slots();
	CHECK_NUM(group_spawn(others, "gone", gone, NULL), OK);
	come(&a, 1);
	group_close(&others);
	open_slots();
	CHECK_STR(str_of(order), "a");

	take_slots();
	others = group_new();
	CHECK_NUM(group_spawn(others, "gone", gone, NULL), OK);
	come(&a, 1);
	group_cancel(others);
	hashing_end(h); /* his turn comes before he has left */
	group_close(&others);
	busy--;
	CHECK_NUM(group_wait(g, clock_in(10000)), OK);
	CHECK_STR(str_of(order), "a");
	for (; busy; busy--)
		hashing_end(h);
	group_close(&g);
	hashing_free(&h);
}

static void run(void *arg)
{
	(void)arg;
	test_turns();
	test_ranks();
	test_full();
	test_crowd();
	test_gone();
	test_suspects();
}

int main(void)
{
	fiber_main(run, NULL);
	return check_done();
}
