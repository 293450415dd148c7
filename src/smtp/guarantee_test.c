/* SPDX-License-Identifier: ISC */
/* The receiving guarantee of alice: who is refused, who is left out, and what is reported. */
#include "smtp/message_test.h"

static struct client *on(enum smtp_kind kind, bool tls)
{
	struct client *c = dial((int)kind, tls);

	expect(c, "220 ");
	send_octets(c, kind == SMTP_LMTP ? S("LHLO far.test\r\n") : S("EHLO far.test\r\n"));
	expect(c, "250 ");
	say(c, "MAIL FROM:<eve@far.test>");
	expect(c, "250 ");
	return c;
}

static void refused_in_clear(void)
{
	struct client *c = on(SMTP_MX, false);

	rig.refusals = 0;
	say(c, "RCPT TO:<alice+shop@example.test>");
	expect(c, "550 5.7.10 dieses Postfach nimmt Mail nur ueber verschluesselte");
	CHECK(reply_has(c, "550-5.7.10 this mailbox takes mail over encrypted connections only"));
	CHECK_NUM(rig.refusals, 1);
	CHECK_STR(rig.refused_from, "eve@far.test");
	CHECK_STR(rig.refused_to, "alice+shop@example.test");
	CHECK_STR(rig.refused_host, "far.test");
	say(c, "DATA");
	expect(c, "503 ");
	say(c, "RCPT TO:<bob@example.test>");
	expect(c, "250 2.1.5");
	data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 0);
	CHECK_NUM(stored(2, "INBOX"), 1);
	hang_up(c);
	empty_all();
}

/* An alias of two: the other one gets it. */
static void left_out_of_alias(void)
{
	struct client *c = on(SMTP_MX, false);

	rig.refusals = 0;
	say(c, "RCPT TO:<team@example.test>");
	expect(c, "250 2.1.5");
	CHECK_NUM(rig.refusals, 1);
	CHECK_STR(rig.refused_to, "team@example.test");
	data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
	expect(c, "250 2.0.0");
	CHECK_NUM(stored(1, "INBOX"), 0);
	CHECK_NUM(stored(2, "INBOX"), 1);
	hang_up(c);
	empty_all();
}

/* TLS, or a socket of this machine. */
static void taken(void)
{
	static const struct {
		enum smtp_kind kind;
		bool tls;
	} rows[] = { { SMTP_MX, true }, { SMTP_LMTP, false } };

	rig.refusals = 0;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct client *c = on(rows[i].kind, rows[i].tls);

		say(c, "RCPT TO:<alice@example.test>");
		expect(c, "250 2.1.5");
		data(c, S("Subject: x\r\n\r\nx\r\n.\r\n"));
		expect(c, "250 2.");
		CHECK_NUM(stored(1, "INBOX"), i + 1);
		hang_up(c);
	}
	struct client *c = greeted(SMTP_SUBMISSION);
	envelope(c, "<alice@example.test>", "alice team");
	hang_up(c);
	CHECK_NUM(rig.refusals, 0);
	empty_all();
}

static void all(void *arg)
{
	(void)arg;
	message_rig();
	rig.encrypted = 1;
	refused_in_clear();
	left_out_of_alias();
	taken();
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
