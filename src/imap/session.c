/* SPDX-License-Identifier: ISC */
/* imap/session.c - one connection: greeting, commands one after the other, goodbye. */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"

enum {
	UID_TOO = 1, /* UID may stand before it */
	HOLD = 2,    /* no EXPUNGE while it runs, unless by UID: RFC 3501 7.4.1 */
};

static const struct verb {
	const char *name;
	struct done (*run)(struct imap *s, struct scan *in);
	unsigned when, flags;
} verbs[] = {
	{ "CAPABILITY", imap_cmd_capability, ANY, 0 },           /* RFC 3501 6.1.1 */
	{ "NOOP", imap_cmd_noop, ANY, 0 },                       /* RFC 3501 6.1.2 */
	{ "LOGOUT", imap_cmd_logout, ANY, 0 },                   /* RFC 3501 6.1.3 */
	{ "ID", imap_cmd_id, ANY, 0 },                           /* RFC 2971 3.1 */
	{ "STARTTLS", imap_cmd_starttls, GUEST, 0 },             /* RFC 3501 6.2.1 */
	{ "AUTHENTICATE", imap_cmd_authenticate, GUEST, 0 },     /* RFC 3501 6.2.2, RFC 4959 */
	{ "LOGIN", imap_cmd_login, GUEST, 0 },                   /* RFC 3501 6.2.3 */
	{ "ENABLE", imap_cmd_enable, LOGGED_IN, 0 },             /* RFC 5161 3.1 */
	{ "NAMESPACE", imap_cmd_namespace, LOGGED_IN, 0 },       /* RFC 2342 5 */
	{ "SELECT", imap_cmd_select, LOGGED_IN, 0 },             /* RFC 3501 6.3.1 */
	{ "EXAMINE", imap_cmd_examine, LOGGED_IN, 0 },           /* RFC 3501 6.3.2 */
	{ "CREATE", imap_cmd_create, LOGGED_IN, 0 },             /* RFC 3501 6.3.3, RFC 6154 3 */
	{ "DELETE", imap_cmd_delete, LOGGED_IN, 0 },             /* RFC 3501 6.3.4 */
	{ "RENAME", imap_cmd_rename, LOGGED_IN, 0 },             /* RFC 3501 6.3.5 */
	{ "SUBSCRIBE", imap_cmd_subscribe, LOGGED_IN, 0 },       /* RFC 3501 6.3.6 */
	{ "UNSUBSCRIBE", imap_cmd_unsubscribe, LOGGED_IN, 0 },   /* RFC 3501 6.3.7 */
	{ "LIST", imap_cmd_list, LOGGED_IN, 0 },                 /* RFC 3501 6.3.8, RFC 5258 */
	{ "LSUB", imap_cmd_lsub, LOGGED_IN, 0 },                 /* RFC 3501 6.3.9 */
	{ "STATUS", imap_cmd_status, LOGGED_IN, 0 },             /* RFC 3501 6.3.10 */
	{ "GETQUOTA", imap_cmd_getquota, LOGGED_IN, 0 },         /* RFC 9208 4.1.1 */
	{ "GETQUOTAROOT", imap_cmd_getquotaroot, LOGGED_IN, 0 }, /* RFC 9208 4.1.2 */
	{ "SETQUOTA", imap_cmd_setquota, LOGGED_IN, 0 },         /* RFC 9208 4.1.3 */
	{ "APPEND", imap_cmd_append, LOGGED_IN, 0 },             /* RFC 3501 6.3.11 */
	{ "IDLE", imap_cmd_idle, LOGGED_IN, 0 },                 /* RFC 2177 3 */
	{ "CHECK", imap_cmd_check, SELECTED, 0 },                /* RFC 3501 6.4.1 */
	{ "CLOSE", imap_cmd_close, SELECTED, 0 },                /* RFC 3501 6.4.2 */
	{ "UNSELECT", imap_cmd_unselect, SELECTED, 0 },          /* RFC 3691 2 */
	{ "EXPUNGE", imap_cmd_expunge, SELECTED, UID_TOO },      /* RFC 3501 6.4.3, RFC 4315 2.1 */
	{ "SEARCH", imap_cmd_search, SELECTED, UID_TOO | HOLD }, /* RFC 3501 6.4.4, 6.4.8 */
	{ "SORT", imap_cmd_sort, SELECTED, UID_TOO | HOLD },     /* RFC 5256 3 */
	{ "THREAD", imap_cmd_thread, SELECTED, UID_TOO | HOLD }, /* RFC 5256 3 */
	{ "FETCH", imap_cmd_fetch, SELECTED, UID_TOO | HOLD },   /* RFC 3501 6.4.5, 6.4.8 */
	{ "STORE", imap_cmd_store, SELECTED, UID_TOO | HOLD },   /* RFC 3501 6.4.6, 6.4.8 */
	{ "COPY", imap_cmd_copy, SELECTED, UID_TOO },            /* RFC 3501 6.4.7, 6.4.8 */
	{ "MOVE", imap_cmd_move, SELECTED, UID_TOO },            /* RFC 6851 3.1, 3.2 */
};

static const struct verb *verb_find(struct str name)
{
	for (size_t i = 0; i < LENGTH(verbs); i++)
		if (str_iis(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

/* Runs one command; what other sessions did is told before its reply. */
static struct done run(struct imap *s, struct str text)
{
	struct scan in = scan(text);

	imap_tag(&in);
	scan_lit(&in, " ");
	struct str name = scan_word(&in);

	s->by_uid = str_iis(name, "UID");
	if (s->by_uid)
		name = scan_word(&in);
	const struct verb *v = verb_find(name);

	if (!v || (s->by_uid && !(v->flags & UID_TOO)))
		return done_bad("the command is not known");
	if (!(v->when & s->state))
		return done_bad(s->state == GUEST  ? "log in first"
				: v->when == GUEST ? "you are logged in already"
						   : "select a mailbox first");
	struct done d = v->run(s, &in);

	if (d.how >= DONE_BYE || !s->box)
		return d;
	/* A command that is here already may use the old numbers: an EXPUNGE waits for it too. */
	bool hold = ((v->flags & HOLD) && !s->by_uid) || io_buffered(s->io);
	struct done told = imap_sync(s, !hold, NULL);

	return told.how == DONE_OK ? d : told;
}

/* A message that its command did not read still comes if the client did not ask: RFC 7888. */
static struct done pass_literal(struct imap *s, struct done d)
{
	if (!s->waits || d.how >= DONE_BYE)
		return d;
	s->waits = false;
	if (s->literal.sync)
		return d;
	struct done skipped = imap_skip(s, s->literal.n);

	return skipped.how == DONE_OK ? d : skipped;
}

static void tagged(struct imap *s, const struct done *d)
{
	static const char *const words[] = { "OK ", "NO ", "BAD " };

	io_put(s->io, s->tag_n ? STR(s->tag, s->tag_n) : S("*"));
	io_put(s->io, S(" "));
	io_put(s->io, str_of(words[d->how]));
	if (d->code.n) {
		io_put(s->io, S("["));
		io_put(s->io, d->code);
		io_put(s->io, S("] "));
	}
	io_put(s->io, str_of(d->text));
	io_put(s->io, S("\r\n"));
}

static void reply(struct imap *s, const struct done *d)
{
	/* A session that is ended from outside is told why, where somebody knows. */
	struct str why = fiber_canceled() ? io_goodbye(s->io) : S_NONE;

	if (d->how == DONE_BYE)
		io_fmt(s->io, "* BYE %s%.*s\r\n", why.n ? "[ALERT] " : "",
		       FMT(why.n ? why : str_of(d->text)));
	if (d->how >= DONE_BYE) {
		s->ended = true;
		return;
	}
	tagged(s, d);
	if (d->how == DONE_OK && s->state != GUEST)
		s->bad = 0;
	if (d->how != DONE_BAD || s->ended)
		return;
	if (++s->bad >= (s->state == GUEST ? BAD_GUEST_MAX : BAD_USER_MAX)) {
		io_put(s->io, S("* BYE too many commands that are not understood\r\n"));
		s->ended = true;
	}
}

static void handshake(struct imap *s)
{
	s->starttls = false;
	if (io_flush(s->io) || io_tls_accept(s->io, s->srv->tls))
		s->ended = true;
}

static void commands(struct imap *s)
{
	while (!s->ended) {
		struct str text;

		arena_reset(s->cmd);
		struct done d = imap_read(s, &text);

		if (d.how == DONE_OK) {
			/* The guest's whole time is counted, from the greeting. */
			if (s->state != GUEST)
				io_deadline(s->io, clock_in(s->srv->conf->stall_ms));
			d = pass_literal(s, run(s, text));
		}
		reply(s, &d);
		buf_free(&s->out);
		if (s->starttls && !s->ended)
			handshake(s);
		if (io_failed(s->io))
			s->ended = true;
	}
}

void imap_serve(const struct imap_server *srv, struct io *io)
{
	struct log_context *outer = log_current;
	struct imap s = { .srv = srv, .io = io, .state = GUEST, .out = buf_new(OUT_MAX) };

	s.arena = arena_new(SESSION_ARENA_MAX);
	s.cmd = arena_new(CMD_ARENA_MAX);
	io_deadline(io, clock_in(srv->conf->login_ms));
	struct str caps = imap_capabilities(&s);

	io_fmt(io, "* OK [CAPABILITY %.*s] %.*s ready\r\n", FMT(caps), FMT(srv->conf->hostname));
	commands(&s);
	imap_deselect(&s);
	/* The caller's io_close sends what needs no wait; all of it, only while there is time. */
	if (!fiber_canceled() && io_flush(io))
		log_event(LOG_DEBUG, "goodbye.unheard");
	if (s.who.account) {
		log_event(LOG_INFO, "logout");
		fiber_log_context(outer);
	}
	buf_free(&s.out);
	arena_free(&s.cmd);
	arena_free(&s.arena);
}
