/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"
#include "smtp/session.h"
#include "smtp/wire.h"

/* A password that came in clear is not even looked at, but its owner must hear of it. */
static struct reply no_login(struct smtp *s, struct str mechanism, struct str initial)
{
	struct sasl x;

	if (!is_private(s) && sasl_start(&x, mechanism) && initial.n &&
	    sasl_step(&x, s->cmd, initial) == SASL_DONE)
		keeper_cleartext(s->srv->keeper, x.user, io_peer(s->io).ip,
				 is_submission(s) ? "submission" : "smtp");
	if (!is_submission(s))
		return reply(502, "5.5.1", "no login on this port, use port 465");
	return reply(538, "5.7.11", "say STARTTLS first"); /* RFC 4954 6 */
}

/* Asks for what is still missing. Code 0: x has user and password. RFC 4954 4 */
static struct reply exchange(struct smtp *s, struct sasl *x, struct str initial)
{
	enum sasl_result got = initial.n ? sasl_step(x, s->cmd, initial) : SASL_MORE;

	while (got == SASL_MORE) {
		struct str line;

		reply_put(s, reply(334, NULL, sasl_prompt(x)));
		enum err e = wire_line(s, s->cmd, SASL_LINE_MAX, &line); /* suspends */

		if (e == E_LIMIT)
			return reply(500, "5.5.6", "line too long");
		if (e) {
			struct reply r = reply_read(s, e);

			return r.code ? r : reply(421, "4.4.2", "closing");
		}
		if (str_is(line, "*"))
			return reply(501, "5.7.0", "given up");
		got = sasl_step(x, s->cmd, line);
	}
	if (got == SASL_BAD)
		return reply(501, "5.5.2", "response not understood");
	return (struct reply){ 0 };
}

static struct reply login(struct smtp *s, const struct sasl *x)
{
	struct login_try t = {
		.user = x->user,
		.password = x->password,
		.ip = io_peer(s->io).ip,
		.proto = "submission",
		.tls = is_private(s),
	};
	enum err e = keeper_login(s->srv->keeper, &t, s->cmd, &s->login); /* suspends */

	if (e) {
		if (e != E_DENIED && e != E_LIMIT) /* those two the keeper has logged */
			log_event(LOG_WARN, "login.impossible", KV("user", x->user), KVE(e));
		if (e == E_DENIED && s->login.refused.n) /* RFC 5248: X.7.13 goes with 525 */
			return reply(525, "5.7.13", str_c(s->cmd, s->login.refused));
		if (e == E_DENIED)
			return reply(535, "5.7.8",
				     "user name or password is wrong\n"
				     "Benutzername oder Passwort ist falsch");
		if (e == E_LIMIT)
			return reply(421, "4.7.0", str_c(s->cmd, s->login.closed));
		return reply(454, "4.7.0", "login is not possible just now");
	}
	s->login.address = str_dup(s->session, s->login.address);
	s->authenticated = true;
	if (log_current)
		log_current->account = s->login.address;
	const char *text = "welcome";

	if (s->login.notice.n)
		text = str_c(s->cmd, str_fmt(s->cmd, "welcome - %.*s", FMT(s->login.notice)));
	s->login.notice = S_NONE; /* it lives as long as the command */
	return reply(235, "2.7.0", text);
}

/* AUTH mechanism [initial-response]                 RFC 4954 4 */
struct reply smtp_cmd_auth(struct smtp *s, struct scan *in)
{
	struct str mechanism = scan_word(in), initial = str_trim(in->rest);
	struct sasl x;

	if (!is_submission(s) || !is_private(s))
		return no_login(s, mechanism, initial);
	if (s->kind == SMTP_INTERNAL && !s->spoken_for)
		return reply(503, "5.5.1", "say XCLIENT ADDR=the browser's address first");
	if (s->authenticated)
		return reply(503, "5.5.1", "you have logged in already");
	if (!mechanism.n)
		return reply(501, "5.5.4", "usage: AUTH mechanism [initial-response]");
	if (!sasl_start(&x, mechanism))
		return reply(504, "5.5.4", "mechanism not known");

	struct reply r = exchange(s, &x, initial);

	return r.code ? r : login(s, &x);
}
