/* SPDX-License-Identifier: ISC */
/* ctl/service.c - the life of the service, and invitations to it. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"
#include "proc/value.h"

/* --- the service --- */

static json_t *json_day(struct arena *a, uint32_t day)
{
	return day ? ctl_json_str(day_en(a, day)) : json_null();
}

int cmd_service_show(struct ctl *c)
{
	struct life l = { 0 };
	bool takes_mail = false;
	struct str why;
	enum err e = admin_life_show(c->peer, c->arena, &l, &takes_mail, &why);

	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack(
			"{s:s, s:o, s:o, s:b, s:I}", "state", life_word(l.mode), "last_day",
			json_day(c->arena, l.last_day), "notice", ctl_json_str(l.notice),
			"takes_mail", takes_mail, "changed", (json_int_t)l.changed));
	printf("%-10s %s\n", "state", life_word(l.mode));
	if (l.last_day)
		printf("%-10s %.*s\n", "last day", FMT(day_en(c->arena, l.last_day)));
	printf("%-10s %s\n", "mail",
	       takes_mail ? "in and out" : "can be fetched; none in, none out");
	if (l.notice.n)
		printf("%-10s %.*s\n", "notice", FMT(l.notice));
	if (l.changed)
		printf("%-10s %.*s\n", "since", FMT(text_time(c->arena, l.changed)));
	return EXIT_OK;
}

static int set(struct ctl *c, enum life_mode mode)
{
	struct life l = { .mode = mode, .notice = c->notice };
	struct str why;

	if (mode == LIFE_ENDED && day_parse(c->on, &l.last_day))
		return ctl_failed(c, E_SYNTAX,
				  S("when does it end? --on wants its last day, like 2026-12-31"));
	enum err e = admin_life_set(c->peer, &l, c->arena, &why);
	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

int cmd_service_open(struct ctl *c)
{
	return set(c, LIFE_OPEN);
}

int cmd_service_closed(struct ctl *c)
{
	return set(c, LIFE_CLOSED);
}

int cmd_service_read_only(struct ctl *c)
{
	return set(c, LIFE_READ_ONLY);
}

int cmd_service_ended(struct ctl *c)
{
	return set(c, LIFE_ENDED);
}

/* --- invitations --- */

/* Where the web room looks for it: src/web/join.c. */
static struct str link_of(const struct ctl *c, struct str token)
{
	struct str url = c->config.web_url;

	if (!url.n)
		url = str_fmt(c->arena, "https://%.*s", FMT(c->config.hostname));
	while (str_ends(url, S("/")))
		url.n--;
	return str_fmt(c->arena, "%.*s/join?invitation=%.*s", FMT(url), FMT(token));
}

int cmd_invite(struct ctl *c)
{
	struct admin_invitation inv = { 0 };
	uint64_t quota = c->config.quota;
	uint64_t ms = 0;
	struct str why;

	if ((c->options & OPT_QUOTA) && size_parse(c->quota, &quota))
		return ctl_failed(c, E_SYNTAX,
				  S("--quota: this is no size (500M, 2G; 0: no limit)"));
	if ((c->options & OPT_FOR) &&
	    (!value_time(c->time, &ms) || ms < 1000 || ms / 1000 > UINT32_MAX))
		return ctl_failed(c, E_SYNTAX,
				  S("--for: this is no time of a second or more (2h, 7d)"));
	enum err e = admin_invite(c->peer, c->words[0], quota, (uint32_t)(ms / 1000), c->arena,
				  &inv, &why);
	if (e)
		return ctl_failed(c, e, why);
	struct str link = link_of(c, inv.token);
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack("{s:b, s:o, s:I, s:b}", "ok", 1, "link",
						ctl_json_str(link), "until", (json_int_t)inv.until,
						"open", inv.mode == LIFE_OPEN));
	printf("%.*s\n", FMT(link));
	if (inv.mode != LIFE_OPEN)
		fprintf(stderr,
			"tecsmail: the service is %s: the link can be used as soon as it is "
			"open (service open)\n",
			life_word(inv.mode));
	return EXIT_OK;
}

int cmd_invite_delete(struct ctl *c)
{
	struct str why;
	enum err e = admin_invite_delete(c->peer, c->words[0], c->arena, &why);

	return e ? ctl_failed(c, e, why) : ctl_done(c);
}
