/* SPDX-License-Identifier: ISC */
/* ctl/people.c - domains, users and aliases, asked of the running server's keeper. */
#include "base/clock.h"
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"

static int told(struct ctl *c, enum err e, struct str why)
{
	return e ? ctl_failed(c, e, why) : ctl_done(c);
}

/* --- changes --- */

int cmd_domain_add(struct ctl *c)
{
	struct str why;
	enum err e = admin_domain_add(c->peer, c->words[0], c->arena, &why);

	return told(c, e, why);
}

int cmd_domain_delete(struct ctl *c)
{
	struct str why;
	enum err e = admin_domain_delete(c->peer, c->words[0], c->arena, &why);

	return told(c, e, why);
}

static enum err ask_password(struct ctl *c, struct admin_password *out, struct str *why)
{
	struct str secret;
	enum err e = secret_ask(c, &secret, why);

	if (!e && (c->options & OPT_HASH))
		out->hash = secret;
	else if (!e)
		out->password = secret;
	return e;
}

int cmd_user_add(struct ctl *c)
{
	struct admin_password pw = { 0 };
	uint64_t quota = c->config.quota;
	struct str why;

	if ((c->options & OPT_QUOTA) && size_parse(c->quota, &quota))
		return ctl_failed(c, E_SYNTAX,
				  S("--quota: this is no size (500M, 2G; 0: no limit)"));
	enum err e = ask_password(c, &pw, &why);
	if (!e)
		e = admin_user_add(c->peer, c->words[0], pw, quota, c->arena, &why);
	return told(c, e, why);
}

int cmd_user_passwd(struct ctl *c)
{
	struct admin_password pw = { 0 };
	struct str why;
	enum err e = ask_password(c, &pw, &why);

	if (!e)
		e = admin_user_passwd(c->peer, c->words[0], pw, c->arena, &why);
	return told(c, e, why);
}

int cmd_user_delete(struct ctl *c)
{
	struct str why;
	enum err e = admin_user_delete(c->peer, c->words[0], c->arena, &why);

	return told(c, e, why);
}

int cmd_alias_add(struct ctl *c)
{
	struct str why;
	enum err e =
		admin_alias_add(c->peer, c->words[0], c->words + 1, c->nwords - 1, c->arena, &why);

	return told(c, e, why);
}

int cmd_alias_delete(struct ctl *c)
{
	struct str why;
	enum err e = admin_alias_delete(c->peer, c->words[0], c->arena, &why);

	return told(c, e, why);
}

/* --- lists --- */

struct listing {
	struct arena *a;
	struct columns table;
	json_t *json;
};

static void domain_row(void *arg, const struct admin_row *r)
{
	struct listing *l = arg;

	columns_add(&l->table, r->name);
	columns_add(&l->table, text_day(l->a, r->created));
	json_array_append_new(l->json, json_pack("{s:o, s:I}", "domain", ctl_json_str(r->name),
						 "created", (json_int_t)r->created));
}

static void user_row(void *arg, const struct admin_row *r)
{
	struct listing *l = arg;

	columns_add(&l->table, r->name);
	columns_add(&l->table, r->quota ? text_size(l->a, r->quota) : S("-"));
	columns_add(&l->table, text_size(l->a, r->octets));
	columns_add(&l->table, str_fmt(l->a, "%llu", (unsigned long long)r->messages));
	columns_add(&l->table, text_day(l->a, r->created));
	columns_add(&l->table, text_day(l->a, r->password_changed));
	columns_add(&l->table, text_state(l->a, r));
	json_array_append_new(l->json, ctl_json_user(l->a, r));
}

static void invitation_row(void *arg, const struct admin_row *r)
{
	struct listing *l = arg;
	bool over = r->until <= clock_wall();

	columns_add(&l->table, r->name);
	columns_add(&l->table, r->quota ? text_size(l->a, r->quota) : S("-"));
	columns_add(&l->table, text_day(l->a, r->created));
	columns_add(&l->table, over ? S("over") : text_time(l->a, r->until));
	json_array_append_new(
		l->json, json_pack("{s:o, s:I, s:I, s:I, s:b}", "address", ctl_json_str(r->name),
				   "created", (json_int_t)r->created, "until", (json_int_t)r->until,
				   "quota", (json_int_t)r->quota, "valid", !over));
}

static void alias_row(void *arg, const struct admin_row *r)
{
	struct listing *l = arg;
	json_t *targets = json_array();

	for (size_t i = 0; i < r->ntargets; i++) {
		columns_add(&l->table, i ? S("") : r->name);
		columns_add(&l->table, r->targets[i]);
		json_array_append_new(targets, ctl_json_str(r->targets[i]));
	}
	json_array_append_new(l->json,
			      json_pack("{s:o, s:I, s:o}", "alias", ctl_json_str(r->name),
					"created", (json_int_t)r->created, "targets", targets));
}

static int list(struct ctl *c, enum admin_list what, const char *const *heads, size_t n,
		void (*row)(void *arg, const struct admin_row *r))
{
	struct arena *a = arena_new(1 << 30); /* the whole directory at the most */
	struct listing l = { a, columns_new(a, heads, n), json_array() };
	struct str domain = c->nwords ? c->words[0] : S(""), why;
	int status = EXIT_OK;
	enum err e = admin_list(c->peer, what, domain, row, &l, c->arena, &why);

	if (e) {
		json_decref(l.json);
		status = ctl_failed(c, e, why);
	} else if (c->options & OPT_JSON) {
		status = ctl_print_json(l.json);
	} else {
		json_decref(l.json);
		columns_print(&l.table, stdout);
	}
	arena_free(&a);
	return status;
}

int cmd_domain_list(struct ctl *c)
{
	static const char *const heads[] = { "DOMAIN", "SINCE" };

	return list(c, ADMIN_DOMAINS, heads, LENGTH(heads), domain_row);
}

int cmd_user_list(struct ctl *c)
{
	static const char *const heads[] = { "ADDRESS", "<QUOTA",   "<USED", "<MAILS",
					     "SINCE",   "PASSWORD", "STATE" };

	return list(c, ADMIN_USERS, heads, LENGTH(heads), user_row);
}

int cmd_invite_list(struct ctl *c)
{
	static const char *const heads[] = { "ADDRESS", "<QUOTA", "SINCE", "UNTIL" };

	return list(c, ADMIN_INVITATIONS, heads, LENGTH(heads), invitation_row);
}

int cmd_alias_list(struct ctl *c)
{
	static const char *const heads[] = { "ALIAS", "TARGET" };

	return list(c, ADMIN_ALIASES, heads, LENGTH(heads), alias_row);
}
