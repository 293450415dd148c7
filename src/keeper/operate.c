/* SPDX-License-Identifier: ISC */
/* keeper/operate.c - the operator's calls: each result that is no OK gets its sentence. */
#include "base/clock.h"
#include "base/log.h"
#include "box/box.h"
#include "keeper/dkim.h"
#include "keeper/life.h"
#include "keeper/password.h"
#include "keeper/record.h"
#include "keeper/serve_priv.h"

enum { ROWS_MAX = 200, ROWS_OCTETS = 64 * 1024 };

enum err op_say(struct asked *q, enum err e, const char *text, struct str what)
{
	q->why = str_fmt(q->a, "%.*s: %s", FMT(str_part(what, 0, 300)), text);
	return e;
}

static enum err take_domain(struct asked *q, struct str *out)
{
	struct str text = scan_blob(q->in);

	if (!scan_end(q->in))
		return E_SYNTAX;
	if (name_domain(q->a, text, out))
		return op_say(q, E_SYNTAX, "this is no domain name", text);
	return OK;
}

enum err op_address(struct asked *q, struct str text, bool catch_all, struct name *out)
{
	if (name_parse(q->a, text, catch_all, out))
		return op_say(
			q, E_SYNTAX,
			catch_all ? "this is no address (user@domain, or *@domain for all others)"
				  : "this is no address (user@domain)",
			text);
	return OK;
}

/* --- domains --- */

enum err op_domain_add(struct asked *q)
{
	struct str domain;
	enum err e = take_domain(q, &domain);

	if (e)
		return e;
	e = directory_domain_add(q->k->store, domain);
	if (e == E_EXISTS)
		return op_say(q, e, "this domain is there already", domain);
	if (e)
		return e;
	log_event(LOG_INFO, "domain.add", KV("domain", domain));
	e = dkim_forget(q->k->store, domain); /* what a crash left of one that was deleted */
	if (!e)
		e = dkim_add(q->k->store, domain, q->a);
	if (e) /* the domain is there, and can be given keys later */
		log_event(LOG_WARN, "domain.unsigned", KV("domain", domain), KVE(e));
	return OK;
}

enum err op_domain_delete(struct asked *q)
{
	struct str domain;
	enum err e = take_domain(q, &domain);

	if (e)
		return e;
	e = directory_domain_delete(q->k->store, domain);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there is no such domain here", domain);
	if (e == E_DENIED)
		return op_say(
			q, e,
			"this domain still has users, aliases or invitations: delete them first",
			domain);
	if (e)
		return e;
	log_event(LOG_INFO, "domain.delete", KV("domain", domain));
	return dkim_forget(q->k->store, domain);
}

/* --- lists --- */

enum err op_page(struct asked *q, struct page *p)
{
	struct str domain = scan_blob(q->in);

	*p = (struct page){ .max = ROWS_MAX };
	p->after = scan_blob(q->in);
	if (!scan_end(q->in) || p->after.n > KEY_MAX)
		return E_SYNTAX;
	if (domain.n && name_domain(q->a, domain, &p->domain))
		return op_say(q, E_SYNTAX, "this is no domain name", domain);
	return OK;
}

bool op_row(struct asked *q, size_t i, const struct page *p)
{
	bool more = i < p->n && q->out->n < ROWS_OCTETS;

	buf_u8(q->out, more);
	return more;
}

void op_page_end(struct asked *q, size_t rows, const struct page *p, struct str last)
{
	buf_u8(q->out, p->more || rows < p->n);
	buf_blob(q->out, last);
}

enum err op_domain_list(struct asked *q)
{
	struct domain_row *r;
	struct page p;
	enum err e = op_page(q, &p);
	size_t i;

	if (!e)
		e = directory_domains(q->k->store, &p, q->a, &r);
	if (e)
		return e;
	for (i = 0; op_row(q, i, &p); i++) {
		buf_blob(q->out, r[i].domain);
		buf_u64(q->out, (uint64_t)r[i].created);
	}
	op_page_end(q, i, &p, i ? key_domain(q->a, r[i - 1].domain) : p.after);
	return OK;
}

static void put_guarantees(struct buf *b, struct guarantees g)
{
	buf_u8(b, (uint8_t)g.sending);
	buf_u8(b, g.receiving);
}

/* u32 account, blob address, u64 created, u64 quota, u64 password changed (0: none), u64 octets,
 * u64 messages, blob state, blob reason, u32 last day, guarantees: its own, and those in force. */
enum err op_put_user(struct asked *q, const struct user *u)
{
	struct box_usage use = { 0 };
	struct secret s = { 0 };
	enum err e = directory_secret(q->k->store, u->account, q->a, &s);

	if (!e || e == E_NOTFOUND)
		e = box_usage(q->k->store, u->account, &use);
	if (e && e != E_NOTFOUND)
		return e;
	buf_u32(q->out, u->account);
	buf_blob(q->out, name_text(q->a, u->name));
	buf_u64(q->out, (uint64_t)u->created);
	buf_u64(q->out, u->quota);
	buf_u64(q->out, (uint64_t)s.changed);
	buf_u64(q->out, use.octets);
	buf_u64(q->out, use.messages);
	buf_blob(q->out, str_of(life_user_word(u, clock_wall())));
	buf_blob(q->out, u->state == USER_LOCKED ? u->lock_reason : u->send_reason);
	buf_u32(q->out, u->expires);
	put_guarantees(q->out, u->guarantees);
	put_guarantees(q->out, guarantees_both(u->guarantees, q->k->conf.rules.least));
	return OK;
}

/* Rows of op_put_user. */
enum err op_user_list(struct asked *q)
{
	struct user *u;
	struct page p;
	enum err e = op_page(q, &p);
	size_t i;

	if (!e)
		e = directory_users(q->k->store, &p, q->a, &u);
	if (e)
		return e;
	for (i = 0; op_row(q, i, &p); i++) {
		e = op_put_user(q, &u[i]);
		if (e)
			return e;
	}
	op_page_end(q, i, &p, i ? key_user(q->a, u[i - 1].name) : p.after);
	return OK;
}

/* Row: blob address, u64 created, u32 n, n * blob target. */
enum err op_alias_list(struct asked *q)
{
	struct alias *l;
	struct page p;
	enum err e = op_page(q, &p);
	size_t i;

	if (!e)
		e = directory_aliases(q->k->store, &p, q->a, &l);
	if (e)
		return e;
	for (i = 0; op_row(q, i, &p); i++) {
		buf_blob(q->out, name_text(q->a, l[i].name));
		buf_u64(q->out, (uint64_t)l[i].created);
		buf_u32(q->out, (uint32_t)l[i].ntargets);
		for (size_t j = 0; j < l[i].ntargets; j++)
			buf_blob(q->out, name_written(q->a, l[i].targets[j]));
	}
	op_page_end(q, i, &p, i ? key_alias(q->a, l[i - 1].name) : p.after);
	return OK;
}

/* --- users --- */

/* The hash that is brought along, or that of a password which keeps to the rule. */
static enum err make_hash(struct asked *q, struct str user, struct str password, struct str given,
			  struct secret *out)
{
	const char *why;

	if (given.n) {
		*out = (struct secret){ .hash = given };
		if (password_hash_known(given, &why)) {
			q->why = str_of(why);
			return E_SYNTAX;
		}
		return OK;
	}
	struct password_verdict v = password_judge(q->k, password, user);
	if (v.fault) {
		q->why = str_fmt(q->a, "%s", v.en);
		return E_SYNTAX;
	}
	return login_hash(q->k->logins, user, password, q->a, out);
}

/* Gives E_EXISTS. */
static enum err taken(struct asked *q, struct name n, struct str text)
{
	bool invited = !directory_invited(q->k->store, n, clock_wall());

	return op_say(q, E_EXISTS,
		      invited ? "an invitation reserves this address (invite list, invite delete)"
			      : "a user or an alias has this address already",
		      text);
}

enum err op_user_add(struct asked *q)
{
	struct str text = scan_blob(q->in), password = scan_blob(q->in), given = scan_blob(q->in);
	uint64_t quota = scan_u64(q->in);
	struct secret fresh;
	struct user old;
	struct name n;
	uint32_t account;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, false, &n);
	if (e)
		return e;
	if (!directory_user(q->k->store, n, q->a, &old)) /* before the costly hash */
		return op_say(q, E_EXISTS, "this user is there already", text);
	e = make_hash(q, text, password, given, &fresh);
	if (!e)
		e = directory_user_add(q->k->store, n, &fresh, quota, &account);
	if (e == E_EXISTS)
		return taken(q, n, text);
	if (e == E_NOTFOUND)
		return op_say(q, e, "its domain is not one of ours: add it first (domain add)",
			      text);
	if (!e) {
		log_event(LOG_INFO, "user.add", KV("user", text), KVN("account", account));
		buf_u32(q->out, account);
	}
	return e;
}

enum err op_user_delete(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct name n;
	uint32_t account;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, false, &n);
	if (e)
		return e;
	e = directory_user_delete(q->k->store, n, &account);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there is no such user here", text);
	if (!e) {
		password_changed(q, account, 0, DELETED);
		if (sent_forget(q->k->sent, account)) /* he has sent while he was deleted */
			log_event(LOG_WARN, "account.leftover", KVN("account", account));
		log_event(LOG_INFO, "user.delete", KV("user", text), KVN("account", account));
	}
	return e;
}

enum err op_user_passwd(struct asked *q)
{
	struct str text = scan_blob(q->in), password = scan_blob(q->in), given = scan_blob(q->in);
	struct user u = { 0 };
	struct secret fresh;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_user(q, text, &u);
	if (!e)
		e = make_hash(q, text, password, given, &fresh);
	if (e)
		return e;
	e = directory_secret_put(q->k->store, u.account, &fresh);
	/* Even where it is not known whether the new one was stored: ask the hash again. */
	password_changed(q, u.account, 0, CHANGED);
	if (!e)
		log_event(LOG_INFO, "user.passwd", KV("user", text), KVN("account", u.account));
	return e;
}

/* --- aliases --- */

enum err op_alias_add(struct asked *q)
{
	struct str text = scan_blob(q->in);
	uint32_t n = scan_u32(q->in);
	struct name name;

	if (q->in->bad || n > ALIAS_TARGETS_MAX)
		return op_say(q, E_LIMIT, "an alias has at most 1000 targets", text);
	struct str *texts = ARENA_ARRAY(q->a, struct str, n);
	struct name *targets = ARENA_ARRAY(q->a, struct name, n);
	for (uint32_t i = 0; i < n; i++)
		texts[i] = scan_blob(q->in);
	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, true, &name);
	for (uint32_t i = 0; i < n && !e; i++)
		e = op_address(q, texts[i], false, &targets[i]);
	if (e)
		return e;
	e = directory_alias_add(q->k->store, name, targets, n);
	switch (e) {
	case OK: log_event(LOG_INFO, "alias.add", KV("alias", text), KVN("targets", n)); return OK;
	case E_EXISTS: return taken(q, name, text);
	case E_NOTFOUND:
		return op_say(q, e, "its domain is not one of ours: add it first (domain add)",
			      text);
	case E_LIMIT: return op_say(q, e, "no target, or too many (1000, 100 KiB at most)", text);
	default: return e;
	}
}

enum err op_alias_delete(struct asked *q)
{
	struct str text = scan_blob(q->in);
	struct name n;

	if (!scan_end(q->in))
		return E_SYNTAX;
	enum err e = op_address(q, text, true, &n);
	if (e)
		return e;
	e = directory_alias_delete(q->k->store, n);
	if (e == E_NOTFOUND)
		return op_say(q, e, "there is no such alias here", text);
	if (!e)
		log_event(LOG_INFO, "alias.delete", KV("alias", text));
	return e;
}
