/* SPDX-License-Identifier: ISC */
/*
 * imap/auth.c - STARTTLS, LOGIN and AUTHENTICATE: RFC 3501 6.2, RFC 4959.
 * No password is taken over a line in clear: RFC 8314 4.
 */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"
#include "mail/sasl.h"

static const char private_only[] = "passwords only under TLS: STARTTLS first";

struct done imap_cmd_starttls(struct imap *s, struct scan *in)
{
	if (!scan_end(in))
		return done_bad("usage: STARTTLS");
	if (io_tls(s->io).on)
		return done_bad("TLS is on already");
	if (!s->srv->tls)
		return done_bad("TLS is not offered here");
	s->starttls = true;
	return done_ok("begin TLS now");
}

/* An account that the keeper knows and the store does not yet gets its mailboxes. */
static enum err prepare(struct imap *s)
{
	struct mailbox_info info;
	enum err e = box_status(s->srv->store, s->who.account, S("INBOX"), s->cmd, &info);

	return e == E_NOTFOUND ? box_account_create(s->srv->store, s->who.account) : e;
}

static struct done welcome(struct imap *s)
{
	if (s->who.notice.n) /* RFC 3501 7.1: the user sees it */
		io_fmt(s->io, "* OK [ALERT] %.*s\r\n", FMT(s->who.notice));
	s->who.notice = S_NONE;
	s->log = log_current ? *log_current : (struct log_context){ 0 };
	s->log.account = s->who.address;
	fiber_log_context(&s->log);
	/* That he came in is in the log already: the keeper decided it. */
	s->state = USER;
	s->bad = 0;
	struct done d = done_ok("logged in");

	d.code = str_fmt(s->cmd, "CAPABILITY %.*s", FMT(imap_capabilities(s)));
	return d;
}

static struct done login(struct imap *s, struct str user, struct str password)
{
	if (s->srv->internal && !s->spoken_for)
		return done_no("CONTACTADMIN", "ID has not said the browser's address before");
	struct login_try t = {
		user, password, io_peer(s->io).ip, "imap", true, 0, 0, STR(s->program, s->program_n)
	};
	enum err e = keeper_login(s->srv->keeper, &t, s->cmd, &s->who); /* suspends */

	explicit_bzero((char *)(uintptr_t)password.p, password.n);
	if (!e) {
		s->who.address = str_dup(s->arena, s->who.address);
		e = prepare(s);
		if (!e)
			return welcome(s);
	}
	const char *closed = str_c(s->cmd, str_fmt(s->cmd, "[ALERT] %.*s", FMT(s->who.closed)));
	struct str refused = s->who.refused;

	s->who = (struct login){ 0 };
	if (e != E_DENIED && e != E_LIMIT) /* those two the keeper has logged */
		log_event(LOG_WARN, "login.impossible", KV("user", user), KVE(e));
	if (e == E_LIMIT)
		return (struct done){ DONE_BYE, S_NONE, closed };
	if (e != E_DENIED)
		return done_err(e == E_NOTFOUND ? E_AGAIN : e);
	if (refused.n) /* RFC 5530 3 */
		return done_no("CONTACTADMIN", str_c(s->cmd, refused));
	if (++s->tries == LOGIN_TRIES_MAX)
		return (struct done){ DONE_BYE, S_NONE, "too many wrong passwords" };
	return done_no("AUTHENTICATIONFAILED",
		       "user name or password is wrong - Benutzername oder Passwort falsch");
}

static struct done in_clear(struct imap *s, struct str user)
{
	keeper_cleartext(s->srv->keeper, user, io_peer(s->io).ip, "imap");
	return done_no("PRIVACYREQUIRED", private_only);
}

struct done imap_cmd_login(struct imap *s, struct scan *in)
{
	struct str user = imap_astring(in, s->cmd);

	scan_lit(in, " ");
	struct str password = imap_astring(in, s->cmd);

	if (!scan_end(in))
		return done_bad("usage: LOGIN user password");
	if (!imap_private(s))
		return in_clear(s, user);
	if (user.n > SASL_USER_MAX || password.n > SASL_PASSWORD_MAX)
		return done_no("AUTHENTICATIONFAILED", "user name or password is too long");
	return login(s, user, password);
}

bool imap_refuses_literal(const struct imap *s, struct str text)
{
	struct scan in = scan(text);

	if (s->state != GUEST || imap_private(s))
		return false;
	imap_tag(&in);
	scan_lit(&in, " ");
	struct str name = scan_word(&in);

	return str_iis(name, "LOGIN") || str_iis(name, "AUTHENTICATE");
}

/* One challenge and its answer; the client may give up with "*". RFC 3501 6.2.2 */
static struct done ask(struct imap *s, struct sasl *x, enum sasl_result *step)
{
	struct str line;

	io_fmt(s->io, "+ %s\r\n", sasl_prompt(x));
	enum err e = io_line(s->io, s->cmd, SASL_LINE_MAX, &line); /* suspends */

	if (e)
		return done_io(e);
	if (str_is(line, "*"))
		return done_bad("AUTHENTICATE given up");
	*step = sasl_step(x, s->cmd, line);
	return done_ok("answered");
}

/* AUTHENTICATE mechanism [SP initial response]                 RFC 3501 6.2.2, RFC 4959 3 */
struct done imap_cmd_authenticate(struct imap *s, struct scan *in)
{
	struct sasl x;
	enum sasl_result step = SASL_MORE;
	struct str mechanism = imap_atom(in);
	bool initial = scan_opt(in, " ");
	struct str first = initial ? scan_word(in) : S_NONE;

	if (!scan_end(in) || (initial && first.n == 0))
		return done_bad("usage: AUTHENTICATE mechanism [initial response]");
	if (!sasl_start(&x, mechanism))
		return done_no(NULL, "this mechanism is not offered: PLAIN or LOGIN, under TLS");
	if (initial)
		step = sasl_step(&x, s->cmd, first);
	if (!imap_private(s))
		return initial && step == SASL_DONE ? in_clear(s, x.user)
						    : done_no("PRIVACYREQUIRED", private_only);
	while (step == SASL_MORE) {
		struct done d = ask(s, &x, &step);

		if (d.how != DONE_OK)
			return d;
	}
	if (step == SASL_BAD)
		return done_bad("the response is not in the grammar of this mechanism");
	return login(s, x.user, x.password);
}
