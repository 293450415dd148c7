/* SPDX-License-Identifier: ISC */
/* keeper/serve.c - the calls of the workers, and the table of all calls. */
#include "base/clock.h"
#include "base/log.h"
#include "keeper/forward.h"
#include "keeper/life.h"
#include "keeper/serve_priv.h"
#include "keeper/srs.h"

struct path take_path(struct scan *in)
{
	struct path p;

	p.local = scan_blob(in);
	p.domain = scan_blob(in);
	p.utf8 = scan_u8(in) != 0;
	return p;
}

static enum err takes_mail(struct asked *q)
{
	struct life l;
	enum err e = life_read(q->k->store, q->a, &l);

	return e ? e : life_takes_mail(&l, clock_wall()) ? OK : E_READONLY;
}

static enum err call_route(struct asked *q)
{
	struct path to = take_path(q->in);
	struct route *r;
	size_t n;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e;
	if (srs_is(to.local)) {
		n = 1;
		r = ARENA_NEW(q->a, struct route);
		e = forward_back(q->k->store, to, q->a, r);
	} else {
		e = route_find(q->k->store, &q->k->conf.rules, to, q->a, &r, &n);
	}
	if (!e)
		e = takes_mail(q);
	if (e)
		return e;
	buf_u32(q->out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_u32(q->out, r[i].account);
		buf_blob(q->out, r[i].address);
		buf_blob(q->out, r[i].mailbox);
		buf_u64(q->out, r[i].quota);
		buf_u8(q->out, r[i].encrypted);
		buf_u8(q->out, r[i].expired);
		buf_u8(q->out, r[i].back);
	}
	return q->out->full ? E_LIMIT : OK;
}

struct find_domain {
	struct str domain;
};

static enum err find_domain(struct tx *tx, void *arg)
{
	int64_t created;

	return dir_domain(tx, ((struct find_domain *)arg)->domain, &created);
}

static enum err call_domain(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct find_domain f;

	if (!scan_end(q->in))
		return E_SYNTAX;
	if (name_domain(q->a, text, &f.domain))
		return E_NOTFOUND;
	return store_read(q->k->store, S(DIRECTORY_PARTITION), find_domain, &f);
}

static enum err call_rewrite(struct asked *q)
{
	struct path sender = take_path(q->in);
	struct str domain = scan_blob(q->in), out;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = forward_rewrite(q->k->store, sender, domain, q->a, &out);
	if (!e)
		buf_blob(q->out, out);
	return e;
}

bool take_try(struct asked *q, struct login_try *t)
{
	t->user = scan_blob(q->in);
	t->password = scan_blob(q->in);
	t->ip = scan_blob(q->in);
	t->proto = str_c(q->a, scan_blob(q->in));
	t->tls = scan_u8(q->in) != 0;
	t->conn = scan_u64(q->in);
	t->port = scan_u16(q->in);
	t->program = scan_blob(q->in);
	return scan_end(q->in);
}

static enum err call_login(struct asked *q)
{
	struct login_try t;
	struct login l = { 0 };

	if (!take_try(q, &t))
		return E_SYNTAX;
	enum err e = login_check(q->k->logins, &t, q->a, &l);
	if (e == E_LIMIT || (e == E_DENIED && l.refused.n)) {
		buf_u8(q->out, e == E_LIMIT ? LOGIN_CLOSED : LOGIN_REFUSED);
		buf_blob(q->out, e == E_LIMIT ? l.closed : l.refused);
		return OK;
	}
	if (e)
		return e;
	buf_u8(q->out, LOGIN_GOOD);
	buf_u32(q->out, l.account);
	buf_blob(q->out, l.address);
	buf_u64(q->out, l.quota);
	buf_blob(q->out, l.notice);
	return OK;
}

static enum err call_program(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct login_try t;

	if (!take_try(q, &t))
		return E_SYNTAX;
	login_program(q->k->logins, account, &t);
	return OK;
}

static enum err call_admit(struct asked *q)
{
	struct str ip = scan_blob(q->in);
	struct closed c;

	if (!scan_end(q->in))
		return E_SYNTAX;
	bool closed = guard_closed(q->k->guard, ip, &c);
	buf_blob(q->out, closed ? guard_sentence(q->k->guard, &c, q->a) : S(""));
	return OK;
}

/* The account, where it may have anything new. E_DENIED: there is none. */
static enum err take_account(struct asked *q, uint32_t account, struct user *u)
{
	enum err e = takes_mail(q);

	if (!e)
		e = directory_account(q->k->store, account, q->a, u);
	return e == E_NOTFOUND ? E_DENIED : e;
}

static enum err call_may_send(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct path from = take_path(q->in);
	struct user u = { 0 };

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = take_account(q, account, &u);
	if (e)
		return e;
	struct words why = life_no_sending(&u, clock_wall(), q->a);
	if (!why.de.n && (from.local.n || from.domain.n))
		e = route_may_send(q->k->store, &q->k->conf.rules, account, from, q->a);
	if (e)
		return e;
	buf_blob(q->out, life_line(q->a, why));
	buf_u8(q->out, (uint8_t)guarantees_both(u.guarantees, q->k->conf.rules.least).sending);
	return OK;
}

static enum err call_may_append(struct asked *q)
{
	uint32_t account = scan_u32(q->in);
	struct user u = { 0 };

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = take_account(q, account, &u);
	if (e)
		return e;
	if (life_refused(&u, clock_wall(), q->a).de.n)
		return E_DENIED;
	buf_u64(q->out, u.quota);
	return OK;
}

static enum err call_cleartext(struct asked *q)
{
	struct login_try t;

	if (!take_try(q, &t))
		return E_SYNTAX;
	login_cleartext(q->k->logins, &t);
	return OK;
}

static enum err call_refused(struct asked *q)
{
	struct keeper_refusal r = { .from = take_path(q->in) };

	r.to = take_path(q->in);
	r.ip = scan_blob(q->in);
	r.host = scan_blob(q->in);
	r.n = scan_u32(q->in);
	if (q->in->bad || r.n > ALIAS_TARGETS_MAX)
		return E_SYNTAX;
	uint32_t *account = ARENA_ARRAY(q->a, uint32_t, r.n);
	for (size_t i = 0; i < r.n; i++)
		account[i] = scan_u32(q->in);
	if (!scan_end(q->in))
		return E_SYNTAX;
	r.account = account;
	refused_note(q->k->refused, &r);
	return OK;
}

static const struct call {
	enum keeper_call type;
	enum err (*run)(struct asked *q);
	unsigned faces;
} calls[] = {
	{ CALL_ROUTE, call_route, FACE_MX | FACE_SESSION | FACE_COURIER },
	{ CALL_DOMAIN, call_domain, FACE_MX | FACE_SESSION | FACE_COURIER },
	{ CALL_REWRITE, call_rewrite, FACE_MX | FACE_SESSION | FACE_COURIER },
	{ CALL_LOGIN, call_login, FACE_SESSION },
	{ CALL_PROGRAM, call_program, FACE_SESSION },
	{ CALL_ADMIT, call_admit, FACE_MX | FACE_SESSION },
	{ CALL_MAY_SEND, call_may_send, FACE_SESSION },
	{ CALL_REFUSED, call_refused, FACE_MX },
	{ CALL_CHANGE, call_change, FACE_SESSION },
	{ CALL_MAY_APPEND, call_may_append, FACE_SESSION },
	{ CALL_CLEARTEXT, call_cleartext, FACE_MX | FACE_SESSION },
	{ CALL_OWN_APPS, own_apps, FACE_SESSION },
	{ CALL_OWN_APP_ADD, own_app_add, FACE_SESSION },
	{ CALL_OWN_APP_DELETE, own_app_delete, FACE_SESSION },
	{ CALL_OWN_LOGINS, own_logins, FACE_SESSION },
	{ CALL_OWN_LOGOUT, own_logout, FACE_SESSION },
	{ CALL_OWN_SESSIONS, own_sessions, FACE_SESSION },
	{ CALL_OWN_GUARANTEES, own_guarantees, FACE_SESSION },
	{ CALL_OWN_GUARANTEES_SET, own_guarantees_set, FACE_SESSION },
	{ CALL_SERVICE, call_service, FACE_SESSION },
	{ CALL_INVITATION, call_invitation, FACE_SESSION },
	{ CALL_JOIN, call_join, FACE_SESSION },
	{ CALL_JUDGE, call_judge, FACE_SESSION },
	{ CALL_STANDING, call_standing, FACE_SESSION },
	{ CALL_NUMBERS, call_numbers, FACE_SESSION },
	{ CALL_SENDING_ASK, call_sending_ask, FACE_SESSION },
	{ CALL_SENDING_COUNT, call_sending_count, FACE_SESSION },
	{ CALL_DKIM_KEYS, call_dkim_keys, FACE_SESSION | FACE_COURIER },
	{ CALL_DKIM_SIGN, call_dkim_sign, FACE_SESSION | FACE_COURIER },
	{ CALL_DOMAIN_ADD, op_domain_add, FACE_OPERATOR },
	{ CALL_DOMAIN_DELETE, op_domain_delete, FACE_OPERATOR },
	{ CALL_DOMAIN_LIST, op_domain_list, FACE_OPERATOR },
	{ CALL_USER_ADD, op_user_add, FACE_OPERATOR },
	{ CALL_USER_DELETE, op_user_delete, FACE_OPERATOR },
	{ CALL_USER_PASSWD, op_user_passwd, FACE_OPERATOR },
	{ CALL_USER_LIST, op_user_list, FACE_OPERATOR },
	{ CALL_USER_SHOW, op_user_show, FACE_OPERATOR },
	{ CALL_USER_LIMITS, op_user_limits, FACE_OPERATOR },
	{ CALL_ALIAS_ADD, op_alias_add, FACE_OPERATOR },
	{ CALL_ALIAS_DELETE, op_alias_delete, FACE_OPERATOR },
	{ CALL_ALIAS_LIST, op_alias_list, FACE_OPERATOR },
	{ CALL_APP_ADD, op_app_add, FACE_OPERATOR },
	{ CALL_APP_LIST, op_app_list, FACE_OPERATOR },
	{ CALL_APP_DELETE, op_app_delete, FACE_OPERATOR },
	{ CALL_USER_LOGINS, op_user_logins, FACE_OPERATOR },
	{ CALL_LIFE_SHOW, op_life_show, FACE_OPERATOR },
	{ CALL_LIFE_SET, op_life_set, FACE_OPERATOR },
	{ CALL_INVITE, op_invite, FACE_OPERATOR },
	{ CALL_INVITE_LIST, op_invite_list, FACE_OPERATOR },
	{ CALL_INVITE_DELETE, op_invite_delete, FACE_OPERATOR },
	{ CALL_USER_SET, op_user_set, FACE_OPERATOR },
	{ CALL_SEAL, op_seal, FACE_OPERATOR },
	{ CALL_GUARD_LIST, op_guard_list, FACE_OPERATOR },
	{ CALL_GUARD_SHOW, op_guard_show, FACE_OPERATOR },
	{ CALL_GUARD_RELEASE, op_guard_release, FACE_OPERATOR },
	{ CALL_GUARD_BLOCK, op_guard_block, FACE_OPERATOR },
	{ CALL_DKIM_ADD, op_dkim_add, FACE_OPERATOR },
	{ CALL_DKIM_ROTATE, op_dkim_rotate, FACE_OPERATOR },
	{ CALL_DKIM_RETIRE, op_dkim_retire, FACE_OPERATOR },
	{ CALL_DKIM_LIST, op_dkim_list, FACE_OPERATOR },
};

/* The operator's result and its sentence travel as fields, before those of the call. */
static enum err run_operators(const struct call *c, struct asked *q, struct buf *out)
{
	struct buf fields = buf_new(IPC_MAX - 4096);

	q->out = &fields;
	enum err e = c->run(q);
	if (fields.full)
		e = E_LIMIT;
	if (e && q->why.n == 0)
		q->why = str_of(err_text(e));
	buf_u8(out, (uint8_t)e);
	buf_blob(out, str_part(q->why, 0, 2048));
	if (!e)
		buf_put(out, buf_str(&fields));
	buf_free(&fields);
	return OK;
}

static enum err serve(void *arg, struct message *m, struct arena *a, struct buf *out, int *out_fd)
{
	const struct side *side = arg;
	struct asked q = { .k = side->k, .side = side, .in = &m->in, .a = a, .out = out };

	(void)out_fd;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		const struct call *c = &calls[i];
		if (c->type != m->type)
			continue;
		if (!(c->faces & side->face)) {
			log_event(LOG_ERROR, "keeper.refused", KVN("call", m->type),
				  KVN("face", side->face));
			return E_DENIED;
		}
		return side->face == FACE_OPERATOR ? run_operators(c, &q, out) : c->run(&q);
	}
	return E_SYNTAX;
}

enum err keeping_new(struct store *st, const struct keeping_conf *conf, struct keeping **out)
{
	enum err e = directory_erase_all(st);

	*out = NULL;
	if (e)
		return e;
	struct keeping *k = NEW(struct keeping);
	k->store = st;
	k->conf = *conf;
	k->started = clock_wall();
	e = outside_new(k);
	if (!e)
		e = logins_new(st, k->guard, &k->logins);
	if (!e)
		e = sent_new(st, conf->sending, &k->sent);
	if (!e)
		e = refused_new(st, conf->refused_tell_s, &k->refused);
	if (!e)
		e = midnight_new(k);
	if (e) {
		keeping_close(&k);
		return e;
	}
	login_configure(k->logins, conf->rehash, &conf->slow);
	k->sides[0] = (struct side){ k, FACE_MX };
	k->sides[1] = (struct side){ k, FACE_SESSION };
	k->sides[2] = (struct side){ k, FACE_OPERATOR };
	k->sides[3] = (struct side){ k, FACE_COURIER };
	*out = k;
	return OK;
}

void keeping_configure(struct keeping *k, const struct keeping_conf *conf)
{
	k->conf = *conf;
	guard_configure(k->guard, &conf->guard);
	login_configure(k->logins, conf->rehash, &conf->slow);
	sent_configure(k->sent, conf->sending);
	refused_configure(k->refused, conf->refused_tell_s);
}

void keeping_close(struct keeping **k)
{
	if (!*k)
		return;
	/* Who asks goes first, then what is asked, then what that counts in. */
	midnight_close(*k);
	outside_hang_up(*k);
	if ((*k)->logins)
		logins_free(&(*k)->logins);
	sent_close(&(*k)->sent);
	refused_close(&(*k)->refused);
	outside_close(*k);
	free(*k);
	*k = NULL;
}

struct ipc_service keeping_side(struct side *s)
{
	return (struct ipc_service){ .serve = serve, .arg = s };
}

struct ipc_service keeping_service(struct keeping *k, enum face face)
{
	size_t i = 0;

	while (k->sides[i].face != face)
		i++;
	return keeping_side(&k->sides[i]);
}
