/* SPDX-License-Identifier: ISC */
/* keeper/change.c - is a new password taken, and the change by its owner. */
#include "base/clock.h"
#include "base/log.h"
#include "fiber/fiber.h"
#include "keeper/serve_priv.h"

struct finding {
	const struct leaked *list;
	struct str password;
	bool found;
	enum err result;
};

static void find(void *arg)
{
	struct finding *f = arg;

	f->result = leaked_find(f->list, f->password, &f->found);
}

struct password_verdict password_judge(const struct keeping *k, struct str password,
				       struct str user)
{
	struct password_policy p = { .min = k->conf.password_min,
				     .classes = k->conf.password_classes,
				     .user = user };
	struct password_verdict v = password_rule(password, &p);

	if (v.fault || !k->conf.leaked)
		return v;
	struct leaked *list = leaked_hold(k->conf.leaked); /* a reload may come meanwhile */
	struct finding f = { .list = list, .password = password };
	work_run(find, &f);
	leaked_close(&list);
	/* A list that is out of order refuses nobody: it is the operator's to mend. */
	if (f.result)
		log_event(LOG_ERROR, "password.leaked", KVE(f.result));
	p.leaked = f.found;
	return password_rule(password, &p);
}

void password_changed(struct asked *q, uint32_t account, uint64_t except, const char *why)
{
	struct session_end end = { .account = account, .except = except, .reason = str_of(why) };

	login_forget(q->k->logins, account); /* first: whoever is answered later is not in */
	keeping_end_sessions(q->k, &end, q->side);
}

void password_put(struct buf *b, const struct password_verdict *v)
{
	buf_blob(b, str_of(v->word));
	buf_blob(b, str_of(v->de));
	buf_blob(b, str_of(v->en));
	buf_u8(b, (uint8_t)v->strength.score);
	buf_blob(b, str_of(v->strength.de));
	buf_blob(b, str_of(v->strength.en));
}

/* The password was right, but it is no longer for its owner to change. */
static enum err locked(struct asked *q, const struct login_try *t)
{
	enum err e = own_locked(q, t);

	if (e)
		return e;
	buf_u8(q->out, 0);
	buf_blob(q->out, S(""));
	buf_blob(q->out, S(""));
	return OK;
}

/* The old password was right when the login was looked at: another that has come since stays,
 * whoever gave it, for this one may be the thief's. */
static enum err change(struct asked *q, const struct login *l, struct str password, uint64_t conn)
{
	struct secret fresh;
	enum err e = login_hash(q->k->logins, l->address, password, q->a, &fresh);

	if (e)
		return e;
	fresh.serial = l->serial;
	e = directory_secret_replace(q->k->store, l->account, &fresh);
	if (e == E_NOTFOUND)
		return E_AGAIN;
	/* Even where it is not known whether the new one was stored. */
	password_changed(q, l->account, conn, CHANGED);
	return e;
}

enum err call_change(struct asked *q)
{
	struct str password = scan_blob(q->in);
	struct login_try t;
	struct login l = { 0 };

	if (!take_try(q, &t))
		return E_SYNTAX;
	t.proto = "password"; /* no app password is for this: a device shall not take over */
	enum err e = login_check(q->k->logins, &t, q->a, &l);
	if (e == E_DENIED && l.refused.n)
		return locked(q, &t);
	if (e)
		return e;
	struct password_verdict v = password_judge(q->k, password, l.address);
	if (!v.fault)
		e = change(q, &l, password, t.conn);
	if (e)
		return e;
	log_event(LOG_INFO, v.fault ? "password.refused" : "password.change", KV("user", l.address),
		  KVN("account", l.account), KV("ip", t.ip), KVC("reason", v.word));
	if (!v.fault)
		q->k->changed++;
	password_put(q->out, &v);
	return OK;
}

enum err call_judge(struct asked *q)
{
	struct str user = scan_blob(q->in), password = scan_blob(q->in);

	if (!scan_end(q->in))
		return E_SYNTAX;
	struct password_verdict v = password_judge(q->k, password, user);
	password_put(q->out, &v);
	return OK;
}
