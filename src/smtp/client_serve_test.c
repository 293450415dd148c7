/* SPDX-License-Identifier: ISC */
/* Our client and our server talk to each other: what goes in comes out, whatever was agreed on. */
#include "rig.h"
#include "smtp/client.h"
#include "smtp/smtp.h"

static struct smtp_conf server_conf;
static struct smtp_server server;
static struct client_conf conf;
static struct str body;

static void serve(struct io *io, int kind)
{
	smtp_serve(&server, (enum smtp_kind)kind, io);
}

static enum err read_body(void *arg, uint64_t off, size_t max, struct str *out)
{
	(void)arg;
	*out = str_part(body, (size_t)off, max);
	return OK;
}

static struct path address(const char *text)
{
	struct path p = { 0 };

	CHECK_NUM(path_parse(rig.arena, str_of(text), &p), OK);
	return p;
}

static struct client_rcpt rcpts[3];
static struct client_mail mail;

static void set_mail(const char *from)
{
	mail = (struct client_mail){ .from = address(from),
				     .body = BODY_8BITMIME,
				     .size = body.n,
				     .read = read_body,
				     .rcpt = rcpts,
				     .nrcpt = 3 };
	rcpts[0] = (struct client_rcpt){ .to = address("alice@example.test") };
	rcpts[1] = (struct client_rcpt){ .to = address("nobody@example.test") };
	rcpts[2] = (struct client_rcpt){ .to = address("bob@example.test") };
}

static struct smtp_client *begin(int kind, struct client **c)
{
	struct outcome o;

	*c = dial(kind, false);
	struct smtp_client *s = smtp_client_new(&conf, (*c)->io);

	CHECK(smtp_client_greet(s, &o));
	CHECK_NUM(o.verdict, DELIVERED);
	return s;
}

static void check_sent(struct smtp_client *s, uint32_t number)
{
	set_mail("eve@far.test");
	smtp_client_send(s, &mail, rig.arena);
	CHECK_NUM(rcpts[0].out.verdict, DELIVERED);
	CHECK_NUM(rcpts[1].out.verdict, PERMANENT);
	CHECK_NUM(rcpts[1].out.stage, AT_RCPT);
	CHECK_NUM(rcpts[1].out.said.code, 550);
	CHECK_STR(str_of(rcpts[1].out.said.esc), "5.1.1");
	CHECK_NUM(rcpts[2].out.verdict, DELIVERED);
	CHECK(str_ends(message(1, number), body));
	CHECK(str_ends(message(2, number), body));
}

/* Every way that the two can agree on, two messages a connection. */
static void ways(struct str text)
{
	static uint32_t number;

	body = text;
	for (unsigned way = 0; way < 12; way++) {
		struct client *c;

		conf.no_pipelining = way & 1;
		conf.no_chunking = way & 2;
		conf.secure = (enum client_tls)(way / 4);
		struct smtp_client *s = begin(SMTP_MX, &c);

		check_sent(s, ++number);
		CHECK(smtp_client_ready(s));
		check_sent(s, ++number);
		struct client_info info = smtp_client_info(s);

		CHECK_NUM(info.messages, 2);
		CHECK(info.offer.pipelining && info.offer.chunking && info.offer.enhanced);
		CHECK_NUM(info.offer.rcpt_max, server_conf.recipients_max);
		CHECK(info.tls.on == (conf.secure != TLS_NEVER));
		CHECK(!info.tls.on || (info.tls.version && info.tls.cipher && info.tls.invalid));
		CHECK_NUM(info.tls.proof, TLS_UNPROVEN);
		CHECK_NUM(info.said[AT_GREETING].code, 220);
		CHECK_NUM(info.said[AT_STARTTLS].code, conf.secure == TLS_NEVER ? 0 : 220);
		smtp_client_quit(&s);
		hang_up(c);
	}
	conf.no_pipelining = conf.no_chunking = false;
	conf.secure = TLS_ALWAYS;
}

/* Dots, 8-bit octets, lines of every length, across the borders of buffers. */
static struct str big(size_t n)
{
	struct buf b = buf_new(n + 4096);

	buf_put(&b, S("Subject: big\r\n\r\n"));
	for (unsigned i = 0; b.n < n; i++) {
		for (unsigned j = 0; j < i % 5; j++)
			buf_c(&b, '.');
		for (unsigned j = 0; j < i % 977; j++)
			buf_c(&b, j % 11 ? (char)('a' + j % 26) : (char)0xfc);
		buf_put(&b, S("\r\n"));
	}
	struct str s = str_dup(rig.arena, buf_str(&b));

	buf_free(&b);
	return s;
}

/* A user's own server, as a smart host: login only where it has proven itself. */
static void smart_host(void)
{
	struct client *c;
	struct outcome o;

	body = S("From: alice@example.test\r\nSubject: mine\r\n\r\nx\r\n");
	conf.user = S("alice@example.test");
	conf.password = S("secret");
	conf.wish.proof = TLS_BY_NAME;
	struct smtp_client *s = begin(SMTP_SUBMISSION, &c);

	CHECK_NUM(smtp_client_info(s).tls.proof, TLS_BY_NAME);
	CHECK(!smtp_client_info(s).tls.invalid);
	CHECK_NUM(smtp_client_info(s).said[AT_LOGIN].code, 235);
	set_mail("alice@example.test");
	smtp_client_send(s, &mail, rig.arena);
	CHECK_NUM(rcpts[0].out.verdict, DELIVERED);
	CHECK_NUM(rcpts[2].out.verdict, DELIVERED);
	smtp_client_quit(&s);
	hang_up(c);

	unsigned logins = rig.logins;

	conf.wish.proof = TLS_UNPROVEN;
	c = dial(SMTP_SUBMISSION, false);
	s = smtp_client_new(&conf, c->io);
	CHECK(!smtp_client_greet(s, &o));
	CHECK_NUM(o.why, WHY_UNPROVEN);
	CHECK_NUM(rig.logins, logins);
	smtp_client_quit(&s);
	hang_up(c);
	conf.password = S("wrong");
	conf.wish.proof = TLS_BY_NAME;
	c = dial(SMTP_SUBMISSION, false);
	s = smtp_client_new(&conf, c->io);
	CHECK(!smtp_client_greet(s, &o));
	CHECK_NUM(o.stage, AT_LOGIN);
	CHECK_NUM(o.said.code, 535);
	smtp_client_quit(&s);
	hang_up(c);
	conf.user = S_NONE;
	conf.wish.proof = TLS_UNPROVEN;
}

static void limits(void)
{
	struct client *c;

	body = S("x\r\n");
	server_conf.recipients_max = 2;
	struct smtp_client *s = begin(SMTP_MX, &c);

	set_mail("eve@far.test");
	smtp_client_send(s, &mail, rig.arena);
	CHECK_NUM(rcpts[0].out.verdict, DELIVERED);
	CHECK_NUM(rcpts[2].out.verdict, NOT_TRIED);
	body = big(server_conf.message_max + 1);
	set_mail("eve@far.test");
	smtp_client_send(s, &mail, rig.arena);
	CHECK_NUM(rcpts[0].out.why, WHY_TOO_LARGE);
	smtp_client_quit(&s);
	hang_up(c);
	server_conf.recipients_max = 5;
}

static void all(void *arg)
{
	(void)arg;
	rig_open(serve);
	CHECK_NUM(tls_client_trust(rig.client_tls, rig.cert_pem), OK);
	struct tls *stranger = tls_client_new();

	server_conf = smtp_conf_default();
	server_conf.hostname = S("mail.example.test");
	server_conf.message_max = 1 << 20;
	server_conf.recipients_max = 5;
	server = (struct smtp_server){ &server_conf, rig.store, &rig_keeper, rig.server_tls };
	conf = (struct client_conf){ .name = S("here.test"),
				     .tls = stranger,
				     .wish = { .name = S("mail.example.test") },
				     .times = client_times_default() };
	ways(S("Subject: x\r\n\r\n.\r\n..\r\n\r\n.x\r\n"));
	ways(S("Subject: x\r\n\r\ngr\xc3\xbc\xc3\x9f dich\r\n"));
	ways(big(300 * 1024));
	conf.tls = rig.client_tls;
	smart_host();
	limits();
	tls_release(&stranger);
	rig_close();
}

int main(void)
{
	log_capture(rig_quiet, NULL);
	fiber_main(all, NULL);
	return check_done();
}
