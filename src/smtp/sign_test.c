/* SPDX-License-Identifier: ISC */
/* A user's message and its signatures: where they stand, and that all else is what it was. */
#include "rig.h"
#include "smtp/smtp.h"

static struct smtp_conf conf;
static struct smtp_server server;

static void serve(struct io *io, int kind)
{
	smtp_serve(&server, (enum smtp_kind)kind, io);
}

static struct client *greeted(void)
{
	struct client *c = dial(SMTP_SUBMISSION, true);

	expect(c, "220 ");
	say(c, "EHLO here.test");
	expect(c, "250 ");
	say(c, "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=");
	expect(c, "235 2.7.0 ");
	return c;
}

static void submit(struct client *c, struct str text, const char *reply)
{
	say(c, "MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA");
	expect(c, "250 2.1.0");
	expect(c, "250 2.1.5");
	expect(c, "354 ");
	send_octets(c, text);
	say(c, "\r\n.");
	expect(c, reply);
}

static unsigned signatures(struct str text)
{
	struct str head = str_part(text, 0, str_find_str(text, S("\r\n\r\n")));
	unsigned n = 0;

	for (size_t at; (at = str_find_str(head, S("\r\nDKIM-Signature: v=1;"))) < head.n; n++)
		head = str_from(head, at + 2);
	return n;
}

#define HEAD "From: alice@example.test\r\nDate: d\r\nMessage-ID: <1@x>\r\n"

static void test_place(struct client *c)
{
	rig.signers = 0;
	submit(c, S(HEAD "\r\nhi"), "250 2.0.0");
	CHECK_NUM(signatures(message(2, 1)), 0);
	rig.signers = 2;
	submit(c, S(HEAD "\r\nhi"), "250 2.0.0");
	struct str text = message(2, 2);
	CHECK_NUM(signatures(text), 2);
	CHECK(str_starts(text, S("Return-Path: <alice@example.test>\r\nReceived: ")));
	CHECK(str_find_str(text, S(" +0000\r\nDKIM-Signature: v=1; a=rsa-sha256;")) < text.n);
	CHECK(str_find_str(text, S("s=one;")) < str_find_str(text, S("a=ed25519-sha256;")));
	CHECK(str_ends(text, S("b=\r\n\tc2lnbmF0dXJl\r\n" HEAD "\r\nhi\r\n")));
	/* all that is added is signed too, and what has no header gets one */
	static const char *const odd[] = { "no header at all", "", "\r\nonly a body",
					   "Subject: x" };
	for (uint32_t i = 0; i < LENGTH(odd); i++) {
		submit(c, str_of(odd[i]), "250 2.0.0");
		CHECK_NUM(signatures(message(2, 3 + i)), 2);
		CHECK(message_has(2, 3 + i, odd[i]));
		CHECK(message_has(2, 3 + i, "\tc2lnbmF0dXJl\r\nDate: "));
	}
}

/* More than is kept in memory. */
static void test_large(struct client *c, uint32_t n)
{
	struct buf b = buf_new(1 << 20);

	buf_put(&b, S(HEAD "\r\n"));
	for (unsigned i = 0; i < 20000; i++)
		buf_fmt(&b, "line %u of many\r\n", i);
	submit(c, buf_str(&b), "250 2.0.0");
	struct str text = message(2, n);
	CHECK_NUM(signatures(text), 2);
	buf_put(&b, S("\r\n"));
	CHECK(str_ends(text, buf_str(&b)));
	buf_free(&b);
}

static void test_faults(struct client *c, uint32_t n)
{
	rig.rotations = 1;
	submit(c, S(HEAD "\r\nx"), "250 2.0.0");
	CHECK_NUM(signatures(message(2, n)), 2);
	rig.rotations = 2;
	submit(c, S(HEAD "\r\nx"), "451 ");
	rig.rotations = 0;
	rig.sign_error = E_AGAIN;
	submit(c, S(HEAD "\r\nx"), "451 ");
	rig.sign_error = OK;
	conf.spool = S("/nowhere/at/all");
	struct buf b = buf_new(1 << 20);
	buf_put(&b, S(HEAD "\r\n"));
	for (unsigned i = 0; i < 20000; i++)
		buf_fmt(&b, "line %u of many\r\n", i);
	submit(c, buf_str(&b), "451 ");
	buf_free(&b);
	CHECK_NUM(stored(2, "INBOX"), n);
	say(c, "MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA");
	expect(c, "250 ");
	expect(c, "250 ");
	expect(c, "354 ");
	say(c, HEAD "\r\nand then it is cut");
}

static void all(void *arg)
{
	(void)arg;
	rig_open(serve);
	conf = smtp_conf_default();
	conf.hostname = S("mail.example.test");
	server = (struct smtp_server){ &conf, rig.store, &rig_keeper, rig.server_tls };
	struct client *c = greeted();
	test_place(c);
	test_large(c, 7);
	test_faults(c, 8);
	hang_up(c);
	rig.signers = 0;
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
