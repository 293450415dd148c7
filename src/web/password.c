/* SPDX-License-Identifier: ISC */
/* web/password.c - an account's owner gives it another password, with the old one. */
#include "web/web_priv.h"

#define TITLE "[[Passwort ändern||Change password]]"

/* The form, and why the last one was not taken ("" at first). */
static struct reply form(struct request *q, unsigned status, struct str fault)
{
	const struct web_conf *c = &q->web->conf;
	struct str user = form_get(&q->form, "user");
	const struct value v[] = {
		{ "fault", fault },
		{ "user", user },
		{ "token", token_make(q) },
		{ "min", str_fmt(q->a, "%u", c->password_min) },
		{ "classes",
		  c->password_classes ? str_fmt(q->a, "%u", c->password_classes) : S("") },
	};

	return page(q, status, "password.html", TITLE, v);
}

static struct reply fault(struct request *q, unsigned status, const char *de, const char *en)
{
	return form(q, status, text_in(q, de, en));
}

struct str password_differs(const struct request *q)
{
	return text_in(q, "Das neue Passwort und seine Wiederholung sind verschieden.",
		       "The new password and its repetition differ.");
}

struct reply password_form(struct request *q)
{
	return form(q, 200, S(""));
}

static struct reply done(struct request *q, const struct change *c)
{
	const struct value v[] = {
		{ "advice", q->lang == LANG_DE ? c->advice_de : c->advice_en },
		{ "score", str_fmt(q->a, "%u", c->score) },
	};

	return page(q, 200, "password_done.html", "[[Passwort geändert||Password changed]]", v);
}

static struct reply not_proved(struct request *q, enum err e)
{
	struct standing s = { 0 };

	if (e != E_DENIED && e != E_LIMIT)
		return fault(q, 503, "Das geht gerade nicht: bitte in einer Minute noch einmal.",
			     "Not just now: please try again in a minute.");
	if (!keeper_standing(q->web->keeper, q->head.address, &s) && s.state != LOCKOUT_OPEN) {
		struct sentence closed = text_closed(q->a, &s);
		return form(q, 403, q->lang == LANG_DE ? closed.de : closed.en);
	}
	return fault(q, 403, "Benutzername oder bisheriges Passwort ist falsch.",
		     "The user name or the current password is wrong.");
}

struct reply password_change(struct request *q)
{
	static const char *const names[] = { "user", "password", "new", "again", "token", NULL };
	struct str fresh = form_get(&q->form, "new");
	struct change c = { 0 };

	if (!form_has_only(&q->form, names))
		return page_bad_form(q);
	if (!token_ok(q))
		return form(q, 403, token_fault(q));
	if (!str_eq(fresh, form_get(&q->form, "again")))
		return form(q, 422, password_differs(q));
	struct login_try t = { .user = form_get(&q->form, "user"),
			       .password = form_get(&q->form, "password"),
			       .ip = q->head.address,
			       .proto = "web",
			       .tls = true };
	enum err e = keeper_change_password(q->web->keeper, &t, fresh, q->a, &c);
	if (e)
		return not_proved(q, e);
	if (!str_is(c.word, "ok"))
		return form(q, 422, q->lang == LANG_DE ? c.de : c.en);
	return done(q, &c);
}
