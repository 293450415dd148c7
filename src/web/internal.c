/* SPDX-License-Identifier: ISC */
/* web/internal.c - what the webmail asks for its user: docs/webapi.md. */
#include "web/internal.h"

json_t *internal_text(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.n);

	return j ? j : json_string(""); /* not UTF-8: none of ours */
}

json_t *internal_both(struct str de, struct str en)
{
	return json_pack("{s:o, s:o}", "de", internal_text(de), "en", internal_text(en));
}

/* The object becomes the body and is freed. The address's lock is told beside all else. */
struct reply internal_answer(struct request *q, unsigned status, const char *result, json_t *o)
{
	struct str addr = form_get(&q->form, "addr");
	struct standing s = { 0 };

	json_object_set_new(o, "result", json_string(result));
	if (addr.n && !keeper_standing(q->web->keeper, addr, &s) && s.state != LOCKOUT_OPEN) {
		struct sentence closed = text_closed(q->a, &s);
		json_t *c = internal_both(closed.de, closed.en);
		json_object_set_new(c, "until", json_integer(s.until));
		json_object_set_new(o, "closed", c);
	}
	char *dump = json_dumps(o, JSON_COMPACT);
	BUG_IF(!dump);
	struct str body = str_dup(q->a, str_of(dump));
	free(dump);
	json_decref(o);
	return (struct reply){ status, "application/json", body };
}

static struct reply reason(struct request *q, unsigned status, const char *result, const char *word,
			   struct sentence s)
{
	json_t *o = json_pack("{s:o}", "reason", internal_both(s.de, s.en));

	if (word)
		json_object_set_new(o, "word", json_string(word));
	return internal_answer(q, status, result, o);
}

struct reply internal_bad(struct request *q)
{
	return reason(q, 400, "bad", NULL,
		      (struct sentence){ S("Diese Anfrage ist nicht zu verstehen."),
					 S("This request cannot be understood.") });
}

/* What kept the keeper from looking at it. */
struct reply internal_failed(struct request *q, enum err e)
{
	struct standing s = { 0 };

	if (e == E_DENIED)
		return reason(q, 200, "denied", NULL,
			      (struct sentence){ S("Benutzername oder Passwort ist falsch."),
						 S("The user name or the password is wrong.") });
	if (e == E_LIMIT && !keeper_standing(q->web->keeper, form_get(&q->form, "addr"), &s) &&
	    s.state != LOCKOUT_OPEN)
		return internal_answer(q, 200, "closed", json_object());
	return reason(
		q, 503, "again", NULL,
		(struct sentence){ S("Das geht gerade nicht: bitte in einer Minute noch einmal."),
				   S("Not just now: please try again in a minute.") });
}

/* The proof that each call brings. False: the form is not that of the call. */
bool internal_proof(struct request *q, const char *const *names, struct login_try *out)
{
	struct net address;

	*out = (struct login_try){ .user = form_get(&q->form, "user"),
				   .password = form_get(&q->form, "password"),
				   .ip = form_get(&q->form, "addr"),
				   .proto = "web",
				   .tls = true };
	if (!form_has_only(&q->form, names) || !net_address(out->ip, &address))
		return false;
	if (log_current)
		log_current->ip = out->ip;
	return true;
}

/* What all users may know. */
struct reply internal_service(struct request *q)
{
	static const char *const names[] = { NULL };
	struct service_says s;

	if (!form_has_only(&q->form, names))
		return internal_bad(q);
	enum err e = keeper_service(q->web->keeper, q->a, &s);
	if (e)
		return internal_failed(q, e == E_DENIED ? E_AGAIN : e);
	return internal_answer(q, 200, "ok",
			       json_pack("{s:o, s:o}", "word", internal_text(s.word), "notice",
					 internal_both(s.notice.de, s.notice.en)));
}

/* --- passwords --- */

static void put_strength(json_t *o, const struct change *c)
{
	json_object_set_new(o, "score", json_integer(c->score));
	json_object_set_new(o, "advice", internal_both(c->advice_de, c->advice_en));
}

struct reply internal_judge(struct request *q)
{
	static const char *const names[] = { "user", "new", NULL };
	struct change c = { 0 };

	if (!form_has_only(&q->form, names))
		return internal_bad(q);
	enum err e = keeper_judge(q->web->keeper, form_get(&q->form, "user"),
				  form_get(&q->form, "new"), q->a, &c);
	if (e)
		return internal_failed(q, e == E_DENIED ? E_AGAIN : e);
	json_t *o = json_pack("{s:o}", "word", internal_text(c.word));
	put_strength(o, &c);
	if (!str_is(c.word, "ok"))
		json_object_set_new(o, "reason", internal_both(c.de, c.en));
	return internal_answer(q, 200, "ok", o);
}

struct reply internal_password(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", "new", NULL };
	struct change c = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e =
		keeper_change_password(q->web->keeper, &t, form_get(&q->form, "new"), q->a, &c);
	if (e)
		return internal_failed(q, e);
	if (!str_is(c.word, "ok"))
		return reason(q, 200, "refused", str_c(q->a, c.word),
			      (struct sentence){ c.de, c.en });
	json_t *o = json_object();
	put_strength(o, &c);
	return internal_answer(q, 200, "ok", o);
}

/* Done, or why not. */
static struct reply said(struct request *q, const struct said *s, json_t *o)
{
	if (str_is(s->word, "ok"))
		return internal_answer(q, 200, "ok", o);
	json_decref(o);
	return reason(q, 200, "refused", str_c(q->a, s->word), (struct sentence){ s->de, s->en });
}

/* --- guarantees --- */

static json_t *guarantees(struct guarantees g)
{
	return json_pack("{s:s, s:s}", "sending", guarantee_word(g.sending), "receiving",
			 guarantee_receiving_word(g.receiving));
}

static struct reply both_guarantees(struct request *q, const struct said *s,
				    const struct own_guarantees *g)
{
	return said(
		q, s,
		json_pack("{s:o, s:o}", "own", guarantees(g->own), "least", guarantees(g->least)));
}

struct reply internal_guarantees(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", NULL };
	struct own_guarantees g = { 0 };
	struct said s = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_guarantees(q->web->keeper, &t, q->a, &s, &g);
	return e ? internal_failed(q, e) : both_guarantees(q, &s, &g);
}

struct reply internal_guarantees_set(struct request *q)
{
	static const char *const names[] = { "user",    "password",  "addr",
					     "sending", "receiving", NULL };
	struct own_guarantees g = { 0 };
	struct said s = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_guarantees_set(q->web->keeper, &t, form_get(&q->form, "sending"),
					   form_get(&q->form, "receiving"), q->a, &s, &g);
	return e ? internal_failed(q, e) : both_guarantees(q, &s, &g);
}

/* --- app passwords --- */

static json_t *words(struct str list)
{
	json_t *all = json_array();

	while (list.n) {
		size_t end = str_find(list, ',');
		json_array_append_new(all, internal_text(str_part(list, 0, end)));
		list = str_from(list, end + 1);
	}
	return all;
}

struct reply internal_apps(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", NULL };
	struct own_app *app;
	struct said s = { 0 };
	struct login_try t;
	size_t n;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_apps(q->web->keeper, &t, q->a, &s, &app, &n);
	if (e || !str_is(s.word, "ok"))
		return e ? internal_failed(q, e) : said(q, &s, json_object());
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}", "name",
						      internal_text(app[i].name), "protocols",
						      words(app[i].protocols), "created",
						      (json_int_t)app[i].created, "used",
						      (json_int_t)app[i].used));
	return internal_answer(q, 200, "ok", json_pack("{s:o}", "apps", list));
}

static json_t *recent(const struct recent_login *l)
{
	return json_pack("{s:I, s:I, s:i, s:b, s:o, s:o, s:o, s:o, s:o}", "first",
			 (json_int_t)l->first, "last", (json_int_t)l->last, "count", (int)l->count,
			 "good", l->good, "result", internal_text(l->result), "address",
			 internal_text(l->address), "protocol", internal_text(l->protocol), "by",
			 internal_text(l->by), "program", internal_text(l->program));
}

struct reply internal_logins(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", NULL };
	struct recent_login *l;
	struct said s = { 0 };
	struct login_try t;
	size_t n;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_logins(q->web->keeper, &t, q->a, &s, &l, &n);
	if (e || !str_is(s.word, "ok"))
		return e ? internal_failed(q, e) : said(q, &s, json_object());
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, recent(&l[i]));
	return internal_answer(q, 200, "ok", json_pack("{s:o}", "logins", list));
}

struct reply internal_sessions(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", NULL };
	struct session_row *row;
	struct said s = { 0 };
	struct login_try t;
	size_t n;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_sessions(q->web->keeper, &t, q->a, &s, &row, &n);
	if (e || !str_is(s.word, "ok"))
		return e ? internal_failed(q, e) : said(q, &s, json_object());
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:I}", "protocol",
						      internal_text(row[i].protocol), "address",
						      internal_text(row[i].address), "since",
						      (json_int_t)row[i].since));
	return internal_answer(q, 200, "ok", json_pack("{s:o}", "sessions", list));
}

struct reply internal_logout(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", NULL };
	struct said s = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_logout(q->web->keeper, &t, q->a, &s);
	return e ? internal_failed(q, e) : said(q, &s, json_object());
}

struct reply internal_app_add(struct request *q)
{
	static const char *const names[] = {
		"user", "password", "addr", "name", "protocols", NULL
	};
	struct str made = S("");
	struct said s = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_app_add(q->web->keeper, &t, form_get(&q->form, "name"),
				    form_get(&q->form, "protocols"), q->a, &s, &made);
	return e ? internal_failed(q, e)
		 : said(q, &s, json_pack("{s:o}", "password", internal_text(made)));
}

struct reply internal_app_delete(struct request *q)
{
	static const char *const names[] = { "user", "password", "addr", "name", NULL };
	struct said s = { 0 };
	struct login_try t;

	if (!internal_proof(q, names, &t))
		return internal_bad(q);
	enum err e = keeper_app_delete(q->web->keeper, &t, form_get(&q->form, "name"), q->a, &s);
	return e ? internal_failed(q, e) : said(q, &s, json_object());
}
