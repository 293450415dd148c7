/* SPDX-License-Identifier: ISC */
#include "pop3/session.h"

static const char clear_text[] = "[AUTH] no login without TLS: say STLS first, or use port 995";

static enum err put_capabilities(struct pop3 *s)
{
	bool tls = io_tls(s->io).on;

	if (s->srv->tls && !tls && s->state == AUTHORIZATION)
		io_put(s->io, S("STLS\r\n"));
	if (tls) /* RFC 8314 3: else neither offered nor taken */
		io_put(s->io, S("USER\r\nSASL PLAIN LOGIN\r\n"));
	io_put(s->io, S("TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUTF8\r\n"
			"EXPIRE NEVER\r\nLOGIN-DELAY 0\r\nIMPLEMENTATION tecsmail\r\n.\r\n"));
	return OK;
}

/* CAPA                                                                 RFC 2449 5 */
struct answer pop3_cmd_capa(struct pop3 *s, struct scan *in)
{
	(void)s, (void)in;
	return (struct answer){ .ok = true, .text = "what is offered", .body = put_capabilities };
}

/* STLS; the handshake follows the response, in pop3_serve.             RFC 2595 4 */
struct answer pop3_cmd_stls(struct pop3 *s, struct scan *in)
{
	if (!scan_end(in))
		return bad("usage: STLS");
	if (io_tls(s->io).on)
		return bad("TLS is on already");
	if (!s->srv->tls)
		return bad("no TLS here");
	s->starting_tls = true;
	return good("go ahead");
}

/* The inbox as it is now: what comes later is for the next session. */
static enum err open_box(struct pop3 *s, uint32_t account)
{
	enum err e = box_open(s->srv->store, account, S("INBOX"), &s->box);

	if (e)
		return e;
	struct box_view v = box_view(s->box);

	s->exists = v.exists;
	s->uidvalidity = v.uidvalidity;
	s->uidnext = v.uidnext;
	return OK;
}

static struct answer login(struct pop3 *s, struct str user, struct str password)
{
	struct login_try t = {
		.user = user,
		.password = password,
		.ip = io_peer(s->io).ip,
		.proto = "pop3",
		.tls = io_tls(s->io).on,
	};
	struct login who = { 0 };
	enum err e = keeper_login(s->srv->keeper, &t, s->cmd, &who); /* suspends */

	s->user = S_NONE;
	if (e && e != E_DENIED && e != E_LIMIT) /* those two the keeper has logged */
		log_event(LOG_WARN, "login.impossible", KV("user", user), KVE(e));
	if (e == E_DENIED && who.refused.n) /* another password would not help: RFC 3206 4 */
		return bad(str_c(s->cmd, str_fmt(s->cmd, "[SYS/PERM] %.*s", FMT(who.refused))));
	if (e == E_DENIED)
		return bad("[AUTH] user name or password is wrong / "
			   "Benutzername oder Passwort ist falsch");
	if (e == E_LIMIT)
		return (struct answer){
			.bye = true,
			.text = str_c(s->cmd, str_fmt(s->cmd, "[SYS/TEMP] %.*s", FMT(who.closed))),
		};
	if (e || open_box(s, who.account)) /* RFC 3206 4 */
		return bad("[SYS/TEMP] not possible just now, try again later");

	struct str account = str_part(who.address, 0, sizeof s->account_octets);

	memcpy(s->account_octets, account.p, account.n);
	if (log_current)
		log_current->account = STR(s->account_octets, account.n);
	s->state = TRANSACTION;
	if (who.notice.n)
		return good(str_c(s->cmd, str_fmt(s->cmd, "welcome - %.*s", FMT(who.notice))));
	return good("welcome");
}

/* USER name                                                            RFC 1939 7 */
struct answer pop3_cmd_user(struct pop3 *s, struct scan *in)
{
	struct str name = in->rest;

	if (!name.n || name.n > SASL_USER_MAX)
		return bad("usage: USER name");
	memcpy(s->user_octets, name.p, name.n);
	s->user = STR(s->user_octets, name.n);
	if (!io_tls(s->io).on)
		return bad(clear_text);
	return good("and the password?");
}

/* PASS string; it may have spaces in it.                               RFC 1939 7 */
struct answer pop3_cmd_pass(struct pop3 *s, struct scan *in)
{
	struct str user = s->user, password = in->rest;

	if (!io_tls(s->io).on) {
		if (user.n)
			keeper_cleartext(s->srv->keeper, user, io_peer(s->io).ip, "pop3");
		s->user = S_NONE;
		return bad(clear_text);
	}
	if (!user.n)
		return bad("say USER first");
	if (!password.n || password.n > SASL_PASSWORD_MAX)
		return bad("usage: PASS password");
	return login(s, user, password);
}

/* Asks for what is still missing. ok: x has user and password. RFC 5034 4 */
static struct answer exchange(struct pop3 *s, struct sasl *x, struct str initial)
{
	enum sasl_result got = initial.n ? sasl_step(x, s->cmd, initial) : SASL_MORE;

	while (got == SASL_MORE) {
		struct str line;

		io_fmt(s->io, "+ %s\r\n", sasl_prompt(x));
		enum err e = io_line(s->io, s->cmd, SASL_LINE_MAX, &line); /* suspends */

		if (e && e != E_LIMIT)
			return answer_read(s, e);
		if (e)
			return bad("line too long");
		if (str_is(line, "*"))
			return bad("given up");
		got = sasl_step(x, s->cmd, line);
	}
	return got == SASL_DONE ? good("") : bad("response not understood");
}

/* AUTH mechanism [initial-response]                                    RFC 5034 4 */
struct answer pop3_cmd_auth(struct pop3 *s, struct scan *in)
{
	struct str mechanism = scan_word(in), initial = str_trim(in->rest);
	struct sasl x;
	bool known = sasl_start(&x, mechanism);

	if (!io_tls(s->io).on) {
		if (known && initial.n && sasl_step(&x, s->cmd, initial) == SASL_DONE)
			keeper_cleartext(s->srv->keeper, x.user, io_peer(s->io).ip, "pop3");
		return bad(clear_text);
	}
	if (!known)
		return bad("mechanism not known; PLAIN and LOGIN are");

	struct answer a = exchange(s, &x, initial);

	return a.ok ? login(s, x.user, x.password) : a;
}
