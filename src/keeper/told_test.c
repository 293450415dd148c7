/* SPDX-License-Identifier: ISC */
/* Tests of who was told what. */
#include "check.h"
#include "keeper/told.h"

int main(void)
{
	struct told *t = NEW(struct told);
	struct str a = S("it ends"), b = S("it has ended");
	unsigned again = 0;

	CHECK(told_due(t, 1, "imap", a, 1000));
	CHECK(!told_due(t, 1, "imap", a, 1000));
	CHECK(!told_due(t, 1, "imap", a, 1000 + TOLD_EVERY_S - 1));
	CHECK(told_due(t, 1, "pop3", a, 1000)); /* another protocol, account, notice */
	CHECK(told_due(t, 2, "imap", a, 1000));
	CHECK(told_due(t, 1, "imap", b, 1000));
	CHECK(told_due(t, 1, "imap", a, 1000 + TOLD_EVERY_S));
	CHECK(told_due(t, 1, "imap", a, 1000)); /* a clock set back silences nobody */
	/* More accounts than places: most of those who come twice are told once. */
	for (uint32_t n = 0; n < 1000; n++)
		CHECK(told_due(t, 100 + n, "imap", a, 9000));
	for (uint32_t n = 0; n < 1000; n++)
		again += told_due(t, 100 + n, "imap", a, 9001);
	CHECK(again < 400);
	free(t);
	return check_done();
}
