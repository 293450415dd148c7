/* SPDX-License-Identifier: ISC */
/* web/join.c - the state of the service, and how one who is invited joins. */
#include "web/web_priv.h"

#define TITLE "[[Neues Konto||New account]]"

static struct str chosen(const struct request *q, const struct said *s)
{
	return q->lang == LANG_DE ? s->de : s->en;
}

struct str service_notice(struct request *q)
{
	struct service_says s;

	/* What is there without the keeper is shown without it. */
	return keeper_service(q->web->keeper, q->a, &s) ? S("") : chosen(q, &s.notice);
}

struct reply service_page(struct request *q)
{
	const struct web_conf *c = &q->web->conf;
	struct service_says s;

	if (keeper_service(q->web->keeper, q->a, &s))
		return page_later(q);
	bool open = str_is(s.joining.word, "open");
	const struct value v[] = {
		{ "notice", chosen(q, &s.notice) },
		{ "open", open ? S("1") : S("") },
		{ "joining", open ? S("") : chosen(q, &s.joining) },
		{ "readonly", str_is(s.word, "read-only") ? S("1") : S("") },
		{ "location", q->lang == LANG_DE ? c->location_de : c->location_en },
	};

	return page(q, 200, "service.html", "[[Zustand des Dienstes||State of the service]]", v);
}

/* --- joining --- */

/* For who has a token that counts. */
static struct reply form(struct request *q, unsigned status, struct str token,
			 const struct invited *i, struct str fault)
{
	struct sentence until = text_until(q->a, i->until);
	unsigned long long mib = i->quota >> 20;
	const struct value v[] = {
		{ "fault", fault },
		{ "address", i->address },
		{ "invitation", token },
		{ "until", q->lang == LANG_DE ? until.de : until.en },
		{ "quota", mib ? str_fmt(q->a, "%llu MiB", mib) : S("") },
		{ "token", token_make(q) },
		{ "min", str_fmt(q->a, "%u", q->web->conf.password_min) },
		{ "classes", q->web->conf.password_classes
				     ? str_fmt(q->a, "%u", q->web->conf.password_classes)
				     : S("") },
	};

	return page(q, status, "join.html", TITLE, v);
}

static struct reply refused(struct request *q, const struct said *s)
{
	const struct value v[] = { { "text", chosen(q, s) } };

	return page(q, 403, "sentence.html", TITLE, v);
}

/* Without a link: whether there are invitations at all. */
static struct reply uninvited(struct request *q)
{
	struct service_says s;

	if (keeper_service(q->web->keeper, q->a, &s))
		return page_later(q);
	bool open = str_is(s.joining.word, "open");
	const struct value v[] = { { "joining", open ? S("") : chosen(q, &s.joining) } };
	return page(q, 200, "uninvited.html", TITLE, v);
}

struct reply join_form(struct request *q)
{
	struct str token = str_trim(form_get(&q->query, "invitation"));
	struct invited i;

	if (!token.n)
		return uninvited(q);
	if (keeper_invitation(q->web->keeper, token, q->a, &i))
		return page_later(q);
	return str_is(i.said.word, "ok") ? form(q, 200, token, &i, S("")) : refused(q, &i.said);
}

static struct reply joined(struct request *q, struct str address, const struct change *c)
{
	const struct value v[] = {
		{ "address", address },
		{ "advice", q->lang == LANG_DE ? c->advice_de : c->advice_en },
		{ "score", str_fmt(q->a, "%u", c->score) },
	};

	return page(q, 200, "joined.html", "[[Willkommen||Welcome]]", v);
}

struct reply join_make(struct request *q)
{
	static const char *const names[] = { "invitation", "new", "again", "token", NULL };
	struct str token = form_get(&q->form, "invitation"), fresh = form_get(&q->form, "new");
	struct change c = { 0 };
	struct invited i;

	if (!form_has_only(&q->form, names))
		return page_bad_form(q);
	if (keeper_invitation(q->web->keeper, token, q->a, &i))
		return page_later(q);
	if (!str_is(i.said.word, "ok"))
		return refused(q, &i.said);
	if (!token_ok(q))
		return form(q, 403, token, &i, token_fault(q));
	if (!str_eq(fresh, form_get(&q->form, "again")))
		return form(q, 422, token, &i, password_differs(q));
	if (keeper_join(q->web->keeper, token, fresh, q->head.address, q->a, &c))
		return page_later(q);
	if (str_is(c.word, "ok"))
		return joined(q, i.address, &c);
	struct said why = { c.word, c.de, c.en };
	static const char *const over[] = { "exists", "unknown", "closed" };
	for (size_t n = 0; n < LENGTH(over); n++)
		if (str_is(c.word, over[n]))
			return refused(q, &why);
	return form(q, 422, token, &i, chosen(q, &why));
}
