/* SPDX-License-Identifier: ISC */
/*
 * know.c - for tests of the webmail: writes into a store, beside the server that works on it, what
 * a courier would have learnt. Lines of standard input, fields divided by blanks, "-" for none:
 *
 *     queue-know STORE
 *
 *     receipt ACCOUNT ID ADDRESS STATE WAY CODE STATUS NEXT HOST IP TLS CIPHER GROUP TEXT...
 *     expect DOMAIN PROOF LINE
 *
 * STATE, WAY, PROOF, LINE: numbers of the enums; NEXT: in so many seconds.
 */
#include <stdio.h>

#include "base/clock.h"
#include "fiber/fiber.h"
#include "queue/expect.h"
#include "queue/receipt.h"

static struct store *st;
static struct arena *a;
static const char *where;
static bool failed;

static struct str word(struct scan *in)
{
	struct str w = scan_word(in);

	return str_is(w, "-") ? S("") : w;
}

static unsigned number(struct scan *in)
{
	struct scan w = scan(scan_word(in));

	return (unsigned)scan_num(&w, UINT32_MAX);
}

static enum err put_receipt(struct scan *in)
{
	uint32_t account = number(in);
	struct receipt r = { .id = word(in), .n = 1 };
	struct receipt_row row = { .address = word(in), .when = clock_wall(), .tries = 1 };

	r.row = &row;
	row.state = (enum receipt_state)number(in);
	row.way = (enum receipt_way)number(in);
	row.code = (uint16_t)number(in);
	struct scan status = scan(word(in));
	for (unsigned i = 0; i < 3; i++) {
		row.status[i] = (uint16_t)scan_num(&status, 999);
		if (i < 2)
			scan_lit(&status, ".");
	}
	unsigned next = number(in);
	row.next = next ? clock_wall() + next : 0;
	row.host = word(in);
	row.ip = word(in);
	row.tls = word(in);
	row.cipher = word(in);
	row.group = word(in);
	row.text = in->rest;
	return receipt_write(st, account, &r, clock_wall());
}

static enum err put_expect(struct scan *in)
{
	int64_t now = clock_wall();
	struct expect e = { .domain = word(in), .looked = now, .until = now + 3600 };

	e.proof = (enum expect_proof)number(in);
	e.line = (enum expect_line)number(in);
	e.seen = e.line == EXPECT_NEVER_SEEN ? 0 : now;
	return expect_write(st, &e, 1, now);
}

static void obey(struct str line)
{
	struct scan in = scan(str_trim(line));
	struct str what = scan_word(&in);
	enum err e = E_SYNTAX;

	if (str_is(what, "receipt"))
		e = put_receipt(&in);
	else if (str_is(what, "expect"))
		e = put_expect(&in);
	if (!e)
		return;
	fprintf(stderr, "%.*s: %s\n", FMT(line), err_text(e));
	failed = true;
}

static void all(void *arg)
{
	char text[4096];
	struct str why;

	(void)arg;
	a = arena_new(1 << 20);
	if (store_open(str_of(where), a, &st, &why)) {
		fprintf(stderr, "%.*s\n", FMT(why));
		failed = true;
	}
	while (!failed && fgets(text, sizeof text, stdin))
		obey(str_of(text));
	if (st)
		store_close(&st);
	arena_free(&a);
}

int main(int argc, char **argv)
{
	where = argc == 2 ? argv[1] : "";
	fiber_main(all, NULL);
	return failed;
}
