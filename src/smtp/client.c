/* SPDX-License-Identifier: ISC */
/* client.c - a connection to another server: greeting, EHLO, TLS, login, goodbye. */
#include <string.h>

#include "base/encode.h"
#include "mail/sasl.h"
#include "smtp/client_priv.h"

enum {
	SESSION_MEMORY = 32 * 1024,
	SCRATCH_MEMORY = 16 * 1024,
	MINUTE = 60 * 1000,
};

struct client_times client_times_default(void)
{
	return (struct client_times){
		.greeting = 5 * MINUTE, /* RFC 5321 4.5.3.2.1 */
		.hello = 5 * MINUTE,
		.tls = 1 * MINUTE,
		.mail = 5 * MINUTE,  /* 4.5.3.2.2 */
		.rcpt = 5 * MINUTE,  /* 4.5.3.2.3 */
		.data = 2 * MINUTE,  /* 4.5.3.2.4 */
		.block = 3 * MINUTE, /* 4.5.3.2.5 */
		.end = 10 * MINUTE,  /* 4.5.3.2.6 */
		.quit = 2 * 1000,
		.login_ms = 15 * MINUTE,
		.message_ms = 60 * MINUTE,
		.rate = 512,
	};
}

const char *client_why_text(enum client_why why)
{
	static const char *const texts[] = {
		[WHY_SAID] = "its reply",
		[WHY_GONE] = "it has closed the connection",
		[WHY_SLOW] = "it did not answer in time",
		[WHY_BROKEN] = "what it says is no SMTP",
		[WHY_CANCELED] = "we are stopping",
		[WHY_NO_TLS] = "it does not offer TLS",
		[WHY_TLS_FAILED] = "TLS could not be set up",
		[WHY_UNPROVEN] = "it could not prove who it is",
		[WHY_NO_LOGIN] = "it does not offer the login that is set up",
		[WHY_TOO_LARGE] = "the message is larger than it takes",
		[WHY_8BITMIME] = "the message needs 8BITMIME",
		[WHY_BINARYMIME] = "the message needs BINARYMIME",
		[WHY_SMTPUTF8] = "the message needs SMTPUTF8",
		[WHY_REQUIRETLS] = "the message needs REQUIRETLS and proven TLS",
		[WHY_DELIVERBY] = "the message needs DELIVERBY",
		[WHY_ADDRESS] = "the address cannot be said in SMTP",
		[WHY_LINE_ENDS] = "the message has a CR or LF alone",
		[WHY_OURS] = "the message could not be read",
	};

	BUG_IF((unsigned)why >= WHY_COUNT);
	return texts[why];
}

/* --- one command --- */

void client_deadline(struct smtp_client *c, int64_t ms)
{
	int64_t at = clock_in(ms);

	io_deadline(c->io, at < c->until ? at : c->until);
}

static int64_t time_of(const struct smtp_client *c, enum client_stage at)
{
	const struct client_times *t = &c->conf.times;

	switch (at) {
	case AT_GREETING: return t->greeting;
	case AT_TLS:
	case AT_STARTTLS: return t->tls;
	case AT_MAIL: return t->mail;
	case AT_RCPT: return t->rcpt;
	case AT_DATA: return t->data;
	case AT_BODY: return t->end;
	default: return t->hello;
	}
}

void client_lost(struct smtp_client *c, enum client_stage at, enum err e, struct outcome *o)
{
	c->dead = true;
	*o = (struct outcome){ .verdict = TEMPORARY, .stage = at };
	switch (e) {
	case E_TIMEOUT: o->why = WHY_SLOW; break;
	case E_CANCELED: o->why = WHY_CANCELED; break;
	case E_LIMIT:
	case E_SYNTAX: o->why = WHY_BROKEN; break;
	default: o->why = WHY_GONE; break;
	}
}

bool client_quiet(struct smtp_client *c, struct outcome *o)
{
	enum err e = io_look(c->io);

	if (e == E_AGAIN)
		return true;
	client_lost(c, o->stage, e ? e : E_SYNTAX, o);
	return false;
}

/* Lines to the end of the reply. */
static enum err read_reply(struct smtp_client *c, struct answer_parser *p, struct offer *offer)
{
	for (;;) {
		struct str line;

		arena_reset(c->scratch);
		enum err e = io_line(c->io, c->scratch, ANSWER_LINE_MAX, &line);

		if (e)
			return e;
		enum answer_step step = answer_line(p, line);

		if (step == ANSWER_BAD)
			return E_SYNTAX;
		if (offer && p->lines > 1)
			offer_line(offer, str_from(line, 4));
		if (step == ANSWER_DONE)
			return OK;
	}
}

static enum client_verdict verdict_of(unsigned code)
{
	return code < 400 ? DELIVERED : code < 500 ? TEMPORARY : PERMANENT;
}

static bool take_reply(struct smtp_client *c, enum client_stage at, struct arena *a,
		       struct offer *offer, struct outcome *o)
{
	struct answer_parser p;

	answer_begin(&p, offer != NULL);
	enum err e = read_reply(c, &p, offer);

	if (e) {
		client_lost(c, at, e, o);
	} else {
		*o = (struct outcome){ .verdict = verdict_of(p.code),
				       .stage = at,
				       .why = WHY_SAID,
				       .said = answer_end(&p, a) };
		c->dead |= p.code == 421; /* RFC 5321 3.8 */
	}
	answer_free(&p);
	return !e;
}

static bool broken(struct smtp_client *c, struct outcome *o)
{
	c->dead = true;
	o->verdict = TEMPORARY;
	o->why = WHY_BROKEN;
	return false;
}

bool client_reply(struct smtp_client *c, enum client_stage at, struct arena *a, struct offer *offer,
		  struct outcome *o)
{
	client_deadline(c, time_of(c, at));
	/* Before the read, or octets that came too early would pass for the reply. */
	enum err e = io_flush(c->io);

	if (!e)
		return take_reply(c, at, a, offer, o);
	client_lost(c, at, e, o);
	return false;
}

bool client_expect(struct smtp_client *c, enum client_stage at, struct arena *a, unsigned kind,
		   struct outcome *o)
{
	if (!client_reply(c, at, a, NULL, o) || o->verdict != DELIVERED)
		return false;
	return o->said.code / 100 == kind || broken(c, o);
}

bool client_unanswered(struct smtp_client *c, enum client_stage at, struct arena *a,
		       struct outcome *o)
{
	enum err e = io_look(c->io);

	if (e == E_AGAIN)
		return true;
	client_deadline(c, c->conf.times.block);
	if (e)
		client_lost(c, at, e, o);
	else if (take_reply(c, at, a, NULL, o) && o->verdict == DELIVERED)
		(void)broken(c, o);
	c->dead = true;
	return false;
}

/* --- up to the first message --- */

static bool fail(struct outcome *o, enum client_stage at, enum client_why why)
{
	*o = (struct outcome){ .verdict = TEMPORARY, .stage = at, .why = why };
	return false;
}

/* A command before the first message, and the reply to it. */
static bool ask(struct smtp_client *c, enum client_stage at, struct str line, unsigned kind,
		struct outcome *o)
{
	o->stage = at;
	if (!client_quiet(c, o))
		return false;
	io_put(c->io, line);
	io_put(c->io, S("\r\n"));
	bool good = client_expect(c, at, c->session, kind, o);

	c->said[at] = o->said;
	return good;
}

static bool greeting(struct smtp_client *c, struct outcome *o)
{
	bool good = client_expect(c, AT_GREETING, c->session, 2, o);

	c->said[AT_GREETING] = o->said;
	return good;
}

/* RFC 5321 3.2: who does not know EHLO may be asked by HELO, where nothing is needed of what only
 * EHLO offers. */
static bool hello(struct smtp_client *c, struct outcome *o)
{
	const struct client_conf *conf = &c->conf;
	bool helo_will_do = (io_tls(c->io).on || conf->secure <= TLS_IF_SO) && !conf->user.n;

	c->offer = (struct offer){ 0 };
	o->stage = AT_HELLO;
	if (!client_quiet(c, o))
		return false;
	io_fmt(c->io, "EHLO %.*s\r\n", FMT(conf->name));
	bool came = client_reply(c, AT_HELLO, c->session, &c->offer, o);

	c->said[AT_HELLO] = o->said;
	if (!came)
		return false;
	unsigned kind = o->said.code / 100;

	c->offer.esmtp = kind == 2;
	if (kind == 2)
		return true;
	c->offer = (struct offer){ 0 };
	if (kind == 3)
		return broken(c, o);
	if (kind == 4 || !helo_will_do)
		return false;
	arena_reset(c->scratch);
	return ask(c, AT_HELLO, str_fmt(c->scratch, "HELO %.*s", FMT(conf->name)), 2, o);
}

static bool handshake(struct smtp_client *c, struct outcome *o)
{
	client_deadline(c, time_of(c, AT_TLS));
	enum err e = io_tls_connect_as(c->io, c->conf.tls, &c->conf.wish);

	if (!e)
		return true;
	client_lost(c, AT_TLS, e, o);
	if (e == E_DENIED)
		o->why = WHY_UNPROVEN;
	else if (e != E_TIMEOUT && e != E_CANCELED)
		o->why = WHY_TLS_FAILED;
	return false;
}

/* RFC 3207 4: what was offered before is forgotten; what came behind the 220 in clear was not
 * protected by anything, and so ends it all (4.2). */
static bool start_tls(struct smtp_client *c, struct outcome *o)
{
	bool must = c->conf.secure == TLS_ALWAYS;

	if (c->conf.secure == TLS_NEVER || io_tls(c->io).on)
		return true;
	if (!c->offer.starttls)
		return must ? fail(o, AT_STARTTLS, WHY_NO_TLS) : true;
	if (!ask(c, AT_STARTTLS, S("STARTTLS"), 2, o))
		return !must && !c->dead;
	if (!client_quiet(c, o) || !handshake(c, o))
		return false;
	return hello(c, o);
}

static struct str plain(struct smtp_client *c)
{
	struct str secret =
		str_fmt(c->scratch, "%c%.*s%c%.*s", 0, FMT(c->conf.user), 0, FMT(c->conf.password));
	struct str text = base64_encode(c->scratch, secret);

	explicit_bzero((char *)secret.p, secret.n);
	return text;
}

/* RFC 4954 4, RFC 4616 2 */
static bool login(struct smtp_client *c, struct outcome *o)
{
	const struct client_conf *conf = &c->conf;

	if (!conf->user.n)
		return true;
	if (io_tls(c->io).proof == TLS_UNPROVEN)
		return fail(o, AT_LOGIN, WHY_UNPROVEN);
	if (!c->offer.auth_plain || conf->user.n > SASL_USER_MAX ||
	    conf->password.n > SASL_PASSWORD_MAX)
		return fail(o, AT_LOGIN, WHY_NO_LOGIN);
	arena_reset(c->scratch);
	struct str secret = plain(c);

	io_put(c->io, S("AUTH PLAIN "));
	io_put(c->io, secret);
	explicit_bzero((char *)secret.p, secret.n);
	return ask(c, AT_LOGIN, S(""), 2, o);
}

bool smtp_client_greet(struct smtp_client *c, struct outcome *o)
{
	BUG_IF(c->greeted);
	*o = (struct outcome){ 0 };
	c->until = clock_in(c->conf.times.login_ms);
	c->greeted = (c->conf.secure != TLS_AT_ONCE || handshake(c, o)) && greeting(c, o) &&
		     hello(c, o) && start_tls(c, o) && login(c, o);
	if (c->greeted)
		o->verdict = DELIVERED;
	return c->greeted;
}

/* --- the whole of it --- */

struct smtp_client *smtp_client_new(const struct client_conf *conf, struct io *io)
{
	struct smtp_client *c = NEW(struct smtp_client);

	BUG_IF(conf->secure != TLS_NEVER && !conf->tls);
	c->conf = *conf;
	c->io = io;
	c->session = arena_new(SESSION_MEMORY);
	c->scratch = arena_new(SCRATCH_MEMORY);
	return c;
}

bool smtp_client_ready(const struct smtp_client *c)
{
	unsigned max = c->offer.mail_max;

	return c->greeted && !c->dead && (!max || c->messages < max) && !io_failed(c->io);
}

void smtp_client_quit(struct smtp_client **at)
{
	struct smtp_client *c = *at;
	struct outcome o;

	if (!c)
		return;
	if (!c->dead && !io_failed(c->io)) {
		/* RFC 5321 4.1.1.10: the reply is waited for, but nothing depends on it */
		c->until = clock_in(c->conf.times.quit);
		io_put(c->io, S("QUIT\r\n"));
		arena_reset(c->session);
		(void)client_reply(c, AT_HELLO, c->session, NULL, &o);
	}
	arena_free(&c->session);
	arena_free(&c->scratch);
	free(c);
	*at = NULL;
}

struct client_info smtp_client_info(const struct smtp_client *c)
{
	struct client_info info = { .offer = c->offer,
				    .tls = io_tls(c->io),
				    .messages = c->messages };

	for (size_t i = 0; i < CLIENT_STAGES; i++)
		info.said[i] = c->said[i];
	return info;
}
