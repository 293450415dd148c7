/* SPDX-License-Identifier: ISC */
#ifndef SMTP_MESSAGE_TEST_H
#define SMTP_MESSAGE_TEST_H
/*
 * message_test.h - a server to give messages to, and faults where it would write them. For one file
 * of a test program that is linked with --wrap: meson.build.
 */
#include "rig.h"
#include "smtp/smtp.h"

static struct smtp_conf conf;
static struct smtp_server server;

/* --- faults: linked in place of the real calls, --wrap in meson.build --- */

static uint32_t fail_account; /* deliveries to it fail with fail_with */
static enum err fail_with, fail_write;
static enum err fail_queue; /* what goes into the queue fails with it */

void __real_box_deliver_also(struct store *st, struct incoming *in, struct delivery *d, size_t n,
			     struct update *also, size_t nalso);
void __wrap_box_deliver_also(struct store *st, struct incoming *in, struct delivery *d, size_t n,
			     struct update *also, size_t nalso);
void __wrap_box_deliver_also(struct store *st, struct incoming *in, struct delivery *d, size_t n,
			     struct update *also, size_t nalso)
{
	for (size_t i = 0; i < n; i++) {
		if (fail_account && d[i].account == fail_account)
			d[i].result = fail_with;
		else
			__real_box_deliver_also(st, in, &d[i], 1, NULL, 0);
	}
	for (size_t i = 0; i < nalso; i++) {
		if (fail_queue)
			also[i].result = fail_queue;
		else
			__real_box_deliver_also(st, in, NULL, 0, &also[i], 1);
	}
}

enum err __real_incoming_write(struct incoming *in, struct str octets);
enum err __wrap_incoming_write(struct incoming *in, struct str octets);
enum err __wrap_incoming_write(struct incoming *in, struct str octets)
{
	return fail_write ? fail_write : __real_incoming_write(in, octets);
}

/* --- helpers --- */

static inline void serve(struct io *io, int kind)
{
	smtp_serve(&server, (enum smtp_kind)kind, io);
}

static inline struct client *greeted(int kind)
{
	struct client *c = dial(kind, kind == SMTP_SUBMISSION);

	expect(c, "220 ");
	send_octets(c, kind == SMTP_LMTP ? S("LHLO here.test\r\n") : S("EHLO here.test\r\n"));
	expect(c, "250 ");
	if (kind == SMTP_SUBMISSION) {
		say(c, "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=");
		expect(c, "235 2.7.0 ");
	}
	return c;
}

/* MAIL and RCPTs up to the message itself; to is a list with spaces. */
static inline void envelope(struct client *c, const char *from, const char *to)
{
	struct scan in = scan(str_of(to));

	io_fmt(c->io, "MAIL FROM:%s\r\n", from);
	expect(c, "250 2.1.0");
	while (scan_more(&in)) {
		struct str name = scan_word(&in);

		io_fmt(c->io, "RCPT TO:<%.*s@example.test>\r\n", FMT(name));
		expect(c, "250 2.1.5");
	}
}

static inline void data(struct client *c, struct str message)
{
	say(c, "DATA");
	expect(c, "354 ");
	send_octets(c, message);
}

static inline void empty_all(void)
{
	for (uint32_t account = 1; account <= 4; account++) {
		CHECK_NUM(box_account_delete(rig.store, account), OK);
		CHECK_NUM(box_account_create(rig.store, account), OK);
	}
}

/* Opens all of it; rig_close closes. */
static inline void message_rig(void)
{
	rig_open(serve);
	conf = smtp_conf_default();
	conf.hostname = S("mail.example.test");
	conf.message_max = 100000;
	server = (struct smtp_server){ &conf, rig.store, &rig_keeper, rig.server_tls };
}

#endif
