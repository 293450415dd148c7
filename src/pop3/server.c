/* SPDX-License-Identifier: ISC */
/*
 * pop3/server.c - one client, from greeting to goodbye. RFC 1939, RFC 2449.
 */
#include "pop3/session.h"

struct pop3_conf pop3_conf_default(void)
{
	return (struct pop3_conf){
		.hostname = S("localhost"),
		.login_ms = 60 * 1000,
		.idle_ms = 10 * 60 * 1000,
		.errors_max = 20,
	};
}

struct answer answer_read(struct pop3 *s, enum err e)
{
	struct str why = io_goodbye(s->io);
	const char *canceled = "[SYS/TEMP] shutting down";

	if (why.n)
		canceled = str_c(s->cmd, str_fmt(s->cmd, "[SYS/TEMP] %.*s", FMT(why)));
	switch (e) {
	case E_TIMEOUT: return (struct answer){ .bye = true, .text = "[SYS/TEMP] idle too long" };
	case E_CANCELED: return (struct answer){ .bye = true, .text = canceled };
	default: return (struct answer){ .bye = true };
	}
}

static struct answer cmd_noop(struct pop3 *s, struct scan *in)
{
	(void)s, (void)in;
	return good("fine");
}

/* Messages go out as they are with it and without: RFC 6856 2.1 allows a refusal without, but
 * a client that cannot fetch a message has lost it. */
static struct answer cmd_utf8(struct pop3 *s, struct scan *in)
{
	(void)s;
	return scan_end(in) ? good("UTF-8 it is") : bad("usage: UTF8");
}

static const struct verb {
	const char *name;
	struct answer (*run)(struct pop3 *s, struct scan *in);
	unsigned when;
} verbs[] = {
	{ "CAPA", pop3_cmd_capa, BOTH },          /* RFC 2449 5 */
	{ "STLS", pop3_cmd_stls, AUTHORIZATION }, /* RFC 2595 4 */
	{ "USER", pop3_cmd_user, AUTHORIZATION }, /* RFC 1939 7 */
	{ "PASS", pop3_cmd_pass, AUTHORIZATION }, /* RFC 1939 7 */
	{ "AUTH", pop3_cmd_auth, AUTHORIZATION }, /* RFC 5034 4 */
	{ "UTF8", cmd_utf8, AUTHORIZATION },      /* RFC 6856 2.1 */
	{ "STAT", pop3_cmd_stat, TRANSACTION },   /* RFC 1939 5 */
	{ "LIST", pop3_cmd_list, TRANSACTION },   /* RFC 1939 5 */
	{ "UIDL", pop3_cmd_uidl, TRANSACTION },   /* RFC 1939 7 */
	{ "RETR", pop3_cmd_retr, TRANSACTION },   /* RFC 1939 5 */
	{ "TOP", pop3_cmd_top, TRANSACTION },     /* RFC 1939 7 */
	{ "DELE", pop3_cmd_dele, TRANSACTION },   /* RFC 1939 5 */
	{ "NOOP", cmd_noop, TRANSACTION },        /* RFC 1939 5 */
	{ "RSET", pop3_cmd_rset, TRANSACTION },   /* RFC 1939 5 */
	{ "QUIT", pop3_cmd_quit, BOTH },          /* RFC 1939 4, 6 */
};

static struct answer run(struct pop3 *s, struct str line)
{
	struct scan in = scan(line);
	struct str name = scan_word(&in);

	if (str_has(line, '\0'))
		return bad("a NUL in a command");
	for (size_t i = 0; i < LENGTH(verbs); i++) {
		if (!str_iis(name, verbs[i].name))
			continue;
		return verbs[i].when & s->state ? verbs[i].run(s, &in) : bad("not now");
	}
	return bad("command not known");
}

/* Carries out one command. Responses still held are sent before a read that waits. */
static struct answer next(struct pop3 *s)
{
	struct str line;

	arena_reset(s->cmd);
	if (s->errors >= s->srv->conf->errors_max)
		return (struct answer){ .bye = true, .text = "[SYS/PERM] too many mistakes" };
	int64_t deadline = clock_in(s->srv->conf->idle_ms);

	/* The guest's whole time is counted, from the greeting. */
	if (s->state == AUTHORIZATION && s->login_until < deadline)
		deadline = s->login_until;
	io_deadline(s->io, deadline);
	enum err e = io_line(s->io, s->cmd, LINE_MAX_POP3, &line); /* suspends */

	if (e && e != E_LIMIT)
		return answer_read(s, e);
	struct answer a = e ? bad("line too long") : run(s, line);

	s->errors += !a.ok;
	return a;
}

/* False: the session is over. */
static bool put(struct pop3 *s, struct answer a)
{
	if (!a.text)
		return false;
	io_fmt(s->io, "%s %s\r\n", a.ok ? "+OK" : "-ERR", a.text);
	if (a.body) {
		enum err e = a.body(s); /* suspends */

		if (e) {
			log_event(LOG_INFO, "response.cut", KVE(e));
			return false;
		}
	}
	return !a.bye;
}

/* RFC 2595 4: what was said before is forgotten. */
static enum err start_tls(struct pop3 *s)
{
	s->starting_tls = false;
	s->user = S_NONE;
	enum err e = io_flush(s->io);

	return e ? e : io_tls_accept(s->io, s->srv->tls);
}

void pop3_serve(const struct pop3_server *srv, struct io *io)
{
	struct pop3 s = {
		.srv = srv,
		.io = io,
		.cmd = arena_new(CMD_MEMORY),
		.state = AUTHORIZATION,
		.login_until = clock_in(srv->conf->login_ms),
	};
	struct str hello = str_fmt(s.cmd, "%.*s POP3", FMT(srv->conf->hostname));

	for (struct answer a = good(str_c(s.cmd, hello)); put(&s, a); a = next(&s))
		if (s.starting_tls && start_tls(&s))
			break;
	if (log_current)
		log_current->account = S_NONE;
	free(s.deleted);
	box_close(&s.box);
	arena_free(&s.cmd);
}
