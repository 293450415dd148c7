/* SPDX-License-Identifier: ISC */
/* keeper/operate_app.c - the operator's calls about app passwords. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "keeper/serve_priv.h"

enum err op_user(struct asked *q, struct str text, struct user *u)
{
	struct name n;
	enum err e = op_address(q, text, false, &n);

	if (e)
		return e;
	e = directory_user(q->k->store, n, q->a, u);
	return e == E_NOTFOUND ? op_say(q, e, "there is no such user here", text) : e;
}

enum err op_app_add(struct asked *q)
{
	struct str address = scan_blob(q->in), name = scan_blob(q->in), limit = scan_blob(q->in);
	struct app app = { .name = name, .created = clock_wall() };
	char text[APP_TEXT + 1];
	struct user u = { 0 };

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, address, &u);
	if (e)
		return e;
	if (!app_name_ok(name))
		return op_say(q, E_SYNTAX, "a name has 1 to 64 octets, without controls", name);
	if (app_protocols_read(limit, &app.protocols))
		return op_say(q, E_SYNTAX, "protocols are imap, pop3, submission", limit);
	app_make(&app, text);
	e = directory_app_add(q->k->store, u.account, &app);
	if (e == E_EXISTS)
		return op_say(q, e, "the user has an app password of this name already", name);
	if (e == E_LIMIT)
		return op_say(q, e, "the user has 50 app passwords: delete one first", address);
	if (!e) {
		log_event(LOG_INFO, "app_password.add", KV("user", address),
			  KVN("account", u.account), KV("name", name));
		buf_blob(q->out, str_of(text));
	}
	sodium_memzero(text, sizeof(text));
	return e;
}

enum err op_app_list(struct asked *q)
{
	struct str address = scan_blob(q->in);
	struct user u = { 0 };
	struct apps l = { 0 };

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, address, &u);
	if (!e)
		e = directory_apps(q->k->store, u.account, q->a, &l);
	if (e)
		return e;
	buf_u32(q->out, (uint32_t)l.n);
	for (size_t i = 0; i < l.n; i++) {
		buf_blob(q->out, l.app[i].name);
		buf_blob(q->out, app_protocols_text(q->a, l.app[i].protocols));
		buf_u64(q->out, (uint64_t)l.app[i].created);
		buf_u64(q->out, (uint64_t)l.app[i].used);
	}
	return OK;
}

enum err op_app_delete(struct asked *q)
{
	struct str address = scan_blob(q->in), name = scan_blob(q->in);
	struct user u = { 0 };
	uint32_t id;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, address, &u);
	if (e)
		return e;
	e = directory_app_delete(q->k->store, u.account, name, &id);
	if (e == E_NOTFOUND)
		return op_say(q, e, "the user has no app password of this name", name);
	if (e)
		return e;
	log_event(LOG_INFO, "app_password.delete", KV("user", address), KVN("account", u.account),
		  KV("name", name));
	/* Which sessions came in with it is not known: all of the account log in anew. */
	password_changed(q, u.account, 0, WITHDRAWN);
	return OK;
}
