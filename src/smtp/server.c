/* SPDX-License-Identifier: ISC */
/*
 * smtp/server.c - one client, from greeting to goodbye. RFC 5321, RFC 6409, RFC 2033.
 *
 *   START --EHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA, BDAT LAST--> READY
 *                                                  RCPT --BDAT--> CHUNK --BDAT LAST--> READY
 *   RSET and EHLO lead back to READY; STARTTLS leads back to START.
 */
#include "mail/date.h"
#include "smtp/session.h"
#include "smtp/wire.h"

enum {
	SERVER = 1 << SMTP_MX,
	WEBMAIL = 1 << SMTP_INTERNAL,
	USER = 1 << SMTP_SUBMISSION | WEBMAIL,
	LOCAL = 1 << SMTP_LMTP,
	ALL = SERVER | USER | LOCAL
};
/* Mistakes that do not count: a list with dead recipients, chunks behind a refused one. */
enum { FREE = 1 };

struct smtp_conf smtp_conf_default(void)
{
	return (struct smtp_conf){
		.hostname = S("localhost"),
		.spool = S("/tmp"),
		.message_max = 50 << 20,
		.recipients_max = 1000,
		.hops_max = 100, /* RFC 5321 6.3 */
		.errors_max = 20,
		.command_ms = 5 * 60 * 1000,
		.idle_ms = 30 * 60 * 1000,
		.login_ms = 60 * 1000,
		.data_ms = 10 * 60 * 1000,
		.data_rate = 4096,
		.hold_max = 30 * 24 * 3600,
	};
}

void smtp_reset(struct smtp *s)
{
	arena_reset(s->tx); /* closes an intake too */
	s->mail = (struct mail_args){ 0 };
	s->least = GUARANTEE_NONE;
	s->hold_until = s->deliver_by = 0;
	s->first = NULL;
	s->last_rcpt = &s->first;
	s->nrcpt = 0;
	s->strangers = 0;
	s->to = NULL;
	s->nto = s->cap_to = s->ntargets = 0;
	s->away = NULL;
	s->naway = s->cap_away = 0;
	s->intake = NULL;
	s->state = s->helo.n ? READY : START;
}

struct reply reply_read(const struct smtp *s, enum err e)
{
	struct str why = io_goodbye(s->io);

	switch (e) {
	case E_TIMEOUT: return reply(421, "4.4.2", "too slow");
	case E_CANCELED:
		return why.n ? reply(421, "4.7.0", str_c(s->cmd, why))
			     : reply(421, "4.3.2", "shutting down");
	default: return (struct reply){ 0 };
	}
}

void reply_put(struct smtp *s, struct reply r)
{
	struct str rest = str_of(r.text);

	for (size_t i = 0; i < r.n; i++)
		reply_put(s, r.each[i]);
	while (r.code) {
		size_t n = str_find(rest, '\n');
		bool last = n == rest.n;

		io_fmt(s->io, "%u%c%s%s%.*s\r\n", r.code, last ? ' ' : '-', r.esc ? r.esc : "",
		       r.esc ? " " : "", FMT(STR(rest.p, n)));
		if (last)
			return;
		rest = str_from(rest, n + 1);
	}
}

/* --- the small commands --- */

/* The client's word for itself: recorded, not believed. RFC 5321 4.1.4 */
static struct reply hello(struct smtp *s, struct scan *in, bool esmtp)
{
	struct str name = str_trim(in->rest);

	if (!name.n)
		return reply(501, "5.5.4", "say who you are");
	name = str_part(name, 0, HELO_MAX);
	memcpy(s->helo_octets, name.p, name.n);
	s->helo = STR(s->helo_octets, name.n);
	s->esmtp = esmtp;
	smtp_reset(s);
	return (struct reply){ 0 };
}

static struct reply cmd_helo(struct smtp *s, struct scan *in)
{
	struct reply r = hello(s, in, false);

	return r.code ? r : reply(250, NULL, str_c(s->cmd, s->conf->hostname));
}

/* What we offer: RFC 5321 4.1.1.1, and what each line says. */
static struct reply cmd_ehlo(struct smtp *s, struct scan *in)
{
	struct reply r = hello(s, in, true);
	bool starttls = s->srv->tls && !io_tls(s->io).on;
	bool login = is_submission(s) && is_private(s) && !s->authenticated;
	unsigned params = params_offered(s);
	struct str hold = S("");

	if (r.code)
		return r;
	if (params & PARAM_HOLD) /* RFC 4865 3 */
		hold = str_fmt(s->cmd, "\nFUTURERELEASE %lld %.*s", (long long)s->conf->hold_max,
			       FMT(date_iso(s->cmd, clock_wall() + s->conf->hold_max)));

	struct str text =
		str_fmt(s->cmd,
			"%.*s\nPIPELINING\nSIZE %llu\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\n"
			"ENHANCEDSTATUSCODES\nLIMITS RCPTMAX=%u%s%.*s%s%s%s%s%s%s",
			FMT(s->conf->hostname), (unsigned long long)s->conf->message_max,
			recipients_max(s), params & PARAM_DSN ? "\nDSN" : "", FMT(hold),
			params & PARAM_BY ? "\nDELIVERBY" : "",
			params & PARAM_PRIORITY ? "\nMT-PRIORITY" : "",
			params & PARAM_REQUIRETLS ? "\nREQUIRETLS" : "",
			starttls ? "\nSTARTTLS" : "", login ? "\nAUTH PLAIN LOGIN" : "",
			s->kind == SMTP_INTERNAL && !s->spoken_for ? "\nXCLIENT ADDR" : "");

	return reply(250, NULL, str_c(s->cmd, text));
}

/* RFC 3207 4; the handshake follows the reply, in smtp_serve. */
static struct reply cmd_starttls(struct smtp *s, struct scan *in)
{
	if (!scan_end(in))
		return reply(501, "5.5.4", "usage: STARTTLS");
	if (io_tls(s->io).on)
		return reply(503, "5.5.1", "TLS is on already");
	if (!s->srv->tls)
		return reply(502, "5.5.1", "no TLS here");
	s->starting_tls = true;
	return reply(220, "2.0.0", "go ahead");
}

static struct reply cmd_rset(struct smtp *s, struct scan *in)
{
	if (!scan_end(in))
		return reply(501, "5.5.4", "usage: RSET");
	smtp_reset(s);
	return reply(250, "2.0.0", "forgotten");
}

static struct reply cmd_noop(struct smtp *s, struct scan *in)
{
	(void)s, (void)in;
	return reply(250, "2.0.0", "fine");
}

/* RFC 5321 3.5.3, 7.3: says nothing about who lives here. */
static struct reply cmd_vrfy(struct smtp *s, struct scan *in)
{
	(void)s;
	if (!in->rest.n)
		return reply(501, "5.5.4", "usage: VRFY address");
	return reply(252, "2.5.0", "send some mail, that will tell");
}

static struct reply cmd_help(struct smtp *s, struct scan *in)
{
	(void)s, (void)in;
	return reply(214, "2.0.0", "see RFC 5321");
}

static struct reply cmd_quit(struct smtp *s, struct scan *in)
{
	(void)s, (void)in;
	return reply(221, "2.0.0", "goodbye");
}

/* A browser made to talk to us by somebody's page: what follows is not meant for us. */
static struct reply cmd_http(struct smtp *s, struct scan *in)
{
	(void)s, (void)in;
	return reply(421, "4.7.0", "this is no web server");
}

static const struct verb {
	const char *name;
	struct reply (*run)(struct smtp *s, struct scan *in); /* NULL: known, but not done here */
	unsigned when;                                        /* states it may come in, else 503 */
	unsigned kinds;                                       /* ports that know it */
	unsigned flags;
} verbs[] = {
	{ "EHLO", cmd_ehlo, ANY, SERVER | USER },                /* RFC 5321 4.1.1.1 */
	{ "HELO", cmd_helo, ANY, SERVER | USER },                /* RFC 5321 4.1.1.1 */
	{ "LHLO", cmd_ehlo, ANY, LOCAL },                        /* RFC 2033 4.1 */
	{ "MAIL", smtp_cmd_mail, READY, ALL },                   /* RFC 5321 4.1.1.2 */
	{ "RCPT", smtp_cmd_rcpt, MAIL | RCPT, ALL, FREE },       /* RFC 5321 4.1.1.3 */
	{ "DATA", smtp_cmd_data, RCPT, ALL },                    /* RFC 5321 4.1.1.4 */
	{ "BDAT", smtp_cmd_bdat, ANY, ALL, FREE },               /* RFC 3030 2 */
	{ "RSET", cmd_rset, ANY, ALL },                          /* RFC 5321 4.1.1.5 */
	{ "VRFY", cmd_vrfy, ANY, ALL },                          /* RFC 5321 4.1.1.6 */
	{ "EXPN", NULL, ANY, ALL },                              /* RFC 5321 4.1.1.7 */
	{ "HELP", cmd_help, ANY, ALL },                          /* RFC 5321 4.1.1.8 */
	{ "NOOP", cmd_noop, ANY, ALL },                          /* RFC 5321 4.1.1.9 */
	{ "QUIT", cmd_quit, ANY, ALL },                          /* RFC 5321 4.1.1.10 */
	{ "STARTTLS", cmd_starttls, START | READY, ALL },        /* RFC 3207 4 */
	{ "AUTH", smtp_cmd_auth, START | READY, SERVER | USER }, /* RFC 4954 4 */
	{ "XCLIENT", smtp_cmd_xclient, READY, WEBMAIL },         /* xclient.c */
	{ "ETRN", NULL, ANY, ALL },                              /* RFC 1985 */
	{ "TURN", NULL, ANY, ALL },                              /* RFC 5321 F.1 */
	{ "SEND", NULL, ANY, ALL },                              /* RFC 5321 F.6 */
	{ "SOML", NULL, ANY, ALL },                              /* RFC 5321 F.6 */
	{ "SAML", NULL, ANY, ALL },                              /* RFC 5321 F.6 */
	{ "GET", cmd_http, ANY, ALL },
	{ "POST", cmd_http, ANY, ALL },
};

static const struct verb *verb_find(const struct smtp *s, struct str name)
{
	for (size_t i = 0; i < LENGTH(verbs); i++)
		if (verbs[i].kinds & 1u << s->kind && str_iis(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static struct reply out_of_order(const struct smtp *s, const struct verb *v)
{
	if (s->state > READY && v->when & READY)
		return reply(503, "5.5.1", "a message is under way: RSET drops it");
	switch (s->state) {
	case START: return reply(503, "5.5.1", "say EHLO first");
	case READY: return reply(503, "5.5.1", "say MAIL first");
	case MAIL: return reply(503, "5.5.1", "no recipient has been accepted");
	default: return reply(503, "5.5.1", "not now");
	}
}

static bool clean(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (((unsigned char)line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
	return true;
}

static struct reply run(struct smtp *s, const struct verb *v, struct scan *in)
{
	if (!v)
		return reply(500, "5.5.1", "command not known");
	if (!v->run)
		return reply(502, "5.5.1", "not done here");
	if (!(v->when & s->state))
		return out_of_order(s, v);
	return v->run(s, in);
}

/* Carries out one command. Replies still held are sent before a read that waits: RFC 2920 3.2. */
static struct reply next(struct smtp *s)
{
	int64_t deadline = clock_in(s->conf->command_ms);
	struct str line;

	arena_reset(s->cmd);
	if (s->errors >= s->conf->errors_max)
		return reply(421, "4.7.0", "too many mistakes");
	if (s->idle_until < deadline)
		deadline = s->idle_until;
	if (is_submission(s) && !s->authenticated && s->login_until < deadline)
		deadline = s->login_until;
	io_deadline(s->io, deadline);
	enum err e = wire_line(s, s->cmd, LINE_MAX_SMTP, &line); /* suspends */

	if (e && e != E_LIMIT)
		return reply_read(s, e);

	struct reply r;
	const struct verb *v = NULL;

	if (e == E_LIMIT) {
		r = reply(500, "5.5.2", "line too long");
	} else if (!clean(line)) {
		r = reply(500, "5.5.2", "control characters in a command");
	} else {
		struct scan in = scan(line);

		v = verb_find(s, scan_word(&in));
		r = run(s, v, &in);
	}
	if (r.code >= 500 && !(v && v->flags & FREE))
		s->errors++;
	return r;
}

/* RFC 3207 4.2: all that was said before is forgotten. */
static enum err start_tls(struct smtp *s)
{
	s->starting_tls = false;
	enum err e = io_flush(s->io);

	if (!e)
		e = io_tls_accept(s->io, s->srv->tls);
	wire_drop(s);
	s->helo = S_NONE;
	s->esmtp = s->authenticated = false;
	arena_reset(s->session);
	smtp_reset(s);
	return e;
}

static struct reply greeting(struct smtp *s)
{
	struct str text = str_fmt(s->cmd, "%.*s %s", FMT(s->conf->hostname),
				  s->kind == SMTP_LMTP ? "LMTP" : "ESMTP");

	return reply(220, NULL, str_c(s->cmd, text));
}

void smtp_serve(const struct smtp_server *srv, enum smtp_kind kind, struct io *io)
{
	struct smtp s = {
		.srv = srv,
		.conf = srv->conf,
		.io = io,
		.kind = kind,
		.cmd = arena_new(CMD_MEMORY),
		.tx = arena_new(TX_MEMORY),
		.session = arena_new(SESSION_MEMORY),
		.ahead = buf_new(READ_MAX),
		.idle_until = clock_in(srv->conf->idle_ms),
		.login_until = clock_in(srv->conf->login_ms),
	};

	smtp_reset(&s);
	for (struct reply r = greeting(&s); r.code || r.n; r = next(&s)) {
		reply_put(&s, r);
		if (r.code == 221 || r.code == 421) /* the two that close: RFC 5321 3.8 */
			break;
		if (s.starting_tls && start_tls(&s))
			break;
	}
	if (log_current)
		log_current->account = S_NONE;
	buf_free(&s.ahead);
	arena_free(&s.tx);
	arena_free(&s.session);
	arena_free(&s.cmd);
}
