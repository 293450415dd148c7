/* SPDX-License-Identifier: ISC */
/* keeper/own.c - app passwords as their owner makes and withdraws them. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "keeper/life.h"
#include "keeper/serve_priv.h"

static enum err say(struct asked *q, const char *word, const char *de, const char *en)
{
	buf_blob(q->out, str_of(word));
	buf_blob(q->out, str_of(de));
	buf_blob(q->out, str_of(en));
	return OK;
}

/* No app password is for this: a device shall not make others, or read which there are. */
enum err own_prove(struct asked *q, const char *what, struct login_try *t, struct login *out)
{
	if (!take_try(q, t))
		return E_SYNTAX;
	t->proto = what; /* in the log and among the recent logins too */
	enum err e = login_check(q->k->logins, t, q->a, out);
	if (e != E_DENIED || !out->refused.n)
		return e;
	out->account = 0;
	return own_locked(q, t);
}

enum err own_locked(struct asked *q, const struct login_try *t)
{
	struct user u = { 0 };
	struct name n;
	enum err e = name_parse(q->a, t->user, false, &n);

	if (!e)
		e = directory_user(q->k->store, n, q->a, &u);
	if (e)
		return e == E_NOTFOUND ? E_DENIED : e;
	struct words w = life_sentences(q->a, life_refused(&u, clock_wall(), q->a));
	buf_blob(q->out, S("locked"));
	buf_blob(q->out, w.de);
	buf_blob(q->out, w.en);
	return OK;
}

static enum err prove(struct asked *q, struct login_try *t, struct login *out)
{
	return own_prove(q, "app passwords", t, out);
}

enum err own_apps(struct asked *q)
{
	struct login l = { 0 };
	struct apps list = { 0 };
	struct login_try t;

	enum err e = prove(q, &t, &l);
	if (!e && l.account)
		e = directory_apps(q->k->store, l.account, q->a, &list);
	if (e || !l.account)
		return e;
	say(q, "ok", "", "");
	buf_u32(q->out, (uint32_t)list.n);
	for (size_t i = 0; i < list.n; i++) {
		buf_blob(q->out, list.app[i].name);
		buf_blob(q->out, app_protocols_text(q->a, list.app[i].protocols));
		buf_u64(q->out, (uint64_t)list.app[i].created);
		buf_u64(q->out, (uint64_t)list.app[i].used);
	}
	return OK;
}

enum err own_app_add(struct asked *q)
{
	struct app app = { .name = scan_blob(q->in), .created = clock_wall() };
	struct str protocols = scan_blob(q->in);
	char text[APP_TEXT + 1];
	struct login l = { 0 };
	struct login_try t;

	enum err e = prove(q, &t, &l);
	if (e || !l.account)
		return e;
	if (!app_name_ok(app.name))
		return say(q, "bad_name", "Der Name muss 1 bis 64 Zeichen lang sein.",
			   "The name must have 1 to 64 characters.");
	if (app_protocols_read(protocols, &app.protocols))
		return say(q, "bad_protocols", "Dieses Protokoll gibt es nicht.",
			   "There is no such protocol.");
	app_make(&app, text);
	e = directory_app_add(q->k->store, l.account, &app);
	if (!e) {
		log_event(LOG_INFO, "app_password.add", KV("user", l.address),
			  KVN("account", l.account), KV("name", app.name), KV("ip", t.ip));
		say(q, "ok", "", "");
		buf_blob(q->out, str_of(text));
	}
	sodium_memzero(text, sizeof text);
	if (e == E_EXISTS)
		return say(q, "exists", "Es gibt schon ein App-Passwort mit diesem Namen.",
			   "There is an app password of this name already.");
	if (e == E_LIMIT)
		return say(q, "limit",
			   "Mehr als 50 App-Passwörter gibt es nicht: löschen Sie eines.",
			   "There are no more than 50 app passwords: delete one first.");
	return e;
}

enum err own_app_delete(struct asked *q)
{
	struct str name = scan_blob(q->in);
	struct login l = { 0 };
	struct login_try t;
	uint32_t id;

	enum err e = prove(q, &t, &l);
	if (e || !l.account)
		return e;
	e = directory_app_delete(q->k->store, l.account, name, &id);
	if (e == E_NOTFOUND)
		return say(q, "not_found", "Es gibt kein App-Passwort mit diesem Namen.",
			   "There is no app password of this name.");
	if (e)
		return e;
	log_event(LOG_INFO, "app_password.delete", KV("user", l.address), KVN("account", l.account),
		  KV("name", name), KV("ip", t.ip));
	password_changed(q, l.account, t.conn, WITHDRAWN);
	return say(q, "ok", "", "");
}

enum err own_logout(struct asked *q)
{
	struct login l = { 0 };
	struct login_try t;

	enum err e = own_prove(q, "logout", &t, &l);
	if (e || !l.account)
		return e;
	struct session_end end = { .account = l.account,
				   .reason = S(
					   "abgemeldet von woanders / logged out from elsewhere") };
	keeping_end_sessions(q->k, &end, NULL);
	log_event(LOG_INFO, "sessions.end", KV("user", l.address), KVN("account", l.account),
		  KV("ip", t.ip));
	return say(q, "ok", "", "");
}

enum err own_sessions(struct asked *q)
{
	enum { MAX = 4 * SESSIONS_MAX };
	struct session_row *row = ARENA_ARRAY(q->a, struct session_row, MAX);
	struct login l = { 0 };
	struct login_try t;

	enum err e = own_prove(q, "sessions", &t, &l);
	if (e || !l.account)
		return e;
	say(q, "ok", "", "");
	size_t n = keeping_sessions(q->k, l.account, q->a, row, MAX);
	buf_u32(q->out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_blob(q->out, row[i].protocol);
		buf_blob(q->out, row[i].address);
		buf_u64(q->out, (uint64_t)row[i].since);
	}
	return OK;
}
