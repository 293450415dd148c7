/* SPDX-License-Identifier: ISC */
/* ctl/logins.c - who came in, from where and how, and who was refused. */
#include "ctl/ctl_priv.h"
#include "keeper/admin.h"

/* "wrong_password" for people. */
static struct str words(struct arena *a, struct str word)
{
	char *p = str_c(a, word);

	for (size_t i = 0; i < word.n; i++)
		p[i] = p[i] == '_' ? ' ' : p[i];
	return STR(p, word.n);
}

static struct str or_dash(struct str s)
{
	return s.n ? s : S("-");
}

static void add_row(struct columns *t, const struct recent_login *l)
{
	columns_add(t, text_time(t->a, l->last));
	columns_add(t, words(t->a, l->result));
	columns_add(t, str_fmt(t->a, "%u", l->count));
	columns_add(t, l->count > 1 ? text_time(t->a, l->first) : S("-"));
	columns_add(t, or_dash(l->address));
	columns_add(t, l->protocol);
	columns_add(t, or_dash(l->by));
	columns_add(t, or_dash(l->program));
}

static json_t *json_row(const struct recent_login *l)
{
	return json_pack("{s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "first",
			 (json_int_t)l->first, "last", (json_int_t)l->last, "count",
			 (json_int_t)l->count, "good", l->good, "result", ctl_json_str(l->result),
			 "address", ctl_json_str(l->address), "protocol", ctl_json_str(l->protocol),
			 "by", ctl_json_str(l->by), "program", ctl_json_str(l->program));
}

int cmd_user_logins(struct ctl *c)
{
	static const char *const heads[] = { "LAST",    "RESULT",   "<TIMES", "FIRST",
					     "ADDRESS", "PROTOCOL", "BY",     "PROGRAM" };
	struct recent_login *l;
	struct str why;
	size_t n;
	enum err e = admin_user_logins(c->peer, c->words[0], c->arena, &l, &n, &why);

	if (e)
		return ctl_failed(c, e, why);
	if (c->options & OPT_JSON) {
		json_t *rows = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(rows, json_row(&l[i]));
		return ctl_print_json(rows);
	}
	struct columns table = columns_new(c->arena, heads, LENGTH(heads));
	for (size_t i = 0; i < n; i++)
		add_row(&table, &l[i]);
	columns_print(&table, stdout);
	return EXIT_OK;
}
